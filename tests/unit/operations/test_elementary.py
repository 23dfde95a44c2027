"""Elementary functions as operations: types, shapes, values, and what is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import special
from scipy.special import erf

import tacit
from tacit import Computation, SecretArray
from tacit.encoding import fixed_point
from tacit.errors import TacitError
from tacit.functions import ACCURACY

POINTS = np.array([[0.25, 0.5, 0.75], [1.0, 1.5, 2.5]])

OF_ONE: dict[str, Callable[[Any], Any]] = {
    "expm1": np.expm1,
    "log1p": np.log1p,
    "log2": np.log2,
    "log10": np.log10,
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "sinh": np.sinh,
    "cosh": np.cosh,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "arctan": np.arctan,
    "erf": erf,
    "softplus": lambda x: np.logaddexp(0, x),
    "silu": lambda x: x / (1 + np.exp(-x)),
    "gelu": lambda x: x * (1 + erf(x / np.sqrt(2))) / 2,
    "elu": lambda x: x,
    "leaky_relu": lambda x: x,
}
SHORT = {"arctan": "atan", "arcsin": "asin", "arccos": "acos", "arctan2": "atan2"}
"""NumPy's names of what the standard and the table of errors call otherwise."""


@pytest.fixture(scope="module", params=[64, 128])
def mpc(request: pytest.FixtureRequest) -> Iterator[Computation]:
    with tacit.local("replicated3", ring=request.param) as computation:
        yield computation


def within(name: str, found: SecretArray, expected: NDArray[np.float64], slope: float = 8) -> None:
    """The stated bound, and what rounding the input adds."""
    assert found.shape == expected.shape
    f = found.dtype.fraction_bits
    error = ACCURACY[SHORT.get(name, name)].bound(expected, f) + slope * 2.0**-f
    assert (np.abs(found.reveal(to="all") - expected) <= error).all()


@pytest.mark.parametrize("name", OF_ONE)
def test_functions_of_one_number(mpc: Computation, name: str) -> None:
    function = getattr(tacit, name)
    for dtype in (tacit.fixed, fixed_point(22)):
        found = function(mpc.share(POINTS, owner="alice", dtype=dtype))
        assert found.dtype == dtype
        within(name, found, OF_ONE[name](POINTS))
    scalar = function(mpc.share(np.array(2), owner="bob"))
    assert scalar.dtype == tacit.fixed
    within(name, scalar, np.asarray(OF_ONE[name](2.0)))


@pytest.mark.parametrize("name", [n for n in OF_ONE if hasattr(np, n)])
def test_numpy_calls_them(mpc: Computation, name: str) -> None:
    found = getattr(np, name)(mpc.share(POINTS, owner="alice"))
    assert isinstance(found, SecretArray)
    within(name, found, OF_ONE[name](POINTS))


def test_arc_functions(mpc: Computation) -> None:
    inside = np.array([-1.0, -0.5, 0.0, 0.25, 1.0])
    x = mpc.share(inside, owner="alice")
    for name in ("arcsin", "arccos"):
        expected = getattr(np, name)(inside)
        within(name, getattr(np, name)(x), expected)
        within(name, getattr(tacit, SHORT[name])(x), expected)
    y = np.array([[2.0], [-0.5], [0.0]])
    for found in (np.arctan2(y, x), tacit.atan2(mpc.share(y, owner="bob"), inside)):
        within("atan2", found, np.arctan2(y, inside))
    within("logaddexp", np.logaddexp(x, y), np.logaddexp(inside, y))


@pytest.mark.parametrize("factor", [0.0, 0.01, 0.2, 1.0, 3.0])
def test_public_factors_below_zero(mpc: Computation, factor: float) -> None:
    values = np.array([-30.0, -4.0, -1.0, -0.25, 0.0, 0.5, 20.0])
    x = mpc.share(values, owner="alice")
    expected = np.where(values < 0, factor * np.expm1(np.minimum(values, 0)), values)
    found = tacit.elu(x, alpha=factor).reveal(to="all")
    assert np.abs(found - expected).max() <= max(1.0, factor) * 2e-4 + 2.0**-17
    found = tacit.leaky_relu(x, negative_slope=factor).reveal(to="all")
    np.testing.assert_allclose(found, np.where(values < 0, factor * values, values), atol=1e-4)


