"""The job of a party's process in a case: it computes a program, and may be corrupt."""

from __future__ import annotations

from typing import Any

import msgspec

from bench.soak.faults import Corruption, corrupt
from bench.soak.programs import PROGRAMS
from tacit import Computation
from tacit.sessions import PartyContext

__all__ = ["Orders", "run_party"]

MOST_SECONDS = 60.0


class Orders(msgspec.Struct, frozen=True):
    """What one party is told.

    Attributes
    ----------
    program, seed
        What all compute.
    corrupt : str
        The party whose inputs may be anything, as it deviates; the same for all.
    corruption : Corruption or None
        How this party deviates.
    """

    program: str
    seed: int
    corrupt: str = ""
    corruption: Corruption | None = None


def run_party(context: PartyContext) -> Any:
    """Compute a program; its results, which every party has."""
    orders = msgspec.msgpack.decode(context.configuration, type=Orders)
    if orders.corruption is not None:
        corrupt(orders.corruption)
    compute, _ = PROGRAMS[orders.program]
    if context.session.protocol.security.outcome != "guaranteed output":
        context.session.enter_stage("soak", MOST_SECONDS)  # else a mute party is waited for
    return compute(Computation(context.session), orders.seed, orders.corrupt)
