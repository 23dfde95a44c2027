"""Discrete Gaussian noise that nobody knows.

A part of a draw is an index of uniform secret bits and a coin against the index's threshold
(``tables.py``). Threshold and alias are polynomials over GF(2) of the index's bits, that is, XORs
of their monomials; so a part costs the 247 monomials of 8 bits, one comparison of 64 bits and the
choice: 439 ANDs. Parts are added as integers (``plans.py``) and become ring elements at the end.

The bits come from the protocol's shared randomness: any set of parties that the protocol withstands
knows nothing of them and cannot move them. Who sees what: nothing but the messages of ANDs and of
the conversion; a view is independent of the noise as it is of any secret.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tacit.functions.costs import Costs, in_sequence, side_by_side
from tacit.functions.noise.addition import add_shifted, add_shifted_cost
from tacit.functions.noise.coins import (
    and_cost,
    below,
    below_cost,
    linear,
    monomials,
    monomials_cost,
)
from tacit.functions.noise.plans import GaussianPlan
from tacit.functions.noise.tables import COIN_BITS, INDEX_BITS, AliasTable
from tacit.protocols.interface import Party
from tacit.rounds.combine import together
from tacit.rounds.contract import Step
from tacit.rounds.cost import Declaration

__all__ = ["CHUNK", "discrete_gaussian", "discrete_gaussian_cost", "uniform_planes"]

CHUNK = 1 << 15
"""Draws at a time, a multiple of 64: bounds the memory, about 500 bytes a draw and part."""


def discrete_gaussian(party: Party, shape: tuple[int, ...], plan: GaussianPlan) -> Step[Any]:
    """Secret integers, independent, P(x) proportional to exp(-x² / (2 sigma²)).

    Parameters
    ----------
    party : Party
    shape : tuple of int
        Public.
    plan : GaussianPlan
        Public; see :func:`~tacit.functions.noise.plans.gaussian_plan`. In units of the ring.

    Returns
    -------
    arithmetic sharing
        Of `shape`; each number is within ``plan.distance`` of the ideal distribution and no
        larger than ``plan.bound`` in magnitude.

    Notes
    -----
    Rounds, for each 2^15 draws: 11 for one part; for more, those of an addition besides (about 6);
    and the conversion's. Bytes: about 440 ANDs for each part, and ``plan.bits`` bits converted.
    """
    count = prod(shape)
    parts = []
    for start in range(0, count, CHUNK):
        size = min(CHUNK, count - start)
        parts.append((yield from _chunk(party, size, plan)))
    if not parts:
        return party.public(np.zeros(shape, np.int64))
    return party.concatenate(parts, 0).reshape(*shape)


def _padded(size: int) -> int:
    return -(-size // 64) * 64


def _chunk(party: Party, size: int, plan: GaussianPlan) -> Step[Any]:
    """A vector of draws."""
    padded, lower = _padded(size), len(plan.shifts) - 1
    if not lower:
        planes = yield from _indices(party, plan.head, padded)
    else:
        body, head = yield from together(
            _indices(party, plan.body, lower * padded), _indices(party, plan.head, padded)
        )
        # Of every plane the draws of one part lie together: (8, lower, padded).
        body = body.planes_as_rows().reshape(INDEX_BITS * lower, padded).rows_as_planes()
        parts = [body.plane(slice(place, None, lower)) for place in range(lower)]
        planes = yield from add_shifted(party, [*parts, head], plan.shifts, plan.bits)
    value = yield from party.from_bits(planes)
    return party.add_public(value[:size], party.ring.elements(-plan.offset))


def uniform_planes(party: Party, planes: int, size: int) -> Any:
    """Uniform secret bits as planes of `size` bits, a multiple of 64. Local."""
    return party.random_bits((planes, size)).rows_as_planes()


def _indices(party: Party, table: AliasTable, size: int) -> Step[Any]:
    """Draws from a table as planes of INDEX_BITS bits."""
    index = uniform_planes(party, INDEX_BITS, size)
    coin = uniform_planes(party, COIN_BITS, size)
    products = yield from monomials(party, index)
    outputs = linear(products, _polynomials(table))
    keep = yield from below(party, coin, outputs.plane(slice(INDEX_BITS, None)))
    # The alias, and the difference to the index where the coin says so.
    alias = outputs.plane(slice(0, INDEX_BITS))
    chosen = yield from party.bitwise_and(
        keep.plane(np.zeros(INDEX_BITS, np.intp)), party.xor(index, alias)
    )
    return party.xor(alias, chosen)


def _indices_cost(costs: Costs, size: int) -> Declaration:
    return in_sequence(
        monomials_cost(costs, INDEX_BITS, size),
        below_cost(costs, COIN_BITS, size),
        and_cost(costs, INDEX_BITS, size),
    )


def _polynomials(table: AliasTable) -> NDArray[np.bool_]:
    """Alias and threshold as XORs of monomials of the index: (INDEX_BITS + COIN_BITS, 2^8).

    The coefficients are the Möbius transform of the truth table: c_S = XOR of f(T) over T in S.
    """
    columns = [
        *([alias >> bit & 1 for alias in table.aliases] for bit in range(INDEX_BITS)),
        *([threshold >> bit & 1 for threshold in table.thresholds] for bit in range(COIN_BITS)),
    ]
    values = np.array(columns, bool)
    for bit in range(INDEX_BITS):
        pairs = values.reshape(len(columns), -1, 2, 1 << bit)
        pairs[:, :, 1] ^= pairs[:, :, 0]
    return values


def discrete_gaussian_cost(costs: Costs, size: int, plan: GaussianPlan) -> Declaration:
    """Of `discrete_gaussian` of `size` draws."""
    parts = []
    for start in range(0, size, CHUNK):
        padded, lower = _padded(min(CHUNK, size - start)), len(plan.shifts) - 1
        if lower:
            parts.append(
                side_by_side(_indices_cost(costs, lower * padded), _indices_cost(costs, padded))
            )
            planes = [INDEX_BITS] * len(plan.shifts)
            parts.append(add_shifted_cost(costs, planes, plan.shifts, plan.bits, padded))
        else:
            parts.append(_indices_cost(costs, padded))
        parts.append(costs["from_bits"](padded, plan.bits))
    return in_sequence(*parts)
