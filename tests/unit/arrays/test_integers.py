"""Small integers against NumPy: wrapping, promotion, conversions, what is opened."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import tacit
from tacit import Computation
from tacit.encoding import INTEGERS, DType
from tacit.errors import RangeError

NAMES = tuple(INTEGERS)
SMALL = tuple(name for name in NAMES if name != "int64")


@pytest.fixture(scope="module", params=[64, 128], ids=["Z_2^64", "Z_2^128"])
def mpc(request: pytest.FixtureRequest) -> Iterator[Computation]:
    with tacit.local("replicated3", ring=request.param, seed=3) as opened:
        yield opened


def edges(name: str) -> NDArray[Any]:
    """Values where a type's range, sign or half of it ends."""
    info = np.iinfo(name)
    middle = (int(info.max) + 1) // 2
    values = [0, 1, 2, 3, 7, info.min, info.min + 1, info.max, info.max - 1, middle, middle - 1]
    if info.min < 0:
        values += [-1, -2, -7, -middle]
    return np.array(values, name)


def pairs(left: str, right: str) -> tuple[NDArray[Any], NDArray[Any]]:
    """Every edge of one type with every edge of another."""
    x, y = np.meshgrid(edges(left), edges(right))
    return x.reshape(-1), y.reshape(-1)


def revealed(x: Any) -> NDArray[Any]:
    return np.asarray(x.reveal(to="all"))


def same(found: NDArray[Any], expected: NDArray[Any]) -> None:
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("name", NAMES)
def test_a_shared_array_keeps_its_type(mpc: Computation, name: str) -> None:
    values = edges(name)
    secret = mpc.share(values, owner="alice")
    assert secret.dtype == INTEGERS[name] == getattr(tacit, name)
    assert repr(secret.dtype) == f"tacit.{name}"
    same(revealed(secret), values)
    assert secret.reveal(to="bob")["bob"].dtype == values.dtype
    same(revealed(mpc.constant(values)), values)
    same(revealed(mpc.constant(values.astype(np.int64), dtype=INTEGERS[name])), values)
    scalar = values[3]
    same(revealed(mpc.share(scalar, owner="bob")), scalar)
    same(revealed(mpc.share(values[:0], owner="bob") + 1), values[:0])


@pytest.mark.parametrize("name", SMALL)
def test_what_a_type_does_not_hold_is_refused(mpc: Computation, name: str) -> None:
    low, high = INTEGERS[name].range or (0, 0)
    for wrong in (low - 1, high + 1):
        with pytest.raises(RangeError) as caught:
            mpc.share(np.array([0, wrong]), owner="alice", dtype=INTEGERS[name])
        assert caught.value.code == "TC-1370"
        with pytest.raises(RangeError) as caught:
            mpc.share(np.zeros(2, name), owner="alice") + wrong
        assert caught.value.code == "TC-1371"


ARITHMETIC: tuple[Callable[[Any, Any], Any], ...] = (operator.add, operator.sub, operator.mul)


@pytest.mark.parametrize("right", NAMES)
@pytest.mark.parametrize("left", NAMES)
def test_arithmetic_wraps_and_promotes_as_in_numpy(mpc: Computation, left: str, right: str) -> None:
    x, y = pairs(left, right)
    a, b = mpc.share(x, owner="alice"), mpc.share(y, owner="bob")
    with np.errstate(all="ignore"):
        for operation in ARITHMETIC:
            expected = operation(x, y)
            same(revealed(operation(a, b)), expected)
            same(revealed(operation(a, y)), expected)
            same(revealed(operation(x, b)), expected)


