"""A client's connections to the parties' endpoints: one each, kept open, asked side by side."""

from __future__ import annotations

import contextlib
import http.client
import select
import socket
import ssl
import time
from collections.abc import Callable, Mapping

from tacit.errors import CertificateError, PartyLostError, TacitError
from tacit.network import Address, Credentials
from tacit.network.names import dns_name
from tacit.serving.tls import client_context

__all__ = ["Line", "Said", "told_all"]

CONNECT_SECONDS = 3.0
"""For a connection with its handshake."""

DOWN_SECONDS = 5.0
"""How long a party that could not be reached is left alone while others answer."""

GRACE_SECONDS = 0.25
"""How long answers that are not needed any more are waited for."""

Said = tuple[int, bytes]
"""Status and body of a response."""


class _Connection(http.client.HTTPConnection):
    """HTTPS to a party by its name in the certificate, wherever it listens."""

    def __init__(self, party: str, address: Address, credentials: Credentials) -> None:
        super().__init__(address.host, address.port, timeout=CONNECT_SECONDS)
        self._party = party
        self._credentials = credentials
        self._context = client_context(credentials)

    def connect(self) -> None:
        plain = socket.create_connection((self.host, self.port), CONNECT_SECONDS)
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.sock = self._context.wrap_socket(plain, server_hostname=dns_name(self._party))
        except BaseException:
            plain.close()
            raise
        der = self.sock.getpeercert(binary_form=True)
        assert der is not None
        if self._credentials.trust.party(der) != self._party:
            self.close()
            raise CertificateError(
                f"at the address of {self._party} another party answers.",
                next_step="correct the address in the consortium's file.",
                case=2,
            )


class Line:
    """The way to one party.

    Attributes
    ----------
    failure : TacitError or None
        Why nothing came the last time.
    """

    def __init__(self, party: str, address: Address, credentials: Credentials) -> None:
        self.party = party
        self.address = address
        self.failure: TacitError | None = None
        self._connection = _Connection(party, address, credentials)
        self._down_until = 0.0
        self._request: tuple[str, str, bytes] | None = None

    def __repr__(self) -> str:
        return f"Line({self.party!r}, {self.address})"

    def send(self, method: str, path: str, body: bytes, *, insist: bool) -> bool:
        """Send a request; False if the party cannot be reached."""
        if time.monotonic() < self._down_until and not insist:
            return False
        fresh = self._connection.sock is None
        try:
            self._put(method, path, body)
        except (OSError, http.client.HTTPException, TacitError) as error:
            if fresh:
                return self._failed(error)
            try:  # it may have closed a connection that was idle
                self._connection.close()
                self._put(method, path, body)
            except (OSError, http.client.HTTPException, TacitError) as again:
                return self._failed(again)
        self._request = (method, path, body) if not fresh else None
        return True

    def _put(self, method: str, path: str, body: bytes) -> None:
        self._connection.request(method, path, body or None)
        self._connection.sock.settimeout(CONNECT_SECONDS)

    @property
    def ready(self) -> bool:
        """Whether an answer, or an end, waits to be read."""
        found = self._connection.sock
        pending = isinstance(found, ssl.SSLSocket) and found.pending() > 0
        return pending or bool(select.select([found], [], [], 0)[0])

    def fileno(self) -> int:
        """For select."""
        return self._connection.sock.fileno()

    def receive(self) -> Said | None:
        """Read the answer; None if there is none. May send once more and then ``again``."""
        try:
            response = self._connection.getresponse()
            body = response.read()
        except (OSError, http.client.HTTPException) as error:
            self._failed(error)
            return None
        self.failure = None
        self._request = None
        if response.will_close:
            self._connection.close()
        return response.status, body

    def again(self) -> bool:
        """Send once more what met a connection that had been closed meanwhile."""
        if self._request is None:
            return False
        request, self._request = self._request, None
        self._down_until = 0.0
        self._connection.close()
        try:
            self._put(*request)
        except (OSError, http.client.HTTPException, TacitError) as error:
            return self._failed(error)
        return True

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def _failed(self, error: BaseException) -> bool:
        self._connection.close()
        self._down_until = time.monotonic() + DOWN_SECONDS
        if isinstance(error, TacitError):
            self.failure = error
            return False
        reason = getattr(error, "strerror", None) or type(error).__name__
        if isinstance(error, ssl.SSLError):
            reason = f"TLS: {error.reason or type(error).__name__}"
        self.failure = PartyLostError(
            f"{self.party} does not answer at {self.address}: {reason}.",
            next_step="check that the service runs there, and this client's certificate.",
            case=13,
            parties=[self.party],
            stage="serving",
        )
        return False


def told_all(
    lines: Mapping[str, Line],
    method: str,
    path: str,
    body: bytes,
    seconds: float,
    enough: Callable[[Mapping[str, Said]], bool],
) -> dict[str, Said]:
    """Ask all parties the same, side by side.

    Parameters
    ----------
    lines : mapping of str to Line
    method, path, body
        Of the request.
    seconds : float
        How long to wait at most.
    enough : callable
        Whether what is there suffices: the others are waited for a moment longer, and hung up on.

    Returns
    -------
    dict of str to (int, bytes)
        What came, by party.
    """
    waiting = {line for line in lines.values() if line.send(method, path, body, insist=False)} or {
        line for line in lines.values() if line.send(method, path, body, insist=True)
    }
    said: dict[str, Said] = {}
    until = time.monotonic() + seconds
    satisfied = False
    while waiting:
        left = until - time.monotonic()
        if left <= 0:
            break
        ready = [line for line in waiting if line.ready]
        if not ready:
            ready = select.select(list(waiting), [], [], left)[0]
        for line in ready:
            answer = line.receive()
            if answer is None and line.again():
                continue
            waiting.discard(line)
            if answer is not None:
                said[line.party] = answer
        if not satisfied and enough(said):
            satisfied = True
            until = min(until, time.monotonic() + GRACE_SECONDS)
    for line in waiting:  # what it says later would be taken for an answer to something else
        with contextlib.suppress(OSError):
            line.close()
    return said
