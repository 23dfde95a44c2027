"""Multiplication and matrix products in the ring.

Dalskov, Escudero, Keller 2021 (ePrint 2020/1330), protocol Pi_MULT. Active, t = 1, abort with two
suspects.

Notation: x = x_0 + x_1 + x_2 + x_3; party i lacks x_i. With s = -1 for the pairs {0, 2} and {1, 3}
and s = +1 for the other four,

    F_ab = s (x_a + s x_b)(y_a + s y_b) = x_a y_b + x_b y_a + s (x_a y_a + x_b y_b),

and x y is the sum of F_ab over all six pairs: each square x_a y_a comes in three of them, twice
with +1 and once with -1. Both parties outside {a, b} know F_ab, and make a sharing of it by INP.

Rounds and bytes: 1 round, six ring elements for an element of the *result* in all (two from
parties 0 and 1, one from 2 and 3), however long the sums are; six digests. Deviation from the
paper: its z_j are four products each, 24 in all; these are 12 (decision 0036).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from tacit.encoding.ring import Elements
from tacit.protocols.fantastic4.groups import Array, Group, elements_of
from tacit.protocols.fantastic4.joint import Message, Roles, compared, exchange, total
from tacit.rounds.contract import Step
from tacit.sharing.replicated4 import Replicated4

if TYPE_CHECKING:
    from tacit.protocols.fantastic4.party import Fantastic4Party

__all__ = [
    "PRODUCT_ROLES",
    "Pairs",
    "add_terms",
    "as_matrices",
    "matmul",
    "multiply",
    "product_terms",
    "reshare",
    "share_product",
    "share_terms",
]

PRODUCT_ROLES: Final = (
    *((j, (j + 1) % 4, (j + 3) % 4) for j in range(4)),
    (0, 2, 3),
    (1, 3, 2),
)
"""S, B and R of the six terms of a product [DEK21, Pi_MULT]; {R, O} is the pair of shares."""

NEGATIVE: Final = frozenset({(0, 2), (1, 3)})
"""The pairs with s = -1."""

Pairs: TypeAlias = Mapping[tuple[int, int], Array]
"""A term for each pair (a, b) of shares that the party holds, a < b."""


def multiply(party: Fantastic4Party, x: Replicated4, y: Replicated4) -> Step[Replicated4]:
    """Product of two sharings, element by element. 1 round, six ring elements in all."""
    group = elements_of(party.ring)
    return Replicated4((yield from share_product(party, x.shares, y.shares, group)))


def matmul(party: Fantastic4Party, x: Replicated4, y: Replicated4) -> Step[Replicated4]:
    """Matrix product of two sharings. 1 round, six ring elements a result in all."""
    x, y, shape = as_matrices(x, y)
    product = partial(party.ring.matmul, threads=party.threads)
    result = yield from reshare(party, product_terms(party, x, y, product))
    return result.reshape(*shape)


def as_matrices(x: Replicated4, y: Replicated4) -> tuple[Replicated4, Replicated4, tuple[int, ...]]:
    """Operands of a matrix product with vectors as one row or column, and the result's shape."""
    row, column = x.ndim == 1, y.ndim == 1
    if row:
        x = x.map(lambda share: share[None, :])
    if column:
        y = y.map(lambda share: share[:, None])
    shape = (*x.shape[-2:-1], *y.shape[-1:])[row : 2 - column]
    return x, y, (*np.broadcast_shapes(x.shape[:-2], y.shape[:-2]), *shape)


def product_terms(
    party: Fantastic4Party,
    x: Replicated4,
    y: Replicated4,
    product: Callable[[Elements, Elements], Elements],
) -> Pairs:
    """F_ab for the three pairs of shares that this party holds: three products.

    Parameters
    ----------
    product : callable
        A bilinear map on shares: ``ring.multiply``, ``ring.matmul``.
    """
    return pair_terms(x.shares, y.shares, elements_of(party.ring), product)


def pair_terms(
    x: Mapping[int, Array],
    y: Mapping[int, Array],
    group: Group,
    product: Callable[[Array, Array], Array],
) -> Pairs:
    """F_ab for every pair of shares in x and y, over a group with a bilinear product."""
    add, subtract = group.add, group.subtract
    terms: dict[tuple[int, int], Array] = {}
    for a, b in combinations(sorted(x), 2):
        if (a, b) in NEGATIVE:
            terms[a, b] = product(subtract(x[a], x[b]), subtract(y[b], y[a]))
        else:
            terms[a, b] = product(add(x[a], x[b]), add(y[a], y[b]))
    return terms


