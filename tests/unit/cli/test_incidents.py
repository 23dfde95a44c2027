"""Incidents: noted once whoever tells of them, with the phase, and in the log."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

from rich.console import Console

from tacit.cli.incidents import IncidentLog
from tacit.cli.logs import open_log
from tacit.cli.progress import PhaseBars
from tacit.errors import PartyLostError
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
