"""A job of four parties of which one is killed in the middle."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import Any

import msgspec
import numpy as np

import tacit
from tacit import Computation
from tacit.sessions import PartyContext


class Settings(msgspec.Struct):
    """When this party is killed: before a step of the program, or so many seconds after it."""

    step: int = -1
    after: float = 0.0
    rounds: int = 12
    interrupted: bool = False


def run_party(context: PartyContext) -> Any:
    """Random array operations, and what came of them."""
    settings = msgspec.msgpack.decode(context.configuration, type=Settings)
    mpc = Computation(context.session)
    rng = np.random.default_rng(1)
    values = {name: rng.normal(size=(40, 8)) for name in mpc.parties}
    shares = {
        name: mpc.share(
            values[name] if name == context.name else None, name, dtype=tacit.fixed, shape=(40, 8)
        )
        for name in mpc.parties
    }
    total = sum(shares.values(), start=mpc.constant(np.zeros((40, 8))))
    expected = sum(values.values())
    errors = []
    started = time.monotonic()
    for step in range(settings.rounds):
        if step == settings.step:
            _end(settings)
        product = total.T @ total
        positive = (total > 0).sum(axis=0)
        total = total * 0.5 + shares["alice"]
        opened = product.reveal(to="all")
        counts = positive.reveal(to="all")
        errors.append(float(np.abs(opened - expected.T @ expected).max()))
        errors.append(float(np.abs(counts - (expected > 0).sum(axis=0)).max()))
        expected = expected * 0.5 + values["alice"]
    if settings.after:
        time.sleep(120)  # until it is killed, should it have been this fast
    session = context.session
    return {
        "error": max(errors),
        "seconds": time.monotonic() - started,
        "incidents": [incident.describe() for incident in session.incidents],
        "outcome": session.security.outcome,
        "bytes": session.total_cost.total_bytes,
    }


def _end(settings: Settings) -> None:
    if settings.interrupted:
        raise OSError(28, "No space left on device")

    def kill() -> None:
        time.sleep(settings.after)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=kill, daemon=True).start()
    if settings.after == 0:
        time.sleep(120)
