"""The arithmetic of both rings, against Python's integers; what they take and give."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tacit.encoding import (
    RING64,
    RING128,
    Ring,
    decode,
    encode,
    fixed,
    fixed_point,
    int64,
    ring_of,
)
from tacit.encoding.types import require_room
from tacit.errors import RangeError, UsageError

RINGS = pytest.mark.parametrize("ring", [RING64, RING128], ids=repr)
NUMBERS = st.integers(-(1 << 127), (1 << 127) - 1)
LISTS = st.lists(NUMBERS, max_size=12)


def signed(ring: Ring, values: Any) -> NDArray[Any]:
    array = np.asarray(values, object)
    half = 1 << ring.top_bit
    return np.asarray((array + half) % (1 << ring.bits) - half, object)


def same(ring: Ring, elements: Any, expected: Any) -> None:
    assert elements.dtype == ring.dtype
    assert ring.integers(elements).tolist() == signed(ring, expected).tolist()


@RINGS
def test_rings_are_found_by_their_bits(ring: Ring) -> None:
    assert ring_of(ring.bits) is ring
    assert ring.element_bytes * 8 == ring.bits == ring.top_bit + 1 == ring.magnitude_bits + 2
    assert ring.dtype.itemsize == ring.element_bytes
    assert repr(ring) == f"Ring(2^{ring.bits})"


@pytest.mark.parametrize("bits", [0, 32, 63, 65, 127, 256, "64", None])
def test_other_rings_do_not_exist(bits: Any) -> None:
    with pytest.raises(UsageError, match="64, 128") as caught:
        ring_of(bits)
    assert caught.value.code == "TC-1090"


@RINGS
@given(values=LISTS, other=NUMBERS, shift=st.integers(0, 127))
def test_arithmetic(ring: Ring, values: list[int], other: int, shift: int) -> None:
    x = np.array(values, object)
    a, b, c = ring.elements(x), ring.elements(x[::-1]), ring.elements(other)
    same(ring, ring.add(a, b), x + x[::-1])
    same(ring, ring.add(c, a), x + other)
    same(ring, ring.subtract(a, c), x - other)
    same(ring, ring.subtract(c, b), other - x[::-1])
    same(ring, ring.negate(a), -x)
    same(ring, ring.multiply(a, b), x * x[::-1])
    same(ring, ring.multiply(c, a), x * other)
    same(ring, ring.sum(a), x.sum() if values else 0)
    same(ring, ring.cumulative_sum(a, 0), np.cumsum(x) if values else x)
    shift %= ring.bits
    same(ring, ring.shift_left(a, shift), x << shift)
    same(ring, ring.shift_right(a, shift), signed(ring, x) >> shift)
    out = ring.empty(a.shape)
    assert ring.add(a, b, out=out) is out
    same(ring, out, x + x[::-1])
    ring.shift_right(a, shift, out=out)
    same(ring, out, signed(ring, x) >> shift)
    expected = min(
        [(int(v) & -int(v)).bit_length() - 1 for v in signed(ring, x) if v] or [ring.bits]
    )
    assert ring.trailing_zeros(a) == expected
    assert ring.low_words(a).tolist() == signed(RING64, x).tolist()


def table(rng: np.random.Generator, *shape: int) -> NDArray[Any]:
    size = int(np.prod(shape))
    numbers = [int.from_bytes(rng.bytes(16), "little", signed=True) for _ in range(size)]
    return np.array(numbers, object).reshape(shape)


@RINGS
@pytest.mark.parametrize("axis", [None, 0, 1, 2, -1, (0, 1), (0, 2), (1, 2), (0, 1, 2), ()])
def test_sums_over_axes(ring: Ring, axis: Any) -> None:
    x = table(np.random.default_rng(1), 3, 4, 5)
    a = ring.elements(x)
    for keepdims in (False, True):
        same(ring, ring.sum(a, axis, keepdims), x.sum(axis=axis, keepdims=keepdims))
    moved = a.transpose(2, 0, 1)[::-1]
    same(ring, ring.sum(moved, 0), x.transpose(2, 0, 1).sum(axis=0))
    assert ring.sum(ring.zeros((0, 3)), 0).shape == (3,)
    assert ring.sum(ring.zeros((3, 0)), 0).shape == (0,)


@RINGS
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_running_sums(ring: Ring, axis: int) -> None:
    x = table(np.random.default_rng(2), 3, 4, 5)
    same(ring, ring.cumulative_sum(ring.elements(x), axis), np.cumsum(x, axis))


@RINGS
@pytest.mark.parametrize(
    ("left", "right"),
    [((1, 1), (1, 1)), ((3, 5), (5, 2)), ((2, 3, 5), (5, 2)), ((4, 1, 3, 5), (2, 5, 2)),
     ((3, 0), (0, 2)), ((65, 514), (514, 67))],
)  # fmt: skip
def test_matrix_products(ring: Ring, left: tuple[int, ...], right: tuple[int, ...]) -> None:
    rng = np.random.default_rng(3)
    x, y = table(rng, *left), table(rng, *right)
    expected = np.matmul(x, y) if x.size else np.zeros((3, 2), object)
    a, b = ring.elements(x), ring.elements(y)
    out = ring.matmul(a, b)
    same(ring, out, expected)
    assert ring.matmul(a, b, out=out, accumulate=True) is out
    same(ring, out, 2 * expected)
    swapped = np.asarray(b.swapaxes(-1, -2), order="C").swapaxes(-1, -2)
    same(ring, ring.matmul(a[..., ::-1, :], swapped), expected[..., ::-1, :])


@RINGS
def test_products_of_wrong_shapes_are_refused(ring: Ring) -> None:
    with pytest.raises(ValueError, match="fit"):
        ring.matmul(ring.zeros((2, 3)), ring.zeros((2, 3)))


@RINGS
@pytest.mark.parametrize("values", [0.5, np.array([1.0]), "1", [1, 2.5], None, np.array([None])])
def test_only_integers_become_elements(ring: Ring, values: Any) -> None:
    with pytest.raises(TypeError, match="integers"):
        ring.elements(values)


@RINGS
def test_integers_of_every_kind_become_elements(ring: Ring) -> None:
    for values in (3, -4, True, np.int8(-5), np.array([True, False]), [1, -2], np.uint32(7), [],
                   np.array([-(1 << 63)]), (1 << 200) + 3):  # fmt: skip
        plain = [int(value) for value in np.array(values, object).reshape(-1)]
        same(ring, ring.elements(values).reshape(-1), plain)
        assert ring.elements(values).shape == np.array(values, object).shape
    same(ring, ring.powers_of_two(ring.bits), [1 << k for k in range(ring.bits)])


def test_elements_of_the_short_ring_are_none_of_the_long_one() -> None:
    with pytest.raises(TypeError, match="int64"):
        RING128.elements(np.array([1], np.uint64))
    words = np.array([1], np.uint64)
    assert RING64.elements(words) is words
    wide = RING128.zeros(3)
    assert RING128.elements(wide) is wide


@RINGS
@given(values=st.lists(st.floats(-(2.0**126), 2.0**126, allow_nan=False), max_size=8))
def test_floats_are_exact(ring: Ring, values: list[float]) -> None:
    whole = np.rint(np.array(values, np.float64) * 2.0 ** (ring.bits - 128))
    elements = ring.from_floats(whole)
    assert ring.integers(elements).tolist() == [int(v) for v in whole]
    np.testing.assert_array_equal(ring.to_floats(elements), whole)


@given(LISTS)
def test_long_numbers_are_rounded_to_the_nearest_float(values: list[int]) -> None:
    found = RING128.to_floats(RING128.elements(np.array(values, object)))
    assert found.tolist() == [float(v) for v in values]


@given(st.integers(1, 100), st.floats(-1e6, 1e6, allow_subnormal=False))
def test_fixed_point_over_the_long_ring(bits: int, value: float) -> None:
    dtype = fixed_point(bits)
    if abs(value) >= 2.0 ** (125 - bits):
        with pytest.raises(RangeError):
            encode([value], dtype, ring=RING128)
        return
    elements = encode([value], dtype, ring=RING128)
    assert RING128.integers(elements).tolist() == [round(value * 2**bits)]
    assert abs(decode(elements, dtype, RING128)[0] - value) <= 2.0 ** -(bits + 1)


def test_integers_over_the_long_ring_keep_their_sign() -> None:
    values = np.array([-(1 << 63), -1, 0, (1 << 63) - 1])
    elements = encode(values, int64, ring=RING128)
    assert RING128.integers(elements).tolist() == values.tolist()
    np.testing.assert_array_equal(decode(elements, int64, RING128), values)


@pytest.mark.parametrize("bits", [0, -1, 101, 128])
def test_fixed_point_that_no_ring_holds(bits: int) -> None:
    with pytest.raises(RangeError, match="128-bit") as caught:
        fixed_point(bits)
    assert caught.value.code == "TC-1303"


def test_a_ring_has_room_for_so_many_fractional_bits() -> None:
    require_room(fixed, RING64.most_fraction_bits, 64)
    require_room(fixed_point(100), RING128.most_fraction_bits, 128)
    with pytest.raises(RangeError, match="ring=128"):
        require_room(fixed_point(41), RING64.most_fraction_bits, 64)
