"""Normalisation by the leading bit: x = x' · 2^(e+1) with x' in [1/2, 1].

Division, roots and logarithms first bring their operand to [1/2, 1] (Catrina and Saxena 2010,
section 3.4; Aly and Smart 2019, section 5). Here:

1. All bits of x, as Boolean sharings. For signed x the bits of 2x, each XORed with the sign:
   the leading one is then that of |x| (for -2^k one place lower, so x' = 1 is included).
2. The position i of the leading one, counted from bit 60 down, as six Boolean digits: a tree
   that merges neighbours (found, digits), 120 ANDs in 6 levels, fewer than the prefix OR
   (192 ANDs) of the cited papers.
3. The digits d_k become arithmetic, and 2^i = Π (1 + d_k (2^(2^k) - 1)) is an exact product
   in the ring: three levels of untruncated products. One more factor is 0 where x has no
   logarithm or reciprocal, and -1 where a signed x is negative.
4. x · 2^i lies in [2^60, 2^61]; one truncated product gives x'.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tacit.functions.costs import Costs, in_sequence, side_by_side
from tacit.protocols.interface import Party
from tacit.rounds.combine import together
from tacit.rounds.contract import Step
from tacit.rounds.cost import Declaration

__all__ = [
    "DIGITS",
    "SHIFT",
    "TOP",
    "UNIT",
    "LeadingOne",
    "centred",
    "first_one",
    "leading_one",
    "leading_one_cost",
    "product",
    "product_cost",
    "unit_interval",
    "unit_interval_cost",
]

TOP = 60
"""The highest bit of magnitudes in the encoding: |x| < 2^61 in the ring."""

UNIT = TOP + 1
"""x · 2^i has this many fractional bits as x' in [1/2, 1]."""

DIGITS = 6
LEAVES = 1 << DIGITS

SHIFT = [(1, 1 << (1 << k)) for k in range(DIGITS)]
"""Factors of 2^i: digit k stands for 1 or 2^(2^k)."""


@dataclass(frozen=True, slots=True)
class LeadingOne:
    """Where the leading one of x is, as arithmetic 0/1 digits of i = 60 - e.

    Attributes
    ----------
    digits : arithmetic sharing, (6, n)
        Binary digits of i, least significant first; all ones where x = 0.
    flag : arithmetic sharing, (n,)
        For signed x its sign -1, 0 or 1; else 1 for x > 0 and 0 for x <= 0. For numbers that
        count as 0 by `lowest` it may be -2; multiply by `found` as well.
    found : arithmetic sharing, (n,)
        1 where there is a leading one, else 0.
    """

    digits: Any
    flag: Any
    found: Any

    def factors(self, party: Party, choices: Sequence[tuple[int, int]]) -> list[Any]:
        """For each digit k a share of choices[k][digit]. Local."""
        zero, one = np.array(choices, np.int64).T[:, :, None]
        chosen = party.add_public(party.multiply_public(self.digits, one - zero), zero)
        return [chosen[k] for k in range(DIGITS)]


def leading_one(party: Party, x: Any, *, signed: bool, lowest: int = 0) -> Step[LeadingOne]:
    """Steps 1 to 3, up to the arithmetic digits.

    Parameters
    ----------
    party : Party
    x : arithmetic sharing, (n,)
        |x| < 2^61 in the ring.
    signed : bool
        Whether x may be negative.
    lowest : int
        Bits below this one are ignored: |x| < 2^lowest counts as 0.

    Notes
    -----
    Rounds: `to_bits`, 6 ANDs, a bit to arithmetic (16 for `replicated3`).
    """
    top = party.ring.top_bit
    if signed:
        bits = yield from party.to_bits(party.multiply_public(x, 2))
        # Bit 62 of 2x equals the sign: it makes leaves that are 0.
        ladder = _ladder(TOP + 1, lowest, 62)
        leaves = party.xor(bits.plane(ladder), bits.plane(np.full(LEAVES, top)))
    else:
        bits = yield from party.to_bits(x)
        # Bit 61 is 0 for x >= 0.
        leaves = bits.plane(_ladder(TOP, lowest, 61))
    planes = yield from first_one(party, leaves)
    rows = [plane.reshape(1, *x.shape) for plane in (*planes, bits.plane(top))]
    digits = yield from party.bit_to_arithmetic(party.concatenate_bits(rows))
    found, negative = digits[DIGITS], digits[DIGITS + 1]
    flag = party.subtract(found, party.multiply_public(negative, 2 if signed else 1))
    return LeadingOne(digits[:DIGITS], flag, found)


