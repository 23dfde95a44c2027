"""When who was there, what held, and what happened: a run as the process that started it saw it."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

__all__ = ["Held", "Moment", "Span", "Timeline"]


class Span(Struct, frozen=True, forbid_unknown_fields=True):
    """A party at work on a phase, in seconds since the first sign of any party."""

    party: str
    phase: str
    begin: float
    end: float


class Held(Struct, frozen=True, forbid_unknown_fields=True):
    """From when on which protocol ran, with whom, and what it promised then."""

    begin: float
    protocol: str
    parties: tuple[str, ...]
    promise: str


class Moment(Struct, frozen=True, forbid_unknown_fields=True):
    """Something that happened at a party, in seconds since the first sign of any.

    Attributes
    ----------
    at : float
    party : str
        Whose line it is shown on; empty for all.
    kind : {"staged", "noticed"}
        Done on purpose by a demo, or a fault that the parties overcame.
    text : str
    """

    at: float
    party: str
    kind: Literal["staged", "noticed"]
    text: str


class Timeline(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A run from the first sign of a party to the last.

    Attributes
    ----------
    seconds : float
    spans : tuple of Span
    held : tuple of Held
        In order; each holds until the next begins.
    moments : tuple of Moment
        In order.
    """

    seconds: float
    spans: tuple[Span, ...]
    held: tuple[Held, ...]
    moments: tuple[Moment, ...] = ()
