"""tacit.sort and its relatives against NumPy, on arrays of every shape and type."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import tacit
from tacit import Computation
from tacit.errors import ShapeError, UsageError

RNG = np.random.default_rng(0)
ARRAYS: dict[str, NDArray[Any]] = {
    "fixed": RNG.normal(size=40).round(1),
    "int": RNG.integers(-3, 3, (4, 5, 6)),
    "bool": RNG.integers(0, 2, (7, 9)).astype(bool),
    "no elements": np.zeros((3, 0)),
    "no rows": np.zeros((0, 3)),
    "no bits": np.zeros((2, 0), bool),
    "one": np.ones(1),
    "equal": np.full((2, 5), 3),
    "many short rows": RNG.integers(-2, 2, (300, 4)),
}


@pytest.fixture(scope="module", params=[64, 128])
def mpc(request: pytest.FixtureRequest) -> Iterator[Computation]:
    with tacit.local(ring=request.param) as opened:
        yield opened


def expected_order(x: NDArray[Any], axis: int, descending: bool) -> NDArray[np.int64]:
    if descending:
        x = ~x if x.dtype == bool else -x
    return np.argsort(x, axis=axis, kind="stable")


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("name", ARRAYS)
def test_sort_and_argsort(mpc: Computation, name: str, descending: bool) -> None:
    x = ARRAYS[name]
    shared = mpc.share(x, owner="alice")
    for axis in range(-x.ndim, x.ndim):
        order = expected_order(x, axis, descending)
        found = tacit.sort(shared, axis=axis, descending=descending)
        assert found.dtype == shared.dtype
        values = found.reveal(to="all")
        np.testing.assert_allclose(
            values.astype(float), np.take_along_axis(x, order, axis).astype(float), atol=4e-6
        )
        index = tacit.argsort(shared, axis=axis, descending=descending)
        assert index.dtype == tacit.int64
        np.testing.assert_array_equal(index.reveal(to="all"), order)


@given(st.lists(st.floats(-1e6, 1e6).map(lambda v: round(v, 2)), max_size=30))
def test_any_numbers(mpc: Computation, x: list[float]) -> None:
    shared = mpc.share(np.array(x, float), owner="bob")
    np.testing.assert_allclose(tacit.sort(shared).reveal(to="all"), np.sort(x), atol=4e-6)


def test_numpys_functions(mpc: Computation) -> None:
    x = RNG.integers(-3, 3, (4, 5))
    shared = mpc.share(x, owner="carol")
    np.testing.assert_array_equal(np.sort(shared, axis=0).reveal(to="all"), np.sort(x, axis=0))  # type: ignore[attr-defined]
    found: Any = np.argsort(shared)
    np.testing.assert_array_equal(found.reveal(to="all"), np.argsort(x, kind="stable"))


KEYS = (RNG.integers(0, 3, 50), RNG.normal(size=50).round(0), RNG.integers(0, 2, 50).astype(bool))


@pytest.mark.parametrize("public", [(), (1,), (0, 2)])
def test_lexsort(mpc: Computation, public: tuple[int, ...]) -> None:
    shared = [k if i in public else mpc.share(k, owner="alice") for i, k in enumerate(KEYS)]
    found = tacit.lexsort(shared).reveal(to="all")
    np.testing.assert_array_equal(found, np.lexsort(KEYS))
    found = tacit.lexsort(shared, descending=(True, False, True)).reveal(to="all")
    np.testing.assert_array_equal(found, np.lexsort((-KEYS[0], KEYS[1], ~KEYS[2])))


def test_sort_by(mpc: Computation) -> None:
    a, b, c = KEYS
    table = RNG.normal(size=(50, 2, 3)).round(3)
    shared = [mpc.share(v, owner="bob") for v in (table, c, a)]
    keys = [mpc.share(c, owner="alice"), mpc.share(b, owner="carol")]
    order = np.lexsort((b, c))
    found = tacit.sort_by((*shared, a), keys)
    for got, wanted in zip(found, (table, c, a, a), strict=True):
        np.testing.assert_allclose(
            got.reveal(to="all").astype(float), wanted[order].astype(float), atol=4e-6
        )
    one = tacit.sort_by(shared[0], keys[1], descending=True)
    order = np.argsort(-b, kind="stable")
    np.testing.assert_allclose(one.reveal(to="all"), table[order], atol=4e-6)


@pytest.mark.parametrize("shape", [(0,), (1,), (0, 3), (3, 0), (4, 0, 2)])
def test_sort_by_of_nothing(mpc: Computation, shape: tuple[int, ...]) -> None:
    shared = mpc.share(np.zeros(shape), owner="bob")
    keys = mpc.share(np.zeros(shape[0], np.int64), owner="bob")
    assert tacit.sort_by(shared, keys).reveal(to="all").shape == shape


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("kind", [float, int, bool])
def test_shuffle(mpc: Computation, axis: int, kind: type) -> None:
    x = RNG.integers(0, 2 if kind is bool else 1000, (30, 40)).astype(kind)
    mixed = tacit.shuffle(mpc.share(x, owner="alice"), axis=axis).reveal(to="all")
    assert (mixed != x).any()

    def lines(a: NDArray[Any]) -> list[Any]:
        return sorted(np.moveaxis(a, axis, 0).reshape(a.shape[axis], -1).tolist())

    assert lines(mixed) == lines(x)


def test_known_bounds_save_comparisons(mpc: Computation) -> None:
    """One sign bit instead of three, and one round less a level; the order is the same."""
    x = np.round(np.random.default_rng(2).normal(size=2000), 2)
    costs = []
    for options in ({}, {"bounds": (-8.0, 8.0)}):
        shared = mpc.share(x, owner="alice", **options)  # type: ignore[arg-type]
        with mpc.measure() as cost:
            found = tacit.argsort(shared)
        np.testing.assert_array_equal(found.reveal(to="all"), np.argsort(x, kind="stable"))
        costs.append(cost)
    assert costs[1].total_bytes < 0.5 * costs[0].total_bytes
    assert costs[1].rounds < costs[0].rounds


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.int32])
def test_small_integers_to_their_ends(mpc: Computation, dtype: Any) -> None:
    ends = np.iinfo(dtype)
    x = np.array([ends.max, ends.min, 0, 1, ends.min, ends.max, 5], dtype)
    shared = mpc.share(x, owner="alice")
    np.testing.assert_array_equal(tacit.sort(shared).reveal(to="all"), np.sort(x))
    found = tacit.argsort(shared, descending=True).reveal(to="all")
    np.testing.assert_array_equal(found, np.argsort(-x.astype(int), kind="stable"))
    pair = tacit.lexsort((shared, mpc.share(x % 2, owner="bob"))).reveal(to="all")
    np.testing.assert_array_equal(pair, np.lexsort((x, x % 2)))


def test_wide_bounds_are_no_narrow_keys(mpc: Computation) -> None:
    edge = (1 << 61) - 1
    x = np.array([edge, -edge, 0, edge, -1])
    shared = mpc.share(x, owner="alice", bounds=(-edge, edge))
    np.testing.assert_array_equal(tacit.sort(shared).reveal(to="all"), np.sort(x))


def test_a_secret_random_permutation(mpc: Computation) -> None:
    found = tacit.shuffle(mpc.constant(np.arange(100))).reveal(to="all")
    assert sorted(found.tolist()) == list(range(100))
    assert (found != np.arange(100)).any()


def test_what_does_not_fit(mpc: Computation) -> None:
    x = mpc.share(np.arange(6).reshape(2, 3), owner="alice")
    with pytest.raises(ShapeError, match="TC-1112"):
        tacit.sort(x, axis=2)
    with pytest.raises(ShapeError, match="TC-1112"):
        tacit.argsort(mpc.share(3, owner="alice"))
    with pytest.raises(ShapeError, match="TC-1152"):
        tacit.lexsort((x, x))
    with pytest.raises(ShapeError, match="TC-1152"):
        tacit.lexsort((x[0], x[:, 0]))
    with pytest.raises(ShapeError, match="TC-1153"):
        tacit.sort_by(x, x[0])
    with pytest.raises(UsageError, match="TC-1052"):
        tacit.lexsort((x[0], x[1]), descending=(True,))


@pytest.mark.processes
def test_between_processes() -> None:
    x = np.round(np.random.default_rng(1).normal(size=3000), 1)
    with tacit.local(processes=True) as mpc:
        shared = mpc.share(x, owner="alice")
        np.testing.assert_allclose(tacit.sort(shared).reveal(to="all"), np.sort(x), atol=4e-6)
        np.testing.assert_array_equal(
            tacit.argsort(shared).reveal(to="all"), np.argsort(x, kind="stable")
        )
