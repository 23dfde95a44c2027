"""The sign bit of a sharing: the carry of one bit-sliced addition.

x = s + t with s known to A and t known to B and C (``roles.py``), so in Z_2^64
bit 63 of x = s_63 ^ t_63 ^ (carry into bit 63). Carry trees over shared bits: Araki et al. 2016
and ABY3 (Mohassel, Rindal 2018, section 5.3), with the input layer shortened as argued in
``docs/decisions/0006-sign-bit.md``. Passive, t = 1.

Bits 0 to 62 are cut into 21 blocks of three. In each block A shares the seven monomials of its
bits between B (stream) and C (message). A block's generate and propagate are linear in them,
with coefficients made of t's bits, which B and C both know, so each gets an XOR share locally;
one exchange makes these a replicated sharing. Then a tree of pairs 21, 11, 6, 3, 2, 1.

Rounds: 7. Bits, all parties together: 148 + 41 + 41 + 3 · 35 = 335 a value, in blocks of 64
values (or 512 for more than 4,096 values).

The sharing (s_63 ^ r, r, t_63) of the top bits is not re-randomised: it is used only inside the
last level, under that level's mask, and never opened.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tacit.circuits.carry import CarryTree, carry_tree
from tacit.protocols.replicated3.arithmetic import flat
from tacit.protocols.replicated3.roles import thirds
from tacit.rounds.contract import Round, Step
from tacit.sharing.bits import ReplicatedBits, word_count
from tacit.sharing.replicated import Replicated

if TYPE_CHECKING:
    from tacit.protocols.replicated3.party import Replicated3Party

__all__ = ["block_width", "carry_into_top", "most_significant_bit"]

_WIDE = 4096

Words = NDArray[np.uint64]


def block_width(size: int) -> int:
    """Words a plane in a block: 8 for long arrays, 1 for short ones to keep padding small."""
    return 8 if size > _WIDE else 1


def most_significant_bit(party: Replicated3Party, x: Replicated) -> Step[ReplicatedBits]:
    """The top bit of every element: 1 where x, read as a signed number, is negative. 7 rounds."""
    return (yield from carry_into_top(party, x, with_top=True))


def carry_into_top(
    party: Replicated3Party, x: Replicated, *, with_top: bool
) -> Step[ReplicatedBits]:
    """The carry of s + t into the top bit, XORed with both top bits if `with_top`. 7 rounds."""
    size = x.size
    kernels, tree = party.ring.kernels, carry_tree(party.ring.top_bit)
    if size == 0:
        for _ in range(tree.rounds):
            yield Round()
        empty = np.zeros(0, np.uint64)
        return ReplicatedBits(empty, empty, x.shape)
    nonces = party.role_nonces()
    width = block_width(size)
    x_own, x_next = flat(x.own), flat(x.next)
    values = thirds(size, party.index, unit=64 * width)
    blocks = -(-size // (64 * width))
    by_block = thirds(blocks, party.index)
    a, b, c = by_block.a, by_block.b, by_block.c
    planes = tree.monomials + int(with_top)

    level_own, level_next = (
        np.empty((blocks, tree.leaf_planes, width), np.uint64) for _ in range(2)
    )
    top_own, top_next = (np.empty((blocks, 1, width), np.uint64) for _ in range(2))

    # Round 1. A shares its monomials; B's share of them is a stream, so B can go on at once.
    monomials = np.empty((a.stop - a.start, planes, width), np.uint64)
    kernels.carry_monomials(
        x_own[values.a],
        x_next[values.a],
        party.key_own,
        party.key_next,
        nonces.a,
        width,
        with_top,
        monomials,
        level_own[a],
        level_next[a],
        top_own[a],
        top_next[a],
    )
    from_b = np.empty((b.stop - b.start, tree.leaf_planes, width), np.uint64)
    kernels.carry_generate(
        "B",
        x_next[values.b],
        None,
        party.key_own,
        nonces.b,
        width,
        with_top,
        from_b,
        level_own[b],
        top_next[b],
        top_own[b],
    )
    monomials_at_c = np.empty((c.stop - c.start, planes, width), np.uint64)
    b_at_c = np.empty((c.stop - c.start, tree.leaf_planes, width), np.uint64)
    yield Round(
        send={party.previous: (monomials,), party.next: (from_b,)},
        receive={party.next: (monomials_at_c,), party.previous: (b_at_c,)},
    )
    # Round 2. C computes its part and sends it to B; share j+2 of level 0 is the XOR of both.
    from_c = np.empty((c.stop - c.start, tree.leaf_planes, width), np.uint64)
    kernels.carry_generate(
        "C",
        x_own[values.c],
        monomials_at_c,
        party.key_next,
        nonces.c,
        width,
        with_top,
        from_c,
        level_next[c],
        top_own[c],
        top_next[c],
    )
    np.bitwise_xor(from_c, b_at_c, out=level_own[c])
    c_at_b = np.empty_like(from_b)
    yield Round(send={party.previous: (from_c,)}, receive={party.next: (c_at_b,)})
    np.bitwise_xor(from_b, c_at_b, out=level_next[b])
    words = yield from _join(party, tree, (level_own, level_next), top_own if with_top else None)
    count = word_count(size)
    return ReplicatedBits(words[0][:count], words[1][:count], x.shape)


def _join(
    party: Replicated3Party, tree: CarryTree, leaves: tuple[Words, Words], top_own: Words | None
) -> Step[tuple[Words, Words]]:
    """The rounds after the second: (g, p) pairs combine, 21 -> 10 (+1) -> 5 -> 3 -> 1 (+1) -> 1."""
    blocks, _, width = leaves[0].shape
    nonce = party.nonce()
    states = [leaves]
    for lane, level in enumerate(tree.levels):
        own, following = states[-1]
        place, plane = level.spare or (0, 0)
        tail = states[place] if level.spare else (None, None)
        z = np.empty((blocks, level.planes, width), np.uint64)
        party.ring.kernels.carry_level(
            own,
            following,
            tail[0],
            tail[1],
            plane,
            party.key_own,
            party.key_next,
            nonce,
            lane,
            top_own if level is tree.levels[-1] else None,
            z,
        )
        z_next = np.empty_like(z)
        yield Round(send={party.previous: (z,)}, receive={party.next: (z_next,)})
        states.append((z, z_next))
    own, following = states[-1]
    return own.reshape(-1), following.reshape(-1)
