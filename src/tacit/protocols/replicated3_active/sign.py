"""The sign bit: the top bit of the sum of the three shares.

The shares' planes are Boolean sharings without communication (``summands.py``). A layer of carry
save adders makes two summands of three, a tree of (generate, propagate) pairs gives the carry
into the top bit: the conversion of [MR18], section 5.3, with all its ANDs proved. Active, t = 1,
abort. Every AND is one of ``boolean.py``; nothing is opened but what proofs open.

Rounds: 8, and 4 for the proof. ANDs: 63 + 62 + 116 a value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tacit.protocols.replicated3 import boolean
from tacit.protocols.replicated3_active.boolean import and_words
from tacit.protocols.replicated3_active.summands import SharePlanes, share_planes
from tacit.protocols.replicated3_active.verification import Unproved, prove
from tacit.rounds.contract import Step
from tacit.sharing.bits import ReplicatedBits
from tacit.sharing.replicated import Replicated

if TYPE_CHECKING:
    from tacit.protocols.replicated3_active.party import Replicated3ActiveParty

__all__ = ["carry_out", "majority", "most_significant_bit"]


def most_significant_bit(party: Replicated3ActiveParty, x: Replicated) -> Step[ReplicatedBits]:
    """The top bit of every element, proved. 12 rounds."""
    unproved = Unproved()
    top = party.ring.top_bit
    planes = share_planes(party, x)
    carries = yield from majority(party, unproved, planes.select(list(range(top))))
    # The sum is S + 2 M. Position 0 has no second summand; position j has S_j and M_{j-1}.
    s, m = planes.sum.plane(slice(1, top)), carries.plane(slice(0, top - 1))
    carry = yield from carry_out(party, unproved, s, m)
    yield from prove(party, unproved)
    result = boolean.xor(party, planes.sum.plane(top), carries.plane(top - 1))
    return boolean.xor(party, result, carry)


def majority(
    party: Replicated3ActiveParty, unproved: Unproved, planes: SharePlanes
) -> Step[ReplicatedBits]:
    """Where at least two of the three shares have a 1. 1 round, 1 AND a bit.

    maj(a, b, c) = a XOR (a XOR b)(a XOR c).
    """
    both = yield from and_words(party, unproved, planes.without(2), planes.without(1))
    return boolean.xor(party, planes.only(0), both)


def carry_out(
    party: Replicated3ActiveParty, unproved: Unproved, s: ReplicatedBits, m: ReplicatedBits
) -> Step[ReplicatedBits]:
    """The carry out of the sum of two numbers of n bits, planes (n, words). 1 + log2 n rounds.

    Neighbouring pairs join as (g, p) = (g_hi XOR p_hi g_lo, p_hi p_lo); where their number is
    odd, the highest waits. The lowest pair needs no p.
    """
    g = yield from and_words(party, unproved, s, m)
    p = boolean.xor(party, s, m)
    while (count := g.own.shape[0]) > 1:
        high, low = slice(1, None, 2), slice(0, count - 1, 2)
        p_high = p.plane(high)
        right = _joined(g.plane(low), p.plane(low).plane(slice(1, None)))
        left = _joined(p_high, p_high.plane(slice(1, None)))
        products = yield from and_words(party, unproved, left, right)
        pairs = count // 2
        g_new = boolean.xor(party, g.plane(high), products.plane(slice(0, pairs)))
        # No p for the lowest pair: a plane of zeros keeps the places.
        p_new = _joined(_zeros_like(products, 1), products.plane(slice(pairs, None)))
        if count % 2:
            g_new = _joined(g_new, g.plane(slice(count - 1, None)))
            p_new = _joined(p_new, p.plane(slice(count - 1, None)))
        g, p = g_new, p_new
    return g.plane(0)


def _joined(low: ReplicatedBits, high: ReplicatedBits) -> ReplicatedBits:
    return ReplicatedBits(
        np.concatenate([low.own, high.own]), np.concatenate([low.next, high.next]), low.shape
    )


def _zeros_like(a: ReplicatedBits, planes: int) -> ReplicatedBits:
    zero = np.zeros((planes, a.own.shape[-1]), np.uint64)
    return ReplicatedBits(zero, zero, a.shape)
