"""The stages that a session goes through, and which one follows a verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tacit.recovery.verdict import Verdict

__all__ = ["Stage", "after", "after_pair", "first"]


@dataclass(frozen=True, slots=True)
class Stage:
    """Who computes together, with which protocol, and what is known of whom.

    Attributes
    ----------
    number : int
        0 with all four, 1 with three after a fault, 2 with the three that a pair left honest.
    protocol : str
        The protocol's name.
    members : tuple of str
        The computing parties, in the order of the session.
    dropped : tuple of str
        Who does not compute any more.
    pair : tuple of two str or None
        One of these two is corrupt.
    by_silence : bool
        The pair rests on silence alone.
    trusted : tuple of str
        Known to be honest.
    served : str or None
        The dropped one of the pair, that still gets outputs and gives inputs.
    evidence : bool
        Whether senders keep digests.
    attempt : int
        Starts anew in this stage.
    """

    number: int
    protocol: str
    members: tuple[str, ...]
    dropped: tuple[str, ...] = ()
    pair: tuple[str, str] | None = None
    by_silence: bool = False
    trusted: tuple[str, ...] = ()
    served: str | None = None
    evidence: bool = False
    attempt: int = 0


def first(names: Sequence[str], protocol: str) -> Stage:
    """The stage with all parties."""
    return Stage(0, protocol, tuple(names))


def after(stage: Stage, verdict: Verdict, *, without_data: frozenset[str], ring_bits: int) -> Stage:
    """The stage that follows a verdict of stage 0.

    Raises
    ------
    RecoveryError
        There is none.
    """
    raise NotImplementedError


def after_pair(stage: Stage, *, lost: bool) -> Stage:
    """The stage of C, D and B, when stage 1 with a pair failed: A is at fault.

    Parameters
    ----------
    lost : bool
        Whether A only fell silent; then a pair by silence proves nothing of B.
    """
    raise NotImplementedError
