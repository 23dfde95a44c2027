"""Do the parties reach each other, and would they agree? A trial of everything before a job.

Every party dials every other, whatever its index, and is dialled by every other, so each direction
is tried. A connection begins with a token of its own: a party that runs a job closes it and is not
disturbed. Over TLS both ends say what the handshake of a job would compare, and what their clocks
show. Nothing of this is secret.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from tacit import _native
from tacit.errors import AddressError, CertificateError
from tacit.network.addresses import Address, Listener, resolve
from tacit.network.certificates import Credentials, dns_name
from tacit.network.dialling import identity_of
from tacit.network.faults import Place, certificate_error
from tacit.network.handshake import WIRE_VERSION

__all__ = ["Found", "Greeting", "greeting", "probe"]

_TOKEN: Final = b"tacit-d".ljust(16, b"\0")
_PAUSE: Final = 0.3
_STEP: Final = 3.0
"""Seconds for a connection, for TLS and for each answer."""
_LIMIT: Final = 8_192
_HEARTBEAT: Final = 10.0

Text = Annotated[str, Meta(max_length=1_000)]


class Greeting(Struct, frozen=True, forbid_unknown_fields=True):
    """What a party says of itself.

    Attributes
    ----------
    name : str
    release : str
        Of tacit.
    wire : int
        The version of what travels.
    terms : dict of str to str
        What it would compare in a job: the edition of the consortium's file, the protocol.
    now : float
        Seconds since 1970 when it said this.
    """

    name: Text
    release: Text
    wire: int
    terms: Annotated[dict[Text, Text], Meta(max_length=32)]
    now: float


@dataclass(slots=True)
class Found:
    """What was seen of one other party.

    Attributes
    ----------
    hosts : tuple of str
        Its numeric addresses; empty if its name is unknown.
    reached : bool
        Whether its port takes connections.
    spoke : bool
        Whether what listens there knows this trial.
    certified : bool
        Whether its certificate is accepted here, and this one there.
    greeting : Greeting or None
        What it says, over the link that this party dialled.
    seconds : float
        From question to answer.
    skew : float
        How far its clock is ahead, give or take half of `seconds`.
    called : bool
        Whether it reached this party.
    problem : str
        Why the last step outwards failed.
    refusal : str
        Why it was turned away when it came.
    tries : int
        How often this party dialled: each time the next of its addresses.
    """

    hosts: tuple[str, ...] = ()
    reached: bool = False
    spoke: bool = False
    certified: bool = False
    greeting: Greeting | None = None
    seconds: float = 0.0
    skew: float = 0.0
    called: bool = False
    problem: str = ""
    refusal: str = ""
    tries: int = 0

    @property
    def done(self) -> bool:
        """Whether both directions were seen."""
        return self.greeting is not None and self.called


def greeting(name: str, terms: Mapping[str, str]) -> Greeting:
    """What this party says, now."""
    return Greeting(name, metadata.version("tacit"), WIRE_VERSION, dict(terms), time.time())


def probe(
    credentials: Credentials,
    addresses: Mapping[str, Address],
    listener: Listener | None,
    terms: Mapping[str, str],
    seconds: float,
) -> dict[str, Found]:
    """Try both directions with every other party until all were seen or the time is over.

    Parameters
    ----------
    credentials : Credentials
        This party's.
    addresses : mapping of str to Address
        Of all parties.
    listener : Listener, optional
        This party's open port; without, nobody can reach it. Left open.
    terms : mapping of str to str
        What this party would compare in a job.
    seconds : float
        How long to try at most.

    Returns
    -------
    dict of str to Found
        For every other party.

    Raises
    ------
    CertificateError
        The credentials cannot be used.
    """
    trial = _Trial(credentials, addresses, terms, time.monotonic() + seconds)
    threads = [
        threading.Thread(target=trial.dial, args=(name,), daemon=True) for name in trial.found
    ]
    if listener is not None:
        threads.append(threading.Thread(target=trial.listen, args=(listener,), daemon=True))
    for thread in threads:
        thread.start()
    try:
        while time.monotonic() < trial.until and not all(f.done for f in trial.found.values()):
            time.sleep(0.05)
    finally:
        trial.over.set()
    for thread in threads:
        thread.join(2 * _STEP)
    return trial.found


class _Trial:
    def __init__(
        self,
        credentials: Credentials,
        addresses: Mapping[str, Address],
        terms: Mapping[str, str],
        until: float,
    ) -> None:
        self.name = credentials.name
        self.trust = credentials.trust
        self.identity = identity_of(credentials)
        self.addresses = addresses
        self.terms = dict(terms)
        self.until = until
        self.over = threading.Event()
        self.found = {name: Found() for name in addresses if name != self.name}

    # Outwards.

    def dial(self, peer: str) -> None:
        """Try one party until it has answered."""
        found = self.found[peer]
        while found.greeting is None and not self.over.is_set():
            try:
                self._dial(peer, found)
            except AddressError as error:
                found.problem = error.message
            except OSError as error:
                # A party whose own trial is over answers no more; what it said before holds.
                if not (found.spoke and found.problem):
                    found.problem = _reason(error)
            except CertificateError as error:
                found.problem = error.message
            except _native.LinkFailure as failure:
                found.problem = self._failure(failure, peer, found)
            except msgspec.MsgspecError:
                found.problem = "it runs another version of tacit"
            self.over.wait(_PAUSE)

    def _dial(self, peer: str, found: Found) -> None:
        targets = resolve(self.addresses[peer])
        found.hosts = tuple(dict.fromkeys(numeric[0] for _, numeric in targets))
        family, numeric = targets[found.tries % len(targets)]
        found.tries += 1
        with socket.socket(family, socket.SOCK_STREAM) as connection:
            connection.settimeout(_STEP)
            connection.connect(numeric)
            found.reached = True
            connection.sendall(_TOKEN)
            connection.setblocking(False)
            link = _native.Link.dial(connection.detach(), self.identity, dns_name(peer))
        try:
            self._shake(link)
            found.spoke = True
            self.trust.party(link.peer_certificate() or b"")
        except BaseException:
            link.close()
            raise
        links = _native.Links(0, {1: link}, _HEARTBEAT)
        try:
            began = time.time()
            said = msgspec.msgpack.encode(greeting(self.name, self.terms))
            heard = links.control({1: said}, [1], _LIMIT, _STEP)[1]
            ended = time.time()
            answer = msgspec.msgpack.decode(heard, type=Greeting)
        finally:
            links.close(1.0)
        found.certified = True
        found.seconds = ended - began
        found.skew = answer.now - (began + ended) / 2
        found.problem = ""
        found.greeting = answer

    def _failure(self, failure: _native.LinkFailure, peer: str, found: Found) -> str:
        word, *_, detail = failure.args
        if word in ("ended", "io", "deadline", "protocol", "alert") and not found.spoke:
            return "what listens there is no `tacit doctor`"
        if word in ("ended", "io", "deadline"):
            return "it did not accept this party's certificate"
        found.spoke = True
        names = (self.name, peer)
        try:
            text = detail.decode(errors="replace")
            return certificate_error(word, peer, text, Place(names, 0, "doctor")).message
        except KeyError:
            return f"the connection failed ({word})"

    # Inwards.

    def listen(self, listener: Listener) -> None:
        """Answer whoever comes."""
        while not self.over.is_set():
            ready, _, _ = select.select([listener], [], [], 0.2)
            if not ready:
                continue
            connection = listener.accept()
            if connection is not None:
                threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        try:
            with connection:
                connection.settimeout(_STEP)
                token = b""
                while len(token) < len(_TOKEN):
                    piece = connection.recv(len(_TOKEN) - len(token))
                    if not piece:
                        return
                    token += piece
                if token != _TOKEN:  # somebody began a job
                    return
                connection.setblocking(False)
                link = _native.Link.accept(connection.detach(), self.identity)
            try:
                self._shake(link)
                name = self.trust.party(link.peer_certificate() or b"")
            except CertificateError as error:
                link.close()
                for party in error.parties:
                    if party in self.found:
                        self.found[party].refusal = error.message
                return
            except BaseException:
                link.close()
                raise
            links = _native.Links(0, {1: link}, _HEARTBEAT)
            try:
                heard = links.control({}, [1], _LIMIT, _STEP)[1]
                msgspec.msgpack.decode(heard, type=Greeting)
                said = msgspec.msgpack.encode(greeting(self.name, self.terms))
                links.control({1: said}, [], 0, _STEP)
            finally:
                links.close(1.0)
            if name in self.found:
                self.found[name].called = True
        except (OSError, _native.LinkFailure, msgspec.MsgspecError):
            return

    def _shake(self, link: _native.Link) -> None:
        until = time.monotonic() + _STEP
        while not link.handshake():
            left = until - time.monotonic()
            if left <= 0:
                raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
            writers = [link.fileno()] if link.wants_write() else []
            select.select([link.fileno()], writers, [], left)


def _reason(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return "no answer"
    return (error.strerror or type(error).__name__).lower()
