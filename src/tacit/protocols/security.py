"""What a protocol promises, as data that plans, reports and documentation read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["SecurityModel"]


@dataclass(frozen=True, slots=True)
class SecurityModel:
    """The promise of a protocol and the assumptions it rests on.

    Attributes
    ----------
    parties : int
        How many parties compute.
    threshold : int
        How many of them may be corrupted together.
    adversary : {"passive", "active"}
        Passive parties follow the protocol and try to learn more; active ones do anything.
    outcome : {"none", "abort", "identifiable abort", "fairness", "guaranteed output"}
        What honest parties get when someone deviates; "none" under passive security.
    statistical_bits : int or None
        Statistical security; None where the protocol is perfect given its keys.
    computational_bits : int
        Computational security.
    assumptions : tuple of str
        What must hold.
    leakage : tuple of str
        What is known to leak beyond the result.
    papers : tuple of str
        Keys of ``docs/bibliography.md``.
    """

    parties: int
    threshold: int
    adversary: Literal["passive", "active"]
    outcome: Literal["none", "abort", "identifiable abort", "fairness", "guaranteed output"]
    statistical_bits: int | None
    computational_bits: int
    assumptions: tuple[str, ...]
    leakage: tuple[str, ...]
    papers: tuple[str, ...]

    def describe(self) -> str:
        """One sentence for people."""
        kind = (
            "follow the protocol but pool what they see"
            if self.adversary == "passive"
            else "deviate in any way"
        )
        subject = "no single party" if self.threshold == 1 else f"no {self.threshold} parties"
        return (
            f"{self.parties} parties; {subject} learns anything but the agreed result, even if"
            f" up to {self.threshold} of them {kind}"
            + ("." if self.outcome == "none" else f"; deviation ends in {self.outcome}.")
        )
