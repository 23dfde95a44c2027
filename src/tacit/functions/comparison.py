"""Comparisons: a secret boolean from secret numbers.

All are the sign bit of a difference, so numbers of the same number of fractional bits compare
exactly. The difference of the operands must not overflow: ``|x - y| < 2^63`` in the ring (2^127 in
Z_2^128), which holds for all numbers below 2^62 (2^126). :func:`equal` is exact in the whole ring.

Sources: comparison by the sign of the difference, Catrina and de Hoogh (2010); in rings,
Damgard, Escudero, Frederiksen, Keller, Scholl, Volgushev (2019).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tacit.functions.costs import Costs, in_sequence
from tacit.protocols.interface import Party
from tacit.rounds.contract import Step
from tacit.rounds.cost import Declaration

__all__ = [
    "below_public",
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


def below_public(party: Party, x: Any, thresholds: Sequence[int]) -> Step[Any]:
    """[x < c] for several public c at once, merged in one sign bit of a stacked array.

    Parameters
    ----------
    party : Party
    x : arithmetic sharing
        Any shape; |x - c| < 2^63 for every c.
    thresholds : sequence of int
        Ring integers c.

    Returns
    -------
    Boolean sharing, (len(thresholds), *x.shape)
        Exact.

    Notes
    -----
    Rounds: those of one sign bit. Bytes: one sign bit an element and threshold.
    """
    return (yield from party.most_significant_bit(differences(party, x, thresholds)))


def differences(party: Party, x: Any, offsets: Sequence[int]) -> Any:
    """x - c for each public c, stacked along a new first axis. Local."""
    column = party.ring.elements([-offset for offset in offsets])
    column = column.reshape(-1, *[1] * x.ndim)
    return party.add_public(x.reshape(1, *x.shape), column)
