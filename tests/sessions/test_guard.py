"""Guarded sessions: without a fault as any other; with one, the right result at all others."""

from __future__ import annotations

from typing import Any

import numpy as np
from guarded import run, shared
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
