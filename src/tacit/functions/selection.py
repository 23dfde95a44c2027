"""Choosing by secret booleans: where, extrema, clipping, absolute value, sign, ReLU.

Each is a sign bit followed by one bit injection (bit times value), as in ABY3 (Mohassel,
Rindal 2018, section 5.4). All are exact where the comparison is: ``|x - y| < 2^63``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tacit.functions.comparison import (
    below_public,
    below_public_cost,
    differences,
    is_negative,
)
from tacit.functions.costs import Costs, in_sequence
from tacit.protocols.interface import Party
from tacit.rounds.contract import Step
from tacit.rounds.cost import Declaration

__all__ = [
    "absolute",
    "clip",
    "clip_cost",
    "copysign",
    "copysign_cost",
    "maximum",
    "maximum_cost",
    "minimum",
    "relu",
    "sign",
    "sign_cost",
    "where",
    "where_cost",
]


def where(party: Party, condition: Any, x: Any, y: Any) -> Step[Any]:
    """x where the secret boolean is true, else y.

    Parameters
    ----------
    party : Party
    condition : Boolean sharing
    x, y : arithmetic sharing
        Of the condition's shape, with equal fractional bits.

    Returns
    -------
    arithmetic sharing
        Exact. Rounds and bytes of one ``select``.
    """
    return (yield from party.select(condition, x, y))


def where_cost(costs: Costs, size: int) -> Declaration:
    """Of `where`."""
    return costs["select"](size)


def maximum(party: Party, x: Any, y: Any) -> Step[Any]:
    """The larger of x and y, element by element: x + [x < y] (y - x). Exact.

    |x - y| < 2^63 in the ring. Rounds: a sign bit and an injection.
    """
    difference = party.subtract(x, y)
    smaller = yield from is_negative(party, difference)
    return party.subtract(x, (yield from party.inject(smaller, difference)))


def minimum(party: Party, x: Any, y: Any) -> Step[Any]:
    """The smaller of x and y, element by element: y + [x < y] (x - y). Exact.

    |x - y| < 2^63 in the ring. Rounds: a sign bit and an injection.
    """
    difference = party.subtract(x, y)
    smaller = yield from is_negative(party, difference)
    return party.add(y, (yield from party.inject(smaller, difference)))


def relu(party: Party, x: Any) -> Step[Any]:
    """max(x, 0): [x >= 0] x. Exact for every ring element.

    Rounds: a sign bit and an injection.
    """
    negative = yield from is_negative(party, x)
    return (yield from party.inject(party.invert(negative), x))


def absolute(party: Party, x: Any) -> Step[Any]:
    """|x|: x - 2 [x < 0] x. Exact for x > -2^63.

    Rounds: a sign bit and an injection.
    """
    negative = yield from is_negative(party, x)
    masked = yield from party.inject(negative, x)
    return party.subtract(x, party.multiply_public(masked, 2))


def maximum_cost(costs: Costs, size: int) -> Declaration:
    """Of `maximum`, `minimum`, `relu` and `absolute`."""
    return in_sequence(costs["most_significant_bit"](size), costs["inject"](size))


def sign(party: Party, x: Any) -> Step[Any]:
    """-1, 0 or 1 as ring integers: [x < 1] is 1 for x <= 0, so 1 - [x < 0] - [x < 1].

    Exact for x > -2^63. Multiply by 2^f for fixed point.

    Notes
    -----
    Rounds: a sign bit and a bit to arithmetic. Bytes: two of each an element.
    """
    signs = yield from below_public(party, x, [0, 1])
    digits = yield from party.bit_to_arithmetic(signs)
    return party.add_public(party.negate(party.sum(digits, axis=0)), 1)


def sign_cost(costs: Costs, size: int) -> Declaration:
    """Of `sign`."""
    return in_sequence(
        costs["most_significant_bit"](2 * size), costs["bit_to_arithmetic"](2 * size)
    )


def copysign(party: Party, x: Any, y: Any) -> Step[Any]:
    """|x| with the sign of y: x - 2 [signs differ] x. Exact for x > -2^63; zero counts as positive.

    Parameters
    ----------
    party : Party
    x, y : arithmetic sharing
        Equal shapes; the fractional bits of y do not matter.

    Notes
    -----
    Rounds: a sign bit and an injection; both sign bits are taken at once.
    """
    pair = party.concatenate([x.map(lambda share: share[None]), y.map(lambda share: share[None])])
    signs = yield from is_negative(party, pair)
    differ = party.xor(signs.map(lambda bits: bits[0]), signs.map(lambda bits: bits[1]))
    masked = yield from party.inject(differ, x)
    return party.subtract(x, party.multiply_public(masked, 2))


def copysign_cost(costs: Costs, size: int) -> Declaration:
    """Of `copysign`."""
    return in_sequence(costs["most_significant_bit"](2 * size), costs["inject"](size))


def clip(party: Party, x: Any, low: int, high: int) -> Step[Any]:
    """x limited to public [low, high], both ring integers.

    Parameters
    ----------
    party : Party
    x : arithmetic sharing
        |x - low| and |x - high| < 2^63, unless one of the limits is beyond 2^62.
    low, high : int
        low <= high; ring integers (encode them first).

    Returns
    -------
    arithmetic sharing
        x + [x < low] (low - x) - [x >= high] (x - high). Exact.

    Notes
    -----
    Rounds: a sign bit and an injection; both comparisons and both injections are merged.
    """
    below = yield from below_public(party, x, [low, high])
    # The second comparison is needed the other way round: flip its bits.
    flips = np.zeros(below.shape, np.uint8)
    flips[1] = 1
    outside = party.xor_public(below, flips)
    moved = yield from party.inject(outside, differences(party, x, [low, high]))
    return party.subtract(x, party.sum(moved, axis=0))


def clip_cost(costs: Costs, size: int, *, far: bool = False) -> Declaration:
    """Of `clip`; `far` where one of the limits is beyond 2^62."""
    return in_sequence(below_public_cost(costs, size, 2, far=far), costs["inject"](2 * size))
