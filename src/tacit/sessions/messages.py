"""What a controlling process and a party's process say to each other."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import Raw, Struct

__all__ = [
    "Apply",
    "Command",
    "Failed",
    "Finish",
    "Finished",
    "Input",
    "Listening",
    "Measure",
    "Measured",
    "Message",
    "Peers",
    "Progress",
    "PublicOperand",
    "Ready",
    "Reveal",
    "Revealed",
    "Start",
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

    The private key travels over the private channel only and is never written to a file.
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
    """

    phase: str
    done: float
    total: float = 0
    unit: str = ""


class Finished(_Frame, frozen=True, tag="finished"):
    """A party's job ended; its result in MessagePack."""

    result: Raw


class Failed(_Frame, frozen=True, tag="failed"):
    """A party's job ended with an error (``TacitError.as_dict``)."""

    error: dict[str, Any]


# Commands to a party that serves a controlling process.


class Input(_Frame, frozen=True, tag="input"):
    """Share an array; only its owner's process gets the buffer with its elements."""

    release: tuple[int, ...]
    result: int
    owner: int
    kind: Kind
    fraction_bits: int
    bits: int
    signed: bool
    shape: tuple[int, ...]


class PublicOperand(_Frame, frozen=True):
    """A public array, whose bytes are the next buffer."""

    dtype: Plain
    shape: tuple[int, ...]


class Apply(_Frame, frozen=True, tag="apply"):
    """Compute an operation; operands are numbers of secret arrays or public arrays."""

    release: tuple[int, ...]
    operation: str
    operands: tuple[int | PublicOperand, ...]
    attributes: Raw
    results: tuple[int, ...]


class Reveal(_Frame, frozen=True, tag="reveal"):
    """Open an array to the parties in `to`; those in `answer` return it to the controller."""

    release: tuple[int, ...]
    value: int
    to: tuple[int, ...]
    answer: tuple[int, ...]


class Measure(_Frame, frozen=True, tag="measure"):
    """Say what was sent so far, when everything before is computed."""

    release: tuple[int, ...]


class Finish(_Frame, frozen=True, tag="finish"):
    """End the session."""


class Revealed(_Frame, frozen=True, tag="revealed"):
    """A revealed array, whose bytes are the buffer."""

    dtype: Plain
    shape: tuple[int, ...]


class Measured(_Frame, frozen=True, tag="measured"):
    """What this party counted."""

    rounds: int
    bytes_sent: int
    check_bytes: int


Command: TypeAlias = Input | Apply | Reveal | Measure | Finish
Message: TypeAlias = Listening | Ready | Progress | Finished | Failed | Revealed | Measured

encode = msgspec.msgpack.Encoder().encode
