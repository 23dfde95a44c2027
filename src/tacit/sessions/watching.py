"""Words of how far a program has come, from the rounds that are driven."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, TypeAlias, TypeVar

from tacit.rounds.contract import Step

__all__ = ["OnRounds", "Watch"]

T = TypeVar("T")

OnRounds: TypeAlias = Callable[[int, int | None], None]
"""``tell(done, total)``: so many rounds of a program are done; None where there are too many to
count beforehand."""

_INTERVAL: Final = 0.1
"""Seconds between two words of progress."""


class Watch:
    """Counts a program's rounds as they are driven, and says now and then how many are done.

    Parameters
    ----------
    tell : OnRounds
    total : int or None
        Of the whole program.
    """

    def __init__(self, tell: OnRounds, total: int | None) -> None:
        self._tell = tell
        self._total = total
        self._told = 0
        self._at = time.monotonic()
        tell(0, total)

    def over(self, step: Step[T], before: int = 0, most: int | None = None) -> Step[T]:
        """The same step, watched.

        Parameters
        ----------
        step : Step
        before : int
            Rounds that were done before it.
        most : int, optional
            How many it counts for at most: after a fault another protocol may take more.
        """
        done, end = before, self._total if most is None else before + most
        try:
            while True:
                try:
                    one = next(step)
                except StopIteration as stop:
                    found: T = stop.value
                    return found
                yield one
                done += one.depth
                self.reached(done if end is None else min(done, end))
        finally:
            step.close()

    def reached(self, done: int) -> None:
        """So many are done: told if that is news, and not too soon after the last word."""
        now = time.monotonic()
        if done > self._told and (now - self._at >= _INTERVAL or done == self._total):
            self._told, self._at = done, now
            self._tell(done, self._total)
