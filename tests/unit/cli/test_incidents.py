"""Incidents: noted once whoever tells of them, with the phase, and in the log."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

from rich.console import Console

from tacit.cli.chronicle import Chronicle
from tacit.cli.incidents import IncidentLog
from tacit.cli.logs import open_log
from tacit.cli.progress import PhaseBars
from tacit.errors import PartyLostError
from tacit.reports import IncidentRecord
from tacit.sessions.messages import Incident, Progress

NAMES = ("alice", "bob", "carol", "dave")


def lost(name: str, **what: Any) -> Incident:
    facts: dict[str, Any] = {
        "stage": 1,
        "kind": "lost",
        "party": name,
        "pair": None,
        "dropped": (name,),
        "reason": f"{name} was silent",
        "protocol": "replicated3_active",
        "security": "3 parties.",
        "evidence": None,
        "at": 1e9,
        **what,
    }
    return Incident(**facts)


def heard(path: Path, told: list[Any]) -> tuple[IncidentLog, list[dict[str, Any]]]:
    with open_log(path / "log.jsonl") as log, PhaseBars(NAMES, Console(file=StringIO())) as bars:
        incidents = IncidentLog(bars, log)
        for party, message in told:
            if isinstance(message, Incident):
                incidents.incident(party, message)
            elif isinstance(message, Progress):
                incidents.progress(party, message)
            else:
                incidents.ended({party: message})
    lines = (path / "log.jsonl").read_text().splitlines()
    return incidents, [json.loads(line) for line in lines]


def test_what_three_parties_tell_is_one_incident(tmp_path: Path) -> None:
    incidents, events = heard(
        tmp_path,
        [
            ("alice", Progress("training", 3, 10, "steps")),
            ("alice", lost("bob", evidence="report/alice/evidence")),
            ("carol", lost("bob")),
            ("dave", lost("bob", evidence="report/dave/evidence")),
            ("bob", PartyLostError("bob was killed", case=10)),
        ],
    )
    (record,) = incidents.records
    assert record.dropped == ("bob",)
    assert record.phase == "training"
    assert record.reported_by == ("alice", "carol", "dave")
    assert record.evidence == {"alice": "report/alice/evidence", "dave": "report/dave/evidence"}
    assert [e["event"] for e in events] == ["incident", "process ended"]
    assert all(e["level"] == "warning" for e in events)
    assert events[0]["party"] == "bob"


def test_a_second_incident_is_another_one(tmp_path: Path) -> None:
    pair = lost("bob", kind="pair", party=None, pair=("alice", "bob"))
    second = lost("alice", stage=2, kind="convicted", dropped=("alice",))
    incidents, _ = heard(tmp_path, [("carol", pair), ("carol", second), ("dave", second)])
    assert [record.kind for record in incidents.records] == ["pair", "convicted"]


def test_a_process_that_ends_when_nobody_needs_it_is_noted_too(tmp_path: Path) -> None:
    incidents, _ = heard(
        tmp_path,
        [("bob", Progress("alone", 0)), ("bob", PartyLostError("bob was killed", case=10))],
    )
    (record,) = incidents.records
    assert record.party == "bob"
    assert record.phase == "alone"
    assert "complete" in record.afterwards


def test_a_served_party_that_finishes_was_not_lost(tmp_path: Path) -> None:
    pair = lost("bob", kind="pair", party=None, pair=("alice", "bob"))
    served = lost("bob", reason="bob stopped because of what carol reported to it")
    told = [("carol", pair), ("dave", served)]
    incidents, events = heard(tmp_path / "there", told)
    incidents.ended({})
    assert [record.kind for record in incidents.records] == ["pair"]
    assert len(events) == 2
    incidents, _ = heard(
        tmp_path / "gone", [*told, ("bob", PartyLostError("bob was killed", case=10))]
    )
    assert [record.kind for record in incidents.records] == ["pair", "lost"]


def test_incidents_are_told_at_once(tmp_path: Path) -> None:
    printed = StringIO()
    console = Console(file=printed, width=200)
    with open_log(tmp_path / "log.jsonl") as log, PhaseBars(NAMES, console) as bars:
        incidents = IncidentLog(bars, log)
        incidents.staged("bob", "the demo killed [bold]bob[/]'s process")
        incidents.incident("alice", lost("bob"))
        assert "Staged: the demo killed [bold]bob[/]'s process." in printed.getvalue()
        assert "Warning: bob was lost at" in printed.getvalue()


def test_a_chronicle_says_who_was_there_and_what_held() -> None:
    times = iter([10.0, 11.0, 12.5, 13.0, 14.0, 20.0])
    chronicle = Chronicle(NAMES, "fantastic4", "4 parties; 1.", clock=lambda: next(times))
    chronicle.progress("alice", Progress("training", 0, 10, "steps"))
    chronicle.progress("bob", Progress("training", 1, 10, "steps"))
    chronicle.staged("bob", "killed")
    chronicle.incident(record("lost", "bob", ("bob",), "replicated3_active"))
    chronicle.incident(record("convicted", "alice", ("alice",), "replicated3"))
    chronicle.progress("alice", Progress("training", 10, 10, "steps"))
    line = chronicle.timeline()
    assert [(s.party, s.begin, s.end) for s in line.spans] == [("alice", 0, 10), ("bob", 1, 1)]
    assert [(m.at, m.party, m.kind) for m in line.moments] == [
        (2.5, "bob", "staged"),
        (3.0, "bob", "noticed"),
        (4.0, "alice", "noticed"),
    ]
    assert [(h.begin, h.protocol, h.parties) for h in line.held] == [
        (0.0, "fantastic4", NAMES),
        (3.0, "replicated3_active", ("alice", "carol", "dave")),
        (4.0, "replicated3", ("bob", "carol", "dave")),
    ]
    assert line.seconds == 10


def record(kind: Any, party: str, dropped: tuple[str, ...], protocol: str) -> IncidentRecord:
    return IncidentRecord(
        kind=kind,
        party=party,
        pair=None,
        dropped=dropped,
        at="2026-11-20T10:00:00+00:00",
        phase="training",
        reason="it was silent",
        protocol=protocol,
        security="3 parties.",
    )
