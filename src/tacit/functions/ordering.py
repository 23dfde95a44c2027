"""The order of shuffled elements, found by opened comparisons.

After a shuffle by a permutation that nobody knows, comparisons of *distinct* keys may be opened:
what they show is the order of the shuffled elements, a uniform permutation whatever the keys are
(Hamada, Kikuchi, Ikarashi, Chida, Takahashi 2012; ``docs/decisions/0021-sorting.md``). So the work
is a public sort whose comparisons run under the protocol, many at a time: every level of it is
one batch of comparisons for all rows and all segments together.

A segment is a run of places whose elements are known to lie between the same two others. Two
kinds of steps refine segments, always by their first elements, which are a random sample of them:

* *pivots*: every element is compared with each of the first few; one level.
* *sample*: the first 2^d - 1 elements are compared with each other, then all others are
  placed among them by binary search; 1 + d levels, one comparison an element and level.

The last step compares all pairs in the segments that are left. Which steps are taken follows from
the length of the rows, so the number of levels is fixed; how many comparisons the last ones hold
depends on the opened order alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tacit.functions.costs import Costs, in_sequence
from tacit.protocols.interface import Party
from tacit.rounds.contract import Step
from tacit.rounds.cost import Declaration

__all__ = [
    "BATCH",
    "Plan",
    "batches_of",
    "comparisons_cost",
    "opened_order",
    "opened_signs",
    "padding_of",
    "plan_of",
]

Places = NDArray[np.int64]
Flags = NDArray[np.bool_]

BATCH: Final = 1 << 19
"""Comparisons under way at a time, a multiple of 64: more would cost memory and save nothing."""

LARGEST_SAMPLE: Final = 9
"""log2 of the largest sample's size."""

PIVOTS: Final = 3

WIDE: Final = 8.0
"""All pairs are compared once they are at most this many an element."""

LEVEL: Final = 1 << 15
"""Or at most this many in all: a level's rounds take as long as some 10^4 comparisons."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps for rows of one length.

    Attributes
    ----------
    samples : tuple of int
        For each sample step log2 of (the sample's size + 1).
    pivots : int
        How many steps by pivots follow, before all pairs are compared.
    """

    samples: tuple[int, ...]
    pivots: int

    @property
    def levels(self) -> int:
        """Batches of comparisons, unless one is so large that it is cut."""
        return sum(1 + depth for depth in self.samples) + self.pivots + 1


