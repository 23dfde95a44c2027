"""Boolean sharings in packed words: XOR, NOT, AND, random bits.

Dalskov, Escudero, Keller 2021 (ePrint 2020/1330), Pi_MULT over Z_2, 64 bits a word. Active, t = 1,
abort with two suspects. Over Z_2 the signs of ``arithmetic.py`` are all 1 and each square comes
three times, that is once: F_ab = (a_a ^ a_b)(b_a ^ b_b).

Rounds and bytes: AND 1 round, six bits a gate in all, whole words; six digests. The rest is local.
A public constant c is the sharing (c, 0, 0, 0).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tacit import kernels
from tacit.protocols.fantastic4.arithmetic import share_product
from tacit.protocols.fantastic4.groups import BITS
from tacit.rounds.contract import Step
from tacit.sharing.bits import pack_bits, unpack_bits, word_count
from tacit.sharing.replicated4 import Replicated4Bits

if TYPE_CHECKING:
    from tacit.protocols.fantastic4.party import Fantastic4Party

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

ONES = np.uint64(0xFFFF_FFFF_FFFF_FFFF)


def public_bits(party: Fantastic4Party, values: NDArray[Any]) -> Replicated4Bits:
    """The sharing (c, 0, 0, 0) of public bits. No communication."""
    c = pack_bits(np.asarray(values))
    zero = np.zeros_like(c)
    return Replicated4Bits({j: zero if j else c for j in party.held}, np.shape(values))


def xor(party: Fantastic4Party, a: Replicated4Bits, b: Replicated4Bits) -> Replicated4Bits:
    """a XOR b, share by share."""
    return Replicated4Bits({j: a.shares[j] ^ b.shares[j] for j in party.held}, a.shape)


def xor_public(party: Fantastic4Party, a: Replicated4Bits, c: NDArray[Any]) -> Replicated4Bits:
    """a XOR c: share 0 takes the constant."""
    return _xor_words(a, pack_bits(np.broadcast_to(np.asarray(c), a.shape)))


def invert(party: Fantastic4Party, a: Replicated4Bits) -> Replicated4Bits:
    """NOT a: share 0 is flipped."""
    return _xor_words(a, ONES)


def _xor_words(a: Replicated4Bits, words: Any) -> Replicated4Bits:
    shares = {j: share if j else share ^ words for j, share in a.shares.items()}
    return Replicated4Bits(shares, a.shape)


def concatenate_bits(
    party: Fantastic4Party, parts: Sequence[Replicated4Bits], axis: int = 0
) -> Replicated4Bits:
    """Plain bits joined along an axis of their shape. No communication."""
    joined = {
        j: np.concatenate([unpack_bits(p.shares[j], p.shape) for p in parts], axis)
        for j in party.held
    }
    shape = tuple(next(iter(joined.values())).shape)
    return Replicated4Bits({j: pack_bits(bits) for j, bits in joined.items()}, shape)


def stack_planes(party: Fantastic4Party, parts: Sequence[Replicated4Bits]) -> Replicated4Bits:
    """Bits of equal shape stacked along a new first plane axis. No communication."""
    stacked = {j: np.stack([p.shares[j] for p in parts]) for j in party.held}
    return Replicated4Bits(stacked, parts[0].shape)


def random_bits(party: Fantastic4Party, shape: tuple[int, ...]) -> Replicated4Bits:
    """Uniform bits that nobody knows: share j is a draw from PRNG_j. No communication."""
    nonce = party.nonce()
    words = word_count(int(np.prod(shape, dtype=np.int64)))
    shares = {j: np.empty(words, np.uint64) for j in party.held}
    for j, share in shares.items():
        kernels.fill(party.keys[j], nonce, 0, share)
    return Replicated4Bits(shares, shape)


def bitwise_and(
    party: Fantastic4Party, a: Replicated4Bits, b: Replicated4Bits
) -> Step[Replicated4Bits]:
    """a AND b. 1 round, six words in all for a word of gates."""
    return Replicated4Bits((yield from share_product(party, a.shares, b.shares, BITS)), a.shape)
