"""Guarded sessions under attack: a small program, the network of ``hub.py``, and what must hold.

Whatever one party does at whatever message, every other party ends with the right results, those
that were wrongly dropped included; no honest party alone is blamed; all honest parties tell the
same of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from hub import Ground, Hub, Sent, honest
from misbehaviour import Tampering
from simulation import FOUR

import tacit
from tacit import Computation
from tacit.errors import TacitError
from tacit.protocols import PROTOCOLS
from tacit.sessions import PartySession

__all__ = ["RIGHT", "Run", "check_in_turn", "in_turn", "run", "tampered"]

X = np.array([[3, -4], [70_000, 9]])
Y = np.array([[-5, 6], [2, 12]])
RIGHT: Mapping[str, Any] = {
    "product": (X * Y).tolist(),
    "greater": (X > Y).tolist(),
    "largest": int((X @ Y).max()),
}
"""What every party must get; ``largest`` goes to bob and dave alone."""

PATIENCE = 60.0


def program(ground: Ground, around: Callable[[PartySession], None] | None = None) -> Any:
    """Inputs of two parties; a product, a comparison, a matrix product; outputs to all and two."""
    session = PartySession.guarded(
        PROTOCOLS["fantastic4"], ground, job=b"job", patience=PATIENCE, threads=1
    )
    results: dict[str, Any] = {}
    with session:
        if around is not None:
            around(session)
        mpc = Computation(session)
        x = _shared(mpc, ground.name, "alice", X)
        y = _shared(mpc, ground.name, "bob", Y)
        if x is None or y is None:
            return {"inputs": "incomplete"}, session.incidents
        results["product"] = (x * y).reveal(to="all").tolist()
        results["greater"] = (x > y).reveal(to="all").tolist()
        largest = (x @ y).max().reveal(to=("bob", "dave"))
        if ground.name in largest:
            results["largest"] = int(largest[ground.name])
    return results, session.incidents


OWN = {name: np.array([k + 2, -k - 3]) for k, name in enumerate(FOUR)}
"""The inputs of :func:`in_turn`."""


def in_turn(ground: Ground) -> Any:
    """Everybody's input, one after the other, its square to all and its signs to one other."""
    session = PartySession.guarded(
        PROTOCOLS["fantastic4"], ground, job=b"job", patience=PATIENCE, threads=1
    )
    results: dict[str, Any] = {}
    with session:
        mpc = Computation(session)
        for number, owner in enumerate(FOUR):
            x = _shared(mpc, ground.name, owner, OWN[owner])
            if x is None:
                results[owner] = None
                continue
            results[owner] = (x * x).reveal(to="all").tolist()
            reader = FOUR[(number + 1) % 4]
            signs = (x > 0).reveal(to=reader)
            if ground.name == reader:
                results[f"{owner}'s signs"] = signs[reader].tolist()
    return results, session.incidents


def check_in_turn(found: Run, what: str = "") -> None:
    """The inputs of honest parties give what they must; that of the corrupt one, one thing."""
    other: list[Any] = []
    for name in found.honest:
        got = found.results(name)
        for owner in found.honest:
            assert got[owner] == (OWN[owner] ** 2).tolist(), f"{name}, {owner}; {what}"
            if f"{owner}'s signs" in got:
                assert got[f"{owner}'s signs"] == [True, False], f"{name}, {owner}; {what}"
        other.append(got[found.corrupt])
        for incident in found.incidents(name):
            if incident.operation == "service":
                continue  # who is served no longer may be the honest one, where the stage fails
            assert incident.party in (None, found.corrupt), f"{incident}; {what}"
            assert incident.pair is None or found.corrupt in incident.pair, f"{incident}; {what}"
    assert all(value == other[0] for value in other), f"{other}; {what}"


def _shared(mpc: Computation, own: str, owner: str, values: Any) -> Any:
    """The input; None where all parties are told that its owner is lost, or that it is refused."""
    try:
        return mpc.share(
            values if own == owner else None, owner, dtype=tacit.int64, shape=values.shape
        )
    except TacitError as error:
        if not error.code.startswith(("TC-34", "TC-54")):
            raise
        return None


@dataclass
class Run:
    """One run: the network, and who was corrupt."""

    hub: Hub
    corrupt: str | None

    @property
    def honest(self) -> list[str]:
        """All but the corrupt party."""
        return [name for name in FOUR if name != self.corrupt]

    def results(self, name: str) -> Any:
        """What a party got; its error is raised."""
        error = self.hub.outcome.errors.get(name)
        if error is not None:
            raise AssertionError(f"{name} ended with {error!r}") from error
        return self.hub.outcome.results[name][0]

    def incidents(self, name: str) -> list[Any]:
        """What a party says was overcome."""
        return self.hub.outcome.results[name][1]

    def check(self, what: str = "", inputs: bool = True) -> list[Any]:
        """What must hold for every honest party; the incidents that they tell alike.

        Parameters
        ----------
        inputs : bool
            Whether the inputs were complete: before, a loss may end the job, for all alike.
        """
        told = None
        errors = [self.hub.outcome.errors.get(name) for name in self.honest]
        if not inputs and any(errors):
            codes = {getattr(error, "code", repr(error)) for error in errors}
            assert codes == {"TC-5503"}, f"{codes}; {what}"
            return []
        for name in self.honest:
            got = self.results(name)
            if "inputs" in got:
                assert not inputs, f"{name} got nothing; {what}"
                assert all("inputs" in self.results(n) for n in self.honest), what
                return []
            assert got["product"] == RIGHT["product"], f"{name} has a wrong product; {what}"
            assert got["greater"] == RIGHT["greater"], f"{name} has a wrong result; {what}"
            if name in ("bob", "dave"):
                assert got["largest"] == RIGHT["largest"], f"{name}: a wrong maximum; {what}"
            else:
                assert "largest" not in got, f"{name} got what is not its own; {what}"
            facts = [
                (i.kind, i.party, i.pair) for i in self.incidents(name) if i.operation != "service"
            ]
            # Who has all its outputs need not hear of what is found out after that.
            longest = max(facts, told or [], key=len)
            shared = min(len(facts), len(longest if told is None else told))
            assert told is None or told[:shared] == facts[:shared], (
                f"{name} tells {facts}, another {told}; {what}"
            )
            told = longest
        for kind, party, pair in told or []:
            assert self.corrupt is not None, f"a fault without a cause: {kind}, {party}, {pair}"
            assert party in (None, self.corrupt), f"{party} is blamed; {what}"
            assert pair is None or self.corrupt in pair, f"{pair} is blamed; {what}"
        return told or []


Adversary = Callable[[Sent], Sequence[bytes]]


def complete(sent: Sequence[Sent]) -> int:
    """How many messages of an honest run were sent before both inputs were shared."""
    barriers = [number for number, message in enumerate(sent) if message.kind == "control"]
    return barriers[3 * len(FOUR) * 3 - 1]


def run(
    adversary: Adversary = honest,
    corrupt: str | None = None,
    seed: int = 0,
    programs: Mapping[str, Callable[[Ground], Any]] | None = None,
    claimed: Any = None,
) -> Run:
    """Run the program at all parties, or others at some."""
    hub = Hub(FOUR, adversary, corrupt, seed, claimed)
    hub.run(dict.fromkeys(FOUR, program) | dict(programs or {}))
    return Run(hub, corrupt)


def tampered(way: str, message: Sent, seed: int = 0) -> Run:
    """Run with one party misbehaving in one way from one of its messages on."""
    return run(Tampering(way, message), message.sender, seed)
