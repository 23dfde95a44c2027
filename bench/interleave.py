"""Repeats taken in turn: every job once, then every job again, so that a slow minute of the
machine falls on all jobs alike. What is reported of a job is the median of its repeats.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, TypeAlias

__all__ = ["Job", "Sample", "chosen", "interleaved", "summary"]

Sample: TypeAlias = dict[str, Any]
"""What one repeat found: ``seconds`` and more, or ``skipped`` or ``error`` with the reason."""


@dataclass
class Job:
    """Something that is measured several times.

    Attributes
    ----------
    name : str
        What it is called in tables.
    measure : callable
        Makes one repeat and returns what it found.
    repeats : int
        How often.
    long_seconds : float
        A repeat that takes longer than this from call to return is not made again.
    turn_seconds : float
        A repeat calls `measure` again until this much time was measured; what counts is the call
        of median seconds. One call of a few milliseconds says more of caches that the job before
        it filled than of the job.
    """

    name: str
    measure: Callable[[], Sample]
    repeats: int
    long_seconds: float = float("inf")
    turn_seconds: float = 0.0
    samples: list[Sample] = field(default_factory=list)

    def take(self) -> None:
        """Make one repeat; after a failure or a long one there is no other."""
        start = time.monotonic()
        try:
            sample = self._turn()
        except Exception as failure:
            sample = {"error": f"{type(failure).__name__}: {failure}"}
        self.samples.append(sample)
        if "seconds" not in sample or time.monotonic() - start > self.long_seconds:
            self.repeats = len(self.samples)

    def _turn(self) -> Sample:
        calls = [self.measure()]
        while "seconds" in calls[-1] and sum(c["seconds"] for c in calls) < self.turn_seconds:
            calls.append(self.measure())
        if "seconds" not in calls[-1]:
            return calls[-1]
        return sorted(calls, key=lambda call: float(call["seconds"]))[len(calls) // 2]

    @property
    def done(self) -> bool:
        """Whether all repeats were made."""
        return len(self.samples) >= self.repeats


def chosen(names: Iterable[str], patterns: str) -> list[str]:
    """The names that one of the patterns fits: globs with commas between, ``matmul*,*_1e6``."""
    globs = patterns.split(",")
    return [name for name in names if any(fnmatchcase(name, glob.strip()) for glob in globs)]


def interleaved(
    jobs: Sequence[Job],
    on_start: Callable[[Job], None] = lambda _job: None,
    on_end: Callable[[Job], None] = lambda _job: None,
) -> None:
    """Make the repeats of all jobs in turn.

    Parameters
    ----------
    jobs : sequence of Job
        Their `samples` are filled.
    on_start, on_end : callable
        Called around every repeat.
    """
    while any(not job.done for job in jobs):
        for job in jobs:
            if not job.done:
                on_start(job)
                job.take()
                on_end(job)


def summary(name: str, samples: Sequence[Sample]) -> dict[str, Any]:
    """One row from a job's samples.

    Returns
    -------
    dict
        ``name``, ``repeats``, the median ``seconds`` and ``fastest`` and ``slowest``, medians of
        ``processor_seconds``, the largest ``max_error`` and ``peak_memory``, everything else from
        the last sample. After a failure: ``name``, and ``skipped`` or ``error``.
    """
    failures = [sample for sample in samples if "seconds" not in sample]
    if failures:
        return {"name": name, **failures[0]}
    seconds = [sample["seconds"] for sample in samples]
    row: dict[str, Any] = {"name": name, **samples[0], **samples[-1], "repeats": len(samples)}
    row["seconds"] = statistics.median(seconds)
    row["fastest"], row["slowest"] = min(seconds), max(seconds)
    row["samples"] = seconds
    if "processor_seconds" in row:
        row["processor_seconds"] = statistics.median(s["processor_seconds"] for s in samples)
    for largest in ("max_error", "peak_memory"):
        if largest in row:
            row[largest] = max(sample[largest] for sample in samples if largest in sample)
    return row