def _ladder(top: int, lowest: int, empty: int) -> NDArray[np.intp]:
    rungs = list(range(top, lowest - 1, -1))
    return np.array([*rungs, *[empty] * (LEAVES - len(rungs))])


def leading_one_cost(costs: Costs, size: int) -> Declaration:
    """Of `leading_one`."""
    levels = [
        costs["bitwise_and"](size, (level + 1) * (LEAVES >> (level + 1))) for level in range(DIGITS)
    ]
    return in_sequence(
        costs["to_bits"](size), *levels, costs["bit_to_arithmetic"]((DIGITS + 2) * size)
    )


def first_one(party: Party, leaves: Any) -> Step[list[Any]]:
    """The position of the first 1 among 64 planes of bits.

    Parameters
    ----------
    party : Party
    leaves : Boolean sharing, planes (64,)

    Returns
    -------
    list of Boolean sharing
        The six digits of the position, least significant first (63 where there is none), then
        whether there is one.

    Notes
    -----
    Rounds: 6 ANDs. Bits: 120 ANDs an element. Two neighbouring groups (found_0, d_0) and
    (found_1, d_1) become found_0 OR found_1 and digits found_0 ? d_0 : d_1, with NOT found_0 as
    the new top digit.
    """
    found = leaves
    digits: list[Any] = []
    for _ in range(DIGITS):
        rows = [found, *digits]
        first = [row.plane(slice(0, None, 2)) for row in rows]
        second = [row.plane(slice(1, None, 2)) for row in rows]
        differing = [second[0]] + [
            party.xor(a, b) for a, b in zip(first[1:], second[1:], strict=True)
        ]
        gates = yield from party.bitwise_and(
            party.stack_planes([first[0]] * len(rows)), party.stack_planes(differing)
        )
        digits = [party.xor(b, gates.plane(k)) for k, b in enumerate(second[1:], 1)]
        digits.append(party.invert(first[0]))
        found = party.xor(party.xor(first[0], second[0]), gates.plane(0))
    return [row.plane(0) for row in (*digits, found)]


def product(party: Party, factors: Sequence[Any]) -> Step[Any]:
    """The product of several sharings in the ring, in a tree. ceil(log2) rounds."""
    remaining = list(factors)
    while len(remaining) > 1:
        pairs = zip(remaining[::2], remaining[1::2], strict=False)
        products = yield from together(*(party.multiply(x, y) for x, y in pairs))
        remaining = [*products, *remaining[len(remaining) & ~1 :]]
    return remaining[0]


def product_cost(costs: Costs, size: int, factors: int) -> Declaration:
    """Of `product`."""
    levels = []
    while factors > 1:
        levels.append(side_by_side(*[costs["multiply"](size)] * (factors // 2)))
        factors = (factors + 1) // 2
    return in_sequence(*levels)


def unit_interval(party: Party, x: Any, power: Any, scale: int) -> Step[Any]:
    """x' = x · 2^i / 2^61 at `scale`, in [1/2, 1]. One truncated product."""
    return (yield from party.multiply_truncate(x, power, UNIT - scale))


def unit_interval_cost(costs: Costs, size: int, scale: int) -> Declaration:
    """Of `unit_interval`."""
    return costs["multiply_truncate"](size, UNIT - scale)


def centred(party: Party, x: Any, scale: int) -> Any:
    """v = 4x' - 3 in [-1, 1] at scale - 2, from x' at `scale`. Local."""
    return party.add_public(x, -3 << (scale - 2))
