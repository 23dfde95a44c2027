"""Local steps on arithmetic sharings: linear maps, public values, random sharings.

Araki et al. 2016, section 2: linear operations need no communication. Passive, t = 1.
A public constant c is the sharing (c, 0, 0): party 0 holds it as ``own``, party 2 as ``next``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from tacit.encoding.ring import Axis, Integers
from tacit.sharing.replicated import Replicated

if TYPE_CHECKING:
    from tacit.protocols.replicated3.party import Replicated3Party

__all__ = [
    "add",
    "add_public",
    "broadcast",
    "concatenate",
    "linear_combination",
    "multiply_public",
    "negate",
    "public",
    "random",
    "subtract",
    "sum_",
]


def public(party: Replicated3Party, values: Integers) -> Replicated:
    """The sharing (c, 0, 0) of public ring elements. No communication."""
    c = np.asarray(party.ring.elements(values), order="C")
    zero = np.zeros_like(c)
    return Replicated(c if party.index == 0 else zero, c if party.index == 2 else zero)


def add(party: Replicated3Party, x: Replicated, y: Replicated) -> Replicated:
    """x + y, share by share."""
    ring = party.ring
    return Replicated(ring.add(x.own, y.own), ring.add(x.next, y.next))


def subtract(party: Replicated3Party, x: Replicated, y: Replicated) -> Replicated:
    """x - y, share by share."""
    ring = party.ring
    return Replicated(ring.subtract(x.own, y.own), ring.subtract(x.next, y.next))


def negate(party: Replicated3Party, x: Replicated) -> Replicated:
    """-x, share by share."""
    return x.map(party.ring.negate)


def add_public(party: Replicated3Party, x: Replicated, c: Integers) -> Replicated:
    """x + c: share 0 takes the constant."""
    ring = party.ring
    c = ring.elements(c)
    shape = np.broadcast_shapes(x.shape, c.shape)
    own = ring.add(x.own, c) if party.index == 0 else np.broadcast_to(x.own, shape)
    following = ring.add(x.next, c) if party.index == 2 else np.broadcast_to(x.next, shape)
    return Replicated(own, following)


def multiply_public(party: Replicated3Party, x: Replicated, c: Integers) -> Replicated:
    """x · c in the ring, share by share."""
    ring = party.ring
    c = ring.elements(c)
    return Replicated(ring.multiply(x.own, c), ring.multiply(x.next, c))


def linear_combination(
    party: Replicated3Party, terms: Sequence[Replicated], factors: Sequence[int], constant: int = 0
) -> Replicated:
    """Σ factor · term + constant, share by share in one pass; share 0 takes the constant."""
    combine = party.ring.linear_combination
    return Replicated(
        combine([x.own for x in terms], factors, constant if party.index == 0 else 0),
        combine([x.next for x in terms], factors, constant if party.index == 2 else 0),
    )


def sum_(
    party: Replicated3Party,
    x: Replicated,
    axis: Axis = None,
    keepdims: bool = False,
) -> Replicated:
    """The sum over axes, share by share."""
    ring = party.ring
    return x.map(lambda share: ring.sum(share, axis, keepdims))


def broadcast(party: Replicated3Party, x: Replicated, shape: tuple[int, ...]) -> Replicated:
    """x repeated to a shape, without a copy."""
    return x.map(lambda share: np.broadcast_to(share, shape))


def concatenate(party: Replicated3Party, parts: Sequence[Replicated], axis: int = 0) -> Replicated:
    """Parts joined along an axis."""
    return Replicated(
        np.concatenate([p.own for p in parts], axis),
        np.concatenate([p.next for p in parts], axis),
    )


def random(party: Replicated3Party, shape: tuple[int, ...]) -> Replicated:
    """Uniform ring elements that no single party knows: share i is a draw from k_i.

    No communication [Araki et al. 2016, section 3.3].
    """
    nonce = party.nonce()
    ring = party.ring
    own, following = ring.empty(shape), ring.empty(shape)
    ring.kernels.fill(party.key_own, nonce, 0, own)
    ring.kernels.fill(party.key_next, nonce, 0, following)
    return Replicated(own, following)
