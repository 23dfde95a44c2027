"""The key of a party's storage, and the keys of single files under it.

A party has one owner key: 32 random bytes in a file that only its user can read, or in the
environment. Every sealed file has a fresh key of its own, wrapped by AES key wrap (RFC 3394: J.
Schaad, R. Housley, *Advanced Encryption Standard (AES) Key Wrap Algorithm*, 2002) under a key
derived from the owner key and the file's number. Wrapped keys lie in files of their own: a sealed
file whose key was destroyed is noise, even to who has the owner key.
"""

from __future__ import annotations

import os
import re
import secrets
import stat
import struct
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from tacit.encoding.digest import tagged_hash
from tacit.errors import StorageError
from tacit.storage.writing import overwrite, remove, write_whole

__all__ = ["FileKeys", "OwnerKey", "create_key"]

KEY_BYTES: Final = 32
"""AES-256, of owners and of files."""

_MAGIC: Final = b"tacitkey"
_VERSION: Final = 1
_RECORD: Final = struct.Struct("<8sH8s40s")
"""Magic, version, the owner key's mark, the wrapped key."""


class OwnerKey:
    """A party's storage key. Shows nothing of itself.

    Parameters
    ----------
    secret : bytes
        32 uniform bytes.
    """

    __slots__ = ("_secret",)

    def __init__(self, secret: bytes) -> None:
        if len(secret) != KEY_BYTES:
            raise _no_key("A storage key", "does not have 32 bytes")
        self._secret = bytes(secret)

    def __repr__(self) -> str:
        return "OwnerKey()"

    def __reduce__(self) -> str:
        raise TypeError("keys cannot be pickled")

    @classmethod
    def from_file(cls, path: Path) -> OwnerKey:
        """Read a key file as :func:`create_key` writes it: 64 hexadecimal digits.

        Raises
        ------
        StorageError
            It cannot be read (TC-2302), is no key (TC-2310), or others can read it (TC-2304).
        """
        try:
            with path.open("rb") as file:
                status = os.fstat(file.fileno())
                text = file.read(4 * KEY_BYTES)
        except OSError as error:
            raise StorageError(
                f"The storage key {path} cannot be read: {error.strerror}.",
                next_step="name the file with the party's key; tacit.storage.create_key makes one.",
                case=2,
                stage="storage",
            ) from None
        if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise StorageError(
                f"The storage key {path} can be read by other users of this machine.",
                next_step=f"chmod 600 {path}; if others had access, take a new key with"
                " tacit.storage.change_key and refresh.",
                case=4,
                stage="storage",
            )
        return cls._from_text(text.decode("ascii", "replace"), f"The file {path}")

    @classmethod
    def from_environment(cls, variable: str) -> OwnerKey:
        """The key that an environment variable holds in 64 hexadecimal digits.

        Raises
        ------
        StorageError
            It is not set or no key (TC-2310).
        """
        return cls._from_text(os.environ.get(variable, ""), f"The variable {variable}")

    @classmethod
    def _from_text(cls, text: str, where: str) -> OwnerKey:
        try:
            secret = bytes.fromhex(text.strip())
        except ValueError:
            secret = b""
        if len(secret) != KEY_BYTES:
            raise _no_key(where, "holds no key of 64 hexadecimal digits")
        return cls(secret)

    @property
    def mark(self) -> bytes:
        """8 bytes that tell this key from others and say nothing else about it."""
        return tagged_hash("storage key mark", self._secret)[:8]

    def wrap(self, key: bytes, number: bytes) -> bytes:
        """The key of the file with this number, for keeping: 40 bytes."""
        return aes_key_wrap(self._wrapping(number), key)

    def unwrap(self, wrapped: bytes, number: bytes) -> bytes:
        """The inverse of :meth:`wrap`. Raises InvalidUnwrap for anything else."""
        return aes_key_unwrap(self._wrapping(number), wrapped)

    def _wrapping(self, number: bytes) -> bytes:
        return tagged_hash("storage file key", self._secret, number)


