"""Conversions between arithmetic and Boolean sharings, and bit injection.

A bit b = beta ^ q with beta = b_0 ^ b_1 known to parties 2 and 3 and q = b_2 ^ b_3 known to
parties 0 and 1; x = s + t likewise (``pairs.py``). Each pair shares what it knows, then the
products across the pairs are shared by those who hold their factors (Dalskov, Escudero, Keller
2021, sections 3.1 and 3.2; ``docs/decisions/0040-four-party-conversions.md``). Active, t = 1, abort
with two suspects.

* Bit to arithmetic: b = beta + q (1 - 2 beta). 2 rounds, 6 ring elements (48 bytes in Z_2^64).
* Bit times value: b x = beta s (1 - 2q) + beta (t - 2 q t) + s q + q t. 2 rounds, 8 ring elements
  (64 bytes).
* Arithmetic to Boolean: the pairs share the bits of s and t, then one adder. 8 rounds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tacit.circuits.prefix import sklansky
from tacit.encoding.ring import Elements, Ring
from tacit.protocols.fantastic4 import boolean, local
from tacit.protocols.fantastic4.arithmetic import flat
from tacit.protocols.fantastic4.groups import BITS, Array, elements_of
from tacit.protocols.fantastic4.joint import exchange, total
from tacit.protocols.fantastic4.pairs import (
    added,
    blocks,
    cross_messages,
    knows_s,
    pair_messages,
    summand,
)
from tacit.rounds.contract import Step
from tacit.sharing.bits import unpack_bits, word_count
from tacit.sharing.replicated4 import Replicated4, Replicated4Bits

if TYPE_CHECKING:
    from tacit.protocols.fantastic4.party import Fantastic4Party

__all__ = ["bit_planes", "bit_to_arithmetic", "from_bits", "inject", "select", "to_bits"]


def bit_to_arithmetic(party: Fantastic4Party, a: Replicated4Bits) -> Step[Replicated4]:
    """Plain bits as ring elements 0 and 1. 2 rounds, 48 bytes an element in all."""
    ring, group, shape = party.ring, elements_of(party.ring), (a.size,)
    bits = _numbers(ring, _known_bits(party, a), shape)
    pieces = yield from exchange(party, pair_messages(party, group, shape, bits))
    shared = total(party, pieces, shape)

    def term(i: int, j: int) -> Array:
        out = ring.empty(shape)
        for block in blocks(a.size):
            factor = _one_minus_twice(ring, shared[i][block], i == 0)
            out[block] = ring.multiply(factor, shared[j][block])
        return out

    products = yield from exchange(party, cross_messages(party, group, shape, term))
    result = added(group, [*products, pieces[0]])
    return Replicated4({j: part.reshape(a.shape) for j, part in result.items()})


def inject(party: Fantastic4Party, a: Replicated4Bits, x: Replicated4) -> Step[Replicated4]:
    """a · x for plain bits a of x's shape. 2 rounds, 64 bytes an element in all."""
    ring, group, shape = party.ring, elements_of(party.ring), (x.size,)
    share = {j: flat(part) for j, part in x.shares.items()}
    first, second = (share[j] for j in ((0, 1) if knows_s(party) else (2, 3)))
    bits = _numbers(ring, _known_bits(party, a), shape)
    products = ring.empty(shape)
    for block in blocks(x.size):
        products[block] = ring.multiply(bits[block], ring.add(first[block], second[block]))
    pieces = yield from exchange(
        party,
        [
            *pair_messages(party, group, shape, products),
            *pair_messages(party, group, shape, bits),
        ],
    )
    # beta s or q t, and beta or q, by share.
    product, bit = total(party, pieces[:2], shape), total(party, pieces[2:], shape)

    def term(i: int, j: int) -> Array:
        out = ring.empty(shape)
        of_s, of_t = ((product[k], bit[k], share[k]) for k in (i, j))
        ring.kernels.joint_inject(*of_s, *of_t, j == 2, out)
        return out

    crossed = yield from exchange(party, cross_messages(party, group, shape, term))
    result = added(group, [*crossed, pieces[1]])
    return Replicated4({j: part.reshape(x.shape) for j, part in result.items()})


