"""Secret arrays against NumPy on the same numbers, within the documented error."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

import tacit
from tacit import Computation, SecretArray
from tacit.errors import RangeError
from tacit.functions import ACCURACY

UNIT = 2.0**-18
"""One unit in the last place of tacit.fixed; sharing rounds by half of it."""

FLOATS = st.floats(-100, 100, allow_nan=False, width=32)
INTEGERS = st.integers(-(2**40), 2**40)

COMPARISONS = [operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge]


@pytest.fixture(scope="module", params=[64, 128])
def mpc(request: pytest.FixtureRequest) -> Iterator[Computation]:
    with tacit.local("replicated3", ring=request.param) as computation:
        yield computation


def on_grid(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The numbers that tacit.fixed holds instead."""
    return np.asarray(np.rint(values * 2.0**18) * UNIT)


@st.composite
def pairs(draw: st.DrawFn, elements: Any, dtype: Any) -> tuple[NDArray[Any], NDArray[Any]]:
    """Two arrays whose shapes broadcast, the empty and the zero-dimensional included."""
    shapes = draw(hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=4,
                                                    min_side=0))  # fmt: skip
    left, right = (draw(hnp.arrays(dtype, shape, elements=elements))
                   for shape in shapes.input_shapes)  # fmt: skip
    return left, right


class Side:
    """How an operand is given: secret, or public on one side."""

    BOTH, LEFT, RIGHT = "both", "left", "right"


def given_as(mpc: Computation, side: str, x: Any, y: Any) -> tuple[Any, Any]:
    left = x if side == Side.RIGHT else mpc.share(x, owner="alice")
    right = y if side == Side.LEFT else mpc.share(y, owner="bob")
    return left, right


SIDES = st.sampled_from([Side.BOTH, Side.LEFT, Side.RIGHT])


@given(pairs(FLOATS, np.float64), SIDES, st.sampled_from(["add", "subtract", "multiply"]))
def test_fixed_arithmetic(
    mpc: Computation, values: tuple[NDArray[Any], NDArray[Any]], side: str, name: str
) -> None:
    x, y = values
    function: Callable[[Any, Any], Any] = getattr(operator, {"add": "add", "subtract": "sub",
                                                            "multiply": "mul"}[name])  # fmt: skip
    result = function(*given_as(mpc, side, x, y))
    assert isinstance(result, SecretArray)
    found, expected = result.reveal(to="all"), np.asarray(function(x, y))
    error = UNIT if name != "multiply" else 1.1 * UNIT + (np.abs(x) + np.abs(y)) * 0.5 * UNIT
    assert found.shape == expected.shape
    assert (np.abs(found - expected) <= error).all()


@given(
    pairs(INTEGERS, np.int64), SIDES, st.sampled_from([operator.add, operator.sub, operator.mul])
)
def test_integer_arithmetic_is_exact_and_wraps(
    mpc: Computation, values: tuple[NDArray[Any], NDArray[Any]], side: str, function: Any
) -> None:
    x, y = values
    found = function(*given_as(mpc, side, x, y)).reveal(to="all")
    with np.errstate(over="ignore"):
        expected = np.asarray(function(x, y))
    assert found.dtype == np.int64
    np.testing.assert_array_equal(found, expected)


@given(pairs(st.integers(-50, 50), np.int64), SIDES)
def test_integers_meet_fixed_point(
    mpc: Computation, values: tuple[NDArray[Any], NDArray[Any]], side: str
) -> None:
    x, y = values[0], values[1] / 8
    left, right = given_as(mpc, side, x, y)
    for function in (operator.add, operator.mul):
        found = function(left, right).reveal(to="all")
        np.testing.assert_allclose(found, function(x, y), rtol=0, atol=1e-3)


@given(pairs(st.integers(-5, 5).map(lambda n: n / 4), np.float64), SIDES,
       st.sampled_from(COMPARISONS))  # fmt: skip
