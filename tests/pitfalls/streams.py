"""Watching the pseudorandom streams: who drew which range of which key, at which nonce and lane.

The protocols run on the reference kernels, which draw all streams through one function; that the
compiled kernels compute the same is tested in ``tests/unit/kernels``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from simulation import NAMES, use_reference

from tacit import kernels
from tacit.kernels import reference
from tacit.rounds import LockstepDriver, Round, Step

BLOCK = 16


@dataclass(frozen=True)
class Draw:
    """One use of a stream by one party; `start` to `stop` are counter blocks."""

    party: int
    key: bytes
    nonce: int
    lane: int
    start: int
    stop: int
    size: int


class Watched(LockstepDriver):
    """Lockstep that knows which party computes when a stream is drawn."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...] = NAMES) -> None:
        super().__init__(names)
        self.draws: list[Draw] = []
        self.party = -1
        use_reference(monkeypatch)
        original = reference.fill

        def fill(key: Any, nonce: int, lane: int, out: Any, start: int = 0) -> None:
            blocks = -(-out.nbytes // BLOCK)
            self.draws.append(
                Draw(self.party, key._key, nonce, lane, start, start + blocks, out.nbytes)
            )
            original(key, nonce, lane, out, start)

        monkeypatch.setattr(reference, "fill", fill)
        monkeypatch.setattr(kernels, "fill", fill)

    def advance(self, party: int, step: Step[Any]) -> Round:
        self.party = party
        return super().advance(party, step)


def overlaps(draws: list[Draw]) -> list[tuple[Draw, Draw]]:
    """Pairs of draws of one party from overlapping ranges of one stream: masks used twice."""
    found = []
    last: dict[tuple[Any, ...], Draw] = {}
    for draw in sorted(draws, key=lambda d: (d.party, d.key, d.nonce, d.lane, d.start)):
        if draw.size == 0:
            continue
        stream = (draw.party, draw.key, draw.nonce, draw.lane)
        before = last.get(stream)
        if before is not None and before.stop > draw.start:
            found.append((before, draw))
        if before is None or draw.stop > before.stop:
            last[stream] = draw
    return found
