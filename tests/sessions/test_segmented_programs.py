"""Long programs in guarded sessions: a fault repeats the segment under way, nothing before it."""

from __future__ import annotations

import os
import signal
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from guarded import run
from hub import Crash, Hub, Sent
from simulation import FOUR

import tacit
from tacit import ArraySpec
from tacit.errors import IncidentWarning
from tacit.programs.segments import Segment

X = np.array([[3, -4], [1, 2]])
Y = np.array([[1, -1], [2, 0]])


def limited(x: Any, y: Any, n: Any) -> Any:
    """48 turns, with a public carry beside the secret one."""

    def body(i: Any, carry: Sequence[Any]) -> list[Any]:
        value, k = carry
        return [tacit.minimum(tacit.maximum(value * y + i - k, -20), 20) + x, k + 2]

    value, k = tacit.fori_loop(0, 48, body, [x, n])
    return value, value * k


PROGRAM = tacit.trace(
    limited,
    ArraySpec(X.shape, tacit.int64, owner="alice"),
    ArraySpec(Y.shape, tacit.int64, owner="bob"),
    ArraySpec((), tacit.int64, public=True),
)


TOTAL = PROGRAM.plan("fantastic4", seconds=False, public={"n": 3}).phases[2].rounds
"""Of the computation."""


def expected() -> list[Any]:
    value, k = X, 3
    for i in range(48):
        value, k = np.clip(value * Y + i - k, -20, 20) + X, k + 2
    return [value.tolist(), (value * k).tolist()]


def program(mpc: tacit.Computation, name: str) -> Any:
    own = {"x": X if name == "alice" else None, "y": Y if name == "bob" else None}
    with mpc.measure() as cost:
        found = mpc.run(PROGRAM, {**own, "n": 3})
    return [one.tolist() for one in found.values()], cost


Driven = dict[str, list[tuple[int, int]]]


@pytest.fixture
def driven(monkeypatch: pytest.MonkeyPatch) -> Driven:
    """What each party drove: segments, and how many rounds of each attempt."""
    found: Driven = defaultdict(list)
    step = Segment.step

    def counted(self: Segment, party: Any, parts: Sequence[Any]) -> Iterator[Any]:
        own = found[party.names[party.index]]
        place = len(own)
        own.append((self.number, 0))
        inner = step(self, party, parts)
        try:
            while True:
                try:
                    one = next(inner)
                except StopIteration as stop:
                    return stop.value
                yield one
                own[place] = (self.number, own[place][1] + one.depth)
        finally:
            inner.close()

    monkeypatch.setattr(Segment, "step", counted)
    return found


def at(
    sender: str, rounds: int, then: Callable[[Sent], Sequence[bytes]], receiver: str = ""
) -> Any:
    """Something else than its first message of that round of all four, or of a later one."""
    done: list[int] = []

    def adversary(message: Sent) -> Sequence[bytes]:
        chosen = message.sender == sender and message.receiver in (receiver or FOUR)
        due = message.mesh == FIRST and message.round >= rounds and not done
        if chosen and due and message.kind == "round" and message.payload:
            done.append(message.round)
            return then(message)
        return (message.payload,)

    return adversary


FIRST = "alice bob carol dave/0"


def crash(message: Sent) -> Sequence[bytes]:
    raise Crash


def tamper(message: Sent) -> Sequence[bytes]:
    return (bytes([message.payload[0] ^ 1]) + message.payload[1:],)


def results(hub: Hub, names: Sequence[str]) -> None:
    for name in names:
        assert hub.outcome.results[name].value[0] == expected(), name


def test_without_a_fault_it_takes_what_the_plan_says(driven: Driven) -> None:
    plan = PROGRAM.plan("fantastic4", seconds=False, public={"n": 3})
    hub = run(program)
    assert hub.outcome.errors == {}
    results(hub, FOUR)
    for name in FOUR:
        cost = hub.outcome.results[name].value[1]
        assert cost.rounds == plan.rounds
        assert cost.bytes_sent[name] == plan.bytes_sent[name]
        assert cost.check_bytes[name] == plan.check_bytes[name]
        assert [number for number, _ in driven[name]] == list(range(len(driven[name])))
        assert len(driven[name]) > 4


