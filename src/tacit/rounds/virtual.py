"""A network in virtual time: predicts how long a computation takes between machines.

All parties run in this process, one after the other; each has a clock of its own. Computation
advances a party's clock by the processor time it took. A message leaves when the sender's uplink
is free, occupies it for its length divided by the bandwidth, and arrives one latency later; a
party goes on when all it waits for has arrived. Rounds that only send do not wait, so pipelined
chunks overlap as they do on real links.
"""

from __future__ import annotations

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

__all__ = ["LAN", "METRO", "WAN", "Network", "VirtualTime"]


@dataclass(frozen=True, slots=True)
class Network:
    """Latency and bandwidth, the same on every link or different on some.

    Attributes
    ----------
    latency_seconds : float
        One way, from the last bit sent to the message's arrival.
    bits_per_second : float
        Of a party's uplink.
    links : mapping of (int, int) to Network
        Links (sender, receiver) that differ from the rest.
    """

    latency_seconds: float
    bits_per_second: float
    links: Mapping[tuple[int, int], Network] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.latency_seconds < 0 or not self.bits_per_second > 0:
            raise ValueError("latency is at least 0 and bandwidth above 0")

    def link(self, sender: int, receiver: int) -> Network:
        """The figures of one link."""
        return self.links.get((sender, receiver), self)


LAN: Final = Network(latency_seconds=0.1e-3, bits_per_second=10e9)
"""One machine room: 0.1 ms, 10 Gbit/s."""

METRO: Final = Network(latency_seconds=5e-3, bits_per_second=1e9)
"""One city: 5 ms, 1 Gbit/s."""

WAN: Final = Network(latency_seconds=40e-3, bits_per_second=100e6)
"""One continent: 40 ms, 100 Mbit/s."""


class VirtualTime(LockstepDriver):
    """Lockstep with a clock per party.

    Parameters
    ----------
    names : sequence of str
        The parties' names, by index.
    network : Network
        Latency and bandwidth.
    compute_scale : float
        Factor on measured computation: 0 shows the network alone, 0.5 a machine twice as fast.
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
        clock: Callable[[], float] = time.thread_time,
    ) -> None:
        super().__init__(names)
        self.network = network
        self.compute_scale = compute_scale
        self.clocks = [0.0] * len(self.names)
        self._clock = clock
        self._uplink_free = [0.0] * len(self.names)
        self._arrivals: dict[tuple[int, int], deque[float]] = {}

    @property
    def seconds(self) -> float:
        """When the last party was done."""
        return max(self.clocks, default=0.0)

    def cost(self) -> Cost:
        """Everything counted so far, with virtual seconds."""
        return replace(super().cost(), seconds=self.seconds)

    def run(self, steps: Sequence[Step[Any]], stage: str = "") -> list[Any]:
        """Run the parties' copies of one step; see :class:`LockstepDriver`."""
        self._arrivals.clear()
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
        link = self.network.link(sender, receiver)
        leaves = max(self._uplink_free[sender], self.clocks[sender])
        self._uplink_free[sender] = leaves + 8 * payload.nbytes / link.bits_per_second
        arrival = self._uplink_free[sender] + link.latency_seconds
        self._arrivals.setdefault((sender, receiver), deque()).append(arrival)
        return (payload,)

    def waited(self, party: int, current: Round) -> None:
        """Move the clock to the arrival of the last awaited message."""
        for peer in {*current.receive, *current.check_receive}:
            arrival = self._arrivals[peer, party].popleft()
            self.clocks[party] = max(self.clocks[party], arrival)