def test_comparisons_are_exact(
    mpc: Computation, values: tuple[NDArray[Any], NDArray[Any]], side: str, compare: Any
) -> None:
    x, y = values
    found = compare(*given_as(mpc, side, x, y)).reveal(to="all")
    assert found.dtype == np.bool_
    np.testing.assert_array_equal(found, compare(x, y))


@given(pairs(st.integers(-3, 3), np.int64), st.booleans(), st.sampled_from(COMPARISONS))
def test_integers_compare_with_public_fractions_exactly(
    mpc: Computation, values: tuple[NDArray[Any], NDArray[Any]], left: bool, compare: Any
) -> None:
    x, y = values[0], values[1] / 2
    secret = mpc.share(x, owner="carol")
    found = (compare(secret, y) if left else compare(y, secret)).reveal(to="all")
    np.testing.assert_array_equal(found, compare(x, y) if left else compare(y, x))


@given(
    pairs(st.booleans(), np.bool_),
    SIDES,
    st.sampled_from([operator.and_, operator.or_, operator.xor, operator.eq, operator.ne]),
)
def test_booleans(
    mpc: Computation, values: tuple[NDArray[Any], NDArray[Any]], side: str, function: Any
) -> None:
    x, y = values
    found = function(*given_as(mpc, side, x, y)).reveal(to="all")
    np.testing.assert_array_equal(found, function(x, y))
    np.testing.assert_array_equal((~mpc.share(x, owner="bob")).reveal(to="all"), ~x)


@given(pairs(FLOATS, np.float64), st.sampled_from(["where", "maximum", "minimum"]))
def test_choosing_is_exact(
    mpc: Computation, values: tuple[NDArray[Any], NDArray[Any]], name: str
) -> None:
    x, y = map(on_grid, values)
    left, right = given_as(mpc, Side.BOTH, x, y)
    if name == "where":
        found, expected = tacit.where(left < right, left, 2.0), np.where(x < y, x, 2.0)
        np.testing.assert_array_equal(
            tacit.where(x < y, right, left).reveal(to="all"), np.where(x < y, y, x)
        )
    else:
        found, expected = getattr(tacit, name)(left, right), getattr(np, name)(x, y)
    np.testing.assert_array_equal(found.reveal(to="all"), expected)


@given(hnp.arrays(np.float64, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
                  elements=FLOATS))  # fmt: skip
def test_one_operand(mpc: Computation, values: NDArray[np.float64]) -> None:
    x = on_grid(values)
    secret = mpc.share(x, owner="alice")
    exact = {"negative": -x, "abs": np.abs(x), "relu": np.maximum(x, 0)}
    for name, expected in exact.items():
        np.testing.assert_array_equal(getattr(tacit, name)(secret).reveal(to="all"), expected)
    for found, expected in [
        (secret.sum(), x.sum()), (secret.T, x.T), (secret.reshape(-1), x.reshape(-1)),
        (secret == x, np.ones(x.shape, bool)), ((secret > 0).sum(), (x > 0).sum()),
        (secret.astype(tacit.fixed_point(30)), x), (tacit.stack([secret, -x]), np.stack([x, -x])),
    ]:  # fmt: skip
        opened = found.reveal(to="all")
        assert opened.shape == np.shape(expected)
        np.testing.assert_array_equal(opened, expected)


@given(hnp.arrays(np.float64, hnp.array_shapes(min_dims=1, max_dims=3, max_side=9),
                  elements=FLOATS), st.data())  # fmt: skip
def test_reductions(mpc: Computation, x: NDArray[np.float64], data: st.DataObject) -> None:
    axes = st.none() | st.integers(-x.ndim, x.ndim - 1)
    axis, keepdims = data.draw(axes), data.draw(st.booleans())
    secret = mpc.share(x, owner="alice")
    total = secret.sum(axis=axis, keepdims=keepdims).reveal(to="all")
    mean = secret.mean(axis=axis, keepdims=keepdims).reveal(to="all")
    expected = x.sum(axis=axis, keepdims=keepdims)
    assert total.shape == mean.shape == expected.shape
    assert (np.abs(total - expected) <= x.size * UNIT).all()
    expected = x.mean(axis=axis, keepdims=keepdims)
    assert (np.abs(mean - expected) <= 3 * UNIT + np.abs(expected) * 2.0**-18).all()


