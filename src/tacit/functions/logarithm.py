"""Logarithms: log x = log x' + (e + 1) log 2 with x' in [1/2, 1].

The integer part is a public linear combination of the digits of e (``normalization.py``), so
it is free; log x' is a polynomial of degree 6 (16 for more than 24 fractional bits). Both are
added before the one truncation. Where x is near 1 the two cancel; the fit is relative to log x
there (that of degree 6), so that the error near 1 stays within 2 units in the last place. Other
bases have tables of their own, so that nothing is rounded twice. Source of the method: Aly and
Smart 2019, section 5.4.
"""

from __future__ import annotations

from math import log as real_log
from math import log10 as real_log10
from typing import Any

from tacit.functions import fine_coefficients as fine
from tacit.functions.approximation import Polynomial, scaled_integer
from tacit.functions.coefficients import LOG
from tacit.functions.costs import Costs, in_sequence
from tacit.functions.domains import is_fine, require_fine
from tacit.functions.elementary_coefficients import LOG2, LOG10
from tacit.functions.normalization import (
    SHORT,
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
)
from tacit.functions.polynomials import Scaled, polynomial, polynomial_cost
from tacit.functions.shapes import flat, shaped
from tacit.protocols.interface import Party
from tacit.rounds.contract import Step
from tacit.rounds.cost import Declaration

__all__ = ["LOG_OF_NOTHING", "log", "log1p", "log2", "log10", "log_cost", "logarithm"]

V_SCALE, SUM_SCALE = 19, 56
"""log x lies within ±43, below 2^6; within ±87 in Z_2^128, where there is room."""

FINE_SCALES = (39, 118)
"""The same two for more than 24 fractional bits: |log x| < 2^7."""


def _scales(fraction_bits: int) -> tuple[int, int]:
    return FINE_SCALES if is_fine(fraction_bits) else (V_SCALE, SUM_SCALE)


LOG_OF_NOTHING = -(1 << 20)
"""What stands for minus infinity, the logarithm of x <= 0, give or take 64."""


def log(party: Party, x: Any, fraction_bits: int) -> Step[Any]:
    """The natural logarithm.

    Parameters
    ----------
    party : Party
    x : arithmetic sharing
        Any shape, f = `fraction_bits` fractional bits, 0 < x < 2^(61 - f), or 2^(125 - f) in
        Z_2^128: every positive number that the encoding holds, from 2^-f on.
    fraction_bits : int
        12 to 24; to 40 in Z_2^128, with the errors of ``accuracy.FINE`` above 24.

    Returns
    -------
    arithmetic sharing
        f fractional bits. Error at most max(5e-5 relative, 2 units in the last place), also
        close to 1, and 1.5e-6 (which matters for f > 18). For x <= 0 a number below
        -10^6 that stands for minus infinity.

    Notes
    -----
    Rounds: `leading_one`, 2 products, 4 truncated products (30 for `replicated3`).
    """
    require_fine("log", fraction_bits, party.ring.bits)
    table = fine.LOG if is_fine(fraction_bits) else LOG
    return (yield from logarithm(party, x, fraction_bits, table, real_log(2.0)))


def log1p(party: Party, x: Any, fraction_bits: int) -> Step[Any]:
    """log(1 + x): 1 + x is exact in fixed point, and `log` is accurate near 1.

    Parameters
    ----------
    party : Party
    x : arithmetic sharing
        Any shape, f = `fraction_bits` fractional bits, -1 < x < 2^(61 - f) - 1, or
        2^(125 - f) - 1 in Z_2^128.
    fraction_bits : int
        12 to 24; to 40 in Z_2^128, with the errors of ``accuracy.FINE`` above 24.

    Returns
    -------
    arithmetic sharing
        f fractional bits. Error, rounds and bytes of `log`; below -10^6 for x <= -1.
    """
    require_fine("log1p", fraction_bits, party.ring.bits)
    table = fine.LOG if is_fine(fraction_bits) else LOG
    shifted = party.add_public(x, 1 << fraction_bits)
    return (yield from logarithm(party, shifted, fraction_bits, table, real_log(2.0)))


def log2(party: Party, x: Any, fraction_bits: int) -> Step[Any]:
    """The logarithm to base 2; see `log` for domain, rounds and bytes.

    Error at most max(8e-5 relative, 2 units in the last place) and 2e-6.
    """
    require_fine("log2", fraction_bits, party.ring.bits)
    table = fine.LOG2 if is_fine(fraction_bits) else LOG2
    return (yield from logarithm(party, x, fraction_bits, table, 1.0))


def log10(party: Party, x: Any, fraction_bits: int) -> Step[Any]:
    """The logarithm to base 10; see `log` for domain, rounds and bytes.

    Error at most max(8e-5 relative, 2 units in the last place) and 1.5e-6.
    """
    require_fine("log10", fraction_bits, party.ring.bits)
    table = fine.LOG10 if is_fine(fraction_bits) else LOG10
    return (yield from logarithm(party, x, fraction_bits, table, real_log10(2.0)))


def logarithm(
    party: Party, x: Any, fraction_bits: int, mantissa: Polynomial, octave: float
) -> Step[Any]:
    """The logarithm to any base: `mantissa` on [1/2, 1], `octave` the logarithm of 2.

    `fraction_bits` is not limited to 12 to 24 here: x is read and the result is given with
    that many fractional bits.
    """
    vector = flat(x)
    v_scale, sum_scale = _scales(fraction_bits)
    window = window_of(party)
    weights, constant = _whole_part(window, fraction_bits, octave)
    leading = yield from leading_one(party, vector, signed=False, weights=weights)
    (flag,) = leading.flags
    power = yield from product(party, [*leading.factors[0], flag])
    unit = yield from unit_interval(party, vector, power, v_scale + 2)
    result = yield from polynomial(
        party,
        Scaled(centred(party, unit, v_scale + 2), v_scale),
        mantissa.coefficients,
        sum_scale,
        fraction_bits,
        offset=party.linear_combination([leading.weighted], [1], constant),
    )
    # flag - 1 is -1 for x <= 0, else 0.
    missing = party.multiply_public(party.add_public(flag, -1), -LOG_OF_NOTHING << fraction_bits)
    return shaped(party.add(result, missing), x.shape)


def _whole_part(window: Window, fraction_bits: int, octave: float) -> tuple[list[int], int]:
    """(unit - f - i) log 2 at the sum's scale: x = x' 2^(unit - f - i), as weights of i's digits
    and a constant.
    """
    _, scale = _scales(fraction_bits)
    weights = [scaled_integer(-(1 << k) * octave, scale) for k in range(window.digits)]
    # In two parts, so that the seventh digit of the longer ring cancels without a rest.
    further = scaled_integer((window.unit - SHORT.unit) * octave, scale)
    return weights, scaled_integer((SHORT.unit - fraction_bits) * octave, scale) + further


def log_cost(costs: Costs, size: int, fraction_bits: int = 18) -> Declaration:
    """Of `log`, `log1p`, `log2` and `log10`."""
    v_scale, sum_scale = _scales(fraction_bits)
    table = fine.LOG if is_fine(fraction_bits) else LOG
    return in_sequence(
        leading_one_cost(costs, size, weighted=True),
        product_cost(costs, size, factor_count(costs) + 1),
        unit_interval_cost(costs, size, v_scale + 2),
        polynomial_cost(costs, size, v_scale, len(table.coefficients), sum_scale - fraction_bits),
    )
