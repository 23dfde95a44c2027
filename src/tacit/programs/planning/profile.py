"""What a primitive takes on this machine: seconds and messages by round, from running it once.

Each call that a plan has, by its sizes, is run on random sharings by all parties in this process:
who computes how long before each round, and who sends whom how much. Shorter calls stand for long
ones (``shortening.py``).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median
from typing import Any, Final

from tacit.encoding.ring import Ring
from tacit.programs.planning.calls import step_of
from tacit.programs.planning.party import Call, Work
from tacit.programs.planning.shortening import LinkBytes, extended, settle, shorter_call
from tacit.protocols import Protocol
from tacit.rounds.contract import Round, Step
from tacit.rounds.lockstep import LockstepDriver
from tacit.rounds.randomness import SystemRandomness, deal_pairwise_seeds

__all__ = ["Profile", "Profiler"]

QUICK: Final = 3e-3
"""Calls that take less are run several times more."""


@dataclass(slots=True, eq=False)
class Profile:
    """What a call does, round by round.

    Attributes
    ----------
    compute : list of list of float
        Seconds of each party before each round, and after the last.
    links : list of dict
        For each round, for each sender and receiver, payload and check bytes.
    exact : bool
        Whether the bytes of every link are exact, not only those of every party.
    carrying : float
        Seconds to carry the messages from party to party in one process.
    """

    compute: list[list[float]]
    links: list[LinkBytes] = field(default_factory=list)
    exact: bool = True
    carrying: float = 0.0

    @property
    def seconds(self) -> float:
        """What the slowest party computes."""
        return float(max(sum(one) for one in zip(*self.compute, strict=True)))


class _Watching(LockstepDriver):
    """Lockstep that notes seconds and messages."""

    def __init__(self, names: Sequence[str], clock: Callable[[], float]) -> None:
        super().__init__(names)
        self.clock = clock
        self.begin()

    def begin(self) -> None:
        """Forget what was noted."""
        self.times: list[list[float]] = [[] for _ in self.names]
        self.links: list[LinkBytes] = []

    def advance(self, party: int, step: Step[Any]) -> Round:
        """Let one party compute, and note how long."""
        start = self.clock()
        try:
            return super().advance(party, step)
        finally:
            self.times[party].append(self.clock() - start)

    def between(self, rounds: dict[int, Round]) -> None:
        """Note who sends whom."""
        found: LinkBytes = {}
        for party, one in rounds.items():
            for peer in {*one.send, *one.check}:
                payload = sum(array.nbytes for array in one.send.get(peer, ()))
                checks = sum(array.nbytes for array in one.check.get(peer, ()))
                found[party, peer] = payload, checks
        self.links.append(found)


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
        self.driver = _Watching(self.names, clock)
        self.clock = clock
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
        made = Profile(compute, links, carrying=shorter.factor * timed.carrying)
        settle(call, made)
        return made

    def _run(self, call: Call, arguments: tuple[Any, ...], *, timing: bool = True) -> Profile:
        """Run a call with these arguments; again, where it is timed: the first run is slower."""
        members = self.members(call.rounding)
        runs: list[list[list[float]]] = []
        carrying: list[float] = []
        repeats = 2 if timing else 1
        while len(runs) < repeats:
            steps = [step_of(party, call, arguments) for party in members]
            self.driver.begin()
            start = self.clock()
            self.driver.run(steps)
            carrying.append(self.clock() - start - sum(map(sum, self.driver.times)))
            runs.append(self.driver.times)
            if timing and len(runs) == 2 and sum(map(sum, runs[1])) < QUICK:
                repeats = 6
        several = runs[1:] or runs
        compute = [
            [_lower(run[party][place] for run in several) for party in range(len(members))]
            for place in range(len(runs[0][0]))
        ]
        spent = max(0.0, _lower(carrying[1:] or carrying))
        return Profile(compute, list(self.driver.links), carrying=spent)

    def local(self, work: Work) -> float:
        """Seconds of one party's local work."""
        cached, streamed = self._rates
        return work.touched * cached + work.streamed * streamed + work.seconds


def _lower(values: Iterable[float]) -> float:
    """The lower median: whatever else runs on this machine makes a run slower, never faster."""
    ordered = sorted(values)
    return ordered[(len(ordered) - 1) // 2]


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
