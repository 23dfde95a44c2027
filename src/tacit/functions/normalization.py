"""Normalisation by the leading bit: x = x' · 2^(e+1) with x' in [1/2, 1].

Division, roots and logarithms first bring their operand to [1/2, 1] (Catrina and Saxena 2010,
section 3.4; Aly and Smart 2019, section 5). Here:

1. All bits of x, as Boolean sharings. For signed x the bits of 2x, each XORed with the sign:
   the leading one is then that of |x| (for -2^k one place lower, so x' = 1 is included).
2. The position i of the leading one, counted from bit 60 down, as six Boolean digits: a tree
   that merges neighbours (found, digits), 120 ANDs in 6 levels, fewer than the prefix OR
   (192 ANDs) of the cited papers.
3. 2^i is an exact product in the ring of three factors, one for every two digits, which a
   public table says at once (decision 0012); where the protocol has no such tables, the digits d_k
   become arithmetic and the factors are 1 + d_k (2^(2^k) - 1). One more factor is 0 where x has no
   logarithm or reciprocal, and -1 where a signed x is negative. Two levels of untruncated
   products, without tables three.
4. x · 2^i lies in [2^60, 2^61]; one truncated product gives x'.

In Z_2^128 the leading one is sought from bit 124 down: seven digits, 247 ANDs in 7 levels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from tacit.functions.costs import Costs, in_sequence, ring_bits, side_by_side
from tacit.protocols.interface import Party, PartyWithTables
from tacit.rounds.combine import together
from tacit.rounds.contract import Step
from tacit.rounds.cost import Declaration

__all__ = [
    "LONG",
    "SHORT",
    "Choices",
    "LeadingOne",
    "Window",
    "centred",
    "factor_count",
    "first_one",
    "flag_count",
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
    """Where the leading one of x is: i = unit - 1 - e counts from the highest bit down.

    Attributes
    ----------
    window : Window
    factors : list of list of arithmetic sharing, (n,) each
        For each of the choices asked for, numbers whose product is what the digits of i choose.
        Where x = 0 all digits are 1.
    flags : list of arithmetic sharing, (n,) each
        Their product is, for signed x, its sign -1, 0 or 1, and 0 for numbers that count as 0;
        else 1 for x > 0 and 0 for x <= 0. One, unless `lowest` is given.
    weighted : arithmetic sharing, (n,), or None
        Σ weight · digit of i.
    """

    window: Window
    factors: list[list[Any]]
    flags: list[Any]
    weighted: Any


Choices: TypeAlias = Sequence[tuple[int, int]]
"""For each digit of i, the lowest first, a factor for 0 and one for 1."""


def leading_one(
    party: Party,
    x: Any,
    *,
    signed: bool,
    lowest: int = 0,
    window: Window | None = None,
    choices: Sequence[Choices] | None = None,
    weights: Sequence[int] | None = None,
) -> Step[LeadingOne]:
    """Steps 1 to 3, up to the arithmetic factors.

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
    choices : sequence of Choices, optional
        What the digits choose; without them ``[window.shift]``, so 2^i.
    weights : sequence of int, optional
        Ring integers, one a digit of i.

    Notes
    -----
    Rounds: `to_bits`, an AND a digit, a table at two bits or a bit to arithmetic (16 for
    `replicated3`; 18 in Z_2^128).
    """
    top = party.ring.top_bit
    window = window_of(party) if window is None else window
    choices = [window.shift] if choices is None else choices
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
    *digits, found = yield from first_one(party, leaves, window.digits)
    negative = bits.plane(top)
    if _has_tables(party.costs, party.ring.bits):
        tables = _tables(choices, weights)
        *pairs, (flag,) = yield from together(
            *(
                cast(PartyWithTables, party).lookup(low, high, of_pair)
                for low, high, of_pair in zip(digits[::2], digits[1::2], tables, strict=True)
            ),
            cast(PartyWithTables, party).lookup(found, negative, [[0, 1, 0, -1 if signed else 0]]),
        )
        factors = [[pair[k] for pair in pairs] for k in range(len(choices))]
        parts = [pair[-1] for pair in pairs]
        return LeadingOne(window, factors, [flag], _total(party, parts) if weights else None)
    rows = [plane.reshape(1, *x.shape) for plane in (*digits, found, negative)]
    numbers = yield from party.bit_to_arithmetic(party.concatenate_bits(rows))
    *ones, some, minus = [numbers[k] for k in range(len(rows))]
    factors = [
        [
            party.linear_combination([digit], [one - zero], zero)
            for digit, (zero, one) in zip(ones, choice, strict=True)
        ]
        for choice in choices
    ]
    flag = party.linear_combination([some, minus], [1, -2 if signed else -1])
    weighted = party.linear_combination(ones, weights) if weights else None
    return LeadingOne(window, factors, [flag, some] if lowest else [flag], weighted)


def _has_tables(costs: Costs, bits: int) -> bool:
    """Whether the protocol has tables at two bits, which are over Z_2^64."""
    return "lookup" in costs and bits == 64


def _tables(choices: Sequence[Choices], weights: Sequence[int] | None) -> Iterator[list[list[int]]]:
    """For each two digits the tables of all choices, then of their weighted sum."""
    for low in range(0, len(choices[0]), 2):
        tables = [[a * b for b in choice[low + 1] for a in choice[low]] for choice in choices]
        if weights:
            first, second = weights[low : low + 2]
            tables.append([0, first, second, first + second])
        yield tables


def _total(party: Party, parts: Sequence[Any]) -> Any:
    return party.linear_combination(parts, [1] * len(parts))


def _ladder(window: Window, top: int, lowest: int) -> NDArray[np.intp]:
    """The bits from `top` down to `lowest`, then the one above `top`, which is 0."""
    rungs = list(range(top, lowest - 1, -1))
    return np.array([*rungs, *[top + 1] * (window.leaves - len(rungs))])


def leading_one_cost(
    costs: Costs,
    size: int,
    window: Window | None = None,
    *,
    choices: int = 1,
    weighted: bool = False,
) -> Declaration:
    """Of `leading_one` with so many choices, and with weights."""
    window = window_of_costs(costs) if window is None else window
    levels = [
        costs["bitwise_and"](size, (level + 1) * (window.leaves >> (level + 1)))
        for level in range(window.digits)
    ]
    if _has_tables(costs, ring_bits(costs)):
        of_pair = costs["lookup"](size, choices + weighted)
        last = side_by_side(*[of_pair] * (window.digits // 2), costs["lookup"](size, 1))
    else:
        last = costs["bit_to_arithmetic"]((window.digits + 2) * size)
    return in_sequence(costs["to_bits"](size), *levels, last)


def factor_count(costs: Costs, window: Window | None = None) -> int:
    """The factors of each choice."""
    window = window_of_costs(costs) if window is None else window
    return window.digits // 2 if _has_tables(costs, ring_bits(costs)) else window.digits


def flag_count(costs: Costs, lowest: int) -> int:
    """The factors of the flag."""
    return 1 if _has_tables(costs, ring_bits(costs)) or not lowest else 2


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
