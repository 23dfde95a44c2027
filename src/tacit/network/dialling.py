"""From addresses to authenticated TLS links: one listening port, dialling with retries.

The party with the lower index listens, the one with the higher index dials. All connections make
progress side by side in the calling thread, and each is greeted as soon as it stands, so that
parties that disagree learn it without waiting for a third. Who else may connect to the port (a
scanner, a party with a wrong certificate) is turned away and does not end the wait for the right
ones.

In a guarded session (:class:`Guarded`) all ports are open for as long as the processes live. There
a connection begins with a token, and a party that refuses connections is dead: also one that would
dial this party, which is why this party holds a connection to its port, too, until it comes.
"""

from __future__ import annotations

import errno
import itertools
import os
import selectors
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from tacit import _native
from tacit.errors import (
    AddressError,
    CertificateError,
    DeadlineError,
    PartyLostError,
    TacitError,
    TransportError,
)
from tacit.network.addresses import Address, resolve
from tacit.network.certificates import Credentials, dns_name
from tacit.network.faults import (
    Place,
    cause_of,
    certificate_error,
    error_from_failure,
    listed,
)
from tacit.network.handshake import Handshake
from tacit.network.settings import NetworkSettings
from tacit.network.waiting import Awaited, OnWait

__all__ = ["Arrivals", "Guarded", "establish", "identity_of"]

_FIRST_PAUSE: Final = 0.02
_LONGEST_PAUSE: Final = 0.5
_MOST_GUESTS: Final = 32
_LOOK: Final = 0.25
"""Seconds between two looks at links that stand."""
_SILENT: Final = 2.0
"""Seconds without an answer to a connection after which that is worth a word."""
_STAGE: Final = "connect"
_RETRIED: Final = {
    errno.ECONNREFUSED,
    errno.ECONNRESET,
    errno.ECONNABORTED,
    errno.EHOSTUNREACH,
    errno.ENETUNREACH,
    errno.EHOSTDOWN,
    errno.ETIMEDOUT,
}


class Arrivals(Protocol):
    """Where connections come in: a listening port, or what a door sorts out for a mesh."""

    def fileno(self) -> int:
        """A descriptor that can be read when somebody may be there."""
        ...

    def accept(self) -> socket.socket | None:
        """The next connection, if there is one."""
        ...


@dataclass(frozen=True, slots=True)
class Guarded:
    """What is different in a guarded session.

    Attributes
    ----------
    token : bytes
        What a connection begins with, before TLS.
    refusal : float, optional
        A party whose port refuses connections for so many seconds is dead. None while the
        parties are being started.
    occasion : bytes
        As of :class:`~tacit.network.handshake.Handshake`; empty in the first mesh.
    """

    token: bytes
    refusal: float | None
    occasion: bytes = b""


class _Call:
    """This party's attempts to reach one peer, or to see whether it is there (`watches`)."""

    def __init__(self, peer: int, name: str, address: Address, *, watches: bool = False) -> None:
        self.peer = peer
        self.watches = watches
        self.refused: float | None = None
        self.name = name
        self.address = address
        self.targets = itertools.cycle(resolve(address))
        self.socket: socket.socket | None = None
        self.link: _native.Link | None = None
        self.connected = False
        self.pause = _FIRST_PAUSE
        self.next_try = 0.0
        self.begun = 0.0
        self._problem = "nobody listens there"

    @property
    def problem(self) -> str:
        """Why it does not stand yet."""
        silent = self.socket is not None and not self.connected
        if silent and time.monotonic() - self.begun > _SILENT:
            return "no answer: the host is off or another, or a firewall drops what is sent there"
        return self._problem

    def later(self, problem: str) -> None:
        """Give up this attempt; try again after a pause."""
        self.drop()
        self._problem = problem
        self.next_try = time.monotonic() + self.pause
        self.pause = min(self.pause * 1.6, _LONGEST_PAUSE)

    def drop(self) -> None:
        if self.socket is not None:
            self.socket.close()
        if self.link is not None:
            self.link.close()
        self.socket = self.link = None
        self.connected = False


class _Guest:
    """An accepted connection whose TLS handshake is under way."""

    def __init__(self, link: _native.Link, until: float) -> None:
        self.link = link
        self.until = until