def add_terms(party: Fantastic4Party, terms: Sequence[Pairs]) -> Pairs:
    """The terms of a sum of products, added pair by pair: shared once, whatever their number."""
    first, *rest = terms
    summed = dict(first)
    for more in rest:
        for pair, term in more.items():
            summed[pair] = party.ring.add(summed[pair], term)
    return summed


def reshare(party: Fantastic4Party, terms: Pairs) -> Step[Replicated4]:
    """A sharing of Σ F_ab over all pairs. 1 round, six ring elements in all."""
    return Replicated4((yield from share_terms(party, terms, elements_of(party.ring))))


def share_terms(party: Fantastic4Party, terms: Pairs, group: Group) -> Step[Mapping[int, Array]]:
    """The shares of a sum of six terms, each known to the two parties outside its pair.

    The six INP of Pi_MULT side by side, added up. The terms are C-contiguous, and this party's
    to overwrite.
    """
    parts = list(terms.values())
    if group.joint is None:
        return (yield from _share_one_by_one(party, terms, group))
    return (yield from _share(party, (), [flat(part) for part in parts], parts[0].shape, group))


def share_product(
    party: Fantastic4Party, x: Mapping[int, Array], y: Mapping[int, Array], group: Group
) -> Step[Mapping[int, Array]]:
    """The shares of the product of two sharings' shares, element by element."""
    if group.joint is None:
        return (yield from share_terms(party, pair_terms(x, y, group, group.multiply), group))
    factors = [flat(shares[j]) for shares in (x, y) for j in party.held]
    terms = [np.empty_like(factors[0]) for _ in range(3)]
    return (yield from _share(party, factors, terms, x[party.held[0]].shape, group))


def flat(array: Array) -> Array:
    """A contiguous vector of the elements; a copy only where strides demand it."""
    if array.ndim == 1 and array.flags.c_contiguous:
        return array
    return np.ascontiguousarray(array).reshape(-1)


def _share(
    party: Fantastic4Party,
    factors: Sequence[Array],
    terms: Sequence[Array],
    shape: tuple[int, ...],
    group: Group,
) -> Step[Mapping[int, Array]]:
    """The same messages as one by one, made by one kernel: terms, masks and shares in one pass."""
    assert group.joint is not None
    nonce, held = party.nonce(), party.held
    shares = {j: np.empty_like(terms[0]) for j in held}
    keys = [party.keys[j] for j in held]
    group.joint(party.index, factors, *keys, nonce, *shares.values(), *terms)
    plan = PLANS[party.index]
    received = [np.empty_like(terms[0]) for _ in plan.receive]
    yield from compared(
        party,
        nonce,
        send=[(roles, [terms[term]]) for roles, term in plan.send],
        vouch=[(roles, [terms[term]]) for roles, term in plan.vouch],
        receive=[(roles, [part]) for roles, part in zip(plan.receive, received, strict=True)],
    )
    for (_, _, _, other), part in zip(plan.receive, received, strict=True):
        group.add(shares[other], part, shares[other])
    return {j: share.reshape(shape) for j, share in shares.items()}


@dataclass(frozen=True, slots=True)
class Plan:
    """One party's part in the six messages of a product, in their order.

    Attributes
    ----------
    send : tuple of (roles, int)
        Where it is S: S, B, R and O, and the place of the term.
    vouch : tuple of (roles, int)
        Where it is B: S, B, R and O, and the place of the term.
    receive : tuple of roles
        Where it is R.
    """

    send: tuple[tuple[Roles, int], ...]
    vouch: tuple[tuple[Roles, int], ...]
    receive: tuple[Roles, ...]


def _plan(party: int) -> Plan:
    pairs = list(combinations((j for j in range(4) if j != party), 2))
    messages = [(s, b, r, 6 - s - b - r) for s, b, r in PRODUCT_ROLES]

    def term(roles: Roles) -> int:
        *_, receiver, other = roles
        return pairs.index((min(receiver, other), max(receiver, other)))

    return Plan(
        tuple((roles, term(roles)) for roles in messages if roles[0] == party),
        tuple((roles, term(roles)) for roles in messages if roles[1] == party),
        tuple(roles for roles in messages if roles[2] == party),
    )


PLANS: Final = tuple(map(_plan, range(4)))


def _share_one_by_one(
    party: Fantastic4Party, terms: Pairs, group: Group
) -> Step[Mapping[int, Array]]:
    shape = next(iter(terms.values())).shape
    messages = []
    for sender, backup, receiver in PRODUCT_ROLES:
        other = 6 - sender - backup - receiver
        pair = (min(receiver, other), max(receiver, other))
        messages.append(Message(sender, backup, receiver, group, shape, terms.get(pair)))
    pieces = yield from exchange(party, messages)
    return total(party, pieces, shape)