@given(st.integers(0, 4), st.integers(0, 4), st.integers(0, 4), st.booleans(), st.booleans(), SIDES)
def test_matrix_products(
    mpc: Computation, m: int, k: int, n: int, row: bool, column: bool, side: str
) -> None:
    rng = np.random.default_rng([m, k, n])
    x = rng.uniform(-10, 10, (k,) if row else (m, k))
    y = rng.uniform(-10, 10, (k,) if column else (k, n))
    left, right = given_as(mpc, side, x, y)
    found, expected = (left @ right).reveal(to="all"), np.asarray(x @ y)
    assert found.shape == expected.shape
    assert (np.abs(found - expected) <= (1.1 + 10 * k) * UNIT).all()


def test_batched_matrix_products(mpc: Computation) -> None:
    rng = np.random.default_rng(7)
    x, y = rng.uniform(-3, 3, (5, 1, 2, 3)), rng.uniform(-3, 3, (4, 3, 2))
    for side in (Side.BOTH, Side.LEFT, Side.RIGHT):
        left, right = given_as(mpc, side, x, y)
        np.testing.assert_allclose((left @ right).reveal(to="all"), x @ y, rtol=0, atol=1e-4)


@given(hnp.arrays(np.float64, hnp.array_shapes(min_dims=1, max_dims=4, max_side=4),
                  elements=FLOATS), st.data())  # fmt: skip
def test_indexing(mpc: Computation, values: NDArray[np.float64], data: st.DataObject) -> None:
    x = on_grid(values)
    key = data.draw(
        hnp.basic_indices(x.shape, allow_newaxis=True)
        | hnp.integer_array_indices(x.shape)
        | hnp.arrays(np.bool_, x.shape)
    )
    secret = mpc.share(x, owner="alice")
    np.testing.assert_array_equal(secret[key].reveal(to="all"), x[key])
    np.testing.assert_array_equal((secret > 0)[key].reveal(to="all"), (x > 0)[key])
    joined = tacit.concatenate([secret, x, secret], axis=-1).reveal(to="all")
    np.testing.assert_array_equal(joined, np.concatenate([x, x, x], axis=-1))


@pytest.mark.parametrize("divisor", [3.0, 8.0, -0.7, 1000.0, 1e6, 7])
def test_division_by_a_public_number(mpc: Computation, divisor: float) -> None:
    x = np.linspace(-5000, 5000, 101)
    found = (mpc.share(x, owner="alice") / divisor).reveal(to="all")
    bound = 2 * UNIT + np.abs(x / divisor) * 2.0**-18 + UNIT / abs(divisor)
    assert (np.abs(found - x / divisor) <= bound).all()
    whole = np.arange(-40, 40)
    found = (mpc.share(whole, owner="alice") / divisor).reveal(to="all")
    assert (np.abs(found - whole / divisor) <= 2 * UNIT + np.abs(whole / divisor) * 2.0**-18).all()


@pytest.mark.parametrize("count", [1, 2, 3, 7, 1000, 100_003])
def test_the_mean_of_many_large_numbers_keeps_its_headroom(mpc: Computation, count: int) -> None:
    x = np.random.default_rng(count).uniform(1e6, 4e6, count)
    found = mpc.share(x, owner="alice").mean().reveal(to="all")
    assert abs(found - x.mean()) <= 3 * UNIT + x.mean() * 2.0**-18


def test_secret_booleans_choose_numbers(mpc: Computation) -> None:
    x, mask = np.array([1.5, -2.0, 3.0]), np.array([[True], [False]])
    secret, chosen = mpc.share(x, owner="alice"), mpc.share(mask, owner="bob")
    np.testing.assert_array_equal((secret * chosen).reveal(to="all"), x * mask)
    np.testing.assert_array_equal((chosen * x).reveal(to="all"), x * mask)
    np.testing.assert_array_equal((5 * chosen).reveal(to="all"), 5 * mask)
    assert (5 * chosen).dtype == tacit.int64
    assert chosen.mean().reveal(to="all") == 0.5


