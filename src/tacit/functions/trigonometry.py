"""Sine, cosine and tangent: the ring itself reduces the angle.

An angle in turns times 2^k (k = 64: the ring's bits) is a ring element, and the ring forgets
whole turns: for x with f fractional bits, t = x K mod 2^k with K = 2^(k - f) / (2 pi) is the
angle's fraction of a turn, a local product with a public number. K is not an integer, and its
rounding would count |x| 2^f times, so what is left of it multiplies the upper half of x: one
truncation, and the reduction is right to 2^-30 turns for every number of the encoding (2^-62 in
Z_2^128).

Then sin(2 pi t) for t in [-1/4, 1/4) turns is an odd polynomial, and for other t it is
sin(2 pi (1/2 - t)): one sign bit and one injection fold the circle onto its right half. The cosine
is the sine a quarter of a turn later.

Sources: range reduction by the modulus, as in Payne and Hanek 1983 for floating point; folding
by one comparison, Aly and Smart 2019, section 5.2.
"""

from __future__ import annotations

from typing import Any

from tacit.functions import fine_coefficients as fine
from tacit.functions.comparison import is_negative
from tacit.functions.costs import NOTHING, Costs, in_sequence, ring_bits
from tacit.functions.division import divide, divide_cost
from tacit.functions.domains import is_fine, require_fine
from tacit.functions.elementary_coefficients import SINE
from tacit.functions.odd_polynomials import (
    fine_odd_polynomial,
    fine_odd_polynomial_cost,
    odd_polynomial,
    odd_polynomial_cost,
)
from tacit.functions.polynomials import Scaled
from tacit.functions.shapes import flat, shaped
from tacit.protocols.interface import Party
from tacit.rounds.contract import Step
from tacit.rounds.cost import Declaration

__all__ = ["cos", "cos_cost", "sin", "sin_cost", "tan", "tan_cost"]

U_SCALE = 22
"""Of the angle in quarter turns."""

TAN_SCALE = 19
"""Of sine and cosine under a tangent."""

TAN_BITS = 18
"""Fractional bits of the quotient: |sin / cos| <= 2^19 lies within the limit of `divide`."""

FINE_U_SCALE = 44
FINE_TAN = 40
"""The three for more than 24 fractional bits."""

INVERSE_TURN_BITS = 256
INVERSE_TURN = 0x28BE60DB9391054A7F09D5F47D4D377036D8A5664F10E4107F9458EAF7AEF158
"""2^256 / (2 pi), rounded down."""


def sin(party: Party, x: Any, fraction_bits: int) -> Step[Any]:
    """The sine of an angle in radians.

    Parameters
    ----------
    party : Party
    x : arithmetic sharing
        Any shape, f = `fraction_bits` fractional bits, every number of the encoding.
    fraction_bits : int
        12 to 24; to 40 in Z_2^128, with the errors of ``accuracy.FINE`` above 24.

    Returns
    -------
    arithmetic sharing
        f fractional bits. Absolute error at most 2 units in the last place and 2e-6.

    Notes
    -----
    Rounds: two truncations, a sign bit, an injection, 3 truncated products (22 for
    `replicated3`).
    """
    require_fine("sin", fraction_bits, party.ring.bits)
    turns = yield from _turns(party, flat(x), fraction_bits)
    return shaped((yield from _sine(party, turns, fraction_bits)), x.shape)


def cos(party: Party, x: Any, fraction_bits: int) -> Step[Any]:
    """The cosine of an angle in radians: the sine a quarter of a turn later; see `sin`."""
    require_fine("cos", fraction_bits, party.ring.bits)
    turns = yield from _turns(party, flat(x), fraction_bits)
    later = party.add_public(turns, 1 << (party.ring.bits - 2))
    return shaped((yield from _sine(party, later, fraction_bits)), x.shape)


