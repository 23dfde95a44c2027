"""Integers that stand for public fractions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tacit.encoding import RING64, RING128, Ring
from tacit.errors import RangeError
from tacit.operations.scaling import scaled_constant

FRACTIONS = st.lists(
    st.floats(-1000, 1000, allow_nan=False, allow_subnormal=False), min_size=0, max_size=6
).map(lambda values: np.array(values, np.float64))


RINGED = pytest.mark.parametrize("ring", [RING64, RING128], ids=repr)


@RINGED
@given(values=FRACTIONS, fraction_bits=st.integers(1, 30))
def test_the_constant_is_close(ring: Ring, values: NDArray[np.float64], fraction_bits: int) -> None:
    constant, bits = scaled_constant(values, fraction_bits, ring=ring)
    error = np.abs(ring.to_floats(constant) / 2.0**bits - values)
    assert constant.shape == values.shape
    assert constant.dtype == ring.dtype
    assert (error <= 2.0 ** -(fraction_bits + 1)).all()
    largest = float(np.abs(values).max(initial=0))
    if 2.0**-30 < largest < 1:
        assert float(error.max()) <= largest * 2.0**-fraction_bits


@RINGED
@given(values=FRACTIONS, fraction_bits=st.integers(1, 30), least=st.integers(0, 30))
def test_the_bits_are_at_least_those_asked_for(
    ring: Ring, values: NDArray[np.float64], fraction_bits: int, least: int
) -> None:
    least = min(least, fraction_bits)
    assert scaled_constant(values, fraction_bits, least, ring)[1] >= least


@RINGED
@pytest.mark.parametrize(
    ("value", "constant", "bits"),
    [(2.0, 2, 0), (0.5, 1, 1), (-0.75, -3, 2), (0.0, 0, 0), (1.0, 1, 0), (2.0**-40, 1, 40)],
)
def test_exact_fractions_take_as_few_bits_as_they_need(
    ring: Ring, value: float, constant: int, bits: int
) -> None:
    found, found_bits = scaled_constant(np.array([value]), 18, ring=ring)
    assert (ring.integers(found).tolist(), found_bits) == ([constant], bits)


@RINGED
def test_integers_need_no_bits(ring: Ring) -> None:
    constant, bits = scaled_constant(np.array([3, -4]), 18, ring=ring)
    assert (ring.integers(constant).tolist(), bits) == ([3, -4], 0)
    constant, bits = scaled_constant(np.array(3), 18, 18, ring)
    assert (ring.integers(constant).tolist(), bits) == (3 << 18, 18)


def test_a_longer_ring_holds_larger_factors() -> None:
    constant, bits = scaled_constant(np.array([2.0**80]), 18, ring=RING128)
    assert (RING128.integers(constant).tolist(), bits) == ([1 << 80], 0)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 2.0**44])
def test_what_cannot_be_a_factor_is_refused(value: float) -> None:
    with pytest.raises(RangeError):
        scaled_constant(np.array([1.0, value]), 18)
