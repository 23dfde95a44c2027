"""Multiplying secrets by public fractions: which integer stands for the fraction.

A fraction c becomes an integer C and a number of bits g with c ≈ C / 2^g; x · C is local, and
one truncation by g bits follows. Where C is exact with fewer bits, fewer are used: a product
with 0.5 truncates by one bit, a product with 2.0 not at all.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tacit.encoding.ring import RING64, Elements, Ring
from tacit.encoding.types import int64
from tacit.errors import RangeError
from tacit.functions.costs import NOTHING, Costs, in_sequence
from tacit.operations.promotion import encoded
from tacit.operations.types import PublicArray
from tacit.protocols.interface import Party
from tacit.rounds.contract import Step
from tacit.rounds.cost import Declaration

__all__ = [
    "divide_by_count",
    "divide_by_count_cost",
    "scaled_constant",
    "scaled_product",
    "wide_fraction",
]


def scaled_constant(
    values: PublicArray, fraction_bits: int, least_bits: int = 0, ring: Ring = RING64
) -> tuple[Elements, int]:
    """Integers C and bits g with ``values`` ≈ C / 2^g.

    Parameters
    ----------
    values : ndarray of float64, int64 or bool
        The public factor.
    fraction_bits : int
        The precision wanted: C has at least this many fraction bits unless it is exact with
        fewer, and at least this many significant bits where all values are below 1.
    least_bits : int
        g is at least this.
    ring : Ring
        What C is to be elements of.

    Returns
    -------
    (ndarray of ring.dtype, int)
        C, of the shape of `values`, and g.

    Raises
    ------
    RangeError
        NaN, infinity, or too large (TC-1300, TC-1301).
    """
    if values.dtype.kind != "f":
        integers = encoded(values, int64, ring=ring)
        return (ring.shift_left(integers, least_bits) if least_bits else integers), least_bits
    largest = float(np.abs(values).max()) if values.size else 0.0
    if not math.isfinite(largest):
        encoded(values, int64)  # raises: NaN or infinity
    bits = fraction_bits
    if 0 < largest < 1:
        bits += 1 - math.frexp(largest)[1]
    most = ring.magnitude_bits
    bits = max(min(bits, most), least_bits)
    if largest * 2.0**bits >= 2.0**most:
        raise RangeError(
            f"A public factor is too large for {fraction_bits} fraction bits:"
            f" magnitudes below {2.0 ** (most - bits):g} fit.",
            next_step="scale the data down, or use fewer fractional bits (tacit.fixed_point).",
            case=0,
        )
    scaled = ring.from_floats(np.rint(values * 2.0**bits))
    spare = min(ring.trailing_zeros(scaled), bits - least_bits)
    return (ring.shift_right(scaled, spare) if spare else scaled), bits - spare


def scaled_product(
    party: Party, share: Any, from_bits: int, values: PublicArray, to_bits: int
) -> Step[Any]:
    """x · values for public values, from one number of fraction bits to another.

    Parameters
    ----------
    party : Party
        The party.
    share : arithmetic sharing
        x · 2^from_bits.
    values : ndarray
        Broadcast against x, which already has the result's shape.
    to_bits : int
        Fraction bits of the result, at least `from_bits`.

    Returns
    -------
    arithmetic sharing
        x · values · 2^to_bits; one truncation at most.

    Notes
    -----
    Needs |x · values| below 2^(62 - from_bits - g) (126 in Z_2^128), where g is about `to_bits`
    for factors of at least 1. Relative error of the factor at most 2^-to_bits, or the 2^-53 of
    a float64.
    """
    constant, bits = scaled_constant(values, to_bits, to_bits - from_bits, party.ring)
    product = party.multiply_public(share, constant)
    surplus = from_bits + bits - to_bits
    if surplus:
        product = yield from party.truncate(product, surplus)
    return product


def wide_fraction(party: Party, share: Any, bits: int, fractions: PublicArray) -> Step[Any]:
    """x · fractions for public fractions in [0, 1) and every x that a truncation holds.

    Parameters
    ----------
    party : Party
    share : arithmetic sharing
        x at `bits` fraction bits, |x| below 2^(62 - bits) (126 in Z_2^128).
    fractions : ndarray of float64
        Broadcast against x.

    Returns
    -------
    arithmetic sharing
        x · fractions at `bits` fraction bits, off by one unit and 2^-30 of x.

    Notes
    -----
    Fractions of one bit, such as 1/2, take one truncation. Others become C / 2^30, and x is cut
    into h 2^31 + l: h C · 2 + l C / 2^30, of which neither product reaches 2^62. Two truncations.
    """
    constant, digits = scaled_constant(fractions, bits, 0, party.ring)
    if digits <= 1:
        return (yield from scaled_product(party, share, bits, fractions, bits))
    digits = party.ring.magnitude_bits // 2 - 1
    constant = party.ring.elements([round(float(f) * 2**digits) for f in fractions.reshape(-1)])
    constant = constant.reshape(fractions.shape)
    high = yield from party.truncate(share, digits + 1)
    low = party.subtract(share, party.multiply_public(high, 1 << (digits + 1)))
    low = yield from party.truncate(party.multiply_public(low, constant), digits)
    return party.add(party.multiply_public(party.multiply_public(high, constant), 2), low)


def divide_by_count(
    party: Party, share: Any, from_bits: int, count: float, to_bits: int
) -> Step[Any]:
    """Sums divided by a public count, without losing the headroom that a large count would take.

    Fixed point is divided by the power of two up to `count` first, so that only the mean, not
    the sum, has to leave room for the factor: |mean| below 2^(62 - 2 to_bits), |sum| below
    2^(62 - from_bits). Error at most two units in the last place and 2^-to_bits relative.
    """
    if not from_bits:
        whole = np.asarray(1 / count)
        return (yield from scaled_product(party, share, from_bits, whole, to_bits))
    power = _power_below(count)
    if power:
        share = yield from party.truncate(share, power)
    if count != 1 << power:
        rest = np.asarray((1 << power) / count)
        share = yield from scaled_product(party, share, to_bits, rest, to_bits)
    return share


def divide_by_count_cost(
    costs: Costs, size: int, from_bits: int, count: float, to_bits: int
) -> Declaration:
    """Of `divide_by_count` of `size` sums: at most two truncations; none for a count of 1."""
    if not from_bits:
        _, bits = scaled_constant(np.asarray(1 / count), to_bits, to_bits)
        return costs["truncate"](size, bits - to_bits) if bits > to_bits else NOTHING
    power = _power_below(count)
    shift = costs["truncate"](size, power) if power else NOTHING
    if count == 1 << power:
        return shift
    _, bits = scaled_constant(np.asarray((1 << power) / count), to_bits)
    return in_sequence(shift, costs["truncate"](size, bits) if bits else NOTHING)


def _power_below(count: float) -> int:
    """k of the largest 2^k up to a positive count; 0 for counts below 1."""
    return max(math.frexp(count)[1] - 1, 0)
