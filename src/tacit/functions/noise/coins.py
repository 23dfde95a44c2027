"""Comparison of uniform secret bits with thresholds, public or secret, and monomials of bits.

All on planes of packed bits, many draws at a time. An AND of several planes is one message.
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
    "and_cost",
    "below",
    "below_cost",
    "below_public_thresholds",
    "below_public_thresholds_cost",
    "linear",
    "monomials",
    "monomials_cost",
]


def and_cost(costs: Costs, planes: int, size: int) -> Declaration:
    """Of one AND of `planes` planes of `size` bits, a multiple of 64."""
    return costs["bitwise_and"](planes * size)


def _rows(a: Any, start: int, stop: int | None, step: int = 1) -> Any:
    return a.plane(slice(start, stop, step))


def _joined(parts: Sequence[Any]) -> Any:
    """Planes behind planes. Local."""
    first = parts[0]
    return first.joined(parts[1:])


def monomials(party: Party, bits: Any) -> Step[Any]:
    """All products of subsets of the bit planes.

    Parameters
    ----------
    party : Party
    bits : Boolean sharing
        b planes, b a power of two.

    Returns
    -------
    Boolean sharing
        2^b planes: number m is the product of the bits i with bit i of m set; number 0 is 1.

    Notes
    -----
    Rounds: log2 b. Bytes: 2^b - b - 1 ANDs.
    """
    count = bits.planes[0]
    one = party.stack_planes([party.public_bits(np.ones(bits.shape, np.uint8))])
    groups = [_joined([one, _rows(bits, i, i + 1)]) for i in range(count)]
    while len(groups) > 1:
        low, high = groups[::2], groups[1::2]
        width = low[0].planes[0]
        inner = range(1, width)
        left = [g.plane(np.tile(np.arange(1, width), width - 1)) for g in low]
        right = [g.plane(np.repeat(np.arange(1, width), width - 1)) for g in high]
        products = yield from party.bitwise_and(_joined(left), _joined(right))
        merged = []
        for number, (lower, upper) in enumerate(zip(low, high, strict=True)):
            # Number h · width + l: l alone for h = 0, h alone for l = 0, else a product.
            start = number * (width - 1) ** 2
            rows = [lower]
            for h in inner:
                rows.append(_rows(upper, h, h + 1))
                begin = start + (h - 1) * (width - 1)
                rows.append(_rows(products, begin, begin + width - 1))
            merged.append(_joined(rows))
        groups = merged
    return groups[0]


def monomials_cost(costs: Costs, bits: int, size: int) -> Declaration:
    """Of `monomials` of `bits` planes of `size` bits."""
    parts, groups, width = [], bits, 2
    while groups > 1:
        parts.append(and_cost(costs, groups // 2 * (width - 1) ** 2, size))
        groups, width = groups // 2, width * width
    return in_sequence(*parts)


def linear(planes: Any, rows: NDArray[np.bool_]) -> Any:
    """XORs of planes: one for each row of a public matrix (outputs, planes). Local."""
    chosen = [np.flatnonzero(row) for row in rows]

    def reduced(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
        out = np.zeros((len(chosen), words.shape[-1]), np.uint64)
        for place, index in enumerate(chosen):
            if index.size:
                np.bitwise_xor.reduce(words[index], axis=0, out=out[place])
        return out

    return planes.map_words(reduced)


def below(party: Party, x: Any, y: Any) -> Step[Any]:
    """[x < y] for unsigned integers as planes, the least significant first.

    A tree of (less, equal) pairs: the upper half decides, unless it is equal.

    Parameters
    ----------
    party : Party
    x, y : Boolean sharing
        The same number of planes, a power of two.

    Returns
    -------
    Boolean sharing
        One plane axis of length 1.

    Notes
    -----
    Rounds: 1 + log2 of the planes. Bytes: three ANDs a plane, without a few.
    """
    less = yield from party.bitwise_and(party.invert(x), y)
    equal = party.invert(party.xor(x, y))
    return (yield from _decided(party, less, equal))


def below_cost(costs: Costs, planes: int, size: int) -> Declaration:
    """Of `below`."""
    return in_sequence(and_cost(costs, planes, size), _decided_cost(costs, planes, size))


def _decided(party: Party, less: Any, equal: Any) -> Step[Any]:
    """Joins (less, equal) of neighbouring planes until one `less` is left."""
    count = less.planes[0]
    while count > 1:
        half = count // 2
        low, high = _rows(less, 0, None, 2), _rows(less, 1, None, 2)
        upper = _rows(equal, 1, None, 2)
        # The lowest pair's `equal` is asked for by nobody.
        both = _rows(equal, 2, None, 2)
        product = yield from party.bitwise_and(
            _joined([upper, _rows(upper, 1, half)]), _joined([low, both])
        )
        less = party.xor(high, _rows(product, 0, half))
        # A place holder for the lowest pair's.
        equal = _joined([_rows(product, 0, 1), _rows(product, half, 2 * half - 1)])
        count = half
    return less


def _decided_cost(costs: Costs, planes: int, size: int) -> Declaration:
    parts = []
    while planes > 1:
        parts.append(and_cost(costs, planes - 1, size))
        planes //= 2
    return in_sequence(*parts)


def below_public_thresholds(
    party: Party, bits: Any, thresholds: Sequence[int], width: int
) -> Step[Any]:
    """[u_i < c_i] for unsigned integers of `width` planes each and public thresholds.

    Parameters
    ----------
    party : Party
    bits : Boolean sharing
        len(thresholds) · width planes: number i's bits, the least significant first, at
        i · width; width is a power of two.
    thresholds : sequence of int
        0 <= c_i < 2^width.

    Returns
    -------
    Boolean sharing
        One plane for each threshold.

    Notes
    -----
    Where the threshold has a 1, "less" is the inverted bit and "equal" the bit; else less is 0.
    Rounds: log2 of the width. Bytes: two ANDs a plane, without a few.
    """
    count = len(thresholds)
    ones = np.array([[c >> k & 1 for k in range(width)] for c in thresholds], bool)
    # The planes of one place of all numbers lie together: neighbours are pairs of places.
    order = np.arange(count * width).reshape(count, width).T.reshape(-1)
    flat = ones.T.reshape(-1)
    bits = bits.plane(order)
    inverted = party.invert(bits)
    both = _joined([bits, inverted])
    places = np.arange(count * width)
    equal = both.plane(np.where(flat, places, places + count * width))
    mask = np.where(flat, np.uint64(0xFFFF_FFFF_FFFF_FFFF), np.uint64(0))[:, None]
    less = inverted.map_words(lambda words: words & mask)
    while width > 1:
        half = width // 2
        low, high, upper = (
            _places(a, start, width, count) for a, start in ((less, 0), (less, 1), (equal, 1))
        )
        both = _places(equal, 0, width, count)
        product = yield from party.bitwise_and(
            _joined([upper, _rows(upper, count, half * count)]),
            _joined([low, _rows(both, count, half * count)]),
        )
        less = party.xor(high, _rows(product, 0, half * count))
        equal = _joined(
            [_rows(product, 0, count), _rows(product, half * count, (2 * half - 1) * count)]
        )
        width = half
    return less


def _places(a: Any, start: int, width: int, count: int) -> Any:
    """Every second place, of all numbers."""
    index = np.arange(width * count).reshape(width, count)[start::2].reshape(-1)
    return a.plane(index)


def below_public_thresholds_cost(costs: Costs, count: int, width: int, size: int) -> Declaration:
    """Of `below_public_thresholds` with `count` thresholds on planes of `size` bits."""
    parts = []
    while width > 1:
        parts.append(and_cost(costs, (width - 1) * count, size))
        width //= 2
    return in_sequence(*parts)
