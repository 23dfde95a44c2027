"""How many comparisons the search of an opened order takes, drawn without an order.

What a search (``functions/ordering.py``) compares follows from the lengths of its segments alone.
The first elements of a segment are a uniform sample of it, so the lengths of what they part it
into are drawn as such: m elements parted by r of them leave m - r, spread over r + 1 gaps, every
way to spread them equally likely. That is the same distribution as a run's, and takes time for
the segments, not for the elements.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tacit.functions.ordering import batches_of, opened_signs, padding_of
from tacit.rounds.contract import Step

__all__ = ["DrawnSearch"]


class DrawnSearch:
    """Stands for the search of an order at a party that counts.

    Parameters
    ----------
    party : CountingParty
    random : numpy.random.Generator
    words : sequence of sharing
        The keys.
    rows, count : int
    wanted : ndarray of bool, (count,)

    Attributes
    ----------
    items : ndarray of int64, (rows · count,)
        Where elements stand: of no meaning.
    comparisons : list of int
        How many each batch held.
    drawn : bool
        Whether they would be others in another order.
    """

    def __init__(
        self,
        party: Any,
        random: np.random.Generator,
        words: Sequence[Any],
        rows: int,
        count: int,
        wanted: NDArray[np.bool_],
    ) -> None:
        self.party = party
        self.random = random
        self.words = len(words)
        self.items = np.broadcast_to(np.int64(0), (rows * count,))
        self.comparisons: list[int] = []
        self._wanted = np.flatnonzero(wanted)
        self._starts = np.zeros(rows, np.int64)
        self._sizes = np.full(rows, count, np.int64)
        self._keep()

    def by_pivots(self, pivots: int) -> Step[None]:
        """Every element of an open segment with its first `pivots` ones."""
        yield from self._less(self._all_with(pivots))
        if pivots < int(self._sizes.max(initial=0)):
            self._part(pivots)

    def by_sample(self, depth: int) -> Step[None]:
        """The first 2^depth - 1 elements with each other; all others among them."""
        size = (1 << depth) - 1
        sampled = np.minimum(self._sizes, size)
        yield from self._less(int((sampled * (sampled - 1) // 2).sum()))
        rest = int((self._sizes - sampled).sum())
        for _ in range(depth):
            yield from self._less(rest)
        self._part(size)

    def _all_with(self, pivots: int) -> int:
        few = np.minimum(self._sizes, pivots)
        return int((few * (few - 1) // 2 + few * (self._sizes - few)).sum())

    def _part(self, pivots: int) -> None:
        """Part every segment by a uniform sample of its elements."""
        self.party.drawn = True
        shares = self.random.standard_exponential((self._sizes.size, pivots + 1))
        shares /= shares.sum(axis=1, keepdims=True)
        gaps = self.random.multinomial(np.maximum(self._sizes - pivots, 0), shares)
        before = np.cumsum(gaps + 1, axis=1) - (gaps + 1)
        self._starts = (self._starts[:, None] + before).reshape(-1)
        self._sizes = gaps.reshape(-1)
        self._keep()

    def _keep(self) -> None:
        """Only segments of several elements that hold a wanted rank."""
        ends = self._starts + self._sizes
        held = np.searchsorted(self._wanted, ends) > np.searchsorted(self._wanted, self._starts)
        kept = (self._sizes > 1) & held
        self._starts, self._sizes = self._starts[kept], self._sizes[kept]

    def _less(self, size: int) -> Step[None]:
        for part in batches_of(size):
            length = min(part.stop, size) - part.start
            self.comparisons.append(length)
            padded = length + padding_of(length, self.words)
            yield from opened_signs(
                self.party, [self._difference(padded) for _ in range(self.words)]
            )

    def _difference(self, size: int) -> Any:
        return self.party.subtract(self.party.random((size,)), self.party.random((size,)))
