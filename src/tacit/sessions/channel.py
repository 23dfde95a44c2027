"""The private channel between a controlling process and a party's process on one machine.

A frame is a short prefix, a header in MessagePack and raw buffers behind it, over a socket pair
that only the two processes hold. Nothing on it is ever unpickled.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tacit.errors import MessageError

__all__ = ["Channel", "ChannelClosed", "byte_view"]

Buffer = NDArray[np.uint8]

_PREFIX = struct.Struct("<IHH")
_LENGTH = struct.Struct("<Q")
_MAGIC = 0x7AC1
_HEADER_LIMIT = 1 << 30
_BUFFERS_LIMIT = 64
_CHUNK = 1 << 16


class ChannelClosed(Exception):
    """The process at the other end is gone. Whoever owns the channel knows what that means."""


def byte_view(array: NDArray[Any]) -> Buffer:
    """The bytes of an array in C order, without a copy where it is C-contiguous."""
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8)


class Channel:
    """Frames over a connected stream socket. Not for several threads at a time.

    Parameters
    ----------
    connection : socket.socket
        One end of a socket pair; closed with the channel.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._buffer = bytearray(_CHUNK)
        self._view = memoryview(self._buffer)
        self._start = 0
        self._end = 0

    def fileno(self) -> int:
        """The descriptor, for selectors."""
        return self._socket.fileno()

    @property
    def buffered(self) -> bool:
        """Whether bytes of a further frame were already read."""
        return self._end > self._start

    def send(self, header: bytes, buffers: Sequence[Buffer] = ()) -> None:
        """Send one frame; blocks until the other end has room.

        Raises
        ------
        ChannelClosed
            The other process is gone.
        """
        parts: list[Any] = [_PREFIX.pack(len(header), len(buffers), _MAGIC)]
        parts.extend(_LENGTH.pack(buffer.nbytes) for buffer in buffers)
        small = b"".join((*parts, header))
        try:
            if not buffers:
                self._socket.sendall(small)
                return
            _send_all(self._socket, [small, *(buffer.data for buffer in buffers)])
        except OSError as error:
            raise ChannelClosed from error

    def receive(self) -> tuple[bytes, list[Buffer]]:
        """Wait for the next frame: its header and its buffers.

        Raises
        ------
        ChannelClosed
            The other process is gone.
        MessageError
            What came is no frame (TC-5110).
        """
        length, count, magic = _PREFIX.unpack(self._exactly(_PREFIX.size))
        if magic != _MAGIC or length > _HEADER_LIMIT or count > _BUFFERS_LIMIT:
            raise MessageError(
                "The control channel delivered bytes that are no frame.",
                next_step="report this: the two processes run different versions of tacit.",
                case=10,
                stage="control",
            )
        sizes = [_LENGTH.unpack(self._exactly(_LENGTH.size))[0] for _ in range(count)]
        header = self._exactly(length)
        return header, [self._fill(np.empty(size, np.uint8)) for size in sizes]

    def close(self) -> None:
        """Close this end. May be called again."""
        self._socket.close()

    def _exactly(self, size: int) -> bytes:
        if self._end - self._start < size:
            if size > _CHUNK // 2:
                return self._fill(np.empty(size, np.uint8)).tobytes()
            self._more(size)
        taken = bytes(self._view[self._start : self._start + size])
        self._start += size
        return taken

    def _more(self, size: int) -> None:
        if self._start:
            self._view[: self._end - self._start] = self._view[self._start : self._end]
            self._end -= self._start
            self._start = 0
        while self._end < size:
            self._end += self._read(self._view[self._end :])

    def _fill(self, target: Buffer) -> Buffer:
        view = target.data
        have = min(self._end - self._start, len(view))
        view[:have] = self._view[self._start : self._start + have]
        self._start += have
        while have < len(view):
            have += self._read(view[have:])
        return target

    def _read(self, view: memoryview) -> int:
        try:
            count = self._socket.recv_into(view)
        except OSError as error:
            raise ChannelClosed from error
        if count == 0:
            raise ChannelClosed
        return count


def _send_all(connection: socket.socket, parts: list[Any]) -> None:
    views = [memoryview(part) for part in parts if len(part)]
    while views:
        sent = connection.sendmsg(views)
        while views and sent >= len(views[0]):
            sent -= len(views[0])
            views.pop(0)
        if views and sent:
            views[0] = views[0][sent:]
