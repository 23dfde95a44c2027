"""Comparisons: a secret boolean from secret numbers.

All are the sign bit of a difference, so numbers of the same number of fractional bits compare
exactly. The difference of the operands must not overflow: ``|x - y| < 2^63`` in the ring (2^127 in
Z_2^128), which holds for all numbers below 2^62 (2^126). :func:`equal` is exact in the whole ring,
and so is the comparison with public numbers that lie beyond: :func:`less_far`.

Sources: comparison by the sign of the difference, Catrina and de Hoogh (2010); in rings,
Damgard, Escudero, Frederiksen, Keller, Scholl, Volgushev (2019).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tacit.functions.costs import Costs, in_sequence
from tacit.protocols.interface import Party
from tacit.rounds.contract import Step
from tacit.rounds.cost import Declaration

__all__ = [
    "any_far",
    "below_public",
    "below_public_cost",
    "differences",
    "equal",
    "greater",
    "greater_equal",
    "is_negative",
    "is_zero",
    "is_zero_cost",
    "less",
    "less_cost",
    "less_equal",
    "less_far",
    "less_far_cost",
    "not_equal",
]


def is_negative(party: Party, x: Any) -> Step[Any]:
    """x < 0 as a secret boolean: the sign bit. Rounds and bytes of ``most_significant_bit``."""
    return (yield from party.most_significant_bit(x))


def less(party: Party, x: Any, y: Any) -> Step[Any]:
    """x < y, element by element: the sign bit of x - y.

    Parameters
    ----------
    party : Party
    x, y : arithmetic sharing
        Equal shapes, equal fractional bits; |x - y| < 2^63 in the ring.

    Returns
    -------
    Boolean sharing
        Of x's shape. Exact.
    """
    return (yield from is_negative(party, party.subtract(x, y)))


def greater(party: Party, x: Any, y: Any) -> Step[Any]:
    """x > y; see :func:`less`."""
    return (yield from less(party, y, x))


def less_equal(party: Party, x: Any, y: Any) -> Step[Any]:
    """x <= y; see :func:`less`."""
    return party.invert((yield from less(party, y, x)))


def greater_equal(party: Party, x: Any, y: Any) -> Step[Any]:
    """x >= y; see :func:`less`."""
    return party.invert((yield from less(party, x, y)))


def less_cost(costs: Costs, size: int) -> Declaration:
    """Of `less` and its relatives: one sign bit an element."""
    return costs["most_significant_bit"](size)


def is_zero(party: Party, x: Any) -> Step[Any]:
    """x == 0 as a secret boolean, exact for every ring element.

    x - 1 is negative and x is not: true for x = 0 alone. (For x = -2^63 the difference wraps to
    2^63 - 1, which is not negative.) Both sign bits come from one merged step.

    Notes
    -----
    Rounds: those of the sign bit and one. Bytes: two sign bits and one AND an element.
    """
    signs = yield from party.most_significant_bit(differences(party, x, (0, 1)))
    negative = signs.map(lambda bits: bits[0])
    negative_before = signs.map(lambda bits: bits[1])
    return (yield from party.bitwise_and(party.invert(negative), negative_before))


def is_zero_cost(costs: Costs, size: int) -> Declaration:
    """Of `is_zero`, `equal` and `not_equal`."""
    return in_sequence(costs["most_significant_bit"](2 * size), costs["bitwise_and"](size))


def equal(party: Party, x: Any, y: Any) -> Step[Any]:
    """x == y, element by element; see :func:`is_zero`. Exact for all ring elements."""
    return (yield from is_zero(party, party.subtract(x, y)))


def not_equal(party: Party, x: Any, y: Any) -> Step[Any]:
    """x != y, element by element; see :func:`is_zero`. Exact for all ring elements."""
    return party.invert((yield from equal(party, x, y)))


# With public numbers.


def any_far(party: Party, thresholds: Sequence[int]) -> bool:
    """Whether a public number is beyond 2^62 in magnitude (2^126 in Z_2^128)."""
    limit = 1 << party.ring.magnitude_bits
    return any(abs(threshold) > limit for threshold in thresholds)


def less_far(party: Party, x: Any, y: Any) -> Step[Any]:
    """x < y where one of them is public: exact for every element of the ring.

    Parameters
    ----------
    party : Party
    x, y : arithmetic sharing and ndarray of ring elements
        In either order, of equal shapes.

    Returns
    -------
    Boolean sharing
        Exact, also where x - y wraps.

    Notes
    -----
    x - c does not wrap where x and c have the same sign. So [x < c] is [x < 0] AND [x - c < 0]
    for c < 0, and [x < 0] OR [x - c < 0] for the others. c < x is ~x < ~c, with ~x = -x - 1,
    which never wraps. Rounds: those of the sign bit and of an AND. Bytes: two sign bits and one
    AND an element.
    """
    if isinstance(x, np.ndarray):
        ring = party.ring
        constant = ring.subtract(ring.elements(-1), x)
        x, y = party.add_public(party.negate(y), -1), constant
    moved = party.add_public(x, party.ring.negate(y))
    rows = [x.reshape(1, *x.shape), moved.reshape(1, *x.shape)]
    signs = yield from party.most_significant_bit(party.concatenate(rows))
    top = party.ring.shift_right(y, party.ring.top_bit)
    upwards = (1 + party.ring.low_words(top)).astype(np.uint8)
    own, other = (signs.map(lambda bits, k=k: bits[k]) for k in (0, 1))
    return (yield from _ordered(party, own, other, upwards))


def _ordered(party: Party, own: Any, other: Any, upwards: NDArray[np.uint8]) -> Step[Any]:
    """own AND other, or own OR other where `upwards` is 1."""
    flipped = party.xor_public(own, upwards), party.xor_public(other, upwards)
    return party.xor_public((yield from party.bitwise_and(*flipped)), upwards)


def less_far_cost(costs: Costs, size: int) -> Declaration:
    """Of `less_far`."""
    return in_sequence(costs["most_significant_bit"](2 * size), costs["bitwise_and"](size))


def below_public(party: Party, x: Any, thresholds: Sequence[int]) -> Step[Any]:
    """[x < c] for several public c at once, merged in one sign bit of a stacked array.

    Parameters
    ----------
    party : Party
    x : arithmetic sharing
        Any shape; |x - c| < 2^63 for every c, unless one is beyond 2^62 in magnitude: then
        there is no condition.
    thresholds : sequence of int
        Ring integers c, from -2^63 to 2^63; those of Z_2^128 accordingly.

    Returns
    -------
    Boolean sharing, (len(thresholds), *x.shape)
        Exact.

    Notes
    -----
    Rounds: those of one sign bit. Bytes: one sign bit an element and threshold. With thresholds
    beyond 2^62 as in :func:`less_far`: one sign bit an element more, and an AND for each.
    """
    if not any_far(party, thresholds):
        return (yield from party.most_significant_bit(differences(party, x, thresholds)))
    signs = yield from party.most_significant_bit(differences(party, x, [0, *thresholds]))
    column = np.array([threshold >= 0 for threshold in thresholds], np.uint8)
    shape = (len(thresholds), *x.shape)
    upwards = np.broadcast_to(column.reshape(-1, *[1] * x.ndim), shape)
    own = signs.map(lambda bits: np.broadcast_to(bits[:1], shape))
    other = signs.map(lambda bits: bits[1:])
    return (yield from _ordered(party, own, other, upwards))


def below_public_cost(
    costs: Costs, size: int, thresholds: int, *, far: bool = False
) -> Declaration:
    """Of `below_public`; `far` where one of the thresholds is beyond 2^62."""
    signs = costs["most_significant_bit"]((thresholds + far) * size)
    return in_sequence(signs, costs["bitwise_and"](thresholds * size)) if far else signs


def differences(party: Party, x: Any, offsets: Sequence[int]) -> Any:
    """x - c for each public c, stacked along a new first axis. Local."""
    column = party.ring.elements([-offset for offset in offsets])
    column = column.reshape(-1, *[1] * x.ndim)
    return party.add_public(x.reshape(1, *x.shape), column)
