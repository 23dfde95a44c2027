"""Ways in which a party misbehaves from one of its messages on, as adversaries of the hub."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from hub import Crash, Sent

from tacit.errors import PartyLostError
from tacit.network.faults import Place, cause_of

__all__ = ["WAYS", "Tampering", "messages_of", "sample"]

WAYS = ("altered", "dropped", "cut", "silent to one", "silent to all", "crash", "false abort")


def messages_of(party: str, sent: Sequence[Sent]) -> list[Sent]:
    """What a party sent in an honest run, in order."""
    return [message for message in sent if message.sender == party]


def false_cause(message: Sent) -> bytes:
    """An abort that names somebody else: who is neither its sender nor who hears it."""
    names = tuple(message.mesh.split("/")[0].split())
    victim = next(n for n in reversed(names) if n not in (message.sender, message.receiver))
    error = PartyLostError("It is lost.", case=1, parties=[victim])
    return cause_of(error, Place(names, names.index(message.sender), "reveal"))


@dataclass
class Tampering:
    """One way to misbehave from one message on, as an adversary of the hub."""

    way: str
    at: Sent
    hit: bool = field(default=False)

    def __call__(self, message: Sent) -> Sequence[Any]:
        same = message.sender == self.at.sender
        if not same or message.number < self.at.number:
            return (message.payload,)
        here = message.number == self.at.number
        self.hit |= here
        match self.way:
            case "altered" if here:
                payload = message.payload
                return (bytes([payload[0] ^ 1]) + payload[1:],) if payload else ()
            case "altered behind" if here:
                payload = message.payload
                return (payload[:-1] + bytes([payload[-1] ^ 1]),) if payload else ()
            case "dropped" if here:
                return ()
            case "cut" if here:
                return (message.payload[:-1],)
            case "false abort" if here and message.kind in ("round", "control"):
                return (("abort", false_cause(message)),)
            case "silent to one" if message.receiver == self.at.receiver:
                return ()
            case "silent to all":
                return ()
            case "crash":
                raise Crash
        return (message.payload,)


def sample(messages: Sequence[Sent], count: int) -> Iterator[Sent]:
    """Messages spread over a run, the first and the last among them."""
    step = max(1, len(messages) // count)
    yield from messages[::step]
    yield messages[-1]
