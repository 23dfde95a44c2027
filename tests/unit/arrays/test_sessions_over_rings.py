"""Sessions over both rings and with other fractional bits than 18."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tacit
from tacit import Computation
from tacit.encoding import DType
from tacit.errors import RangeError, TypeMismatchError, UsageError
from tacit.functions.accuracy import ACCURACY, FINE

RNG = np.random.default_rng(8)
X, Y = RNG.uniform(-8, 8, (6, 5)), RNG.uniform(-8, 8, (5, 4))
MANY_BITS = pytest.mark.parametrize("bits", [12, 18, 24, 40, 51, 52, 64, 80, 100])


def opened(array: Any) -> Any:
    return array.reveal(to="all")


def test_what_a_computation_says_about_itself() -> None:
    with tacit.local() as mpc:
        assert (mpc.ring, mpc.fixed) == (64, tacit.fixed)
        assert "128" not in repr(mpc)
    with tacit.local(ring=128, fraction_bits=40) as mpc:
        assert (mpc.ring, mpc.fixed) == (128, tacit.fixed_point(40))
        assert "128 bits" in repr(mpc)
        assert mpc.share([0.5], owner="alice").dtype == mpc.fixed
        assert mpc.constant([0.5]).dtype == mpc.fixed
        assert mpc.constant([1]).dtype == tacit.int64
        assert mpc.constant([1], dtype=tacit.fixed).dtype == tacit.fixed


@pytest.mark.parametrize(
    ("arguments", "error", "code"),
    [
        ({"ring": 96}, UsageError, "TC-1090"),
        ({"fraction_bits": 41}, RangeError, "TC-1303"),
        ({"fraction_bits": 0}, RangeError, "TC-1303"),
        ({"ring": 128, "fraction_bits": 101}, RangeError, "TC-1303"),
    ],
)
def test_what_no_session_can_be(arguments: dict[str, Any], error: Any, code: str) -> None:
    for processes in (False, True):
        with pytest.raises(error) as caught:
            tacit.local(processes=processes, **arguments)
        assert caught.value.code == code


def test_fixed_point_too_fine_for_the_ring_is_refused_where_it_is_used() -> None:
    fine = tacit.fixed_point(60)
    with tacit.local() as mpc:
        x = mpc.share([0.5], owner="alice")
        for use in (
            lambda: mpc.share([0.5], owner="alice", dtype=fine),
            lambda: mpc.constant([0.5], dtype=fine),
            lambda: x.astype(fine),
        ):
            with pytest.raises(RangeError, match="ring=128") as caught:
                use()
            assert caught.value.code == "TC-1303"
        np.testing.assert_array_equal(opened(x), [0.5])  # the session goes on


def shared(mpc: Computation, values: Any, bits: int) -> Any:
    return mpc.share(values, owner="alice", dtype=tacit.fixed_point(bits))


@MANY_BITS
def test_all_fractional_bits_of_the_long_ring(bits: int) -> None:
    """Sums, choices and comparisons are as exact as floats; products have 51 bits at most."""
    with tacit.local(ring=128) as mpc:
        x, y = shared(mpc, X, bits), shared(mpc, Y, bits)
        unit = 2.0**-bits
        exact = max(unit, 2.0**-48)
        near = max(2 * unit, 2.0**-48)
        np.testing.assert_allclose(opened(x), X, rtol=0, atol=unit)
        np.testing.assert_allclose(opened(x + x - 1.25), 2 * X - 1.25, rtol=0, atol=2 * exact)
        np.testing.assert_allclose(opened(x * x), X * X, rtol=0, atol=20 * near)
        np.testing.assert_allclose(opened(x @ y), X @ Y, rtol=0, atol=100 * near)
        np.testing.assert_allclose(opened(x * 0.3), X * 0.3, rtol=0, atol=10 * near)
        np.testing.assert_allclose(opened(x @ Y), X @ Y, rtol=0, atol=100 * near)
        np.testing.assert_allclose(opened(x / 7), X / 7, rtol=0, atol=10 * near)
        np.testing.assert_allclose(opened(x.mean(axis=0)), X.mean(axis=0), rtol=0, atol=10 * near)
        np.testing.assert_array_equal(opened(x > 1.5), opened(x) > 1.5)
        np.testing.assert_array_equal(opened(x == x), np.ones(X.shape, bool))
        np.testing.assert_array_equal(opened(tacit.where(x < 0, -x, x)), opened(abs(x)))
        np.testing.assert_array_equal(opened(tacit.relu(x)), np.maximum(opened(x), 0))
        np.testing.assert_array_equal(opened(tacit.maximum(x, 0.5)), np.maximum(opened(x), 0.5))
        for array in (x * x, x @ y, x * 0.3, x / 7, tacit.exp(x), x.mean()):
            assert array.dtype == tacit.fixed_point(bits)


FUNCTIONS: dict[str, Any] = {
    "exp": np.exp, "sqrt": np.sqrt, "log": np.log, "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)), "reciprocal": lambda x: 1 / x,
}  # fmt: skip


@MANY_BITS
@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_keep_their_error(name: str, bits: int) -> None:
    """As for 24 fractional bits where there are more, for 40 over 128 bits."""
    x = np.linspace(0.1, 9, 200)
    for ring in (64, 128):
        if ring == 64 and bits > 40:
            continue
        most = 24 if ring == 64 else 40
        computed = min(bits, most)
        table = FINE if computed > 24 else ACCURACY
        with tacit.local(ring=ring) as mpc:
            secret = shared(mpc, x, bits)
            function = getattr(tacit, name, lambda v: 1 / v)
            found = opened(function(secret))
        held = np.rint(x * 2.0**computed) * 2.0**-computed
        expected = FUNCTIONS[name](held)
        slope = 2.0**-computed * np.abs(FUNCTIONS[name](held + 1e-6) - expected) / 1e-6
        error = table[name].bound(expected, computed) + 1.01 * slope
        assert (np.abs(found - expected) <= error).all()


def test_exact_results_are_the_same_bits_over_both_rings() -> None:
    """One text, two rings: floors and signs do not know in which ring they are computed.

    Divisions by secrets alone use the room of their ring for their domain.
    """
    results: list[list[bytes]] = []
    for ring in (64, 128):
        with tacit.local(ring=ring, rounding="exact") as mpc:
            x, y = mpc.share(X, owner="alice"), mpc.share(Y, owner="bob")
            positive = abs(x) + 0.25
            arrays = [
                x @ y, x * x, x * 0.1, x.mean(axis=1), tacit.sigmoid(x), tacit.tanh(x),
                tacit.exp(x), tacit.log(positive), tacit.sqrt(positive), tacit.rsqrt(positive),
                x // 1.5, tacit.sort(x, axis=0), x.astype(tacit.fixed_point(24)) * x,
                tacit.round(x),
            ]  # fmt: skip
            results.append([opened(array).tobytes() for array in arrays])
    assert results[0] == results[1]


def test_limits_of_types_are_those_of_their_ring() -> None:
    assert tacit.finfo(tacit.fixed).bits == 64
    assert tacit.finfo(tacit.fixed_point(60)).bits == 128
    with tacit.local(ring=128) as mpc:
        limits = tacit.finfo(mpc.share([1.0], owner="alice"))
        assert (limits.bits, limits.eps) == (128, 2.0**-18)
        edge = mpc.share([limits.max, limits.min], owner="alice")
        np.testing.assert_array_equal(opened(edge), [limits.max, limits.min])
        with pytest.raises(RangeError):
            mpc.share([2.0 * limits.max], owner="alice")


def test_integers_do_not_wrap_at_64_bits() -> None:
    with tacit.local(ring=128) as mpc:
        n = mpc.share(np.array([1 << 62, -(1 << 62), 3]), owner="alice")
        square = n * n
        np.testing.assert_array_equal(opened(square > n), [True, True, True])
        np.testing.assert_array_equal(opened(square), [0, 0, 9])  # shown modulo 2^64
        with mpc.measure() as cost:
            opened(n)
        assert cost.total_bytes == 3 * 3 * 16


def test_large_numbers_that_the_short_ring_refuses() -> None:
    large = np.array([2.0**60, -(2.0**70), 1.5])
    with tacit.local() as mpc, pytest.raises(RangeError, match="ring=128"):
        mpc.share(large, owner="alice")
    with tacit.local(ring=128) as mpc:
        x = mpc.share(large, owner="alice")
        np.testing.assert_array_equal(opened(x * 3.0), large * 3)
        np.testing.assert_array_equal(opened(x - 2.0**60), large - 2.0**60)
        np.testing.assert_array_equal(opened(x > 2.0**59), large > 2.0**59)
        np.testing.assert_array_equal(opened(tacit.clip(x, -1.0, 2.0**62)), large.clip(-1, 2.0**62))
        with pytest.raises(RangeError):
            x + 2.0**120


def test_fractional_bits_of_a_session_are_those_of_its_floats() -> None:
    with tacit.local(fraction_bits=26) as mpc:
        x = mpc.share([0.1], owner="alice")
        assert x.dtype == DType("fixed", 26)
        assert opened(x)[0] == round(0.1 * 2**26) / 2**26
        assert (x + 0.1).dtype == x.dtype
        assert mpc.share([0.1], owner="bob", dtype=tacit.fixed).dtype == tacit.fixed


@pytest.mark.parametrize("bits", [12, 24, 40])
def test_integers_become_the_fixed_point_of_their_session(bits: int) -> None:
    """Wherever no fixed point is met that could say which."""
    n = np.array([1, 2, 5, 7])
    with tacit.local(ring=128, fraction_bits=bits) as mpc:
        secret, true = mpc.share(n, owner="alice"), mpc.share(n > 0, owner="bob")
        unit = 2.0**-bits
        for found, expected in (
            (secret / 3, n / 3),
            (secret + 0.1, n + 0.1),
            (0.3 - secret, 0.3 - n),
            (secret * 0.7, n * 0.7),
            (secret @ np.full(4, 0.1), n.sum() * 0.1),
            (secret.mean(), n.mean()),
            (tacit.var(secret), n.var()),
            (secret**0.0, np.ones(4)),
            (tacit.maximum(secret, 1.1), np.maximum(n, 1.1)),
            (tacit.where(secret > 2, secret, 0.1), np.where(n > 2, n, 0.1)),
            (tacit.where(true, 0.1, 0.2), np.full(4, 0.1)),
            (true.mean(), 1.0),
            (mpc.zeros(2), np.zeros(2)),
            (tacit.eye(2, device=mpc), np.eye(2)),
            (tacit.full((2,), 0.1, device=mpc), np.full(2, 0.1)),
            (tacit.linspace(0, 1, 4, device=mpc), np.linspace(0, 1, 4)),
        ):
            assert found.dtype == mpc.fixed
            np.testing.assert_allclose(opened(found), expected, rtol=0, atol=8 * unit)
        for integers in (secret + 1, secret * 2, secret**2, secret.sum(), tacit.maximum(secret, 3)):
            assert integers.dtype == tacit.int64
        assert tacit.exp(secret).dtype == mpc.fixed
        assert (secret.astype(tacit.fixed) / 3).dtype == tacit.fixed


LONG = [1 << 100, -(1 << 100), (1 << 100) + 1, 1 - (1 << 100), 0, 5, -(1 << 63), 1 << 64]


@pytest.mark.parametrize("processes", [False, pytest.param(True, marks=pytest.mark.processes)])
def test_long_integers_are_revealed_exactly(processes: bool) -> None:
    """Not one bit of 2^100 + 1 is lost on the way in, in sums and products, or on the way out."""
    with tacit.local(ring=128, processes=processes) as mpc:
        x = mpc.share(LONG, owner="alice")
        assert x.dtype == tacit.int128
        found = opened(x)
        assert found.dtype == object
        assert found.tolist() == LONG
        n = mpc.share(np.array([(1 << 50) + 1, 3]), owner="bob")
        product = (n * n).astype(tacit.int128)
        assert opened(product).tolist() == [((1 << 50) + 1) ** 2, 9]
        assert opened(n * n).tolist() == [(((1 << 50) + 1) ** 2) % (1 << 64), 9]
        assert opened(x[:2] + n).tolist() == [LONG[0] + (1 << 50) + 1, LONG[1] + 3]
        assert opened(x[5] * 7 - 1).tolist() == 34
        assert opened(tacit.sum(x)) == sum(LONG)
        assert opened(tacit.sum(x).reshape(1, 1)).tolist() == [[sum(LONG)]]
        expected = ((1 << 50) + 1) * LONG[6] + 3 * LONG[7]
        assert opened(n.reshape(1, 2) @ x[6:]).tolist() == [expected]
        assert opened(tacit.sort(x)).tolist() == sorted(LONG)
        assert opened(x > 3).tolist() == [v > 3 for v in LONG]
        assert opened(tacit.maximum(x, 6)).tolist() == [max(v, 6) for v in LONG]
        assert opened(tacit.where(x > 0, x, -x)).tolist() == [abs(v) for v in LONG]
        assert opened(abs(x)).tolist() == [abs(v) for v in LONG]
        assert opened(x & 0xFF).tolist() == [v & 0xFF for v in LONG]
        assert opened(x ^ x[::-1]).tolist() == [
            a ^ b for a, b in zip(LONG, LONG[::-1], strict=True)
        ]
        assert opened(~x).tolist() == [~v for v in LONG]
        assert opened(x.astype(tacit.int64)).tolist() == [0, 0, 1, 1, 0, 5, -(1 << 63), 0]
        assert opened(mpc.share(np.empty(0, object), owner="alice", dtype=tacit.int128)).size == 0
        assert opened(mpc.share(2.0**70, owner="alice", dtype=tacit.int128)) == 1 << 70


def test_where_long_integers_do_not_go() -> None:
    with tacit.local() as mpc:
        with pytest.raises(RangeError, match="ring=128") as caught:
            mpc.share([1 << 100], owner="alice")
        assert caught.value.code == "TC-1303"
        n = mpc.share([1], owner="alice")
        with pytest.raises(RangeError):
            n.astype(tacit.int128)
    with tacit.local(ring=128) as mpc:
        for outside in (1 << 127, -(1 << 127) - 1):
            with pytest.raises(RangeError) as caught:
                mpc.share([outside], owner="alice")
            assert caught.value.code == "TC-1300"
        x = mpc.share(LONG, owner="alice")
        with pytest.raises(RangeError, match="more than 64 bits"):
            x + (1 << 100)
        for use in (lambda: x // 3, lambda: x % 3, lambda: x << 1, lambda: x >> 1):
            with pytest.raises(TypeMismatchError) as mismatch:
                use()
            assert mismatch.value.code == "TC-1272"
        with pytest.raises(TypeMismatchError, match="object"):
            mpc.share(np.array(["1"], object), owner="alice")
        edge = mpc.share([(1 << 127) - 1, -(1 << 127)], owner="carol", dtype=tacit.int128)
        assert opened(edge).tolist() == [(1 << 127) - 1, -(1 << 127)]
