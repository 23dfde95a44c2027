"""The exponential, by a polynomial and three squarings.

exp(x) = 2^j exp(t)^8 with t = (x - j log 2) / 8, and exp(t) on |t| <= 2.08 is a polynomial of
degree 8 that needs three products instead of four (Sastre 2018, "Efficient evaluation of matrix
polynomials", where products are what costs; here too). No bits of x are extracted, which is
what makes it cheap: six products, and two comparisons that run meanwhile.

Repeated squaring multiplies relative errors by 8, but the squares of numbers below 1 shrink
their absolute error, and fixed point asks for no more. With j = 23 - f the chain is the same
for every f: x - j log 2 within ±24 log 2, so that |t| <= 2.08, exp(t)^8 < 2^24 at scale 38 and the
last truncation by 15 bits. Where x lies outside, the chain overflows into meaningless ring
elements, which the comparisons multiply by an exact 0.

Of numbers that are not positive, such as those of a softmax, exp(x) = 2^-j exp(t)^4 takes one
squaring less: x + j log 2 lies within ±12 log 2, or is too small to be seen.

More than 24 fractional bits are computed in ``fine_exponential.py``.
"""

from __future__ import annotations

from itertools import pairwise
from math import exp as real_exp
from math import log as real_log
from typing import Any

from tacit.functions.approximation import scaled_integer
from tacit.functions.coefficients import EXP
from tacit.functions.costs import Costs, in_sequence, side_by_side
from tacit.functions.domains import is_fine, require_fine
from tacit.functions.fine_exponential import FineChain, fine_power, fine_power_cost
from tacit.functions.piecewise import threshold_digits, threshold_digits_cost
from tacit.functions.polynomials import Scaled, sum_truncate, weighted_sum
from tacit.functions.shapes import flat, shaped
from tacit.protocols.interface import Party
from tacit.rounds.combine import together
from tacit.rounds.contract import Step
from tacit.rounds.cost import Declaration

__all__ = ["exp", "exp_cost", "exp_domain", "exp_nonpositive", "exp_nonpositive_cost"]

FINEST = 18
"""More fractional bits of x than this are dropped: a relative error of 2^-18 at most."""

T_SCALE = FINEST + 4
Y_SCALE = 22
Q_SCALE = 20
K_SCALE = 24
SUM_SCALE = 58
SQUARES = (27, 24, 19)
"""Scales of exp(t), its square and its fourth power."""

RESULT_DROPS = 15
T_LIMIT = 2.07

FINEST_NONPOSITIVE = 19
LOWEST = -16.5
"""Of `exp_nonpositive`: exp of it is about one unit of 24 fractional bits."""
LAST_DROPS = 32
"""The most that its last truncation drops, so that carries fit 4 bytes."""


def exp_domain(fraction_bits: int) -> tuple[float, float]:
    """Below the first number the result is 0; above the second it is exp of that number."""
    if is_fine(fraction_bits):
        low, high = -(fraction_bits + 1), FineChain(fraction_bits).most
        return low * real_log(2.0), high * real_log(2.0)
    return (
        -(fraction_bits + 1) * real_log(2.0),
        (23 - fraction_bits) * real_log(2.0) + 8 * T_LIMIT,
    )


