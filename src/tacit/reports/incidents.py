"""What happened to a party during a run that ended with a result all the same."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

__all__ = ["IncidentRecord"]


class IncidentRecord(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A fault that the other parties overcame: for report, manifest and log.

    Attributes
    ----------
    kind : {"lost", "convicted", "pair", "unclear"}
        What the parties concluded: one was lost; one deviated; one of two deviated or was lost;
        nobody in particular, and they began again from where all had been.
    party : str or None
        Who was lost or convicted.
    pair : (str, str) or None
        The two of whom one deviated or was lost.
    dropped : tuple of str
        Who took no part from then on.
    at : str
        ISO 8601 with offset.
    phase : str
        The phase of the work.
    reason : str
        What the parties saw.
    protocol : str
        What the others went on with; empty if nothing was left to do.
    security : str
        What held from then on.
    reported_by : tuple of str
        The parties that reported it.
    evidence : dict of str to str
        Where each of them keeps the signed statements.
    """

    kind: Literal["lost", "convicted", "pair", "unclear"]
    party: str | None
    pair: tuple[str, str] | None
    dropped: tuple[str, ...]
    at: str
    phase: str
    reason: str
    protocol: str
    security: str
    reported_by: tuple[str, ...] = ()
    evidence: dict[str, str] = {}

    @property
    def title(self) -> str:
        """Who, what and at which time of the day, without a full stop."""
        when = f"at {self.at[11:19]}" + (f", during {self.phase}" if self.phase else "")
        if self.kind == "lost":
            return f"{self.party} was lost {when}"
        if self.kind == "convicted":
            return f"{self.party} deviated from the protocol {when}"
        if self.pair is not None:
            one, other = self.pair
            return f"One of {one} and {other} deviated or was lost {when}"
        return f"Parties contradicted each other {when}, and nobody could be named"

    @property
    def afterwards(self) -> str:
        """How the run went on, in a sentence."""
        held = self.security.removesuffix(".")
        if not self.protocol:
            return f"From then on: {held}."
        left = f", without {' and '.join(self.dropped)}" if self.dropped else ""
        return f"The others went on under {self.protocol}{left}: {held}."