def _one_minus_twice(ring: Ring, share: Elements, with_one: bool) -> Elements:
    """A share of 1 - 2b; one of the shares takes the 1."""
    twice = ring.add(share, share)
    return ring.subtract(ring.elements(1 if with_one else 0), twice)


def _known_bits(party: Fantastic4Party, a: Replicated4Bits) -> NDArray[np.uint64]:
    return summand(party, a.shares, np.bitwise_xor)


def _numbers(ring: Ring, words: NDArray[np.uint64], shape: tuple[int, ...]) -> Elements:
    """Packed bits as ring elements 0 and 1."""
    return ring.elements(unpack_bits(words, shape).astype(np.int64))


def select(
    party: Fantastic4Party, a: Replicated4Bits, x: Replicated4, y: Replicated4
) -> Step[Replicated4]:
    """x where a is 1, else y: y + a (x - y). 2 rounds, 64 bytes an element in all."""
    chosen = yield from inject(party, a, local.subtract(party, x, y))
    return local.add(party, y, chosen)


def from_bits(party: Fantastic4Party, a: Replicated4Bits) -> Step[Replicated4]:
    """Σ 2^i a_i for planes a_i, least significant first. 2 rounds, 48 bytes a bit in all."""
    (planes,) = a.planes
    words = word_count(a.size)
    plain = {j: share.reshape(-1) for j, share in a.shares.items()}
    digits = yield from bit_to_arithmetic(party, Replicated4Bits(plain, (planes, words * 64)))
    weights = party.ring.powers_of_two(planes)[:, None]
    value = local.sum_(party, local.multiply_public(party, digits, weights), axis=0)
    return value.map(lambda share: share[: a.size].reshape(a.shape))


def to_bits(party: Fantastic4Party, x: Replicated4) -> Step[Replicated4Bits]:
    """All bits of x as planes, least significant first. 8 rounds; 9 in Z_2^128."""
    mine = bit_planes(party, x)
    pieces = yield from exchange(party, pair_messages(party, BITS, mine.shape, mine))
    # Of s + t: the propagate s XOR t is what was shared, the generate s AND t is a product across.
    p = total(party, pieces, mine.shape)
    messages = cross_messages(party, BITS, mine.shape, lambda i, j: p[i] & p[j])
    g = added(BITS, (yield from exchange(party, messages)))
    carry = yield from _prefix_carries(party, g, p, x.shape)
    shifted = {j: np.concatenate([np.zeros_like(c[:1]), c[:-1]]) for j, c in carry.items()}
    return Replicated4Bits({j: p[j] ^ shifted[j] for j in party.held}, x.shape)


def bit_planes(party: Fantastic4Party, x: Replicated4) -> NDArray[np.uint64]:
    """The bits of this party's summand, s or t: (ring.bits, words), least significant first."""
    known = np.ascontiguousarray(summand(party, x.shares, party.ring.add)).reshape(-1)
    planes = np.empty((party.ring.bits, word_count(x.size)), np.uint64)
    party.ring.kernels.to_planes(known, planes)
    return planes


def _prefix_carries(
    party: Fantastic4Party, g: Mapping[int, Array], p: Mapping[int, Array], shape: tuple[int, ...]
) -> Step[Mapping[int, Array]]:
    """Carry out of every position: log2 of the planes rounds. Overwrites g."""
    p = {j: share.copy() for j, share in p.items()}
    for high, low, inner in sklansky(party.ring.bits):
        # g_high ^= p_high g_low for all; p_high = p_high p_low where the group has a lower one.
        left = {j: p[j][np.concatenate([high, high[inner]])] for j in party.held}
        right = {j: np.concatenate([g[j][low], p[j][low[inner]]]) for j in party.held}
        product = yield from boolean.bitwise_and(
            party, Replicated4Bits(left, shape), Replicated4Bits(right, shape)
        )
        for j, share in product.shares.items():
            g[j][high] ^= share[: len(high)]
            p[j][high[inner]] = share[len(high) :]
    return g
