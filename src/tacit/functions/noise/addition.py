"""Sums of small unsigned integers held as bit planes at different places.

Columns of more than two bits are compressed by full adders (one AND each: the carry of a, b, c is
(a ^ c)(b ^ c) ^ c), all columns at a time (Wallace 1964); the last two numbers are added by
Sklansky's prefix network.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tacit.circuits.prefix import sklansky
from tacit.functions.costs import Costs, in_sequence
from tacit.functions.noise.coins import and_cost
from tacit.protocols.interface import Party
from tacit.rounds.contract import Step
from tacit.rounds.cost import Declaration

__all__ = ["add_shifted", "add_shifted_cost"]


def add_shifted(party: Party, parts: Sequence[Any], shifts: Sequence[int], width: int) -> Step[Any]:
    """Σ 2^shift · part as planes, the least significant first.

    Parameters
    ----------
    party : Party
    parts : sequence of Boolean sharing
        Of some planes each, equal shapes.
    shifts : sequence of int
    width : int
        Planes of the result: it holds the sum.

    Notes
    -----
    Rounds: one a compression, then one and log2 of the width.
    """
    columns: list[list[Any]] = [[] for _ in range(width)]
    for part, shift in zip(parts, shifts, strict=True):
        for place in range(part.planes[0]):
            columns[shift + place].append(part.plane(slice(place, place + 1)))
    while max(map(len, columns)) > 2:
        left, right, rest, places = [], [], [], []
        following: list[list[Any]] = [[] for _ in range(width + 1)]
        for place, column in enumerate(columns):
            for start in range(0, len(column) - 2, 3):
                a, b, c = column[start : start + 3]
                left.append(party.xor(a, c))
                right.append(party.xor(b, c))
                rest.append(c)
                places.append(place)
                following[place].append(party.xor(left[-1], b))
            following[place] += column[len(column) // 3 * 3 :]
        products = yield from party.bitwise_and(_joined(left), _joined(right))
        for number, place in enumerate(places):
            carry = party.xor(products.plane(slice(number, number + 1)), rest[number])
            following[place + 1].append(carry)
        columns = following[:width]
    return (yield from _last_two(party, columns))


def _joined(parts: Sequence[Any]) -> Any:
    return parts[0].joined(parts[1:])


def _last_two(party: Party, columns: Sequence[Sequence[Any]]) -> Step[Any]:
    """The carry-propagating addition of what is left: at most two bits a column."""
    both = [place for place, column in enumerate(columns) if len(column) == 2]
    like = next(column[0] for column in columns if column)
    zero = like.map_words(np.zeros_like)
    first = _joined([column[0] if column else zero for column in columns])
    if not both:
        return first
    second = _joined([column[1] if len(column) == 2 else zero for column in columns])
    total = party.xor(first, second)
    some = yield from party.bitwise_and(first.plane(both), second.plane(both))
    place_of = {place: number for number, place in enumerate(both)}
    generate = [
        some.plane(slice(place_of[p], place_of[p] + 1)) if p in place_of else zero
        for p in range(len(columns))
    ]
    g, p = _joined(generate), total
    for high, low, inner in sklansky(len(columns)):
        again = high[inner]
        operands = _joined([p.plane(high), p.plane(again)])
        others = _joined([g.plane(low), p.plane(low[inner])])
        product = yield from party.bitwise_and(operands, others)
        g = _replaced(g, high, party.xor(g.plane(high), product.plane(slice(0, len(high)))))
        p = _replaced(p, again, product.plane(slice(len(high), None)))
    carries = _joined([zero, g.plane(slice(0, len(columns) - 1))])
    return party.xor(total, carries)


def _replaced(planes: Any, index: Any, by: Any) -> Any:
    order = np.arange(planes.planes[0])
    order[index] = planes.planes[0] + np.arange(len(index))
    return planes.joined([by]).plane(order)


def add_shifted_cost(
    costs: Costs, planes: Sequence[int], shifts: Sequence[int], width: int, size: int
) -> Declaration:
    """Of `add_shifted` of parts with so many planes of `size` bits each."""
    heights = [0] * width
    for count, shift in zip(planes, shifts, strict=True):
        for place in range(count):
            heights[shift + place] += 1
    parts = []
    while max(heights) > 2:
        full = [height // 3 for height in heights]
        parts.append(and_cost(costs, sum(full), size))
        heights = [
            height - 2 * full[place] + (full[place - 1] if place else 0)
            for place, height in enumerate(heights)
        ]
    both = sum(height == 2 for height in heights)
    if both:
        parts.append(and_cost(costs, both, size))
        for high, _, inner in sklansky(width):
            parts.append(and_cost(costs, len(high) + int(inner.sum()), size))
    return in_sequence(*parts)
