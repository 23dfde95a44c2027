"""Polynomials with public coefficients, in few rounds.

Powers come by repeated doubling of the exponent (logarithmic depth). A polynomial of degree d
is split at h = ceil(d / 2),

    p(u) = (c_0 + … + c_{h-1} u^{h-1}) + u^h (c_h + … + c_d u^{d-h}),

so that all powers above h are replaced by one product, whose truncation is shared with all
linear terms: ceil(d / 2) products in 1 + ceil(log2 h) levels (Paterson and Stockmeyer 1973; for
secret sharing Catrina and Saxena 2010).

Scales. A number v with scale s is the ring integer round(v 2^s). Where three numbers meet in a
product (power, power, coefficient) their scales add up to at most 60 or so, which is what
decides the precision; public coefficients get what is left.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    "Scaled",
    "linear_sum",
    "polynomial",
    "polynomial_cost",
    "powers",
    "powers_cost",
    "sum_truncate",
    "uniform_scales",
    "weighted_sum",
]


@dataclass(frozen=True, slots=True)
class Scaled:
    """A sharing together with its scale: it stands for share / 2^scale."""

    share: Any
    scale: int


def sum_truncate(
    party: Party, pairs: Sequence[tuple[Any, Any]], linear: Any, bits: int
) -> Step[Any]:
    """(Σ x·y + linear) / 2^bits, one truncation; linear is at the scale of the products."""
    return (yield from party.sum_products_truncate(pairs, bits, linear))


def uniform_scales(scale: int, degree: int) -> dict[int, int]:
    """All powers at the scale of u."""
    return dict.fromkeys(range(1, degree + 1), scale)


def _levels(degree: int) -> list[range]:
    """The exponents that each level of doubling adds."""
    levels = []
    known = 1
    while known < degree:
        levels.append(range(known + 1, min(2 * known, degree) + 1))
        known *= 2
    return levels


def _dropped(scales: Mapping[int, int], exponent: int) -> int:
    half = exponent // 2
    return scales[half] + scales[exponent - half] - scales[exponent]


def powers(party: Party, u: Any, scales: Mapping[int, int], degree: int) -> Step[dict[int, Scaled]]:
    """u^1 … u^degree by doubling, each at its own scale.

    Parameters
    ----------
    party : Party
    u : arithmetic sharing
        At scale ``scales[1]``. Where a product of two powers leaves [-2^62, 2^62), the higher
        powers are meaningless ring elements.
    scales : mapping of int to int
        The scale of each power; a product never gains fractional bits.
    degree : int
        At least 1.

    Returns
    -------
    dict of int to Scaled
        For |u| <= 1 the error of u^k is at most 2k units of the coarsest scale so far.

    Notes
    -----
    Rounds: ceil(log2 degree) products. Bytes: degree - 1 products an element.
    """
    result = {1: Scaled(u, scales[1])}
    for exponents in _levels(degree):
        steps = [
            _multiply(
                party,
                result[e // 2].share,
                result[e - e // 2].share,
                _dropped(scales, e),
            )
            for e in exponents
        ]
        shares = yield from together(*steps)
        for exponent, share in zip(exponents, shares, strict=True):
            result[exponent] = Scaled(share, scales[exponent])
    return result


def _multiply(party: Party, x: Any, y: Any, bits: int) -> Step[Any]:
    if bits == 0:
        return (yield from party.multiply(x, y))
    return (yield from party.multiply_truncate(x, y, bits))


def powers_cost(costs: Costs, size: int, scales: Mapping[int, int], degree: int) -> Declaration:
    """Of `powers`."""

    def product(exponent: int) -> Declaration:
        bits = _dropped(scales, exponent)
        return costs["multiply_truncate"](size, bits) if bits else costs["multiply"](size)

    return in_sequence(*(side_by_side(*map(product, level)) for level in _levels(degree)))


def linear_sum(
    party: Party, power: Mapping[int, Scaled], coefficients: Sequence[float], scale: int
) -> Any:
    """Σ c_k u^k at a scale, from powers at hand. Local."""
    if len(coefficients) == 1:
        constant = scaled_integer(coefficients[0], scale)
        return party.public(np.full(power[1].share.shape, constant, np.int64))
    terms = [(power[k], c) for k, c in enumerate(coefficients[1:], 1)]
    return weighted_sum(party, terms, coefficients[0], scale)


def weighted_sum(
    party: Party, terms: Sequence[tuple[Scaled, float]], constant: float, scale: int
) -> Any:
    """Σ c x + constant at a scale that is at least that of every x. Local."""
    factors = [scaled_integer(coefficient, scale - x.scale) for x, coefficient in terms]
    return party.linear_combination(
        [x.share for x, _ in terms], factors, scaled_integer(constant, scale)
    )


def polynomial(
    party: Party,
    u: Scaled,
    coefficients: Sequence[float],
    total: int,
    scale: int,
    offset: Any = None,
) -> Step[Any]:
    """Σ c_k u^k for public coefficients and |u| <= 1.

    Parameters
    ----------
    party : Party
    u : Scaled
        Powers keep its scale s.
    coefficients : sequence of float
        c_0 … c_d, d >= 2. Those above h are rounded to total - 2s bits.
    total : int
        Scale of the sum before it is truncated: |p(u)| 2^total < 2^62.
    scale : int
        Of the result, below `total`.
    offset : arithmetic sharing, optional
        Added to the sum, at scale `total`.

    Returns
    -------
    arithmetic sharing
        Error: one unit at `scale`, and about 2^-s Σ k |c_k|.

    Notes
    -----
    Rounds: 1 + ceil(log2 ceil(d / 2)) products. Bytes: ceil(d / 2) products an element.
    """
    half = len(coefficients) // 2
    power = yield from powers(party, u.share, uniform_scales(u.scale, half), half)
    factor = linear_sum(party, power, coefficients[half:], total - u.scale)
    rest = linear_sum(party, power, coefficients[:half], total)
    if offset is not None:
        rest = party.add(rest, offset)
    return (yield from sum_truncate(party, [(power[half].share, factor)], rest, total - scale))


def polynomial_cost(
    costs: Costs, size: int, u_scale: int, coefficients: int, dropped: int
) -> Declaration:
    """Of `polynomial` with this many coefficients and total - scale = `dropped`."""
    half = coefficients // 2
    return in_sequence(
        powers_cost(costs, size, uniform_scales(u_scale, half), half),
        costs["sum_products_truncate"](size, dropped),
    )
