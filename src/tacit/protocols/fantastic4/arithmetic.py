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
from itertools import combinations
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from tacit.encoding.ring import Elements
from tacit.protocols.fantastic4.groups import Array, Group, elements_of
from tacit.protocols.fantastic4.joint import Message, exchange, total
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
    return (yield from reshare(party, product_terms(party, x, y, party.ring.multiply)))


def matmul(party: Fantastic4Party, x: Replicated4, y: Replicated4) -> Step[Replicated4]:
    """Matrix product of two sharings. 1 round, six ring elements a result in all."""
    x, y, shape = as_matrices(x, y)
    result = yield from reshare(party, product_terms(party, x, y, party.ring.matmul))
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
    add, subtract = party.ring.add, party.ring.subtract
    terms: dict[tuple[int, int], Array] = {}
    for a, b in combinations(sorted(x.shares), 2):
        x_a, x_b, y_a, y_b = x.shares[a], x.shares[b], y.shares[a], y.shares[b]
        if (a, b) in NEGATIVE:
            terms[a, b] = product(subtract(x_a, x_b), subtract(y_b, y_a))
        else:
            terms[a, b] = product(add(x_a, x_b), add(y_a, y_b))
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

    The six INP of Pi_MULT side by side, added up.
    """
    shape = next(iter(terms.values())).shape
    messages = []
    for sender, backup, receiver in PRODUCT_ROLES:
        other = 6 - sender - backup - receiver
        pair = (min(receiver, other), max(receiver, other))
        messages.append(Message(sender, backup, receiver, group, shape, terms.get(pair)))
    pieces = yield from exchange(party, messages)
    return total(party, pieces, shape)
