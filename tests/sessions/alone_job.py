"""A small job for parties that run alone, each in a thread of a test."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np

import tacit
from tacit import Computation
from tacit.sessions import PartyContext


class Settings(msgspec.Struct):
    """What this party adds to the sum; None for one without data; "fail" for a foreign error."""

    number: float | None
    fail: bool = False


def run_party(context: PartyContext) -> dict[str, Any]:
    """The sum of everybody's number, revealed to all."""
    settings = msgspec.msgpack.decode(context.configuration, type=Settings)
    mpc = Computation(context.session)
    context.progress("sharing", 0)
    shared = []
    for owner in mpc.parties[:3]:
        own = np.array([settings.number]) if owner == context.name else None
        shared.append(mpc.share(own, owner, dtype=tacit.fixed, shape=(1,)))
    if settings.fail:
        raise ValueError("the number is 4711")
    total = sum(shared[1:], start=shared[0])
    context.progress("sharing", 1, 1)
    return {"total": total.reveal(to="all").tolist(), "name": context.name}
