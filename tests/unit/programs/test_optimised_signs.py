"""One comparison instead of two, or none, where bounds leave one side alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tacit
from tacit import ArraySpec, Program

UNIT = 2.0**-18
PROTOCOLS = ["replicated3", "replicated3_active", "fantastic4"]
LABELS = np.array([0, 1, 1, 0, 1])
FRACTIONS = np.array([0.0, UNIT, 0.5, 1.0 - UNIT, 1.0])
MIXED = np.array([-2.0, -UNIT, 0.0, UNIT, 2.0])

Case = tuple[Callable[..., Any], list[tuple[Any, tuple[float, float]]], set[str], Any]

ONE: set[str] = {"less", "bitwise_invert"}
CASES: dict[str, Case] = {
    "a label is 1": (lambda y: y == 1, [(LABELS, (0, 1))], ONE, LABELS == 1),
    "a label is 0": (lambda y: y == 0, [(LABELS, (0, 1))], ONE, LABELS == 0),
    "a label is not 0": (lambda y: y != 0, [(LABELS, (0, 1))], {"less"}, LABELS != 0),
    "a label as a boolean": (lambda y: y.astype(tacit.bool), [(LABELS, (0, 1))], {"less"},
                             LABELS != 0),
    "the end of an interval": (lambda x: x == 1.0, [(FRACTIONS, (0, 1))], ONE, FRACTIONS == 1),
    "a fraction of no end": (lambda x: x == 0.5, [(FRACTIONS, (0, 1))], {"equal"},
                             FRACTIONS == 0.5),
    "a fraction that is rounded": (lambda x: x == 1 + UNIT / 4, [(FRACTIONS, (0, 1))], {"equal"},
                                   FRACTIONS == 1),
    "two numbers": (lambda x, y: x == y, [(FRACTIONS, (0, 1)), (FRACTIONS + 1, (1, 2))], ONE,
                    FRACTIONS == FRACTIONS + 1),
    "two numbers the other way": (lambda x, y: y != x, [(LABELS, (0, 1)), (-LABELS, (-1, 0))],
                                  {"less"}, -LABELS != LABELS),
    "the sign of what is not negative": (lambda x: tacit.sign(x), [(FRACTIONS, (0, 1))],
                                         {"less", "astype"}, np.sign(FRACTIONS)),
    "the sign of what is not positive": (lambda x: tacit.sign(x), [(-FRACTIONS, (-1, 0))],
                                         {"less", "astype", "negative"}, np.sign(-FRACTIONS)),
    "the sign of what is positive": (lambda x: tacit.sign(x), [(FRACTIONS + 1, (1, 2))],
                                     {"constant"}, np.ones(5)),
    "relu of what is negative": (lambda x: tacit.relu(x), [(-FRACTIONS, (-1, 0))], {"constant"},
                                 np.zeros(5)),
    "clipped above": (lambda x: tacit.clip(x, -0.25, 0.3), [(FRACTIONS, (0, 1))], {"minimum"},
                      np.minimum(FRACTIONS, np.rint(0.3 / UNIT) * UNIT)),
    "clipped below": (lambda x: tacit.clip(x, 0.3, 2), [(FRACTIONS, (0, 1))], {"maximum"},
                      np.maximum(FRACTIONS, np.rint(0.3 / UNIT) * UNIT)),
    "clipped at both ends": (lambda x: tacit.clip(x, 0.25, 0.75), [(FRACTIONS, (0, 1))], {"clip"},
                             np.clip(FRACTIONS, 0.25, 0.75)),
    "an integer clipped": (lambda x: tacit.clip(x, -5, 0), [(LABELS, (0, 1))], {"minimum"},
                           np.zeros(5)),
    "with a positive sign": (lambda x, y: tacit.copysign(x, y),
                             [(MIXED, (-2, 2)), (FRACTIONS, (0, 1))], {"abs"}, np.abs(MIXED)),
    "with a negative sign": (lambda x, y: tacit.copysign(x, y),
                             [(MIXED, (-2, 2)), (FRACTIONS - 2, (-2, -1))], {"abs", "negative"},
                             -np.abs(MIXED)),
    "divided by more": (lambda x: x // 7, [(LABELS * 6, (0, 6))], {"constant"}, np.zeros(5)),
    "its own remainder": (lambda x: x % 7, [(LABELS * 6, (0, 6))], set(), LABELS * 6),
    "divided by as much": (lambda x: x // 7, [(LABELS * 7, (0, 7))], {"floor_divide"}, LABELS),
    "both signs": (lambda x: tacit.sign(x), [(MIXED, (-2, 2))], {"sign"}, np.sign(MIXED)),
}  # fmt: skip


def names(program: Program) -> set[str]:
    return {node.node.operation for graph in program.graphs() for node in graph.nodes}


@pytest.mark.parametrize("name", CASES)
def test_what_bounds_leave(name: str) -> None:
    function, given, expected, exact = CASES[name]
    specs = [
        ArraySpec((200,), tacit.int64 if values.dtype.kind == "i" else tacit.fixed, owner="alice",
                  bounds=bounds)
        for values, bounds in given
    ]  # fmt: skip
    program = tacit.trace(function, *specs)
    better = program.optimize()
    assert names(better) == expected
    assert better.optimize() == better
    values = {one.name: np.tile(v, 40) for one, (v, _) in zip(program.inputs, given, strict=True)}
    for protocol in PROTOCOLS if name in ("a label is 1", "clipped above") else PROTOCOLS[:1]:
        with tacit.local(protocol, seed=1) as mpc:
            with mpc.measure() as before:
                mpc.run(program, values)
            with mpc.measure() as after:
                found = mpc.run(better, values)["output"]
        np.testing.assert_array_equal(found, np.tile(exact, 40))
        assert after.rounds <= before.rounds
        assert sum(after.bytes_sent.values()) <= sum(before.bytes_sent.values())
        if names(program) != expected:
            assert sum(after.bytes_sent.values()) < sum(before.bytes_sent.values())
