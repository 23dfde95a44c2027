"""Floor, ceiling and their like: whole numbers from fixed point, exactly.

Each is an exact truncation (⌊x / 2^f⌋, see the protocol's ``truncate``) of x or of x moved by a
public constant, whatever the session's rounding mode. Results are ring integers; multiply by
2^f for fixed point. All need |x| + 2^f < 2^62 in the ring.
"""

from __future__ import annotations

from typing import Any

from tacit.functions.comparison import differences, is_negative
from tacit.functions.costs import Costs, in_sequence, side_by_side
from tacit.protocols.interface import Party
from tacit.rounds.combine import together
from tacit.rounds.contract import Step
from tacit.rounds.cost import Declaration

__all__ = [
    "ceil",
    "floor",
    "floor_cost",
    "round_half_even",
    "round_half_even_cost",
    "trunc",
    "trunc_cost",
]


def floor(party: Party, x: Any, fraction_bits: int) -> Step[Any]:
    """The greatest integer that is at most x.

    Parameters
    ----------
    party : Party
    x : arithmetic sharing
        Any shape, f = `fraction_bits` fractional bits.
    fraction_bits : int
        1 to 61.

    Returns
    -------
    arithmetic sharing
        A ring integer. Exact.

    Notes
    -----
    Rounds and bytes of one exact truncation (9 rounds for `replicated3`).
    """
    return (yield from party.truncate(x, fraction_bits, rounding="exact"))


def ceil(party: Party, x: Any, fraction_bits: int) -> Step[Any]:
    """The least integer that is at least x: ⌊x + 1 - 2^-f⌋. Exact; see :func:`floor`."""
    moved = party.add_public(x, (1 << fraction_bits) - 1)
    return (yield from party.truncate(moved, fraction_bits, rounding="exact"))


def floor_cost(costs: Costs, size: int, fraction_bits: int = 18) -> Declaration:
    """Of `floor` and `ceil`."""
    return costs["truncate"](size, fraction_bits, rounding="exact")


def trunc(party: Party, x: Any, fraction_bits: int) -> Step[Any]:
    """x without its fraction: the floor for x >= 0, the ceiling for x < 0. Exact.

    Notes
    -----
    Both are computed at once, beside the sign that chooses. Rounds: an exact truncation and a
    selection (11 for `replicated3`). Bytes: two exact truncations, a sign bit and a selection
    an element.
    """
    both = differences(party, x, (0, 1 - (1 << fraction_bits)))
    whole, negative = yield from together(
        party.truncate(both, fraction_bits, rounding="exact"), is_negative(party, x)
    )
    return (yield from party.select(negative, whole[1], whole[0]))


def trunc_cost(costs: Costs, size: int, fraction_bits: int = 18) -> Declaration:
    """Of `trunc`."""
    return in_sequence(
        side_by_side(
            costs["truncate"](2 * size, fraction_bits, rounding="exact"),
            costs["most_significant_bit"](size),
        ),
        costs["select"](size),
    )


def round_half_even(party: Party, x: Any, fraction_bits: int) -> Step[Any]:
    """The nearest integer, the even one of two that are equally near. Exact.

    Notes
    -----
    With u = ⌊x + 1/2⌋ and d = ⌊x + 1/2 - 2^-f⌋, which differ for halves alone, the result is
    u - p (u - d), where p = u - 2 ⌊(x + 1/2) / 2⌋ says whether u is odd. Rounds: an exact
    truncation and a product (10 for `replicated3`). Bytes: three exact truncations and a
    product an element.
    """
    half = 1 << (fraction_bits - 1)
    both = differences(party, x, (-half, 1 - half))
    whole, above = yield from together(
        party.truncate(both, fraction_bits, rounding="exact"),
        party.truncate(both[0], fraction_bits + 1, rounding="exact"),
    )
    up, down = whole[0], whole[1]
    odd = party.subtract(up, party.multiply_public(above, 2))
    step = yield from party.multiply(odd, party.subtract(up, down))
    return party.subtract(up, step)


def round_half_even_cost(costs: Costs, size: int, fraction_bits: int = 18) -> Declaration:
    """Of `round_half_even`."""
    return in_sequence(
        side_by_side(
            costs["truncate"](2 * size, fraction_bits, rounding="exact"),
            costs["truncate"](size, fraction_bits + 1, rounding="exact"),
        ),
        costs["multiply"](size),
    )
