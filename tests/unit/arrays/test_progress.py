"""How far a program is: rounds that are done and all of them, at no cost."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from guarded import run
from hub import Crash, Sent
from simulation import FOUR

import tacit
from tacit import ArraySpec
from tacit.programs import segments
from tacit.programs.planning import counting
from tacit.sessions import watching

X, Y = np.array([0.5, -1.0]), np.array([1.5, 0.25])


def limited(x: Any, y: Any) -> Any:
    return tacit.fori_loop(0, 30, lambda i, c: [tacit.minimum(tacit.relu(c[0] * y), 2.0)], [x])[0]


PROGRAM = tacit.trace(
    limited,
    ArraySpec((2,), owner="alice", bounds=(-4, 4)),
    ArraySpec((2,), owner="bob", bounds=(-4, 4)),
)
INPUTS = {"x": X, "y": Y}


class Heard(list[tuple[int, int | None, str]]):
    def __call__(self, done: int, total: int | None, words: str) -> None:
        self.append((done, total, words))

    def whole(self, total: int) -> None:
        assert self[0] == (0, total, "computing")
        assert self[-1] == (total, total, "computing")
        assert [done for done, _, _ in self] == sorted({done for done, _, _ in self})


def rounds(protocol: str, rounding: str = "probabilistic") -> int:
    plan = PROGRAM.plan(protocol, rounding=rounding, seconds=False)
    return next(phase.rounds for phase in plan.phases if phase.name == "compute")


@pytest.fixture
def every_round(monkeypatch: pytest.MonkeyPatch) -> None:
    """All words are said, not ten a second."""
    monkeypatch.setattr(watching, "_INTERVAL", 0.0)


@pytest.mark.usefixtures("every_round")
@pytest.mark.parametrize("protocol", ["replicated3", "fantastic4"])
def test_every_round_is_told_and_none_is_added(protocol: str) -> None:
    heard = Heard()
    with tacit.local(protocol, rounding="exact") as mpc:
        with mpc.measure() as silent:
            expected = mpc.run(PROGRAM, INPUTS)["output"]
        with mpc.measure() as told:
            found = mpc.run(PROGRAM, INPUTS, progress=heard)["output"]
    heard.whole(rounds(protocol, "exact"))
    assert len(heard) == rounds(protocol, "exact") + 1
    assert (told.rounds, told.bytes_sent) == (silent.rounds, silent.bytes_sent)
    np.testing.assert_array_equal(found, expected)


def test_words_do_not_come_faster_than_people_read() -> None:
    heard = Heard()
    with tacit.local() as mpc:
        mpc.run(PROGRAM, INPUTS, progress=heard)
    heard.whole(rounds("replicated3"))
    assert len(heard) < 10 + rounds("replicated3") // 10


def test_what_is_too_long_to_count_tells_rounds_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "MOST_COUNTED", 100)
    heard = Heard()
    with tacit.local() as mpc:
        mpc.run(PROGRAM, INPUTS, progress=heard)
    assert heard[0] == (0, None, "computing")


@pytest.mark.usefixtures("every_round")
def test_parties_tell_also_over_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """The segment under way begins anew, under a protocol with other rounds: all stays in order."""
    monkeypatch.setattr(segments, "ROUNDS", 50)
    heard = {name: Heard() for name in FOUR}

    def program(mpc: tacit.Computation, name: str) -> Any:
        own = {"x": X if name == "alice" else None, "y": Y if name == "bob" else None}
        return mpc.run(PROGRAM, own, progress=heard[name])["output"]

    def adversary(message: Sent) -> Sequence[bytes]:
        if message.sender == "carol" and message.kind == "round" and message.round == 200:
            raise Crash
        return (message.payload,)

    hub = run(program, adversary)
    assert list(hub.outcome.errors) == ["carol"]
    for name in ("alice", "bob", "dave"):
        heard[name].whole(rounds("fantastic4"))


@pytest.mark.processes
def test_processes_tell() -> None:
    heard = Heard()
    with tacit.local(processes=True) as mpc:
        silent = mpc.run(PROGRAM, INPUTS)["output"]
        found = mpc.run(PROGRAM, INPUTS, progress=heard)["output"]
        again = mpc.run(PROGRAM, INPUTS)["output"]
    heard.whole(rounds("replicated3"))
    np.testing.assert_allclose([found, again], [silent, silent], atol=1e-3)


def test_a_bar_is_for_terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    for terminal in (False, True):
        out = io.StringIO()
        monkeypatch.setattr(out, "isatty", lambda terminal=terminal: terminal, raising=False)
        monkeypatch.setattr("sys.stderr", out)
        monkeypatch.setenv("TERM", "xterm")
        with tacit.local() as mpc:
            mpc.run(PROGRAM, INPUTS, progress=True)
        total = rounds("replicated3")
        assert (f"{total}/{total}" in out.getvalue()) == terminal
