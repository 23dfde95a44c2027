"""Square root and its reciprocal: a polynomial on [1/2, 1] times half the exponent's power.

With x = x' 2^(61 - f - i), x' in [1/2, 1] and i = 2j + p (``normalization.py``; 125 takes the
place of 61 in Z_2^128):

    sqrt(x)     = sqrt(x')     2^((60 - f) / 2 - j) sqrt(2)^(1 - p)
    1 / sqrt(x) = 1 / sqrt(x') 2^(j - (61 - f) / 2) sqrt(2)^p.

The powers of two are products of factors chosen by the digits of j, exact in the ring. sqrt(2)
is the ratio 577 / 408 of two integers (wrong by 1.5e-6), of which the digit p picks one; the
public rest goes into the polynomial's coefficients. No Newton steps. Source of the
method: Aly and Smart 2019, section 5.3.
"""

from __future__ import annotations

from math import exp2, frexp
from typing import Any

from tacit.functions.approximation import Polynomial
from tacit.functions.coefficients import RSQRT, SQRT
from tacit.functions.costs import Costs, in_sequence, side_by_side
from tacit.functions.domains import require_fraction_bits
from tacit.functions.normalization import (
    Window,
    centred,
    factor_count,
    leading_one,
    leading_one_cost,
    product,
    product_cost,
    unit_interval,
    unit_interval_cost,
    window_of,
    window_of_costs,
)
from tacit.functions.polynomials import Scaled, polynomial, polynomial_cost
from tacit.functions.shapes import flat, shaped
from tacit.protocols.interface import Party
from tacit.rounds.combine import together
from tacit.rounds.contract import Step
from tacit.rounds.cost import Declaration

__all__ = ["hypot", "hypot_cost", "rsqrt", "rsqrt_cost", "sqrt", "sqrt_cost"]

V_SCALE = 18
SUM_SCALE = 52
P_SCALE = 20

SMALL, LARGE = 408, 577
"""Two integers whose ratio is sqrt(2) to 1.5e-6."""

Choices = list[tuple[int, int]]


def _falling(window: Window) -> Choices:
    """By digit of i, least significant (p) first: 2^(31-j), or 2^(63-j) in Z_2^128."""
    return [(LARGE, SMALL), *((1 << (1 << k), 1) for k in range(window.digits - 1))]


def _rising(window: Window) -> Choices:
    """The same, 2^j."""
    return [(SMALL, LARGE), *((1, 1 << (1 << k)) for k in range(window.digits - 1))]


def sqrt(party: Party, x: Any, fraction_bits: int) -> Step[Any]:
    """The square root.

    Parameters
    ----------
    party : Party
    x : arithmetic sharing
        Any shape, f = `fraction_bits` fractional bits, 0 <= x < 2^(61 - f), or 2^(125 - f)
        in Z_2^128.
    fraction_bits : int
        12 to 24.

    Returns
    -------
    arithmetic sharing
        f fractional bits. Error at most max(6e-5 relative, 2 units in the last place).
        Exactly 0 for x <= 0.

    Notes
    -----
    Rounds: `leading_one`, 2 products, 4 truncated products (30 for `replicated3`).
    """
    require_fraction_bits("sqrt", fraction_bits)
    return (
        yield from _root(party, x, SQRT, _falling(window_of(party)), _sqrt_constant(fraction_bits))
    )


def rsqrt(party: Party, x: Any, fraction_bits: int) -> Step[Any]:
    """One over the square root.

    Parameters
    ----------
    party : Party
    x : arithmetic sharing
        Any shape, f = `fraction_bits` fractional bits, 0 < x < 2^(61 - f), or 2^(125 - f)
        in Z_2^128.
    fraction_bits : int
        12 to 24.

    Returns
    -------
    arithmetic sharing
        f fractional bits. Error at most max(2e-4 relative, 2 units in the last place).
        Exactly 0 for x <= 0, where there is no such number.

    Notes
    -----
    Rounds: `leading_one`, 2 products, 4 truncated products (30 for `replicated3`).
    """
    require_fraction_bits("rsqrt", fraction_bits)
    window = window_of(party)
    constant = _rsqrt_constant(fraction_bits, window)
    return (yield from _root(party, x, RSQRT, _rising(window), constant))


