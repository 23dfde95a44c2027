"""A finding: what an output may tell about inputs, how bad that is, and what to do."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

from msgspec import Struct

__all__ = ["SEVERITIES", "Finding", "Severity", "at_least"]

Severity: TypeAlias = Literal["high", "medium", "low", "note"]

SEVERITIES: Final[tuple[Severity, ...]] = ("high", "medium", "low", "note")
"""The worst first."""


class Finding(Struct, frozen=True):
    """Something that a data-protection officer should look at.

    Attributes
    ----------
    severity : {"high", "medium", "low", "note"}
        Values of single rows are learned; something about single rows or small groups may be;
        a little is; for information.
    kind : str
        Which rule: ``reveals-input``, ``difference``, ``few-rows``, …; see docs/explaining.md.
    outputs : tuple of str
        The outputs that it follows from; several where only together they tell.
    inputs : tuple of str
        What they tell about.
    recipients : tuple of str
        Who learns it.
    what, why, advice : str
        In words.
    """

    severity: Severity
    kind: str
    outputs: tuple[str, ...]
    inputs: tuple[str, ...]
    recipients: tuple[str, ...]
    what: str
    why: str
    advice: str


def at_least(severity: str, level: str) -> bool:
    """Whether a severity is as bad as a level, or worse."""
    order = list(SEVERITIES)
    return order.index(severity) <= order.index(level)  # type: ignore[arg-type]
