"""Quotients, bits, shifts and whole numbers on secret arrays, against NumPy."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import tacit
from tacit import Computation
from tacit.encoding import INTEGERS
from tacit.errors import RangeError, TacitError, TypeMismatchError

NAMES = tuple(INTEGERS)
UNIT = 2.0**-18


@pytest.fixture(scope="module", params=[64, 128], ids=["Z_2^64", "Z_2^128"])
def mpc(request: pytest.FixtureRequest) -> Iterator[Computation]:
    with tacit.local("replicated3", ring=request.param, seed=4) as opened:
        yield opened


def edges(name: str) -> NDArray[Any]:
    info = np.iinfo(name)
    values = [0, 1, 2, 3, 7, 10, info.min, info.min + 1, info.max, info.max - 1, int(info.max) // 3]
    return np.array(values + ([-1, -2, -7, -10] if info.min < 0 else []), name)


def pairs(left: str, right: str) -> tuple[NDArray[Any], NDArray[Any]]:
    x, y = np.meshgrid(edges(left), edges(right))
    return x.reshape(-1), y.reshape(-1)


def revealed(x: Any) -> NDArray[Any]:
    return np.asarray(x.reveal(to="all"))


def same(found: NDArray[Any], expected: NDArray[Any]) -> None:
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("name", NAMES)
def test_quotients_by_public_divisors(mpc: Computation, name: str) -> None:
    x, y = pairs(name, name)
    x, y = x[y != 0], y[y != 0]
    if name == "int64" and mpc.session.ring.bits > 64:
        # There sums have more room than NumPy's, and quotients take 64 bits.
        x, y = (part[np.abs(x.astype(float)) < 2.0**61] for part in (x, y))
    a = mpc.share(x, owner="alice")
    with np.errstate(all="ignore"):
        same(revealed(a // y), x // y)
        same(revealed(a % y), x % y)
        quotient, remainder = divmod(a, y)
        same(revealed(quotient), x // y)
        same(revealed(remainder), x % y)
        same(revealed((a + a) // 7), (x + x) // np.array(7, name))
        same(revealed(a % 10), x % np.array(10, name))


@pytest.mark.parametrize("name", NAMES)
def test_quotients_by_secret_divisors(mpc: Computation, name: str) -> None:
    x, y = pairs(name, name)
    if name == "int64":
        keep = (np.abs(x.astype(float)) < 2.0**32) & (np.abs(y.astype(float)) < 2.0**32)
        x, y = x[keep], y[keep]
    a, b = mpc.share(x, owner="alice"), mpc.share(y, owner="bob")
    with np.errstate(all="ignore"):
        same(revealed(a // b), x // y)  # by 0 it is 0, as in NumPy
        found, expected = revealed(a % b), x % y
        same(found[y != 0], expected[y != 0])
        same(found[y == 0], x[y == 0])
        same(revealed(np.array(100, name) // b), np.array(100, name) // y)
        same(revealed(divmod(a, b)[0]), x // y)


BITWISE: tuple[Callable[[Any, Any], Any], ...] = (operator.and_, operator.or_, operator.xor)


@pytest.mark.parametrize(("left", "right"), [
    *((name, name) for name in NAMES), ("int8", "uint8"), ("int8", "int32"), ("uint16", "int16"),
    ("uint32", "int64"), ("uint8", "uint32"), ("int64", "uint8"),
])  # fmt: skip
def test_bits(mpc: Computation, left: str, right: str) -> None:
    x, y = pairs(left, right)
    a, b = mpc.share(x, owner="alice"), mpc.share(y, owner="bob")
    with np.errstate(all="ignore"):
        for combine in BITWISE:
            same(revealed(combine(a, b)), combine(x, y))
            same(revealed(combine(a, y)), combine(x, y))
            same(revealed(combine(x, b)), combine(x, y))
            same(revealed(combine(a + a, b)), combine(x + x, y))
            same(revealed(combine(a, 5)), combine(x, np.array(5, left)))
        same(revealed(~a), ~x)
        same(revealed(~(a + a)), ~(x + x))
        if left != "int64":  # the difference of its extremes wraps
            np.testing.assert_array_equal(revealed(~a > 2), ~x > 2)


@pytest.mark.parametrize("name", NAMES)
def test_shifts(mpc: Computation, name: str) -> None:
    bits = np.iinfo(name).bits
    x = edges(name)
    if name == "int64" and mpc.session.ring.bits > 64:
        x = x[np.abs(x.astype(float)) < 2.0**61]
    a = mpc.share(x, owner="alice")
    amounts = np.arange(x.size, dtype=name) % bits
    with np.errstate(all="ignore"):
        for k in (0, 1, bits // 2, bits - 1):
            same(revealed(a << k), x << np.array(k, name))
            same(revealed(a >> k), x >> np.array(k, name))
            same(revealed((a + a) >> k), (x + x) >> np.array(k, name))
        same(revealed(a << amounts), x << amounts)
        same(revealed(a >> amounts), x >> amounts)
        same(revealed(a << mpc.share(amounts, owner="bob")), x << amounts)
        same(revealed(x << mpc.share(amounts, owner="bob")), x << amounts)
        np.testing.assert_array_equal(revealed((a << 1) > 5), (x << np.array(1, name)) > 5)
        # Beyond the width: 0, or -1 for a negative number shifted right, as NumPy has it.
        same(revealed(a << 100), x << np.array(100, name))
        same(revealed(a >> 100), x >> np.array(100, name))


def test_whole_numbers(mpc: Computation) -> None:
    x = np.array([0, UNIT, -UNIT, 0.5, -0.5, 1.5, -1.5, 2.5, -2.5, 0.5 + UNIT, 0.5 - UNIT, 7,
                  -7, 2.0**40 + 0.5, -(2.0**40) - 0.5, 1 - UNIT, UNIT - 1])  # fmt: skip
    a, n = mpc.share(x, owner="alice"), mpc.share(np.arange(-2, 3), owner="bob")
    for ours, numpy in (
        (tacit.floor, np.floor), (tacit.ceil, np.ceil), (tacit.trunc, np.trunc),
        (tacit.round, np.rint),
    ):  # fmt: skip
        same(revealed(ours(a)), numpy(x))
        same(revealed(numpy(a)), numpy(x))
        same(revealed(ours(n)), np.arange(-2, 3))
        assert revealed(ours(a[3])).shape == ()


def test_quotients_of_fixed_point(mpc: Computation) -> None:
    rng = np.random.default_rng(2)
    x = np.round(rng.uniform(-9000, 9000, 400) / UNIT) * UNIT
    y = np.round(rng.uniform(-90, 90, 400) / UNIT) * UNIT
    y[:5] = [UNIT, -UNIT, 1, -1, 0.5]
    x[:5] = [5 * UNIT, 5 * UNIT, 3, 3.25, -0.75]
    a, b = mpc.share(x, owner="alice"), mpc.share(y, owner="bob")
    for divisor in (y, b):
        same(revealed(a // divisor), x // y)
        same(revealed(a % divisor), x % y)
    same(revealed(a // 0.75), x // 0.75)
    same(revealed(a % 3), x % 3)
    large = mpc.share(np.array([2.0**42, -(2.0**42)]), owner="alice")
    same(revealed(large % 1000.5), np.array([2.0**42, -(2.0**42)]) % 1000.5)
    n = mpc.share(np.arange(-5, 6), owner="bob")
    same(revealed(n // 1.5), np.arange(-5, 6) // 1.5)


@pytest.mark.parametrize("rounding", ["probabilistic", "exact", "nearest"])
def test_all_modes_give_the_same(rounding: Any) -> None:
    with tacit.local("replicated3", rounding=rounding) as mpc:
        x = np.array([-7.5, -1.25, 0.5, 2.5, 1000.125])
        a, b = mpc.share(x, owner="alice"), mpc.share(np.full(5, 1.75), owner="bob")
        for found, expected in (
            (tacit.round(a), np.rint(x)), (a // b, x // 1.75), (a % 1.75, x % 1.75),
            (a.astype(tacit.int32), x.astype(np.int32)),
        ):  # fmt: skip
            same(revealed(found), expected)


@pytest.mark.parametrize("name", ["int8", "uint8", "int16", "uint32", "int64"])
def test_right_shifts_by_secret_amounts(mpc: Computation, name: str) -> None:
    dtype = np.dtype(name)
    info = np.iinfo(dtype)
    values = np.array([info.min, info.max, 0, 1, info.max // 3, info.min // 3], dtype)[:, None]
    amounts = np.array([0, 1, 2, 5, min(info.bits, 64) - 1], dtype)
    x, k = mpc.share(values, owner="alice"), mpc.share(amounts, owner="bob")
    for left in (x, values):
        found = left >> k
        assert found.dtype.numpy == dtype
        np.testing.assert_array_equal(found.reveal(to="all"), values >> amounts)
    # All is shifted out; the sign stays.
    far = mpc.share(np.array([63], np.int64), owner="carol")
    np.testing.assert_array_equal((x >> far).reveal(to="all"), values.astype(np.int64) >> 63)


def test_what_is_refused(mpc: Computation) -> None:
    x, n = mpc.share([1.5], owner="alice"), mpc.share([3], owner="bob")
    b = mpc.share([True], owner="carol")
    wrong: list[tuple[Callable[[], Any], type[TacitError], str]] = [
        (lambda: n // 0, RangeError, "TC-1311"),
        (lambda: x % np.array([0.0]), RangeError, "TC-1311"),
        (lambda: x // 1e-9, RangeError, "TC-1311"),
        (lambda: x // np.nan, RangeError, "TC-1301"),
        (lambda: n << -1, RangeError, "TC-1372"),
        (lambda: n >> -1, RangeError, "TC-1372"),
        (lambda: x << 1, TypeMismatchError, "TC-1270"),
        (lambda: n >> (n > 1), TypeMismatchError, "TC-1270"),
        (lambda: n & b, TypeMismatchError, "TC-1212"),
        (lambda: x & 1, TypeMismatchError, "TC-1212"),
        (lambda: b // 2, TypeMismatchError, "TC-1210"),
        (lambda: tacit.floor(b), TypeMismatchError, "TC-1210"),
    ]
    for call, kind, code in wrong:
        with pytest.raises(kind) as caught:
            call()
        assert caught.value.code == code
        assert caught.value.next_step


def test_shapes(mpc: Computation) -> None:
    x = np.arange(12).reshape(3, 4)
    a = mpc.share(x, owner="alice")
    d = np.array([1, 2, 5, 100])
    same(revealed(a // d), x // d)
    same(revealed(a % d[:3, None]), x % d[:3, None])
    same(revealed(a[0, 1] % 3), np.asarray(x[0, 1] % 3))
    same(revealed(a[:0] // 3), x[:0] // 3)
    same(revealed(a[:0] & a[:0]), x[:0])
    same(revealed(a >> np.array([[0], [1], [2]])), x >> np.array([[0], [1], [2]]))
    same(revealed(a & mpc.share(x[0], owner="bob")), x & x[0])
