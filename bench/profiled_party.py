"""The job of a party under profile: a workload or the main job, inside the parties' processes.

Every party runs the same lines; there is no controlling process whose commands it waits for.
First the repeats run undisturbed and are timed as a whole; then they run again under cProfile
with the wall clock, and again with the processor clock of the thread, so that waiting can be told
from working.
"""

from __future__ import annotations

import cProfile
import time
from collections.abc import Callable
from dataclasses import replace
from resource import RUSAGE_SELF, getrusage
from types import CodeType
from typing import Any

import numpy as np
from msgspec import Struct, msgpack

import tacit
from bench.peers import inputs
from bench.workloads import compute
from tacit import Computation
from tacit.ml import job
from tacit.sessions import PartyContext

__all__ = ["Entry", "PartyProfile", "Settings", "run_party"]


class Settings(Struct, frozen=True):
    """What is profiled: a workload, or a training where its settings are given."""

    workload: str
    repeats: int
    size: int | None = None
    training: job.TrainingSettings | None = None


class Entry(Struct, frozen=True):
    """One function: calls a repeat, and its own seconds a repeat by either clock."""

    function: str
    calls: float
    wall: float
    busy: float


class PartyProfile(Struct, frozen=True):
    """What one party found; all figures are for one repeat.

    Attributes
    ----------
    wall, busy : float
        Undisturbed: elapsed seconds, and processor seconds of the whole process.
    system : float
        Of the latter, those inside the operating system: sockets and page faults.
    faults : float
        Page faults: memory that the system handed out anew.
    rounds : float
        Rounds of communication.
    entries : list of Entry
        By function; their sums are larger than ``wall`` by what the profiler costs.
    """

    wall: float
    busy: float
    system: float
    faults: float
    rounds: float
    entries: list[Entry]


def run_party(context: PartyContext) -> PartyProfile:
    """Run the job at one party."""
    settings = msgpack.decode(context.configuration, type=Settings)
    mpc = Computation(context.session)
    once = _workload(context, mpc, settings)

    def together() -> None:
        """Return when all parties are here."""
        mpc.share(
            np.zeros(1) if context.name == mpc.parties[0] else None,
            mpc.parties[0],
            dtype=tacit.fixed,
            shape=(1,),
        ).reveal(to="all")

    def repeats() -> None:
        for _ in range(settings.repeats):
            once()

    once()
    together()
    rounds = mpc.total_cost.rounds
    before, wall, busy = getrusage(RUSAGE_SELF), time.perf_counter(), time.process_time()
    repeats()
    wall, busy = time.perf_counter() - wall, time.process_time() - busy
    after = getrusage(RUSAGE_SELF)
    rounds = mpc.total_cost.rounds - rounds
    found = []
    for clock in (time.perf_counter, time.thread_time):
        together()
        found.append(_profiled(repeats, clock))
    together()
    by_wall, by_thread = found
    count = settings.repeats
    return PartyProfile(
        wall / count,
        busy / count,
        (after.ru_stime - before.ru_stime) / count,
        (after.ru_minflt - before.ru_minflt) / count,
        rounds / count,
        [
            Entry(name, calls / count, own / count, by_thread.get(name, (0, 0.0))[1] / count)
            for name, (calls, own) in by_wall.items()
        ],
    )


def _workload(context: PartyContext, mpc: Computation, settings: Settings) -> Callable[[], object]:
    """What one repeat does; the inputs of a workload are shared here."""
    if settings.training is not None:
        inner = replace(context, configuration=msgpack.encode(settings.training))
        return lambda: job.run_party(inner)
    found = inputs.workload(settings.workload, settings.size)
    owners = mpc.parties * len(found.inputs)
    shared = [
        mpc.share(
            array if owner == context.name else None, owner, dtype=tacit.fixed, shape=array.shape
        )
        for array, owner in zip(found.inputs.values(), owners, strict=False)
    ]
    return lambda: compute(mpc, settings.workload, shared)


def _profiled(run: Callable[[], None], clock: Callable[[], float]) -> dict[str, tuple[int, float]]:
    """Calls and own seconds by function."""
    profile = cProfile.Profile(clock)
    profile.runcall(run)
    found: dict[str, tuple[int, float]] = {}
    for entry in profile.getstats():
        name = _label(entry.code)
        calls, own = found.get(name, (0, 0.0))
        found[name] = calls + entry.callcount, own + entry.inlinetime
    return found


def _label(code: Any) -> str:
    if not isinstance(code, CodeType):
        return str(code).strip("<>").removeprefix("built-in method ")
    path = code.co_filename.rpartition("/tacit/")[2].rpartition("/site-packages/")[2]
    return f"{path}:{code.co_qualname}"
