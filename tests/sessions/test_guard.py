"""Guarded sessions: without a fault as any other; with one, the right result at all others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from guarded import run, shared
from hub import Crash, Sent
from simulation import FOUR

import tacit
from tacit.errors import PartyLostError


def shared_or_known(mpc: tacit.Computation, name: str, owner: str, values: list[int]) -> Any:
    """An input; of an owner that is lost, what the others go on with instead."""
    try:
        return shared(mpc, name, owner, values)
    except PartyLostError:
        return mpc.constant(np.array(values))


def program(mpc: tacit.Computation, name: str) -> Any:
    x = shared_or_known(mpc, name, "alice", [3, -4])
    y = shared_or_known(mpc, name, "bob", [5, 6])
    z = x * y
    first = z.reveal(to="all").tolist()
    w = (z + x) * z
    positive = w > 0
    return first, w.reveal(to="all").tolist(), positive.reveal(to=["carol", "dave"])


EXPECTED = ([15, -24], [270, 672])


def test_without_a_fault() -> None:
    hub = run(program)
    assert hub.outcome.errors == {}
    for name in FOUR:
        seen = hub.outcome.results[name]
        assert seen.value[:2] == EXPECTED
        assert seen.incidents == []
    assert hub.clock == 0.0


# One party crashes at some message.


def test_a_crash_at_any_message() -> None:
    """Set-up, barriers and the end included; every fourth message of each party."""
    honest = run(program).sent
    for lost in FOUR:
        others = [name for name in FOUR if name != lost]
        last = max(m.number for m in honest if m.sender == lost)
        for number in range(FOUR.index(lost), last + 1, 4):
            hub = run(program, crash_at(lost, number))
            assert isinstance(hub.outcome.errors.pop(lost), Crash)
            assert hub.outcome.errors == {}, (lost, number)
            assert hub.clock == 0.0
            for name in others:
                seen = hub.outcome.results[name]
                assert seen.value[:2] == EXPECTED, (lost, number, name)
                for incident in seen.incidents:
                    assert (incident.kind, incident.party) == ("lost", lost)
                    assert seen.security.outcome == "abort"
                    assert seen.stage.members == tuple(others)


def crash_at(lost: str, number: int) -> Any:
    def adversary(message: Sent) -> Sequence[bytes]:
        if (message.sender, message.number) == (lost, number):
            raise Crash
        return (message.payload,)

    return adversary
