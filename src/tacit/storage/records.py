"""What is public about a stored entry: its header, what it may be used for, its arrays."""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import prod
from pathlib import Path
from typing import Final, Literal, TypeAlias

import msgspec
from msgspec import Struct

from tacit.encoding.digest import tagged_hash
from tacit.encoding.types import DType
from tacit.errors import PolicyDeniedError, StorageError, UsageError

__all__ = [
    "ArrayRecord",
    "Header",
    "Purpose",
    "Uses",
    "bounds_from",
    "bounds_text",
    "checked_name",
    "decode_header",
]

Purpose: TypeAlias = Literal["entry", "checkpoint"]

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")


def checked_name(name: str) -> str:
    """A name of a stored entry.

    Raises
    ------
    UsageError
        It has characters that a file's name should not have (TC-1085).
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot be the name of something stored.",
            next_step="use letters, digits, '_', '-' and '.', at most 63.",
            case=85,
            stage="storage",
        )
    return name


class Uses(Struct, frozen=True, forbid_unknown_fields=True):
    """What a later session may do with what is stored; every party holds it to that.

    It goes over to everything that is computed from it: a result may be used for what all its
    operands may be used for.

    Attributes
    ----------
    operations : tuple of str, optional
        Names of the operation table, such as ``("matmul", "add")``; None permits all.
    reveal_to : tuple of str, optional
        Parties that results may be revealed to; None permits all, ``()`` nobody.
    """

    operations: tuple[str, ...] | None = None
    reveal_to: tuple[str, ...] | None = None

    def both(self, other: Uses) -> Uses:
        """What this and another permit."""
        return Uses(
            _common(self.operations, other.operations), _common(self.reveal_to, other.reveal_to)
        )

    @property
    def everything(self) -> bool:
        """Whether nothing is excluded."""
        return self.operations is None and self.reveal_to is None

    def check_operation(self, name: str) -> None:
        """Raises PolicyDeniedError (TC-4001) for an operation that is not permitted."""
        if self.operations is not None and name not in self.operations:
            raise PolicyDeniedError(
                f"{name} is not among the operations that this stored array may be used for.",
                next_step=f"it may be used in: {', '.join(self.operations) or 'no operation'}; more"
                " must be agreed when it is saved, with uses=.",
                case=1,
                stage="storage",
            )

    def check_recipients(self, names: Sequence[str]) -> None:
        """Raises PolicyDeniedError (TC-4002) for recipients that are not permitted."""
        if self.reveal_to is None:
            return
        refused = [name for name in names if name not in self.reveal_to]
        if refused:
            raise PolicyDeniedError(
                f"A stored array, or what was computed from it, may not be revealed to"
                f" {', '.join(refused)}.",
                next_step=f"it may be revealed to: {', '.join(self.reveal_to) or 'nobody'}; more"
                " must be agreed when it is saved, with uses=.",
                case=2,
                parties=refused,
                stage="storage",
            )


def _common(a: tuple[str, ...] | None, b: tuple[str, ...] | None) -> tuple[str, ...] | None:
    if a is None or b is None:
        return b if a is None else a
    return tuple(name for name in a if name in b)


class ArrayRecord(Struct, frozen=True, forbid_unknown_fields=True):
    """One array of an entry.

    Attributes
    ----------
    name : str
        What it is called in its entry.
    kind, fraction_bits, bits, signed
        Its type, as in :class:`~tacit.encoding.types.DType`.
    shape : tuple of int
    bounds, held : tuple of str, optional
        The public intervals of its reference and of its parts (:func:`bounds_text`).
    declared : bool
        Whether an owner declared the bounds.
    """

    name: str
    kind: Literal["fixed", "int", "bool"]
    fraction_bits: int
    bits: int
    signed: bool
    shape: tuple[int, ...]
    bounds: tuple[str, str] | None = None
    held: tuple[str, str] | None = None
    declared: bool = False

    @property
    def dtype(self) -> DType:
        """Its type."""
        return DType(self.kind, self.fraction_bits, self.bits, self.signed)

    def part_bytes(self, ring_bits: int) -> int:
        """Bytes of one additive part."""
        size = prod(self.shape)
        return -(-size // 64) * 8 if self.kind == "bool" else size * (ring_bits // 8)


def bounds_text(bounds: tuple[float, float] | None) -> tuple[str, str] | None:
    """Bounds as exact text: integers of any size stay integers."""
    if bounds is None:
        return None
    low, high = (str(b) if isinstance(b, int) else float(b).hex() for b in bounds)
    return low, high


def bounds_from(text: tuple[str, str] | None) -> tuple[float, float] | None:
    """The inverse of :func:`bounds_text`."""
    if text is None:
        return None
    low, high = (float.fromhex(b) if "p" in b or "n" in b else int(b) for b in text)
    return low, high


class Header(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The public header of a sealed file, bound to its contents.

    Attributes
    ----------
    purpose : {"entry", "checkpoint"}
    name : str
        What users call it.
    version : int
        Counts up from 1 with every save under this name; for checkpoints, the step.
    identity : bytes
        16 bytes that are this version's own, at all parties.
    epoch : int
        How often its shares were refreshed.
    mark : bytes
        16 bytes that are this epoch's own, at all parties: different attempts differ.
    protocol : str
    ring : int
        Bits of the ring.
    parties : tuple of str
        All parties, by index.
    party : str
    index : int
        Whose shares these are.
    session : bytes
        The session in which this file was written.
    kind : str
        ``"array"``, or the class of an estimator.
    public : bytes
        What else is public about it (an estimator's parameters), encoded by who saved it.
    uses : Uses
    arrays : tuple of ArrayRecord
    number : bytes
        16 bytes that are this file's own; its key lies under it.
    """

    purpose: Purpose
    name: str
    version: int
    identity: bytes
    epoch: int
    mark: bytes
    protocol: str
    ring: int
    parties: tuple[str, ...]
    party: str
    index: int
    session: bytes
    kind: str = "array"
    public: bytes = b""
    uses: Uses = Uses()
    arrays: tuple[ArrayRecord, ...] = ()
    number: bytes = b""

    def encode(self) -> bytes:
        """Its canonical bytes."""
        return msgspec.json.encode(self, order="deterministic")

    def common(self) -> bytes:
        """What all parties' headers of the same epoch have in common."""
        return msgspec.structs.replace(self, party="", index=0, number=b"").encode()

    def digest(self) -> bytes:
        """Its digest: 32 bytes."""
        return tagged_hash("stored entry", self.common())

    def part_bytes(self) -> int:
        """Bytes of one additive part of all arrays together."""
        return sum(array.part_bytes(self.ring) for array in self.arrays)

    def __repr__(self) -> str:
        return f"Header({self.name!r}, version={self.version}, epoch={self.epoch})"


_DECODER = msgspec.json.Decoder(Header)


def decode_header(data: bytes, path: Path) -> Header:
    """A header from its bytes.

    Raises
    ------
    StorageError
        It is none (TC-2316).
    """
    try:
        return _DECODER.decode(data)
    except (msgspec.DecodeError, ValueError):
        raise StorageError(
            f"{path} is damaged: its header cannot be read.",
            next_step="restore the folder from a copy, or load an older version.",
            case=16,
            stage="storage",
        ) from None
