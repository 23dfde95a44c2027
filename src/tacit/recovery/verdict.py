"""Who is at fault, as a function of what all honest parties accepted alike."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from tacit.recovery.statements import Occasion, Signed

__all__ = ["Verdict"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a conference found; equal at all honest parties, `evidence` up to signatures' bytes.

    Attributes
    ----------
    occasion : Occasion
        Of the conference.
    kind : str
        ``"unclear"``: start again from `restart`, keeping digests. ``"lost"``, ``"convicted"``:
        `party` is at fault. ``"pair"``: one of `pair` is.
    party : str or None
        The one at fault.
    pair : tuple of two str or None
        In the order of the members.
    by_silence : bool
        A pair of which one says no more than that the other was silent.
    restart : int
        The barrier from which all go on.
    reason : str
        For people: a sentence.
    evidence : tuple of Signed
        What it rests on, in the members' order: statements, then answers.
    """

    occasion: Occasion
    kind: Literal["unclear", "lost", "convicted", "pair"]
    party: str | None
    pair: tuple[str, str] | None
    by_silence: bool
    restart: int
    reason: str
    evidence: tuple[Signed, ...] = field(compare=False, repr=False)
