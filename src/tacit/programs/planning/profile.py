"""What a primitive takes on this machine: seconds and messages by round, from running it once.

Each call that a plan has, by its sizes, is run on zeros by all parties in this process: who
computes how long before each round, and who sends whom how much. A long call is run at two
smaller sizes instead, and goes on from there in a straight line; what its messages come to is
then held against what the protocol declares.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Final

from tacit.encoding.ring import Ring
from tacit.programs.planning.calls import MATRICES, step_of
from tacit.programs.planning.party import Call
from tacit.protocols import Protocol
from tacit.rounds.contract import Round, Step
from tacit.rounds.lockstep import LockstepDriver
from tacit.rounds.randomness import SystemRandomness, deal_pairwise_seeds

__all__ = ["Profile", "Profiler"]

PERIOD: Final = 1536
"""Sizes that differ by this divide alike among roles, words and blocks."""

SHORT: Final = 16 * PERIOD
"""Calls of up to twice as many elements are run as they are."""

MOST_PRODUCTS: Final = 1 << 25
"""Multiplications of a matrix product that is run as it is."""

REPEATS: Final = 3

Link = tuple[int, int]


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
    """

    compute: list[list[float]]
    links: list[dict[Link, tuple[int, int]]] = field(default_factory=list)
    exact: bool = True

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
        self.links: list[dict[Link, tuple[int, int]]] = []

    def advance(self, party: int, step: Step[Any]) -> Round:
        """Let one party compute, and note how long."""
        start = self.clock()
        try:
            return super().advance(party, step)
        finally:
            self.times[party].append(self.clock() - start)

    def between(self, rounds: dict[int, Round]) -> None:
        """Note who sends whom."""
        found: dict[Link, tuple[int, int]] = {}
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

    Attributes
    ----------
    local_rate : float
        Seconds a byte that local steps read and write.
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
        self.local_rate = _rate(ring, clock)

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
        small, large, factor = _shorter(call)
        if large is None:
            return self._run(call, small)
        first, second = self._run(call, small), self._run(call, large)
        return _extended(call, first, second, factor)

    def _run(self, call: Call, arguments: tuple[Any, ...]) -> Profile:
        """Run a call with these arguments, several times: the median."""
        members = self.members(call.rounding)
        runs: list[list[list[float]]] = []
        for repeat in range(REPEATS):
            if repeat == 1 and sum(map(sum, runs[0])) > 0.3:
                break
            steps = [step_of(party, call, arguments) for party in members]
            self.driver.begin()
            self.driver.run(steps)
            runs.append(self.driver.times)
        several = runs[1:] or runs
        compute = [
            [median(run[party][place] for run in several) for party in range(len(members))]
            for place in range(len(runs[0][0]))
        ]
        return Profile(compute, list(self.driver.links))


def _rate(ring: Ring, clock: Callable[[], float]) -> float:
    """Seconds a byte of a sum that is written anew."""
    x = ring.zeros(1 << 17)
    times = []
    for _ in range(7):
        start = clock()
        ring.add(x, x)
        times.append(clock() - start)
    return median(times) / x.nbytes


# Shorter calls in the place of long ones.


def _shorter(call: Call) -> tuple[tuple[Any, ...], tuple[Any, ...] | None, float]:
    """Arguments to run in the place of a call's, one or two sets, and how far these are from it.

    The call is at first + factor * (second - first).
    """
    arguments = call.arguments
    if call.primitive in MATRICES:
        return _shorter_matrices(arguments)
    size = arguments[0]
    weight = _weight(call)
    if size * weight <= 2 * SHORT:
        return arguments, None, 1.0
    step = max(PERIOD, SHORT // weight // PERIOD * PERIOD)
    if size <= 2 * step + PERIOD:
        return arguments, None, 1.0
    first = step + size % PERIOD
    second = first + step
    rest = arguments[1:]
    return (first, *rest), (second, *rest), (size - first) / step


def _weight(call: Call) -> int:
    """How much more than other calls one works on an element."""
    if call.primitive in ("from_bits", "bitwise_and", "reveal_bits"):
        planes = call.arguments[-1]
        return int(max(1, planes // 8 if call.primitive != "from_bits" else planes))
    return 4 if call.primitive in ("to_bits",) else 1


def _shorter_matrices(
    arguments: tuple[Any, ...],
) -> tuple[tuple[Any, ...], tuple[Any, ...] | None, float]:
    x, y, *rest = arguments
    if len(x) != 2 or len(y) != 2 or x[0] * x[1] * y[1] <= MOST_PRODUCTS:
        return arguments, None, 1.0
    rows, inner = x
    step = max(PERIOD // 16, MOST_PRODUCTS // (2 * inner * y[1]) // 96 * 96)
    if rows <= 2 * step + 96:
        return arguments, None, 1.0
    first = step + rows % 96
    return (
        ((first, inner), y, *rest),
        ((first + step, inner), y, *rest),
        (rows - first) / step,
    )


def _extended(call: Call, first: Profile, second: Profile, factor: float) -> Profile:
    """The straight line through two profiles."""
    compute = [
        [max(0.0, a + factor * (b - a)) for a, b in zip(one, other, strict=True)]
        for one, other in zip(first.compute, second.compute, strict=True)
    ]
    links: list[dict[Link, tuple[int, int]]] = []
    for one, other in zip(first.links, second.links, strict=True):
        found: dict[Link, tuple[int, int]] = {}
        for link in {**one, **other}:
            a, b = one.get(link, (0, 0)), other.get(link, (0, 0))
            found[link] = (
                round(a[0] + factor * (b[0] - a[0])),
                round(a[1] + factor * (b[1] - a[1])),
            )
        links.append(found)
    made = Profile(compute, links)
    _settle(call, made)
    return made


def _settle(call: Call, profile: Profile) -> None:
    """Make a party's messages add up to what it declares, where the line misses it."""
    for party, (sent, checks) in enumerate(zip(call.bytes_sent, call.check_bytes, strict=True)):
        for kind, declared in ((0, sent), (1, checks)):
            places = [
                (place, link)
                for place, found in enumerate(profile.links)
                for link in found
                if link[0] == party
            ]
            total = sum(profile.links[place][link][kind] for place, link in places)
            if total == declared or not places:
                continue
            receivers = {link[1] for place, link in places if profile.links[place][link][kind]}
            profile.exact = profile.exact and len(receivers) <= 1
            left = declared
            share = declared / total if total else 0.0
            largest = max(places, key=lambda one: profile.links[one[0]][one[1]][kind])
            for place, link in places:
                pair = list(profile.links[place][link])
                pair[kind] = int(pair[kind] * share)
                left -= pair[kind]
                profile.links[place][link] = pair[0], pair[1]
            pair = list(profile.links[largest[0]][largest[1]])
            pair[kind] += left
            profile.links[largest[0]][largest[1]] = pair[0], pair[1]
