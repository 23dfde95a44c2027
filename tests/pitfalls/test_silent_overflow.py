"""Pitfall: a wrapped fixed-point number is a plausible wrong answer.

What the encoding cannot hold is an error before anything is sent. The weakened encoder below is
the usual one-liner; the same values come back wrong from it, without an error.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tacit.encoding import decode, encode, fixed, fixed_point, int64
from tacit.errors import RangeError, TypeMismatchError

TOO_LARGE = [2.0**43, -(2.0**43), 2.0**45, 1e30, -1e300, 2.0**46 + 0.5]


def careless(values: Any) -> Any:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return np.round(np.asarray(values) * 2.0**18).astype(np.int64).view(np.uint64)


@pytest.mark.parametrize("value", TOO_LARGE)
def test_what_does_not_fit_is_refused(value: float) -> None:
    with pytest.raises(RangeError):
        encode(np.array([0.0, value]), fixed)


def test_the_careless_encoder_wraps() -> None:
    wrong = [v for v in TOO_LARGE if abs(decode(careless([v]), fixed)[0] - v) > 1]
    assert wrong


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [fixed, int64])
def test_not_a_number_is_refused(value: float, dtype: Any) -> None:
    with pytest.raises(RangeError) as caught:
        encode(np.array([1.0, value]), dtype)
    assert caught.value.code == "TC-1301"


def test_bounds_are_checked_and_no_value_is_named() -> None:
    with pytest.raises(RangeError) as caught:
        encode(np.array([1.0, 123.4567]), fixed, bounds=(-8, 8))
    assert caught.value.code == "TC-1302"
    assert "123.4567" not in str(caught.value)


def test_large_unsigned_and_fractions_are_refused() -> None:
    with pytest.raises(RangeError):
        encode(np.array([1 << 63], np.uint64), int64)
    with pytest.raises(RangeError):
        encode(np.array([2.0**63]), int64)
    with pytest.raises(TypeMismatchError):
        encode(np.array([0.5]), int64)


@given(
    st.lists(st.floats(-(2.0**42), 2.0**42, allow_nan=False), max_size=20),
)
def test_what_fits_comes_back(values: list[float]) -> None:
    x = np.array(values, np.float64)
    back = decode(encode(x, fixed), fixed)
    assert (np.abs(back - x) <= fixed.resolution / 2).all()


@pytest.mark.parametrize("bits", [1, 18, 30, 40])
def test_the_largest_encodings_leave_room_for_truncation(bits: int) -> None:
    """Encodings stay below 2^61, so that a sum of two stays in truncation's domain."""
    dtype = fixed_point(bits)
    limit = 2.0 ** (61 - bits)
    largest = np.nextafter(limit, 0)
    encoded = encode(np.array([largest, -largest]), dtype).view(np.int64)
    assert np.abs(encoded).max() <= 1 << 61
    with pytest.raises(RangeError):
        encode(np.array([limit]), dtype)
