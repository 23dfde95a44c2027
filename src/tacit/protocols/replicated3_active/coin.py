"""Public random numbers that nobody could know before a certain round.

Active, t = 1, abort. Each key of two parties gives two pieces of a coin. The party that lacks the
key gets one piece from each of them, and from each the hash of the other piece, so it gets the
right ones or stops; and it needs both parties, neither of whom speaks before all that was sent to
it in earlier rounds has arrived. That holds without any agreement about time: a party that hears
from one of the others early has half of what it needs.

Rounds and bytes: 1 round, 96 check bytes a party.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tacit import kernels
from tacit.encoding.digest import DIGEST_BYTES, tagged_hash
from tacit.encoding.ring import Elements
from tacit.encoding.wide import RING128
from tacit.protocols.replicated3_active.openings import copies_differ, digest_of
from tacit.rounds.contract import Round, Step
from tacit.sharing.replicated import Replicated

if TYPE_CHECKING:
    from tacit.protocols.replicated3_active.party import Replicated3ActiveParty

__all__ = ["COIN_BYTES", "Coin", "SealedCoin", "seal_coin", "toss"]

COIN_BYTES = 16
"""Bytes of one of the six pieces of a coin."""


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class SealedCoin:
    """The pieces of a coin that this party knows: four of six, two for each of its keys.

    The holders of key k draw two pieces from it. Until the coin is opened, the sum of the two is
    a party's share of a number that nobody knows (:meth:`key`).
    """

    own: NDArray[np.uint8]
    next: NDArray[np.uint8]
    context: bytes

    def key(self) -> Replicated:
        """A sharing over Z_2^128 of a sum of three secret numbers of 64 bits."""
        return Replicated(_key_share(self.own), _key_share(self.next))


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Coin:
    """Public random bits that nobody could know before the round in which they were opened.

    Attributes
    ----------
    challenge : ndarray of RING128.dtype, ()
        A uniform number of 64 bits.
    stream : bytes
        A key of 16 bytes for all other public randomness.
    key : ndarray of RING128.dtype, ()
        What :meth:`SealedCoin.key` shared.
    """

    challenge: Elements
    stream: bytes
    key: Elements


def _key_share(pieces: NDArray[np.uint8]) -> Elements:
    words = pieces.view(np.uint64)
    share = RING128.zeros(())
    share["low"] = (words[0:1] + words[2:3])[0]
    return share


def seal_coin(party: Replicated3ActiveParty) -> SealedCoin:
    """Draw a coin's pieces from the pairwise keys. No communication."""
    nonce = party.nonce()
    own, following = (np.empty(2 * COIN_BYTES, np.uint8) for _ in range(2))
    kernels.fill(party.key_own, nonce, 0, own)
    kernels.fill(party.key_next, nonce, 0, following)
    return SealedCoin(own, following, nonce.to_bytes(8, "little"))


def toss(party: Replicated3ActiveParty, sealed: SealedCoin) -> Step[Coin]:
    """Open a coin to all. 1 round, 96 check bytes a party.

    Of the two pieces of the key that a party lacks, each of the other two parties sends one and
    the hash of the other. So every party gets the same coin or stops, and the corrupt one needs
    both others, neither of whom speaks before all that was sent to it has arrived.
    """
    own_first, own_second = sealed.own[:COIN_BYTES], sealed.own[COIN_BYTES:]
    next_first, next_second = sealed.next[:COIN_BYTES], sealed.next[COIN_BYTES:]
    # Party i+1 lacks key i, party i-1 lacks key i+1. The first piece of key k comes from party k,
    # the second from party k-1.
    first, second = (np.empty(COIN_BYTES, np.uint8) for _ in range(2))
    hash_of_first, hash_of_second = (np.empty(DIGEST_BYTES, np.uint8) for _ in range(2))

    def digest(piece: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return digest_of("coin piece", party, sealed.context, (piece,))

    yield Round(
        check={
            party.next: (own_first, digest(own_second)),
            party.previous: (next_second, digest(next_first)),
        },
        check_receive={
            party.previous: (first, hash_of_second),
            party.next: (second, hash_of_first),
        },
    )
    if not (
        np.array_equal(digest(first), hash_of_first)
        and np.array_equal(digest(second), hash_of_second)
    ):
        raise copies_differ(party, "The pieces of a common random number", stage="coin")
    lacking = np.concatenate([first, second])
    pieces = {party.index: sealed.own, party.next: sealed.next, party.previous: lacking}
    ordered = [pieces[k].data for k in range(3)]
    seed = tagged_hash("coin", party.session_id, sealed.context, *ordered)
    challenge = RING128.zeros(())
    challenge["low"] = np.frombuffer(seed[:8], np.uint64)[0]
    shares = [_key_share(piece) for piece in pieces.values()]
    key = RING128.add(RING128.add(shares[0], shares[1]), shares[2])
    return Coin(challenge, seed[16:32], key)
