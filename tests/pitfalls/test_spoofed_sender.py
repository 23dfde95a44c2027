"""Pitfall: a party speaks for another because the sender is read from the message.

No message holds a sender: payloads are exactly the arrays of the round, and a driver files what
arrives under the link it arrived on. What Carol sends is Carol's, whatever it says.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from simulation import NAMES, Simulation

from tacit.errors import MessageError
from tacit.rounds import Adversary, Message, Round, Step, Tamper
from tacit.rounds.adversary import lengthen

X = np.arange(20)


def test_payloads_are_the_arrays_and_nothing_else() -> None:
    driver = Adversary(NAMES)
    simulation = Simulation(2, driver)
    shared = simulation.share(X)
    simulation.run(lambda p, x: p.reveal(x, (0, 1, 2)), shared)
    for message in driver.sent:
        share, hashed = shared[message.sender].own.tobytes(), message.payload[-32:]
        if message.receiver == (message.sender + 1) % 3:
            assert message.payload == share
        else:
            assert message.payload == hashed


def test_another_partys_message_stays_its_bearers() -> None:
    """Carol sends Bob what Alice sent him: he takes it for Carol's, and blames Carol."""

    def as_alice(message: Message, seen: Sequence[Message]) -> Sequence[bytes]:
        (alices,) = [m for m in seen if m.sender == 0 and m.receiver == 1]
        return (alices.payload,)

    driver = Adversary(NAMES, Tamper(as_alice, sender=2, receiver=1))
    simulation = Simulation(2, driver)
    with pytest.raises(MessageError) as caught:
        simulation.run(lambda p, x: p.reveal(x, (1,)), simulation.share(X))
    assert caught.value.parties == ("carol",)


@pytest.mark.parametrize("sender", [0, 1, 2])
def test_faults_are_laid_to_the_link(sender: int) -> None:
    driver = Adversary(NAMES, Tamper(lengthen(b"I am alice"), sender=sender))
    simulation = Simulation(2, driver)
    with pytest.raises(MessageError) as caught:
        simulation.run(lambda p, x: p.multiply(x, x), simulation.share(X))
    assert caught.value.parties == (NAMES[sender],)


def test_a_sender_field_would_be_believed() -> None:
    """The weakened form: messages name their sender, and Carol speaks as Alice unnoticed."""

    def step(index: int) -> Step[Any]:
        if index == 1:
            boxes = {peer: np.empty(2, np.uint64) for peer in (0, 2)}
            yield Round(receive={peer: (box,) for peer, box in boxes.items()})
            return {int(box[0]): int(box[1]) for box in boxes.values()}
        named = np.array([index, 100 + index], np.uint64)
        yield Round(send={1: (named,)})
        return None

    def spoof(message: Message, seen: Sequence[Message]) -> Sequence[bytes]:
        return (np.array([0, 666], np.uint64).tobytes(),)

    honest = Adversary(NAMES).run([step(i) for i in range(3)])[1]
    assert honest == {0: 100, 2: 102}
    fooled = Adversary(NAMES, Tamper(spoof, sender=2)).run([step(i) for i in range(3)])[1]
    assert fooled == {0: 666}
