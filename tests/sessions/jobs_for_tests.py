"""Jobs that party processes run in the tests of the launcher."""

from __future__ import annotations

import time
from typing import Any

import msgspec
import numpy as np

import tacit
from tacit import Computation
from tacit.errors import DataError
from tacit.sessions import PartyContext


class Settings(msgspec.Struct):
    """What one party is told."""

    numbers: list[float]
    behave: str = ""


def run_party(context: PartyContext) -> Any:
    """The joint sum of everybody's numbers, with progress; or some kind of failure."""
    settings = msgspec.msgpack.decode(context.configuration, type=Settings)
    mpc = Computation(context.session)
    context.session.enter_stage("summing", seconds=100)
    if settings.behave == "data error":
        raise DataError(
            "Line 3, column amount: no number.",
            next_step="correct the file.",
            case=42,
            parties=[context.name],
        )
    if settings.behave == "foreign error":
        raise ValueError("secret value 123.456")
    if settings.behave == "exit":
        raise SystemExit(7)
    if settings.behave == "stall":
        time.sleep(300)
    if settings.behave == "calibrate":
        measured = mpc.calibrate(processors=2)
        return {"parties": measured.parties, "processors": measured.pace.processors}
    if settings.behave == "threads":
        return context.session.party.threads
    total = mpc.constant(np.zeros(2))
    for number, owner in enumerate(mpc.parties):
        own = settings.numbers if owner == context.name else None
        total = total + mpc.share(own, owner, dtype=tacit.fixed, shape=(2,))
        context.progress("summing", number + 1, len(mpc.parties), "inputs")
        if settings.behave == "stall later":
            time.sleep(300)
    return {"sum": total.reveal(to="all").tolist(), "name": context.name}
