"""What parties of ``fantastic4`` keep of their messages, and what they answer about them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from simulation import FOUR, Simulation

from tacit.errors import DisputeError
from tacit.protocols.fantastic4.journal import Journal, Said, said
from tacit.rounds import Adversary, Tamper
from tacit.rounds.adversary import flip

ALL = (0, 1, 2, 3)
X = np.arange(70) * 3

STEPS: dict[str, Callable[..., Any]] = {
    "multiply": lambda p, x: p.multiply(x, x),
    "reveal": lambda p, x: p.reveal(x, ALL),
    "permute": lambda p, x: p.permute(p.permutation(1, 70), x.reshape(1, 70)),
    "truncate": lambda p, x: p.truncate(x, 18),
    "sign": lambda p, x: p.most_significant_bit(x),
    **{
        f"input {o}": lambda p, x, o=o: p.input(
            o, X.astype(np.uint64) if p.index == o else None, (70,)
        )
        for o in ALL
    },
}


def run(
    name: str, tamper: Any = None, evidence: bool = True
) -> tuple[Simulation, Adversary, DisputeError | None]:
    driver = Adversary(FOUR, tamper)
    simulation = Simulation(3, driver, "fantastic4")
    for party in simulation.parties:
        party.journal, party.evidence = Journal(), evidence
    try:
        simulation.run(STEPS[name], simulation.share(X))
    except DisputeError as error:
        return simulation, driver, error
    return simulation, driver, None


def answers(simulation: Simulation, error: DisputeError) -> dict[str, Any]:
    """r_S, r_B of the receiver, h_S, h_B of the others, and the roles."""
    dispute = error.dispute
    assert dispute is not None
    places = [FOUR.index(getattr(dispute, r)) for r in ("sender", "backup", "receiver", "other")]
    roles: Any = tuple(places)
    sender, backup, receiver, _ = (simulation.parties[i] for i in roles)
    found = receiver.journal.dispute(dispute.nonce, roles)
    return {
        "r_S": found.got,
        "r_B": found.said,
        "h_S": said(sender, dispute.nonce, roles),
        "h_B": said(backup, dispute.nonce, roles),
        "roles": roles,
        "nonce": dispute.nonce,
    }


@pytest.mark.parametrize("name", STEPS)
def test_digests_tell_who_of_two_deviated(name: str) -> None:
    """Every message altered on its way: one claim is contradicted, one of its sender or on it."""
    for message in run(name)[1].sent:
        size = len(message.payload)
        if size <= message.check_bytes:
            continue
        tamper = Tamper(flip(), message.sender, message.receiver, message.round)
        simulation, _, error = run(name, tamper)
        if error is None:
            continue
        found = answers(simulation, error)
        roles = found["roles"]
        assert roles[0] == message.sender
        assert found["r_S"] != found["r_B"]
        assert found["h_S"].known
        assert found["h_B"].known
        edges = []
        if found["r_S"] != found["h_S"].digest:
            edges.append((roles[2], roles[0]))
        if found["r_B"] != found["h_B"].digest:
            edges.append((roles[2], roles[1]))
        if found["h_S"].digest != found["h_B"].digest:
            edges.append((roles[0], roles[1]))
        assert len(edges) == 1
        assert message.sender in edges[0]


@pytest.mark.parametrize("name", STEPS)
def test_honest_senders_and_backups_keep_the_same(name: str) -> None:
    simulation, _, error = run(name)
    assert error is None
    kept = [party.journal._young for party in simulation.parties]
    assert any(kept)
    pairs = 0
    for index, digests in enumerate(kept):
        for place, digest in digests.items():
            sender, backup, _, _ = place[1]
            other = backup if index == sender else sender
            assert kept[other][place] == digest
            pairs += 1
    assert pairs % 2 == 0


def test_a_sender_keeps_nothing_without_a_reason() -> None:
    simulation, _, _ = run("multiply", evidence=False)
    party = simulation.parties[0]
    assert all(roles[1] == 0 for _, roles in party.journal._young)
    roles = (0, 1, 3, 2)
    assert said(party, 1, roles) == Said(False, None)
    assert said(simulation.parties[1], 1, roles).digest is not None
    assert said(simulation.parties[2], 1, roles) == Said(False, None)  # neither of the two


def test_a_message_that_never_was() -> None:
    simulation, _, _ = run("multiply")
    assert said(simulation.parties[0], 99, (0, 1, 3, 2)) == Said(True, None)
    assert said(simulation.parties[1], 99, (0, 1, 3, 2)) == Said(True, None)


def test_what_all_have_passed_cannot_be_disputed() -> None:
    simulation, _, _ = run("multiply", evidence=False)
    for party in simulation.parties:
        party.journal.clear(1)
        assert len(party.journal) == 0
    assert said(simulation.parties[0], 1, (0, 1, 3, 2)) == Said(True, None)
    assert said(simulation.parties[1], 1, (0, 1, 3, 2)) == Said(True, None)


def test_what_came_later_stays() -> None:
    journal = Journal()
    roles = (0, 1, 3, 2)
    for nonce in (1, 2, 3):
        journal.vouched(nonce, roles, bytes([nonce]) * 32)
    journal.clear(2)
    assert journal.lookup(2, roles) is None
    assert journal.lookup(3, roles) == b"\x03" * 32
    journal.clear()
    assert len(journal) == 0
    assert journal.passed(3)
    assert not journal.passed(4)


def test_memory_is_bounded_and_what_is_forgotten_is_denied() -> None:
    simulation, _, _ = run("multiply")
    party = simulation.parties[1]
    party.journal = Journal(limit=100)
    roles = (0, 1, 3, 2)
    for nonce in range(1, 1000):
        party.journal.vouched(nonce, roles, bytes(32))
    assert len(party.journal) <= 100
    assert said(party, 999, roles) == Said(True, bytes(32))
    assert said(party, 960, roles) == Said(True, bytes(32))
    assert said(party, 3, roles) == Said(True, None)


def test_nothing_is_shown() -> None:
    simulation, _, error = run("multiply", Tamper(flip(), 0, 3, 1))
    assert error is not None
    found = answers(simulation, error)
    for shown in (simulation.parties[0].journal, found["h_S"], found["h_B"]):
        assert found["r_S"].hex() not in repr(shown)
    receiver = simulation.parties[found["roles"][2]]
    assert repr(receiver.journal.dispute(found["nonce"], found["roles"])) == "Received()"
