"""The one open port of a party in a guarded session, and what its visitors come for.

A party keeps its port open for as long as its process lives: a refused connection shows a dead one.
Whatever the party is doing, others may want something else of it already, so a connection begins
with a *token* that says what it is for: a mesh of one stage, or the conference of one number. The
token is no more than a label on a parcel. Who sent it is known after TLS, and the handshake inside
compares everything again.

The door hands out what its party wants now, keeps what it may want later, answers who asks whether
anybody is there, and turns away the rest:
what belongs to a stage or conference that is over, what is no token, what does not come to an end,
and the oldest of too many.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import time
from collections import deque
from collections.abc import Callable
from typing import Final

from tacit import _native
from tacit.errors import CertificateError
from tacit.network.addresses import Listener
from tacit.network.trust import ANY, Trust

__all__ = [
    "HEARTBEAT",
    "TOKEN_BYTES",
    "Caller",
    "Door",
    "Entrance",
    "conference_token",
    "mesh_token",
]

TOKEN_BYTES: Final = 16

_MAGIC: Final = b"tacit-g"
_MESH: Final = b"M"
_CONFERENCE: Final = b"C"
_QUESTION: Final = b"Q"
HERE: Final = b"here"
"""The answer to a connection that asks whether anybody is there."""
_MOST_STRANGERS: Final = 32
"""Connections that have not said what they are for, and those that have not said who they are."""
_MOST_WAITING: Final = 32
_MOST_CALLERS: Final = 3
"""Connections of one party to one conference."""
HEARTBEAT: Final = 60.0
"""Of links that carry letters: their ends look for themselves whether the other is there."""
_AHEAD: Final = 2
"""So many conferences later than the last one that is over may begin."""


def mesh_token(digest: bytes) -> bytes:
    """For a connection to a mesh; the digest's first 8 bytes name it."""
    return _MAGIC + _MESH + digest[:8]


def conference_token(number: int) -> bytes:
    """For a connection to a conference."""
    return _MAGIC + _CONFERENCE + number.to_bytes(8, "little")


def question_token() -> bytes:
    """For a connection that asks whether anybody keeps the door."""
    return _MAGIC + _QUESTION + bytes(8)


class _Stranger:
    """A connection that has not said what it is for."""

    def __init__(self, connection: socket.socket, until: float) -> None:
        self.connection = connection
        self.until = until
        self.token = b""


class _Guest:
    """A connection to a conference whose TLS handshake is under way."""

    def __init__(self, link: _native.Link, number: int, until: float) -> None:
        self.link = link
        self.number = number
        self.until = until


class Caller:
    """A connection to a conference, from a party that proved who it is.

    Attributes
    ----------
    name : str
        From its certificate.
    number : int
        The conference's.
    link : Link
        The TLS link, until somebody listens on it.
    descriptor : int
        The link's.
    links : Links or None
        The link when somebody listens on it.
    letters : list of bytes
        What came on it before its conference began here.
    """

    def __init__(self, name: str, number: int, link: _native.Link) -> None:
        self.name = name
        self.number = number
        self.link = link
        self.descriptor = link.fileno()
        self.links: _native.Links | None = None
        self.letters: list[bytes] = []

    def listen(self, own: int, index: int) -> _native.Links:
        """The link, ready for letters from the party of this index."""
        if self.links is None:
            self.links = _native.Links(own, {index: self.link}, HEARTBEAT)
        return self.links

    def close(self) -> None:
        """End the connection."""
        if self.links is None:
            self.link.close()
        else:
            self.links.close(0.0)