def test_a_loss_repeats_the_segment_under_way(driven: Driven) -> None:
    run(program)
    (first, second, third), _ = driven["alice"][:3], driven.clear()
    before = first[1] + second[1]
    hub = run(program, at("carol", before + third[1] // 2, crash))
    assert list(hub.outcome.errors) == ["carol"]
    results(hub, ("alice", "bob", "dave"))
    for name in ("alice", "bob", "dave"):
        numbers = [number for number, _ in driven[name]]
        assert numbers == [0, 1, 2, *range(2, numbers[-1] + 1)]
        assert driven[name][:2] == [first, second]
        assert 0 < driven[name][2][1] < third[1]
        (incident,) = hub.outcome.results[name].incidents
        assert (incident.kind, incident.party) == ("lost", "carol")


def test_tampering_repeats_the_segment_under_way(driven: Driven) -> None:
    """bob and dave are suspects: dave, which computes no more, still gets its outputs."""
    run(program)
    (first, second, third), _ = driven["alice"][:3], driven.clear()
    middle = first[1] + second[1] + third[1] // 2
    hub = run(program, at("bob", middle, tamper, "dave"), corrupt="bob")
    assert hub.outcome.errors == {}
    results(hub, FOUR)
    for name in FOUR:
        numbers = [number for number, _ in driven[name]]
        (incident,) = hub.outcome.results[name].incidents
        assert (incident.kind, incident.dropped) == ("pair", ("dave",))
        again = [] if name == "dave" else list(range(2, numbers[-1] + 1))
        assert numbers == [0, 1, 2, *again]


@pytest.mark.parametrize(("moment", "under_way"), [(300, 2), (1100, 3)])
def test_who_was_served_goes_on_with_the_next_segment(
    driven: Driven, moment: int, under_way: int
) -> None:
    """The other suspect is lost: who joins has computed none of the loop's last turns."""
    run(program)
    (first, second, third), _ = driven["alice"][:3], driven.clear()
    tampers = at("bob", first[1] + second[1] + third[1] // 2, tamper, "dave")
    later: list[Sent] = []

    def adversary(message: Sent) -> Sequence[bytes]:
        if message.sender == "bob" and message.mesh == "alice bob carol/0":
            later.append(message)
            if len(later) == moment:
                raise Crash
        found: Sequence[bytes] = tampers(message)
        return found

    hub = run(program, adversary, corrupt="bob")
    assert list(hub.outcome.errors) == ["bob"]
    results(hub, ("alice", "carol", "dave"))
    numbers = [number for number, _ in driven["dave"]]
    assert numbers == [0, 1, 2, *range(under_way, 5)]
    for name in ("alice", "carol"):
        again = [number for number, _ in driven[name]][2:]
        assert again == sorted([2, *range(2, 5), under_way])


def test_a_check_that_names_nobody_repeats_the_segment_under_way(driven: Driven) -> None:
    """All four start again with its third segment."""
    run(program)
    (first, second, third), _ = driven["alice"][:3], driven.clear()
    middle = first[1] + second[1] + third[1] // 2
    hub = run(program, at("bob", middle, tamper, "alice"), corrupt="bob")
    assert hub.outcome.errors == {}
    results(hub, FOUR)
    for name in FOUR:
        (incident,) = hub.outcome.results[name].incidents
        assert incident.kind == "unclear"
        assert [number for number, _ in driven[name]] == [0, 1, 2, 2, 3, 4]
        assert driven[name][3] == third


@pytest.mark.processes
def test_a_process_is_killed_in_the_middle() -> None:
    """Real processes: the others repeat no more than a segment, and say how far they are."""
    heard: list[int] = []
    inputs = {"x": X, "y": Y, "n": 3}
    with tacit.local("fantastic4", processes=True) as mpc:
        session: Any = mpc.session
        carol = [session.processes.identifiers["carol"]]

        def progress(done: int, total: int | None, words: str) -> None:
            heard.append(done)
            if done > TOTAL // 2 and carol:
                os.kill(carol.pop(), signal.SIGKILL)

        with pytest.warns(IncidentWarning, match="carol was lost"):
            found = mpc.run(PROGRAM, inputs, progress=progress)
        assert [one.tolist() for one in found.values()] == expected()
        assert [one.kind for one in mpc.incidents] == ["lost"]
        again = mpc.run(PROGRAM, inputs)
        assert [one.tolist() for one in again.values()] == expected()
    assert heard == sorted(heard)
    assert heard[-1] == TOTAL


@pytest.mark.processes
def test_costs_are_told_also_by_who_is_served_and_after_a_loss() -> None:
    with tacit.local("fantastic4", processes=True) as mpc:
        session: Any = mpc.session
        x = mpc.share(X, "alice")
        (x * x).reveal(to="all")
        before = mpc.total_cost
        os.kill(session.processes.identifiers["dave"], signal.SIGKILL)
        with pytest.warns(IncidentWarning, match="dave was lost"):
            (x * x).reveal(to="all")
        after = mpc.total_cost
    assert after.rounds > before.rounds > 0
    assert all(after.bytes_sent[name] >= before.bytes_sent[name] for name in ("alice", "bob"))
