"""Faults that a session has overcome, and what its parties may rely on afterwards."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeAlias

from tacit.encoding.ring import Ring
from tacit.protocols import SecurityModel, protocol_named
from tacit.recovery import Stage

__all__ = ["Finding", "Incident", "holding"]

Finding: TypeAlias = Literal["unclear", "lost", "convicted", "pair"]


@dataclass(frozen=True, slots=True)
class Incident:
    """A fault that a session has overcome. Public facts only.

    Attributes
    ----------
    at : float
        When this party had the verdict, seconds since 1970.
    stage : int
        The session's stage from then on: 0 with all four, 1 and 2 with three.
    operation : str
        What this party was doing.
    kind : {"unclear", "lost", "convicted", "pair"}
        What the parties concluded. Unclear: all go on, and keep more to compare next time.
    party : str or None
        Who was lost or convicted.
    pair : tuple of two str or None
        One of these two deviated.
    dropped : tuple of str
        Who does not compute from then on.
    reason : str
        For a reader, without any value.
    protocol : str
        What the others go on with.
    security : SecurityModel
        What holds from then on.
    evidence : Path or None
        Where this party keeps the signed statements.
    """

    at: float
    stage: int
    operation: str
    kind: Finding
    party: str | None
    pair: tuple[str, str] | None
    dropped: tuple[str, ...]
    reason: str
    protocol: str
    security: SecurityModel
    evidence: Path | None

    def describe(self) -> str:
        """One line for people."""
        if self.kind == "pair" and self.pair is not None:
            who = f"one of {self.pair[0]} and {self.pair[1]} deviated"
        elif self.party is not None:
            who = f"{self.party} is {self.kind}"
        else:
            who = "a fault that shows nobody's guilt"
        going = "all start again" if not self.dropped else f"the others go on with {self.protocol}"
        return f"{who} during {self.operation!r} ({self.reason}); {going}."


def holding(stage: Stage, ring: Ring) -> SecurityModel:
    """What holds in a stage of a guarded session."""
    model = protocol_named(stage.protocol).security
    if stage.number == 0:
        return model if ring.bits == 64 else replace(model, outcome="abort")
    outcome: Literal["guaranteed output", "abort"] = "abort"
    gone = " and ".join(stage.dropped)
    if stage.number == 1 and stage.pair is not None and stage.served is not None:
        outcome = "guaranteed output"
        known = f"of {stage.pair[0]} and {stage.pair[1]} one, and nobody else, is corrupted"
    elif stage.number == 1:
        known = f"{gone} is the corrupted or lost party, or there is none; another one may be lost"
    else:
        known = f"{gone} is the corrupted or lost party: the three that compute follow the protocol"
    return replace(
        model,
        outcome=model.outcome if stage.number == 2 else outcome,
        assumptions=(known, *model.assumptions),
    )
