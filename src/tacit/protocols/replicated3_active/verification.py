"""What a step must prove before it ends: its products and ANDs, by sacrifice.

Eerikson, Keller, Orlandi, Pullonen, Puura, Simkin 2020 (ePrint 2019/164, sacrifice over Z_2^k
with 64 more bits) for products; Furukawa, Lindell, Nof, Weinstein 2017 (ePrint 2016/944, cut and
choose into buckets) for ANDs. Active, t = 1, abort.

A product of [AFLNO16] is private and always leaves a consistent sharing; a corrupt party can only
add a number of its choice to the result. So a step may go on with results that are not proved,
as long as all that it sends is masked, and proves them together at its end:

1. (ANDs only) random triples (a, b, c = a AND b), as words of 64.
2. A coin that nobody knew before every message of the step, and of 1, had arrived.
3. For z = Σ x_k y_k over Z_2^128, with masks a_k and c = Σ a_k y_k made beside it: open
   ρ_k = r x_k - a_k, r the coin. For ANDs: shuffle the triples by the coin, open some, deal the
   rest to the ANDs, open x XOR a and y XOR b.
4. r z - c - Σ ρ_k y_k = 0, and z XOR c XOR (a AND e) XOR (d AND b) XOR (d AND e) = 0: each
   party sends the hashes of its two shares; the third party knows what they must be.

A false product passes with probability at most 2^-64; a step with false ANDs with at most
``buckets.passing_probability``, below 2^-40. There is no key that lasts: each step tosses a coin of
its own, so steps may run side by side. What a failed check shows is the error itself, which the
one who made it knew (``docs/decisions/0042-active-security-of-three.md``).

Rounds: 3 for products, 4 where there are ANDs. Bytes a party: 16 for each element that is masked,
8 (M + 2BN + 3C) for N words of ANDs (``buckets.bucket_plan``); 192 check bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tacit.encoding.ring import Elements
from tacit.encoding.wide import RING128
from tacit.protocols.replicated3_active.buckets import And, Buckets, random_triples
from tacit.protocols.replicated3_active.coin import Coin, seal_coin, toss
from tacit.protocols.replicated3_active.openings import Pair, open_to_all, require_zero
from tacit.rounds.contract import Step
from tacit.sharing.replicated import Replicated

if TYPE_CHECKING:
    from tacit.protocols.replicated3_active.party import Replicated3ActiveParty

__all__ = ["Relation", "Unproved", "prove"]


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Relation:
    """z = Σ x_k y_k as computed over Z_2^128, and c = Σ a_k y_k with random masks a_k.

    Attributes
    ----------
    terms : sequence of (x, a, y)
        Sharings over Z_2^128; x_k and a_k have one shape.
    z, c : Replicated
        The two sums of products, over Z_2^128.
    product : callable
        ``product(rho, share)``: public rho in x_k's place times a share of y_k.
    """

    terms: Sequence[tuple[Replicated, Replicated, Replicated]]
    z: Replicated
    c: Replicated
    product: Callable[[Elements, Elements], Elements]


@dataclass(slots=True, repr=False, eq=False)
class Unproved:
    """What one step has multiplied so far and not yet proved.

    Attributes
    ----------
    relations : list of Relation
        Products over Z_2^128.
    ands : list of (x, y, z)
        ANDs of packed words as they were computed.
    """

    relations: list[Relation] = field(default_factory=list)
    ands: list[And] = field(default_factory=list)


def prove(party: Replicated3ActiveParty, unproved: Unproved) -> Step[None]:
    """Prove all products and ANDs of a step; it may return what depends on them afterwards.

    Raises
    ------
    VerificationError
        Something is wrong (TC-5200, TC-5202): the session is over.
    """
    sealed = seal_coin(party)
    triples = (yield from random_triples(party, unproved.ands)) if unproved.ands else None
    coin = yield from toss(party, sealed)

    masked = [
        Pair(*(_masked(coin, x_share, a_share) for x_share, a_share in zip(x, a, strict=True)))
        for relation in unproved.relations
        for x, a in ((_pair(x), _pair(a)) for x, a, _ in relation.terms)
    ]
    buckets = Buckets(coin, triples, unproved.ands) if triples is not None else None
    opened = yield from open_to_all(party, [*masked, *(buckets.openings() if buckets else ())])

    public = [
        RING128.add(RING128.add(m.own, m.next), share)
        for m, share in zip(masked, opened, strict=False)
    ]
    zeros: list[Pair] = []
    for relation in unproved.relations:
        rhos, public = public[: len(relation.terms)], public[len(relation.terms) :]
        zeros.append(_remainder(coin, relation, rhos))
    if buckets:
        zeros.extend(buckets.remainders(party, opened[len(masked) :]))
    yield from require_zero(party, zeros)


def _pair(x: Replicated) -> Pair:
    return Pair(x.own, x.next)


def _masked(coin: Coin, x: Elements, a: Elements) -> Elements:
    """A share of ρ = r x - a."""
    return RING128.subtract(RING128.multiply(x, coin.challenge), a)


def _remainder(coin: Coin, relation: Relation, rhos: Sequence[Elements]) -> Pair:
    """Shares of r z - c - Σ ρ_k y_k."""

    def of(z: Elements, c: Elements, ys: Sequence[Elements]) -> Elements:
        total = RING128.subtract(RING128.multiply(z, coin.challenge), c)
        for rho, y in zip(rhos, ys, strict=True):
            total = RING128.subtract(total, relation.product(rho, y))
        return total

    z, c, ys = relation.z, relation.c, [y for _, _, y in relation.terms]
    return Pair(of(z.own, c.own, [y.own for y in ys]), of(z.next, c.next, [y.next for y in ys]))
