"""Pitfall: messages or hashes of one session pass in another.

Sessions differ in their seeds; a party that holds another session's seeds, or replays another
session's messages, is found out at the next opening. (That all parties agree on a session before
it starts is compared in the handshake: see the network tests.)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from simulation import NAMES, Simulation

from tacit.errors import VerificationError
from tacit.protocols import PROTOCOLS
from tacit.rounds import Adversary, LockstepDriver, Message, Step, Tamper
from tacit.rounds.randomness import SeededRandomness
from tacit.sessions.local import LocalSession

X = np.arange(20, dtype=np.uint64)


def input_and_open(p: Any) -> Step[Any]:
    x = yield from p.input(0, X if p.index == 0 else None, X.shape)
    return (yield from p.reveal(x, (0, 1, 2)))


def all_input_and_open(p: Any) -> Step[Any]:
    total = p.public(np.zeros(X.shape, np.int64))
    for owner in range(3):
        x = yield from p.input(owner, X if p.index == owner else None, X.shape)
        total = p.add(total, x)
    return (yield from p.reveal(total, (0, 1, 2)))


@pytest.mark.parametrize("stranger", [0, 1, 2], ids=NAMES)
def test_a_party_of_another_session_is_found_out(stranger: int) -> None:
    here, elsewhere = Simulation(1), Simulation(2)
    group = list(here.parties)
    group[stranger] = elsewhere.parties[stranger]
    with pytest.raises(VerificationError):
        LockstepDriver(NAMES).run([all_input_and_open(p) for p in group])


@pytest.mark.parametrize("stranger", [0, 1, 2], ids=NAMES)
def test_after_a_product_different_seeds_are_not_noticed(stranger: int) -> None:
    """Copies agree again after a multiplication, around a wrong value.

    This is why seeds are agreed in a handshake bound to the session, before any input, and not
    left to be found out by openings.
    """
    here, elsewhere = Simulation(1), Simulation(2)
    group = list(here.parties)
    group[stranger] = elsewhere.parties[stranger]

    def step(p: Any) -> Step[Any]:
        x = yield from p.input(0, X if p.index == 0 else None, X.shape)
        return (yield from p.reveal((yield from p.multiply(x, x)), (0, 1, 2)))

    opened = LockstepDriver(NAMES).run([step(p) for p in group])
    assert not np.array_equal(opened[0], X * X)


@pytest.mark.parametrize("sender", [0, 1, 2], ids=NAMES)
def test_an_opening_of_another_session_is_refused(sender: int) -> None:
    """The same inputs at the same place of another session: its messages do not pass here."""
    listener = Adversary(NAMES)
    Simulation(2, listener).run(input_and_open)

    def from_elsewhere(message: Message, seen: Sequence[Message]) -> Sequence[bytes]:
        (other,) = [
            m
            for m in listener.sent
            if (m.round, m.sender, m.receiver) == (2, message.sender, message.receiver)
        ]
        return (other.payload,)

    receivers = []
    for receiver in {0, 1, 2} - {sender}:
        driver = Adversary(NAMES, Tamper(from_elsewhere, sender=sender, receiver=receiver, round=2))
        (mine,) = [
            m for m in run_alone().sent if (m.round, m.sender, m.receiver) == (2, sender, receiver)
        ]
        (theirs,) = [
            m for m in listener.sent if (m.round, m.sender, m.receiver) == (2, sender, receiver)
        ]
        if mine.payload == theirs.payload:
            continue  # The zero share of an input is the same everywhere.
        receivers.append(receiver)
        with pytest.raises(VerificationError):
            Simulation(1, driver).run(input_and_open)
    assert receivers


def run_alone() -> Adversary:
    driver = Adversary(NAMES)
    Simulation(1, driver).run(input_and_open)
    return driver


def test_every_session_in_this_process_has_fresh_seeds() -> None:
    """A session made again, as after a failure, draws other masks; a seeded one would not."""

    def first_masks(randomness: Any = None) -> Any:
        session = LocalSession(PROTOCOLS["replicated3"], NAMES, randomness)
        return [member.random((4,)).own for member in session.members]

    assert not np.array_equal(first_masks(), first_masks())
    seeded = [first_masks(SeededRandomness(1)) for _ in range(2)]
    np.testing.assert_array_equal(seeded[0], seeded[1])
