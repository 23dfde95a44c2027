"""All parties in one process, with an adversary on the wire: for attack tests.

Any message of any party can be dropped, altered, delayed, replayed, cut, lengthened, or sent to
some receivers and not to others. What a corrupt party does is what it sends, so rewriting its
outgoing messages is the most general deviation that the others can see.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tacit.rounds.contract import Round, Step
from tacit.rounds.lockstep import LockstepDriver, Queues

__all__ = [
    "Adversary",
    "Message",
    "Rewrite",
    "Tamper",
    "add_one",
    "cut",
    "delay",
    "drop",
    "flip",
    "lengthen",
    "replace",
    "replay",
]


@dataclass(frozen=True, slots=True, repr=False)
class Message:
    """One message as its sender made it.

    Attributes
    ----------
    round : int
        The driver's round, from 1.
    sender, receiver : int
        Parties' indices.
    payload : bytes
        Payload and, behind it, check values.
    index : int
        How many messages this sender sent to this receiver before, from 0.
    check_bytes : int
        How many bytes at the end of `payload` are check values.
    """

    round: int
    sender: int
    receiver: int
    payload: bytes
    index: int = 0
    check_bytes: int = 0

    def __repr__(self) -> str:
        return (
            f"Message(round={self.round}, {self.sender}->{self.receiver}, index={self.index},"
            f" {len(self.payload)} bytes)"
        )


Rewrite: TypeAlias = Callable[[Message, Sequence[Message]], Sequence[bytes]]
"""What arrives instead of a message, in order: nothing, one payload or several.

The second argument is what the adversary has seen: every message of earlier rounds, and those of
this round that the other parties send. A rewrite that looks at this round's is adaptive
("rushing"): it speaks last.
"""


@dataclass(frozen=True, slots=True)
class Tamper:
    """Which messages to rewrite, and how. None matches everything.

    Attributes
    ----------
    rewrite : callable
        See :data:`Rewrite`; the functions below make the usual ones.
    sender, receiver, round, index : int, optional
        The messages it applies to, as in :class:`Message`.
    """

    rewrite: Rewrite
    sender: int | None = None
    receiver: int | None = None
    round: int | None = None
    index: int | None = None

    def matches(self, message: Message) -> bool:
        """Whether this message is to be rewritten."""
        return (
            self.sender in (None, message.sender)
            and self.receiver in (None, message.receiver)
            and self.round in (None, message.round)
            and self.index in (None, message.index)
        )


class Adversary(LockstepDriver):
    """Lockstep with some messages rewritten.

    Parameters
    ----------
    names : sequence of str
        The parties' names, by index.
    tamper : Tamper or sequence of Tamper
        What to rewrite; the first that matches applies. None: only listen.

    Attributes
    ----------
    sent : list of Message
        Every message as its sender made it, in order: the transcript.
    delivered : list of Message
        Every message as it arrived.
    failed : int or None
        The party whose step raised, if one did.
    returned : dict of int to object
        Results of the parties that ended, also when another one raised.
    """

    def __init__(self, names: Sequence[str], tamper: Tamper | Sequence[Tamper] | None = ()) -> None:
        super().__init__(names)
        self.tampers = (tamper,) if isinstance(tamper, Tamper) else tuple(tamper or ())
        self.sent: list[Message] = []
        self.delivered: list[Message] = []
        self.failed: int | None = None
        self.returned: dict[int, Any] = {}
        self._indices: dict[tuple[int, int], int] = {}
        self._this_round: list[Message] = []
        self._queues: Queues = {}

    def view(self, party: int) -> bytes:
        """All bytes a party received, in order, as delivered."""
        return b"".join(m.payload for m in self.delivered if m.receiver == party)

    def advance(self, party: int, step: Step[Any]) -> Round:
        """Let one party compute; remember which one failed and what was returned."""
        try:
            return super().advance(party, step)
        except StopIteration as stop:
            self.returned[party] = stop.value
            raise
        except Exception:
            self.failed = party
            raise

    def between(self, rounds: Mapping[int, Round]) -> None:
        """Deliver the round's messages: honest ones first seen, then rewritten ones."""
        messages, self._this_round = self._this_round, []
        for message in messages:
            payloads: Sequence[bytes] = (message.payload,)
            for tamper in self.tampers:
                if tamper.matches(message):
                    others = [m for m in messages if m.sender != message.sender]
                    payloads = tamper.rewrite(message, [*self.sent, *others])
                    break
            queue = self._queues.setdefault((message.sender, message.receiver), deque())
            for payload in payloads:
                queue.append(payload)
                self.delivered.append(
                    Message(message.round, message.sender, message.receiver, payload, message.index)
                )
        self.sent.extend(messages)

    def carry(
        self, sender: int, receiver: int, payload: NDArray[np.uint8]
    ) -> Sequence[bytes | NDArray[np.uint8]]:
        """Hold the message until all have spoken."""
        index = self._indices.get((sender, receiver), 0)
        self._indices[sender, receiver] = index + 1
        self._this_round.append(
            Message(
                self.round_number, sender, receiver, payload.tobytes(), index, self._check_bytes
            )
        )
        return ()

    def _send(self, party: int, current: Round, queues: Queues) -> None:
        self._queues = queues
        for peer in sorted({*current.send, *current.check}):
            self._check_bytes = sum(array.nbytes for array in current.check.get(peer, ()))
            one = Round(
                send={peer: current.send.get(peer, ())}, check={peer: current.check.get(peer, ())}
            )
            super()._send(party, one, queues)


