"""Sealed files: a public header, and bytes that only the holder of the file's key reads.

::

    magic (8)  "tacitsea"
    format     2 bytes, little endian: 1
    length     4 bytes, little endian: of the header
    header     public, authenticated with every chunk
    chunks     1 MiB of plaintext each, the last one 0 to 1 MiB; AES-256-GCM, 16 bytes of tag

The chunks are the STREAM construction of V. T. Hoang, R. Reyhanitabar, P. Rogaway, D. Vizár,
*Online authenticated-encryption and its nonce-reuse misuse-resistance*, CRYPTO 2015, section 7:
the nonce of a chunk is its number (11 bytes, big endian) and a byte that is 1 for the last one.
So chunks that are missing, doubled, exchanged or cut off at the end do not open. A file's key
is fresh and used for this one file, so no nonce comes twice under it. The associated data of
every chunk is the hash of everything before the chunks.

Both directions stream: memory is two chunks whatever the size.
"""

from __future__ import annotations

import struct
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final, Self

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from numpy.typing import NDArray

from tacit.encoding.digest import tagged_hash
from tacit.errors import StorageError
from tacit.storage.writing import AtomicFile

__all__ = ["CHUNK_BYTES", "FORMAT", "SealedReader", "SealedWriter", "byte_view", "read_header"]

FORMAT: Final = 1
"""The version of the file format."""

CHUNK_BYTES: Final = 1 << 20

_MAGIC: Final = b"tacitsea"
_PREFIX: Final = struct.Struct("<8sHI")
_TAG_BYTES: Final = 16
_HEADER_LIMIT: Final = 1 << 24


def byte_view(array: NDArray[Any]) -> memoryview:
    """The bytes of a C-contiguous array, without a copy."""
    return array.reshape(-1).view(np.uint8).data


