"""Activation functions: a bounded bump by pieces, and a tail that is exactly x.

softplus, SiLU, GELU and ELU are x to the right of some point and constant to the left of
another. Between the two a piecewise polynomial (``piecewise.py``) stands for the whole
function; where it ends, its coefficients cancel to exact zeros, and the tail is x times the
comparison bit that the last breakpoint has anyway: one untruncated product, beside the sum of
the pieces, so no round is added. The tail is exact for every x, however large.

erf has constant tails and is a table alone. logaddexp(x, y) = y + softplus(x - y).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tacit.errors import RangeError
from tacit.functions.approximation import PiecewisePolynomial, scaled_integer
from tacit.functions.comparison import is_negative
from tacit.functions.costs import Costs, in_sequence, side_by_side
from tacit.functions.domains import require_fraction_bits
from tacit.functions.elementary_coefficients import ELU, ERF, GELU, SILU, SOFTPLUS
from tacit.functions.piecewise import (
    SUM_BITS,
    combine_bits,
    piecewise,
    piecewise_cost,
    power_scales,
    threshold_digits,
    threshold_digits_cost,
)
from tacit.functions.polynomials import powers, powers_cost
from tacit.functions.shapes import flat, shaped
from tacit.protocols.interface import Party
from tacit.rounds.combine import together
from tacit.rounds.contract import Step
from tacit.rounds.cost import Declaration

__all__ = [
    "elu",
    "elu_cost",
    "erf",
    "erf_cost",
    "gelu",
    "gelu_cost",
    "leaky_relu",
    "leaky_relu_cost",
    "logaddexp",
    "logaddexp_cost",
    "require_slope",
    "silu",
    "silu_cost",
    "softplus",
    "softplus_cost",
]

SLOPE_BITS = 18
"""Fractional bits of a public slope."""

STEEPEST = 64.0
"""Public factors lie within ± this."""


def require_slope(name: str, slope: float) -> None:
    """Refuse public factors for which no error is stated.

    Raises
    ------
    RangeError
        Not finite, or beyond ±64 (TC-1343).
    """
    if not abs(slope) <= STEEPEST:
        raise RangeError(
            f"{name}: the factor below 0 is not within ±{STEEPEST:g}.",
            next_step="use a smaller one; 0.01 and 1 are usual.",
            case=43,
            stage=name,
        )


def erf(party: Party, x: Any, fraction_bits: int) -> Step[Any]:
    """The error function.

    Parameters
    ----------
    party : Party
    x : arithmetic sharing
        Any shape, f = `fraction_bits` fractional bits, |x| < 2^(62 - f).
    fraction_bits : int
        12 to 24.

    Returns
    -------
    arithmetic sharing
        f fractional bits. Absolute error at most 1.6e-4 and 2 units in the last place; exactly
        ±1 beyond ±2.68.

    Notes
    -----
    Rounds: see `piecewise` (12 for `replicated3`).
    """
    require_fraction_bits("erf", fraction_bits)
    return (yield from piecewise(party, x, ERF, fraction_bits))


def softplus(party: Party, x: Any, fraction_bits: int) -> Step[Any]:
    """log(1 + e^x).

    Parameters
    ----------
    party : Party
    x : arithmetic sharing
        Any shape, f = `fraction_bits` fractional bits, |x| < 2^(62 - f).
    fraction_bits : int
        12 to 24.

    Returns
    -------
    arithmetic sharing
        f fractional bits. Absolute error at most 1.5e-4 and 2 units in the last place; exactly
        x above 8.85 and 0 below -8.85.

    Notes
    -----
    Rounds: see `piecewise` (12 for `replicated3`).
    """
    require_fraction_bits("softplus", fraction_bits)
    return (yield from _tailed(party, x, SOFTPLUS, fraction_bits))


def silu(party: Party, x: Any, fraction_bits: int) -> Step[Any]:
    """x / (1 + e^-x); see `softplus`. Exactly x above 12.3 and 0 below -12.3."""
    require_fraction_bits("silu", fraction_bits)
    return (yield from _tailed(party, x, SILU, fraction_bits))


def gelu(party: Party, x: Any, fraction_bits: int) -> Step[Any]:
    """x (1 + erf(x / sqrt 2)) / 2, the exact form; see `softplus`.

    Exactly x above 3.98 and 0 below -3.98.
    """
    require_fraction_bits("gelu", fraction_bits)
    return (yield from _tailed(party, x, GELU, fraction_bits))


def elu(party: Party, x: Any, fraction_bits: int, alpha: float = 1.0) -> Step[Any]:
    """x for x >= 0, alpha (e^x - 1) below, alpha public.

    The stated error times max(1, |alpha|); exactly x for x >= 0 and -alpha below -9.
    See `softplus`.
    """
    require_fraction_bits("elu", fraction_bits)
    return (yield from _tailed(party, x, _scaled(ELU, alpha), fraction_bits))


def _scaled(table: PiecewisePolynomial, factor: float) -> PiecewisePolynomial:
    if factor == 1.0:
        return table
    pieces = tuple(tuple(factor * c for c in piece) for piece in table.pieces)
    return replace(table, pieces=pieces, error=abs(factor) * table.error)


def leaky_relu(party: Party, x: Any, fraction_bits: int, slope: float = 0.01) -> Step[Any]:
    """x for x >= 0, slope · x below, slope public.

    Parameters
    ----------
    party : Party
    x : arithmetic sharing
        Any shape, f = `fraction_bits` fractional bits, |(slope - 1) x| < 2^(44 - f).
    fraction_bits : int
    slope : float
        Rounded to 18 fractional bits.

    Returns
    -------
    arithmetic sharing
        f fractional bits; exactly x for x >= 0 (up to 1 unit with probability 2^-32), else 1
        unit in the last place and 2^-19 |x|.

    Notes
    -----
    Rounds: a sign bit, an injection, a truncation (11 for `replicated3`).
    """
    require_fraction_bits("leaky_relu", fraction_bits)
    negative = yield from is_negative(party, x)
    below = yield from party.inject(negative, x)
    factor = scaled_integer(slope, SLOPE_BITS) - (1 << SLOPE_BITS)
    change = yield from party.truncate(party.multiply_public(below, factor), SLOPE_BITS)
    return party.add(x, change)


def logaddexp(party: Party, x: Any, y: Any, fraction_bits: int) -> Step[Any]:
    """log(e^x + e^y) = y + softplus(x - y); no exponential can overflow.

    |x - y| < 2^(62 - f). Error, rounds and bytes of `softplus`.
    """
    require_fraction_bits("logaddexp", fraction_bits)
    bump = yield from _tailed(party, party.subtract(x, y), SOFTPLUS, fraction_bits)
    return party.add(y, bump)


def _tailed(party: Party, x: Any, table: PiecewisePolynomial, fraction_bits: int) -> Step[Any]:
    """The table, plus x from its last breakpoint on."""
    vector = flat(x)
    thresholds = [scaled_integer(t, fraction_bits) for t in table.breakpoints]
    scales = power_scales(fraction_bits + table.range_bits, table.degree)
    digits, power = yield from together(
        threshold_digits(party, vector, thresholds), powers(party, vector, scales, table.degree)
    )
    total = fraction_bits + SUM_BITS
    exponents = range(1, table.degree + 1)
    weights, constants = table.weights([fraction_bits, *(total - scales[k] for k in exponents)])
    coefficients = combine_bits(party, digits, weights, constants)
    pairs = [(coefficients[k], power[k].share) for k in exponents]
    beyond = party.add_public(party.negate(digits[len(thresholds) - 1]), 1)
    varying, tail = yield from together(
        party.sum_products_truncate(pairs, SUM_BITS), party.multiply(vector, beyond)
    )
    return shaped(party.add(party.add(varying, coefficients[0]), tail), x.shape)


def _tailed_cost(
    costs: Costs, size: int, table: PiecewisePolynomial, fraction_bits: int
) -> Declaration:
    scales = power_scales(fraction_bits + table.range_bits, table.degree)
    return in_sequence(
        side_by_side(
            threshold_digits_cost(costs, size, len(table.breakpoints)),
            powers_cost(costs, size, scales, table.degree),
        ),
        side_by_side(
            costs["sum_products_truncate"](size, SUM_BITS, table.degree), costs["multiply"](size)
        ),
    )


def erf_cost(costs: Costs, size: int, fraction_bits: int = 18) -> Declaration:
    """Of `erf`."""
    return piecewise_cost(costs, size, ERF, fraction_bits)


def softplus_cost(costs: Costs, size: int, fraction_bits: int = 18) -> Declaration:
    """Of `softplus` and `logaddexp`."""
    return _tailed_cost(costs, size, SOFTPLUS, fraction_bits)


logaddexp_cost = softplus_cost


def silu_cost(costs: Costs, size: int, fraction_bits: int = 18) -> Declaration:
    """Of `silu`."""
    return _tailed_cost(costs, size, SILU, fraction_bits)


def gelu_cost(costs: Costs, size: int, fraction_bits: int = 18) -> Declaration:
    """Of `gelu`."""
    return _tailed_cost(costs, size, GELU, fraction_bits)


def elu_cost(costs: Costs, size: int, fraction_bits: int = 18) -> Declaration:
    """Of `elu`."""
    return _tailed_cost(costs, size, ELU, fraction_bits)


def leaky_relu_cost(costs: Costs, size: int, fraction_bits: int = 18) -> Declaration:
    """Of `leaky_relu`."""
    return in_sequence(
        costs["most_significant_bit"](size),
        costs["inject"](size),
        costs["truncate"](size, SLOPE_BITS),
    )
