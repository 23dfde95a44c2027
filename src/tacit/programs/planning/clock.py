"""When each party is done: the model of ``rounds/virtual.py``, on sizes and seconds alone.

Parties on one machine share its processors, too: whoever is ready first runs on the processor
that is free first, and long work gives way after a time slice, as a fair scheduler has it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import Any, Final

from tacit.programs.planning.party import Call, Work
from tacit.programs.planning.pieces import Piece
from tacit.programs.planning.shortening import Link
from tacit.programs.planning.watching import Profile
from tacit.rounds.contract import Round
from tacit.rounds.virtual import Connection, Network

__all__ = ["Clock", "Links", "Pace"]

Links = Counter[Link]

SLICE: Final = 3e-3
"""Seconds after which a scheduler lets another process run."""

MOST_SLICES: Final = 32
"""Long work is cut into no more."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast parties are.

    Attributes
    ----------
    network : Network
    compute_scale, product_scale : float
        Factors on computation: on matrix products, which hardly leave the registers, and on all
        else, which streams through memory and slows down more where others do so, too.
    message_seconds, byte_seconds : float
        To send, and again to receive, a message and one of its bytes.
    processors : int or None
        Those that all parties share; None where each has its own.
    """

    network: Network
    compute_scale: float = 1.0
    product_scale: float = 1.0
    message_seconds: float = 0.0
    byte_seconds: float = 0.0
    processors: int | None = None

    def scale(self, products: float) -> float:
        """The factor on what consists of matrix products to this part."""
        return products * self.product_scale + (1 - products) * self.compute_scale


class Clock:
    """The clocks of all parties.

    Parameters
    ----------
    parties : int
    pace : Pace
    profile : callable
        What a call does.
    local : callable
        Seconds of local work.
    """

    def __init__(
        self,
        parties: int,
        pace: Pace,
        profile: Callable[[Call], Profile],
        local: Callable[[Work], float],
    ) -> None:
        self.pace = pace
        self.profile = profile
        self.local = local
        self.clocks = [0.0] * parties
        shared = pace.processors is not None and pace.processors < parties
        self._free = [0.0] * (pace.processors or 1) if shared else []
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
        self._compute(event, sent)
        pace, clocks = self.pace, self.clocks
        for link in sorted(sent, key=lambda one: (clocks[one[0]], one)):
            sender, size = link[0], sent[link]
            connection = self._connections.get(link)
            if connection is None:
                connection = self._connections[link] = Connection(pace.network.link(*link))
            begin = clocks[sender] + pace.message_seconds
            self._spend({sender: pace.message_seconds + pace.byte_seconds * size})
            self._uplink_free[sender] = connection.send(
                max(self._uplink_free[sender], begin), clocks[sender], size
            )
        self._receive(event)

    def _compute(self, event: Round, sent: dict[Link, int]) -> None:
        """What parties compute before their messages, and which messages."""
        amounts = dict.fromkeys(range(len(self.clocks)), 0.0)
        for token in event.send.get(0, ()):
            if isinstance(token, Work):
                seconds: Sequence[float] = [self.local(token)] * len(amounts)
                scale = self.pace.compute_scale
            else:
                profile, place = self._part(token)
                seconds = profile.compute[place]
                scale = self.pace.scale(profile.products)
                for link, (payload, checks) in profile.links[place].items():
                    sent[link] = sent.get(link, 0) + payload + checks
            for party, one in enumerate(seconds):
                amounts[party] += scale * one
        self._spend(amounts)

    def _receive(self, event: Round) -> None:
        """Wait for what is awaited; compute what follows on the last message."""
        pace, clocks = self.pace, self.clocks
        awaited: set[Link] = set()
        amounts: dict[int, float] = {}
        for token in event.receive.get(0, ()):
            profile, place = self._part(token)
            awaited.update(profile.awaited[place])
            if place == len(profile.links) - 1:
                scale = pace.scale(profile.products)
                for party, one in enumerate(profile.compute[-1]):
                    amounts[party] = amounts.get(party, 0.0) + scale * one
        for sender, receiver in sorted(awaited):
            arrival, size = self._connections[sender, receiver].arriving.popleft()
            taking = pace.message_seconds + pace.byte_seconds * size
            if self._free:
                clocks[receiver] = max(clocks[receiver], arrival)
                amounts[receiver] = amounts.get(receiver, 0.0) + taking
            else:
                clocks[receiver] = max(clocks[receiver], arrival) + taking
        self._spend(amounts)

    def _spend(self, amounts: dict[int, float]) -> None:
        """Let parties work, each for so many seconds, on processors of their own or shared."""
        if not self._free:
            for party, amount in amounts.items():
                self.clocks[party] += amount
            return
        longest = max(SLICE, max(amounts.values(), default=0.0) / MOST_SLICES)
        queue = [(self.clocks[party], party, amount) for party, amount in amounts.items() if amount]
        heapify(queue)
        while queue:
            ready, party, amount = heappop(queue)
            processor = min(range(len(self._free)), key=self._free.__getitem__)
            some = min(amount, longest)
            end = max(ready, self._free[processor]) + some
            self._free[processor] = self.clocks[party] = end
            if amount > some:
                heappush(queue, (end, party, amount - some))

    def _part(self, token: Any) -> tuple[Profile, int]:
        what, place = token
        return what.profile if isinstance(what, Piece) else self.profile(what), place
