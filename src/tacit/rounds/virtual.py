"""A network in virtual time: predicts how long a computation takes between machines.

All parties run in this process, one after the other; each has a clock of its own. Computation
advances a party's clock by the processor time it took, and so do encrypting, sending, receiving
and decrypting, by what they cost a message and a byte. A message leaves when the sender's uplink
is free, occupies it for its length divided by the bandwidth (or for as long as it takes to be
encrypted), and arrives one latency later; a party goes on when all it waits for has arrived.
Rounds that only send do not wait, so pipelined chunks overlap as they do on real links.

TCP starts slowly (RFC 5681, 6928): a connection may have ten segments under way at first, and
twice as many a round trip later. A message that is longer than what its connection may have under
way stalls once for every doubling, until the window covers what the line holds. Losses are not
part of the model, nor that some systems let the window shrink while a connection is idle.

``python -m bench.networks`` compares predictions with real runs; ``docs/performance.md`` has the
figures.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tacit.rounds.contract import Round, Step
from tacit.rounds.cost import Cost
from tacit.rounds.lockstep import LockstepDriver

__all__ = ["LAN", "LOOPBACK", "METRO", "WAN", "Connection", "Network", "VirtualTime"]


@dataclass(frozen=True, slots=True)
class Network:
    """Latency and bandwidth, the same on every link or different on some.

    Attributes
    ----------
    latency_seconds : float
        One way, from the last bit sent to the message's arrival.
    bits_per_second : float
        Of a party's uplink.
    first_window : float
        Bytes that a new connection may have under way before the first acknowledgement; infinite
        for lines without TCP's slow start.
    links : mapping of (int, int) to Network
        Links (sender, receiver) that differ from the rest.
    """

    latency_seconds: float
    bits_per_second: float
    first_window: float = math.inf
    links: Mapping[tuple[int, int], Network] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.latency_seconds < 0 or not self.bits_per_second > 0 or not self.first_window > 0:
            raise ValueError("latency is at least 0, bandwidth and first window above 0")

    def link(self, sender: int, receiver: int) -> Network:
        """The figures of one link."""
        return self.links.get((sender, receiver), self)


TEN_SEGMENTS: Final = 14_480
"""The first window of TCP (RFC 6928): ten segments of 1,448 bytes."""

LAN: Final = Network(0.1e-3, 10e9, TEN_SEGMENTS)
"""One machine room: 0.1 ms, 10 Gbit/s."""

METRO: Final = Network(5e-3, 1e9, TEN_SEGMENTS)
"""One city: 5 ms, 1 Gbit/s."""

WAN: Final = Network(40e-3, 100e6, TEN_SEGMENTS)
"""One continent: 40 ms, 100 Mbit/s."""


LOOPBACK: Final = Network(15e-6, 20e9)
"""One machine: 15 µs, 20 Gbit/s."""


class VirtualTime(LockstepDriver):
    """Lockstep with a clock per party.

    Parameters
    ----------
    names : sequence of str
        The parties' names, by index.
    network : Network
        Latency and bandwidth.
    compute_scale : float
        Factor on measured computation: 0 shows the network alone, 0.5 a machine twice as fast,
        1.5 three parties that share two cores.
    message_seconds, byte_seconds : float
        Processor time to send, and again to receive, one message and one of its bytes: TLS and
        the operating system. By default nothing.
    clock : callable
        Seconds of computation so far; the calling thread's processor time. Work that a kernel
        hands to other threads is not seen: run with one thread.

    Attributes
    ----------
    clocks : list of float
        Each party's time, in seconds since the driver was made.
    """

    def __init__(
        self,
        names: Sequence[str],
        network: Network,
        compute_scale: float = 1.0,
        *,
        message_seconds: float = 0.0,
        byte_seconds: float = 0.0,
        clock: Callable[[], float] = time.thread_time,
    ) -> None:
        super().__init__(names)
        self.network = network
        self.compute_scale = compute_scale
        self.message_seconds = message_seconds
        self.byte_seconds = byte_seconds
        self.clocks = [0.0] * len(self.names)
        self._clock = clock
        self._uplink_free = [0.0] * len(self.names)
        self._connections: dict[tuple[int, int], Connection] = {}

    @property
    def seconds(self) -> float:
        """When the last party was done."""
        return max(self.clocks, default=0.0)

    def cost(self) -> Cost:
        """Everything counted so far, with virtual seconds."""
        return replace(super().cost(), seconds=self.seconds)

    def run(self, steps: Sequence[Step[Any]], stage: str = "") -> list[Any]:
        """Run the parties' copies of one step; see :class:`LockstepDriver`."""
        for connection in self._connections.values():
            connection.arriving.clear()
        return super().run(steps, stage)

    def advance(self, party: int, step: Step[Any]) -> Round:
        """Let one party compute and move its clock."""
        start = self._clock()
        try:
            return super().advance(party, step)
        finally:
            self.clocks[party] += self.compute_scale * (self._clock() - start)

    def carry(
        self, sender: int, receiver: int, payload: NDArray[np.uint8]
    ) -> Sequence[bytes | NDArray[np.uint8]]:
        """Note when the message arrives."""
        pair = sender, receiver
        if pair not in self._connections:
            self._connections[pair] = Connection(self.network.link(*pair))
        begin = self.clocks[sender] + self.message_seconds
        encrypted = begin + self.byte_seconds * payload.nbytes
        self.clocks[sender] = encrypted
        self._uplink_free[sender] = self._connections[pair].send(
            max(self._uplink_free[sender], begin), encrypted, payload.nbytes
        )
        return (payload,)

    def waited(self, party: int, current: Round) -> None:
        """Move the clock to the arrival of the last awaited message."""
        now = self.clocks[party]
        for peer in {*current.receive, *current.check_receive}:
            arrival, size = self._connections[peer, party].arriving.popleft()
            now = max(now, arrival) + self.message_seconds + self.byte_seconds * size
        self.clocks[party] = now


class Connection:
    """One direction of a link: how much may be under way on it, and what is."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._window = network.first_window
        self._last_arrival = 0.0
        self.arriving: deque[tuple[float, int]] = deque()

    def send(self, leaves: float, encrypted: float, size: int) -> float:
        """Send a message whose first byte can leave at `leaves`; when the uplink is free again.

        The last byte leaves when all before it did, but not before it is encrypted.
        """
        network = self._network
        free = leaves + 8 * size / network.bits_per_second
        latency = network.latency_seconds
        arrival = max(free, encrypted) + latency + self._stalls(size)
        self._last_arrival = max(self._last_arrival, arrival)
        self.arriving.append((self._last_arrival, size))
        return free

    def _stalls(self, size: int) -> float:
        """Seconds that a message waits for acknowledgements, while the window opens."""
        round_trip = 2 * self._network.latency_seconds
        stalled = 0.0
        while size > self._window:
            size -= int(self._window)
            leaving = 8 * self._window / self._network.bits_per_second
            if leaving >= round_trip:
                self._window = math.inf  # the line is full from here on
                break
            stalled += round_trip - leaving
            self._window *= 2
        # It opens by what was under way, where that was at least half of it.
        self._window = max(self._window, min(self._window + size, 2 * size))
        return stalled
