"""The phases of all parties' results, for a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from tacit.reports import Phase
from tacit.sessions.phases import PhaseCost

__all__ = ["phases_of"]


class _HasPhases(Protocol):
    @property
    def phases(self) -> Sequence[PhaseCost]: ...


def phases_of(results: Mapping[str, _HasPhases]) -> list[Phase]:
    """One line a phase: the slowest party's seconds and rounds, what each sent.

    A phase that comes several times is added up.
    """
    found = []
    for name in dict.fromkeys(p.phase for result in results.values() for p in result.phases):
        costs = {
            party: [p for p in result.phases if p.phase == name]
            for party, result in results.items()
        }
        costs = {party: parts for party, parts in costs.items() if parts}
        found.append(
            Phase(
                name,
                max(sum(p.seconds for p in parts) for parts in costs.values()),
                max(sum(p.rounds for p in parts) for parts in costs.values()),
                {n: sum(p.bytes_sent + p.check_bytes for p in ps) for n, ps in costs.items()},
            )
        )
    return found
