"""Polynomials with public coefficients, in few rounds.

Powers come by repeated doubling of the exponent (logarithmic depth). A polynomial of degree d
is split at h = ceil(d / 2),

    p(u) = (c_0 + … + c_{h-1} u^{h-1}) + u^h (c_h + … + c_d u^{d-h}),

so that all powers above h are replaced by one product, whose truncation is shared with all
linear terms: ceil(d / 2) products in 1 + ceil(log2 h) levels (Paterson and Stockmeyer 1973; for
secret sharing Catrina and Saxena 2010).

Scales. A number v with scale s is the ring integer round(v 2^s). Powers of u with |u| <= 1.25
are kept at scales 26 to 29, which leaves room for the next product below 2^62; products that
lose at most 16 bits cost fewer bytes, so that is preferred. Coefficients are integers whose
scale brings all terms of a sum to the same scale.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tacit.functions.approximation import scaled_integer
from tacit.functions.costs import Costs, in_sequence, side_by_side
from tacit.protocols.interface import Party
from tacit.rounds.combine import together
from tacit.rounds.contract import Step
from tacit.rounds.cost import Declaration

__all__ = [
    "SUM_BITS",
    "Scaled",
    "polynomial",
    "polynomial_cost",
    "power_scales",
    "powers",
    "powers_cost",
    "sum_truncate",
]

LOW_SCALE = 26
HIGH_SCALE = 29
CHEAP_TRUNCATION = 16

SUM_BITS = 32
"""Fused sums of products are truncated by this many bits, so that coefficients keep them."""


@dataclass(frozen=True, slots=True)
class Scaled:
    """A sharing together with its scale: it stands for share / 2^scale."""

    share: Any
    scale: int


def sum_truncate(
    party: Party, pairs: Sequence[tuple[Any, Any]], linear: Any, bits: int
) -> Step[Any]:
    """(Σ x·y + linear) / 2^bits, one truncation; linear is at the scale of the products."""
    one = party.public(np.ones(linear.shape, np.uint64))
    return (yield from party.sum_products_truncate([*pairs, (linear, one)], bits))


def product_shift(scale: int) -> int:
    """By how many bits a product with this many fractional bits is truncated."""
    return max(scale - HIGH_SCALE, min(CHEAP_TRUNCATION, scale - LOW_SCALE))


def power_scales(scale: int, degree: int) -> dict[int, int]:
    """The scale of each power u^1 … u^degree as `powers` computes them from u at `scale`."""
    scales = {1: scale}
    for exponent in range(2, degree + 1):
        total = scales[exponent // 2] + scales[exponent - exponent // 2]
        scales[exponent] = total - max(product_shift(total), 0)
    return scales


def powers(party: Party, u: Scaled, degree: int) -> Step[dict[int, Scaled]]:
    """u^1 … u^degree, by doubling.

    Parameters
    ----------
    party : Party
    u : Scaled
        |u| <= 1.25; beyond it the higher powers are meaningless ring elements.
    degree : int
        At least 1.

    Returns
    -------
    dict of int to Scaled
        Error of u^k: at most 2 k units at its scale (`power_scales`).

    Notes
    -----
    Rounds: ceil(log2 degree) products. Bytes: degree - 1 products an element.
    """
    result = {1: u}
    scales = power_scales(u.scale, degree)
    known = 1
    while known < degree:
        exponents = range(known + 1, min(2 * known, degree) + 1)
        steps = [
            _power(party, result[e // 2], result[e - e // 2], scales[e]) for e in exponents
        ]
        for exponent, share in zip(exponents, (yield from together(*steps)), strict=True):
            result[exponent] = Scaled(share, scales[exponent])
        known = exponents[-1]
    return result


def _power(party: Party, x: Scaled, y: Scaled, scale: int) -> Step[Any]:
    bits = x.scale + y.scale - scale
    if bits == 0:
        return (yield from party.multiply(x.share, y.share))
    return (yield from party.multiply_truncate(x.share, y.share, bits))


def powers_cost(costs: Costs, size: int, scale: int, degree: int) -> Declaration:
    """Of `powers`."""
    scales = power_scales(scale, degree)
    levels: list[Declaration] = []
    known = 1
    while known < degree:
        exponents = range(known + 1, min(2 * known, degree) + 1)
        products = []
        for e in exponents:
            bits = scales[e // 2] + scales[e - e // 2] - scales[e]
            products.append(
                costs["multiply_truncate"](size, bits) if bits else costs["multiply"](size)
            )
        levels.append(side_by_side(*products))
        known = exponents[-1]
    return in_sequence(*levels)


def polynomial(
    party: Party, u: Scaled, coefficients: Sequence[float], fraction_bits: int
) -> Step[Any]:
    """Σ c_k u^k for public coefficients.

    Parameters
    ----------
    party : Party
    u : Scaled
        |u| <= 1.25.
    coefficients : sequence of float
        c_0, c_1, … up to c_d, d >= 2.
    fraction_bits : int
        Of the result, f. |p(u)| < 2^(30 - f) is needed: the sum has f + 32 fractional bits.

    Returns
    -------
    arithmetic sharing
        Error: 1 unit in the last place and about 2^-27 Σ |c_k| |u|^k.

    Notes
    -----
    Rounds: 1 + ceil(log2 ceil(d / 2)) products. Bytes: ceil(d / 2) products an element.
    """
    half = (len(coefficients)) // 2
    power = yield from powers(party, u, half)
    total = fraction_bits + SUM_BITS
    upper = total - power[half].scale
    factor = _linear_sum(party, power, coefficients[half:], upper)
    rest = _linear_sum(party, power, coefficients[:half], total)
    return (yield from sum_truncate(party, [(power[half].share, factor)], rest, SUM_BITS))


def _linear_sum(
    party: Party, power: dict[int, Scaled], coefficients: Sequence[float], scale: int
) -> Any:
    """Σ c_k u^k at a scale, from powers at hand. Local."""
    total = None
    for exponent, coefficient in enumerate(coefficients[1:], 1):
        constant = scaled_integer(coefficient, scale - power[exponent].scale)
        term = party.multiply_public(power[exponent].share, constant)
        total = term if total is None else party.add(total, term)
    constant = scaled_integer(coefficients[0], scale)
    if total is None:
        shape = power[1].share.shape
        return party.public(np.full(shape, constant, np.int64))
    return party.add_public(total, constant)


def polynomial_cost(
    costs: Costs, size: int, scale: int, coefficients: int
) -> Declaration:
    """Of `polynomial` with this many coefficients and u at `scale`."""
    half = coefficients // 2
    last = costs["sum_products_truncate"](size, SUM_BITS)
    if half == 1:
        return last
    return in_sequence(powers_cost(costs, size, scale, half), last)
