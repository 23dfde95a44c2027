"""What primitives and operations take on this machine: seconds and messages by round.

Each is run on random sharings by all parties in this process: who computes how long before each
round, and who sends whom how much. Operations run as a whole (``pieces.py``); where one is too
large for that, its primitives run one by one, shorter ones in the place of long ones
(``shortening.py``).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cached_property
from itertools import pairwise
from statistics import median
from typing import Any

from tacit.encoding.ring import Ring
from tacit.programs.planning.calls import step_of
from tacit.programs.planning.party import Call, Work
from tacit.programs.planning.shortening import extended, settle, shorter_call
from tacit.programs.planning.watching import Profile, Watching
from tacit.protocols import Protocol
from tacit.rounds.randomness import SystemRandomness, deal_pairwise_seeds

__all__ = ["Profiler"]


class Profiler:
    """Runs calls of one protocol, each once.

    Parameters
    ----------
    protocol : Protocol
    ring : Ring
    threads : int
        Of matrix products.
    clock : callable
        Seconds of computation so far.
    """

    def __init__(
        self,
        protocol: Protocol,
        ring: Ring,
        *,
        threads: int = 1,
        clock: Callable[[], float] = time.thread_time,
    ) -> None:
        self.protocol = protocol
        self.ring = ring
        self.names = tuple(map(str, range(protocol.security.parties)))
        self.driver = Watching(self.names, clock)
        self._threads = threads
        self._members: dict[str, list[Any]] = {}
        self._profiles: dict[Call, Profile] = {}
        self._rates = _rates(ring, clock)

    def members(self, rounding: str) -> list[Any]:
        """The parties with a rounding."""
        if rounding not in self._members:
            source = SystemRandomness()
            seeds = deal_pairwise_seeds(self.names, source)
            made: list[Any] = [
                self.protocol.party(
                    self.names, index, seeds[index], rounding=rounding, ring=self.ring
                )
                for index in range(len(self.names))
            ]
            setup = self.protocol.setup
            for party in made:
                party.threads = self._threads
            if setup is not None:
                self.driver.run([setup(party, source) for party in made])
            self._members[rounding] = made
        return self._members[rounding]

    @cached_property
    def product_seconds(self) -> float:
        """What a multiplication of a matrix product takes, all parties together."""
        side = 192
        factors = [(party, party.random((side, side))) for party in self.members("probabilistic")]
        found = self.driver.profile(lambda: [party.matmul(x, x) for party, x in factors])
        return sum(map(sum, found.compute)) / side**3

    def profile(self, call: Call) -> Profile:
        """What a call does."""
        found = self._profiles.get(call)
        if found is None:
            found = self._profiles[call] = self._made(call)
        return found

    def _made(self, call: Call) -> Profile:
        shorter = shorter_call(call)
        if shorter is None:
            return self._run(call, call.arguments)
        timed = self._run(call, shorter.timed)
        pair = [self._run(call, arguments, timing=False) for arguments in shorter.pair]
        links = extended(pair[0].links, pair[1].links, shorter.distance)
        compute = [[shorter.factor * one for one in parties] for parties in timed.compute]
        made = Profile(
            compute, links, [set(one) for one in links], carrying=shorter.factor * timed.carrying
        )
        settle(made, call.bytes_sent, call.check_bytes)
        return made

    def _run(self, call: Call, arguments: tuple[Any, ...], *, timing: bool = True) -> Profile:
        members = self.members(call.rounding)
        return self.driver.profile(
            lambda: [step_of(party, call, arguments) for party in members], timing=timing
        )

    def local(self, work: Work) -> float:
        """Seconds of one party's local work."""
        cached, streamed = self._rates
        return work.touched * cached + work.streamed * streamed + work.seconds


def _rates(ring: Ring, clock: Callable[[], float]) -> tuple[float, float]:
    """Seconds a byte that sums write: into small arrays, and into new ones that no cache holds."""
    found = []
    for size, count in ((1 << 11, 64), (1 << 17, 8)):
        arrays = [ring.zeros(size) for _ in range(count)]
        times = []
        for _ in range(5):
            start = clock()
            kept = [ring.add(x, y) for x, y in pairwise(arrays)]
            times.append(clock() - start)
            del kept
        found.append(median(times) / (arrays[0].nbytes * (count - 1)))
    return found[0], found[1]
