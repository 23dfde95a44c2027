"""When each party is done: the model of ``rounds/virtual.py``, on sizes and seconds alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tacit.programs.planning.party import Call, Work
from tacit.programs.planning.profile import Profile
from tacit.programs.planning.shortening import Link
from tacit.rounds.contract import Round
from tacit.rounds.virtual import Connection, Network

__all__ = ["Clock", "Links", "Pace"]

Links = Counter[Link]


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast parties are.

    Attributes
    ----------
    network : Network
    compute_scale : float
        Factor on computation: above 1 where parties share processors.
    message_seconds, byte_seconds : float
        To send, and again to receive, a message and one of its bytes.
    local : callable
        Seconds of local work.
    """

    network: Network
    compute_scale: float
    message_seconds: float
    byte_seconds: float
    local: Callable[[Work], float]


class Clock:
    """The clocks of all parties.

    Parameters
    ----------
    parties : int
    pace : Pace
    profile : callable
        What a call does.
    """

    def __init__(self, parties: int, pace: Pace, profile: Callable[[Call], Profile]) -> None:
        self.pace = pace
        self.profile = profile
        self.clocks = [0.0] * parties
        self._uplink_free = [0.0] * parties
        self._connections: dict[Link, Connection] = {}

    @property
    def seconds(self) -> float:
        """When the last party was done."""
        return max(self.clocks)

    def pass_over(self, events: Sequence[Round]) -> float:
        """Let time pass over all events; how long it took."""
        begun = self.seconds
        for event in events:
            self._event(event)
        return self.seconds - begun

    def _event(self, event: Round) -> None:
        sent: dict[Link, int] = {}
        for token in event.send.get(0, ()):
            self._compute(token, sent)
        pace, clocks = self.pace, self.clocks
        for link in sorted(sent):
            sender = link[0]
            connection = self._connections.get(link)
            if connection is None:
                connection = self._connections[link] = Connection(pace.network.link(*link))
            begin = clocks[sender] + pace.message_seconds
            encrypted = begin + pace.byte_seconds * sent[link]
            clocks[sender] = encrypted
            self._uplink_free[sender] = connection.send(
                max(self._uplink_free[sender], begin), encrypted, sent[link]
            )
        awaited: set[Link] = set()
        for token in event.receive.get(0, ()):
            call, place = _part(token)
            awaited.update(self.profile(call).links[place])
        for sender, receiver in sorted(awaited):
            arrival, size = self._connections[sender, receiver].arriving.popleft()
            clocks[receiver] = (
                max(clocks[receiver], arrival) + pace.message_seconds + pace.byte_seconds * size
            )
        for token in event.receive.get(0, ()):
            call, place = _part(token)
            if place == call.rounds - 1:
                self._add(self.profile(call).compute[-1])

    def _compute(self, token: Any, sent: dict[Link, int]) -> None:
        if isinstance(token, Work):
            self._add([self.pace.local(token)] * len(self.clocks))
            return
        call, place = token
        profile = self.profile(call)
        self._add(profile.compute[place])
        for link, (payload, checks) in profile.links[place].items():
            sent[link] = sent.get(link, 0) + payload + checks

    def _add(self, seconds: Sequence[float]) -> None:
        for party, one in enumerate(seconds):
            self.clocks[party] += self.pace.compute_scale * one


def _part(token: Any) -> tuple[Call, int]:
    call, place = token
    return call, place