def test_softmax_along_any_axis(mpc: Computation) -> None:
    values = np.random.default_rng(4).normal(size=(3, 4, 2)) * 4
    x = mpc.share(values, owner="alice")
    for axis in (0, 1, 2, -1, -3):
        within("softmax", tacit.softmax(x, axis=axis), special.softmax(values, axis=axis))
        found = tacit.log_softmax(x, axis=axis)
        within("log_softmax", found, special.log_softmax(values, axis=axis))
    for axes in (None, 0, (2, 0), (0, 1, 2)):
        for keepdims in (False, True):
            found = tacit.logsumexp(x, axis=axes, keepdims=keepdims)
            expected = special.logsumexp(values, axis=axes, keepdims=keepdims)
            within("logsumexp", found, np.asarray(expected))


def test_hypot_of_secret_and_public(mpc: Computation) -> None:
    x, y = mpc.share(POINTS, owner="alice"), np.array([[3.0], [-4.0]])
    for found in (tacit.hypot(x, y), np.hypot(y, x)):
        within("hypot", found, np.hypot(POINTS, y))


def test_square_keeps_the_type(mpc: Computation) -> None:
    whole = np.array([-3, 0, 5])
    assert np.square(mpc.share(whole, owner="alice")).dtype == tacit.int64
    np.testing.assert_array_equal(
        tacit.square(mpc.share(whole, owner="alice")).reveal(to="all"), whole**2
    )
    squares = tacit.square(mpc.share(POINTS, owner="alice")).reveal(to="all")
    np.testing.assert_allclose(squares, POINTS**2, rtol=0, atol=2.0**-17)


def test_powers_of_integers_stay_integers(mpc: Computation) -> None:
    values = np.array([[-2, 0, 3], [1, 5, -7]])
    x = mpc.share(values, owner="alice")
    for exponent in (0, 1, 2, 5, np.array([[3], [2]]), np.array([0, 1, 4])):
        found = x**exponent
        assert found.dtype == tacit.int64
        np.testing.assert_array_equal(found.reveal(to="all"), values**exponent)
    half = x.astype(tacit.fixed) ** 0.5
    assert half.dtype == (mpc.share(values**2, owner="bob") ** 0.5).dtype == tacit.fixed


def test_powers_of_fixed_point(mpc: Computation) -> None:
    signed = np.array([[-1.5, 0.25, 2.0], [1.0, -0.5, 3.0]])
    x = mpc.share(signed, owner="alice")
    for exponent in (0, 2, 3.0, np.array([1.0, 2.0, 3.0]), -2):
        found = np.power(x, exponent)
        expected = signed ** np.asarray(exponent, np.float64)
        np.testing.assert_allclose(found.reveal(to="all"), expected, rtol=1e-3, atol=1e-4)
    positive = mpc.share(POINTS, owner="bob")
    for exponent in (0.5, -1.5, np.array([0.5, 1.0, 2.5])):
        within("power", positive**exponent, POINTS**exponent)
    within("power", tacit.pow(positive, mpc.share(signed, owner="alice")), POINTS**signed)
    within("power", positive ** mpc.share(np.array(2), owner="alice"), POINTS**2)
    within("power", 2.5**x, 2.5**signed)
    within("power", np.float_power(np.array([[2], [3]]), x), np.array([[2.0], [3.0]]) ** signed)


def test_what_powers_refuse(mpc: Computation) -> None:
    n = mpc.share(np.array([1, 2]), owner="alice")
    x = mpc.share(np.array([1.0, 2.0]), owner="alice")
    b = mpc.share(np.array([True, False]), owner="alice")
    coarse = mpc.share(np.array([1.0, 2.0]), owner="alice", dtype=fixed_point(4))
    refused: list[tuple[Callable[[], Any], str]] = [
        (lambda: n**-1, "TC-1342"),
        (lambda: x**2000, "TC-1340"),
        (lambda: x ** np.array([1.0, np.nan]), "TC-1340"),
        (lambda: (-2.0) ** x, "TC-1341"),
        (lambda: 0**x, "TC-1341"),
        (lambda: b**2, "TC-1210"),
        (lambda: coarse**2, "TC-1303"),
        (lambda: x ** np.ones(3), "TC-1110"),
    ]
    for call, code in refused:
        with pytest.raises(TacitError) as caught:
            call()
        assert caught.value.code == code
