"""Sums of products become one product of matrices, or one operation that truncates once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tacit
from tacit import ArraySpec, Program
from tacit.errors import RangeError

RNG = np.random.default_rng(3)
SHAPE = (6, 5)
X, Y = RNG.uniform(-2, 2, (2, *SHAPE))
BOUNDED = [ArraySpec(SHAPE, owner=owner, bounds=(-2, 2)) for owner in ("alice", "bob")]
UNKNOWN = [ArraySpec(SHAPE, owner=owner) for owner in ("alice", "bob")]
PROTOCOLS = ["replicated3", "replicated3_active", "fantastic4"]
UNIT = 2.0**-18


def names(program: Program) -> list[str]:
    return [node.node.operation for graph in program.graphs() for node in graph.nodes]


def repeated(row: Any) -> Any:
    return (np if isinstance(row, np.ndarray) else tacit).broadcast_to(row, SHAPE)


SUMS: dict[str, tuple[Callable[[Any, Any], Any], set[str]]] = {
    "rows": (lambda x, y: (x * y).sum(axis=1), {"matmul"}),
    "columns": (lambda x, y: (x * y).sum(axis=0), {"matmul"}),
    "all": (lambda x, y: (x * y).sum(), {"matmul"}),
    "kept axes": (lambda x, y: (x * y).sum(axis=(0, 1), keepdims=True), {"matmul"}),
    "mean": (lambda x, y: (x * y).mean(axis=0), {"matmul", "multiply"}),
    "squares": (lambda x, y: ((x - y) * (x - y)).sum(axis=-1), {"matmul", "subtract"}),
    "rows and columns": (lambda x, y: (x[:, None] * y[None]).sum(axis=2), {"matmul"}),
    "inner axis": (lambda x, y: (x[:, :, None] * y.T[None]).sum(axis=1), {"matmul"}),
    "batch and columns": (lambda x, y: (x[:, :, None] * y[:, None]).sum(axis=0), {"matmul"}),
    "repeated": (lambda x, y: (x * repeated(y[0])).sum(axis=1), {"matmul"}),
    "one factor repeated": (lambda x, y: (x * y[:, :1]).sum(axis=1), {"matmul"}),
    "two products": (lambda x, y: x * y + y * x[::-1], {"sum_of_products"}),
    "a difference": (lambda x, y: x * y - y * y[::-1], {"sum_of_products", "negative"}),
    "three products": (lambda x, y: x * y + (y * y - x * x), {"sum_of_products", "negative"}),
    "a sum of two": (lambda x, y: (x * y + y * y).sum(axis=1), {"matmul", "add"}),
    "matrices": (lambda x, y: x @ y.T + y @ x[::-1].T, {"matmul", "concatenate"}),
    "matrices minus": (lambda x, y: x @ y.T - y @ x[::-1].T,
                       {"matmul", "concatenate", "negative"}),
    "the same matrix": (lambda x, y: x @ y.T - x @ x.T, {"matmul", "subtract"}),
    "vectors": (lambda x, y: x @ y[0] + y @ x[0], {"matmul", "concatenate"}),
    "sums added": (lambda x, y: (x * y).sum(axis=1) + (y * y[::-1]).sum(axis=1),
                   {"matmul", "concatenate"}),
    "a public factor": (lambda x, y: (x * 0.3).sum(axis=0), {"sum", "multiply"}),
    "public factors": (lambda x, y: (x * np.linspace(0.1, 0.7, 5)).sum(axis=1), {"matmul"}),
}  # fmt: skip
REFUSED = {"matrices", "matrix", "vectors", "mean", "squares"}
"""What wraps as it is written, too."""
TRUNCATED = {"multiply", "matmul", "sum_of_products"}
LOCAL = {"getitem", "transpose", "reshape", "broadcast_to"}


@pytest.mark.parametrize("name", SUMS)
def test_sums_of_products(name: str) -> None:
    function, expected = SUMS[name]
    program = tacit.trace(function, *BOUNDED)
    better = program.optimize()
    assert set(names(better)) - LOCAL == expected
    assert names(better).count("matmul") <= 1
    assert better.optimize() == better
    given = dict(zip((one.name for one in program.inputs), (X, Y), strict=False))
    exact = function(np.round(X / UNIT) * UNIT, np.round(Y / UNIT) * UNIT)
    for protocol in PROTOCOLS if name in ("mean", "three products", "matrices") else PROTOCOLS[:1]:
        with tacit.local(protocol, seed=4) as mpc:
            with mpc.measure() as before:
                expected_values = mpc.run(program, given)["output"]
            with mpc.measure() as after:
                found = mpc.run(better, given)["output"]
        assert found.shape == expected_values.shape
        # One truncation and, for means and public factors, the rounding of a factor.
        np.testing.assert_allclose(found, exact, atol=8 * UNIT)
        assert after.rounds <= before.rounds
        assert sum(after.bytes_sent.values()) < sum(before.bytes_sent.values())


def test_sums_of_few_products_each_are_added_element_by_element() -> None:
    spec = ArraySpec((5000, 2), owner="alice", bounds=(-2, 2))
    better = tacit.trace(lambda x: (x * x[::-1]).sum(axis=1), spec).optimize()
    assert set(names(better)) - LOCAL == {"sum_of_products"}
    x = RNG.uniform(-2, 2, (5000, 2))
    with tacit.local(seed=1) as mpc:
        found = mpc.run(better, {"x": x})["output"]
    np.testing.assert_allclose(found, (x * x[::-1]).sum(axis=1), atol=2e-4)


def test_integers_need_no_bounds() -> None:
    specs = [ArraySpec(SHAPE, tacit.int64, owner="alice")] * 2
    n = RNG.integers(-(2**40), 2**40, SHAPE)
    program = tacit.trace(lambda x, y: (x * y).sum(axis=1), *specs)
    better = program.optimize()
    assert set(names(better)) - LOCAL == {"matmul"}
    with tacit.local(seed=1) as mpc:
        found = mpc.run(better, {"x": n, "y": n})["output"]
    np.testing.assert_array_equal(found, (n * n).sum(axis=1))


@pytest.mark.parametrize("name", [name for name in SUMS if name != "three products"])
def test_what_is_not_shown_to_fit_stays(name: str) -> None:
    """Without bounds, and where every product fits but their sum before truncation does not."""
    function, _ = SUMS[name]
    for bounds in (None, (-5900, 5900)):
        specs = [ArraySpec(SHAPE, owner=owner, bounds=bounds) for owner in ("alice", "bob")]
        if bounds is not None and REFUSED & set(name.split()):
            with pytest.raises(RangeError):
                tacit.trace(function, *specs)
        elif bounds is None or "factor" not in name:
            program = tacit.trace(function, *specs)
            kept = [one for one in names(program.optimize()) if one in TRUNCATED]
            assert Counter(kept) == Counter(one for one in names(program) if one in TRUNCATED)


def test_a_sum_that_others_use_stays() -> None:
    def used(x: Any, y: Any) -> dict[str, Any]:
        products = x * y
        return {"sum": products.sum(axis=1), "largest": tacit.relu(products)}

    better = tacit.trace(used, *BOUNDED).optimize()
    assert names(better).count("multiply") == 1


def test_squares_stay_squares_for_what_follows() -> None:
    """A root that was shown to be of a positive number is so as the optimiser writes it."""

    def normed(x: Any, y: Any) -> Any:
        return x / tacit.sqrt((x * x).sum(axis=1, keepdims=True) + 1.0)

    program = tacit.trace(normed, *BOUNDED)
    better = program.optimize()
    assert "matmul" in names(better)
    assert len(better.check(strict=False).problems) <= len(program.check(strict=False).problems)


def test_what_would_be_refused_is_not_rewritten() -> None:
    """x (1 - x) summed is known to be small by its form, the product of matrices is not."""
    spec = ArraySpec((64,), owner="alice", bounds=(0, 16))

    def function(x: Any) -> Any:
        small = x * (1 / 16)
        return tacit.exp((small * (1 - small)).sum())

    program = tacit.trace(function, spec)
    problems = len(program.check(strict=False).problems)
    assert len(program.optimize().check(strict=False).problems) <= problems
