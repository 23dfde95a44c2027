"""Secret permutations: drawn by all, known to nobody, applied to arrays and taken back.

Araki, Furukawa, Ohara, Pinkas, Rosemarin, Tsuchida 2021 (the shuffle of section 4 with pairwise
permutations and masks), after Laur, Willemson, Zhang 2011 (a permutation for each pair that may
not know it all). Passive, t = 1.

A permutation is the product of three: each pair of parties draws one from its common key
(Fisher-Yates with rejection, uniform), so each party lacks one of them and knows nothing of the
product. Notation: in the order in which the three are applied, S knows the first and the second,
T the first and the third, U the second and the third; s is the sum of S's two shares, t the share
that T and U hold.

Rounds and bytes: 2 rounds, 4 elements (32 bytes) an element in all: 1 by S, 2 by T, 1 by U. Drawing
a permutation is local.

Deviations from the paper: the masks come from the pairwise keys instead of being drawn and sent;
the third pass needs no mask of its own (``docs/decisions/0020-secret-shuffle.md``); the way back
is the same protocol with the roles of the inverse permutations.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tacit import kernels
from tacit.encoding.ring import RING64, Elements, Ring
from tacit.rounds.contract import Round, Step
from tacit.sharing.bits import ReplicatedBits
from tacit.sharing.replicated import Replicated
from tacit.sharing.rows import Positions, moved, moved_bits, places_of, require_rows

if TYPE_CHECKING:
    from tacit.protocols.replicated3.party import Replicated3Party

__all__ = ["PairPermutations", "permutation", "permute", "permute_bits"]

_DRAW = 0
_MASK, _SHARE = 0, 1


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class PairPermutations:
    """A party's part of secret permutations of rows: two of the three factors of each.

    Attributes
    ----------
    own, next : ndarray of int64, (rows, count)
        The factor drawn with the previous party and the one drawn with the next: place j of a
        row takes the element at ``own[row, j]``.
    """

    own: Positions
    next: Positions

    def __repr__(self) -> str:
        return f"PairPermutations(shape={self.own.shape})"

    @property
    def shape(self) -> tuple[int, ...]:
        """How many permutations, of how many elements."""
        return self.own.shape


class _Roles(NamedTuple):
    """The indices of S, T and U; a pair's common key and common share have one index."""

    s: int
    t: int
    u: int

    @property
    def first(self) -> int:
        """The index of the key and the share that S and T have in common."""
        return _common(self.s, self.t)

    @property
    def second(self) -> int:
        """Of S and U."""
        return _common(self.s, self.u)

    @property
    def third(self) -> int:
        """Of T and U."""
        return _common(self.t, self.u)


def _common(i: int, j: int) -> int:
    """Parties i and i + 1 share the key and the share i + 1."""
    return j if j == (i + 1) % 3 else i


# S, T, U on the way there: key 1 (of 0 and 1), key 0 (of 0 and 2), key 2 (of 1 and 2). The way
# back takes the inverses in the opposite order.
_FORTH = _Roles(0, 1, 2)
_BACK = _Roles(2, 1, 0)


def permutation(party: Replicated3Party, rows: int, count: int) -> PairPermutations:
    """Uniform permutations that no party knows, one for each of `rows` rows. No communication.

    Each pair draws from its key: lane 0 of a nonce of their own.
    """
    nonce = party.nonce()
    own, following = (np.empty((rows, count), np.uint64) for _ in range(2))
    kernels.permutation(party.key_own, nonce, _DRAW, own)
    kernels.permutation(party.key_next, nonce, _DRAW, following)
    return PairPermutations(own.view(np.int64), following.view(np.int64))


def permute(
    party: Replicated3Party, permutation: PairPermutations, x: Replicated, inverse: bool = False
) -> Step[Replicated]:
    """Every row's elements in the order of its secret permutation. 2 rounds, 4 elements in all.

    Parameters
    ----------
    permutation : PairPermutations
        Of shape (rows, count).
    x : Replicated
        (rows, count, …): what stands behind the first two axes travels together.
    inverse : bool
        Back to the order before.

    Returns
    -------
    Replicated
        A fresh sharing of x's shape.
    """
    require_rows(permutation.shape, x.shape)

    passes = _passes(
        party,
        permutation,
        inverse,
        (np.ascontiguousarray(x.own), np.ascontiguousarray(x.next)),
        _Algebra(party.ring, moved, party.ring.add, party.ring.subtract),
    )
    own, following = yield from passes
    return Replicated(own, following)


