"""Running steps of all parties in this process, round by round: how long, and who sends whom."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tacit.programs.planning.shortening import Link, LinkBytes
from tacit.rounds.contract import Round, Step
from tacit.rounds.lockstep import LockstepDriver

__all__ = ["Profile", "Watching"]

LEAST, MOST = 3, 9
"""Timed runs, after one that is not."""

ENOUGH: Final = 20e-3
"""Seconds of timed runs after which there are no more than the least."""

LONG: Final = 300e-3
"""Seconds of timed runs after which there are no more."""


@dataclass(slots=True, eq=False)
class Profile:
    """What a step does, round by round.

    Attributes
    ----------
    compute : list of list of float
        Seconds of each party before each round, and after the last.
    links : list of dict
        For each round, for each sender and receiver, payload and check bytes.
    awaited : list of set
        For each round the links whose messages are waited for.
    exact : bool
        Whether the bytes of every link are exact, not only those of every party.
    carrying : float
        Seconds to carry the messages from party to party in one process.
    products : float
        Which part of the computation is matrix products, from 0 to 1.
    """

    compute: list[list[float]]
    links: list[LinkBytes] = field(default_factory=list)
    awaited: list[set[Link]] = field(default_factory=list)
    exact: bool = True
    carrying: float = 0.0
    products: float = 0.0

    @property
    def seconds(self) -> float:
        """What the slowest party computes."""
        return float(max(sum(one) for one in zip(*self.compute, strict=True)))

    @property
    def in_process(self) -> float:
        """What one process takes that computes for all parties."""
        return sum(map(sum, self.compute)) + self.carrying


class Watching(LockstepDriver):
    """Lockstep that notes seconds and messages.

    Parameters
    ----------
    names : sequence of str
    clock : callable
        Seconds of computation so far.
    """

    def __init__(self, names: Sequence[str], clock: Callable[[], float] = time.thread_time) -> None:
        super().__init__(names)
        self.clock = clock
        self._begin()

    def _begin(self) -> None:
        self.times: list[list[float]] = [[] for _ in self.names]
        self.links: list[LinkBytes] = []
        self.awaited: list[set[Link]] = []

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
        awaited: set[Link] = set()
        for party, one in rounds.items():
            for peer in {*one.send, *one.check}:
                payload = sum(array.nbytes for array in one.send.get(peer, ()))
                checks = sum(array.nbytes for array in one.check.get(peer, ()))
                found[party, peer] = payload, checks
            awaited.update((peer, party) for peer in {*one.receive, *one.check_receive})
        self.links.append(found)
        self.awaited.append(awaited)

    def profile(self, make: Callable[[], list[Step[Any]]], *, timing: bool = True) -> Profile:
        """Run all parties' steps; several times where they are timed, as the first is slower.

        Parameters
        ----------
        make : callable
            Makes every party's step, in the parties' order.
        timing : bool
            Whether seconds are asked for, or messages alone.
        """
        runs: list[list[list[float]]] = []
        carrying: list[float] = []
        spent = 0.0
        while True:
            steps = make()
            self._begin()
            start = self.clock()
            self.run(steps)
            took = self.clock() - start
            carrying.append(took - sum(map(sum, self.times)))
            runs.append(self.times)
            spent += took if len(runs) > 1 else 0.0
            timed = len(runs) - 1
            if not timing or timed >= MOST or spent > (ENOUGH if timed >= LEAST else LONG):
                break
        same = len(self.times[0])  # a sort may take more rounds in another order
        several = [run for run in runs[1:] or runs if len(run[0]) == same]
        compute = [
            [_lower(run[party][place] for run in several) for party in range(len(self.names))]
            for place in range(same)
        ]
        carried = max(0.0, _lower(carrying[1:] or carrying))
        return Profile(compute, self.links, self.awaited, carrying=carried)


def _lower(values: Iterable[float]) -> float:
    """The lower median: whatever else runs on this machine makes a run slower, never faster."""
    ordered = sorted(values)
    return ordered[(len(ordered) - 1) // 2]
