"""No program that a check accepts wraps on inputs within its bounds: random programs.

Every program is run on corners and random inputs at the widest bounds that are accepted, over 64
bits and, with twice the room, over 128 bits: a number that wrapped differs by far more than
roundings do. Every value is held against the interval that was shown for it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tacit
from tacit import ArraySpec, Program
from tacit.errors import ProgramError, RangeError

COUNT = int(os.environ.get("TACIT_RANDOM_PROGRAMS", "10"))
"""The first so many seeds; docs/bounds.md says with how many it was run."""
SHAPE = (3, 3)

Step = Callable[[Any, Any, np.random.Generator], Any]


def _constant(rng: np.random.Generator) -> float:
    return float(np.round(rng.uniform(-4, 4), 3))


STEPS: dict[str, Step] = {
    "add": lambda x, y, rng: x + y,
    "subtract": lambda x, y, rng: x - y,
    "multiply": lambda x, y, rng: x * y,
    "square": lambda x, y, rng: x * x,
    "scaled": lambda x, y, rng: x * _constant(rng),
    "divided": lambda x, y, rng: x / (abs(_constant(rng)) + 0.1),
    "shifted": lambda x, y, rng: x + _constant(rng),
    "public": lambda x, y, rng: x * rng.uniform(-2, 2, SHAPE) + rng.uniform(-2, 2, SHAPE),
    "matrix": lambda x, y, rng: x @ rng.uniform(-2, 2, SHAPE),
    "product": lambda x, y, rng: x @ y,
    "transpose": lambda x, y, rng: x.T,
    "centred": lambda x, y, rng: x - x.mean(axis=0),
    "total": lambda x, y, rng: x.sum(axis=1, keepdims=True) - y,
    "variance": lambda x, y, rng: tacit.var(x, axis=0) + y * 0,
    "sigmoid": lambda x, y, rng: tacit.sigmoid(x) * y,
    "tanh": lambda x, y, rng: tacit.tanh(x),
    "exp": lambda x, y, rng: tacit.exp(tacit.clip(x, -3, 3)),
    "sqrt": lambda x, y, rng: tacit.sqrt(abs(x)),
    "divide": lambda x, y, rng: x / (abs(y) + 1),
    "relu": lambda x, y, rng: tacit.maximum(x, 0),
    "where": lambda x, y, rng: tacit.where(x < y, x, y * 2),
    "extreme": lambda x, y, rng: x - tacit.max(x, axis=1, keepdims=True),
    "bit": lambda x, y, rng: (x > y) * x,
    "sums": lambda x, y, rng: tacit.cumulative_sum(x, axis=0),
    "sorted": lambda x, y, rng: tacit.sort(x, axis=0),
    "softmax": lambda x, y, rng: (
        tacit.exp(x - tacit.max(x, axis=1, keepdims=True))
        / tacit.exp(x - tacit.max(x, axis=1, keepdims=True)).sum(axis=1, keepdims=True)
    ),
    "standard": lambda x, y, rng: (
        (x - x.mean(axis=1, keepdims=True))
        / tacit.sqrt(((x - x.mean(axis=1, keepdims=True)) ** 2).mean(axis=1, keepdims=True) + 0.01)
    ),
}


def _loop(x: Any, y: Any, rng: np.random.Generator) -> Any:
    """A few, or many rounds; carries that decay, add up, or are clipped."""
    rounds = int(rng.choice([2, 5, 40]))
    factor, step = float(rng.uniform(-0.9, 1.2)), float(rng.uniform(-0.5, 0.5))
    kind = rng.integers(4)

    def body(i: Any, carry: list[Any]) -> list[Any]:
        a, b = carry
        if kind == 0:
            return [a * factor + y, b + tacit.sigmoid(a) * step]
        if kind == 1:
            return [a - step * (b - y), b * 0.5 + a * 0.25]
        if kind == 2:
            return [a + tacit.tanh(b @ y) * (1.0 / (i + 1)), a - b]
        return [a * 1.1 + b, tacit.minimum(b, a)]

    named: dict[str, Any] = {}
    if rng.integers(2):
        named = {"bounds": [(-50, 50), (-60, 60)], "enforce": "clip"}
    first, second = tacit.fori_loop(0, rounds, body, [x, y], **named)
    return first + second * 0.5


def _rows(x: Any, y: Any, rng: np.random.Generator) -> Any:
    factor = float(rng.uniform(-1, 1))

    def body(carry: list[Any], row: list[Any]) -> tuple[list[Any], list[Any]]:
        return [carry[0] * factor + row[0]], [carry[0] - row[0]]

    _, (rows,) = tacit.scan(body, [y[0]], [x], reverse=bool(rng.integers(2)))
    return rows


STEPS |= {"loop": _loop, "rows": _rows}


def _program(seed: int, limit: float) -> Program:
    """A random program on two inputs of the given width; every value is an output."""
    rng = np.random.default_rng(seed)
    names = [*STEPS]
    chosen = [names[int(k)] for k in rng.integers(len(names), size=6)]
    if seed % 2:
        chosen[int(rng.integers(6))] = "loop"

    def function(x: Any, y: Any) -> dict[str, Any]:
        values = [x, y]
        for name in chosen:
            a, b = (values[-int(k)] for k in rng.integers(1, len(values) + 1, size=2))
            values.append(STEPS[name](a, b, rng))
        return {
            f"{k}_{name}": v for k, (name, v) in enumerate(zip(chosen, values[2:], strict=True))
        }

    wide = float(rng.choice([1.0, 1.0, 0.25, 2.0**-8]))
    program = tacit.trace(
        function,
        ArraySpec(SHAPE, owner="alice", bounds=(-limit, limit)),
        ArraySpec(SHAPE, owner="bob", bounds=(0, limit * wide)),
        name=str(chosen),
    )
    program.check()
    return program


def _widest(seed: int) -> Program | None:
    for power in range(34, -7, -2):
        try:
            return _program(seed, 2.0**power)
        except (RangeError, ProgramError):
            continue
    return None


def _inputs(program: Program, rng: np.random.Generator) -> list[dict[str, np.ndarray[Any, Any]]]:
    found = []
    for k in range(3):
        values = {}
        for one in program.inputs:
            low, high = one.bounds or (0, 0)
            corners = np.array([low, high])[rng.integers(2, size=SHAPE)]
            values[one.name] = rng.uniform(low, high, SHAPE) if k == 2 else corners
            if k == 1:
                values[one.name] = np.full(SHAPE, high)
        found.append(values)
    return found


def test_most_random_programs_are_accepted() -> None:
    assert sum(_widest(seed) is None for seed in range(4)) <= 2


@pytest.mark.parametrize("seed", range(COUNT))
def test_what_is_accepted_never_wraps(seed: int) -> None:
    program = _widest(seed)
    if program is None:
        return
    table = program.bounds()
    for values in _inputs(program, np.random.default_rng(seed)):
        with tacit.local(seed=1) as mpc, tacit.local(seed=2, ring=128) as roomy:
            found, expected = mpc.run(program, values), roomy.run(program, values)
        for name, array in found.items():
            bounds = table[name]
            assert bounds is not None
            assert bounds[0] <= array.min(), (program.name, name, bounds, array.min())
            assert array.max() <= bounds[1], (program.name, name, bounds, array.max())
            near = 2.0**24 + 1e-3 * np.abs(expected[name]).max()
            assert np.abs(array - expected[name]).max() < near, (program.name, name)
