"""Which schema an owner agreed to: its digest, typed in or kept in a file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from tacit.errors import SchemaError, StorageError

__all__ = ["SignOff", "digest_of"]

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_MAX_BYTES: Final = 1 << 16


class SignOff(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An owner's note that it agreed to a schema.

    Attributes
    ----------
    name : str
        Who.
    schema_digest : str
        Hexadecimal.
    signed : str
        When.
    """

    name: str
    schema_digest: str
    signed: str = ""

    def save(self, path: Path) -> Path:
        """Write it as JSON. Raises StorageError."""
        try:
            path.write_bytes(msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n")
        except OSError as error:
            raise StorageError(
                f"The sign-off cannot be written to {path}: {error.strerror}.",
                next_step="choose a path that can be written.",
                case=2,
            ) from None
        return path


def digest_of(text: str | None) -> str:
    """The digest that ``--schema-digest`` names: itself, or a sign-off's; empty for None.

    Raises
    ------
    SchemaError
        Neither (TC-2209).
    """
    if text is None:
        return ""
    plain = text.strip().lower().replace(" ", "")
    if not _DIGEST.fullmatch(plain):
        try:
            with Path(text).open("rb") as file:
                plain = msgspec.json.decode(file.read(_MAX_BYTES), type=SignOff).schema_digest
        except (OSError, msgspec.DecodeError, UnicodeDecodeError, ValueError):
            plain = ""
    if not _DIGEST.fullmatch(plain):
        raise SchemaError(
            "--schema-digest is neither a digest nor a sign-off.",
            next_step="give the 64 hexadecimal digits that `tacit schema show` prints, or the file"
            " that `tacit schema sign` wrote.",
            case=9,
        )
    return plain
