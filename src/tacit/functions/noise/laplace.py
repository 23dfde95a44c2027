"""Discrete Laplace noise that nobody knows: the difference of two geometric numbers."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from tacit.functions.costs import Costs, in_sequence
from tacit.functions.noise.coins import below_public_thresholds, below_public_thresholds_cost
from tacit.functions.noise.gaussian import uniform_planes
from tacit.functions.noise.plans import LaplacePlan
from tacit.functions.noise.tables import COIN_BITS
from tacit.protocols.interface import Party
from tacit.rounds.contract import Step
from tacit.rounds.cost import Declaration

__all__ = ["discrete_laplace", "discrete_laplace_cost"]

CHUNK = 1 << 14
"""Draws at a time: a bit of a draw takes 64 planes."""


def discrete_laplace(party: Party, shape: tuple[int, ...], plan: LaplacePlan) -> Step[Any]:
    """Secret integers, independent, P(x) proportional to exp(-|x| / scale).

    Parameters
    ----------
    party : Party
    shape : tuple of int
        Public.
    plan : LaplacePlan
        Public; see :func:`~tacit.functions.noise.plans.laplace_plan`. In units of the ring.

    Returns
    -------
    arithmetic sharing
        Of `shape`; each number is within ``plan.distance`` of the ideal distribution.

    Notes
    -----
    Rounds, for each 2^14 draws: 6 and a conversion. Bytes: 240 ANDs and two converted bits for
    each bit of a geometric number.
    """
    count = prod(shape)
    parts = []
    for start in range(0, count, CHUNK):
        size = min(CHUNK, count - start)
        parts.append((yield from _chunk(party, size, plan)))
    if not parts:
        return party.public(np.zeros(shape, np.int64))
    return party.concatenate(parts, 0).reshape(*shape)


def _chunk(party: Party, size: int, plan: LaplacePlan) -> Step[Any]:
    bits, padded = len(plan.thresholds), -(-size // 64) * 64
    coins = uniform_planes(party, bits * COIN_BITS, 2 * padded)
    digits = yield from below_public_thresholds(party, coins, plan.thresholds, COIN_BITS)
    geometric = yield from party.from_bits(digits)
    return party.subtract(geometric[:size], geometric[padded : padded + size])


def discrete_laplace_cost(costs: Costs, size: int, plan: LaplacePlan) -> Declaration:
    """Of `discrete_laplace` of `size` draws."""
    bits, parts = len(plan.thresholds), []
    for start in range(0, size, CHUNK):
        padded = -(-min(CHUNK, size - start) // 64) * 64
        parts.append(below_public_thresholds_cost(costs, bits, COIN_BITS, 2 * padded))
        parts.append(costs["from_bits"](2 * padded, bits))
    return in_sequence(*parts)
