"""The job of a party's process in a case: it computes a program, and may be corrupt."""

from __future__ import annotations

from typing import Any

import msgspec

from bench.soak.faults import Corruption, corrupt
from bench.soak.programs import PROGRAMS
from tacit import Computation
from tacit.sessions import PartyContext

__all__ = ["Orders", "run_party"]


class Orders(msgspec.Struct, frozen=True):
    """What one party is told."""

    program: str
    seed: int
    corruption: Corruption | None = None


def run_party(context: PartyContext) -> Any:
    """Compute a program; its results, which every party has."""
    orders = msgspec.msgpack.decode(context.configuration, type=Orders)
    if orders.corruption is not None:
        corrupt(orders.corruption)
    compute, _ = PROGRAMS[orders.program]
    return compute(Computation(context.session), orders.seed)
