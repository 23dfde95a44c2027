"""The network for tests: equal to a real one where it matters, and the same for the same seed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hub import Crash, Ground, Hub, Hung, Sent
from simulation import FOUR

import tacit
from tacit.errors import DeadlineError, DisputeError, PartyLostError
from tacit.protocols import PROTOCOLS
from tacit.sessions import PartySession


def program(ground: Ground) -> Any:
    mesh = ground.connect(FOUR, "fantastic4", b"job", {})
    with mesh:
        session = PartySession.over(PROTOCOLS["fantastic4"], mesh, threads=1)  # type: ignore[arg-type]
        mpc = tacit.Computation(session)
        x = mpc.share(
            np.array([3, -4]) if ground.name == "alice" else None,
            "alice",
            dtype=tacit.int64,
            shape=(2,),
        )
        return (x * x).reveal(to="all").tolist()


def everywhere(adversary: Any = None, seed: int = 0, corrupt: str | None = None) -> Hub:
    hub = Hub(FOUR, adversary or (lambda message: (message.payload,)), corrupt, seed, patience=60.0)
    hub.run(dict.fromkeys(FOUR, program))
    return hub


def test_an_honest_run() -> None:
    hub = everywhere()
    assert hub.outcome.errors == {}
    assert hub.outcome.results == {name: [9, 16] for name in FOUR}
    assert hub.clock == 0.0
    again = everywhere()
    pairs = [(m.kind, m.sender, m.receiver, m.number) for m in hub.sent]
    assert pairs == [(m.kind, m.sender, m.receiver, m.number) for m in again.sent]


def test_an_altered_message_stops_all() -> None:
    honest = everywhere().sent
    last = [m for m in honest if m.sender == "carol" and m.kind == "round"][-3]

    def adversary(message: Sent) -> Sequence[bytes]:
        if (message.sender, message.number) == ("carol", last.number):
            return (bytes([message.payload[0] ^ 1]) + message.payload[1:],)
        return (message.payload,)

    hub = everywhere(adversary)
    error = hub.outcome.errors[last.receiver]
    assert isinstance(error, DisputeError)
    assert "carol" in error.parties
    assert all(isinstance(e, DisputeError | PartyLostError) for e in hub.outcome.errors.values())


@pytest.mark.parametrize("number", [0, 7, 15, 16])
def test_a_crash_is_seen_at_once(number: int) -> None:
    def adversary(message: Sent) -> Sequence[bytes]:
        if message.sender == "bob" and message.number == number:
            raise Crash
        return (message.payload,)

    hub = everywhere(adversary)
    assert isinstance(hub.outcome.errors["bob"], Crash)
    assert {type(hub.outcome.errors[n]) for n in FOUR if n != "bob"} == {PartyLostError}
    assert hub.clock == 0.0


def test_silence_ends_the_waiting_when_nothing_can_come() -> None:
    def adversary(message: Sent) -> Sequence[bytes]:
        return () if message.sender == "bob" and message.number >= 14 else (message.payload,)

    hub = everywhere(adversary)
    assert hub.clock > 0
    found = {type(error) for error in hub.outcome.errors.values()}
    assert DeadlineError in found


def test_a_wait_without_an_end_is_an_error() -> None:
    hub = Hub(("alice", "bob"))
    with pytest.raises(Hung):
        hub.run(dict.fromkeys(hub.names, lambda g: hub.wait(g.name, lambda: False, None)))


def test_a_conversation() -> None:
    """A dead peer costs nothing, a silent one a time-out, and neither raises."""

    def talk(name: str) -> Any:
        first = yield {peer: f"{name} to {peer}".encode() for peer in FOUR if peer != name}
        second = yield {peer: bytes([len(first)]) for peer in first}
        return first, second

    def confer(ground: Ground) -> Any:
        if ground.name == "alice":
            raise Crash
        return ground.confer(FOUR, talk(ground.name), 5.0)

    def adversary(message: Sent) -> Sequence[bytes]:
        return () if message.sender == "bob" and message.receiver == "dave" else (message.payload,)

    hub = Hub(FOUR, adversary)
    results = hub.run(dict.fromkeys(FOUR, confer)).results
    assert results["carol"] == (
        {"bob": b"bob to carol", "dave": b"dave to carol"},
        {"bob": b"\x02", "dave": b"\x01"},
    )
    assert results["dave"] == ({"carol": b"carol to dave"}, {"carol": b"\x02"})
    assert hub.clock > 0
