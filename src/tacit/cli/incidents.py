"""What happened to parties during a run that ended with a result all the same."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec
from rich.markup import escape

from tacit.cli.chronicle import Chronicle
from tacit.cli.progress import PhaseBars, PhaseMessage
from tacit.errors import TacitError
from tacit.reports import IncidentRecord

if TYPE_CHECKING:
    from structlog.stdlib import BoundLogger

    from tacit.sessions.messages import Incident

__all__ = ["IncidentLog"]

NOTE = "note"
"""The unit of a progress message that is a line for people."""


class IncidentLog:
    """Listens to all parties' processes: passes progress on, and notes every incident once.

    Each is told at once in a line above the progress bars, and goes into the log.

    Parameters
    ----------
    bars : PhaseBars
    log : structlog logger
    chronicle : Chronicle, optional
        Notes when everything was.
    """

    def __init__(
        self,
        bars: PhaseBars,
        log: BoundLogger,
        chronicle: Chronicle | None = None,
    ) -> None:
        self._bars = bars
        self._log = log
        self._chronicle = chronicle
        self._phases: dict[str, str] = {}
        self._notes: set[str] = set()
        self._unserved: dict[str, IncidentRecord] = {}
        self._found: dict[tuple[int, str, tuple[str, ...]], IncidentRecord] = {}

    def progress(self, party: str, message: PhaseMessage) -> None:
        """Take a progress message; a note for people is told once."""
        if message.unit == NOTE:
            if message.phase not in self._notes:
                self._notes.add(message.phase)
                self._log.info("note", text=message.phase)
                self._bars.tell(escape(message.phase))
            return
        self._phases[party] = message.phase
        if self._chronicle is not None:
            self._chronicle.progress(party, message)
        self._bars(party, message)

    def staged(self, party: str, text: str) -> None:
        """Note what a demo does on purpose."""
        self._log.warning("staged", party=party, what=text)
        if self._chronicle is not None:
            self._chronicle.staged(party, text)
        self._bars.tell(f"[bold cyan]Staged:[/] {escape(text)}.")

    def connected(self, processes: Mapping[str, int]) -> None:
        """Note the numbers of the parties' processes."""
        self._log.info("parties connected", processes=dict(processes))

    def inputs_complete(self, party: str) -> None:
        """A party says that all parties have all inputs."""
        self._log.info("inputs complete", party=party)

    def incident(self, party: str, incident: Incident) -> None:
        """Take what a party says that its session has overcome."""
        key = (incident.stage, incident.kind, incident.dropped)
        known = self._found.get(key)
        if known is not None:
            evidence = known.evidence
            if incident.evidence is not None:
                evidence = {**evidence, party: incident.evidence}
            self._found[key] = _reported(known, party, evidence)
            return
        at = datetime.datetime.fromtimestamp(incident.at, datetime.UTC).astimezone()
        record = IncidentRecord(
            kind=incident.kind,
            party=incident.party,
            pair=incident.pair,
            dropped=incident.dropped,
            at=at.isoformat(timespec="seconds"),
            phase=self._phases.get(party, ""),
            reason=incident.reason,
            protocol=incident.protocol,
            security=incident.security,
            reported_by=(party,),
            evidence={} if incident.evidence is None else {party: incident.evidence},
        )
        self._log.warning("incident", **_plain(record))
        left_out = {name for earlier in self._found.values() for name in earlier.dropped}
        if incident.kind == "lost" and incident.party in left_out:
            # Who serves it lost it. It may be that both were interrupted by another's fault.
            self._unserved.setdefault(incident.party, record)
            return
        self._found[key] = record
        self._tell(record)
        for name in incident.dropped:
            self._bars.lost(name)

    def ended(self, lost: Mapping[str, TacitError]) -> None:
        """Note processes that ended before their job did and that nobody else reported."""
        for name, record in self._unserved.items():
            if name in lost:
                self._found[len(self._found), record.kind, record.dropped] = record
                self._tell(record)
        named = {name for record in self._found.values() for name in record.dropped}
        for name, error in lost.items():
            self._log.warning("process ended", party=name, code=error.code, message=error.message)
            if name in named:
                continue
            key = (len(self._found), "lost", (name,))
            now = datetime.datetime.now(datetime.UTC).astimezone()
            record = IncidentRecord(
                kind="lost",
                party=name,
                pair=None,
                dropped=(name,),
                at=now.isoformat(timespec="seconds"),
                phase=self._phases.get(name, ""),
                reason=error.message,
                protocol="",
                security="all results that need this party were complete when it ended",
                reported_by=(),
                evidence={},
            )
            self._found[key] = record
            self._tell(record)

    def _tell(self, record: IncidentRecord) -> None:
        if self._chronicle is not None:
            self._chronicle.incident(record)
        self._bars.tell(
            f"[bold yellow]Warning:[/] {escape(record.title)}. {escape(record.afterwards)}"
        )

    @property
    def records(self) -> tuple[IncidentRecord, ...]:
        """What happened, in order."""
        return tuple(self._found.values())


def _reported(record: IncidentRecord, party: str, evidence: dict[str, str]) -> IncidentRecord:
    return msgspec.structs.replace(
        record, reported_by=(*record.reported_by, party), evidence=evidence
    )


def _plain(record: IncidentRecord) -> dict[str, object]:
    return msgspec.structs.asdict(record)
