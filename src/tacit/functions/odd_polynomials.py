"""Odd polynomials of degree 7 in three levels of products.

With y = u^2, w = u y and z = y^2,

    c_1 u + c_3 u^3 + c_5 u^5 + c_7 u^7 = (c_1 u + c_3 w) + z (c_5 u + c_7 w):

four products, of which the last shares its truncation with all linear terms (Paterson and
Stockmeyer 1973). Half the products of a general polynomial of this degree.
"""

from __future__ import annotations

from typing import Any

from tacit.functions.approximation import OddPolynomial
from tacit.functions.costs import Costs, in_sequence, side_by_side
from tacit.functions.polynomials import Scaled, sum_truncate, weighted_sum
from tacit.protocols.interface import Party
from tacit.rounds.combine import together
from tacit.rounds.contract import Step
from tacit.rounds.cost import Declaration

__all__ = ["odd_polynomial", "odd_polynomial_cost"]

Y_SCALE = 22
Z_SCALE = 20
SUM_SCALE = 60


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
