"""All parties in one process, one round at a time: deterministic and easy to debug."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from tacit.errors import InternalError, MessageError
from tacit.rounds.contract import Arrays, Round, Step
from tacit.rounds.cost import Cost, Counter

__all__ = ["LockstepDriver"]

T = TypeVar("T")

Queues = dict[tuple[int, int], "deque[bytes | NDArray[np.uint8]]"]


class LockstepDriver:
    """Drives one step per party in this process.

    Parameters
    ----------
    names : sequence of str
        The parties' names, by index.

    Notes
    -----
    Subclasses change what happens to a message on its way (:meth:`carry`) or when something
    happens (:meth:`computed`, :meth:`waited`); see ``adversary.py`` and ``virtual.py``.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self.counters = [Counter() for _ in self.names]
        self.round_number = 0

    def run(self, steps: Sequence[Step[T]], stage: str = "") -> list[T]:
        """Run the parties' copies of one step to their ends.

        Parameters
        ----------
        steps : sequence of Step
            One generator per party, by index.
        stage : str
            Named in errors.

        Returns
        -------
        list
            Each party's result.

        Raises
        ------
        MessageError
            A message has another length than its receiver awaits, or is missing.
        """
        if len(steps) != len(self.names):
            raise InternalError(f"{len(self.names)} parties but {len(steps)} steps")
        queues: Queues = {}
        results: list[Any] = [None] * len(steps)
        active = list(range(len(steps)))
        try:
            while active:
                rounds: dict[int, Round] = {}
                for party in active:
                    try:
                        rounds[party] = self.advance(party, steps[party])
                    except StopIteration as stop:
                        results[party] = stop.value
                active = list(rounds)
                if not rounds:
                    break
                self.round_number += 1
                for party, current in rounds.items():
                    self.counters[party].count(current)
                    self._send(party, current, queues)
                self.between(rounds)
                for party, current in rounds.items():
                    self._receive(party, current, queues, stage)
                    self.waited(party, current)
        finally:
            for step in steps:
                step.close()
        leftover = [pair for pair, queue in queues.items() if queue]
        if leftover:
            sender, receiver = leftover[0]
            raise MessageError(
                f"{self.names[sender]} sent {self.names[receiver]} a message that nobody awaited"
                f" (stage {stage or 'unnamed'}).",
                next_step="make sure that all parties run the same program and version.",
                case=2,
                parties=[self.names[sender]],
                stage=stage,
            )
        return results

    def cost(self) -> Cost:
        """Everything counted so far, without seconds."""
        return Cost(
            rounds=max((c.rounds for c in self.counters), default=0),
            bytes_sent={n: c.bytes_sent for n, c in zip(self.names, self.counters, strict=True)},
            check_bytes={n: c.check_bytes for n, c in zip(self.names, self.counters, strict=True)},
        )

    # What subclasses change.

    def advance(self, party: int, step: Step[Any]) -> Round:
        """Let one party compute up to its next round."""
        return next(step)

    def carry(
        self, sender: int, receiver: int, payload: NDArray[np.uint8]
    ) -> Sequence[bytes | NDArray[np.uint8]]:
        """What arrives at the receiver when `payload` is sent: here exactly that."""
        return (payload,)

    def between(self, rounds: dict[int, Round]) -> None:
        """Called when all parties have sent and none has received."""

    def waited(self, party: int, current: Round) -> None:
        """Called when a party has received all it waited for."""

    # Moving bytes.

    def _send(self, party: int, current: Round, queues: Queues) -> None:
        for peer in sorted({*current.send, *current.check}):
            payload = _joined(current.send.get(peer, ()) + current.check.get(peer, ()))
            queues.setdefault((party, peer), deque()).extend(self.carry(party, peer, payload))

    def _receive(self, party: int, current: Round, queues: Queues, stage: str) -> None:
        for peer in sorted({*current.receive, *current.check_receive}):
            targets = current.receive.get(peer, ()) + current.check_receive.get(peer, ())
            expected = sum(array.nbytes for array in targets)
            queue = queues.get((peer, party))
            if not queue:
                raise MessageError(
                    f"{self.names[party]} waits for {expected} bytes from {self.names[peer]} in"
                    f" round {self.round_number} (stage {stage or 'unnamed'}), and nothing came.",
                    next_step="make sure that all parties run the same program and version.",
                    case=1,
                    parties=[self.names[peer]],
                    stage=stage,
                )
            payload = np.frombuffer(queue.popleft(), dtype=np.uint8)
            if payload.nbytes != expected:
                raise MessageError(
                    f"{self.names[peer]} sent {self.names[party]} {payload.nbytes} bytes in round"
                    f" {self.round_number} (stage {stage or 'unnamed'}), expected {expected}.",
                    next_step="make sure that all parties run the same program and version.",
                    case=0,
                    parties=[self.names[peer]],
                    stage=stage,
                )
            _scatter(payload, targets)


def _joined(arrays: Arrays) -> NDArray[np.uint8]:
    parts = [as_bytes(array) for array in arrays]
    return np.concatenate(parts) if parts else np.empty(0, np.uint8)


def _scatter(payload: NDArray[np.uint8], targets: Arrays) -> None:
    start = 0
    for target in targets:
        view = as_bytes(target)
        view[:] = payload[start : start + view.nbytes]
        start += view.nbytes


def as_bytes(array: NDArray[Any]) -> NDArray[np.uint8]:
    """A flat byte view of a C-contiguous array, without a copy."""
    if not array.flags.c_contiguous:
        raise InternalError("a step yielded an array that is not C-contiguous")
    return array.reshape(-1).view(np.uint8)
