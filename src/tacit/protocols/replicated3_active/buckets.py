"""ANDs against random triples: cut and choose into buckets, words of 64 at a time.

Furukawa, Lindell, Nof, Weinstein 2017 (ePrint 2016/944), with the triples sacrificed after the
ANDs were computed. Active, t = 1, abort. M = B N + C random triples (a, b, c = a AND b) are made
for N balls of ANDs, and shuffled by a coin that is tossed afterwards; C of them are opened, and
each ball of ANDs is compared with B others. A ball is a word of 64 bits, or eight where there are
many: it is bad if any of its bits is.

Rounds and bytes a party: 1 round and 8 M for the triples; 8 (2 B N + 3 C) opened, for words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import comb
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tacit import kernels
from tacit.protocols.replicated3_active.coin import Coin
from tacit.protocols.replicated3_active.openings import Pair
from tacit.rounds.contract import Round, Step
from tacit.sharing.bits import ReplicatedBits

if TYPE_CHECKING:
    from tacit.protocols.replicated3_active.party import Replicated3ActiveParty

__all__ = [
    "DETECTION_BITS",
    "And",
    "BucketPlan",
    "Buckets",
    "Triples",
    "bucket_plan",
    "passing_probability",
    "random_triples",
]

DETECTION_BITS = 40
"""False ANDs pass with probability at most 2^-40, for any number of them."""

Words = NDArray[np.uint64]

_WIDE = 8
_MANY = 50_008
"""Words from which 8 make a ball: 6,251 balls, for which B = 3 suffices."""

And: TypeAlias = tuple[ReplicatedBits, ReplicatedBits, ReplicatedBits]
"""x, y and what was computed as x AND y."""


class BucketPlan(NamedTuple):
    """How many triples are made for the words of ANDs of one step.

    Attributes
    ----------
    width : int
        Words a ball: 8, a line of the cache, where there are many.
    balls : int
        N: balls of ANDs, the last one filled up with zeros.
    bucket : int
        B: triples that each ball of ANDs is checked against.
    opened : int
        C: triples that are opened.
    triples : int
        M = B N + C, in balls.
    """

    width: int
    balls: int
    bucket: int
    opened: int
    triples: int


@lru_cache(maxsize=1024)
def bucket_plan(words: int) -> BucketPlan:
    """The least B, with C = B, that keeps :func:`passing_probability` below 2^-40."""
    width = _WIDE if words >= _MANY else 1
    balls = -(-words // width)
    if balls == 0:
        return BucketPlan(width, 0, 0, 0, 0)
    bucket = 2
    while comb(bucket * (balls + 1), bucket) < 1 << DETECTION_BITS:
        bucket += 1
    return BucketPlan(width, balls, bucket, bucket, bucket * (balls + 1))


def passing_probability(words: int) -> float:
    """A bound for the probability that false ANDs among `words` words pass.

    With t false balls all B t triples dealt to them, and no others, must be false: one of
    C(M, B t) equally likely sets. The greatest of these is at t = 1 or t = N.
    """
    if words == 0:
        return 0.0
    plan = bucket_plan(words)
    return 1 / min(comb(plan.triples, plan.bucket), comb(plan.triples, plan.opened))


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Triples:
    """Random a, b and c = a AND b, not proved: own and next are (3, M, width) words."""

    own: Words
    next: Words


def _plan_of(ands: Sequence[And]) -> BucketPlan:
    return bucket_plan(sum(z.own.size for _, _, z in ands))


def random_triples(party: Replicated3ActiveParty, ands: Sequence[And]) -> Step[Triples]:
    """1 round, 8 bytes a word of triples and party."""
    plan = _plan_of(ands)
    own, following = (np.empty((3, plan.triples, plan.width), np.uint64) for _ in range(2))
    nonce, product_nonce = party.nonce(), party.nonce()
    kernels.fill(party.key_own, nonce, 0, own[:2])
    kernels.fill(party.key_next, nonce, 0, following[:2])
    kernels.and_share(
        own[0].reshape(-1),
        following[0].reshape(-1),
        own[1].reshape(-1),
        following[1].reshape(-1),
        party.key_own,
        party.key_next,
        product_nonce,
        0,
        own[2].reshape(-1),
    )
    yield Round(send={party.previous: (own[2],)}, receive={party.next: (following[2],)})
    return Triples(own, following)


class Buckets:
    """The ANDs of a step against shuffled triples."""

    def __init__(self, coin: Coin, triples: Triples, ands: Sequence[And]) -> None:
        plan = _plan_of(ands)
        places = np.empty((1, plan.triples), np.uint64)
        kernels.permutation(kernels.StreamKey(coin.stream), 0, 0, places)
        order = places.reshape(-1).view(np.int64)
        opened, dealt = order[: plan.opened], order[plan.opened :]
        shape = (3, plan.bucket, plan.balls, plan.width)
        self.opened = Pair(_taken(triples.own, opened), _taken(triples.next, opened))
        self.dealt = Pair(
            _taken(triples.own, dealt).reshape(shape), _taken(triples.next, dealt).reshape(shape)
        )
        self.ands = Pair(
            _gathered([[part.own for part in one] for one in ands], plan),
            _gathered([[part.next for part in one] for one in ands], plan),
        )
        self.masked = Pair(
            *(mine[:2, None] ^ dealt[:2] for mine, dealt in zip(self.ands, self.dealt, strict=True))
        )

    def openings(self) -> list[Pair]:
        """What is opened: the first C triples, and d = x XOR a and e = y XOR b."""
        return [self.opened, self.masked]

    def remainders(
        self, party: Replicated3ActiveParty, missing: Sequence[NDArray[Any]]
    ) -> list[Pair]:
        """What must be 0: c XOR (a AND b) of the opened triples, a word for each dealt one."""
        a, b, c = self.opened.own ^ self.opened.next ^ missing[0]
        d, e = self.masked.own ^ self.masked.next ^ missing[1]
        wrong, nothing = c ^ (a & b), np.zeros_like(c)
        # The sharing (c, 0, 0) of a constant: party 0 holds it as own, party 2 as next.
        holds = (party.index == 0, party.index == 2)
        return [
            Pair(*(wrong if held else nothing for held in holds)),
            Pair(
                *(
                    _remainder(mine[2], dealt, d, e, constant=held)
                    for mine, dealt, held in zip(self.ands, self.dealt, holds, strict=True)
                )
            ),
        ]


def _remainder(z: Words, dealt: Words, d: Words, e: Words, *, constant: bool) -> Words:
    """A share of z XOR c XOR (a AND e) XOR (d AND b) XOR (d AND e)."""
    a, b, c = dealt
    total = a & e
    total ^= c
    total ^= z
    total ^= d & (b ^ e if constant else b)
    return np.asarray(total)


def _gathered(ands: Sequence[Sequence[Words]], plan: BucketPlan) -> Words:
    """One side's shares of all x, y and z, as (3, balls, width) words; zeros at the end."""
    out = np.zeros((3, plan.balls * plan.width), np.uint64)
    start = 0
    for parts in ands:
        stop = start + parts[2].size
        for row, part in zip(out, parts, strict=True):
            row[start:stop] = part.reshape(-1)
        start = stop
    return out.reshape(3, plan.balls, plan.width)


def _taken(rows: Words, places: NDArray[np.int64]) -> Words:
    """Balls at these places, row by row: many times faster than at once."""
    out = np.empty((rows.shape[0], places.size, rows.shape[2]), np.uint64)
    for row, kept in zip(rows, out, strict=True):
        np.take(row, places, axis=0, out=kept, mode="clip")
    return out
