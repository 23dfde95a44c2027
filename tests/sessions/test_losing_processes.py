"""Party processes of which one may be lost while the others finish, and those where none may."""

from __future__ import annotations

import time
from typing import Any

import pytest
from conftest import alive
from independent_job import Ending

from tacit.errors import DeadlineError, InternalError, PartyLostError
from tacit.network import NetworkSettings
from tacit.sessions.messages import Incident
from tacit.sessions.processes import PartyProcesses, launch

pytestmark = pytest.mark.processes

NAMES = ["bank_a", "bank_b", "bank_c"]
QUICK = NetworkSettings(close_timeout=0.2, patience=1.5)


def processes(tolerate: int = 1, shared_first: str = "", **endings: Ending) -> PartyProcesses:
    configs = {name: endings.get(name, Ending()) for name in NAMES}
    return PartyProcesses(
        NAMES,
        "independent_job",
        configs,
        protocol="replicated3",
        settings=QUICK,
        tolerate=tolerate,
        shared_first=shared_first,
    )


@pytest.fixture(autouse=True)
def importable(jobs: str) -> None:
    """The job's folder is on the parties' path."""


@pytest.mark.parametrize(
    ("lost", "how", "kind"),
    [
        ("bank_a", "die", PartyLostError),
        ("bank_b", "fail", InternalError),
        ("bank_c", "die", PartyLostError),
    ],
)
def test_the_others_results_when_one_is_lost(lost: str, how: str, kind: Any) -> None:
    with processes(**{lost: Ending(how, seconds=1.0)}) as running:
        found = running.results()
        assert found == {name: name for name in NAMES if name != lost}
        assert list(running.lost) == [lost]
        assert isinstance(running.lost[lost], kind)
        running.send(lost, b"to nobody")
        with pytest.raises(kind):
            running.receive(lost)
        assert running.failure is None
        children = running.identifiers.values()
    assert not any(map(alive, children))


@pytest.mark.parametrize("reports", [True, False])
def test_one_that_hangs_is_waited_for_after_the_others_have_finished(reports: bool) -> None:
    told = {"reports": "bank_b"} if reports else {}
    began = time.monotonic()
    with processes(
        bank_b=Ending("hang", seconds=1.0), bank_a=Ending(seconds=1.5, **told)
    ) as running:
        assert running.results() == {"bank_a": "bank_a", "bank_c": "bank_c"}
        assert isinstance(running.lost["bank_b"], DeadlineError)
        assert [party for party, _ in running.incidents] == (["bank_a"] if reports else [])
    assert time.monotonic() - began < 100


def test_incidents_are_collected_and_handed_on() -> None:
    heard: list[tuple[str, Incident]] = []
    configs = {name: Ending(reports="bank_c", seconds=1.5) for name in NAMES[:2]}
    found = launch(
        NAMES,
        "independent_job",
        {**configs, "bank_c": Ending("die", seconds=1.0)},
        settings=QUICK,
        tolerate=1,
        on_incident=lambda *said: heard.append(said),
    )
    assert found == {"bank_a": "bank_a", "bank_b": "bank_b"}
    assert sorted(party for party, _ in heard) == ["bank_a", "bank_b"]
    assert {incident.party for _, incident in heard} == {"bank_c"}


def test_a_second_loss_ends_the_run_and_is_its_cause() -> None:
    overcome = Ending("fail", seconds=2.0, reports="bank_a")
    with (
        processes(
            bank_a=Ending("die", seconds=1.0), bank_b=overcome, bank_c=Ending(seconds=4)
        ) as running,
        pytest.raises(InternalError) as error,
    ):
        running.results()
    assert error.value.case == 9


@pytest.mark.parametrize("how", ["die", "fail"])
def test_without_tolerance_the_first_loss_ends_the_run(how: str) -> None:
    slow = Ending(seconds=120)
    with (
        processes(0, bank_a=slow, bank_b=Ending(how, seconds=1.0), bank_c=slow) as running,
        pytest.raises(PartyLostError if how == "die" else InternalError),
    ):
        began = time.monotonic()
        running.results()
    assert time.monotonic() - began < 100
    assert running.lost == {}
    assert not any(map(alive, running.identifiers.values()))


GIVES_UP = Ending("give up", seconds=1.5)
KNOWS = Ending("give up", seconds=1.5, complete=True)


@pytest.mark.parametrize(
    ("lost", "left", "code"),
    [
        (Ending("die", seconds=1.0), (GIVES_UP, GIVES_UP), "TC-3409"),
        # It knew of the others, who did not know of it: they are what counts.
        (Ending("die", seconds=1.0, complete=True), (GIVES_UP, GIVES_UP), "TC-3409"),
        (Ending("die", seconds=1.0), (GIVES_UP, KNOWS), "TC-3410"),
        (Ending("die", seconds=1.0, complete=True), (KNOWS, KNOWS), "TC-3410"),
    ],
)
def test_whether_a_loss_was_early_is_what_those_know_that_are_left(
    lost: Ending, left: tuple[Ending, Ending], code: str
) -> None:
    endings = {"bank_a": left[0], "bank_b": lost, "bank_c": left[1]}
    with (
        processes(shared_first="rows", **endings) as running,
        pytest.raises(PartyLostError) as error,
    ):
        running.results()
    assert (error.value.code, error.value.parties) == (code, ("bank_b",))
    if code == "TC-3409":
        said = "bank_b was lost before all rows were shared: the process of bank_b was killed"
        assert said in error.value.message
        assert "Nothing was computed or revealed." in error.value.message


def test_the_last_words_of_those_that_are_left_are_awaited() -> None:
    """Two are gone at once; the third says only then that all inputs were complete."""
    dies = Ending("die", seconds=1.0)
    with (
        processes(shared_first="rows", bank_a=dies, bank_b=dies, bank_c=KNOWS) as running,
        pytest.raises(PartyLostError) as error,
    ):
        running.results()
    assert error.value.code == "TC-3410"


def test_one_that_meets_something_of_its_own_is_the_cause() -> None:
    with (
        processes(
            shared_first="rows",
            bank_a=Ending("fail", seconds=1.0),
            bank_b=Ending("die", seconds=1.5),
            bank_c=Ending(seconds=120),
        ) as running,
        pytest.raises(InternalError),
    ):
        running.results()
