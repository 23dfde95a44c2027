"""Products in the ring that are proved before they are given.

The multiplication is that of [AFLNO16] (``replicated3/arithmetic.py``), which is private against
an active party and correct up to a number that it adds; over Z_2^128, on shares of Z_2^64 read as
numbers below 2^64. Beside every product z = x y goes c = a y with a random mask a, which
``verification.py`` sacrifices. Active, t = 1, abort.

Why 128 bits: shares of x mod 2^64, read mod 2^128, are shares of some number that is x mod 2^64;
products of such numbers are right mod 2^64, and an error that is not 0 mod 2^64 is found with
probability 1 - 2^-64 by a challenge of 64 bits. Their upper halves are dropped share by share.

Rounds and bytes: product 1 round, 32 bytes an element of the result from each party, whatever
the sums' lengths; its proof 3 rounds and 16 bytes an element of the smaller factor.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from tacit.encoding.ring import Elements
from tacit.encoding.wide import RING128
from tacit.protocols.replicated3.arithmetic import as_matrices, flat
from tacit.protocols.replicated3_active.verification import Relation, Unproved, prove
from tacit.rounds.contract import Round, Step
from tacit.sharing.replicated import Replicated

if TYPE_CHECKING:
    from tacit.protocols.replicated3_active.party import Replicated3ActiveParty

__all__ = [
    "lifted",
    "lowered",
    "masks_left",
    "matmul",
    "multiply",
    "product",
    "product_of_matrices",
    "sum_of_products",
]

_ZERO_SHARE = 0

_Times: TypeAlias = Callable[[Elements, Elements], Elements]


def multiply(party: Replicated3ActiveParty, x: Replicated, y: Replicated) -> Step[Replicated]:
    """x · y, element by element, proved. 4 rounds, 48 bytes an element and party."""
    unproved = Unproved()
    z = yield from product(party, unproved, x, y)
    yield from prove(party, unproved)
    return z


def matmul(party: Replicated3ActiveParty, x: Replicated, y: Replicated) -> Step[Replicated]:
    """x @ y, proved. 4 rounds, 32 bytes a result, 16 an element of the smaller factor."""
    unproved = Unproved()
    z = yield from product_of_matrices(party, unproved, x, y)
    yield from prove(party, unproved)
    return z


# Steps that leave their proof to the caller.


def product(
    party: Replicated3ActiveParty, unproved: Unproved, x: Replicated, y: Replicated
) -> Step[Replicated]:
    """x · y, element by element. 1 round, 32 bytes an element and party."""
    return (yield from sum_of_products(party, unproved, [(x, y)]))


def sum_of_products(
    party: Replicated3ActiveParty,
    unproved: Unproved,
    pairs: Sequence[tuple[Replicated, Replicated]],
) -> Step[Replicated]:
    """Σ x · y over pairs of one shape. 1 round, 32 bytes an element and party."""
    terms = [(x, _random(party, x.shape), y) for x, y in ((lifted(x), lifted(y)) for x, y in pairs)]
    return (yield from _relate(party, unproved, terms, RING128.multiply, RING128.multiply))


def product_of_matrices(
    party: Replicated3ActiveParty, unproved: Unproved, x: Replicated, y: Replicated
) -> Step[Replicated]:
    """x @ y. 1 round, 32 bytes an element of the result and party.

    The factor with fewer elements is masked: that is what the proof opens.
    """
    x, y, shape = as_matrices(x, y)
    times: _Times = partial(RING128.matmul, threads=party.threads)
    if not masks_left(x.shape, y.shape):
        x, y = y, x
        times = partial(_turned_matmul, threads=party.threads)
    x, y = lifted(x), lifted(y)
    z = yield from _relate(party, unproved, [(x, _random(party, x.shape), y)], times, times)
    return z.reshape(*shape)


def masks_left(x_shape: tuple[int, ...], y_shape: tuple[int, ...]) -> bool:
    """Whether x is masked in a proof of x @ y: it has no more elements than y."""
    return int(np.prod(x_shape)) <= int(np.prod(y_shape))


def _turned_matmul(b: Elements, a: Elements, threads: int) -> Elements:
    return RING128.matmul(a, b, threads=threads)


def _relate(
    party: Replicated3ActiveParty,
    unproved: Unproved,
    terms: Sequence[tuple[Replicated, Replicated, Replicated]],
    times: _Times,
    public_times: _Times,
) -> Step[Replicated]:
    """Σ x_k y_k and Σ a_k y_k, each reshared as in [AFLNO16], in one round."""
    z = _additive_part(party, [(x, y) for x, _, y in terms], times)
    c = _additive_part(party, [(a, y) for _, a, y in terms], times)
    z_next, c_next = np.empty_like(z), np.empty_like(c)
    yield Round(send={party.previous: (z, c)}, receive={party.next: (z_next, c_next)})
    shared = Replicated(z, z_next)
    unproved.relations.append(Relation(terms, shared, Replicated(c, c_next), public_times))
    return lowered(shared)


def _additive_part(
    party: Replicated3ActiveParty, pairs: Sequence[tuple[Replicated, Replicated]], times: _Times
) -> Elements:
    """This party's part of Σ x · y, masked by its part of a sharing of 0: contiguous."""
    kernels, keys = RING128.kernels, (party.key_own, party.key_next)
    if times == RING128.multiply:
        x, y = pairs[0]
        z = RING128.empty(x.shape)
        flats = (flat(share) for share in (x.own, x.next, y.own, y.next))
        kernels.multiply_share(*flats, *keys, party.nonce(), _ZERO_SHARE, z.reshape(-1))
        for x, y in pairs[1:]:
            RING128.add(z, _cross_terms(x, y, times), out=z)
        return z
    ((x, y),) = pairs
    z = np.ascontiguousarray(_cross_terms(x, y, times))
    kernels.add_zero_share(z.reshape(-1), *keys, party.nonce(), _ZERO_SHARE)
    return z


def _cross_terms(x: Replicated, y: Replicated, times: _Times) -> Elements:
    """x_i (y_i + y_{i+1}) + x_{i+1} y_i."""
    return RING128.add(times(x.own, RING128.add(y.own, y.next)), times(x.next, y.own))


def _random(party: Replicated3ActiveParty, shape: tuple[int, ...]) -> Replicated:
    """A sharing of uniform elements of Z_2^128 that nobody knows. No communication."""
    nonce = party.nonce()
    own, following = RING128.empty(shape), RING128.empty(shape)
    RING128.kernels.fill(party.key_own, nonce, 0, own)
    RING128.kernels.fill(party.key_next, nonce, 0, following)
    return Replicated(own, following)


def lifted(x: Replicated) -> Replicated:
    """Shares mod 2^64 read as shares mod 2^128 of a number that is the same mod 2^64."""
    return x.map(_lifted)


def _lifted(share: Elements) -> Elements:
    wide = RING128.zeros(share.shape)
    wide["low"] = share
    return wide


def lowered(x: Replicated) -> Replicated:
    """Shares mod 2^128 as shares mod 2^64 of the number mod 2^64."""
    return x.map(lambda share: np.array(share["low"], np.uint64, order="C"))
