"""Between arithmetic and Boolean sharings: to and from bits, bit injection, selection.

The shares of a sharing are themselves shared without communication (``summands.py``), so a
conversion is a circuit: XOR of three bits by two products, addition of three numbers by ANDs
(Mohassel, Rindal 2018, section 5.3). Nothing is input by a party, nothing is opened but what
proofs open. Active, t = 1, abort.

Rounds and bytes, a party:

    bit_to_arithmetic   5 rounds, 96 bytes a bit
    inject, select      6 rounds, 144 bytes an element
    from_bits           5 rounds, 64 bytes a bit and 32
    to_bits             12 rounds
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from tacit.circuits.prefix import sklansky
from tacit.protocols.replicated3 import boolean, local
from tacit.protocols.replicated3_active.arithmetic import product, sum_of_products
from tacit.protocols.replicated3_active.boolean import and_words
from tacit.protocols.replicated3_active.sign import majority
from tacit.protocols.replicated3_active.summands import bit_summands, share_planes
from tacit.protocols.replicated3_active.verification import Unproved, prove
from tacit.rounds.contract import Step
from tacit.sharing.bits import ReplicatedBits
from tacit.sharing.replicated import Replicated

if TYPE_CHECKING:
    from tacit.protocols.replicated3_active.party import Replicated3ActiveParty

__all__ = [
    "bit_to_arithmetic",
    "digits",
    "from_bits",
    "inject",
    "select",
    "to_bits",
    "weighted_digits",
]


def bit_to_arithmetic(party: Replicated3ActiveParty, a: ReplicatedBits) -> Step[Replicated]:
    """Plain bits as ring elements 0 and 1, proved. 5 rounds, 96 bytes a bit and party."""
    unproved = Unproved()
    value = yield from digits(party, unproved, a)
    yield from prove(party, unproved)
    return value


def digits(
    party: Replicated3ActiveParty, unproved: Unproved, a: ReplicatedBits
) -> Step[Replicated]:
    """Plain bits as ring elements, the proof left to the caller. 2 rounds.

    a = a_0 XOR a_1 XOR a_2 with u XOR v = u + v - 2 u v.
    """
    first, second, third = bit_summands(party, a)
    both = yield from product(party, unproved, first, second)
    pair = local.linear_combination(party, [first, second, both], [1, 1, -2])
    both = yield from product(party, unproved, pair, third)
    return local.linear_combination(party, [pair, third, both], [1, 1, -2])


def inject(party: Replicated3ActiveParty, a: ReplicatedBits, x: Replicated) -> Step[Replicated]:
    """a · x for plain bits of x's shape, proved. 6 rounds, 144 bytes an element and party."""
    unproved = Unproved()
    value = yield from digits(party, unproved, a)
    chosen = yield from product(party, unproved, value, x)
    yield from prove(party, unproved)
    return chosen


def select(
    party: Replicated3ActiveParty, a: ReplicatedBits, x: Replicated, y: Replicated
) -> Step[Replicated]:
    """x where a is 1, else y: y + a (x - y). 6 rounds, 144 bytes an element and party."""
    chosen = yield from inject(party, a, local.subtract(party, x, y))
    return local.add(party, y, chosen)


def from_bits(party: Replicated3ActiveParty, a: ReplicatedBits) -> Step[Replicated]:
    """Σ 2^i a_i for planes a_i, least significant first, proved. 5 rounds."""
    unproved = Unproved()
    value = yield from weighted_digits(party, unproved, a, [1 << k for k in range(a.planes[0])])
    yield from prove(party, unproved)
    return value


def weighted_digits(
    party: Replicated3ActiveParty, unproved: Unproved, a: ReplicatedBits, weights: Sequence[int]
) -> Step[Replicated]:
    """Σ weight · bit over the planes, the proof left to the caller. 2 rounds.

    As `digits`; the second product of all planes is one sum of products: with u = a_0 XOR a_1,
    Σ w a = Σ w (u + a_2) - 2 Σ (w u) a_2.
    """
    planes, words = a.own.shape
    as_plain = ReplicatedBits(a.own.reshape(-1), a.next.reshape(-1), (planes, words * 64))
    first, second, third = bit_summands(party, as_plain)
    both = yield from product(party, unproved, first, second)
    pair = local.linear_combination(party, [first, second, both], [1, 1, -2])
    column = party.ring.elements(list(weights))[:, None]
    weighted = local.multiply_public(party, pair, column)
    pairs = [(weighted[k], third[k]) for k in range(planes)]
    both = yield from sum_of_products(party, unproved, pairs)
    sums = local.add(party, weighted, local.multiply_public(party, third, column))
    total = local.linear_combination(party, [local.sum_(party, sums, axis=0), both], [1, -2])
    return total.map(lambda share: share[: a.size].reshape(a.shape))


def to_bits(party: Replicated3ActiveParty, x: Replicated) -> Step[ReplicatedBits]:
    """All bits of x as planes, least significant first, proved. 12 rounds."""
    unproved = Unproved()
    top = party.ring.top_bit
    planes = share_planes(party, x)
    carries = yield from majority(party, unproved, planes.select(list(range(top))))
    # The sum is S + 2 M: position j has S_j and M_{j-1}; a carry out of the top bit is dropped.
    s, m = planes.sum.plane(slice(1, top)), carries.plane(slice(0, top - 1))
    g = yield from and_words(party, unproved, s, m)
    carry = yield from _prefix_carries(party, unproved, g, boolean.xor(party, s, m))
    yield from prove(party, unproved)

    def total(sums: np.ndarray, majorities: np.ndarray, carried: np.ndarray) -> np.ndarray:
        out = sums.copy()
        out[1:] ^= majorities
        out[2:] ^= carried
        return out

    return ReplicatedBits(
        total(planes.sum.own, carries.own, carry.own),
        total(planes.sum.next, carries.next, carry.next),
        x.shape,
    )


def _prefix_carries(
    party: Replicated3ActiveParty, unproved: Unproved, g: ReplicatedBits, p: ReplicatedBits
) -> Step[ReplicatedBits]:
    """Carry out of every position: log2 of the planes rounds."""
    for high, low, inner in sklansky(g.own.shape[0]):
        # g_high ^= p_high g_low for all; p_high = p_high p_low where the group has a lower one.
        left = np.concatenate([high, high[inner]])
        right = ReplicatedBits(
            np.concatenate([g.own[low], p.own[low[inner]]]),
            np.concatenate([g.next[low], p.next[low[inner]]]),
            g.shape,
        )
        products = yield from and_words(party, unproved, p.plane(left), right)
        count = len(high)
        g = ReplicatedBits(g.own.copy(), g.next.copy(), g.shape)
        p = ReplicatedBits(p.own.copy(), p.next.copy(), p.shape)
        g.own[high] ^= products.own[:count]
        g.next[high] ^= products.next[:count]
        p.own[high[inner]] = products.own[count:]
        p.next[high[inner]] = products.next[count:]
    return g
