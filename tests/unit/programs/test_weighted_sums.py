"""Weighted sums: several numbers packed into one, and one row with nearly all the weight."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tacit
from tacit import ArraySpec
from tacit.programs.explaining.packing import segments_of
from tacit.programs.explaining.weighing import participation

ROWS = 2000
X = ArraySpec((ROWS,), owner="alice", bounds=(-1, 1))
Y = ArraySpec((ROWS,), owner="bob", bounds=(-1, 1))
LARGE = ArraySpec((20_000,), owner="alice", bounds=(-1, 1))

ONE = np.r_[1.0, np.full(ROWS - 1, 1e-4)]
HALVES = 0.5 ** np.arange(ROWS)
SLOPE = np.linspace(1, 2, ROWS)


def digits(count: int, high: int) -> ArraySpec:
    return ArraySpec((count,), tacit.int64, owner="alice", bounds=(0, high))


def found(function: Callable[..., Any], *specs: ArraySpec, to: str = "carol") -> list[Any]:
    program = tacit.trace(function, *specs, to=to)
    return [one for one in program.explain().findings if to in one.recipients]


PACKED: dict[str, tuple[Callable[..., Any], ArraySpec, str]] = {
    "declared bounds": (
        lambda x: x[0] + 1000 * x[1] + 1_000_000 * x[2], digits(3, 999), "All 3 elements",
    ),
    "the type's width": (
        lambda x: (x.astype(tacit.int64) * np.array([1, 256, 65536])).sum(),
        ArraySpec((3,), tacit.int8, owner="alice"), "All 3 elements",
    ),
    "fields of bits": (
        lambda x: (x << np.arange(0, 32, 4)).sum(), digits(8, 15), "All 8 elements",
    ),
    "a mean of digits": (
        lambda x: (x * np.array([1, 10, 100])).mean(), digits(3, 9), "All 3 elements",
    ),
    "fixed point": (
        lambda x: x[0] + 2.0**20 * x[1], ArraySpec((2,), owner="alice", bounds=(0, 1)),
        "All 2 elements",
    ),
    "a person above a sum": (
        lambda x: x[0] * 100_000 + x[1:].sum(), digits(ROWS, 9), "1 of 2,000 elements",
    ),
    "sums that differ by a person from another": (
        lambda x: (x[:1000].sum() * 100_000 + x[1000:].sum(), x[:999].sum()), digits(ROWS, 9),
        "1 of 2,000 elements",
    ),
    "signs that differ": (lambda x: x[0] - 10 * x[1], digits(2, 9), "All 2 elements"),
}  # fmt: skip


@pytest.mark.parametrize("case", PACKED)
def test_packed_numbers_are_taken_apart(case: str) -> None:
    function, spec, which = PACKED[case]
    (one,) = [f for f in found(function, spec) if f.severity == "high"]
    assert (one.kind, one.inputs) == ("packed", ("x",))
    assert one.what.startswith(which)


@pytest.mark.parametrize(
    ("function", "spec"),
    [
        (lambda x: x[0] + 9 * x[1] + 90 * x[2], digits(3, 9)),
        (lambda x: x[0] + 1000 * x[1] + 1e6 * x[2], ArraySpec((3,), owner="alice", bounds=(0, 1))),
        (lambda x: x[0] + 1000 * x[1], ArraySpec((2,), tacit.int64, owner="alice")),
        (lambda x: x[:1000].sum() * 100_000 + x[1000:].sum(), digits(ROWS, 9)),
    ],
)
def test_what_cannot_be_taken_apart_is_not_called_packed(
    function: Callable[..., Any], spec: ArraySpec
) -> None:
    assert "packed" not in {one.kind for one in found(function, spec)}


@pytest.mark.parametrize("seed", range(40))
def test_what_is_said_to_be_packed_is_determined_by_the_sum(seed: int) -> None:
    """Against all inputs: every element that is told has one value for each sum."""
    generator = np.random.default_rng(seed)
    high = int(generator.integers(1, 4))
    weights = generator.choice([-8, -1, 1, 2, 3, 4, 5, 8, 16, 20], 4)
    spec = ArraySpec((4,), tacit.int64, owner="alice", bounds=(0, high))
    findings = found(lambda x: (x * weights).sum(), spec)
    sums: dict[int, list[tuple[int, ...]]] = {}
    for values in itertools.product(range(high + 1), repeat=4):
        sums.setdefault(int(np.dot(values, weights)), []).append(values)
    determined = [
        k for k in range(4) if all(len({v[k] for v in group}) == 1 for group in sums.values())
    ]
    told = [one.what.split()[0] for one in findings if one.kind == "packed"]
    count = sum(4 if one == "All" else int(one) for one in told)
    assert count <= len(determined)
    order = np.sort(np.abs(weights))
    if (order[1:] > high * np.cumsum(order)[:-1]).all():
        assert count == 4


def test_what_rounding_loses_is_not_taken_apart() -> None:
    weights = 0.25 ** np.arange(4)
    units, ranges = np.ones(4), np.full(4, 1.0)
    assert len(segments_of(weights, units, ranges)) == 4
    assert [one.tolist() for one in segments_of(weights, units, ranges, 0.2)] == [[3, 2], [1], [0]]


DOMINATED: dict[str, tuple[Callable[..., Any], tuple[ArraySpec, ...], str]] = {
    "one weight": (lambda x: (x * ONE).sum(), (X,), "high"),
    "a matrix product": (lambda x: ONE @ x, (X,), "high"),
    "for every column": (
        lambda x: (x * ONE[:, None]).sum(axis=0),
        (ArraySpec((ROWS, 5), owner="alice", bounds=(-1, 1)),), "high",
    ),
    "twice in the sum": (lambda x: x.sum() + 10_000 * x[0], (X,), "high"),
    "after a function": (lambda x: (tacit.relu(x) * ONE).sum(), (X,), "high"),
    "weights that fade": (lambda x: (x * HALVES).sum(), (X,), "medium"),
    "many rows": (
        lambda x: (x * np.r_[1.0, np.full(19_999, 1e-5)]).sum(), (LARGE,), "high",
    ),
    "another owner's rows": (lambda x, y: x[0] + 1e-4 * y.sum(), (X, Y), "high"),
    "numbers that are larger": (
        lambda x, y: x.sum() + y.sum(),
        (X, ArraySpec((1,), owner="bob", bounds=(0, 100_000))), "high",
    ),
    "behind a minimum": (
        lambda x, y: tacit.where(
            (y > 0).sum() >= 10, (tacit.where(y > 0, x, 0) * ONE).sum(), 0
        ),
        (X, Y), "high",
    ),
    "behind a minimum, as a mean": (
        lambda x, y: tacit.where(
            (y > 0).sum() >= 10,
            (tacit.where(y > 0, x, 0) * ONE).sum() / tacit.maximum((y > 0).sum(), 1),
            0,
        ),
        (X, Y), "high",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", DOMINATED)
def test_one_row_with_nearly_all_the_weight_is_found(case: str) -> None:
    function, specs, severity = DOMINATED[case]
    (one,) = [f for f in found(function, *specs) if f.kind not in ("unsolved", "part")]
    assert (one.severity, one.kind) == (severity, "dominated")


def test_outputs_that_differ_in_little_but_one_row_are_found() -> None:
    both = found(lambda x: ((x * SLOPE).sum(), (x * (SLOPE + ONE)).sum()), X)
    assert [(one.severity, one.kind) for one in both] == [("high", "difference")]
    assert "1.1 rows in effect" in both[0].what


@pytest.mark.parametrize("weights", [SLOPE, np.ones(ROWS), np.repeat([1.0, 3.0], ROWS // 2)])
def test_weights_that_are_alike_are_good(weights: Any) -> None:
    assert found(lambda x: (x * weights).sum(), X) == []


def test_a_table_too_large_to_weigh_leaves_other_outputs_their_equations() -> None:
    weights = np.linspace(1, 2, 20_000)
    kinds = {(one.severity, one.kind) for one in found(
        lambda x: (x.sum(), x[1:].sum(), weights @ x), LARGE
    )}  # fmt: skip
    assert kinds == {("high", "difference"), ("medium", "unsolved")}


def test_one_weight_is_not_called_exact() -> None:
    """What is left of the others is rounded to nothing only if it is nothing."""
    kinds = {one.kind for one in found(lambda x: x.sum() + 10_000 * x[0], X)}
    assert "reveals-input" not in kinds


def test_rows_in_effect() -> None:
    assert participation(np.ones(1), np.array([7.0])) == 7
    assert participation(np.array([1.0, 1e-9]), np.array([1.0, 9.0])) == pytest.approx(1)
    assert participation(np.zeros(2), np.ones(2)) == np.inf
