"""``tacit train`` under guaranteed output: ``kill -9`` of one party at seeded random moments.

By default few kills in two phases. ``TACIT_KILLS=20`` makes twenty in each phase, of parties and at
moments drawn from other seeds each: the search by hand.
"""

from __future__ import annotations

import json
import os
import random
import signal
import threading
from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from tacit.cli import joint
from tacit.cli.demos.files import DemoFiles
from tacit.cli.incidents import IncidentLog
from tacit.cli.outcome import Outcome
from tacit.cli.training import TrainingRequest, run_training
from tacit.errors import TacitError
from tacit.recovery.evidence import check, records
from tacit.sessions.messages import Listening, Ready
from tacit.sessions.processes import PartyProcesses

pytestmark = pytest.mark.processes

KILLS = int(os.environ.get("TACIT_KILLS", "1"))

BEFORE: tuple[str, ...] = ("schema", "reading", "sharing", "sealing")
AFTER: tuple[str, ...] = ("standardisation", "training", "reveal", "evaluation")
if KILLS == 1:
    BEFORE, AFTER = ("sharing",), ("training", "evaluation")


def request(files: DemoFiles, out: Path, **options: Any) -> TrainingRequest:
    wanted: dict[str, Any] = {
        "files": files.files,
        "label": files.label,
        "schema": files.schema,
        "protocol": "fantastic4",
        "helper": "dave",
        "reveal_to": tuple(files.files),
        "reveal_loss": True,
        "epochs": 3,
        "batch_size": 64,
        "rounding": "exact",
        "out": out,
        **options,
    }
    return TrainingRequest(**wanted)


class Blow:
    """Kills one party when another's progress reaches a moment in a phase, once."""

    def __init__(self, seed: str, phase: str, parties: tuple[str, ...]) -> None:
        draw = random.Random(seed)
        self.phase = phase
        self.victim = draw.choice(parties)
        self.witness = draw.choice(parties)
        self.share = draw.random()
        self.delay = draw.random() * (0.2 if phase == "training" else 0.02)
        self.at_end = False
        self.signal = signal.SIGKILL
        self.processes: PartyProcesses | None = None
        self.done = False

    def __repr__(self) -> str:
        return f"{self.victim} in {self.phase} at {self.share:.3f} + {self.delay:.3f} s"

    def strike(self) -> None:
        assert self.processes is not None
        os.kill(self.processes.identifiers[self.victim], self.signal)

    def progress(self, party: str, phase: str, done: float, total: float) -> None:
        if self.done or party != self.witness or phase != self.phase:
            return
        if self.at_end and done < 1:
            return
        if phase in ("training", "sharing") and done < self.share * total:
            return
        self.done = True
        threading.Timer(self.delay, self.strike).start()


