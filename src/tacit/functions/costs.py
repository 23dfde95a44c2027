"""Adding up declarations: what a function costs, from what its primitives declare.

Every function has a ``..._cost(costs, size, …)`` next to it: `costs` is a protocol's table of
primitives (``Protocol.costs``), `size` the number of elements. The cost tests compare the sum
with the traffic measured.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from tacit.rounds.cost import CostTable, Declaration

__all__ = ["NOTHING", "Costs", "in_sequence", "ring_bits", "side_by_side"]

Costs: TypeAlias = Mapping[str, Callable[..., Declaration]]

NOTHING = Declaration(0, ())
"""A local step."""


def ring_bits(costs: Costs) -> int:
    """The ring that a table of costs is for; a table that does not say is for Z_2^64."""
    return costs.ring_bits if isinstance(costs, CostTable) else 64


def in_sequence(*parts: Declaration) -> Declaration:
    """Steps one after the other: rounds and bytes add up."""
    return _added(sum(part.rounds for part in parts), parts)


def side_by_side(*parts: Declaration) -> Declaration:
    """Steps merged with ``together``: the longest one's rounds, everyone's bytes."""
    return _added(max((part.rounds for part in parts), default=0), parts)


def _added(rounds: int, parts: tuple[Declaration, ...]) -> Declaration:
    parts = tuple(part for part in parts if part.rounds)
    if not parts:
        return NOTHING
    payload = tuple(map(sum, zip(*(part.bytes_sent for part in parts), strict=True)))
    checks = tuple(map(sum, zip(*(part.check_bytes for part in parts), strict=True)))
    return Declaration(rounds, payload, checks)
