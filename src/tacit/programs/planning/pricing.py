"""What was counted of a program, with seconds and links: for any pace, without counting again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from tacit.programs.planning.calls import numbers_of
from tacit.programs.planning.clock import Clock, Pace
from tacit.programs.planning.party import Work as LocalWork
from tacit.programs.planning.phases import Counted
from tacit.programs.planning.plan import Spent, Work
from tacit.programs.planning.profile import Profiler
from tacit.programs.planning.shortening import Link
from tacit.programs.planning.tally import Tally
from tacit.programs.planning.watching import Profile

__all__ = ["Priced"]

_LOCAL = "between messages"


class Priced:
    """A counted program, and what its parts take.

    Parameters
    ----------
    counted : Counted
    parties : int
    profiler : Profiler, optional
        None where no seconds are asked for.
    """

    def __init__(self, counted: Counted, parties: int, profiler: Profiler | None) -> None:
        self.counted = counted
        self.parties = parties
        self.profiler = profiler

    def seconds(self, pace: Pace) -> list[float]:
        """Of every phase; zeros where none are asked for."""
        profiler = self.profiler
        if profiler is None:
            return [0.0] * len(self.counted.phases)
        clock = Clock(self.parties, pace, profiler.profile, profiler.local)
        return [clock.pass_over(tally.events) for _, tally in self.counted.phases]

    def in_process(self) -> list[float]:
        """Of every phase, where one process computes for all parties."""
        profiler = self.profiler
        if profiler is None:
            return [0.0] * len(self.counted.phases)
        return [
            sum(times * profile.in_process for _, profile, times in self._profiles(tally))
            + self.parties * self._local(tally)
            for _, tally in self.counted.phases
        ]

    def links(self) -> tuple[Counter[Link], bool]:
        """Bytes of every link, and whether all are exact."""
        links: Counter[Link] = Counter()
        exact = True
        if self.profiler is None:
            return links, exact
        for _, tally in self.counted.phases:
            for _, profile, times in self._profiles(tally):
                exact = exact and profile.exact
                for one in profile.links:
                    for link, (payload, checks) in one.items():
                        links[link] += times * (payload + checks)
        return links, exact

    def work(self) -> tuple[Work, ...]:
        """How often each primitive runs, the largest first."""
        calls: Counter[str] = Counter()
        numbers: Counter[str] = Counter()
        for _, tally in self.counted.phases:
            for call, times in tally.calls.items():
                calls[call.primitive] += times
                numbers[call.primitive] += times * numbers_of(call)
        order = sorted(calls, key=lambda name: (-numbers[name], name))
        return tuple(Work(name, calls[name], numbers[name]) for name in order)

    def spent(self) -> tuple[Spent, ...]:
        """What one party computes for each operation, the most expensive first."""
        if self.profiler is None:
            return ()
        seconds: Counter[str] = Counter()
        calls: Counter[str] = Counter()
        for _, tally in self.counted.phases:
            for name, profile, times in self._profiles(tally):
                calls[name] += times
                seconds[name] += times * profile.seconds  # type: ignore[assignment]
            seconds[_LOCAL] += self._local(tally)  # type: ignore[assignment]
        return tuple(Spent(name, calls[name], float(s)) for name, s in seconds.most_common() if s)

    def _profiles(self, tally: Tally) -> Iterator[tuple[str, Profile, int]]:
        """What was run for a phase, and how often it comes."""
        assert self.profiler is not None
        for piece, times in tally.pieces.items():
            yield piece.name, piece.profile, times
        for call, times in tally.single.items():
            yield call.primitive, self.profiler.profile(call), times

    def _local(self, tally: Tally) -> float:
        """What one party does between messages."""
        assert self.profiler is not None
        seconds = 0.0
        for event in tally.events:
            for token in event.send.get(0, ()):
                one: Any = token
                if isinstance(one, LocalWork):
                    seconds += self.profiler.local(one)
        return seconds