@pytest.mark.parametrize("name", NAMES)
def test_comparisons_and_choices_see_the_wrapped_number(mpc: Computation, name: str) -> None:
    if name == "int64":  # its differences may wrap: only small ones compare
        x, y = np.array([3, -4, 5]), np.array([4, -4, -9])
    else:
        x, y = pairs(name, name)
    a, b = mpc.share(x, owner="alice"), mpc.share(y, owner="bob")
    with np.errstate(all="ignore"):
        for plain, secret in (
            (x, a),
            (x + y, a + b),
            (x - y, a - b),
            (x * y, a * b),
            (-x, -a),
            (x * x * x * x * x + 1, a * a * a * a * a + 1),
        ):
            for compare in (operator.lt, operator.ge, operator.eq, operator.ne):
                np.testing.assert_array_equal(revealed(compare(secret, b)), compare(plain, y))
                np.testing.assert_array_equal(revealed(compare(secret, 3)), compare(plain, 3))
            np.testing.assert_array_equal(revealed(secret < 10**6), plain < 10**6)
            same(revealed(abs(secret)), abs(plain))
            same(revealed(tacit.maximum(secret, b)), np.maximum(plain, y))
            same(revealed(tacit.minimum(secret, y)), np.minimum(plain, y))
            same(revealed(tacit.where(a > 1, secret, b)), np.where(x > 1, plain, y))
            same(revealed(tacit.where(x > 1, secret, b)), np.where(x > 1, plain, y))
            same(revealed((a > 1) * secret), (x > 1) * plain)


@pytest.mark.parametrize("name", SMALL)
def test_sums_and_means_do_not_wrap(mpc: Computation, name: str) -> None:
    x = np.resize(edges(name), (7, 5))
    a = mpc.share(x, owner="alice")
    with np.errstate(all="ignore"):
        for plain, secret in ((x, a), (x + x, a + a)):
            same(revealed(secret.sum(axis=0)), plain.sum(axis=0, dtype=np.int64))
            close = np.abs(revealed(secret.mean()) - plain.mean(dtype=np.float64))
            assert close <= 1e-5 * max(1.0, np.abs(plain.astype(float)).max())


def test_matrix_products_wrap_as_in_numpy(mpc: Computation) -> None:
    rng = np.random.default_rng(1)
    for name in NAMES:
        info = np.iinfo(name)
        x = rng.integers(info.min, info.max, (4, 6), dtype=name, endpoint=True)
        y = rng.integers(info.min, info.max, (6, 3), dtype=name, endpoint=True)
        a, b = mpc.share(x, owner="alice"), mpc.share(y, owner="bob")
        for product in (a @ b, a @ y, x @ b):
            same(revealed(product), x @ y)
        np.testing.assert_array_equal(revealed((a @ b) > 5) if name != "int64" else 0,
                                      (x @ y) > 5 if name != "int64" else 0)  # fmt: skip


@pytest.mark.parametrize("target", [*NAMES, "bool", "fixed"])
@pytest.mark.parametrize("source", NAMES)
def test_conversions(mpc: Computation, source: str, target: str) -> None:
    x = edges(source)
    if source == "int64" and target == "fixed":
        x = x[np.abs(x.astype(float)) < 2.0**40]
    if source == "int64" and mpc.session.ring.bits > 64:
        x = x[np.abs(x.astype(float)) < 2.0**61]  # there sums have more room than NumPy's
    dtype: DType = getattr(tacit, target)
    a = mpc.share(x, owner="alice")
    with np.errstate(all="ignore"):
        for plain, secret in ((x, a), (x + x, a + a), (-x, -a)):
            found = revealed(secret.astype(dtype))
            same(found, plain.astype(dtype.numpy))
            same(revealed(secret.astype(dtype).astype(tacit.int64)), found.astype(np.int64))
    bits = np.array([True, False])
    same(revealed(mpc.share(bits, owner="bob").astype(dtype)), bits.astype(dtype.numpy))


def test_fixed_point_becomes_integers_towards_zero(mpc: Computation) -> None:
    unit = 2.0**-18
    x = np.array([0, unit, -unit, 1, -1, 1 - unit, unit - 1, 1 + unit, -1 - unit, 2.5, -2.5, 7.99,
                  -126.3, -129.0, 300.5, 2.0**40, -(2.0**40) - 0.5])  # fmt: skip
    a = mpc.share(x, owner="alice")
    for name in NAMES:
        expected = np.trunc(x).astype(np.int64).astype(name)  # out of range: modulo 2^bits
        same(revealed(a.astype(INTEGERS[name])), expected)
    same(revealed(a.astype(tacit.bool)), x != 0)