def exp(party: Party, x: Any, fraction_bits: int) -> Step[Any]:
    """e^x.

    Parameters
    ----------
    party : Party
    x : arithmetic sharing
        Any shape, f = `fraction_bits` fractional bits, |x| < 2^(62 - f).
    fraction_bits : int
        12 to 24; to 40 in Z_2^128, with the errors of ``accuracy.FINE`` above 24.

    Returns
    -------
    arithmetic sharing
        f fractional bits. Error at most max(5e-4 relative, 2 units in the last place) for
        x <= (23 - f) log 2 + 16.56 (20.0 for f = 18; 24.2 for 12; 15.8 for 24); above, the
        result stays at exp of that bound. Exactly 0 below -(f + 1) log 2, where e^x is less
        than half a unit in the last place.

    Notes
    -----
    Rounds: six products in sequence and one more round; the comparisons run beside them (19
    for `replicated3`; 2 more for f > 18). Bytes: 2 comparisons, 2 bit conversions, 6 truncated
    products and one plain one an element.
    """
    require_fine("exp", fraction_bits, party.ring.bits)
    vector = flat(x)
    low, high = exp_domain(fraction_bits)
    thresholds = [scaled_integer(bound, fraction_bits) for bound in (low, high)]
    digits, value = yield from together(
        threshold_digits(party, vector, thresholds), _power(party, vector, fraction_bits)
    )
    inside = party.subtract(digits[1], digits[0])
    result = yield from party.multiply(value, inside)
    # The bound as x has it, where that could be told from the bound itself.
    bound = thresholds[1] * 2.0**-fraction_bits if is_fine(fraction_bits) else high
    largest = scaled_integer(real_exp(bound), fraction_bits)
    saturated = party.add_public(party.multiply_public(digits[1], -largest), largest)
    return shaped(party.add(result, saturated), x.shape)


def _power(party: Party, x: Any, fraction_bits: int) -> Step[Any]:
    """e^x where it fits, else meaningless ring elements."""
    if is_fine(fraction_bits):
        return (yield from fine_power(party, x, FineChain(fraction_bits)))
    surplus = fraction_bits - FINEST
    if surplus > 0:
        x = yield from party.truncate(x, surplus)
    elif surplus < 0:
        x = party.multiply_public(x, 1 << -surplus)
    centre = (23 - fraction_bits) * real_log(2.0)
    # t / 2 = (x - j log 2) / 16: four more fractional bits.
    w = yield from _exp_near_zero(party, party.add_public(x, -scaled_integer(centre, FINEST)))
    for before, after in pairwise(SQUARES):
        w = yield from party.multiply_truncate(w, w, 2 * before - after)
    return (yield from party.multiply_truncate(w, w, RESULT_DROPS))


def exp_nonpositive(party: Party, x: Any, fraction_bits: int) -> Step[Any]:
    """e^x for x <= 0.

    Parameters
    ----------
    party : Party
    x : arithmetic sharing
        Any shape, f = `fraction_bits` fractional bits, -2^(62 - f) < x <= 0.
    fraction_bits : int
        12 to 24; to 40 in Z_2^128, with the errors of ``accuracy.FINE`` above 24.

    Returns
    -------
    arithmetic sharing
        f fractional bits. Error at most max(8e-5 relative, 3 units in the last place); exactly 0
        below -(f + 1) log 2 and below -16.5.

    Notes
    -----
    Rounds: five products in sequence and one more round; a comparison runs beside them (16 for
    `replicated3`; 2 more for f > 19).
    """
    require_fine("exp_nonpositive", fraction_bits, party.ring.bits)
    if is_fine(fraction_bits):
        return (yield from exp(party, x, fraction_bits))
    vector = flat(x)
    threshold = scaled_integer(_lowest(fraction_bits), fraction_bits)
    digits, value = yield from together(
        threshold_digits(party, vector, [threshold]),
        _power_nonpositive(party, vector, fraction_bits),
    )
    seen = party.add_public(party.negate(digits[0]), 1)
    return shaped((yield from party.multiply(value, seen)), x.shape)


def _power_nonpositive(party: Party, x: Any, fraction_bits: int) -> Step[Any]:
    """e^x where it is seen, else meaningless ring elements."""
    octaves, scale = _octaves(fraction_bits)
    surplus = fraction_bits - FINEST_NONPOSITIVE
    if surplus > 0:
        x = yield from party.truncate(x, surplus)
    elif surplus < 0:
        x = party.multiply_public(x, 1 << -surplus)
    centre = octaves * real_log(2.0)
    # t / 2 = (x + j log 2) / 8: three more fractional bits.
    t = party.add_public(x, scaled_integer(centre, FINEST_NONPOSITIVE))
    w = yield from _exp_near_zero(party, t)
    w = yield from party.multiply_truncate(w, w, 2 * SQUARES[0] - scale)
    return (yield from party.multiply_truncate(w, w, 2 * scale + octaves - fraction_bits))


