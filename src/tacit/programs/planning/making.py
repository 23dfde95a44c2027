"""Making plans: for one protocol, or for all that fit."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tacit.encoding.ring import Ring
from tacit.encoding.rings import ring_of
from tacit.errors import ProgramError
from tacit.functions.ordering import BATCH
from tacit.programs.graph import EVERYBODY
from tacit.programs.planning.clock import Pace
from tacit.programs.planning.draws import Draws, bytes_of, draws_of
from tacit.programs.planning.measured import Measured, processors_here
from tacit.programs.planning.networks import described
from tacit.programs.planning.phases import Counted, counted
from tacit.programs.planning.plan import Phase, Plan
from tacit.programs.planning.pricing import Priced
from tacit.programs.planning.profile import Profiler
from tacit.programs.program import Program
from tacit.protocols import Protocol
from tacit.protocols.interface import Rounding
from tacit.protocols.registry import DEFAULT_NAMES
from tacit.rounds.virtual import LOOPBACK, Network

__all__ = ["BYTE_SECONDS", "MESSAGE_SECONDS", "Conditions", "parties_of", "plan_of", "priced"]

MESSAGE_SECONDS = 60e-6
BYTE_SECONDS = 0.75e-9
"""What a message and a byte take at either end: TLS and the operating system
(``docs/performance.md``, other networks)."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """Under what a program is planned.

    Attributes
    ----------
    network : Network or Measured
    rounding : {"probabilistic", "nearest", "exact"}
    ring_bits : int
    public : mapping of str to array_like
        Public inputs that are known beforehand.
    seconds : bool
        Whether to run the primitives once, for seconds and for the bytes of every link.
    compute_scale : float, optional
        Factor on computation; by default 1, and on loopback the parties share the processors.
    message_seconds, byte_seconds : float
        Processor time to send, and again to receive, a message and a byte.
    """

    network: Network | Measured
    rounding: Rounding = "probabilistic"
    ring_bits: int = 64
    public: Mapping[str, Any] | None = None
    seconds: bool = True
    compute_scale: float | None = None
    message_seconds: float = MESSAGE_SECONDS
    byte_seconds: float = BYTE_SECONDS

    def pace(self, parties: int) -> tuple[Pace, float]:
        """How fast so many parties are, and seconds before a run's first round.

        Raises
        ------
        ProgramError
            The network was measured among another number of parties (TC-1568).
        """
        if isinstance(self.network, Measured):
            self.network.require_for(parties)
            return self.network.pace, self.network.start_seconds
        scale, processors = self.compute_scale, None
        if scale is None:
            scale = 1.0
            processors = processors_here() if self.network == LOOPBACK else None
        pace = Pace(self.network, scale, scale, self.message_seconds, self.byte_seconds, processors)
        return pace, 0.0


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
    found = priced(program, protocol, names, conditions)
    count = len(names)
    notes = []
    if found.counted.party.drawn:
        draws = draws_of(
            found.counted,
            lambda seed: _counted(program, protocol, names, conditions, seed=seed),
            count,
        )
        sent = draws.sent
        notes.append(_of_draws(draws))
    else:
        sent = [bytes_of(tally, count) for _, tally in found.counted.phases]
    pace, start = conditions.pace(count)
    whole = found.seconds(pace)
    parts = zip(found.counted.phases, sent, whole, found.in_process(), strict=True)
    phases = tuple(
        Phase(
            name,
            tally.rounds,
            dict(zip(names, one.sent, strict=True)),
            dict(zip(names, one.checks, strict=True)),
            dict(zip(names, one.most, strict=True)),
            seconds + (start if name == "compute" else 0.0),
            in_process,
        )
        for (name, tally), one, seconds, in_process in parts
    )
    links, exact = found.links()
    if not exact:
        notes.append("bytes of single links are rounded; those of each party are exact")
    return Plan(
        program=program.name or program.short_digest,
        digest=program.digest,
        protocol=protocol.name,
        security=protocol.security.describe(),
        parties=names,
        network=described(conditions.network),
        phases=phases,
        links={(names[a], names[b]): count for (a, b), count in sorted(links.items()) if count},
        memory_peak=found.counted.memory_peak,
        work=found.work(),
        spent=found.spent(),
        notes=(*found.counted.notes, *notes),
        planning_seconds=time.perf_counter() - started,
    )


def _of_draws(draws: Draws) -> str:
    """What a plan says of sorts."""
    least, most = draws.rounds
    rounds = (
        f"rounds were the same in all {draws.count} orders drawn"
        if least == most
        else f"rounds were {least:,} to {most:,} in {draws.count} orders drawn, as a step of more"
        f" than {BATCH:,} comparisons is cut"
    )
    return (
        "bytes of sorts follow from an order that is drawn when they run: these are expected, and"
        f" less than one of a hundred runs sends more than at most; {rounds}"
    )


def priced(
    program: Program,
    protocol: Protocol,
    parties: Sequence[str],
    conditions: Conditions,
    profiler: Profiler | None = None,
) -> Priced:
    """A program counted under a protocol, its operations timed where seconds are asked for."""
    if profiler is None and conditions.seconds:
        profiler = Profiler(protocol, _ring(protocol, conditions.ring_bits))
    found = _counted(program, protocol, parties, conditions, profiler)
    return Priced(found, len(parties), profiler)


def _counted(
    program: Program,
    protocol: Protocol,
    parties: Sequence[str],
    conditions: Conditions,
    profiler: Profiler | None = None,
    seed: int = 0,
) -> Counted:
    return counted(
        program,
        protocol,
        parties,
        rounding=conditions.rounding,
        ring=_ring(protocol, conditions.ring_bits),
        public=conditions.public or {},
        profiler=profiler,
        seed=seed,
    )


def _ring(protocol: Protocol, bits: int) -> Ring:
    if bits not in protocol.rings:
        raise ProgramError(
            f"{protocol.name} does not run over a ring of {bits} bits.",
            next_step=f"choose one of: {', '.join(map(str, protocol.rings))}.",
            case=62,
        )
    return ring_of(bits)