def test_mixed_with_fixed_point(mpc: Computation) -> None:
    x, y = edges("int8"), np.linspace(-2, 2, edges("int8").size)
    a, b = mpc.share(x, owner="alice"), mpc.share(y, owner="bob")
    with np.errstate(all="ignore"):
        wrapped = x + x
    for found, expected in (
        (a + b, x + y), (a * b, x * y), ((a + a) * b, wrapped * y), (a * 0.5, x * 0.5),
        ((a + a) / 4, wrapped / 4),
        (tacit.sigmoid(a + a), 1 / (1 + np.exp(-wrapped.astype(float)))),
    ):  # fmt: skip
        assert found.dtype == tacit.fixed
        assert np.abs(revealed(found) - expected).max() < 2e-3


def test_python_integers_take_the_type_they_meet(mpc: Computation) -> None:
    a = mpc.share(edges("int8"), owner="alice")
    assert (a + 1).dtype == (1 - a).dtype == tacit.int8
    assert (a + np.int16(1)).dtype == (a + np.arange(1, dtype=np.int16)).dtype == tacit.int16
    assert (a + np.arange(1)).dtype == tacit.int64
    assert (a + 1.0).dtype == (a + True + 0.5).dtype == tacit.fixed
    assert (a + np.arange(1, dtype=np.uint8)).dtype == tacit.int16
    assert (a + mpc.share(np.zeros(1, np.uint32), owner="bob")).dtype == tacit.int64
    assert tacit.where(a > 0, a, 5).dtype == tacit.int8
    np.testing.assert_array_equal(revealed(a < 1000), True)
    np.testing.assert_array_equal(revealed(a == -1000), False)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_chains_of_operations_wrap_as_in_numpy(mpc: Computation, data: st.DataObject) -> None:
    """Sums and products one after the other, however far the ring elements get."""
    name = data.draw(st.sampled_from(SMALL))
    info = np.iinfo(name)
    values = st.lists(st.integers(int(info.min), int(info.max)), min_size=4, max_size=4)
    plain = np.array(data.draw(values), name)
    secret = mpc.share(plain, owner="alice")
    with np.errstate(all="ignore"):
        for _ in range(data.draw(st.integers(1, 8))):
            operation = data.draw(st.sampled_from(ARITHMETIC))
            other = np.array(data.draw(values), name)
            shared = data.draw(st.booleans())
            secret = operation(secret, mpc.share(other, owner="bob") if shared else other)
            plain = operation(plain, other)
    same(revealed(secret), plain)
    np.testing.assert_array_equal(revealed(secret > 5), plain > 5)
    same(revealed(secret.astype(tacit.int64)), plain.astype(np.int64))


def test_only_the_bits_of_the_type_are_opened(
    mpc: Computation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is opened is the number modulo 2^N, whatever the shares hold above; it bites without.

    250 · 250 = 62,500 is 36 modulo 256: the ring element holds 62,500, and nobody may see it.
    """
    opened: list[int] = []
    member = mpc.session.members[0]  # type: ignore[attr-defined]
    real = type(member).reveal

    def watched(party: Any, share: Any, to: Any) -> Any:
        elements = yield from real(party, share, to)
        opened.extend(party.ring.integers(elements).astype(object).tolist())
        return elements

    monkeypatch.setattr(type(member), "reveal", watched)
    x = mpc.share(np.array([250], np.uint8), owner="alice")
    product = x * x
    assert revealed(product)[0] == 36
    above = member.ring.bits - 8
    assert {element % (1 << member.ring.bits) for element in opened} == {36 << above}
    opened.clear()
    part = [part.share for part in product.reference.parts]  # type: ignore[attr-defined]
    mpc.session._run(lambda p: p.reveal(part[p.index], (0, 1, 2)), "test")  # type: ignore[attr-defined]
    assert set(opened) == {62_500}


@pytest.mark.processes
def test_small_integers_between_processes() -> None:
    x, y = pairs("int8", "uint8")
    with tacit.local("replicated3", processes=True) as mpc:
        a, b = mpc.share(x, owner="alice"), mpc.share(y, owner="bob")
        with np.errstate(all="ignore"):
            for found, expected in (
                (a, x), (a * b, x * y), (a + a, x + x), (b - y, y - y), (a * x, x * x),
                (tacit.where(a > 1, a + a, 5), np.where(x > 1, x + x, np.int8(5))),
                (a.astype(tacit.uint32), x.astype(np.uint32)),
            ):  # fmt: skip
                same(revealed(found), expected)
