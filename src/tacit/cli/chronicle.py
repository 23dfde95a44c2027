"""Who was at work on what when, what happened, and what held: as the starting process sees it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from tacit.cli.progress import PhaseMessage
from tacit.reports import Held, IncidentRecord, Moment, Span, Timeline, promised

__all__ = ["Chronicle"]


class Chronicle:
    """Notes phases, faults and what a demo stages, with times.

    Parameters
    ----------
    parties : sequence of str
    protocol : str
    promise : str
        What the protocol promises, as its security model describes it.
    clock : callable
        Seconds; the first thing that is noted is at 0.
    """

    def __init__(
        self,
        parties: Sequence[str],
        protocol: str,
        promise: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._parties = tuple(parties)
        self._clock = clock
        self._start: float | None = None
        self._latest = 0.0
        self._spans: dict[tuple[str, str], tuple[float, float]] = {}
        self._moments: list[Moment] = []
        self._held = [Held(0.0, protocol, self._parties, promised(promise))]

    def progress(self, party: str, message: PhaseMessage) -> None:
        """Take a sign of a party."""
        now = self._now()
        begin, _ = self._spans.get((party, message.phase), (now, now))
        self._spans[party, message.phase] = (begin, now)

    def staged(self, party: str, text: str) -> None:
        """Note what a demo does on purpose."""
        self._moments.append(Moment(self._now(), party, "staged", text))

    def incident(self, record: IncidentRecord) -> None:
        """Note a fault that the parties overcame, or the end of a party that nobody needed."""
        now = self._now()
        shown = record.party or (record.dropped[0] if record.dropped else "")
        self._moments.append(Moment(now, shown, "noticed", f"{record.verdict}: {record.reason}"))
        if record.protocol:
            at_work = tuple(p for p in self._parties if p not in record.dropped)
            before = self._held[-1]
            if (before.protocol, before.parties) != (record.protocol, at_work):
                self._held.append(Held(now, record.protocol, at_work, record.promise))

    def timeline(self) -> Timeline:
        """Everything so far."""
        return Timeline(
            seconds=self._latest,
            spans=tuple(
                Span(party, phase, begin, end)
                for (party, phase), (begin, end) in self._spans.items()
            ),
            held=tuple(self._held),
            moments=tuple(self._moments),
        )

    def _now(self) -> float:
        clock = self._clock()
        if self._start is None:
            self._start = clock
        self._latest = clock - self._start
        return self._latest
