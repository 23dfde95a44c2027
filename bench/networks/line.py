"""What a delay line does: each sender's uplink takes the time of its bytes, then the latency.

The same rule as in `tacit.rounds.virtual`, applied to real bytes: they leave one after the other,
whoever they are for, and arrive one latency after the last of them left.
"""

from __future__ import annotations

import heapq
import itertools
import time
from collections.abc import Callable, Iterator
from typing import Any

from tacit.rounds import Network

__all__ = ["Line"]


class Line:
    """Things on their way.

    Parameters
    ----------
    network : Network
        Latency and bandwidth.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self._free: dict[int, float] = {}
        self._under_way: list[tuple[float, int, Callable[[], Any]]] = []
        self._order: Iterator[int] = itertools.count()

    def send(self, sender: int, receiver: int, size: int, deliver: Callable[[], Any]) -> None:
        """Let `size` bytes leave; `deliver` is called when they have arrived."""
        link = self._network.link(sender, receiver)
        leaves = max(time.monotonic(), self._free.get(sender, 0.0))
        self._free[sender] = left = leaves + 8 * size / link.bits_per_second
        arrives = left + link.latency_seconds
        heapq.heappush(self._under_way, (arrives, next(self._order), deliver))

    def deliver(self) -> float | None:
        """Deliver what has arrived; the seconds until the next arrival, None if nothing is due."""
        while self._under_way:
            wait = self._under_way[0][0] - time.monotonic()
            if wait > 0:
                return wait
            heapq.heappop(self._under_way)[2]()
        return None
