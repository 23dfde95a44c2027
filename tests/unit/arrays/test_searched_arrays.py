"""tacit.max, argmax, median, take and their relatives against NumPy, on arrays of every type."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
import pytest
from numpy.typing import NDArray

import tacit
from tacit import Computation
from tacit.errors import RangeError, ShapeError, TypeMismatchError
from tacit.protocols.interface import Rounding

RNG = np.random.default_rng(0)
ARRAYS: dict[str, NDArray[Any]] = {
    "fixed": RNG.normal(size=(4, 5, 6)).round(1),
    "int": RNG.integers(-3, 3, (4, 5)),
    "int8": RNG.integers(-100, 100, (3, 7)).astype(np.int8),
    "bool": RNG.integers(0, 2, (7, 9)).astype(bool),
    "one": np.ones(1),
    "no rows": np.zeros((0, 3)),
    "equal": np.full((3, 4), -2.5),
}


@pytest.fixture(scope="module")
def mpc() -> Iterator[Computation]:
    with tacit.local() as opened:
        yield opened


def axes_of(x: NDArray[Any]) -> list[Any]:
    return [1] if not x.size else [None, *range(-x.ndim, x.ndim)]


def close(found: Any, expected: Any, tolerance: float = 4e-6) -> None:
    values = found.reveal(to="all")
    assert values.shape == np.shape(expected)
    np.testing.assert_allclose(
        values.astype(float), np.asarray(expected).astype(float), atol=tolerance
    )


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("function", ["max", "min", "argmax", "argmin", "any", "all"])
@pytest.mark.parametrize("name", ARRAYS)
def test_reductions(mpc: Computation, name: str, function: str, keepdims: bool) -> None:
    x = ARRAYS[name]
    shared = mpc.share(x, owner="alice")
    for axis in axes_of(x):
        expected = getattr(np, function)(x, axis=axis, keepdims=keepdims)
        close(getattr(tacit, function)(shared, axis=axis, keepdims=keepdims), expected)
    found = getattr(np, function)(shared, axis=-1)
    close(found, getattr(np, function)(x, axis=-1))


@pytest.mark.parametrize("name", ARRAYS)
def test_several_axes_and_counts(mpc: Computation, name: str) -> None:
    x = ARRAYS[name]
    shared = mpc.share(x, owner="bob")
    close(tacit.count_nonzero(shared), np.count_nonzero(x))
    if x.ndim > 1 and x.size:
        close(tacit.max(shared, axis=(0, -1)), np.max(x, axis=(0, -1)))
        close(tacit.any(shared, axis=(0, 1)), np.any(x, axis=(0, 1)))


def test_any_and_all_of_nothing(mpc: Computation) -> None:
    shared = mpc.share(np.zeros((0, 3)), owner="bob")
    assert not tacit.any(shared).reveal(to="all")
    assert tacit.all(shared, axis=0).reveal(to="all").all()


@pytest.mark.parametrize("name", ["fixed", "int", "int8", "one", "equal"])
@pytest.mark.parametrize("q", [0.0, 0.3, [0, 0.25, 0.5, 1.0], []])
def test_order_statistics(mpc: Computation, name: str, q: Any) -> None:
    x = ARRAYS[name]
    shared = mpc.share(x, owner="carol")
    exact = x.astype(float)  # NumPy's own quantile of int8 wraps
    for axis in [*axes_of(x), *([(0, 1)] if x.ndim > 1 else [])]:
        close(tacit.median(shared, axis=axis), np.median(exact, axis=axis), 1.2e-5)
        expected = np.quantile(exact, q, axis=axis, keepdims=True)
        close(tacit.quantile(shared, q, axis=axis, keepdims=True), expected, 2e-4)


@pytest.mark.parametrize("largest", [True, False])
@pytest.mark.parametrize("k", [0, 1, 3])
def test_topk(mpc: Computation, k: int, largest: bool) -> None:
    x = ARRAYS["fixed"]
    shared = mpc.share(x, owner="alice")
    for axis in (-1, 0, 1):
        values, index = tacit.topk(shared, k, axis=axis, largest=largest)
        order = np.argsort(-x if largest else x, axis=axis, kind="stable")
        order = order.take(range(k), axis=axis)
        close(index, order)
        close(values, np.take_along_axis(x, order, axis))


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("secret", [(True, False), (False, True), (True, True)])
def test_searchsorted(mpc: Computation, side: Any, secret: tuple[bool, bool]) -> None:
    edges = np.sort(RNG.normal(size=5).round(1))
    x = np.concatenate([edges, RNG.normal(size=7).round(2)]).reshape(3, 4)
    operands: list[Any] = [
        mpc.share(v, owner="bob") if hidden else v
        for v, hidden in zip((edges, x), secret, strict=True)
    ]
    close(tacit.searchsorted(*operands, side=side), np.searchsorted(edges, x, side=side))


@pytest.mark.parametrize("values", [[1, 3, 3, 2.5], [], [7], [-1.5]])
def test_isin(mpc: Computation, values: list[float]) -> None:
    for x in (RNG.integers(-2, 5, (3, 4)), RNG.choice([-1.5, 1, 2.5, 3], (4, 5))):
        shared = mpc.share(x, owner="alice")
        close(tacit.isin(shared, values), np.isin(x, values))
        close(tacit.isin(shared, values, invert=True), np.isin(x, values, invert=True))


INDEX = RNG.integers(-2, 7, (3, 4))


def test_one_hot(mpc: Computation) -> None:
    shared = mpc.share(INDEX, owner="alice")
    close(tacit.one_hot(shared, 4), INDEX[..., None] == np.arange(4))
    close(tacit.one_hot(shared[0, 0], 4), INDEX[0, 0] == np.arange(4))


@pytest.mark.parametrize("secret", [True, False])
@pytest.mark.parametrize(
    "table",
    [
        RNG.normal(size=(5, 2, 3)).round(2),
        RNG.integers(-9, 9, (4, 4)),
        RNG.integers(0, 2, (4, 6)).astype(bool),
        np.ones((1, 2)),
    ],
    ids=["fixed", "int", "bool", "one row"],
)
def test_take_at_secret_positions(mpc: Computation, table: NDArray[Any], secret: bool) -> None:
    """Positions outside are limited to the axis, as nobody may learn that they are outside."""
    x: Any = mpc.share(table, owner="bob") if secret else table
    shared = mpc.share(INDEX, owner="alice")
    for axis in range(-table.ndim, table.ndim):
        inside = np.clip(INDEX, 0, table.shape[axis] - 1)
        close(tacit.take(x, shared, axis=axis), table.take(inside, axis=axis))
    inside = np.clip(INDEX, 0, table.size - 1)
    close(tacit.take(x, shared), table.ravel()[inside])
    inside = np.clip(INDEX, 0, table.shape[0] - 1)
    close(tacit.take(x, shared[1, 1], axis=0), table.take(inside[1, 1], axis=0))


def test_sorted_by_argsort(mpc: Computation) -> None:
    x = RNG.normal(size=30).round(1)
    shared = mpc.share(x, owner="alice")
    close(tacit.take(shared, tacit.argsort(shared)), np.sort(x))


def test_what_does_not_fit(mpc: Computation) -> None:
    x = mpc.share(np.zeros((0, 3)), owner="alice")
    n = mpc.share([1, 2], owner="alice")
    for function in (tacit.max, tacit.argmin, tacit.median):
        with pytest.raises(ShapeError, match="TC-1154"):
            function(x, axis=0)
    with pytest.raises(ShapeError, match="TC-1154"):
        tacit.take(x, n, axis=0)
    with pytest.raises(ShapeError, match="TC-1155"):
        tacit.topk(n, 3)
    with pytest.raises(ShapeError, match="TC-1156"):
        tacit.searchsorted(x, n)
    with pytest.raises(ShapeError, match="TC-1157"):
        tacit.one_hot(n, 0)
    with pytest.raises(RangeError, match="TC-1350"):
        tacit.quantile(n, 1.5)
    with pytest.raises(TypeMismatchError, match="TC-1252"):
        tacit.isin(n, n)
    with pytest.raises(TypeMismatchError, match="TC-1253"):
        tacit.take(n, mpc.share([0.5], owner="bob"))
    with pytest.raises(ValueError, match="side"):
        tacit.searchsorted(n, n, side="middle")  # type: ignore[arg-type]


@pytest.mark.processes
def test_between_processes() -> None:
    x = np.round(np.random.default_rng(1).normal(size=500), 1)
    with tacit.local(processes=True) as mpc:
        shared = mpc.share(x, owner="alice")
        close(tacit.median(shared), np.median(x))
        close(tacit.argmax(shared), np.argmax(x))
        close(tacit.topk(shared, 5)[1], np.argsort(-x, kind="stable")[:5])


@pytest.mark.parametrize("ring", [64, 128])
@pytest.mark.parametrize("rounding", ["probabilistic", "exact"])
def test_quantiles_between_far_apart_elements(ring: Literal[64, 128], rounding: Rounding) -> None:
    """Interpolation has room for every spread, with any fraction."""
    for low, high in ((-(2.0**42), 2.0**42), (-(2.0**26), 2.0**26), (-1.0, 1.0), (0.0, 2.0**-17)):
        values = np.array([low, high])
        with tacit.local(ring=ring, rounding=rounding) as mpc:
            x = mpc.share(values, owner="alice")
            for q in (0.3, 0.5, 1 / 3, 0.999999, 1.0):
                found = tacit.quantile(x, q).reveal(to="all")
                assert abs(found - np.quantile(values, q)) <= 2.0**-16 + 2.0**-29 * (high - low)


def test_quantiles_of_integers_far_apart() -> None:
    values = np.array([-(2**31), 2**31 - 1], np.int32)
    with tacit.local() as mpc:
        found = tacit.quantile(mpc.share(values, owner="alice"), 0.3).reveal(to="all")
    assert abs(found - np.quantile(values.astype(float), 0.3)) < 2.0**4
