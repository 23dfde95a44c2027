"""Findings against brute force: what small programs give away, by ranks and by all inputs."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tacit
from tacit import ArraySpec, Program
from tests.thinning import EVERYTHING

SIZE = 4
DOMAIN = range(3)

Numbers = np.ndarray[Any, np.dtype[np.float64]]
Step = Callable[[Any, np.random.Generator], Any]


def determined_by_rank(matrix: Numbers) -> set[int]:
    """The elements whose unit vectors lie in the row space."""
    rank = np.linalg.matrix_rank(matrix)
    units = np.eye(matrix.shape[1])
    return {k for k, unit in enumerate(units) if np.linalg.matrix_rank([*matrix, unit]) == rank}


def told_exactly(program: Program, recipient: str) -> int:
    """How many elements the findings say can be worked out."""
    total = 0
    for one in program.explain().findings:
        if one.kind in ("reveals-input", "difference", "own-subtracted"):
            if recipient not in one.recipients or "elements" not in one.what:
                continue
            count = one.what.split()[0]
            total += SIZE if count == "All" else int(count)
    return total


@pytest.mark.parametrize("seed", range(200 if EVERYTHING else 40))
def test_linear_programs_tell_what_ranks_tell(seed: int) -> None:
    generator = np.random.default_rng(seed)
    rows = int(generator.integers(1, 5))
    matrix = generator.integers(-1, 2, (rows, SIZE)).astype(float)
    spec = ArraySpec((SIZE,), owner="alice", bounds=(-1, 1))

    def program(x: Any) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for k, line in enumerate(matrix):  # written differently each time
            match int(generator.integers(3)):
                case 0:
                    found[str(k)] = (x * line).sum()
                case 1:
                    found[str(k)] = x @ line
                case _:
                    parts = [x[j : j + 1].sum() * c for j, c in enumerate(line) if c]
                    found[str(k)] = sum(parts[1:], parts[0]) if parts else x.sum() * 0
        return found

    traced = tacit.trace(program, spec, to="bob")
    assert told_exactly(traced, "bob") == len(determined_by_rank(matrix))


STEPS: dict[str, tuple[Step, Step]] = {
    name: (lambda x, r, f=secret: f(x, r), lambda x, r, f=clear: f(x, r))
    for name, (secret, clear) in {
        "negative": (lambda x, r: -x, lambda x, r: -x),
        "scale": (lambda x, r: x * 2, lambda x, r: x * 2),
        "shift": (lambda x, r: x + 1, lambda x, r: x + 1),
        "square": (lambda x, r: x * x, lambda x, r: x * x),
        "abs": (lambda x, r: abs(x), lambda x, r: abs(x)),
        "relu": (lambda x, r: tacit.relu(x - 1), lambda x, r: np.maximum(x - 1, 0)),
        "compare": (lambda x, r: (x > 1) * 1, lambda x, r: (x > 1) * 1),
        "sort": (lambda x, r: tacit.sort(x), lambda x, r: np.sort(x)),
        "running": (lambda x, r: tacit.cumulative_sum(x), lambda x, r: np.cumsum(x)),
        "reverse": (lambda x, r: x[::-1], lambda x, r: x[::-1]),
        "double": (lambda x, r: tacit.concat([x, x]), lambda x, r: np.concatenate([x, x])),
        "half": (lambda x, r: x[: max(len(x) // 2, 1)], lambda x, r: x[: max(len(x) // 2, 1)]),
        "differences": (
            lambda x, r: x[1:] - x[:-1] if len(x) > 1 else x,
            lambda x, r: x[1:] - x[:-1] if len(x) > 1 else x,
        ),
        "both": (lambda x, r: x + x[::-1], lambda x, r: x + x[::-1]),
    }.items()
}
ENDS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "all": (lambda x: x, lambda x: x),
    "sum": (lambda x: x.sum(), np.sum),
    "but one": (lambda x: x[1:].sum(), lambda x: np.sum(x[1:])),
    "max": (tacit.max, np.max),
    "where": (tacit.argmax, np.argmax),
}


@pytest.mark.parametrize("seed", range(400 if EVERYTHING else 60))
def test_whatever_determines_an_input_has_a_finding(seed: int) -> None:
    """All inputs of a small domain are tried: an element with one value for each answer is told."""
    generator = np.random.default_rng(1000 + seed)
    steps = [list(STEPS)[k] for k in generator.integers(len(STEPS), size=generator.integers(0, 4))]
    ends = [list(ENDS)[k] for k in generator.integers(len(ENDS), size=generator.integers(1, 3))]

    def run(x: Any, clear: int) -> list[Any]:
        for name in steps:
            x = STEPS[name][clear](x, generator)
        return [ENDS[name][clear](x) for name in ends]

    answers: dict[bytes, list[tuple[int, ...]]] = {}
    for values in itertools.product(DOMAIN, repeat=SIZE):
        out = [np.asarray(o, float) + 0.0 for o in run(np.array(values, float), 1)]
        answers.setdefault(b"|".join(o.tobytes() for o in out), []).append(values)
    determined = [
        k for k in range(SIZE) if all(len({v[k] for v in group}) == 1 for group in answers.values())
    ]
    spec = ArraySpec((SIZE,), owner="alice", bounds=(0, 2))
    program = tacit.trace(lambda x: {str(k): o for k, o in enumerate(run(x, 0))}, spec, to="bob")
    findings = [
        one for one in program.explain(2).findings if "bob" in one.recipients and "x" in one.inputs
    ]
    if determined:
        assert {one.severity for one in findings} & {"high", "medium"}, (steps, ends)
    exact = [one for one in findings if one.kind in ("reveals-input", "difference")]
    if any("elements" in one.what for one in exact):
        assert determined, (steps, ends)


def test_numbers_packed_into_one_are_found() -> None:
    digits = ArraySpec((3,), tacit.int64, owner="alice", bounds=(0, 9))
    packed = tacit.trace(lambda x: x[0] + 10 * x[1] + 100 * x[2], digits, to="bob")
    assert ("high", "packed") in {(f.severity, f.kind) for f in packed.explain(2).findings}
    summed = tacit.trace(lambda x: x[0] + 9 * x[1] + 90 * x[2], digits, to="bob")
    assert "packed" not in {f.kind for f in summed.explain(2).findings}
