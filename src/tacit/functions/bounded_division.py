"""Quotients by a sum of known size: no normalisation by the leading bit.

For a divisor s in [1, k] with a public k the best quadratic for 1/s has the relative error
e_0 = 1 / T_3((k + 1) / (k - 1)) (T_3 Chebyshev's polynomial). It starts Goldschmidt's iteration
(Goldschmidt 1964), whose first product is already the numerator's:

    N / s = N r_0 (1 + e) (1 + e^2) (1 + e^4) …      with e = 1 - s r_0.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import acosh, cosh, floor, log2
from typing import Any

from tacit.functions.approximation import scaled_integer
from tacit.functions.costs import Costs, in_sequence, side_by_side
from tacit.functions.division import divide, divide_cost, reciprocal, reciprocal_cost
from tacit.functions.domains import is_fine
from tacit.functions.polynomials import sum_truncate
from tacit.protocols.interface import Party
from tacit.rounds.combine import together
from tacit.rounds.contract import Step
from tacit.rounds.cost import Declaration

__all__ = ["quotients_by_row", "quotients_by_row_cost"]

SCALE = 24
"""Fractional bits inside the quotient."""

START_SCALE = 18
"""Fractional bits of the divisor where the iteration starts."""

MOST = 128
"""Larger k take a division by any secret."""

QUOTIENT_ERROR = 2.0**-17
"""The iteration goes on until the quotient's relative error is below this."""


@dataclass(frozen=True, slots=True)
class _Start:
    """r_0 = slope (s - vertex)^2 + intercept on [1, k], and how often to iterate."""

    vertex: float
    slope: float
    intercept: float
    steps: int


def _start(most: int) -> _Start:
    """1 - s r_0(s) = T_3(y) / T_3(y_0) with y = (2s - k - 1) / (k - 1) and y_0 its value at 0."""
    middle, half = (most + 1) / 2, (most - 1) / 2
    top = cosh(3 * acosh(middle / half))
    # T_3(y) = 4 y^3 - 3 y, y = (s - m) / h, and -T_3(y_0) = top:
    # r_0 = (1 + T_3(y) / top) / s = (4 s^2 - 12 m s + 12 m^2 - 3 h^2) / (h^3 top).
    unit = half**3 * top
    steps, error = 1, 1 / top**2
    while error > QUOTIENT_ERROR:
        steps, error = steps + 1, error**2
    return _Start(1.5 * middle, 4 / unit, (3 * middle**2 - 3 * half**2) / unit, steps)


def _slope_bits(slope: float) -> int:
    """Fractional bits of the slope, which is at most 0.33: about twelve significant ones.

    slope (s - vertex)^2 is below 2, so the product fits with 2 · 18 + 24 bits.
    """
    return min(24, 12 - floor(log2(slope)))


def quotients_by_row(
    party: Party, numerators: Any, divisors: Any, most: int, fraction_bits: int
) -> Step[Any]:
    """Every number of a row over the row's divisor.

    Parameters
    ----------
    party : Party
    numerators : arithmetic sharing, (n, m)
        f = `fraction_bits` fractional bits, quotients of magnitude at most 1.
    divisors : arithmetic sharing, (n,)
        f fractional bits, in [1, most] up to a few units in the last place or 1e-3 relative.
    most : int
        Public, at least 2.
    fraction_bits : int
        12 to 24.

    Returns
    -------
    arithmetic sharing, (n, m)
        f fractional bits. Error at most max(2e-5 relative, 2 units in the last place); above
        128 that of `divide`. For more than 24 fractional bits (Z_2^128) 1e-11 relative and 3
        units.

    Notes
    -----
    Rounds: 4 truncated products for most = 2, 5 for 10, 8 for 100; `divide` above 128.
    """
    rows = numerators.shape[0]
    powers, total = numerators, divisors
    if is_fine(fraction_bits):
        inverse = yield from reciprocal(party, total, fraction_bits)
        factors = party.broadcast(inverse.reshape(rows, 1), powers.shape)
        return (yield from party.multiply_truncate(powers, factors, fraction_bits))
    if most > MOST:
        every = party.broadcast(total.reshape(rows, 1), powers.shape)
        return (yield from divide(party, powers, every, fraction_bits))
    start = _start(most)
    bits = _slope_bits(start.slope)
    rough = total
    if fraction_bits > START_SCALE:
        rough = yield from party.truncate(total, fraction_bits - START_SCALE)
    elif fraction_bits < START_SCALE:
        rough = party.multiply_public(total, 1 << (START_SCALE - fraction_bits))
    difference = party.add_public(rough, -scaled_integer(start.vertex, START_SCALE))
    sloped = party.multiply_public(difference, scaled_integer(start.slope, bits))
    square = yield from party.multiply_truncate(difference, sloped, 2 * START_SCALE + bits - SCALE)
    inverse = party.add_public(square, scaled_integer(start.intercept, SCALE))
    wide = party.broadcast(inverse.reshape(rows, 1), powers.shape)
    product, quotient = yield from together(
        party.multiply_truncate(total, inverse, fraction_bits),
        party.multiply_truncate(powers, wide, fraction_bits),
    )
    error = party.add_public(party.negate(product), 1 << SCALE)
    for step in range(start.steps):
        factor = party.broadcast(error.reshape(rows, 1), powers.shape)
        linear = party.multiply_public(quotient, 1 << SCALE)
        last = step == start.steps - 1
        drops = 2 * SCALE - fraction_bits if last else SCALE
        grown = sum_truncate(party, [(quotient, factor)], linear, drops)
        if last:
            return (yield from grown)
        quotient, error = yield from together(grown, party.multiply_truncate(error, error, SCALE))
    raise AssertionError("at least one step")


def quotients_by_row_cost(
    costs: Costs, rows: int, columns: int, most: int, fraction_bits: int
) -> Declaration:
    """Of `quotients_by_row`."""
    size = rows * columns
    if is_fine(fraction_bits):
        return in_sequence(
            reciprocal_cost(costs, rows, fraction_bits),
            costs["multiply_truncate"](size, fraction_bits),
        )
    if most > MOST:
        return divide_cost(costs, size, fraction_bits)
    start = _start(most)
    product = costs["multiply_truncate"]
    parts = [
        product(rows, 2 * START_SCALE + _slope_bits(start.slope) - SCALE),
        side_by_side(product(rows, fraction_bits), product(size, fraction_bits)),
    ]
    if fraction_bits > START_SCALE:
        parts.insert(0, costs["truncate"](rows, fraction_bits - START_SCALE))
    between = side_by_side(costs["sum_products_truncate"](size, SCALE), product(rows, SCALE))
    parts += [between] * (start.steps - 1)
    parts.append(costs["sum_products_truncate"](size, 2 * SCALE - fraction_bits))
    return in_sequence(*parts)