def test_types_and_fraction_bits(mpc: Computation) -> None:
    fine = mpc.share([0.1, 0.2], owner="alice", dtype=tacit.fixed_point(26))
    coarse = mpc.share([1.25, -3.0], owner="bob", dtype=tacit.fixed_point(8))
    assert (fine + coarse).dtype == tacit.fixed_point(26)
    assert (fine * coarse).dtype == tacit.fixed_point(8)
    np.testing.assert_allclose((fine + coarse).reveal(to="all"), [1.35, -2.8], atol=2**-26)
    np.testing.assert_allclose((fine * coarse).reveal(to="all"), [0.125, -0.6], atol=2**-7)
    np.testing.assert_array_equal((coarse > fine).reveal(to="all"), [True, False])
    narrowed = fine.astype(tacit.fixed)
    assert narrowed.dtype == tacit.fixed
    np.testing.assert_allclose(narrowed.reveal(to="all"), [0.1, 0.2], atol=2**-17)


def test_constants_are_secret_arrays(mpc: Computation) -> None:
    weights = mpc.constant(np.zeros((2, 2)))
    assert weights.dtype == tacit.fixed
    np.testing.assert_array_equal((weights + 1.5).reveal(to="all"), np.full((2, 2), 1.5))
    assert mpc.constant(3, dtype=tacit.fixed_point(4)).reveal(to="all") == 3.0
    assert mpc.constant([True]).reveal(to="all").tolist() == [True]


@pytest.mark.parametrize("name", ["exp", "log", "sqrt", "reciprocal", "sigmoid", "tanh"])
def test_functions_keep_what_they_promise(mpc: Computation, name: str) -> None:
    positive = name in ("log", "sqrt", "reciprocal")
    x = on_grid(np.linspace(0.05 if positive else -6, 12, 301))
    expected = {"reciprocal": lambda v: 1 / v, "sigmoid": lambda v: 1 / (1 + np.exp(-v))}.get(
        name, getattr(np, name, None)
    )(x)
    found = getattr(tacit, name)(mpc.share(x, owner="alice")).reveal(to="all")
    assert (np.abs(found - expected) <= ACCURACY[name].bound(expected, 18)).all()
    whole = getattr(tacit, name)(mpc.share(2, owner="alice")).reveal(to="all")
    np.testing.assert_allclose(whole, getattr(tacit, name)(mpc.share(2.0, owner="bob"))
                               .reveal(to="all"), atol=1e-3)  # fmt: skip


def test_division_by_secrets(mpc: Computation) -> None:
    x, y = np.linspace(-50, 50, 41), on_grid(np.linspace(0.25, 30, 41))
    divisor = mpc.share(y, owner="bob")
    for dividend, plain in [
        (mpc.share(x, owner="alice"), x),
        (x, x),
        (1.0, np.float64(1.0)),
        (mpc.share(3, owner="alice"), np.float64(3.0)),
    ]:
        found = (dividend / divisor).reveal(to="all")
        bound = ACCURACY["divide"].bound(plain / y, 18) + UNIT / y
        assert (np.abs(found - plain / y) <= bound).all()


def test_functions_refuse_types_that_they_cannot_serve(mpc: Computation) -> None:
    coarse = mpc.share([1.0], owner="alice", dtype=tacit.fixed_point(4))
    rounds = mpc.total_cost.rounds
    for use in (lambda: tacit.exp(coarse), lambda: coarse / coarse, lambda: 1 / coarse):
        with pytest.raises(RangeError):
            use()
    assert mpc.total_cost.rounds == rounds
    np.testing.assert_allclose((coarse / 2).reveal(to="all"), [0.5], atol=2**-4)
