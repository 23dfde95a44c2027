"""Jobs with one process per party."""

from __future__ import annotations

import signal
from typing import Any

import pytest
from conftest import alive
from jobs_for_tests import Settings

from tacit.errors import (
    DataError,
    InternalError,
    PartyLostError,
    TacitError,
    UsageError,
)
from tacit.sessions import Progress, launch
from tacit.sessions.processes import PartyProcesses

pytestmark = pytest.mark.processes

NAMES = ["bank_a", "bank_b", "bank_c"]


def configs(**behaviour: str) -> dict[str, Settings]:
    return {
        name: Settings([float(place), 0.5], behaviour.get(name, ""))
        for place, name in enumerate(NAMES)
    }


def test_a_job_runs_and_reports(jobs: str) -> None:
    heard: list[tuple[str, Progress]] = []
    results = launch(NAMES, jobs, configs(), on_progress=lambda *said: heard.append(said))
    assert results == {name: {"sum": [3.0, 1.5], "name": name} for name in NAMES}
    for name in NAMES:
        said = [progress for party, progress in heard if party == name]
        assert said == [Progress("summing", done, 3, "inputs") for done in (1, 2, 3)]


def test_parties_measure_their_links_and_processors(jobs: str) -> None:
    behaviour = dict.fromkeys(NAMES, "calibrate")
    results = launch(NAMES, jobs, configs(**behaviour))
    assert results == {name: {"parties": 3, "processors": 2} for name in NAMES}


@pytest.mark.parametrize(
    ("behaviour", "error", "culprit"),
    [
        ("data error", DataError, "bank_b"),
        ("foreign error", InternalError, None),
        ("exit", InternalError, None),
    ],
)
def test_the_cause_is_reported_not_its_echo(
    jobs: str, behaviour: str, error: type[TacitError], culprit: str | None
) -> None:
    with pytest.raises(error) as caught:
        launch(NAMES, jobs, configs(bank_b=behaviour))
    text = str(caught.value)
    assert "123.456" not in text
    if culprit is None:
        assert "jobs_for_tests.py" in text
    else:
        assert caught.value.code == "TC-2142"
        assert caught.value.parties == (culprit,)


def test_a_party_that_dies_is_named(jobs: str) -> None:
    with PartyProcesses(NAMES, jobs, configs(bank_c="stall"), protocol="replicated3") as parties:
        identifiers = parties.identifiers
        parties._children["bank_c"].kill()
        with pytest.raises(PartyLostError) as caught:
            parties.results()
    assert caught.value.parties == ("bank_c",)
    assert "SIGKILL" in str(caught.value)
    assert not any(map(alive, identifiers.values()))


def test_an_interruption_that_python_drops_ends_the_wait(jobs: str) -> None:
    """Else the parties' time limit would, with another error."""

    class Dropping:
        def __del__(self) -> None:
            signal.raise_signal(signal.SIGINT)

    waiting = [Dropping()]

    def progressed(party: str, progress: Progress) -> None:
        waiting.clear()

    with pytest.raises(KeyboardInterrupt):
        launch(NAMES, jobs, configs(bank_c="stall later"), on_progress=progressed)


def test_what_cannot_be_launched(jobs: str) -> None:
    for arguments, error in [
        ((["a", "b"], jobs, {}), UsageError),
        ((NAMES, "no_such_module_anywhere", configs()), InternalError),
    ]:
        with pytest.raises(error):
            launch(*arguments)  # type: ignore[arg-type]


def test_parameters_take_part_in_the_handshake(jobs: str) -> None:
    results: dict[str, Any] = launch(NAMES, jobs, configs(), parameters={"epochs": "3"})
    assert set(results) == set(NAMES)


def test_threads_a_party_reach_the_processes(jobs: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was asked for, or what the environment says; else a part of the cores."""
    told = configs(**dict.fromkeys(NAMES, "threads"))
    assert launch(NAMES, jobs, told, threads=5) == dict.fromkeys(NAMES, 5)
    monkeypatch.setenv("TACIT_THREADS", "2")
    assert launch(NAMES, jobs, told) == dict.fromkeys(NAMES, 2)
    with pytest.raises(UsageError, match="TC-1038"):
        launch(NAMES, jobs, told, threads=0)
