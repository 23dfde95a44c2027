"""The job of a party of which one is killed: rates, barriers, time until the others go on.

Every party runs the same lines. The one that is to be killed ends itself with SIGKILL in the middle
of a computation and leaves the moment in a file.
"""

from __future__ import annotations

import os
import signal
import statistics
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import Struct, msgpack

import tacit
from tacit import Computation, SecretArray
from tacit.sessions import PartyContext

__all__ = ["OPERATIONS", "Settings", "run_party"]

Values = tuple[SecretArray, SecretArray]

OPERATIONS: dict[str, Callable[[SecretArray, SecretArray], SecretArray]] = {
    "multiply_1e5": lambda x, matrix: x * x,
    "relu_1e5": lambda x, matrix: tacit.relu(x),
    "matmul_128": lambda x, matrix: matrix @ matrix,
}
"""What is measured, by name."""

BARRIERS = 40

RESULTS = 100
"""Revealed while a party ends."""


class Settings(Struct, frozen=True):
    """Who ends itself, and where it leaves the moment."""

    killed: str
    moment: str
    repeats: int = 5


def run_party(context: PartyContext) -> Any:
    """Measure at one party; seconds by what was measured."""
    settings = msgpack.decode(context.configuration, type=Settings)
    mpc, session = Computation(context.session), context.session
    x = _shared(context, mpc, (100_000,))
    matrix = _shared(context, mpc, (128, 128))
    found: dict[str, Any] = {"before": _rates(session, x, matrix, settings.repeats)}
    found["barrier"] = _of_a_few(x, session.seal) - _of_a_few(x, lambda: None)
    session.party.evidence = True
    found["evidence"] = _rates(session, x, matrix, settings.repeats)
    session.party.evidence = False
    session.seal()
    if context.name == settings.killed:
        threading.Thread(target=_end, args=(settings.moment,), daemon=True).start()
    # As many at every party, whenever each hears of the loss.
    for _ in range(RESULTS):
        (x * x)[:1].reveal(to="all")
        if session.incidents:
            found.setdefault("recovered", time.time())
    found["after"] = _rates(session, x, matrix, settings.repeats)
    found["protocol"] = session.incidents[0].protocol
    return found


def _shared(context: PartyContext, mpc: Computation, shape: tuple[int, ...]) -> SecretArray:
    owner = mpc.parties[0]
    values = np.random.default_rng(3).normal(size=shape) if context.name == owner else None
    return mpc.share(values, owner, dtype=tacit.fixed, shape=shape)


def _rates(session: Any, x: SecretArray, matrix: SecretArray, repeats: int) -> dict[str, float]:
    """Median seconds of each operation, from a barrier to a barrier."""
    rates = {}
    for name, operation in OPERATIONS.items():
        taken = []
        for _ in range(repeats + 1):
            session.seal()
            begun = time.perf_counter()
            operation(x, matrix)
            session.seal()
            taken.append(time.perf_counter() - begun)
        rates[name] = statistics.median(taken[1:])
    return rates


def _of_a_few(x: SecretArray, then: Callable[[], None]) -> float:
    """Seconds of a product of few numbers and of what follows it."""
    few = x[:64]
    taken = []
    for _ in range(BARRIERS):
        begun = time.perf_counter()
        few * few
        then()
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken)


def _end(moment: str) -> None:
    time.sleep(0.2)
    Path(moment).write_text(repr(time.time()))
    os.kill(os.getpid(), signal.SIGKILL)
