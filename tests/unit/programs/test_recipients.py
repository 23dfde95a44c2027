"""Who hears what when a program's outputs are opened: its recipients, and nobody else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

import tacit
from tacit import ArraySpec, Computation
from tacit.protocols import PROTOCOLS
from tacit.rounds.contract import Step
from tacit.rounds.lockstep import LockstepDriver
from tacit.sessions import LocalSession

NAMES = ("alice", "bob", "carol", "dave")


class Watched(LockstepDriver):
    """Notes who sends what to whom while something is opened."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(names)
        self.openings: list[set[tuple[str, str]]] = []
        self._opening = False

    def run(self, steps: Sequence[Step[Any]], stage: str = "") -> list[Any]:
        self._opening = stage == "reveal"
        if self._opening:
            self.openings.append(set())
        return super().run(steps, stage)

    def carry(self, sender: int, receiver: int, payload: Any) -> Any:
        if self._opening:
            self.openings[-1].add((self.names[sender], self.names[receiver]))
        return super().carry(sender, receiver, payload)


def _statistics(x: Any, y: Any) -> dict[str, Any]:
    both = (x * y).sum()
    return {"bob": both, "two": x > y, "kept": x + y, "counts": (x < y).sum(), "again": both}


TO: dict[str, Any] = {
    "bob": "bob",
    "two": ["alice", "carol"],
    "kept": None,
    "counts": "bob",
    "again": "carol",
}


@pytest.mark.parametrize("optimised", [False, True])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_outputs_go_to_their_recipients_alone(protocol: str, *, optimised: bool) -> None:
    """One value that two learn is opened twice; what stays secret is not opened at all."""
    program = tacit.trace(
        _statistics,
        ArraySpec((5,), owner="alice", bounds=(-4, 4)),
        ArraySpec((5,), owner="bob", bounds=(-4, 4)),
        to=TO,
    )
    if optimised:
        program = program.optimize()
    assert [output.to for output in program.outputs] == [
        ("bob",), ("alice", "carol"), (), ("bob",), ("carol",)
    ]  # fmt: skip
    names = NAMES[: PROTOCOLS[protocol].security.parties]
    driver = Watched(names)
    with Computation(LocalSession(PROTOCOLS[protocol], names, None, driver)) as mpc:
        found = mpc.run(program, {"x": np.arange(5.0) - 2, "y": np.ones(5)})
    assert {name: set(found[name]) for name in ("bob", "two", "counts", "again")} == {
        "bob": {"bob"}, "two": {"alice", "carol"}, "counts": {"bob"}, "again": {"carol"}
    }  # fmt: skip
    heard = [{receiver for _, receiver in opening} for opening in driver.openings]
    assert heard == [{"bob"}, {"alice", "carol"}, {"bob"}, {"carol"}]
