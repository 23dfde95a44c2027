"""The sign bit of a sharing: the carry of one bit-sliced addition.

x = s + t with s known to parties 2 and 3 and t to parties 0 and 1 (``pairs.py``), so in Z_2^64
bit 63 of x = s_63 ^ t_63 ^ (carry into bit 63). That the pairs share the bits of their summands:
Dalskov, Escudero, Keller 2021, section 3.2. Carry trees over shared bits: Mohassel, Rindal 2018,
section 5.3; the input layer is argued in ``docs/decisions/0039-four-party-sign-bit.md``. Active,
t = 1, abort with two suspects.

Bits 0 to 62 are cut into 21 blocks of three. In each block both pairs share the seven monomials of
their summand's bits. A block's generate and propagate are sums of products of a monomial of s and
one of t, so they are shared in four messages, as one product would be. Then a tree of pairs
21, 11, 6, 3, 2, 1 with the products of ``boolean.py``.

Rounds: 7. Bits, all parties together: 2 · 148 + 4 · 41 + 6 · 35 = 670 a value, in words of 64
values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tacit import kernels
from tacit.circuits.carry import CarryTree, carry_tree
from tacit.protocols.fantastic4.arithmetic import share_terms
from tacit.protocols.fantastic4.conversion import bit_planes
from tacit.protocols.fantastic4.groups import BITS
from tacit.protocols.fantastic4.joint import exchange, total
from tacit.protocols.fantastic4.pairs import added, cross_messages, pair_messages
from tacit.rounds.contract import Step
from tacit.sharing.bits import word_count
from tacit.sharing.replicated4 import Replicated4, Replicated4Bits

if TYPE_CHECKING:
    from tacit.protocols.fantastic4.party import Fantastic4Party

__all__ = ["carry_into_top", "most_significant_bit"]

Words = NDArray[np.uint64]
Shares = Mapping[int, Words]

SPAN = 512
"""Words of a plane that are handled at a time, so that they stay in the cache."""


def most_significant_bit(party: Fantastic4Party, x: Replicated4) -> Step[Replicated4Bits]:
    """The top bit of every element: 1 where x, read as a signed number, is negative. 7 rounds."""
    return (yield from carry_into_top(party, x, with_top=True))


def carry_into_top(
    party: Fantastic4Party, x: Replicated4, *, with_top: bool
) -> Step[Replicated4Bits]:
    """The carry of s + t into the top bit, XORed with both top bits if `with_top`. 7 rounds."""
    tree = carry_tree(party.ring.top_bit)
    words = word_count(x.size)
    mine = _monomials(bit_planes(party, x), tree, with_top)
    pieces = yield from exchange(party, pair_messages(party, BITS, mine.shape, mine))
    shared = total(party, pieces, mine.shape)

    def pairs(i: int, j: int) -> Words:
        return _leaf_terms(shared[i], shared[j], tree)

    shape = (tree.leaf_planes, words)
    pieces = yield from exchange(party, cross_messages(party, BITS, shape, pairs))
    leaves = added(BITS, pieces)
    for j, share in leaves.items():
        # The terms of a propagate that are monomials of one summand alone.
        share[tree.leaves :] ^= _kinds(shared[j], tree)[_A2A1A0][_lowest(tree) :]
    result = yield from _join(party, tree, leaves)
    if with_top:
        result = {j: share ^ shared[j][-1] for j, share in result.items()}
    return Replicated4Bits(result, x.shape)


_A0, _A1, _A2, _A1A0, _A2A0, _A2A1, _A2A1A0 = range(7)


def _threes(tree: CarryTree) -> int:
    """How many blocks have three bits: all, or all but the lowest, which then has one."""
    return tree.monomials // 7


def _lowest(tree: CarryTree) -> int:
    """The first block of three that needs a propagate: the lowest of all blocks needs none."""
    return _threes(tree) - (tree.leaves - 1)


def _kinds(planes: Words, tree: CarryTree) -> Words:
    """The monomials of all blocks of three by kind: (7, blocks, words)."""
    threes = _threes(tree)
    return planes[: 7 * threes].reshape(7, threes, -1)


def _monomials(bits: Words, tree: CarryTree, with_top: bool) -> Words:
    """The planes to share: monomials by kind, the single lowest bit if there is one, the top bit.

    For Z_2^64 there are 21 blocks of three, for Z_2^128 bit 0 and 42 blocks.
    """
    threes = _threes(tree)
    single = tree.leaves - threes
    out = np.empty((tree.monomials + with_top, bits.shape[1]), np.uint64)
    kinds = _kinds(out, tree)
    blocks = bits[single : single + 3 * threes].reshape(threes, 3, -1)
    for k in (_A0, _A1, _A2):
        kinds[k] = blocks[:, k]
    np.bitwise_and(kinds[_A1], kinds[_A0], out=kinds[_A1A0])
    np.bitwise_and(kinds[_A2], kinds[_A0], out=kinds[_A2A0])
    np.bitwise_and(kinds[_A2], kinds[_A1], out=kinds[_A2A1])
    np.bitwise_and(kinds[_A2A1], kinds[_A0], out=kinds[_A2A1A0])
    if single:
        out[7 * threes] = bits[0]
    if with_top:
        out[-1] = bits[-1]
    return out


def _leaf_terms(a: Words, b: Words, tree: CarryTree) -> Words:
    """What a share of s's monomials and one of t's give to the pairs of all blocks.

    Planes of g from the lowest block on, then planes of p from the second on.
    """
    threes = _threes(tree)
    single = tree.leaves - threes
    out = np.empty((tree.leaf_planes, a.shape[1]), np.uint64)
    if single:
        np.bitwise_and(a[7 * threes], b[7 * threes], out=out[0])
    left, right = (planes[: 7 * threes].reshape(-1) for planes in (a, b))
    kernels.joint_leaves(left, right, threes, _lowest(tree), out[single:].reshape(-1))
    return out


@dataclass(frozen=True, slots=True)
class _Level:
    """The pairs that a level of the tree takes in: planes of g, and of p but for the lowest."""

    g: Shares
    p: Shares

    def pair(self, place: int) -> tuple[Shares, Shares]:
        """g and p of one pair that is not the lowest, one plane each."""
        return _planes(self.g, slice(place, place + 1)), _planes(self.p, slice(place - 1, place))


def _planes(shares: Shares, index: slice) -> Shares:
    return {j: share[index] for j, share in shares.items()}


def _with_spare(state: Shares, spare: Shares) -> Shares:
    return {j: np.concatenate([share, spare[j]]) for j, share in state.items()}


def _join(party: Fantastic4Party, tree: CarryTree, leaves: Shares) -> Step[Shares]:
    """The rounds after the second: neighbouring (g, p) combine until one g is left."""
    count = tree.leaves
    states = [_Level(_planes(leaves, slice(0, count)), _planes(leaves, slice(count, None)))]
    for level in tree.levels:
        state = states[-1]
        if level.spare is not None:
            place, plane = level.spare
            g, p = states[place].pair((plane + 1) // 2)
            state = _Level(_with_spare(state.g, g), _with_spare(state.p, p))
        states.append((yield from _combine(party, state, level.outputs)))
    return {j: share[0] for j, share in states[-1].g.items()}


def _combine(party: Fantastic4Party, state: _Level, outputs: int) -> Step[_Level]:
    """(g, p)_hi ∘ (g, p)_lo = (g_hi ^ p_hi g_lo, p_hi p_lo) for pairs 2k + 1 and 2k. 1 round."""
    # p of pair q lies at q - 1.
    p_high = _planes(state.p, slice(0, 2 * outputs - 1, 2))
    p_low = _planes(state.p, slice(1, 2 * outputs - 1, 2))
    g_low = _planes(state.g, slice(0, 2 * outputs, 2))
    terms = {
        (i, j): _both_products(p_high, g_low, p_low, i, j) for i, j in combinations(party.held, 2)
    }
    product = yield from share_terms(party, terms, BITS)
    g = _planes(product, slice(0, outputs))
    for j, share in g.items():
        share ^= state.g[j][1 : 2 * outputs : 2]
    return _Level(g, _planes(product, slice(outputs, None)))


def _both_products(p_high: Shares, g_low: Shares, p_low: Shares, i: int, j: int) -> Words:
    """F_ij of p_hi g_lo, then of p_hi p_lo for all pairs but the lowest, as in ``boolean.py``."""
    outputs, words = p_high[i].shape
    out = np.empty((2 * outputs - 1, words), np.uint64)
    for start in range(0, words, SPAN):
        span = slice(start, start + SPAN)
        high = p_high[i][:, span] ^ p_high[j][:, span]
        np.bitwise_and(high, g_low[i][:, span] ^ g_low[j][:, span], out=out[:outputs, span])
        low = p_low[i][:, span] ^ p_low[j][:, span]
        np.bitwise_and(high[1:], low, out=out[outputs:, span])
    return out