def hypot(party: Party, x: Any, y: Any, fraction_bits: int) -> Step[Any]:
    """sqrt(x^2 + y^2), from squares that are not truncated.

    Parameters
    ----------
    party : Party
    x, y : arithmetic sharing
        Equal shapes, f = `fraction_bits` fractional bits, x^2 + y^2 < 2^(61 - 2f), or
        2^(125 - 2f) in Z_2^128.
    fraction_bits : int
        12 to 24.

    Returns
    -------
    arithmetic sharing
        f fractional bits. Error at most max(6e-5 relative, 2 units in the last place), for
        small numbers too: the sum of squares has 2f fractional bits, and its root has f.

    Notes
    -----
    Rounds: a product more than `sqrt` (31 for `replicated3`).
    """
    require_fraction_bits("hypot", fraction_bits)
    vector = flat(x)
    both = party.concatenate([vector, flat(y)])
    squares = yield from party.multiply(both, both)
    total = party.add(squares[: vector.size], squares[vector.size :])
    falling = _falling(window_of(party))
    return shaped((yield from _root(party, total, SQRT, falling, _sqrt_constant(0))), x.shape)


def _sqrt_constant(fraction_bits: int) -> float:
    """sqrt(x) 2^f = sqrt(x') · 2^(31-j) · factor · 2^(f/2 - 1) / 408."""
    return exp2(fraction_bits / 2 - 1) / SMALL


def _rsqrt_constant(fraction_bits: int, window: Window) -> float:
    """2^f / sqrt(x) = 1 / sqrt(x') · 2^j · factor · 2^(3f/2 - unit/2) / 408."""
    return exp2(1.5 * fraction_bits - window.unit / 2) / SMALL


def _root(
    party: Party, x: Any, function: Polynomial, choices: Choices, constant: float
) -> Step[Any]:
    """function(x') · Π choices · constant, 0 for x <= 0."""
    vector = flat(x)
    shift = window_of(party).shift
    leading = yield from leading_one(party, vector, signed=False, choices=[shift, choices])
    of_shift, of_root = leading.factors
    power, factor = yield from together(
        product(party, of_shift), product(party, [*of_root, *leading.flags])
    )
    unit = yield from unit_interval(party, vector, power, V_SCALE + 2)
    mantissa, exponent = frexp(constant)
    value = yield from polynomial(
        party,
        Scaled(centred(party, unit, V_SCALE + 2), V_SCALE),
        [mantissa * c for c in function.coefficients],
        SUM_SCALE,
        P_SCALE,
    )
    result = yield from party.multiply_truncate(value, factor, P_SCALE - exponent)
    return shaped(result, x.shape)


def _root_cost(costs: Costs, size: int, function: Polynomial, constant: float) -> Declaration:
    count = factor_count(costs)
    return in_sequence(
        leading_one_cost(costs, size, choices=2),
        side_by_side(product_cost(costs, size, count), product_cost(costs, size, count + 1)),
        unit_interval_cost(costs, size, V_SCALE + 2),
        polynomial_cost(costs, size, V_SCALE, len(function.coefficients), SUM_SCALE - P_SCALE),
        costs["multiply_truncate"](size, P_SCALE - frexp(constant)[1]),
    )


def sqrt_cost(costs: Costs, size: int, fraction_bits: int = 18) -> Declaration:
    """Of `sqrt`."""
    return _root_cost(costs, size, SQRT, _sqrt_constant(fraction_bits))


def rsqrt_cost(costs: Costs, size: int, fraction_bits: int = 18) -> Declaration:
    """Of `rsqrt`."""
    constant = _rsqrt_constant(fraction_bits, window_of_costs(costs))
    return _root_cost(costs, size, RSQRT, constant)


def hypot_cost(costs: Costs, size: int, fraction_bits: int = 18) -> Declaration:
    """Of `hypot`."""
    return in_sequence(
        costs["multiply"](2 * size), _root_cost(costs, size, SQRT, _sqrt_constant(0))
    )
