"""What every command that runs parties is asked for, and how it runs them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

import msgspec
from msgspec import Struct
from rich.console import Console

from tacit.cli.alone import WaitLines
from tacit.cli.chronicle import Chronicle
from tacit.cli.incidents import IncidentLog
from tacit.cli.progress import PhaseBars
from tacit.consortium import Kit
from tacit.network import Address, NetworkSettings
from tacit.protocols import SecurityModel, protocol_named
from tacit.reports import IncidentRecord
from tacit.sessions.alone import run_alone
from tacit.sessions.messages import Progress
from tacit.sessions.processes import PartyProcesses

__all__ = ["HELPER", "JointJob", "JointRequest", "Staging", "run_joint"]

HELPER: Final = "helper"
"""What a party that holds no data is called if nobody names it."""


class _PartyResult(Protocol):
    """What a party's process hands back."""

    @property
    def phases(self) -> Sequence[Struct]: ...


_Result = TypeVar("_Result", bound=_PartyResult)

Staging = Callable[[str, Progress, Mapping[str, int]], str | None]
"""Takes a party's progress and all processes' numbers; says what it did on purpose, if anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JointRequest:
    """The options that all commands with parties share.

    Attributes
    ----------
    protocol : str
    out : path
        Where results and the log go.
    deadline, heartbeat, patience : float
        Seconds; see :class:`~tacit.network.NetworkSettings`.
    threads : int, optional
        Of each party's process.
    kit : Kit, optional
        This one party's, if the others run on their machines.
    wait : float
        With a kit: seconds to wait for the others to start.
    listen : Address, optional
        With a kit: where to listen, if not at the party's address in the consortium's file.
    """

    protocol: str = "replicated3"
    out: Path = Path("report")
    deadline: float = 3600.0
    heartbeat: float = 5.0
    patience: float = 60.0
    threads: int | None = None
    kit: Kit | None = None
    wait: float = 600.0
    listen: Address | None = None

    @property
    def security(self) -> SecurityModel:
        """The protocol's promise."""
        return protocol_named(self.protocol).security

    @property
    def guaranteed(self) -> bool:
        """Whether the run ends with a result although a party is lost."""
        return self.security.outcome == "guaranteed output"

    def evidence(self, party: str) -> str | None:
        """Where a party keeps what proves another one's fault."""
        return str((self.out / party / "evidence").absolute()) if self.guaranteed else None


@dataclass(frozen=True, slots=True, kw_only=True)
class JointJob:
    """What the parties of a command do.

    Attributes
    ----------
    module : str
        What every party's process runs.
    parties : tuple of str
        In the protocol's order.
    settings : dict of str to Struct
        What each party's process is told; with a kit, this party's alone is needed.
    parameters : dict of str to str
        What the parties compare in their handshake.
    inputs : str
        What the shared inputs are called; under guaranteed output nobody is done without until
        all have them.
    staging : Staging, optional
        Causes faults, in a demo.
    """

    module: str
    parties: tuple[str, ...]
    settings: Mapping[str, Struct]
    parameters: Mapping[str, str] = field(default_factory=dict)
    inputs: str = "inputs"
    staging: Staging | None = None


def run_joint(
    request: JointRequest,
    job: JointJob,
    result: type[_Result],
    console: Console,
    log: Any,
    chronicle: Chronicle | None = None,
) -> tuple[dict[str, _Result], tuple[IncidentRecord, ...]]:
    """Run the parties to their end: all on this machine, or with a kit this one alone.

    Returns
    -------
    results : dict of str to Struct
        Each party's own, without those that were lost.
    incidents : tuple of IncidentRecord
        What was overcome.
    """
    watched = job.parties if request.kit is None else (request.kit.name,)
    with PhaseBars(watched, console) as bars:
        incidents = IncidentLog(bars, log, chronicle)
        if request.kit is None:
            found = _processes(request, job, incidents)
        else:
            found = {request.kit.name: _here(request, request.kit, job, incidents, console)}
    results = {name: msgspec.convert(given, result) for name, given in found.items()}
    for name, given in results.items():
        for phase in given.phases:
            log.info("phase finished", party=name, **msgspec.structs.asdict(phase))
    return results, incidents.records


def _processes(request: JointRequest, job: JointJob, incidents: IncidentLog) -> dict[str, Any]:
    with PartyProcesses(
        job.parties,
        job.module,
        dict(job.settings),
        protocol=request.protocol,
        parameters=dict(job.parameters),
        settings=NetworkSettings(heartbeat_timeout=request.heartbeat, patience=request.patience),
        threads=request.threads,
        tolerate=1 if request.guaranteed else 0,
        on_incident=incidents.incident,
        shared_first=job.inputs if request.guaranteed else "",
        on_inputs_complete=incidents.inputs_complete,
    ) as processes:
        incidents.connected(processes.identifiers)

        def listen(party: str, message: Progress) -> None:
            incidents.progress(party, message)
            if job.staging is not None:
                staged = job.staging(party, message, processes.identifiers)
                if staged is not None:
                    incidents.staged(party, staged)

        found = processes.results(listen)
        incidents.ended(processes.lost)
    return found


def _here(
    request: JointRequest, kit: Kit, job: JointJob, incidents: IncidentLog, console: Console
) -> Any:
    return run_alone(
        kit,
        job.module,
        job.settings[kit.name],
        protocol=request.protocol,
        parties=job.parties,
        parameters=dict(job.parameters),
        settings=NetworkSettings(
            heartbeat_timeout=request.heartbeat,
            patience=request.patience,
            start_deadline=request.wait,
        ),
        threads=request.threads,
        listen=request.listen,
        on_progress=incidents.progress,
        on_incident=incidents.incident,
        on_wait=WaitLines(kit, console, request.listen),
        hold_inputs=True,
        on_inputs_complete=lambda: incidents.inputs_complete(kit.name),
    )
