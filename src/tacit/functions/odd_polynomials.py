"""Odd polynomials of degree 7 in three levels of products.

With y = u^2, w = u y and z = y^2,

    c_1 u + c_3 u^3 + c_5 u^5 + c_7 u^7 = (c_1 u + c_3 w) + z (c_5 u + c_7 w):

four products, of which the last shares its truncation with all linear terms (Paterson and
Stockmeyer 1973). Half the products of a general polynomial of this degree.

For more than 24 fractional bits (Z_2^128), u times a polynomial in 2u^2 - 1, which also runs over
[-1, 1]: its coefficients stay small.
"""

from __future__ import annotations

from typing import Any

from tacit.functions.approximation import OddPolynomial, Polynomial
from tacit.functions.costs import Costs, in_sequence, side_by_side
from tacit.functions.polynomials import (
    Scaled,
    polynomial,
    polynomial_cost,
    sum_truncate,
    weighted_sum,
)
from tacit.protocols.interface import Party
from tacit.rounds.combine import together
from tacit.rounds.contract import Step
from tacit.rounds.cost import Declaration

__all__ = [
    "fine_odd_polynomial",
    "fine_odd_polynomial_cost",
    "odd_polynomial",
    "odd_polynomial_cost",
]

Y_SCALE = 22
Z_SCALE = 20
SUM_SCALE = 60

FINE_V, FINE_TOTAL, FINE_P = 41, 123, 42
"""Scales of v = 2u^2 - 1, of the sum and of the polynomial's value in Z_2^128."""


def odd_polynomial(party: Party, u: Scaled, function: OddPolynomial, scale: int) -> Step[Any]:
    """p(u) for |u| <= 1 and |p(u)| < 4.

    Parameters
    ----------
    party : Party
    u : Scaled
        At scale 18 to 24.
    function : OddPolynomial
    scale : int
        Of the result.

    Returns
    -------
    arithmetic sharing
        Error: the polynomial's, one unit at `scale`, and about 1e-6.

    Notes
    -----
    Rounds: 3 truncated products. Bytes: 4 an element.
    """
    c_1, c_3, c_5, c_7 = function.coefficients
    y = yield from party.multiply_truncate(u.share, u.share, 2 * u.scale - Y_SCALE)
    w, z = yield from together(
        party.multiply_truncate(u.share, y, u.scale),
        party.multiply_truncate(y, y, 2 * Y_SCALE - Z_SCALE),
    )
    w_ = Scaled(w, Y_SCALE)
    high = weighted_sum(party, [(u, c_5), (w_, c_7)], 0.0, SUM_SCALE - Z_SCALE)
    low = weighted_sum(party, [(u, c_1), (w_, c_3)], 0.0, SUM_SCALE)
    return (yield from sum_truncate(party, [(z, high)], low, SUM_SCALE - scale))


def odd_polynomial_cost(costs: Costs, size: int, u_scale: int, scale: int) -> Declaration:
    """Of `odd_polynomial`."""
    product = costs["multiply_truncate"]
    return in_sequence(
        product(size, 2 * u_scale - Y_SCALE),
        side_by_side(product(size, u_scale), product(size, 2 * Y_SCALE - Z_SCALE)),
        costs["sum_products_truncate"](size, SUM_SCALE - scale),
    )


def fine_odd_polynomial(party: Party, u: Scaled, function: Polynomial, scale: int) -> Step[Any]:
    """u p(2u^2 - 1) for |u| <= 1 and |p| < 2, in Z_2^128.

    Parameters
    ----------
    party : Party
    u : Scaled
        At scale 25 to 44.
    function : Polynomial
    scale : int
        Of the result.

    Returns
    -------
    arithmetic sharing
        Error: the polynomial's, one unit at `scale`, and about 1e-12.

    Notes
    -----
    Rounds: a truncated product, `polynomial`, a truncated product.
    """
    square = yield from party.multiply_truncate(u.share, u.share, 2 * u.scale - _fine_square(u))
    # 2u^2 is the same integer at a scale one lower.
    double = party.multiply_public(square, 1 << (FINE_V + 1 - _fine_square(u)))
    v = Scaled(party.add_public(double, -1 << FINE_V), FINE_V)
    value = yield from polynomial(party, v, function.coefficients, FINE_TOTAL, FINE_P)
    return (yield from party.multiply_truncate(value, u.share, FINE_P + u.scale - scale))


def _fine_square(u: Scaled) -> int:
    return min(FINE_V + 1, 2 * u.scale - 1)


def fine_odd_polynomial_cost(
    costs: Costs, size: int, u_scale: int, coefficients: int, scale: int
) -> Declaration:
    """Of `fine_odd_polynomial`."""
    return in_sequence(
        costs["multiply_truncate"](size, 2 * u_scale - min(FINE_V + 1, 2 * u_scale - 1)),
        polynomial_cost(costs, size, FINE_V, coefficients, FINE_TOTAL - FINE_P),
        costs["multiply_truncate"](size, FINE_P + u_scale - scale),
    )
