"""A delay line of TCP connections on loopback: needs no privileges, and no special kernel.

For each pair of parties the relay listens at an address of its own; what comes in there goes on
to the real one, late. TCP itself sees only loopback, so its slow start is not part of it.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from collections import deque
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from bench.networks.line import Line
from tacit.network import Address
from tacit.rounds import Network

__all__ = ["Relay"]

READ_BYTES = 1 << 16
HOST = "127.0.0.1"


class _End:
    """One connection's end at the relay: what is read here goes to its `other` end."""

    def __init__(self, connection: socket.socket, sender: int, receiver: int) -> None:
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(OSError):  # no pacing within this machine
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"reno")
        self.connection = connection
        self.sender = sender
        self.receiver = receiver
        self.unsent: deque[memoryview] = deque()
        self.ended = False
        self.other: _End


class Relay:
    """Relays between parties, in a thread of its own. A context manager.

    Parameters
    ----------
    network : Network
        What the parties are to see.
    parties : sequence of str
        Their names, by index.
    """

    def __init__(self, network: Network, parties: Sequence[str]) -> None:
        self.parties = tuple(parties)
        self._line = Line(network)
        self._selector = selectors.SelectSelector()  # the others wait in whole milliseconds
        self._goals: dict[tuple[int, int], Address] = {}
        self._doors: dict[tuple[int, int], socket.socket] = {}
        self._sockets: list[socket.socket] = []
        self._over = False
        for dialled in range(len(parties)):
            for dialling in range(dialled + 1, len(parties)):
                door = socket.create_server((HOST, 0))
                door.setblocking(False)
                self._doors[dialling, dialled] = door
                self._sockets.append(door)
                self._selector.register(door, selectors.EVENT_READ, (dialling, dialled))
        here, self._bell = socket.socketpair()
        self._sockets += [here, self._bell]
        self._selector.register(here, selectors.EVENT_READ, None)
        self._thread = threading.Thread(target=self._run, daemon=True)

    def addresses(self, ports: dict[str, int]) -> dict[str, dict[str, Address]]:
        """For each party, where it finds those with lower indices; call before they connect."""
        found: dict[str, dict[str, Address]] = {}
        for place, name in enumerate(self.parties):
            found[name] = {name: Address(HOST, ports[name])}
            for lower in range(place):
                self._goals[place, lower] = Address(HOST, ports[self.parties[lower]])
                port = self._doors[place, lower].getsockname()[1]
                found[name][self.parties[lower]] = Address(HOST, port)
        return found

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over = True
        self._bell.send(b".")
        self._thread.join()
        for opened in self._sockets:
            opened.close()
        self._selector.close()

    def _run(self) -> None:
        wait: float | None = None
        while not self._over:
            for key, events in self._selector.select(wait):
                if isinstance(key.data, _End):
                    if events & selectors.EVENT_READ:
                        self._read(key.data)
                    if events & selectors.EVENT_WRITE:
                        self._write(key.data)
                elif key.data is not None:
                    self._accept(*key.data)
            wait = self._line.deliver()

    def _accept(self, dialling: int, dialled: int) -> None:
        incoming, _ = self._doors[dialling, dialled].accept()
        goal = self._goals[dialling, dialled]
        outgoing = socket.create_connection((goal.host, goal.port))
        near, far = _End(incoming, dialling, dialled), _End(outgoing, dialled, dialling)
        near.other, far.other = far, near
        for end in (near, far):
            self._sockets.append(end.connection)
            self._selector.register(end.connection, selectors.EVENT_READ, end)

    def _read(self, end: _End) -> None:
        try:
            data = end.connection.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            end.ended = True
            self._watch(end)
        self._line.send(end.sender, end.receiver, len(data), lambda: self._pass(end.other, data))

    def _pass(self, end: _End, data: bytes) -> None:
        """What was under way is at its receiver's end; nothing means that the sender closed."""
        if not data:
            with contextlib.suppress(OSError):
                end.connection.shutdown(socket.SHUT_WR)
            return
        end.unsent.append(memoryview(data))
        self._write(end)

    def _write(self, end: _End) -> None:
        try:
            while end.unsent:
                sent = end.connection.send(end.unsent[0])
                end.unsent[0] = end.unsent[0][sent:]
                if not end.unsent[0]:
                    end.unsent.popleft()
        except BlockingIOError:
            pass
        except OSError:
            end.unsent.clear()
        self._watch(end)

    def _watch(self, end: _End) -> None:
        events = 0 if end.ended else selectors.EVENT_READ
        if end.unsent:
            events |= selectors.EVENT_WRITE
        watched = self._selector.get_map().get(end.connection)
        if events == 0:
            if watched is not None:
                self._selector.unregister(end.connection)
        elif watched is None:
            self._selector.register(end.connection, events, end)
        elif watched.events != events:
            self._selector.modify(end.connection, events, end)
