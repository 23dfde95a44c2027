"""Secret permutations: drawn by all, known to nobody, applied to arrays and taken back.

A permutation is the product of four: pi_k comes from PRNG_k, which all parties but P_k know, so
each party lacks one of them and knows nothing of the product (after Laur, Willemson, Zhang 2011,
with a factor for each set of parties that may not know it all). Active, t = 1, abort with two
suspects; argued in ``docs/decisions/0041-four-party-shuffle.md``.

Pass k: the three parties that know pi_k hold every share of x, each of the shares other than x_k
twice. Share k of the result is pi_k(x_k), which its three holders compute; for the others,
pi_k(x_j) is shared by INP by the two that know it, with P_k as the receiver.

Rounds and bytes: 4 rounds, 12 elements (96 bytes) an element in all, 3 by each party. Drawing a
permutation is local.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from tacit import kernels
from tacit.protocols.fantastic4.groups import BITS, Array, Group, elements_of
from tacit.protocols.fantastic4.joint import Message, exchange, total
from tacit.rounds.contract import Step
from tacit.sharing.replicated4 import Replicated4, Replicated4Bits
from tacit.sharing.rows import Positions, moved, moved_bits, places_of, require_rows

if TYPE_CHECKING:
    from tacit.protocols.fantastic4.party import Fantastic4Party

__all__ = ["FactorPermutations", "pass_roles", "permutation", "permute", "permute_bits"]

_DRAW: Final = 0

Move = Callable[[Array, Positions], Array]


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class FactorPermutations:
    """A party's part of secret permutations of rows: three of the four factors of each.

    Attributes
    ----------
    factors : mapping of int to ndarray of int64, (rows, count)
        pi_k under k, for every k but the holder's index: place i of a row takes the element at
        ``factors[k][row, i]``.
    shape : tuple of int
        How many permutations, of how many elements.
    """

    factors: Mapping[int, Positions]
    shape: tuple[int, int]

    def __repr__(self) -> str:
        return f"FactorPermutations(shape={self.shape})"


def permutation(party: Fantastic4Party, rows: int, count: int) -> FactorPermutations:
    """Uniform permutations that no party knows, one for each of `rows` rows. No communication.

    Factor k is drawn from PRNG_k, lane 0 of a nonce of its own, by Fisher-Yates with rejection.
    """
    nonce = party.nonce()
    factors: dict[int, Positions] = {}
    for k in party.held:
        drawn = np.empty((rows, count), np.uint64)
        kernels.permutation(party.keys[k], nonce, _DRAW, drawn)
        factors[k] = drawn.view(np.int64)
    return FactorPermutations(factors, (rows, count))


def permute(
    party: Fantastic4Party, permutation: FactorPermutations, x: Replicated4, inverse: bool = False
) -> Step[Replicated4]:
    """Every row's elements in the order of its secret permutation. 4 rounds, 12 elements in all.

    Parameters
    ----------
    permutation : FactorPermutations
        Of shape (rows, count).
    x : Replicated4
        (rows, count, …): what stands behind the first two axes travels together.
    inverse : bool
        Back to the order before.

    Returns
    -------
    Replicated4
        A fresh sharing of x's shape.
    """
    require_rows(permutation.shape, x.shape)

    group = elements_of(party.ring)
    contiguous = {j: np.ascontiguousarray(share) for j, share in x.shares.items()}
    shares = yield from _passes(party, permutation, inverse, contiguous, x.shape, group, moved)
    return Replicated4(shares)


def permute_bits(
    party: Fantastic4Party,
    permutation: FactorPermutations,
    a: Replicated4Bits,
    inverse: bool = False,
) -> Step[Replicated4Bits]:
    """The same for plain bits (rows, count, …), packed. 4 rounds, 12 bits a bit in all."""
    require_rows(permutation.shape, a.shape)

    def move(words: Array, places: Positions) -> Array:
        return moved_bits(words, a.shape, places)

    words = next(iter(a.shares.values())).shape
    shares = yield from _passes(party, permutation, inverse, a.shares, words, BITS, move)
    return Replicated4Bits(shares, a.shape)


def pass_roles(k: int) -> list[tuple[int, int, int]]:
    """S, B and R for the shares j = k+1, k+2, k+3 (mod 4) in the pass of pi_k; O is j."""
    a, b, c = ((k + i) % 4 for i in (1, 2, 3))
    return [(b, c, k), (c, a, k), (a, b, k)]


def _passes(
    party: Fantastic4Party,
    permutation: FactorPermutations,
    inverse: bool,
    shares: Mapping[int, Array],
    shape: tuple[int, ...],
    group: Group,
    move: Move,
) -> Step[Mapping[int, Array]]:
    """One pass a factor over words of any group: pi_0 first, or pi_3 back first."""
    for k in reversed(range(4)) if inverse else range(4):
        known: dict[int, Array] = {}
        if k != party.index:
            places = places_of(permutation.factors[k], inverse)
            known = {j: move(share, places) for j, share in shares.items()}
        messages = []
        for sender, backup, receiver in pass_roles(k):
            j = 6 - sender - backup - receiver
            value = known[j] if party.index in (sender, backup) else None
            messages.append(Message(sender, backup, receiver, group, shape, value))
        fresh = dict(total(party, (yield from exchange(party, messages)), shape))
        if k in fresh:
            fresh[k] = group.add(fresh[k], known[k])
        shares = fresh
    return shares
