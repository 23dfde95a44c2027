"""Pitfall: a short or long message silently shifts every later byte.

The driver compares the length before it writes a byte. The weakened driver takes what comes, as
a plain byte stream would, and opens plausible wrong values without an error.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
import pytest
from simulation import NAMES, Simulation

from tacit.errors import MessageError
from tacit.rounds import Adversary, Round, Step, Tamper
from tacit.rounds.adversary import cut, lengthen
from tacit.rounds.lockstep import Queues, as_bytes

X = np.arange(20)


class StreamDriver(Adversary):
    """Weak on purpose: bytes of a link are one stream, read as awaited."""

    def _receive(self, party: int, current: Round, queues: Queues, stage: str) -> None:
        for peer in sorted({*current.receive, *current.check_receive}):
            queue: deque[Any] = queues.get((peer, party), deque())
            data = b"".join(bytes(m) for m in queue)
            queue.clear()
            for target in current.receive.get(peer, ()) + current.check_receive.get(peer, ()):
                view = as_bytes(target)
                piece, data = data[: view.size], data[view.size :]
                view[: len(piece)] = np.frombuffer(piece, np.uint8)
            if data:
                queue.append(data)


def two_products(p: Any, x: Any) -> Step[Any]:
    y = yield from p.multiply(x, x)
    return (yield from p.multiply(y, y))


def run(driver: Adversary) -> Any:
    simulation = Simulation(2, driver)
    return simulation.run(two_products, simulation.share(X), stage="squares")


@pytest.mark.parametrize("rewrite", [cut(1), cut(8), lengthen(b"x"), lengthen(bytes(8))])
@pytest.mark.parametrize("turn", [1, 2])
def test_a_wrong_length_ends_the_run(rewrite: Any, turn: int) -> None:
    with pytest.raises(MessageError) as caught:
        run(Adversary(NAMES, Tamper(rewrite, sender=0, round=turn)))
    text = str(caught.value)
    assert caught.value.parties == ("alice",)
    assert f"round {turn}" in text
    assert "expected 160" in text


def test_without_the_check_bytes_shift_silently() -> None:
    honest = run(StreamDriver(NAMES, None))
    tampers = [Tamper(lengthen(b"x"), sender=0, round=1), Tamper(cut(1), sender=0, round=2)]
    weak = run(StreamDriver(NAMES, tampers))
    assert not np.array_equal(weak[2].next, honest[2].next)
