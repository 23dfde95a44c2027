"""What one party's service counts, for Prometheus. Counts and times, never a value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from tacit.recovery import Stage

__all__ = ["Metrics"]

_SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
_ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 2_048)


class Metrics:
    """The counters of one party.

    Attributes
    ----------
    rows : int
        Rows computed so far.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.rows = 0
        add: dict[str, Any] = {"registry": self.registry}
        self._messages = Counter(
            "tacit_serving_requests", "Messages of clients, by outcome.", ["outcome"], **add
        )
        self._refusals = Counter(
            "tacit_serving_refusals",
            "Requests that were refused, by number of the error (TC-4013: budget).",
            ["code"],
            **add,
        )
        self._latency = Histogram(
            "tacit_serving_seconds",
            "From a client's message to the answer.",
            buckets=_SECONDS,
            **add,
        )
        self._batch = Histogram(
            "tacit_serving_batch_rows", "Rows computed together.", buckets=_ROWS, **add
        )
        self._rows = Counter("tacit_serving_rows", "Rows computed.", **add)
        self._queue = Gauge("tacit_serving_queue", "Requests that are not over.", **add)
        self._members = Gauge("tacit_serving_members", "Parties that compute now.", **add)
        self._stage = Gauge(
            "tacit_serving_stage", "0 until a fault was overcome, then 1 or 2.", **add
        )

    def __repr__(self) -> str:
        return "Metrics()"

    def answered(self, seconds: float, outcome: str) -> None:
        """A client's message was answered."""
        self._messages.labels(outcome).inc()
        self._latency.observe(seconds)

    def refused(self, code: str) -> None:
        """A request was refused."""
        self._refusals.labels(code).inc()

    def computed(self, requests: int, rows: int, seconds: float) -> None:
        """A batch was computed."""
        self.rows += rows
        self._rows.inc(rows)
        self._batch.observe(rows)

    def turned(self, members: Sequence[str], queued: int, stage: Stage | None) -> None:
        """The parties took another turn."""
        self._members.set(len(members))
        self._queue.set(queued)
        self._stage.set(0 if stage is None else stage.number)

    def text(self) -> bytes:
        """All of it, as Prometheus reads it."""
        return generate_latest(self.registry)
