"""A plan: what a program will cost under one protocol on one network, phase by phase."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console

from tacit.errors import ProgramError
from tacit.rounds.cost import Cost

__all__ = ["Phase", "Plan", "Spent", "Work", "as_text", "bytes_text", "seconds_text"]


@dataclass(frozen=True, slots=True)
class Phase:
    """One input, the computation, or one output.

    Attributes
    ----------
    name : str
        ``share x``, ``compute``, ``reveal y``.
    rounds : int
    bytes_sent, check_bytes : dict of str to int
        By party; exact, or expected where `bytes_at_most` are more.
    bytes_at_most : dict of str to int
        By party, payload and check bytes together: what less than one of a hundred runs exceeds
        where a sort draws an order, else what every run sends.
    seconds : float
        Expected on the plan's network.
    in_process : float
        Expected where one process computes for all parties.
    """

    name: str
    rounds: int
    bytes_sent: dict[str, int]
    check_bytes: dict[str, int]
    bytes_at_most: dict[str, int]
    seconds: float
    in_process: float


@dataclass(frozen=True, slots=True)
class Work:
    """How often a primitive of the protocol runs.

    Attributes
    ----------
    primitive : str
    calls : int
    numbers : int
        Elements of all calls together; of matrix products, multiplications.
    """

    primitive: str
    calls: int
    numbers: int


@dataclass(frozen=True, slots=True)
class Spent:
    """What one party computes for an operation.

    Attributes
    ----------
    operation : str
        Or a primitive, where an operation is too large to be timed as a whole.
    times : int
    seconds : float
        Of the slowest party, for all times together.
    """

    operation: str
    times: int
    seconds: float


@dataclass(slots=True, eq=False)
class Plan:
    """What a run of a program will cost.

    Attributes
    ----------
    program : str
        Its name, or the beginning of its digest.
    digest : str
    protocol : str
    security : str
        What the protocol promises, in a sentence.
    parties : tuple of str
        By index.
    network : str
        What the seconds are for.
    phases : tuple of Phase
    links : dict of (str, str) to int
        Bytes, check bytes included, by sender and receiver.
    memory_peak : int
        About how many bytes of shares and messages one party holds at most.
    work : tuple of Work
        Which primitives of the protocol run, largest first.
    spent : tuple of Spent
        What a party computes, most expensive first.
    notes : tuple of str
        What the figures rest on.
    planning_seconds : float
        How long it took to plan.
    actual : Cost or None
        What the run cost, where it was run with this plan.
    """

    program: str
    digest: str
    protocol: str
    security: str
    parties: tuple[str, ...]
    network: str
    phases: tuple[Phase, ...]
    links: dict[tuple[str, str], int]
    memory_peak: int
    work: tuple[Work, ...]
    spent: tuple[Spent, ...]
    notes: tuple[str, ...]
    planning_seconds: float
    actual: Cost | None = field(default=None)
    _ran_in_process: bool = field(default=False)

    @property
    def rounds(self) -> int:
        """Rounds of all phases."""
        return sum(phase.rounds for phase in self.phases)

    @property
    def bytes_sent(self) -> dict[str, int]:
        """Payload bytes that each party sends."""
        return _summed([phase.bytes_sent for phase in self.phases], self.parties)

    @property
    def check_bytes(self) -> dict[str, int]:
        """Bytes of hashes and other check values that each party sends."""
        return _summed([phase.check_bytes for phase in self.phases], self.parties)

    @property
    def bytes_at_most(self) -> dict[str, int]:
        """Payload and check bytes that each party sends at most.

        What it sends in every run, but for sorts: less than one of a hundred runs sends more.
        """
        return _summed([phase.bytes_at_most for phase in self.phases], self.parties)

    @property
    def exact(self) -> bool:
        """Whether every run sends these bytes: nothing is sorted."""
        return sum(self.bytes_at_most.values()) == self.total_bytes

    @property
    def total_bytes(self) -> int:
        """Payload and check bytes of all parties."""
        return sum(self.bytes_sent.values()) + sum(self.check_bytes.values())

    @property
    def seconds(self) -> float:
        """Expected seconds on the network, from the first input to the last output."""
        return sum(phase.seconds for phase in self.phases)

    @property
    def in_process(self) -> float:
        """Expected seconds where one process computes for all parties, as ``tacit.local`` does.

        With one thread, on a processor of its own.
        """
        return sum(phase.in_process for phase in self.phases)

    @property
    def cost(self) -> Cost:
        """The whole as a :class:`~tacit.rounds.cost.Cost`, as a session measures one."""
        return Cost(self.rounds, self.bytes_sent, self.check_bytes, self.seconds)

    def require_for(self, digest: str, protocol: str, parties: Sequence[str]) -> None:
        """Refuse to be compared with the run of something else.

        Raises
        ------
        ProgramError
            Another program, protocol or other parties (TC-1566).
        """
        if (digest, protocol, tuple(parties)) != (self.digest, self.protocol, self.parties):
            raise ProgramError(
                f"The plan is for {self.program} under {self.protocol} with"
                f" {', '.join(self.parties)}, and this run is not.",
                next_step="plan the program that runs, with the session's protocol and parties:"
                " program.plan(mpc.protocol, parties=mpc.parties).",
                case=66,
            )

    def compare(self, cost: Cost, *, in_process: bool = False) -> Plan:
        """Note what a run cost; printing then shows it beside the prediction.

        Parameters
        ----------
        cost : Cost
            As ``mpc.measure()`` gives it, of the inputs, the run and the outputs together.
        in_process : bool
            Whether the run was one process for all parties.
        """
        self.actual = cost
        self._ran_in_process = in_process
        return self

    @property
    def expected_seconds(self) -> float:
        """What a run's seconds compare with: as it ran, or on the plan's network."""
        return self.in_process if self._ran_in_process else self.seconds

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        found: dict[str, Any] = {
            "program": self.program,
            "digest": self.digest,
            "protocol": self.protocol,
            "security": self.security,
            "parties": list(self.parties),
            "network": self.network,
            "rounds": self.rounds,
            "seconds": self.seconds,
            "seconds_in_one_process": self.in_process,
            "bytes_sent": self.bytes_sent,
            "check_bytes": self.check_bytes,
            "bytes_at_most": self.bytes_at_most,
            "links": [
                {"from": sender, "to": receiver, "bytes": count}
                for (sender, receiver), count in self.links.items()
            ],
            "memory_peak": self.memory_peak,
            "phases": [
                {
                    "name": phase.name,
                    "rounds": phase.rounds,
                    "bytes_sent": phase.bytes_sent,
                    "check_bytes": phase.check_bytes,
                    "bytes_at_most": phase.bytes_at_most,
                    "seconds": phase.seconds,
                }
                for phase in self.phases
            ],
            "work": [
                {
                    "primitive": one.primitive,
                    "calls": one.calls,
                    "numbers": one.numbers,
                }
                for one in self.work
            ],
            "computing": [
                {"operation": one.operation, "times": one.times, "seconds": one.seconds}
                for one in self.spent
            ],
            "notes": list(self.notes),
        }
        if self.actual is not None:
            found["actual"] = {
                "rounds": self.actual.rounds,
                "bytes_sent": self.actual.bytes_sent,
                "check_bytes": self.actual.check_bytes,
                "seconds": self.actual.seconds,
            }
        return found

    def __rich__(self) -> Any:
        from tacit.programs.planning.showing import plan_parts

        return plan_parts(self)

    def __str__(self) -> str:
        return as_text(self)

    def __repr__(self) -> str:
        return (
            f"Plan({self.program!r}, {self.protocol}, {self.network}: {self.rounds} rounds,"
            f" {bytes_text(self.total_bytes)}, {seconds_text(self.seconds)})"
        )


def _summed(parts: Sequence[Mapping[str, int]], parties: Sequence[str]) -> dict[str, int]:
    return {party: sum(part[party] for part in parts) for party in parties}


def as_text(shown: Any) -> str:
    """What a terminal would show, without colours."""
    console = Console(file=io.StringIO(), width=100, highlight=False)
    console.print(shown)
    file: Any = console.file
    text: str = file.getvalue()
    return text.rstrip("\n")


def bytes_text(count: float) -> str:
    """Bytes for people, in powers of ten."""
    for unit in ("B", "kB", "MB", "GB"):
        if abs(count) < 1000:
            return f"{count:.0f} B" if unit == "B" else f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"


def seconds_text(seconds: float) -> str:
    """Seconds for people."""
    if seconds < 1e-3:
        return f"{seconds * 1e6:.0f} µs"
    if seconds < 1:
        return f"{seconds * 1e3:.3g} ms"
    if seconds < 120:
        return f"{seconds:.3g} s"
    if seconds < 7200:
        return f"{seconds / 60:.3g} min"
    return f"{seconds / 3600:.3g} h"
