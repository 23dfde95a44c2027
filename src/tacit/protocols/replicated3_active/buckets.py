"""ANDs against random triples: cut and choose into buckets, words of 64 at a time.

Furukawa, Lindell, Nof, Weinstein 2017 (ePrint 2016/944), with the triples sacrificed after the
ANDs were computed. Active, t = 1, abort. M = B N + C random triples (a, b, c = a AND b) are made
for N words of ANDs, and shuffled by a coin that is tossed afterwards; C of them are opened, and
each word of ANDs is compared with B others. One word counts as one ball: it is bad if any of
its 64 bits is.

Rounds and bytes a party: 1 round and 8 M for the triples; 8 (2 B N + 3 C) opened.
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

And: TypeAlias = tuple[ReplicatedBits, ReplicatedBits, ReplicatedBits]
"""x, y and what was computed as x AND y."""


class BucketPlan(NamedTuple):
    """How many triples are made for N words of ANDs.

    Attributes
    ----------
    bucket : int
        B: triples that each word of ANDs is checked against.
    opened : int
        C: triples that are opened.
    triples : int
        M = B N + C.
    """

    bucket: int
    opened: int
    triples: int


@lru_cache(maxsize=1024)
def bucket_plan(words: int) -> BucketPlan:
    """The least B, with C = B, that keeps :func:`passing_probability` below 2^-40."""
    if words == 0:
        return BucketPlan(0, 0, 0)
    bucket = 2
    while comb(bucket * (words + 1), bucket) < 1 << DETECTION_BITS:
        bucket += 1
    return BucketPlan(bucket, bucket, bucket * (words + 1))


def passing_probability(words: int) -> float:
    """A bound for the probability that false ANDs among `words` words pass.

    With t false words all B t triples dealt to them, and no others, must be false: one of
    C(M, B t) equally likely sets. The greatest of these is at t = 1 or t = N.
    """
    if words == 0:
        return 0.0
    plan = bucket_plan(words)
    return 1 / min(comb(plan.triples, plan.bucket), comb(plan.triples, plan.opened))


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Triples:
    """Random a, b and c = a AND b, words of 64, not proved: the rows of own and next."""

    own: Words
    next: Words


def random_triples(party: Replicated3ActiveParty, ands: Sequence[And]) -> Step[Triples]:
    """1 round, 8 bytes a word of triples and party."""
    plan = bucket_plan(sum(z.own.size for _, _, z in ands))
    own, following = (np.empty((3, plan.triples), np.uint64) for _ in range(2))
    nonce, product_nonce = party.nonce(), party.nonce()
    kernels.fill(party.key_own, nonce, 0, own[:2])
    kernels.fill(party.key_next, nonce, 0, following[:2])
    kernels.and_share(
        own[0],
        following[0],
        own[1],
        following[1],
        party.key_own,
        party.key_next,
        product_nonce,
        0,
        own[2],
    )
    yield Round(send={party.previous: (own[2],)}, receive={party.next: (following[2],)})
    return Triples(own, following)


class Buckets:
    """The ANDs of a step against shuffled triples."""

    def __init__(self, coin: Coin, triples: Triples, ands: Sequence[And]) -> None:
        words = sum(z.own.size for _, _, z in ands)
        plan = bucket_plan(words)
        places = np.empty((1, plan.triples), np.uint64)
        kernels.permutation(kernels.StreamKey(coin.stream), 0, 0, places)
        order = places.reshape(-1).view(np.int64)
        opened, dealt = order[: plan.opened], order[plan.opened :]
        self.opened = Pair(_taken(triples.own, opened), _taken(triples.next, opened))
        shape = (3, plan.bucket, words)
        self.dealt = Pair(
            _taken(triples.own, dealt).reshape(shape), _taken(triples.next, dealt).reshape(shape)
        )
        joined = [
            Pair(
                np.concatenate([one[k].own.reshape(-1) for one in ands]),
                np.concatenate([one[k].next.reshape(-1) for one in ands]),
            )
            for k in range(3)
        ]
        self.inputs = Pair(
            np.stack([joined[0].own, joined[1].own]), np.stack([joined[0].next, joined[1].next])
        )
        self.results = joined[2]
        self.masked = Pair(*(self._masked(side) for side in ("own", "next")))

    def _masked(self, side: str) -> Words:
        """Shares of d = x XOR a and e = y XOR b: (2, B, N) words."""
        inputs, dealt = getattr(self.inputs, side), getattr(self.dealt, side)
        return np.asarray(inputs[:, None, :] ^ dealt[:2])

    def openings(self) -> list[Pair]:
        """What is opened: the first C triples, and d and e."""
        return [self.opened, self.masked]

    def remainders(
        self, party: Replicated3ActiveParty, missing: Sequence[NDArray[Any]]
    ) -> list[Pair]:
        """What must be 0: c XOR (a AND b) of the opened triples, a word for each dealt one."""
        a, b, c = self.opened.own ^ self.opened.next ^ missing[0]
        d, e = self.masked.own ^ self.masked.next ^ missing[1]
        wrong = c ^ (a & b)
        return [
            Pair(*(_public_share(party, wrong, side) for side in range(2))),
            Pair(
                *(
                    result ^ dealt[2] ^ (dealt[0] & e) ^ (d & dealt[1]) ^ constant
                    for result, dealt, constant in (
                        (self.results.own, self.dealt.own, _public_share(party, d & e, 0)),
                        (self.results.next, self.dealt.next, _public_share(party, d & e, 1)),
                    )
                )
            ),
        ]


def _taken(rows: Words, places: NDArray[np.int64]) -> Words:
    """Columns of rows, row by row: many times faster than at once."""
    out = np.empty((rows.shape[0], places.size), np.uint64)
    for row, kept in zip(rows, out, strict=True):
        np.take(row, places, out=kept, mode="clip")
    return out


def _public_share(party: Replicated3ActiveParty, words: Words, side: int) -> Words:
    """The sharing (c, 0, 0): party 0 holds c as its own share, party 2 as its next one."""
    holder = 0 if side == 0 else 2
    return words if party.index == holder else np.zeros_like(words)
