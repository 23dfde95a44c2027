"""Local steps on arithmetic sharings: linear maps, public values, random sharings.

Dalskov, Escudero, Keller 2021, section 2.2: linear operations need no communication. A public
constant c is the sharing (c, 0, 0, 0), which all but party 0 see as share 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from tacit.encoding.ring import Axis, Integers
from tacit.sharing.replicated4 import Replicated4

if TYPE_CHECKING:
    from tacit.protocols.fantastic4.party import Fantastic4Party

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


def public(party: Fantastic4Party, values: Integers) -> Replicated4:
    """The sharing (c, 0, 0, 0) of public ring elements. No communication."""
    c = np.asarray(party.ring.elements(values), order="C")
    zero = np.zeros_like(c)
    return Replicated4({j: zero if j else c for j in party.held})


def add(party: Fantastic4Party, x: Replicated4, y: Replicated4) -> Replicated4:
    """x + y, share by share."""
    return Replicated4({j: party.ring.add(x.shares[j], y.shares[j]) for j in party.held})


def subtract(party: Fantastic4Party, x: Replicated4, y: Replicated4) -> Replicated4:
    """x - y, share by share."""
    return Replicated4({j: party.ring.subtract(x.shares[j], y.shares[j]) for j in party.held})


def negate(party: Fantastic4Party, x: Replicated4) -> Replicated4:
    """-x, share by share."""
    return x.map(party.ring.negate)


def add_public(party: Fantastic4Party, x: Replicated4, c: Integers) -> Replicated4:
    """x + c: share 0 takes the constant."""
    ring = party.ring
    c = ring.elements(c)
    shape = np.broadcast_shapes(x.shape, c.shape)
    return Replicated4(
        {
            j: np.broadcast_to(share, shape) if j else ring.add(share, c)
            for j, share in x.shares.items()
        }
    )


def multiply_public(party: Fantastic4Party, x: Replicated4, c: Integers) -> Replicated4:
    """x · c in the ring, share by share."""
    ring = party.ring
    c = ring.elements(c)
    return x.map(lambda share: ring.multiply(share, c))


def linear_combination(
    party: Fantastic4Party, terms: Sequence[Replicated4], factors: Sequence[int], constant: int = 0
) -> Replicated4:
    """Σ factor · term + constant, share by share in one pass; share 0 takes the constant."""
    combine = party.ring.linear_combination
    return Replicated4(
        {
            j: combine([x.shares[j] for x in terms], factors, 0 if j else constant)
            for j in party.held
        }
    )


def sum_(
    party: Fantastic4Party, x: Replicated4, axis: Axis = None, keepdims: bool = False
) -> Replicated4:
    """The sum over axes, share by share."""
    ring = party.ring
    return x.map(lambda share: ring.sum(share, axis, keepdims))


def broadcast(party: Fantastic4Party, x: Replicated4, shape: tuple[int, ...]) -> Replicated4:
    """x repeated to a shape, without a copy."""
    return x.map(lambda share: np.broadcast_to(share, shape))


def concatenate(party: Fantastic4Party, parts: Sequence[Replicated4], axis: int = 0) -> Replicated4:
    """Parts joined along an axis."""
    return Replicated4({j: np.concatenate([p.shares[j] for p in parts], axis) for j in party.held})


def random(party: Fantastic4Party, shape: tuple[int, ...]) -> Replicated4:
    """Uniform ring elements that nobody knows: share j is a draw from PRNG_j. No communication."""
    nonce, ring = party.nonce(), party.ring
    shares = {j: ring.empty(shape) for j in party.held}
    for j, share in shares.items():
        ring.kernels.fill(party.keys[j], nonce, 0, share)
    return Replicated4(shares)