class Door:
    """Sorts who comes to a listening port. Used from one thread at a time.

    Parameters
    ----------
    listener : Listener
        Stays open until :meth:`close`; taken over.
    identity : Identity
        This party's certificate, for the TLS handshakes of callers.
    names : tuple of str
        Who may call for a conference.
    seconds : float
        How long a connection may take to say what it is for, and for its TLS handshake.
    trust : Trust
        Whose certificates are accepted.

    Attributes
    ----------
    over : int
        The number of the last conference that is over.
    callers : list of Caller
        Those of conferences that are not over, in the order in which they came.
    """

    def __init__(
        self,
        listener: Listener,
        identity: _native.Identity,
        names: tuple[str, ...],
        seconds: float,
        trust: Trust = ANY,
    ) -> None:
        self.over = 0
        self.trust = trust
        self.callers: list[Caller] = []
        self._listener = listener
        self._identity = identity
        self._names = names
        self._seconds = seconds
        self._strangers: list[_Stranger] = []
        self._guests: list[_Guest] = []
        self._waiting: deque[tuple[bytes, socket.socket]] = deque()
        self._past: set[bytes] = set()
        self._selector = selectors.DefaultSelector()
        self._selector.register(listener, selectors.EVENT_READ, None)

    def fileno(self) -> int:
        """A descriptor that can be read when :meth:`sort` has something to do."""
        # epoll's and kqueue's own descriptors can be waited for; `selectors` does not say so.
        return self._selector.fileno()

    def sort(self) -> None:
        """Let everybody in who is there, as far as each has come. Never waits, never raises."""
        now = time.monotonic()
        for stranger in [each for each in self._strangers if now >= each.until]:
            self._forget(stranger)
        for guest in [each for each in self._guests if now >= each.until]:
            self._dismiss(guest)
        for key, _ in self._selector.select(0):
            if key.data is None:
                self._accept()
            elif key.data in self._strangers:  # may have been forgotten a moment ago
                self._read(key.data)
            elif key.data in self._guests:
                self._greet(key.data)

    def take(self, token: bytes) -> socket.socket | None:
        """The next connection for this; None if there is none now."""
        for at, (waiting, connection) in enumerate(self._waiting):
            if waiting == token:
                del self._waiting[at]
                return connection
        return None

    def end(self, token: bytes) -> None:
        """Whoever comes for this from now on is turned away."""
        self._past.add(token)
        while (connection := self.take(token)) is not None:
            connection.close()

    def end_conference(self, number: int) -> None:
        """So with conferences up to this one."""
        self.over = max(self.over, number)
        for caller in [each for each in self.callers if each.number <= self.over]:
            self.callers.remove(caller)
            caller.close()

    def close(self) -> None:
        """Close everything. May be called more than once."""
        self._selector.close()
        self._listener.close()
        for stranger in self._strangers:
            stranger.connection.close()
        for guest in self._guests:
            guest.link.close()
        for caller in self.callers:
            caller.close()
        for _, connection in self._waiting:
            connection.close()
        self._strangers, self._guests, self.callers = [], [], []
        self._waiting.clear()

    # What they are for.

    def _accept(self) -> None:
        for _ in range(_MOST_STRANGERS):
            try:
                connection = self._listener.accept()
            except OSError:  # no descriptors left: somebody opened too many
                if not self._strangers:
                    return
                self._forget(self._strangers[0])
                continue
            if connection is None:
                return
            if len(self._strangers) >= _MOST_STRANGERS:
                self._forget(self._strangers[0])
            connection.setblocking(False)
            stranger = _Stranger(connection, time.monotonic() + self._seconds)
            self._strangers.append(stranger)
            self._selector.register(connection, selectors.EVENT_READ, stranger)
            self._read(stranger)

    def _read(self, stranger: _Stranger) -> None:
        try:
            piece = stranger.connection.recv(TOKEN_BYTES - len(stranger.token))
        except BlockingIOError:
            return
        except OSError:
            piece = b""
        stranger.token += piece
        if not piece or not stranger.token.startswith(_MAGIC[: len(stranger.token)]):
            self._forget(stranger)
        elif len(stranger.token) == TOKEN_BYTES:
            self._forget(stranger, close=False)
            self._admit(stranger)

    def _forget(self, stranger: _Stranger, *, close: bool = True) -> None:
        self._selector.unregister(stranger.connection)
        self._strangers.remove(stranger)
        if close:
            stranger.connection.close()

    def _admit(self, stranger: _Stranger) -> None:
        token, connection = stranger.token, stranger.connection
        kind, key = token[len(_MAGIC) :][:1], token[len(_MAGIC) + 1 :]
        number = int.from_bytes(key, "little")
        if kind == _MESH and token not in self._past:
            if len(self._waiting) >= _MOST_WAITING:
                self._waiting.popleft()[1].close()
            self._waiting.append((token, connection))
        elif kind == _QUESTION:
            with contextlib.suppress(OSError):
                connection.send(HERE)
            connection.close()
        elif kind == _CONFERENCE and self.over < number <= self.over + _AHEAD:
            self._invite(connection, number)
        else:
            connection.close()

    # Who they are.

    def _invite(self, connection: socket.socket, number: int) -> None:
        if len(self._guests) >= _MOST_STRANGERS:
            self._dismiss(self._guests[0])
        try:
            link = _native.Link.accept(connection.detach(), self._identity)
        except _native.LinkFailure:
            return
        guest = _Guest(link, number, time.monotonic() + self._seconds)
        self._guests.append(guest)
        self._selector.register(link.fileno(), selectors.EVENT_READ, guest)
        self._greet(guest)

    def _greet(self, guest: _Guest) -> None:
        try:
            if not guest.link.handshake():
                events = selectors.EVENT_READ
                if guest.link.wants_write():
                    events |= selectors.EVENT_WRITE
                self._selector.modify(guest.link.fileno(), events, guest)
                return
            name = self.trust.party(guest.link.peer_certificate() or b"")
        except (_native.LinkFailure, CertificateError):
            self._dismiss(guest)
            return
        known = name in self._names and guest.number > self.over
        self._dismiss(guest, close=not known)
        if known:
            same = [c for c in self.callers if (c.name, c.number) == (name, guest.number)]
            if len(same) >= _MOST_CALLERS:
                self.callers.remove(same[0])
                same[0].close()
            self.callers.append(Caller(name, guest.number, guest.link))

    def _dismiss(self, guest: _Guest, *, close: bool = True) -> None:
        self._selector.unregister(guest.link.fileno())
        self._guests.remove(guest)
        if close:
            guest.link.close()


class Entrance:
    """A door as the listening side of one mesh sees it: who comes for that mesh.

    Parameters
    ----------
    door : Door
        Sorts.
    token : bytes
        The mesh's.
    watch : callable
        Called after each sorting; may raise to end the connecting.
    """

    def __init__(self, door: Door, token: bytes, watch: Callable[[], None]) -> None:
        self.token = token
        self._door = door
        self._watch = watch

    def fileno(self) -> int:
        """As of a socket."""
        return self._door.fileno()

    def accept(self) -> socket.socket | None:
        """The next connection, if there is one."""
        self._door.sort()
        self._watch()
        return self._door.take(self.token)

    def __enter__(self) -> Entrance:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._door.end(self.token)
