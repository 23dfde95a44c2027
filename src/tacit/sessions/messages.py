"""What a controlling process and a party's process say to each other."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import Raw, Struct

__all__ = [
    "Apply",
    "Checked",
    "Command",
    "Delete",
    "Failed",
    "Finish",
    "Finished",
    "Incident",
    "Input",
    "InputsComplete",
    "Kept",
    "Listening",
    "Load",
    "Measure",
    "Measured",
    "Message",
    "Peers",
    "Progress",
    "PublicOperand",
    "Ready",
    "Refresh",
    "Reveal",
    "Revealed",
    "Save",
    "Start",
    "Stored",
    "encode",
]

Kind = Literal["fixed", "int", "bool"]
Plain = Literal["<f8", "<i8", "<i4", "<i2", "|i1", "<u4", "<u2", "|u1", "|b1"]
"""NumPy's types of public and revealed arrays."""


class _Frame(Struct, frozen=True, forbid_unknown_fields=True, array_like=True):
    pass


# Starting a party.


class Start(_Frame, frozen=True, tag="start"):
    """The first frame to a party's process: who it is and what it runs.

    The private keys travel over the private channel only and are never written to a file.
    """

    name: str
    participants: tuple[str, ...]
    protocol: str
    module: str
    configuration: Raw
    job: bytes
    parameters: dict[str, str]
    authority: bytes
    certificate: bytes
    key: bytes
    settings: dict[str, float]
    threads: int
    evidence_certificate: bytes = b""
    evidence_key: bytes = b""
    hold_inputs: bool = False

    def __repr__(self) -> str:
        return f"Start({self.name!r}, module={self.module!r})"


class Listening(_Frame, frozen=True, tag="listening"):
    """A party's port is open."""

    host: str
    port: int


class Peers(_Frame, frozen=True, tag="peers"):
    """Where all parties listen."""

    addresses: dict[str, tuple[str, int]]


class Ready(_Frame, frozen=True, tag="ready"):
    """A party is connected with all others."""


class Progress(_Frame, frozen=True, tag="progress"):
    """How far a party's work is. Never a value of anybody's data.

    Attributes
    ----------
    phase : str
        The phase of the work.
    done, total : float
        Out of `total` units, `done` are finished; `total` 0 means unknown.
    unit : str
        What is counted, such as ``"rows"``.
    note : str
        What else to show, such as a loss whose reveal was agreed.
    """

    phase: str
    done: float
    total: float = 0
    unit: str = ""
    note: str = ""


class Incident(_Frame, frozen=True, tag="incident"):
    """A fault that a party's session has overcome. Public facts only.

    Attributes
    ----------
    stage : int
        The stage of the session in which it happened, 0 for the first.
    kind : str
        What the parties concluded.
    party : str, optional
        Who was lost or convicted.
    pair : tuple of str, optional
        The two of whom one deviated or was lost.
    dropped : tuple of str
        Who takes no part from then on.
    reason : str
        For a reader, without any value.
    protocol : str
        What the others go on with.
    security : str
        What holds from then on, for a reader.
    evidence : str, optional
        Where this party keeps the signed statements.
    at : float
        Seconds since 1970.
    """

    stage: int
    kind: Literal["unclear", "lost", "convicted", "pair"]
    party: str | None
    pair: tuple[str, str] | None
    dropped: tuple[str, ...]
    reason: str
    protocol: str
    security: str
    evidence: str | None
    at: float


class InputsComplete(_Frame, frozen=True, tag="inputs complete"):
    """A party knows of all parties that they have all inputs: from now on a loss is overcome."""


class Finished(_Frame, frozen=True, tag="finished"):
    """A party's job ended; its result in MessagePack."""

    result: Raw


class Failed(_Frame, frozen=True, tag="failed"):
    """A party's job ended with an error (``TacitError.as_dict``)."""

    error: dict[str, Any]


# Commands to a party that serves a controlling process.


class Input(_Frame, frozen=True, tag="input"):
    """Share an array; only its owner's process gets the buffer with its elements.

    Where the parties check inputs they answer with :class:`Checked`. `limits` are the least and
    the greatest integer in decimal digits, since they may need more than 64 bits.
    """

    release: tuple[int, ...]
    result: int
    owner: int
    kind: Kind
    fraction_bits: int
    bits: int
    signed: bool
    shape: tuple[int, ...]
    limits: tuple[str, str]


class PublicOperand(_Frame, frozen=True):
    """A public array, whose bytes are the next buffer."""

    dtype: Plain
    shape: tuple[int, ...]


class Apply(_Frame, frozen=True, tag="apply"):
    """Compute an operation; operands are numbers of secret arrays or public arrays.

    Of a program that is `watched` parties say how far they are.
    """

    release: tuple[int, ...]
    operation: str
    operands: tuple[int | PublicOperand, ...]
    attributes: Raw
    results: tuple[int, ...]
    watched: bool = False


class Reveal(_Frame, frozen=True, tag="reveal"):
    """Open an array to the parties in `to`; those in `answer` return it to the controller."""

    release: tuple[int, ...]
    value: int
    to: tuple[int, ...]
    answer: tuple[int, ...]


class Save(_Frame, frozen=True, tag="save"):
    """Seal arrays in the party's folder; `draft` is a Draft in MessagePack."""

    release: tuple[int, ...]
    values: tuple[int, ...]
    draft: Raw


class Load(_Frame, frozen=True, tag="load"):
    """Open what is stored; its arrays get the numbers from `first` on."""

    release: tuple[int, ...]
    name: str
    version: int | None
    first: int
    resume: bool = False


class Delete(_Frame, frozen=True, tag="delete"):
    """Destroy a version, or all of a name."""

    release: tuple[int, ...]
    name: str
    version: int | None
    purpose: Literal["entry", "checkpoint"]


class Refresh(_Frame, frozen=True, tag="refresh"):
    """Replace all stored shares by fresh ones."""

    release: tuple[int, ...]


class Stored(_Frame, frozen=True, tag="stored"):
    """List what is stored."""

    release: tuple[int, ...]


class Measure(_Frame, frozen=True, tag="measure"):
    """Say what was sent so far, when everything before is computed."""

    release: tuple[int, ...]


class Finish(_Frame, frozen=True, tag="finish"):
    """End the session."""


class Revealed(_Frame, frozen=True, tag="revealed"):
    """A revealed array, whose bytes are the buffer; long integers as elements of the ring."""

    dtype: Plain | Literal["elements"]
    shape: tuple[int, ...]


class Checked(_Frame, frozen=True, tag="checked"):
    """An input was checked on shares: accepted, or what all parties refused alike."""

    refused: dict[str, Any] | None = None


class Kept(_Frame, frozen=True, tag="kept"):
    """The answer to a command about what is stored.

    Attributes
    ----------
    headers : tuple of bytes
        Of the entries concerned.
    count : int
        How many were deleted.
    refused : dict, optional
        What all parties refused alike (``TacitError.as_dict``); the session goes on.
    """

    headers: tuple[bytes, ...]
    count: int = 0
    refused: dict[str, Any] | None = None


class Measured(_Frame, frozen=True, tag="measured"):
    """What this party counted."""

    rounds: int
    bytes_sent: int
    check_bytes: int


Command: TypeAlias = (
    Input | Apply | Reveal | Save | Load | Delete | Refresh | Stored | Measure | Finish
)
Message: TypeAlias = (
    Listening
    | Ready
    | Progress
    | Incident
    | InputsComplete
    | Finished
    | Failed
    | Revealed
    | Checked
    | Kept
    | Measured
)

encode = msgspec.msgpack.Encoder().encode