def tan(party: Party, x: Any, fraction_bits: int) -> Step[Any]:
    """The tangent of an angle in radians, the quotient of sine and cosine.

    Parameters
    ----------
    party : Party
    x : arithmetic sharing
        Any shape, f = `fraction_bits` fractional bits, |tan x| <= 64.
    fraction_bits : int
        12 to 24; to 40 in Z_2^128, with the errors of ``accuracy.FINE`` above 24.

    Returns
    -------
    arithmetic sharing
        f fractional bits. Error at most max(6e-4 relative, 2 units in the last place) and
        1.2e-5. Nearer to a pole results stay large, with a relative error of 4e-6 |tan x|; within
        2^-19 of a pole they may be 0.

    Notes
    -----
    Rounds: those of `sin` and `divide` (52 for `replicated3`; 2 more for f < 18).
    """
    require_fine("tan", fraction_bits, party.ring.bits)
    vector = flat(x)
    turns = yield from _turns(party, vector, fraction_bits)
    later = party.add_public(turns, 1 << (party.ring.bits - 2))
    scale, bits = _tangent_scales(fraction_bits)
    both = yield from _sine(party, party.concatenate([turns, later]), scale)
    result = yield from divide(party, both[: vector.size], both[vector.size :], bits)
    if fraction_bits < bits:
        result = yield from party.truncate(result, bits - fraction_bits)
    else:
        result = party.multiply_public(result, 1 << (fraction_bits - bits))
    return shaped(result, x.shape)


def _tangent_scales(fraction_bits: int) -> tuple[int, int]:
    """Scale of sine and cosine, and fractional bits of their quotient."""
    return (FINE_TAN, FINE_TAN) if is_fine(fraction_bits) else (TAN_SCALE, TAN_BITS)


def _turns(party: Party, x: Any, fraction_bits: int) -> Step[Any]:
    """x / (2 pi) mod 1 as a ring element: turns times 2^k, two's complement."""
    bits = party.ring.bits
    half = bits // 2
    # x_int · INVERSE_TURN / 2^(256 + f) turns; K and half a ring's bits of what follows it.
    scaled = INVERSE_TURN >> (INVERSE_TURN_BITS + fraction_bits - bits - half)
    whole, rest = divmod(scaled, 1 << half)
    upper = yield from party.truncate(x, half)
    return party.add(party.multiply_public(x, whole), party.multiply_public(upper, rest))


def _sine(party: Party, turns: Any, scale: int) -> Step[Any]:
    """sin(2 pi t) at a scale, from t in turns times 2^k."""
    bits = party.ring.bits
    quarter = 1 << (bits - 2)
    # Where t + 1/4 is not in [0, 1/2), t becomes 1/2 - t (less one unit, to stay below 1/4).
    outside = yield from is_negative(party, party.add_public(turns, quarter))
    mirror = party.add_public(party.multiply_public(turns, -2), (1 << (bits - 1)) - 1)
    folded = party.add(turns, (yield from party.inject(outside, mirror)))
    # In quarter turns the same integer has k - 2 fractional bits. It fills the whole domain of
    # a truncation but for the half unit that rounding to nearest would add.
    rounding = "exact" if party.rounding == "nearest" else party.rounding
    if is_fine(scale):
        u = yield from party.truncate(folded, bits - 2 - FINE_U_SCALE, rounding)
        return (yield from fine_odd_polynomial(party, Scaled(u, FINE_U_SCALE), fine.SINE, scale))
    u = yield from party.truncate(folded, bits - 2 - U_SCALE, rounding)
    return (yield from odd_polynomial(party, Scaled(u, U_SCALE), SINE, scale))


def _turns_cost(costs: Costs, size: int) -> Declaration:
    return costs["truncate"](size, ring_bits(costs) // 2)


def _sine_cost(costs: Costs, size: int, scale: int) -> Declaration:
    u_scale = FINE_U_SCALE if is_fine(scale) else U_SCALE
    coefficients = len(fine.SINE.coefficients)
    return in_sequence(
        costs["most_significant_bit"](size),
        costs["inject"](size),
        costs["truncate"](size, ring_bits(costs) - 2 - u_scale),
        fine_odd_polynomial_cost(costs, size, u_scale, coefficients, scale)
        if is_fine(scale)
        else odd_polynomial_cost(costs, size, u_scale, scale),
    )


def sin_cost(costs: Costs, size: int, fraction_bits: int = 18) -> Declaration:
    """Of `sin` and `cos`."""
    return in_sequence(_turns_cost(costs, size), _sine_cost(costs, size, fraction_bits))


cos_cost = sin_cost


def tan_cost(costs: Costs, size: int, fraction_bits: int = 18) -> Declaration:
    """Of `tan`."""
    scale, bits = _tangent_scales(fraction_bits)
    surplus = bits - fraction_bits
    return in_sequence(
        _turns_cost(costs, size),
        _sine_cost(costs, 2 * size, scale),
        divide_cost(costs, size, bits),
        costs["truncate"](size, surplus) if surplus > 0 else NOTHING,
    )