class _Establishing:
    """The state of :func:`establish`."""

    def __init__(
        self,
        names: tuple[str, ...],
        index: int,
        credentials: Credentials,
        addresses: Mapping[str, Address],
        arrivals: Arrivals | None,
        settings: NetworkSettings,
        handshake: Handshake,
        until: float,
        guarded: Guarded | None,
        on_wait: OnWait | None,
    ) -> None:
        self.names = names
        self.on_wait = on_wait
        self.index = index
        self.identity = identity_of(credentials)
        self.trust = credentials.trust
        self.arrivals = arrivals
        self.guarded = guarded
        self.settings = settings
        self.handshake = handshake
        self.until = until
        self.place = Place(names, index, _STAGE)
        self.linked: dict[int, int] = {}
        """The descriptors of finished links, whose hellos are awaited or here."""
        self.calls = [_Call(peer, names[peer], addresses[names[peer]]) for peer in range(index)]
        if guarded is not None and guarded.refusal is not None:
            self.calls += [
                _Call(peer, names[peer], addresses[names[peer]], watches=True)
                for peer in range(index + 1, len(names))
            ]
        self.guests: list[_Guest] = []
        self.turned_away: TacitError | None = None
        self.next_word = time.monotonic() + _LOOK
        self.selector = selectors.DefaultSelector()

    def run(self) -> None:
        if self.arrivals is not None:
            self.selector.register(self.arrivals, selectors.EVENT_READ, None)
            self._accept()  # who came for a guarded mesh before this party wanted it
        while self.handshake.missing:
            now = time.monotonic()
            if now >= self.until:
                raise self._overdue()
            for call in self._resting():
                if now >= call.next_try:
                    self._dial(call)
            for guest in [guest for guest in self.guests if now >= guest.until]:
                self._leave(guest)
            for key, _ in self.selector.select(self._patience(now)):
                self._ready(key.data)
            self._listen()
            self._tell()
        if self.on_wait is not None:
            self.on_wait(())

    def _tell(self) -> None:
        """Say whom this party waits for."""
        now = time.monotonic()
        if self.on_wait is None or now < self.next_word:
            return
        self.next_word = now + _LOOK
        turned = "" if self.turned_away is None else self.turned_away.message.removesuffix(".")
        dialled = {call.peer: call for call in self.calls if not call.watches}
        found = []
        for peer in self.handshake.missing:
            name = self.names[peer]
            if peer in self.linked:
                address = dialled[peer].address if peer in dialled else None
                found.append(Awaited(name, address, "connected; its first word is awaited"))
            elif peer in dialled:
                found.append(Awaited(name, dialled[peer].address, dialled[peer].problem))
            else:
                found.append(Awaited(name, None, turned))
        self.on_wait(tuple(found))

    def close(self) -> None:
        """Leave nothing open but the links that have been handed over."""
        self.selector.close()
        for call in self.calls:
            call.drop()
        for guest in self.guests:
            guest.link.close()

    def _patience(self, now: float) -> float:
        times = [self.until, now + _LOOK, *(guest.until for guest in self.guests)]
        times += [call.next_try for call in self._resting()]
        return max(0.0, min(times) - now)

    def _resting(self) -> list[_Call]:
        """The calls between two attempts."""
        waiting = (call for call in self.calls if call.peer not in self.linked)
        return [call for call in waiting if call.socket is None and call.link is None]

    def _ready(self, subject: _Call | _Guest | int | None) -> None:
        if subject is None:
            self._accept()
        elif isinstance(subject, _Guest):
            if subject in self.guests:  # the oldest of too many may have left a moment ago
                self._welcome(subject)
        elif isinstance(subject, int):
            pass  # a finished link: see _listen
        elif subject.watches and subject.link is None and subject.connected:
            self._watched(subject)
        elif subject.socket is not None:
            self._connected(subject, subject.socket)
        else:
            self._greet(subject)

    def _finished(self, peer: int, link: _native.Link) -> None:
        """Hand a link over and say hello on it."""
        self.linked[peer] = link.fileno()
        self.handshake.links.add(peer, link)
        self.handshake.greet(peer)
        self.selector.register(self.linked[peer], selectors.EVENT_READ, peer)

    def _listen(self) -> None:
        """Take what came on finished links: a hello, a cause, an end."""
        for peer in self.handshake.missing:
            if peer in self.linked and self.handshake.hear(peer):
                self.selector.unregister(self.linked[peer])
        self.handshake.links.control({}, [], 0, None)

    # Dialling.

    def _dial(self, call: _Call) -> None:
        family, numeric = next(call.targets)
        call.socket = socket.socket(family, socket.SOCK_STREAM)
        call.begun = time.monotonic()
        call.socket.setblocking(False)
        status = call.socket.connect_ex(numeric)
        if status in (0, errno.EINPROGRESS):
            self.selector.register(call.socket, selectors.EVENT_WRITE, call)
        else:
            self._unreachable(call, status)

    def _connected(self, call: _Call, connected: socket.socket) -> None:
        self.selector.unregister(connected)
        status = connected.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if status:
            self._unreachable(call, status)
            return
        call.refused = None
        if call.watches:  # the other end closes it when it is dead, or tired of it
            call.connected = True
            self.selector.register(connected, selectors.EVENT_READ, call)
            return
        if self.guarded is not None and not _begin(connected, self.guarded.token):
            call.later("the connection ended at once")
            return
        call.socket = None
        name = dns_name(call.name)
        call.link = _native.Link.dial(connected.detach(), self.identity, name)
        self.selector.register(call.link.fileno(), selectors.EVENT_READ, call)
        self._greet(call)

    def _watched(self, call: _Call) -> None:
        assert call.socket is not None
        self.selector.unregister(call.socket)
        call.later("the connection ended")

    def _unreachable(self, call: _Call, status: int) -> None:
        refusal = None if self.guarded is None else self.guarded.refusal
        if refusal is not None and status == errno.ECONNREFUSED:
            now = time.monotonic()
            call.refused = now if call.refused is None else call.refused
            if now - call.refused >= refusal:
                raise PartyLostError(
                    f"{call.name} is lost: nobody listens at its address any more.",
                    next_step="look at that party's own output for the reason, and check its"
                    " machine.",
                    case=7,
                    parties=[call.name],
                    stage=_STAGE,
                )
        if status not in _RETRIED:
            call.drop()
            raise AddressError(
                f"cannot reach {call.name} at {call.address}: {os.strerror(status)}.",
                next_step="check the address, and the routes and firewalls between the machines.",
                case=7,
                parties=[call.name],
                stage=_STAGE,
            )
        call.later(os.strerror(status).lower())

    def _greet(self, call: _Call) -> None:
        link = call.link
        assert link is not None
        try:
            done = link.handshake()
        except _native.LinkFailure as failure:
            self.selector.unregister(link.fileno())
            word, _, _, _, detail = failure.args
            if word in ("ended", "io"):
                call.later("the connection ended during the TLS handshake")
                return
            error = _tls_error(word, call.name, detail, self.place)
            error.parties = error.parties or (call.name,)
            raise error from None
        if not done:
            self._watch(link, call)
            return
        self.selector.unregister(link.fileno())
        # The TLS client has compared the name; the certificate must have no other.
        if self.trust.party(link.peer_certificate() or b"") != call.name:
            raise certificate_error("name", call.name, "", self.place)
        call.link = None
        self._finished(call.peer, link)

    # Listening.

    def _accept(self) -> None:
        assert self.arrivals is not None
        while (accepted := self.arrivals.accept()) is not None:
            if len(self.guests) >= _MOST_GUESTS:
                self._leave(self.guests[0])
            link = _native.Link.accept(accepted.detach(), self.identity)
            guest = _Guest(link, time.monotonic() + self.settings.handshake_timeout)
            self.guests.append(guest)
            self.selector.register(link.fileno(), selectors.EVENT_READ, guest)
            self._welcome(guest)

    def _welcome(self, guest: _Guest) -> None:
        try:
            if not guest.link.handshake():
                self._watch(guest.link, guest)
                return
            certificate = guest.link.peer_certificate() or b""
            name = self.trust.party(certificate)
        except _native.LinkFailure as failure:
            word, _, _, _, detail = failure.args
            if word not in ("ended", "io"):
                error = _tls_error(word, "a party that connected", detail, self.place)
                self._turn_away(error)
            self._leave(guest)
            return
        except CertificateError as error:
            self._turn_away(error)
            self._leave(guest, close=False)
            self._explain(guest.link, error)
            return
        self._leave(guest, close=False)
        peer = self.names.index(name) if name in self.names else -1
        if peer <= self.index or peer in self.linked:
            self._send_away(guest.link, name)
        else:
            self._finished(peer, guest.link)

    def _send_away(self, link: _native.Link, name: str) -> None:
        """Tell a party with a valid certificate why it is not welcome."""
        if self.guarded is not None:  # it knows; and must not hold this party up
            link.close()
            return
        own = self.names[self.index]
        self.turned_away = TransportError(
            f"{own} does not expect a connection from {name}.",
            next_step="start all parties with the same participants in the same order, each once.",
            case=2,
            parties=[name],
            stage=_STAGE,
        )
        self._explain(link, self.turned_away)

    def _explain(self, link: _native.Link, error: TacitError) -> None:
        """Say to somebody whom the authority vouches for why it is turned away, and close."""
        if self.guarded is not None and self.guarded.occasion:
            link.close()
            return
        refusal = _native.Links(0, {1: link}, self.settings.heartbeat_timeout)
        place = Place((*self.names, *error.parties), self.index, _STAGE)
        refusal.abort(cause_of(error, place), 0.1)

    def _turn_away(self, error: TacitError) -> None:
        """Remember why somebody could not come in, for the error if the right ones do not."""
        if self.guarded is None or not self.guarded.occasion:
            self.turned_away = error

    def _leave(self, guest: _Guest, *, close: bool = True) -> None:
        self.selector.unregister(guest.link.fileno())
        self.guests.remove(guest)
        if close:
            guest.link.close()

    def _watch(self, link: _native.Link, subject: _Call | _Guest) -> None:
        events = selectors.EVENT_READ
        if link.wants_write():
            events |= selectors.EVENT_WRITE
        self.selector.modify(link.fileno(), events, subject)

    def own_account(self, failure: _native.LinkFailure) -> TacitError | None:
        """What this party saw itself where another one tells it that somebody did not come.

        Whose deadline ends first is chance, and need not be who turned somebody away.
        """
        if self.turned_away is None or failure.args[0] != "aborted":
            return None
        told = error_from_failure(failure, self.place)
        missing = {self.names[peer] for peer in self.handshake.missing}
        late = isinstance(told, DeadlineError | AddressError) and missing.issuperset(told.parties)
        return self.turned_away if late else None

    def _overdue(self) -> TacitError:
        seconds = f"{self.settings.start_deadline:g} seconds"
        for call in self.calls:
            if call.peer not in self.linked and not call.watches:
                return AddressError(
                    f"{call.name} could not be reached at {call.address} for {seconds}:"
                    f" {call.problem}.",
                    next_step="start that party, check the address, or wait longer.",
                    case=6,
                    parties=[call.name],
                    stage=_STAGE,
                )
        if self.turned_away is not None:
            return self.turned_away
        missing = [self.names[peer] for peer in self.handshake.missing]
        return DeadlineError(
            f"{listed(missing)} did not connect within {seconds}.",
            next_step="start that party, see what it says itself if it has stopped, check that it"
            " has this party's address, or wait longer.",
            case=2,
            parties=missing,
            stage=_STAGE,
        )


