"""Writing files so that a crash at any moment leaves the old file or the new one, never half.

A temporary file in the same folder, fsync, rename, fsync of the folder. What is left of a
temporary file after a crash has the ending ``.part`` and is removed when the folder is opened.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from tacit.errors import StorageError

__all__ = ["PART", "AtomicFile", "move", "overwrite", "remove", "write_whole"]

PART: Final = ".part"


class AtomicFile:
    """A file that appears under its name when everything is on the disk, or not at all.

    A context manager: leaving it by an exception removes what was written.

    Parameters
    ----------
    path : Path
        The final name; a file of this name is replaced.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._part = path.with_name(f".{path.name}.{secrets.token_hex(4)}{PART}")
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
            self._file = os.fdopen(os.open(self._part, flags, 0o600), "wb", buffering=0)
        except OSError as error:
            raise _failed(path, error) from None

    def write(self, data: bytes | memoryview) -> None:
        """Append bytes.

        Raises
        ------
        StorageError
            The disk is full or the file cannot be written (TC-2315).
        """
        view = memoryview(data).cast("B")
        try:
            while view.nbytes:
                written = self._file.write(view)
                assert written
                view = view[written:]
        except OSError as error:
            raise _failed(self.path, error) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            with self._file:
                if error is None:
                    os.fsync(self._file.fileno())
            if error is None:
                os.rename(self._part, self.path)
                sync_folder(self.path.parent)
        except OSError as problem:
            raise _failed(self.path, problem) from None
        finally:
            with contextlib.suppress(FileNotFoundError):
                self._part.unlink()


def _failed(path: Path, error: OSError) -> StorageError:
    return StorageError(
        f"{path} cannot be written: {error.strerror or type(error).__name__}.",
        next_step="free some space or correct the permissions, then save again; what was saved"
        " before is unchanged.",
        case=15,
        stage="storage",
    )


def write_whole(path: Path, data: bytes) -> None:
    """Write a small file at once, durably."""
    with AtomicFile(path) as file:
        file.write(data)


def remove(path: Path) -> None:
    """Remove a file durably. No error if it is gone."""
    try:
        path.unlink(missing_ok=True)
        sync_folder(path.parent)
    except OSError as error:
        raise _failed(path, error) from None


def overwrite(path: Path, size: int) -> None:
    """Write zeros over the first bytes of a file, in place. No error if it is gone."""
    try:
        with path.open("r+b") as file:
            file.write(bytes(size))
            file.flush()
            os.fsync(file.fileno())
    except FileNotFoundError:
        return
    except OSError as error:
        raise _failed(path, error) from None


def move(path: Path, to: Path) -> None:
    """Rename a file within its folder, durably."""
    try:
        os.rename(path, to)
        sync_folder(to.parent)
    except OSError as error:
        raise _failed(path, error) from None


def sync_folder(folder: Path) -> None:
    """Make the folder's names durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
