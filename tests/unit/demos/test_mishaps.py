"""What a demo stages: specs that are refused, what parties are told, altered shares."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tacit
from tacit.cli import training
from tacit.cli.demos.mishaps import Director, Mishap, parse_mishaps
from tacit.cli.demos.staged import Orders, cheat
from tacit.errors import UsageError
from tacit.ml.records import TrainingSettings
from tacit.network import LinkDriver
from tacit.rounds.contract import Round, Step
from tacit.sessions.messages import Progress

PARTIES = ("bank_a", "bank_b", "bank_c", "regulator")


def parsed(kill: list[str], cheats: list[str], protocol: str = "fantastic4") -> Any:
    return parse_mishaps(kill, cheats, PARTIES, protocol)


@pytest.mark.parametrize("spec", ["bank_b@40%", "bank_b@40", " bank_b @ 40.0 % "])
def test_a_spec_says_who_and_when(spec: str) -> None:
    (mishap,) = parsed([spec], [])
    assert mishap == Mishap("kill", "bank_b", 0.4)
    assert mishap.when == "40 %"


def test_one_party_may_cheat_and_then_be_killed() -> None:
    found = parsed(["bank_a@90%"], ["bank_a@0%"])
    assert [(mishap.kind, mishap.at) for mishap in found] == [("cheat", 0.0), ("kill", 0.9)]
    assert parsed([], [], "replicated3") == ()


@pytest.mark.parametrize(
    ("kill", "cheats", "case", "said"),
    [
        (["bank_b"], [], 65, "is not PARTY@PERCENT%"),
        (["@40%"], [], 65, "is not PARTY@PERCENT%"),
        (["bank_b@"], [], 65, "is not PARTY@PERCENT%"),
        (["bank_b@-1%"], [], 65, "is not PARTY@PERCENT%"),
        (["bank_b@forty"], [], 65, "is not PARTY@PERCENT%"),
        (["bank_b@nan"], [], 65, "is not PARTY@PERCENT%"),
        (["bank_b@100.5%"], [], 65, "not between 0 % and 100 %"),
        ([], ["bank_d@40%"], 65, "'bank_d', which is no party"),
        (["bank_a@10%", "bank_b@20%"], [], 66, "tolerates one faulty party"),
        (["bank_a@10%"], ["regulator@60%"], 66, "bank_a, regulator"),
        (["bank_a@10%", "bank_a@20%"], [], 66, "more than once"),
        (["bank_a@10%"], ["bank_a@60%"], 66, "before it could cheat"),
        (["bank_a@10%"], ["bank_a@10%"], 66, "before it could cheat"),
    ],
)
def test_what_cannot_be_staged_is_refused(
    kill: list[str], cheats: list[str], case: int, said: str
) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        parsed(kill, cheats)
    assert caught.value.code == f"TC-10{case}"
    assert caught.value.next_step


@pytest.mark.parametrize("protocol", ["replicated3", "replicated3_active"])
def test_without_guaranteed_output_nothing_is_staged(protocol: str) -> None:
    with pytest.raises(UsageError, match="does not survive what --kill and --cheat") as caught:
        parsed(["bank_a@90%"], ["bank_a@10%"], protocol)
    assert "--protocol fantastic4" in str(caught.value.next_step)


def test_orders_go_to_the_one_that_fails_alone() -> None:
    director = Director(parsed(["bank_a@90%"], ["bank_a@10%"]))
    settings = TrainingSettings(file=None, label="is_fraud")
    assert director.orders("bank_b", settings) == Orders(settings)
    assert director.orders("bank_a", settings) == Orders(settings, halt_at=0.9, cheat_at=0.1)


def test_the_director_kills_at_the_step() -> None:
    victim = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
    try:
        director = Director(parsed(["bank_b@40%"], []))
        pids = {"bank_b": victim.pid, "bank_a": os.getpid()}
        for party, message in (
            ("bank_b", Progress("sharing", 9, 10, "rows")),
            ("bank_b", Progress("training", 3, 10, "steps")),
            ("bank_a", Progress("training", 9, 10, "steps")),
            ("bank_b", Progress("training", 1, 1)),
        ):
            assert director.progress(party, message, pids) is None
        said = director.progress("bank_b", Progress("training", 4, 10, "steps"), pids)
        assert said == "the demo killed bank_b's process (SIGKILL) at step 4 of 10"
        assert victim.wait(120) == -signal.SIGKILL
        assert director.progress("bank_b", Progress("training", 5, 10, "steps"), pids) is None
    finally:
        victim.kill()
        victim.wait()


def test_a_cheat_sends_other_bits_and_keeps_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Round] = []

    def honest(self: Any, step: Step[Any], **limits: Any) -> Any:
        while True:
            try:
                sent.append(next(step))
            except StopIteration as stop:
                return stop.value

    monkeypatch.setattr(LinkDriver, "run", honest)
    own = np.arange(6, dtype=np.uint64)

    def step() -> Iterator[Round]:
        yield Round(send={1: (own,), 2: (own,)}, check={1: (own[:1],)})
        yield Round(receive={1: (own,)})
        return "done"

    cheat()
    assert LinkDriver.run(None, step()) == "done"  # type: ignore[arg-type, type-var]
    first, second = sent
    flipped = [
        int(np.bitwise_count(np.frombuffer(part[0].tobytes(), np.uint64) ^ own).sum())
        for part in first.send.values()
    ]
    assert sorted(flipped) == [0, 1]
    assert np.array_equal(own, np.arange(6, dtype=np.uint64))
    assert np.array_equal(first.check[1][0], own[:1])
    assert not second.send


def test_tacit_train_cannot_reach_what_demos_stage() -> None:
    """Only ``tacit demo`` refers to it, and only ``tacit demo`` hands a director over."""
    source = Path(tacit.__file__).parent
    named = {
        str(file.relative_to(source))
        for file in source.rglob("*.py")
        if "demos.staged" in file.read_text() or "demos.mishaps" in file.read_text()
    }
    assert named == {"cli/demo.py", "cli/demos/mishaps.py"}
    directed = {
        str(file.relative_to(source))
        for file in source.rglob("*.py")
        if "director=" in file.read_text()
    }
    assert directed == {"cli/demo.py"}
    assert training.JOB == "tacit.ml.job"
