"""What an authority has issued, to whom and until when: a file beside the consortium's."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from tacit.consortium.file import Consortium, read
from tacit.consortium.kit import CONSORTIUM_FILE, Role
from tacit.errors import ConfigurationError
from tacit.storage.writing import write_whole

__all__ = ["Entry", "Register", "listed", "no_authority", "write_register"]

REGISTER_FILE: Final = "register.json"

Text = Annotated[str, Meta(max_length=16_384)]


class Entry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the authority last issued to somebody.

    Attributes
    ----------
    name, role
    link, evidence : str
        Certificates, PEM.
    keys : tuple of str
        Fingerprints of the keys.
    until : str
        When they end, ISO 8601.
    at : str
        When they were issued.
    how : {"approved", "issued", "renewed"}
        Issued: the keys were made at the authority.
    revoked : bool
    """

    name: Text
    role: Role
    link: Text
    evidence: Text = ""
    keys: tuple[Text, ...]
    until: Text
    at: Text
    how: Literal["approved", "issued", "renewed"]
    revoked: bool = False

    @property
    def days_left(self) -> int:
        """Whole days until they end."""
        return (
            datetime.datetime.fromisoformat(self.until) - datetime.datetime.now(datetime.UTC)
        ).days


class Register(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All of it, newest last."""

    format: int = 1
    entries: tuple[Entry, ...] = ()


def write_register(folder: Path, register: Register) -> None:
    """Replace the file, durably."""
    data = msgspec.json.format(msgspec.json.encode(register), indent=2)
    write_whole(folder / REGISTER_FILE, data + b"\n")


def listed(folder: Path) -> tuple[Consortium, Register]:
    """An authority's consortium and what it issued, without its secret.

    Raises
    ------
    ConfigurationError
        There is no authority (TC-2024), or a file is damaged.
    """
    try:
        data = (folder / CONSORTIUM_FILE).read_bytes()
    except OSError:
        raise no_authority(folder) from None
    consortium = read(data, folder / CONSORTIUM_FILE)
    path = folder / REGISTER_FILE
    if not path.exists():
        return consortium, Register()
    try:
        return consortium, msgspec.json.decode(path.read_bytes(), type=Register)
    except (msgspec.MsgspecError, OSError):
        raise ConfigurationError(
            f"{path} is damaged.",
            next_step="restore it from a copy of the authority's folder.",
            case=28,
        ) from None


def no_authority(folder: Path) -> ConfigurationError:
    """The error for a folder that is none."""
    return ConfigurationError(
        f"{folder} holds no authority.",
        next_step="name the folder that `tacit consortium new` made.",
        case=24,
    )
