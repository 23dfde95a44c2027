"""Boolean sharings in packed words: XOR, NOT, AND, random bits.

Araki et al. 2016, section 2 (the protocol over Z_2, 64 bits a word). Passive, t = 1.

Rounds and bytes: AND 1 round, 8 bytes a word (64 bits) from each party; the rest is local.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tacit import kernels
from tacit.protocols.replicated3.arithmetic import flat
from tacit.rounds.contract import Round, Step
from tacit.sharing.bits import ReplicatedBits, pack_bits, unpack_bits, word_count

if TYPE_CHECKING:
    from tacit.protocols.replicated3.party import Replicated3Party

__all__ = [
    "bitwise_and",
    "concatenate_bits",
    "invert",
    "public_bits",
    "random_bits",
    "stack_planes",
    "xor",
    "xor_public",
]

_ZERO_SHARE = 0


def public_bits(party: Replicated3Party, values: NDArray[Any]) -> ReplicatedBits:
    """The sharing (c, 0, 0) of public bits. No communication."""
    c = pack_bits(np.asarray(values))
    zero = np.zeros_like(c)
    return ReplicatedBits(
        c if party.index == 0 else zero, c if party.index == 2 else zero, np.shape(values)
    )


def xor(party: Replicated3Party, a: ReplicatedBits, b: ReplicatedBits) -> ReplicatedBits:
    """a XOR b, share by share."""
    return ReplicatedBits(a.own ^ b.own, a.next ^ b.next, a.shape)


def xor_public(party: Replicated3Party, a: ReplicatedBits, c: NDArray[Any]) -> ReplicatedBits:
    """a XOR c: share 0 takes the constant."""
    words = pack_bits(np.broadcast_to(np.asarray(c), a.shape))
    return _xor_words(party, a, words)


def invert(party: Replicated3Party, a: ReplicatedBits) -> ReplicatedBits:
    """NOT a: share 0 is flipped."""
    return _xor_words(party, a, np.uint64(0xFFFF_FFFF_FFFF_FFFF))


def _xor_words(party: Replicated3Party, a: ReplicatedBits, words: Any) -> ReplicatedBits:
    own = a.own ^ words if party.index == 0 else a.own
    following = a.next ^ words if party.index == 2 else a.next
    return ReplicatedBits(own, following, a.shape)


def concatenate_bits(
    party: Replicated3Party, parts: Sequence[ReplicatedBits], axis: int = 0
) -> ReplicatedBits:
    """Plain bits joined along an axis of their shape. No communication."""
    own = np.concatenate([unpack_bits(p.own, p.shape) for p in parts], axis)
    following = np.concatenate([unpack_bits(p.next, p.shape) for p in parts], axis)
    return ReplicatedBits(pack_bits(own), pack_bits(following), tuple(own.shape))


def stack_planes(party: Replicated3Party, parts: Sequence[ReplicatedBits]) -> ReplicatedBits:
    """Bits of equal shape stacked along a new first plane axis. No communication."""
    return ReplicatedBits(
        np.stack([p.own for p in parts]), np.stack([p.next for p in parts]), parts[0].shape
    )


def random_bits(party: Replicated3Party, shape: tuple[int, ...]) -> ReplicatedBits:
    """Uniform bits that no single party knows: share i is a draw from k_i. No communication."""
    nonce = party.nonce()
    words = word_count(int(np.prod(shape, dtype=np.int64)))
    own, following = np.empty(words, np.uint64), np.empty(words, np.uint64)
    kernels.fill(party.key_own, nonce, 0, own)
    kernels.fill(party.key_next, nonce, 0, following)
    return ReplicatedBits(own, following, shape)


def bitwise_and(
    party: Replicated3Party, a: ReplicatedBits, b: ReplicatedBits
) -> Step[ReplicatedBits]:
    """a AND b. 1 round, 8 bytes a word from each party.

    z_i = a_i b_i ^ a_i b_{i+1} ^ a_{i+1} b_i ^ alpha_i goes to party i-1.
    """
    z = np.empty(a.own.shape, np.uint64)
    kernels.and_share(
        flat(a.own),
        flat(a.next),
        flat(b.own),
        flat(b.next),
        party.key_own,
        party.key_next,
        party.nonce(),
        _ZERO_SHARE,
        z.reshape(-1),
    )
    z_next = np.empty_like(z)
    yield Round(send={party.previous: (z,)}, receive={party.next: (z_next,)})
    return ReplicatedBits(z, z_next, a.shape)
