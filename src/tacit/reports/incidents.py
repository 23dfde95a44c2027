"""What happened to a party during a run that ended with a result all the same."""

from __future__ import annotations

from typing import Final, Literal

from msgspec import Struct

__all__ = ["IncidentRecord", "promised"]

_PROMISES: Final = {
    "guaranteed output": "any one of them may deviate and learns nothing; a fault of one of them is"
    " survived",
    "abort": "any one of them may deviate and learns nothing; a further fault ends the run, without"
    " a wrong result",
}


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
    def verdict(self) -> str:
        """Who and what, without a full stop."""
        if self.kind == "lost":
            return f"{self.party} was lost"
        if self.kind == "convicted":
            return f"{self.party} deviated from the protocol"
        if self.pair is not None:
            return f"One of {self.pair[0]} and {self.pair[1]} deviated or was lost"
        return "Parties contradicted each other, and nobody could be named"

    @property
    def title(self) -> str:
        """Who, what and at which time of the day, without a full stop."""
        when = f"at {self.at[11:19]}" + (f", during {self.phase}" if self.phase else "")
        return f"{self.verdict} {when}"

    @property
    def afterwards(self) -> str:
        """How the run went on, in a sentence."""
        held = self.promise
        if not self.protocol:
            return f"From then on: {held}."
        if not self.dropped:
            return f"All went on under {self.protocol}, with more to compare next time: {held}."
        left = f", without {' and '.join(self.dropped)}"
        return f"The others went on under {self.protocol}{left}: {held}."

    @property
    def promise(self) -> str:
        """What held from then on, for anybody to read."""
        if self.protocol == "replicated3":  # only those that a verdict has cleared run it
            return "a verdict shows that they follow the protocol, and no one of them learns more"
        return promised(self.security)


def promised(security: str) -> str:
    """A security model's description in plainer words, where there are any."""
    for outcome, words in _PROMISES.items():
        if security.endswith(f"deviation ends in {outcome}."):
            return words
    return security.removesuffix(".")