@pytest.fixture
def struck(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run a training in which a blow falls; its outcome and what was printed."""

    def run(wanted: TrainingRequest, blow: Blow) -> tuple[Outcome, str]:
        class Watched(IncidentLog):
            def progress(self, party: str, message: Any) -> None:
                blow.progress(party, message.phase, message.done, message.total)
                super().progress(party, message)

        def start(*arguments: Any, **options: Any) -> PartyProcesses:
            blow.processes = PartyProcesses(*arguments, **options)
            return blow.processes

        monkeypatch.setattr(joint, "IncidentLog", Watched)
        monkeypatch.setattr(joint, "PartyProcesses", start)
        printed = StringIO()
        outcome = run_training(wanted, Console(file=printed, width=200))
        return outcome, printed.getvalue()

    return run


@pytest.fixture(scope="module")
def whole(
    wards: DemoFiles, tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, tuple[list[float] | None, float | None, list[float]]]:
    """What every party learns when nothing happens."""
    out = tmp_path_factory.mktemp("whole")
    outcome = run_training(request(wards, out), Console(file=StringIO()))
    return {n: (r.model, r.losses) for n, r in outcome.results.items()}


@pytest.mark.parametrize("seed", range(KILLS))
@pytest.mark.parametrize("phase", AFTER)
def test_the_others_finish_with_the_same_bits(
    struck: Any, whole: Any, wards: DemoFiles, tmp_path: Path, phase: str, seed: int
) -> None:
    wanted = request(wards, tmp_path)
    blow = Blow(f"{phase} {seed}", phase, wanted.parties)
    outcome, printed = struck(wanted, blow)
    assert blow.done, blow
    for name, result in outcome.results.items():
        assert (result.model, result.losses) == whole[name], blow
    if blow.victim in outcome.results:  # it had finished before the blow fell
        return
    living = [name for name in wanted.parties if name != blow.victim]
    assert list(outcome.results) == living, blow
    check_what_is_said(outcome, printed, tmp_path, blow)
    check_what_is_kept(tmp_path, living, blow)


def check_what_is_kept(out: Path, living: list[str], blow: Blow) -> None:
    """Every living party holds evidence of the same, which anybody can check."""
    found = [check(record) for name in living for record in records(out / name / "evidence")]
    assert {checked.holder for checked in found} == set(living), blow
    assert len({checked.verdict for checked in found}) == 1
    assert blow.victim in (found[0].verdict.pair or (found[0].verdict.party,)), blow
    assert len({checked.fingerprint for checked in found}) == 1


def check_what_is_said(outcome: Outcome, printed: str, out: Path, blow: Blow) -> None:
    """Table, report, manifest and log say who was lost, when, and what held from then on."""
    manifest = json.loads((out / "manifest.json").read_text())
    (incident,) = manifest["incidents"]
    assert incident["dropped"] == [blow.victim], blow
    assert incident["at"]
    assert incident["security"]
    page = (out / "index.html").read_text()
    assert "What happened to parties" in page
    assert blow.victim in page
    assert "Warning:" in printed
    assert blow.victim in printed.split("Warning:")[1].splitlines()[0]
    events = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    told = [e for e in events if e["event"] in ("incident", "process ended")]
    assert told, blow
    assert all(e["level"] == "warning" for e in told)
    assert not (out / blow.victim / "result.json").exists()
    owners = [name for name in outcome.results if name != "dave"]
    assert set(manifest["evaluated"]) >= set(owners), blow
    if blow.victim not in manifest["evaluated"] and blow.victim != "dave":
        assert f"without {blow.victim}" in outcome.report.evaluated_on
    assert [path.name for path in out.glob(".shares-*")] == []


@pytest.mark.parametrize("seed", range(KILLS))
@pytest.mark.parametrize("phase", BEFORE)
def test_a_loss_before_all_rows_are_sealed_ends_the_run(
    struck: Any, whole: Any, wards: DemoFiles, tmp_path: Path, phase: str, seed: int
) -> None:
    """Unless the blow falls late on a busy machine: then all that are left knew of all rows."""
    wanted = request(wards, tmp_path)
    blow = Blow(f"{phase} {seed}", phase, wanted.parties)
    check_one_of_two_ends(struck, whole, wanted, tmp_path, blow)


def check_one_of_two_ends(
    struck: Any, whole: Any, wanted: TrainingRequest, out: Path, blow: Blow
) -> None:
    """An early loss, or the same results where all that are left knew of all rows."""
    try:
        outcome, _ = struck(wanted, blow)
    except TacitError as error:
        check_an_early_loss(error, out, blow.victim)
        return
    living = {name for name in wanted.parties if name != blow.victim}
    assert complete(out) >= living, blow
    for name in living:
        result = outcome.results[name]
        assert (result.model, result.losses) == whole[name], blow


def complete(out: Path) -> set[str]:
    """The parties of which the log says that they know all rows to be sealed everywhere."""
    events = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    return {event["party"] for event in events if event["event"] == "inputs complete"}


def check_an_early_loss(error: TacitError, out: Path, victim: str) -> None:
    """It says so, names the party and what to do; no party that is left knew of all rows."""
    assert (error.code, error.parties) == ("TC-3409", (victim,)), error
    assert f"{victim} was lost before all rows were shared" in error.message
    assert "Nothing was computed or revealed." in error.message
    assert "start again" in error.next_step
    assert complete(out) <= {victim}
    assert not list(out.glob("*/result.json"))
    assert [path.name for path in out.glob(".shares-*")] == []


@pytest.mark.parametrize("seed", range(max(2, KILLS)))
def test_a_loss_while_parties_learn_that_all_rows_are_sealed(
    struck: Any, whole: Any, wards: DemoFiles, tmp_path: Path, seed: int
) -> None:
    """Some may know it and others not: those that are left end in one of two ways, all alike."""
    wanted = request(wards, tmp_path)
    blow = Blow(f"complete {seed}", "sealing", wanted.parties)
    blow.at_end, blow.delay = True, blow.delay / 2
    check_one_of_two_ends(struck, whole, wanted, tmp_path, blow)


@pytest.mark.parametrize("when", ["spawned", "listening", "ready"])
def test_a_loss_before_the_parties_are_connected(
    wards: DemoFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    """Right after it is ready too: nobody begins without it."""
    wanted = request(wards, tmp_path)
    victim = wanted.parties[1]

    class Struck(PartyProcesses):
        def strike(self, moment: str, name: str) -> None:
            if (moment, name) == (when, victim):
                os.kill(self.identifiers[name], signal.SIGKILL)

        def _spawn(self, name: str) -> None:
            super()._spawn(name)
            self.strike("spawned", name)

        def _read(self, name: str) -> bool:
            read = super()._read(name)
            if read and isinstance(self._inboxes[name][-1][0], Listening | Ready):
                kind = type(self._inboxes[name][-1][0]).__name__.lower()
                self.strike(kind, name)
            return read

    monkeypatch.setattr(joint, "PartyProcesses", Struck)
    with pytest.raises(TacitError) as caught:
        run_training(wanted, Console(file=StringIO()))
    check_an_early_loss(caught.value, tmp_path, victim)


def test_a_party_that_hangs_is_lost_too(
    struck: Any, whole: Any, wards: DemoFiles, tmp_path: Path
) -> None:
    wanted = request(wards, tmp_path, heartbeat=3.0, patience=15.0)
    blow = Blow("hang", "training", wanted.parties)
    blow.signal = signal.SIGSTOP
    outcome, printed = struck(wanted, blow)
    for name, result in outcome.results.items():
        assert (result.model, result.losses) == whole[name], blow
    check_what_is_said(outcome, printed, tmp_path, blow)