# The usual rewrites.


def drop() -> Rewrite:
    """Nothing arrives."""
    return lambda message, seen: ()


def replace(payload: bytes) -> Rewrite:
    """Other bytes arrive."""
    return lambda message, seen: (payload,)


def flip(position: int = 0, mask: int = 1) -> Rewrite:
    """Bits of one byte are flipped; negative positions count from the end."""

    def rewrite(message: Message, seen: Sequence[Message]) -> Sequence[bytes]:
        changed = bytearray(message.payload)
        changed[position] ^= mask
        return (bytes(changed),)

    return rewrite


def add_one(element: int = 0) -> Rewrite:
    """One is added to a ring element of the message (64 bits, little endian)."""

    def rewrite(message: Message, seen: Sequence[Message]) -> Sequence[bytes]:
        at = slice(8 * element, 8 * element + 8)
        changed = bytearray(message.payload)
        value = int.from_bytes(changed[at], "little")
        changed[at] = ((value + 1) % (1 << 64)).to_bytes(8, "little")
        return (bytes(changed),)

    return rewrite


def cut(count: int = 1) -> Rewrite:
    """The last bytes are missing."""
    return lambda message, seen: (message.payload[: max(0, len(message.payload) - count)],)


def lengthen(extra: bytes = b"\x00") -> Rewrite:
    """Bytes are added at the end."""
    return lambda message, seen: (message.payload + extra,)


def replay(index: int = 0) -> Rewrite:
    """An earlier message of the same sender to the same receiver arrives instead."""

    def rewrite(message: Message, seen: Sequence[Message]) -> Sequence[bytes]:
        pair = (message.sender, message.receiver)
        earlier = [m for m in seen if (m.sender, m.receiver) == pair and m.index == index]
        return (earlier[0].payload if earlier else message.payload,)

    return rewrite


@dataclass(slots=True)
class _Delay:
    filler: bytes | None
    held: deque[bytes] = field(default_factory=deque)
    by: int = 1

    def __call__(self, message: Message, seen: Sequence[Message]) -> Sequence[bytes]:
        self.held.append(message.payload)
        if len(self.held) > self.by:
            return (self.held.popleft(),)
        return () if self.filler is None else (self.filler,)


def delay(by: int = 1, filler: bytes | None = None) -> Rewrite:
    """Messages arrive `by` messages late, in place of the later ones.

    Parameters
    ----------
    by : int
        How many matching messages later, of the same sender to the same receiver.
    filler : bytes, optional
        What arrives meanwhile; nothing if None. Make one per tamper and run: it has a state.
    """
    return _Delay(filler, by=by)