def plan_of(rows: int, count: int, wanted: int) -> Plan | None:
    """The steps for `rows` rows of `count` elements of which `wanted` ranks are asked for.

    A step by r pivots, or by a sample of r, leaves 2 / (r + 2) of the pairs in expectation. Where
    few ranks are wanted, most elements drop out at once, and sampling all others does not pay.
    None if there is nothing to compare.
    """
    if rows == 0 or count < 2 or wanted == 0:
        return None
    pairs = (count - 1) / 2
    enough = max(WIDE, LEVEL / (rows * count))
    samples: list[int] = []
    pivots = 0
    few = 8 * wanted <= count
    while pairs > enough:
        depth = min(int(np.log2(pairs / 10)), (count.bit_length() + 2) // 2, LARGEST_SAMPLE)
        if depth >= 2 and pairs > 40 and not few:
            samples.append(depth)
            pairs *= 2 / ((1 << depth) + 1)
        else:
            pivots += 1
            pairs *= 2 / (PIVOTS + 2)
    return Plan(tuple(samples), pivots)


def opened_order(
    party: Party, words: Sequence[Any], shape: tuple[int, int], wanted: Flags
) -> Step[tuple[Places, tuple[int, ...]]]:
    """Where in each row the element of each wanted rank stands.

    Parameters
    ----------
    party : Party
    words : sequence of arithmetic sharing, (rows · count,)
        The keys, compared lexicographically, the first one first; together they are distinct in
        each row, and the rows were shuffled. Differences below 2^63 - 1 in magnitude.
    shape : (int, int)
        Rows and count.
    wanted : ndarray of bool, (count,)
        The ranks that are asked for.

    Returns
    -------
    (ndarray of int64, tuple of int)
        (rows, wanted.sum()): places in the flattened rows, by rank; and how many comparisons
        each batch held. Both are public.

    Notes
    -----
    Every party learns the order of the shuffled elements, as far as it is needed for the wanted
    ranks. If keys are not distinct, or differ by more than stated, the opened bits depend on
    them: the callers in ``sorting.py`` see to it.
    """
    rows, count = shape
    made: Any = getattr(party, "order_search", _Search)  # a party that counts draws lengths alone
    search = made(party, words, rows, count, wanted)
    plan = plan_of(rows, count, int(wanted.sum()))
    if plan is not None:
        for depth in plan.samples:
            yield from search.by_sample(depth)
        for _ in range(plan.pivots):
            yield from search.by_pivots(PIVOTS)
        yield from search.by_pivots(count)
    return search.items.reshape(rows, count)[:, wanted], tuple(search.comparisons)


class _Search:
    """The public state of one search: the elements, by segments.

    Attributes
    ----------
    items : ndarray of int64, (rows · count,)
        The elements' places after the shuffle, in the order that is known by now.
    begins : ndarray of bool, (rows · count,)
        Where a segment begins.
    """

    def __init__(
        self, party: Party, words: Sequence[Any], rows: int, count: int, wanted: Flags
    ) -> None:
        self.party = party
        self.words = words
        self.items = np.arange(rows * count)
        self.begins = self.items % max(count, 1) == 0
        self.comparisons: list[int] = []
        self._wanted = np.concatenate([[0], np.cumsum(np.tile(wanted, rows))])

    def by_pivots(self, pivots: int) -> Step[None]:
        """Compare every element of an open segment with its first `pivots` ones. One level."""
        open_ = self._open()
        earlier = np.minimum(open_.offset, pivots)
        less = yield from self._counts(open_, np.arange(open_.size), earlier, pivots)
        self._refine(open_, 2 * less + (open_.offset < pivots))

    def by_sample(self, depth: int) -> Step[None]:
        """Sort the first 2^depth - 1 elements, find all others among them. 1 + depth levels."""
        size = (1 << depth) - 1
        open_ = self._open()
        sampled = open_.offset < size
        sample = np.flatnonzero(sampled)
        less = yield from self._counts(open_, sample, open_.offset[sample], size)
        # Places of the sample in ascending order take the places of the sample.
        by_rank = _stable_order(open_.segment[sample] * (size + 1) + less[sample])
        ladder = np.empty(open_.size, np.int64)
        ladder[sample] = sample[by_rank]
        code = np.empty(open_.size, np.int64)
        code[ladder[sample]] = 2 * open_.offset[sample] + 1
        rest = np.flatnonzero(~sampled)
        low = np.zeros(rest.size, np.int64)
        high = np.full(rest.size, size)
        for _ in range(depth):
            middle = (low + high) >> 1
            found = ladder[open_.first[rest] + middle]
            below = yield from self._less(open_.places[rest], open_.places[found])
            high = np.where(below, middle, high)
            low = np.where(below, low, middle + 1)
        code[rest] = 2 * low
        self._refine(open_, code)

    def _open(self) -> _Open:
        """The segments of more than one element that hold a wanted rank."""
        starts = np.flatnonzero(self.begins)
        ends = np.append(starts[1:], self.items.size)
        sizes = ends - starts
        needed = (sizes > 1) & (self._wanted[ends] > self._wanted[starts])
        starts, sizes = starts[needed], sizes[needed]
        first = np.repeat(np.cumsum(sizes) - sizes, sizes)
        offset = np.arange(first.size) - first
        where = np.repeat(starts, sizes) + offset
        segment = np.repeat(np.arange(sizes.size), sizes)
        return _Open(self.items[where], where, segment, first, offset)

    def _counts(self, open_: _Open, chosen: Places, earlier: Places, pivots: int) -> Step[Places]:
        """How many elements each of `chosen` was found to be greater than. One level.

        Each is compared with the first `earlier` elements of its segment; those that are pivots
        themselves are counted on both sides.
        """
        item = np.repeat(chosen, earlier)
        before = np.arange(item.size) - np.repeat(np.cumsum(earlier) - earlier, earlier)
        pivot = open_.first[item] + before
        below = yield from self._less(open_.places[item], open_.places[pivot])
        both = below & (open_.offset[item] < pivots)
        return np.bincount(item[~below], minlength=open_.size) + np.bincount(
            pivot[both], minlength=open_.size
        )

    def _refine(self, open_: _Open, code: Places) -> None:
        """Order the open segments' elements by a code; different codes part segments."""
        keys = open_.segment * (int(code.max(initial=0)) + 1) + code
        order = _stable_order(keys)
        self.items[open_.where] = open_.places[order]
        ordered = keys[order]
        self.begins[open_.where[1:]] = ordered[1:] != ordered[:-1]

    def _less(self, left: Places, right: Places) -> Step[Flags]:
        """[left < right] in the clear, in batches."""
        parts: list[Flags] = []
        for part in batches_of(left.size):
            some = left[part], right[part]
            self.comparisons.append(some[0].size)
            parts.append((yield from _opened_less(self.party, self.words, *some)))
        return parts[0] if len(parts) == 1 else np.concatenate(parts)


def batches_of(size: int) -> list[slice]:
    """How comparisons are cut; none are one batch."""
    return [slice(start, start + BATCH) for start in range(0, max(size, 1), BATCH)]


@dataclass(frozen=True, slots=True)
class _Open:
    """The elements of the open segments, one segment after the other.

    Attributes
    ----------
    places, where : ndarray of int64
        For each element its place after the shuffle, and where it stands among all elements.
    segment, first, offset : ndarray of int64
        The number of its segment, where in this list that begins, and how far it is from there.
    """

    places: Places
    where: Places
    segment: Places
    first: Places
    offset: Places

    @property
    def size(self) -> int:
        """The number of elements."""
        return self.places.size


def _stable_order(keys: Places) -> Places:
    """The stable ascending order of non-negative integers; linear below 2^32."""
    if not keys.size or int(keys.max()) >= 1 << 32:
        return np.argsort(keys, kind="stable")
    order = np.argsort(keys.astype(np.uint16), kind="stable")
    if int(keys.max()) >= 1 << 16:
        high = (keys >> 16).astype(np.uint16)[order]
        order = order[np.argsort(high, kind="stable")]
    return order


def _opened_less(party: Party, words: Sequence[Any], left: Places, right: Places) -> Step[Flags]:
    """Whether the keys at `left` come before those at `right`, opened to all.

    One word: the sign of the difference. More: with l = [a < b] and m = [a <= b] for each word,
    the answer is l_1 or m_1 (l_2 or m_2 (…)); l implies m, so that "l or m r" is
    l ^ r (l ^ m). All signs come from one merged step, the places padded to whole words of bits.
    """
    size = left.size
    padding = padding_of(size, len(words))
    if padding:
        left, right = (
            np.concatenate([places, places[:1].repeat(padding)]) for places in (left, right)
        )
    differences = [
        party.subtract(word.map(lambda s: s[left]), word.map(lambda s: s[right])) for word in words
    ]
    return (yield from opened_signs(party, differences))[:size]


def padding_of(size: int, words: int) -> int:
    """How many places are added to so many comparisons of keys of so many words."""
    return -size % 64 if words > 1 else 0


def opened_signs(party: Party, differences: Sequence[Any]) -> Step[Flags]:
    """Whether the first of the differences of words that is not zero is negative, opened."""
    *leading, last = differences
    stacked = [part for d in leading for part in (d, party.add_public(d, -1))]
    signs = yield from party.most_significant_bit(
        party.concatenate([*stacked, last]) if stacked else last
    )
    length = last.size
    result = signs.section(2 * len(leading) * length, signs.size)
    for k in reversed(range(len(leading))):
        less = signs.section(2 * k * length, (2 * k + 1) * length)
        less_equal = signs.section((2 * k + 1) * length, (2 * k + 2) * length)
        passed = yield from party.bitwise_and(party.xor(less, less_equal), result)
        result = party.xor(less, passed)
    opened = yield from party.reveal_bits(result, tuple(range(party.size)))
    assert opened is not None
    return opened.astype(np.bool_)


def comparisons_cost(
    costs: Costs, batches: Sequence[int], words: int, parties: int = 3
) -> Declaration:
    """Of `opened_order`, from the batches that it reports and the number of words of a key."""
    parts: list[Declaration] = []
    for size in batches:
        length = size if words == 1 else -(-size // 64) * 64
        parts.append(costs["most_significant_bit"]((2 * words - 1) * length))
        parts.extend([costs["bitwise_and"](length)] * (words - 1))
        parts.append(costs["reveal_bits"](length, tuple(range(parties))))
    return in_sequence(*parts)