def _lowest(fraction_bits: int) -> float:
    return max(-(fraction_bits + 1) * real_log(2.0), LOWEST)


def _octaves(fraction_bits: int) -> tuple[int, int]:
    """j, half of the octaves that are seen, and the scale of exp(t)^2 < 2^6."""
    octaves = round(-_lowest(fraction_bits) / (2 * real_log(2.0)))
    return octaves, (LAST_DROPS + fraction_bits - octaves) // 2


def _exp_near_zero(party: Party, t: Any) -> Step[Any]:
    """exp(2t) for |2t| <= 2.08 at scale 27, from t at scale 22."""
    a, b = EXP.inner
    d_3, d_2, d_1, d_0 = EXP.outer
    e_2, e_1, e_0 = EXP.rest
    # Step 1: y = t^2.
    t_ = Scaled(t, T_SCALE)
    y = yield from party.multiply_truncate(t, t, 2 * T_SCALE - Y_SCALE)
    y_ = Scaled(y, Y_SCALE)
    # Step 2: q = y (y + a t + b).
    k = weighted_sum(party, [(y_, 1.0), (t_, a)], b, K_SCALE)
    q = yield from party.multiply_truncate(y, k, Y_SCALE + K_SCALE - Q_SCALE)
    # Step 3: q (d_3 q + d_2 y + d_1 t + d_0) + e_2 y + e_1 t + e_0.
    q_ = Scaled(q, Q_SCALE)
    d = weighted_sum(party, [(q_, d_3), (y_, d_2), (t_, d_1)], d_0, SUM_SCALE - Q_SCALE)
    e = weighted_sum(party, [(y_, e_2), (t_, e_1)], e_0, SUM_SCALE)
    return (yield from sum_truncate(party, [(q, d)], e, SUM_SCALE - SQUARES[0]))


def exp_cost(costs: Costs, size: int, fraction_bits: int = 18) -> Declaration:
    """Of `exp`."""
    if is_fine(fraction_bits):
        power = fine_power_cost(costs, size, FineChain(fraction_bits))
    else:
        power = _power_cost(costs, size, fraction_bits)
    return in_sequence(
        side_by_side(threshold_digits_cost(costs, size, 2), power), costs["multiply"](size)
    )


def _power_cost(costs: Costs, size: int, fraction_bits: int) -> Declaration:
    drops = [
        2 * T_SCALE - Y_SCALE,
        Y_SCALE + K_SCALE - Q_SCALE,
        SUM_SCALE - SQUARES[0],
        2 * SQUARES[0] - SQUARES[1],
        2 * SQUARES[1] - SQUARES[2],
        RESULT_DROPS,
    ]
    chain = [costs["multiply_truncate"](size, bits) for bits in drops]
    if fraction_bits > FINEST:
        chain.insert(0, costs["truncate"](size, fraction_bits - FINEST))
    return in_sequence(*chain)


def exp_nonpositive_cost(costs: Costs, size: int, fraction_bits: int = 18) -> Declaration:
    """Of `exp_nonpositive`."""
    if is_fine(fraction_bits):
        return exp_cost(costs, size, fraction_bits)
    octaves, scale = _octaves(fraction_bits)
    drops = [
        2 * T_SCALE - Y_SCALE,
        Y_SCALE + K_SCALE - Q_SCALE,
        SUM_SCALE - SQUARES[0],
        2 * SQUARES[0] - scale,
        2 * scale + octaves - fraction_bits,
    ]
    chain = [costs["multiply_truncate"](size, bits) for bits in drops]
    if fraction_bits > FINEST_NONPOSITIVE:
        chain.insert(0, costs["truncate"](size, fraction_bits - FINEST_NONPOSITIVE))
    return in_sequence(
        side_by_side(threshold_digits_cost(costs, size, 1), in_sequence(*chain)),
        costs["multiply"](size),
    )
