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

In Z_2^128 the leading one is sought from bit 124 down: seven digits, 247 ANDs in 7 levels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tacit.functions.costs import Costs, in_sequence, ring_bits, side_by_side
from tacit.protocols.interface import Party
from tacit.rounds.combine import together
from tacit.rounds.contract import Step
from tacit.rounds.cost import Declaration

__all__ = [
    "LONG",
    "SHORT",
    "LeadingOne",
    "Window",
    "centred",
    "first_one",
    "leading_one",
    "leading_one_cost",
    "product",
    "product_cost",
    "unit_interval",
    "unit_interval_cost",
    "window_of",
    "window_of_costs",
]


@dataclass(frozen=True, slots=True)
class Window:
    """The bits among which the leading one is sought.

    Attributes
    ----------
    digits : int
        Binary digits of its position.
    unit : int
        |x| < 2^unit in the ring; x · 2^i has this many fractional bits as x' in [1/2, 1].
    """

    digits: int
    unit: int

    @property
    def leaves(self) -> int:
        """Places that the digits tell apart."""
        return 1 << self.digits

    @property
    def shift(self) -> list[tuple[int, int]]:
        """Factors of 2^i: digit k stands for 1 or 2^(2^k)."""
        return [(1, 1 << (1 << k)) for k in range(self.digits)]


SHORT = Window(6, 61)
"""All magnitudes that Z_2^64 encodes."""

LONG = Window(7, 125)
"""All magnitudes that Z_2^128 encodes."""


def window_of(party: Party) -> Window:
    """All magnitudes that a party's ring encodes."""
    return SHORT if party.ring.bits == 64 else LONG


def window_of_costs(costs: Costs) -> Window:
    """The same, from a table of costs."""
    return SHORT if ring_bits(costs) == 64 else LONG


@dataclass(frozen=True, slots=True)
class LeadingOne:
    """Where the leading one of x is, as arithmetic 0/1 digits of i = unit - 1 - e.

    Attributes
    ----------
    window : Window
    digits : arithmetic sharing, (6, n) or (7, n)
        Binary digits of i, least significant first; all ones where x = 0.
    flag : arithmetic sharing, (n,)
        For signed x its sign -1, 0 or 1; else 1 for x > 0 and 0 for x <= 0. For numbers that
        count as 0 by `lowest` it may be -2; multiply by `found` as well.
    found : arithmetic sharing, (n,)
        1 where there is a leading one, else 0.
    """

    window: Window
    digits: Any
    flag: Any
    found: Any

    def factors(self, party: Party, choices: Sequence[tuple[int, int]]) -> list[Any]:
        """For each digit k a share of choices[k][digit]. Local."""
        return [
            party.linear_combination([self.digits[k]], [one - zero], zero)
            for k, (zero, one) in enumerate(choices)
        ]


def leading_one(
    party: Party, x: Any, *, signed: bool, lowest: int = 0, window: Window | None = None
) -> Step[LeadingOne]:
    """Steps 1 to 3, up to the arithmetic digits.

    Parameters
    ----------
    party : Party
    x : arithmetic sharing, (n,)
        |x| < 2^unit in the ring, the window's: 2^61, or 2^125 in Z_2^128.
    signed : bool
        Whether x may be negative.
    lowest : int
        Bits below this one are ignored: |x| < 2^lowest counts as 0.
    window : Window, optional
        That of the ring, unless x is known to be smaller.

    Notes
    -----
    Rounds: `to_bits`, an AND a digit, a bit to arithmetic (16 for `replicated3`; 18 in Z_2^128).
    """
    top = party.ring.top_bit
    window = window_of(party) if window is None else window
    unit = window.unit
    if signed:
        bits = yield from party.to_bits(party.multiply_public(x, 2))
        # Bit unit + 1 of 2x equals the sign: it makes leaves that are 0.
        ladder = _ladder(window, unit, lowest)
        leaves = party.xor(bits.plane(ladder), bits.plane(np.full(window.leaves, top)))
    else:
        bits = yield from party.to_bits(x)
        # Bit `unit` is 0 for x >= 0.
        leaves = bits.plane(_ladder(window, unit - 1, lowest))
    planes = yield from first_one(party, leaves, window.digits)
    rows = [plane.reshape(1, *x.shape) for plane in (*planes, bits.plane(top))]
    digits = yield from party.bit_to_arithmetic(party.concatenate_bits(rows))
    found, negative = digits[window.digits], digits[window.digits + 1]
    flag = party.subtract(found, party.multiply_public(negative, 2 if signed else 1))
    return LeadingOne(window, digits[: window.digits], flag, found)


def _ladder(window: Window, top: int, lowest: int) -> NDArray[np.intp]:
    """The bits from `top` down to `lowest`, then the one above `top`, which is 0."""
    rungs = list(range(top, lowest - 1, -1))
    return np.array([*rungs, *[top + 1] * (window.leaves - len(rungs))])


def leading_one_cost(costs: Costs, size: int, window: Window | None = None) -> Declaration:
    """Of `leading_one`."""
    window = window_of_costs(costs) if window is None else window
    levels = [
        costs["bitwise_and"](size, (level + 1) * (window.leaves >> (level + 1)))
        for level in range(window.digits)
    ]
    return in_sequence(
        costs["to_bits"](size), *levels, costs["bit_to_arithmetic"]((window.digits + 2) * size)
    )


def first_one(party: Party, leaves: Any, count: int = SHORT.digits) -> Step[list[Any]]:
    """The position of the first 1 among 2^d planes of bits.

    Parameters
    ----------
    party : Party
    leaves : Boolean sharing, planes (2^d,)
    count : int
        d.

    Returns
    -------
    list of Boolean sharing
        The d digits of the position, least significant first (all ones where there is none), then
        whether there is one.

    Notes
    -----
    Rounds: d ANDs. Bits: 120 ANDs an element for d = 6. Two neighbouring groups (found_0, d_0) and
    (found_1, d_1) become found_0 OR found_1 and digits found_0 ? d_0 : d_1, with NOT found_0 as
    the new top digit.
    """
    found = leaves
    digits: list[Any] = []
    for _ in range(count):
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


def unit_interval(
    party: Party, x: Any, power: Any, scale: int, window: Window | None = None
) -> Step[Any]:
    """x' = x · 2^i / 2^unit at `scale`, in [1/2, 1]. One truncated product."""
    unit = (window or window_of(party)).unit
    return (yield from party.multiply_truncate(x, power, unit - scale))


def unit_interval_cost(
    costs: Costs, size: int, scale: int, window: Window | None = None
) -> Declaration:
    """Of `unit_interval`."""
    unit = (window or window_of_costs(costs)).unit
    return costs["multiply_truncate"](size, unit - scale)


def centred(party: Party, x: Any, scale: int) -> Any:
    """v = 4x' - 3 in [-1, 1] at scale - 2, from x' at `scale`. Local."""
    return party.add_public(x, -3 << (scale - 2))