def permute_bits(
    party: Replicated3Party,
    permutation: PairPermutations,
    a: ReplicatedBits,
    inverse: bool = False,
) -> Step[ReplicatedBits]:
    """The same for plain bits (rows, count, …), packed. 2 rounds, 4 bits a bit in all."""
    require_rows(permutation.shape, a.shape)

    def move(words: Elements, places: Positions) -> Elements:
        return moved_bits(words, a.shape, places)

    algebra = _Algebra(RING64, move, np.bitwise_xor, np.bitwise_xor)
    own, following = yield from _passes(party, permutation, inverse, (a.own, a.next), algebra)
    return ReplicatedBits(own, following, a.shape)


@dataclass(frozen=True, slots=True)
class _Algebra:
    """The words that are permuted: how they are drawn, moved, added and subtracted."""

    ring: Ring
    move: Callable[[Elements, Positions], Elements]
    plus: Callable[[Elements, Elements], Elements]
    minus: Callable[[Elements, Elements], Elements]


def _passes(
    party: Replicated3Party,
    permutation: PairPermutations,
    inverse: bool,
    x: tuple[Elements, Elements],
    algebra: _Algebra,
) -> Step[tuple[Elements, Elements]]:
    """The three passes of Araki et al. 2021 over words of any group: this party's two shares.

    Notation of the paper: pi and Z of a pair are its permutation and its mask; A~ (index
    `second`), B~ (index `first`) are the new shares from the keys, C~ (index `third`) is the sum
    of the two messages of the last round.
    """
    move, plus, minus = algebra.move, algebra.plus, algebra.minus
    nonce = party.nonce()
    roles = _BACK if inverse else _FORTH
    index = party.index
    shares = {index: x[0], party.next: x[1]}
    factors = {index: permutation.own, party.next: permutation.next}
    places = {k: places_of(factor, inverse) for k, factor in factors.items()}
    keys = {index: party.key_own, party.next: party.key_next}

    def drawn(key: int, lane: int) -> Elements:
        out = algebra.ring.empty(x[0].shape)
        algebra.ring.kernels.fill(keys[key], nonce, lane, out)
        return out

    first, second, third = roles.first, roles.second, roles.third
    result: dict[int, Elements] = {}
    if index == roles.s:
        # X_2 = pi_SU(pi_ST(s + Z_ST) + Z_SU) goes to T.
        s = plus(shares[first], shares[second])
        x_1 = move(plus(s, drawn(first, _MASK)), places[first])
        x_2 = move(plus(x_1, drawn(second, _MASK)), places[second])
        yield Round(send={roles.t: (x_2,)})
        result[first], result[second] = drawn(first, _SHARE), drawn(second, _SHARE)
        yield Round()
    elif index == roles.t:
        # Y_1 = pi_ST(t - Z_ST) goes to U; then C~_1 = pi_TU(X_2) - B~.
        y_1 = move(minus(shares[third], drawn(first, _MASK)), places[first])
        x_2 = np.empty_like(y_1)
        yield Round(send={roles.u: (y_1,)}, receive={roles.s: (x_2,)})
        result[first] = drawn(first, _SHARE)
        c_1 = minus(move(x_2, places[third]), result[first])
        c_2 = np.empty_like(c_1)
        yield Round(send={roles.u: (c_1,)}, receive={roles.u: (c_2,)})
        result[third] = plus(c_1, c_2)
    else:
        # C~_2 = pi_TU(pi_SU(Y_1 - Z_SU)) - A~.
        y_1 = np.empty_like(x[0])
        yield Round(receive={roles.t: (y_1,)})
        y_2 = move(minus(y_1, drawn(second, _MASK)), places[second])
        result[second] = drawn(second, _SHARE)
        c_2 = minus(move(y_2, places[third]), result[second])
        c_1 = np.empty_like(c_2)
        yield Round(send={roles.t: (c_2,)}, receive={roles.t: (c_1,)})
        result[third] = plus(c_1, c_2)
    return result[index], result[party.next]