def _no_key(where: str, what: str) -> StorageError:
    return StorageError(
        f"{where} {what}.",
        next_step="make a key with tacit.storage.create_key, or give the one that was used when"
        " the files were written.",
        case=10,
        stage="storage",
    )


def create_key(path: Path | str) -> Path:
    """Make a new storage key in a file that only its user can read.

    Parameters
    ----------
    path : path
        Must not exist yet.

    Raises
    ------
    StorageError
        It exists or cannot be written (TC-2302).
    """
    path = Path(path)
    text = secrets.token_bytes(KEY_BYTES).hex().encode() + b"\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise StorageError(
            f"The storage key {path} cannot be made: {error.strerror}.",
            next_step="choose another path; a key is never overwritten.",
            case=2,
            stage="storage",
        ) from None
    return path


class FileKeys:
    """The wrapped keys of a party's sealed files, one small file each.

    Parameters
    ----------
    folder : Path
        Where they lie; exists.
    owner : OwnerKey
        What wraps them.
    """

    def __init__(self, folder: Path, owner: OwnerKey) -> None:
        self.folder = folder
        self._owner = owner

    def __repr__(self) -> str:
        return f"FileKeys({self.folder})"

    def create(self, number: bytes) -> bytes:
        """A fresh key for a new file, kept on disk before it is used."""
        key = secrets.token_bytes(KEY_BYTES)
        record = _RECORD.pack(_MAGIC, _VERSION, self._owner.mark, self._owner.wrap(key, number))
        write_whole(self.path(number), record)
        return key

    def open(self, number: bytes) -> bytes:
        """The key of a file.

        Raises
        ------
        StorageError
            There is none (TC-2311), it is of another owner key (TC-2312), of another version
            (TC-2313) or damaged (TC-2314).
        """
        path = self.path(number)
        try:
            data = path.read_bytes()
        except OSError:
            raise StorageError(
                f"The key of a sealed file is not there: {path}.",
                next_step="it was destroyed when what it sealed was deleted or refreshed; nothing"
                " can open that file any more. Use a newer version, or another party's help.",
                case=11,
                stage="storage",
            ) from None
        if len(data) != _RECORD.size or data[: len(_MAGIC)] != _MAGIC:
            raise _damaged_key(path)
        _, version, mark, wrapped = _RECORD.unpack(data)
        if version != _VERSION:
            raise StorageError(
                f"{path} has format {version}, and this release reads format {_VERSION}.",
                next_step="use the release of tacit that wrote it, and save again with this one.",
                case=13,
                stage="storage",
            )
        if mark != self._owner.mark:
            raise StorageError(
                f"{path} belongs to another storage key than the one given.",
                next_step="give the key that was used when the files were written.",
                case=12,
                stage="storage",
            )
        try:
            return self._owner.unwrap(wrapped, number)
        except InvalidUnwrap:
            raise _damaged_key(path) from None

    def rewrap(self, number: bytes, new: OwnerKey) -> None:
        """Keep a file's key under another owner key from now on. Nothing to do if it is."""
        data = self.path(number).read_bytes()
        if len(data) == _RECORD.size and _RECORD.unpack(data)[2] == new.mark:
            return
        key = self.open(number)
        record = _RECORD.pack(_MAGIC, _VERSION, new.mark, new.wrap(key, number))
        write_whole(self.path(number), record)

    def destroy(self, number: bytes) -> None:
        """Overwrite a file's key and remove it; what it sealed is lost. No error if it is gone."""
        path = self.path(number)
        overwrite(path, _RECORD.size)
        remove(path)

    def numbers(self) -> set[bytes]:
        """The numbers of all files that have a key here."""
        return {
            bytes.fromhex(path.stem)
            for path in self.folder.glob("*.key")
            if re.fullmatch("[0-9a-f]{32}", path.stem)
        }

    def path(self, number: bytes) -> Path:
        """Where the key of a file lies."""
        return self.folder / f"{number.hex()}.key"


def _damaged_key(path: Path) -> StorageError:
    return StorageError(
        f"{path} is damaged: it holds no key that the storage key opens.",
        next_step="restore it from a copy of the folder, or use an older version.",
        case=14,
        stage="storage",
    )
