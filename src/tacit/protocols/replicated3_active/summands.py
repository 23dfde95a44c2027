"""A sharing read as three sharings, one for each of its shares. No communication.

Share k of a replicated sharing is known to the parties k and k-1, so (0, …, x_k, …, 0) is a
replicated sharing of the number x_k, over the ring and, bit by bit, over Z_2: nobody has to
input it, so nobody can lie about it (local conversion of Mohassel, Rindal 2018, section 5.3).
All that changes the kind of a sharing under active security starts here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tacit import kernels
from tacit.protocols.replicated3.arithmetic import flat
from tacit.sharing.bits import ReplicatedBits, unpack_bits, word_count
from tacit.sharing.replicated import Replicated

if TYPE_CHECKING:
    from tacit.protocols.replicated3_active.party import Replicated3ActiveParty

__all__ = ["SharePlanes", "bit_summands", "share_planes"]

Words = NDArray[np.uint64]


def bit_summands(
    party: Replicated3ActiveParty, a: ReplicatedBits
) -> tuple[Replicated, Replicated, Replicated]:
    """Ring sharings of the three share bits a_0, a_1, a_2 of plain bits; a is their XOR."""
    own = unpack_bits(a.own, a.shape).astype(np.uint64)
    following = unpack_bits(a.next, a.shape).astype(np.uint64)
    zero = np.zeros_like(own)
    first, second, third = (
        Replicated(
            own if party.index == k else zero, following if (party.index + 1) % 3 == k else zero
        )
        for k in range(3)
    )
    return first, second, third


class SharePlanes:
    """The bit planes of a sharing's three shares, as Boolean sharings.

    Attributes
    ----------
    sum : ReplicatedBits
        x_0 XOR x_1 XOR x_2, (planes, words): the sum without its carries.
    """

    def __init__(self, party: Replicated3ActiveParty, own: Words, following: Words, shape: Any):
        self._party = party
        self.sum = ReplicatedBits(own, following, shape)

    def without(self, k: int) -> ReplicatedBits:
        """The XOR of the two shares other than x_k."""
        own, following = self.sum.own, self.sum.next
        index = self._party.index
        return ReplicatedBits(
            np.zeros_like(own) if index == k else own,
            np.zeros_like(following) if (index + 1) % 3 == k else following,
            self.sum.shape,
        )

    def only(self, k: int) -> ReplicatedBits:
        """x_k."""
        own, following = self.sum.own, self.sum.next
        index = self._party.index
        return ReplicatedBits(
            own if index == k else np.zeros_like(own),
            following if (index + 1) % 3 == k else np.zeros_like(following),
            self.sum.shape,
        )

    def select(self, places: list[int | None]) -> SharePlanes:
        """The planes at these places, least significant first; None is a plane of zeros."""

        def taken(words: Words) -> Words:
            out = np.zeros((len(places), words.shape[-1]), np.uint64)
            for row, place in enumerate(places):
                if place is not None:
                    out[row] = words[place]
            return out

        return SharePlanes(self._party, taken(self.sum.own), taken(self.sum.next), self.sum.shape)


def share_planes(party: Replicated3ActiveParty, x: Replicated) -> SharePlanes:
    """All 64 planes of the three shares, least significant first."""
    words = word_count(x.size)
    own, following = (np.zeros((party.ring.bits, words), np.uint64) for _ in range(2))
    kernels.to_planes(flat(x.own), own)
    kernels.to_planes(flat(x.next), following)
    return SharePlanes(party, own, following, x.shape)
