"""Sigmoid and hyperbolic tangent with more than 24 fractional bits, from the exponential (Z_2^128).

With q = e^-|z| in [0, 1] and p = 1 / (1 + q) in [1/2, 1], sigmoid z is p for z >= 0 and 1 - p
below, and tanh (z / 2) is ± (2p - 1). 1 + q needs no normalisation: half of it lies in [1/2, 1],
where ``division.py`` begins. Pieces that are as precise would need far higher degrees.
"""

from __future__ import annotations

from typing import Any

from tacit.functions.comparison import is_negative
from tacit.functions.costs import Costs, in_sequence
from tacit.functions.division import (
    FINE,
    first_reciprocal,
    first_reciprocal_cost,
    refined,
    refined_cost,
)
from tacit.functions.exponential import exp, exp_cost
from tacit.functions.shapes import flat, shaped
from tacit.protocols.interface import Party
from tacit.rounds.contract import Step
from tacit.rounds.cost import Declaration

__all__ = ["fine_sigmoid", "fine_sigmoid_cost", "fine_tanh"]

SCALES = (46, 46)
"""Of r_0 and of its error: the numerator is 1, so there is room for all of both."""


def _drops(fraction_bits: int) -> int:
    """B = r_0 / 2 with the guard bits, from r_0."""
    return SCALES[0] + 1 - fraction_bits - FINE.guard_bits


def fine_sigmoid(party: Party, x: Any, fraction_bits: int) -> Step[Any]:
    """1 / (1 + e^-x); see `sigmoid`."""
    vector = flat(x)
    negative, p = yield from _of_magnitude(party, vector, fraction_bits)
    # p for x >= 0, 1 - p below.
    mirrored = party.add_public(party.multiply_public(p, -2), 1 << fraction_bits)
    change = yield from party.inject(negative, mirrored)
    return shaped(party.add(p, change), x.shape)


def fine_tanh(party: Party, x: Any, fraction_bits: int) -> Step[Any]:
    """(1 - e^-2x) / (1 + e^-2x); see `tanh`."""
    vector = flat(x)
    double = party.multiply_public(vector, 2)
    negative, p = yield from _of_magnitude(party, double, fraction_bits)
    value = party.add_public(party.multiply_public(p, 2), -1 << fraction_bits)
    change = yield from party.inject(negative, party.multiply_public(value, -2))
    return shaped(party.add(value, change), x.shape)


def _of_magnitude(party: Party, z: Any, fraction_bits: int) -> Step[tuple[Any, Any]]:
    """[z < 0] and 1 / (1 + e^-|z|)."""
    negative = yield from is_negative(party, z)
    below = yield from party.inject(negative, z)
    # -|z| = 2 [z < 0] z - z.
    falling = party.subtract(party.multiply_public(below, 2), z)
    q = yield from exp(party, falling, fraction_bits)
    half = party.add_public(q, 1 << fraction_bits)
    unit = party.multiply_public(half, 1 << (FINE.x_scale - 1 - fraction_bits))
    r = yield from first_reciprocal(party, unit, SCALES[0], FINE)
    beginning = party.truncate(r, _drops(fraction_bits))
    return negative, (yield from refined(party, unit, r, beginning, SCALES, FINE))


def fine_sigmoid_cost(costs: Costs, size: int, fraction_bits: int) -> Declaration:
    """Of `fine_sigmoid` and `fine_tanh`."""
    return in_sequence(
        costs["most_significant_bit"](size),
        costs["inject"](size),
        exp_cost(costs, size, fraction_bits),
        first_reciprocal_cost(costs, size, SCALES[0], FINE),
        refined_cost(costs, size, costs["truncate"](size, _drops(fraction_bits)), SCALES, FINE),
        costs["inject"](size),
    )