def _nonce(number: int, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


class SealedWriter:
    """Writes one sealed file, which appears under its name when it is complete.

    A context manager: leaving it normally seals the last chunk; leaving it by an exception
    leaves nothing.

    Parameters
    ----------
    path : Path
        Its name.
    header : bytes
        What anybody may read.
    key : bytes
        32 fresh bytes, for this file alone.
    """

    def __init__(self, path: Path, header: bytes, key: bytes) -> None:
        start = _PREFIX.pack(_MAGIC, FORMAT, len(header)) + header
        self._bound = tagged_hash("sealed file", start)
        self._cipher = AESGCM(key)
        self._buffer = bytearray(CHUNK_BYTES)
        self._filled = 0
        self._number = 0
        self._file = AtomicFile(path)
        self._start = start

    def __repr__(self) -> str:
        return f"SealedWriter({self._file.path})"

    def write(self, data: memoryview) -> None:
        """Append plaintext, a view of bytes.

        Raises
        ------
        StorageError
            The disk is full or the file cannot be written (TC-2315).
        """
        while data.nbytes:
            if self._filled == CHUNK_BYTES:
                self._seal(last=False)
            taken = min(CHUNK_BYTES - self._filled, data.nbytes)
            self._buffer[self._filled : self._filled + taken] = data[:taken]
            self._filled += taken
            data = data[taken:]

    def _seal(self, last: bool) -> None:
        chunk = memoryview(self._buffer)[: self._filled]
        self._file.write(self._cipher.encrypt(_nonce(self._number, last), chunk, self._bound))
        self._number += 1
        self._filled = 0

    def __enter__(self) -> Self:
        self._file.__enter__()
        try:
            self._file.write(self._start)
        except BaseException as error:
            self._file.__exit__(type(error), error, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                self._seal(last=True)
        except BaseException as problem:
            self._file.__exit__(type(problem), problem, None)
            raise
        finally:
            self._buffer[:] = bytes(CHUNK_BYTES)
        self._file.__exit__(kind, error, trace)


def read_header(path: Path) -> bytes:
    """The header of a sealed file. Needs no key and proves nothing.

    Raises
    ------
    StorageError
        The file cannot be read (TC-2302), has another format (TC-2313) or is none (TC-2316).
    """
    try:
        with path.open("rb") as file:
            return _header(path, file.read(_PREFIX.size), file)
    except OSError as error:
        raise _unreadable(path, error) from None


def _header(path: Path, prefix: bytes, file: BinaryIO) -> bytes:
    if len(prefix) == _PREFIX.size:
        magic, version, length = _PREFIX.unpack(prefix)
        if magic == _MAGIC and version != FORMAT:
            raise StorageError(
                f"{path} has format {version}, and this release reads format {FORMAT}.",
                next_step="use the release of tacit that wrote it, and save again with this one.",
                case=13,
                stage="storage",
            )
        if magic == _MAGIC and length <= _HEADER_LIMIT:
            header = file.read(length)
            if len(header) == length:
                return header
    raise _damaged(path)


class SealedReader:
    """Reads one sealed file from its start to its end. A context manager.

    Plaintext that :meth:`read_into` gave is that of the file, but only :meth:`finish` says that
    the file ends there: use nothing before it returns.

    Parameters
    ----------
    path : Path
        The file.
    key : bytes
        Its key.

    Raises
    ------
    StorageError
        As :func:`read_header`.
    """

    def __init__(self, path: Path, key: bytes) -> None:
        self.path = path
        self._cipher = AESGCM(key)
        self._number = 0
        self._chunk = memoryview(b"")
        self._ended = False
        try:
            self._file = path.open("rb")
        except OSError as error:
            raise _unreadable(path, error) from None
        try:
            prefix = self._file.read(_PREFIX.size)
            self.header = _header(path, prefix, self._file)
            self._bound = tagged_hash("sealed file", prefix + self.header)
            self._ahead = self._file.read(CHUNK_BYTES + _TAG_BYTES)
        except OSError as error:
            self._file.close()
            raise _unreadable(path, error) from None
        except BaseException:
            self._file.close()
            raise

    def __repr__(self) -> str:
        return f"SealedReader({self.path})"

    def read_into(self, target: memoryview) -> None:
        """Fill a view of bytes with the next plaintext.

        Raises
        ------
        StorageError
            The file was changed, or ends before (TC-2316).
        """
        while target.nbytes:
            if not self._chunk.nbytes:
                self._open()
            taken = min(self._chunk.nbytes, target.nbytes)
            target[:taken] = self._chunk[:taken]
            self._chunk = self._chunk[taken:]
            target = target[taken:]

    def finish(self) -> None:
        """Make sure that the file ends here. Raises StorageError (TC-2316) if not."""
        if not self._ended:
            self._open()
        if self._chunk.nbytes:
            raise _damaged(self.path)

    def drain(self) -> None:
        """Open everything that is left without keeping it. Raises StorageError (TC-2316)."""
        while not self._ended:
            self._open()

    def _open(self) -> None:
        if self._ended:
            raise _damaged(self.path)
        sealed = self._ahead
        try:
            self._ahead = self._file.read(CHUNK_BYTES + _TAG_BYTES)
        except OSError as error:
            raise _unreadable(self.path, error) from None
        self._ended = not self._ahead
        try:
            nonce = _nonce(self._number, self._ended)
            self._chunk = memoryview(self._cipher.decrypt(nonce, sealed, self._bound))
        except InvalidTag:
            raise _damaged(self.path) from None
        self._number += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()


def _unreadable(path: Path, error: OSError) -> StorageError:
    return StorageError(
        f"{path} cannot be read: {error.strerror or type(error).__name__}.",
        next_step="check the path, its permissions and the disk.",
        case=2,
        stage="storage",
    )


def _damaged(path: Path) -> StorageError:
    return StorageError(
        f"{path} is damaged or was changed: it does not open under its key.",
        next_step="nothing of it was used. Restore the folder from a copy that was made while no"
        " session used it, or load an older version.",
        case=16,
        stage="storage",
    )
