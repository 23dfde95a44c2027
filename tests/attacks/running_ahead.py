"""Parties that do not wait for each other: what real links allow and lockstep never shows.

A party goes on as soon as all that *it* awaits has arrived. Whoever stops, falls silent; the others
go on until they starve. A corrupt party is one whose messages are withheld, rewritten or written by
hand.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tacit.errors import MessageError, TacitError
from tacit.rounds import Round, Step

__all__ = ["RunningAhead"]

Carry = Callable[[int, int, int, bytes], bytes | tuple[bytes, ...] | None]
"""(sender, receiver, index of the message on its link, payload): what arrives, None for nothing."""


def unchanged(sender: int, receiver: int, index: int, payload: bytes) -> bytes:
    return payload


class RunningAhead:
    """Drives steps as far as they get, one party at a time.

    Parameters
    ----------
    steps : mapping of int to Step
        The steps of the parties that the protocol's code runs; the others' messages come by
        :meth:`put`.
    carry : Carry, optional
        What happens to a message on its way.
    seed : int
        Of the order in which parties that could go on do.
    last : int, optional
        A party that goes on only when no other can: it speaks after it has heard the others.

    Attributes
    ----------
    results, errors : dict of int
        Of the parties that have ended.
    rounds : dict of int to int
        How many rounds each has begun.
    """

    def __init__(
        self,
        steps: Mapping[int, Step[Any]],
        carry: Carry = unchanged,
        seed: int = 0,
        last: int | None = None,
    ) -> None:
        self.steps = dict(steps)
        self.carry = carry
        self.last = last
        self.rounds = dict.fromkeys(self.steps, 0)
        self.rng = np.random.default_rng(seed)
        self.results: dict[int, Any] = {}
        self.errors: dict[int, TacitError] = {}
        self._waiting: dict[int, Round] = {}
        self._queues: dict[tuple[int, int], deque[bytes]] = {}
        self._sent: dict[tuple[int, int], int] = {}

    def put(self, sender: int, receiver: int, payload: bytes) -> None:
        """A message arrives."""
        self._queues.setdefault((sender, receiver), deque()).append(payload)

    def take(self, sender: int, receiver: int) -> bytes | None:
        """The oldest message that has arrived and was not used, if any."""
        queue = self._queues.get((sender, receiver))
        return queue.popleft() if queue else None

    def run(self) -> None:
        """Go on until every party has ended or starves."""
        while ready := [party for party in self.steps if self._can_go_on(party)]:
            first = [party for party in ready if party != self.last]
            self._advance(int(self.rng.choice(first or ready)))

    def _can_go_on(self, party: int) -> bool:
        if party in self.results or party in self.errors:
            return False
        current = self._waiting.get(party, Round())
        return all(self._queues.get((p, party)) for p in awaited(current))

    def _advance(self, party: int) -> None:
        try:
            if party in self._waiting:
                self._receive(party, self._waiting.pop(party))
            current = next(self.steps[party])
        except StopIteration as stop:
            self.results[party] = stop.value
            return
        except TacitError as error:
            self.errors[party] = error
            return
        self._waiting[party] = current
        self.rounds[party] += 1
        for peer in sorted({*current.send, *current.check}):
            arrays = current.send.get(peer, ()) + current.check.get(peer, ())
            link = (party, peer)
            index = self._sent.get(link, 0)
            self._sent[link] = index + 1
            arrives = self.carry(*link, index, b"".join(array.tobytes() for array in arrays))
            for payload in (arrives,) if isinstance(arrives, bytes) else arrives or ():
                self.put(*link, payload)

    def _receive(self, party: int, current: Round) -> None:
        for peer in awaited(current):
            payload = self._queues[peer, party].popleft()
            targets = current.receive.get(peer, ()) + current.check_receive.get(peer, ())
            if len(payload) != sum(array.nbytes for array in targets):
                raise MessageError("A message of a wrong length.", parties=[str(peer)])
            for array in targets:
                data, payload = payload[: array.nbytes], payload[array.nbytes :]
                array.reshape(-1).view(np.uint8)[:] = np.frombuffer(data, np.uint8)


def awaited(current: Round) -> list[int]:
    return sorted({*current.receive, *current.check_receive})
