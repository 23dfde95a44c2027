"""A job that keeps a running total in its parties' storage, for tests."""

from __future__ import annotations

from typing import Any

import msgspec

import tacit
from tacit import Computation
from tacit.errors import UsageError
from tacit.sessions import PartyContext
from tacit.storage import Place


class Settings(msgspec.Struct):
    """What one party is told."""

    numbers: list[float]
    folder: str
    key: str


def run_party(context: PartyContext) -> Any:
    """Load the total of earlier runs, if there is one; add everybody's numbers; save it."""
    settings = msgspec.msgpack.decode(context.configuration, type=Settings)
    context.session.attach(Place(settings.folder, settings.key))
    mpc = Computation(context.session)
    try:
        total = mpc.load("total")
    except UsageError:
        parts = [
            mpc.share(
                settings.numbers if owner == context.name else None,
                owner,
                dtype=tacit.fixed,
                shape=(2,),
            )
            for owner in mpc.parties
        ]
        total = parts[0] + parts[1] + parts[2]
    else:
        mpc.refresh()
        total = total * 2.0
    mpc.save(total, "total")
    return total.reveal(to="all").tolist()
