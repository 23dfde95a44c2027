"""What parties tell each other and their clients: plain data, checked when it is decoded."""

from __future__ import annotations

from typing import Annotated, Final, Literal, NamedTuple, TypeAlias

from msgspec import Meta, Struct

__all__ = [
    "ID_BYTES",
    "Ask",
    "Described",
    "Exchange",
    "Give",
    "Given",
    "Key",
    "PartyAnswer",
    "Proposal",
    "Reply",
    "State",
    "Wanted",
]

ID_BYTES: Final = 16
"""Of a request's number, drawn by its client."""

MOST_ROWS: Final = 4_096
"""In one request, whatever a service allows."""

MOST_TOGETHER: Final = 64
"""Requests of one client in one message."""

Id: TypeAlias = Annotated[bytes, Meta(min_length=ID_BYTES, max_length=ID_BYTES)]
Rows: TypeAlias = Annotated[int, Meta(ge=1, le=MOST_ROWS)]
Correction: TypeAlias = Annotated[bytes, Meta(max_length=1 << 20)]
ClientName: TypeAlias = Annotated[str, Meta(min_length=1, max_length=64)]

State: TypeAlias = Literal["waiting", "mask", "score", "refused"]
"""Of a request: not agreed yet; its mask is here; its score is here; there is none."""


class Key(NamedTuple):
    """A request: whose, and which of theirs."""

    client: str
    id: bytes


# Between parties.


class Wanted(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A request that a party has accepted from a client."""

    client: ClientName
    id: Id
    rows: Rows

    @property
    def of(self) -> Key:
        """Whose, and which."""
        return Key(self.client, self.id)


class Given(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """d = x - r of a request, as a party got it from the client."""

    client: ClientName
    id: Id
    correction: Correction

    @property
    def of(self) -> Key:
        """Whose, and which."""
        return Key(self.client, self.id)


class Proposal(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What a party would do next, told to all others.

    Attributes
    ----------
    clock : float
        Its time, in seconds since 1970.
    wanted : tuple of Wanted
        Requests to make masks for.
    given : tuple of Given
        What arrived for requests that have masks.
    closing : bool
        Whether it was asked to end.
    """

    clock: float
    wanted: tuple[Wanted, ...] = ()
    given: tuple[Given, ...] = ()
    closing: bool = False


class PlanDigest(Struct, frozen=True, forbid_unknown_fields=True):
    """What a party concluded from all proposals; equal at all."""

    digest: Annotated[bytes, Meta(max_length=32)]


# Between a client and a party.


class Ask(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A client wants a mask for so many rows."""

    id: Id
    rows: Rows


class Give(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A client gives d = x - r of a request whose mask it has."""

    id: Id
    correction: Correction


class Exchange(Struct, frozen=True, forbid_unknown_fields=True):
    """What a client tells a party.

    Attributes
    ----------
    form : bytes
        Digest of the form it encodes its rows for.
    asks : tuple of Ask
    gives : tuple of Give
        Once more is the same as once.
    seconds : float
        How long the party may wait before it answers that something is not there yet.
    """

    form: Annotated[bytes, Meta(max_length=32)]
    asks: Annotated[tuple[Ask, ...], Meta(max_length=MOST_TOGETHER)] = ()
    gives: Annotated[tuple[Give, ...], Meta(max_length=MOST_TOGETHER)] = ()
    seconds: Annotated[float, Meta(ge=0, le=30)] = 10.0


class PartyAnswer(Struct, frozen=True, forbid_unknown_fields=True):
    """How a request stands at a party.

    Attributes
    ----------
    id : bytes
    state : str
    protocol : str
    members : tuple of str
    index : int
        With a mask: whose sharing it is, and which place this party has in it.
    parts : dict of int to bytes
        With a mask: this party's parts of r and s, (rows, features + 1) little-endian words.
    masked : bytes
        With a score: y + s, (rows,) words.
    good : bytes
        With a score: 1 for each row that was within its limits.
    error : dict
        What was refused, and why.
    """

    id: Id
    state: State
    protocol: str = ""
    members: tuple[str, ...] = ()
    index: int = -1
    parts: dict[int, bytes] = {}
    masked: bytes = b""
    good: bytes = b""
    error: dict[str, object] | None = None


class Reply(Struct, frozen=True, forbid_unknown_fields=True):
    """What a party answers."""

    answers: tuple[PartyAnswer, ...] = ()


class Described(Struct, frozen=True, forbid_unknown_fields=True):
    """What everybody may know of a service, as one party tells it.

    Attributes
    ----------
    party : str
        Who tells.
    parties : tuple of str
        All, in order.
    protocol : str
        What they began with.
    members : tuple of str
        Who computes now.
    stage : int
    security : str
        What holds now.
    form : bytes
        The model's form (``ModelForm.to_bytes``).
    digits : int or None
        Decimal places that scores are rounded to.
    rows : int
        The most rows of a request.
    budget : int or None
        Rows that this client has left, by this party's count; None without a limit.
    """

    party: str
    parties: tuple[str, ...]
    protocol: str
    members: tuple[str, ...]
    stage: int
    security: str
    form: bytes
    digits: int | None
    rows: int
    budget: int | None = None