def _tls_error(word: str, name: str, detail: bytes, place: Place) -> TacitError:
    text = detail.decode(errors="replace")
    if word in ("protocol", "alert", "tampered"):
        return TransportError(
            f"{name} does not speak TLS 1.3 as tacit does: {text}.",
            next_step="check that the address is a party's, and that all parties run the same"
            " version of tacit.",
            case=3,
            stage=place.stage,
        )
    return certificate_error(word, name, text, place)


def _begin(connected: socket.socket, token: bytes) -> bool:
    """Send a token on a new connection, which has room for it; whether that went well."""
    try:
        return connected.send(token) == len(token)
    except OSError:
        return False


def identity_of(credentials: Credentials) -> _native.Identity:
    """A party's certificate and key for TLS.

    Raises
    ------
    CertificateError
        They cannot be used.
    """
    try:
        return _native.Identity(credentials.authority, credentials.certificate, credentials.key)
    except ValueError as error:
        raise CertificateError(
            f"the credentials of {credentials.name} cannot be used: {error}.",
            next_step="use the files that the authority issued together.",
            case=4,
        ) from None


def establish(
    index: int,
    names: tuple[str, ...],
    credentials: Credentials,
    addresses: Mapping[str, Address],
    arrivals: Arrivals | None,
    settings: NetworkSettings,
    handshake: Handshake,
    until: float,
    guarded: Guarded | None = None,
    on_wait: OnWait | None = None,
) -> None:
    """Make an authenticated TLS link to every other party, and exchange hellos.

    Parameters
    ----------
    index : int
        This party's index.
    names : tuple of str
        The parties' names, by index.
    credentials : Credentials
        This party's certificate and key, and the authority.
    addresses : mapping of str to Address
        Of the parties with lower indices; of all others in a guarded session.
    arrivals : Arrivals, optional
        Where others connect, needed unless this is the last party. Not closed here.
    settings : NetworkSettings
        Time limits.
    handshake : Handshake
        Takes over each link, its certificate checked, and compares hellos.
    until : float
        When to give up (``time.monotonic``).
    guarded : Guarded, optional
        What is different in a guarded session.
    on_wait : callable, optional
        Told whom this party waits for.

    Raises
    ------
    AddressError, CertificateError, DeadlineError, HandshakeError, PartyLostError, TransportError
        Nothing stays open here; the handshake's links are the caller's.
    LinkFailure
        A link failed.
    """
    state = _Establishing(
        names, index, credentials, addresses, arrivals, settings, handshake, until, guarded, on_wait
    )
    try:
        state.run()
    except _native.LinkFailure as failure:
        if (error := state.own_account(failure)) is not None:
            raise error from None
        raise
    finally:
        state.close()
