"""Making plans: for one protocol, or for all that fit."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tacit.encoding.rings import ring_of
from tacit.errors import ProgramError
from tacit.programs.graph import EVERYBODY
from tacit.programs.planning.calls import numbers_of
from tacit.programs.planning.clock import Clock, Pace
from tacit.programs.planning.networks import described
from tacit.programs.planning.party import Call
from tacit.programs.planning.phases import Counted, counted
from tacit.programs.planning.plan import Phase, Plan, Work
from tacit.programs.planning.profile import Profile, Profiler
from tacit.programs.planning.shortening import Link
from tacit.programs.planning.tally import Tally
from tacit.programs.program import Program
from tacit.protocols import Protocol
from tacit.protocols.interface import Rounding
from tacit.protocols.registry import DEFAULT_NAMES
from tacit.rounds.virtual import LOOPBACK, Network

__all__ = ["BYTE_SECONDS", "MESSAGE_SECONDS", "Conditions", "parties_of", "plan_of"]

MESSAGE_SECONDS = 60e-6
BYTE_SECONDS = 0.75e-9
"""What a message and a byte take at either end: TLS and the operating system
(``docs/performance.md``, other networks)."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """Under what a program is planned.

    Attributes
    ----------
    network : Network
    rounding : {"probabilistic", "nearest", "exact"}
    ring_bits : int
    public : mapping of str to array_like
        Public inputs that are known beforehand.
    seconds : bool
        Whether to run the primitives once, for seconds and for the bytes of every link.
    compute_scale : float, optional
        Factor on computation; by default what processors the parties share on loopback, else 1.
    message_seconds, byte_seconds : float
        Processor time to send, and again to receive, a message and a byte.
    """

    network: Network
    rounding: Rounding = "probabilistic"
    ring_bits: int = 64
    public: Mapping[str, Any] | None = None
    seconds: bool = True
    compute_scale: float | None = None
    message_seconds: float = MESSAGE_SECONDS
    byte_seconds: float = BYTE_SECONDS


def parties_of(
    program: Program, protocol: Protocol, given: Sequence[str] | None
) -> tuple[str, ...]:
    """The parties' names by index: those given, else owners and recipients and the usual names.

    Raises
    ------
    ProgramError
        The program names more parties than the protocol has, or others than are given (TC-1561).
    """
    count = protocol.security.parties
    recipients = [name for one in program.outputs if one.to != EVERYBODY for name in one.to]
    named = list(dict.fromkeys([*program.owners, *recipients]))
    if given is not None:
        names = list(given)
    elif set(named) <= set(DEFAULT_NAMES[:count]):
        names = list(DEFAULT_NAMES[:count])
    else:
        names = named + [name for name in DEFAULT_NAMES if name not in named]
        names = names[: max(count, len(named))]
    missing = [name for name in named if name not in names]
    if len(names) != count or len(set(names)) != count or missing:
        who = f"{len(named)} parties ({', '.join(named)})" if given is None else ", ".join(names)
        wanted = f" and the program needs {missing[0]}" if missing else ""
        raise ProgramError(
            f"{protocol.name} runs with {count} parties; there are {who}{wanted}.",
            next_step="choose a protocol for as many parties, or give their names by index"
            f" (parties=…), {count} of them, all owners and recipients among them.",
            case=61,
        )
    return tuple(names)


def plan_of(
    program: Program, protocol: Protocol, parties: Sequence[str] | None, conditions: Conditions
) -> Plan:
    """The plan of a program under one protocol."""
    started = time.perf_counter()
    names = parties_of(program, protocol, parties)
    if conditions.ring_bits not in protocol.rings:
        raise ProgramError(
            f"{protocol.name} does not run over a ring of {conditions.ring_bits} bits.",
            next_step=f"choose one of: {', '.join(map(str, protocol.rings))}.",
            case=62,
        )
    ring = ring_of(conditions.ring_bits)
    found = counted(
        program,
        protocol,
        names,
        rounding=conditions.rounding,
        ring=ring,
        public=conditions.public or {},
        timed=conditions.seconds,
    )
    profiler = Profiler(protocol, ring) if conditions.seconds else None
    phases, links, notes = _timed(found, names, profiler, conditions)
    return Plan(
        program=program.name or program.short_digest,
        digest=program.digest,
        protocol=protocol.name,
        security=protocol.security.describe(),
        parties=names,
        network=described(conditions.network),
        phases=tuple(phases),
        links=links,
        memory_peak=found.memory_peak,
        work=_work(found, profiler),
        notes=(*found.notes, *notes),
        planning_seconds=time.perf_counter() - started,
    )


def _timed(
    found: Counted,
    names: Sequence[str],
    profiler: Profiler | None,
    conditions: Conditions,
) -> tuple[list[Phase], dict[tuple[str, str], int], list[str]]:
    clock = None
    if profiler is not None:
        clock = Clock(len(names), _pace(conditions, len(names), profiler), profiler.profile)
    phases: list[Phase] = []
    links: Counter[Link] = Counter()
    exact = True
    for name, tally in found.phases:
        seconds = in_process = 0.0
        if clock is not None and profiler is not None:
            seconds = clock.pass_over(tally.events)
            for call, times in tally.calls.items():
                profile = profiler.profile(call)
                exact = exact and profile.exact
                for one in profile.links:
                    for link, (payload, checks) in one.items():
                        links[link] += times * (payload + checks)
                in_process += times * (sum(map(sum, profile.compute)) + profile.carrying)
            in_process += len(names) * _local_seconds(tally, profiler)
        phases.append(
            Phase(
                name,
                tally.rounds,
                {party: tally.sent(i) for i, party in enumerate(names)},
                {party: tally.checked(i) for i, party in enumerate(names)},
                seconds,
                in_process,
            )
        )
    notes = [] if exact else ["bytes of single links are rounded; those of each party are exact"]
    named = {(names[a], names[b]): count for (a, b), count in sorted(links.items()) if count}
    return phases, named, notes


def _pace(conditions: Conditions, parties: int, profiler: Profiler) -> Pace:
    scale = conditions.compute_scale
    if scale is None:
        shared = conditions.network == LOOPBACK
        scale = max(1.0, parties / (os.cpu_count() or 1)) if shared else 1.0
    return Pace(
        conditions.network,
        scale,
        conditions.message_seconds,
        conditions.byte_seconds,
        profiler.local,
    )


def _local_seconds(tally: Tally, profiler: Profiler) -> float:
    """What one party does between messages."""
    seconds = 0.0
    for event in tally.events:
        for token in event.send.get(0, ()):
            one: Any = token
            if not isinstance(one[0], Call):
                seconds += profiler.local(one)
    return seconds


def _work(found: Counted, profiler: Profiler | None) -> tuple[Work, ...]:
    """How often each primitive runs, in all phases."""
    calls: Counter[str] = Counter()
    numbers: Counter[str] = Counter()
    seconds: Counter[str] = Counter()
    for _, tally in found.phases:
        for call, times in tally.calls.items():
            calls[call.primitive] += times
            numbers[call.primitive] += times * numbers_of(call)
            if profiler is not None:
                profile: Profile = profiler.profile(call)
                seconds[call.primitive] += times * profile.seconds  # type: ignore[assignment]
    order = sorted(calls, key=lambda name: (-seconds[name], -numbers[name], name))
    return tuple(Work(name, calls[name], numbers[name], float(seconds[name])) for name in order)
