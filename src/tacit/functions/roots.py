"""Square root and its reciprocal: a polynomial on [1/2, 1] times half the exponent's power.

With x = x' 2^(61 - f - i), x' in [1/2, 1] and i = 2j + p (``normalization.py``; 125 takes the
place of 61 in Z_2^128):

    sqrt(x)     = sqrt(x')     2^((60 - f) / 2 - j) sqrt(2)^(1 - p)
    1 / sqrt(x) = 1 / sqrt(x') 2^(j - (61 - f) / 2) sqrt(2)^p.

The powers of two are products of factors chosen by the digits of j, exact in the ring. sqrt(2)
is the ratio of two integers, 577 / 408 (wrong by 1.5e-6) or, for more than 24 fractional bits,
275807 / 195025, of which the digit p picks one; the public rest goes into the polynomial's
coefficients. No Newton steps. Source of the method: Aly and Smart 2019, section 5.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp2, frexp
from typing import Any

from tacit.functions import fine_coefficients as fine
from tacit.functions.approximation import Polynomial
from tacit.functions.coefficients import RSQRT, SQRT
from tacit.functions.costs import Costs, in_sequence, side_by_side
from tacit.functions.domains import is_fine, require_fine
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


@dataclass(frozen=True, slots=True)
class _Tables:
    """Polynomials and scales of one precision.

    Attributes
    ----------
    sqrt, rsqrt : Polynomial
    v, total, p : int
        Scales of the polynomial's variable, of its sum and of its value.
    small, large : int
        Two integers whose ratio is sqrt(2).
    """

    sqrt: Polynomial
    rsqrt: Polynomial
    v: int
    total: int
    p: int
    small: int
    large: int


_COARSE = _Tables(SQRT, RSQRT, v=18, total=52, p=20, small=408, large=577)
"""sqrt(2) to 1.5e-6."""

_FINE = _Tables(fine.SQRT, fine.RSQRT, v=41, total=123, p=43, small=195025, large=275807)
"""sqrt(2) to 6.6e-12; factors stay below 2^82, values below 2^44."""


def _tables(fraction_bits: int) -> _Tables:
    return _FINE if is_fine(fraction_bits) else _COARSE


Choices = list[tuple[int, int]]


def _falling(window: Window, tables: _Tables) -> Choices:
    """By digit of i, least significant (p) first: 2^(31-j), or 2^(63-j) in Z_2^128."""
    return [(tables.large, tables.small), *((1 << (1 << k), 1) for k in range(window.digits - 1))]


def _rising(window: Window, tables: _Tables) -> Choices:
    """The same, 2^j."""
    return [(tables.small, tables.large), *((1, 1 << (1 << k)) for k in range(window.digits - 1))]


def sqrt(party: Party, x: Any, fraction_bits: int) -> Step[Any]:
    """The square root.

    Parameters
    ----------
    party : Party
    x : arithmetic sharing
        Any shape, f = `fraction_bits` fractional bits, 0 <= x < 2^(61 - f), or 2^(125 - f)
        in Z_2^128.
    fraction_bits : int
        12 to 24; to 40 in Z_2^128, with the errors of ``accuracy.FINE`` above 24.

    Returns
    -------
    arithmetic sharing
        f fractional bits. Error at most max(6e-5 relative, 2 units in the last place).
        Exactly 0 for x <= 0.

    Notes
    -----
    Rounds: `leading_one`, 2 products, 4 truncated products (30 for `replicated3`).
    """
    require_fine("sqrt", fraction_bits, party.ring.bits)
    tables = _tables(fraction_bits)
    falling = _falling(window_of(party), tables)
    constant = _sqrt_constant(fraction_bits, tables)
    return (yield from _root(party, x, tables, tables.sqrt, falling, constant))


def rsqrt(party: Party, x: Any, fraction_bits: int) -> Step[Any]:
    """One over the square root.

    Parameters
    ----------
    party : Party
    x : arithmetic sharing
        Any shape, f = `fraction_bits` fractional bits, 0 < x < 2^(61 - f), or 2^(125 - f)
        in Z_2^128.
    fraction_bits : int
        12 to 24; to 40 in Z_2^128, with the errors of ``accuracy.FINE`` above 24.

    Returns
    -------
    arithmetic sharing
        f fractional bits. Error at most max(2e-4 relative, 2 units in the last place).
        Exactly 0 for x <= 0, where there is no such number.

    Notes
    -----
    Rounds: `leading_one`, 2 products, 4 truncated products (30 for `replicated3`).
    """
    require_fine("rsqrt", fraction_bits, party.ring.bits)
    tables = _tables(fraction_bits)
    window = window_of(party)
    constant = _rsqrt_constant(fraction_bits, window, tables)
    rising = _rising(window, tables)
    return (yield from _root(party, x, tables, tables.rsqrt, rising, constant))


def hypot(party: Party, x: Any, y: Any, fraction_bits: int) -> Step[Any]:
    """sqrt(x^2 + y^2), from squares that are not truncated.

    Parameters
    ----------
    party : Party
    x, y : arithmetic sharing
        Equal shapes, f = `fraction_bits` fractional bits, x^2 + y^2 < 2^(61 - 2f), or
        2^(125 - 2f) in Z_2^128.
    fraction_bits : int
        12 to 24; to 40 in Z_2^128, with the errors of ``accuracy.FINE`` above 24.

    Returns
    -------
    arithmetic sharing
        f fractional bits. Error at most max(6e-5 relative, 2 units in the last place), for
        small numbers too: the sum of squares has 2f fractional bits, and its root has f.

    Notes
    -----
    Rounds: a product more than `sqrt` (31 for `replicated3`).
    """
    require_fine("hypot", fraction_bits, party.ring.bits)
    tables = _tables(fraction_bits)
    vector = flat(x)
    both = party.concatenate([vector, flat(y)])
    squares = yield from party.multiply(both, both)
    total = party.add(squares[: vector.size], squares[vector.size :])
    falling, constant = _falling(window_of(party), tables), _sqrt_constant(0, tables)
    root = yield from _root(party, total, tables, tables.sqrt, falling, constant)
    return shaped(root, x.shape)


def _sqrt_constant(fraction_bits: int, tables: _Tables) -> float:
    """sqrt(x) 2^f = sqrt(x') · 2^(31-j) · factor · 2^(f/2 - 1) / small."""
    return exp2(fraction_bits / 2 - 1) / tables.small


def _rsqrt_constant(fraction_bits: int, window: Window, tables: _Tables) -> float:
    """2^f / sqrt(x) = 1 / sqrt(x') · 2^j · factor · 2^(3f/2 - unit/2) / small."""
    return exp2(1.5 * fraction_bits - window.unit / 2) / tables.small


def _root(
    party: Party,
    x: Any,
    tables: _Tables,
    function: Polynomial,
    choices: Choices,
    constant: float,
) -> Step[Any]:
    """function(x') · Π choices · constant, 0 for x <= 0."""
    vector = flat(x)
    shift = window_of(party).shift
    leading = yield from leading_one(party, vector, signed=False, choices=[shift, choices])
    of_shift, of_root = leading.factors
    power, factor = yield from together(
        product(party, of_shift), product(party, [*of_root, *leading.flags])
    )
    unit = yield from unit_interval(party, vector, power, tables.v + 2)
    mantissa, exponent = frexp(constant)
    value = yield from polynomial(
        party,
        Scaled(centred(party, unit, tables.v + 2), tables.v),
        [mantissa * c for c in function.coefficients],
        tables.total,
        tables.p,
    )
    result = yield from party.multiply_truncate(value, factor, tables.p - exponent)
    return shaped(result, x.shape)


def _root_cost(
    costs: Costs, size: int, tables: _Tables, function: Polynomial, constant: float
) -> Declaration:
    count = factor_count(costs)
    return in_sequence(
        leading_one_cost(costs, size, choices=2),
        side_by_side(product_cost(costs, size, count), product_cost(costs, size, count + 1)),
        unit_interval_cost(costs, size, tables.v + 2),
        polynomial_cost(costs, size, tables.v, len(function.coefficients), tables.total - tables.p),
        costs["multiply_truncate"](size, tables.p - frexp(constant)[1]),
    )


def sqrt_cost(costs: Costs, size: int, fraction_bits: int = 18) -> Declaration:
    """Of `sqrt`."""
    tables = _tables(fraction_bits)
    return _root_cost(costs, size, tables, tables.sqrt, _sqrt_constant(fraction_bits, tables))


def rsqrt_cost(costs: Costs, size: int, fraction_bits: int = 18) -> Declaration:
    """Of `rsqrt`."""
    tables = _tables(fraction_bits)
    constant = _rsqrt_constant(fraction_bits, window_of_costs(costs), tables)
    return _root_cost(costs, size, tables, tables.rsqrt, constant)


def hypot_cost(costs: Costs, size: int, fraction_bits: int = 18) -> Declaration:
    """Of `hypot`."""
    tables = _tables(fraction_bits)
    root = _root_cost(costs, size, tables, tables.sqrt, _sqrt_constant(0, tables))
    return in_sequence(costs["multiply"](2 * size), root)
