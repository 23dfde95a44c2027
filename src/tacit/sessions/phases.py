"""Phases of a job in a party's process: each with a deadline, its progress, and its cost noted."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

from msgspec import Struct

from tacit.sessions.context import PartyContext
from tacit.sessions.watching import OnRounds

__all__ = ["JobPhases", "PhaseCost", "Watch", "peak_memory"]

Watch: TypeAlias = Callable[[str, int, int], None]

_INTERVAL = 0.1
"""Seconds between two messages about progress."""


class PhaseCost(Struct, frozen=True):
    """The cost of one phase, as this party saw it."""

    phase: str
    seconds: float
    rounds: int
    bytes_sent: int
    check_bytes: int


class JobPhases:
    """The phases of one party's job.

    Parameters
    ----------
    context : PartyContext
    deadline : float
        Seconds that each phase may take; then a party that is alive but stuck ends the run.
    watch : callable, optional
        ``watch(phase, done, total)`` is called before the first and after every unit of progress.

    Attributes
    ----------
    costs : list of PhaseCost
        Of the phases that are over.
    """

    def __init__(self, context: PartyContext, deadline: float, watch: Watch | None = None) -> None:
        self.costs: list[PhaseCost] = []
        self._watch = watch
        self._context = context
        self._deadline = deadline

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """A phase of the work."""
        session, own = self._context.session, self._context.name
        before = session.total_cost
        session.enter_stage(name, self._deadline)
        self._context.progress(name, 0)
        yield
        cost = session.total_cost - before
        sent, checks = cost.bytes_sent.get(own, 0), cost.check_bytes.get(own, 0)
        self.costs.append(PhaseCost(name, cost.seconds, cost.rounds, sent, checks))
        self._context.progress(name, 1, 1)

    def reporter(
        self, phase: str, total: int, unit: str = "steps", latest: Sequence[str] = ()
    ) -> Callable[[int], None]:
        """A function that tells the controlling process how much of a phase is done.

        `latest` may come to hold what to show beside it.
        """
        last, watch = 0.0, self._watch
        if watch is not None:
            watch(phase, 0, total)

        def report(done: int) -> None:
            nonlocal last
            if watch is not None:
                watch(phase, done, total)
            now = time.monotonic()
            if now - last >= _INTERVAL or done >= total:
                last = now
                self._context.progress(phase, done, total, unit, *latest)

        return report

    def rounds(self, phase: str) -> OnRounds:
        """A function that tells the controlling process how many rounds of a phase are done."""

        def report(done: int, total: int | None) -> None:
            note = f"{done:,} rounds" if total is None else ""
            self._context.progress(phase, done, total or 0, "rounds", note)

        return report


def peak_memory() -> int:
    """Most resident bytes of this process since it began (not of the one that started it)."""
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
