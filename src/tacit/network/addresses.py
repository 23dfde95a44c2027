"""Addresses of parties, and the one listening port a party has."""

from __future__ import annotations

import errno
import socket
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from tacit.errors import AddressError, UsageError

__all__ = ["Address", "Listener", "is_local", "resolve"]


@dataclass(frozen=True, slots=True)
class Address:
    """Where a party listens.

    Attributes
    ----------
    host : str
        A host name or an IPv4 or IPv6 address.
    port : int
        1 to 65535; 0, only to listen on, lets the system choose.
    """

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read ``host:port`` or ``[ipv6]:port``.

        Raises
        ------
        UsageError
            The text has another form.
        """
        host, colon, port = text.rpartition(":")
        if host.startswith("[") and host.endswith("]"):
            host = host[1:-1]
        elif ":" in host:
            colon = ""
        if not (colon and host and port.isascii() and port.isdigit() and int(port) <= 65_535):
            raise UsageError(
                f"{text!r} is no address.",
                next_step="write host:port, such as 127.0.0.1:7600 or [::1]:7600.",
                case=10,
            )
        return cls(host, int(port))

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Listener:
    """A party's listening port, open from construction until :meth:`close`.

    Parameters
    ----------
    address : Address
        Where to listen. With port 0 the system chooses a free one, see :attr:`address`.

    Raises
    ------
    AddressError
        The port is busy, not permitted, or the host is unknown or not of this machine.
    """

    address: Address
    """Where this listens, with the port that the system chose."""

    def __init__(self, address: Address) -> None:
        family, numeric = resolve(address)[0]
        listening = socket.socket(family, socket.SOCK_STREAM)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(numeric)
            listening.listen(64)
            listening.setblocking(False)
        except OSError as error:
            listening.close()
            raise _refusal(address, error) from None
        except BaseException:
            listening.close()
            raise
        self.socket = listening
        self.address = Address(address.host, listening.getsockname()[1])

    def fileno(self) -> int:
        """The listening socket's descriptor, for selectors."""
        return self.socket.fileno()

    def accept(self) -> socket.socket | None:
        """The next connection that waits, if there is one."""
        try:
            return self.socket.accept()[0]
        except (BlockingIOError, ConnectionError):
            return None

    def close(self) -> None:
        """Stop listening. May be called more than once."""
        self.socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Listener({self.address})"


def resolve(address: Address) -> list[tuple[socket.AddressFamily, tuple[str, int]]]:
    """The numeric addresses of a host, each with its family, in the system's order.

    Raises
    ------
    AddressError
        The host is unknown.
    """
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no valid host name"
        raise AddressError(
            f"the host of {address} is unknown: {reason}.",
            next_step="check the spelling of the host name, and the name service of this machine.",
            case=3,
        ) from None
    return [(family, (str(numeric[0]), address.port)) for family, _, _, _, numeric in found]


def is_local(address: Address) -> bool:
    """Whether an address is this machine's, so that a party can listen there.

    Raises
    ------
    AddressError
        The host is unknown.
    """
    family, (host, _) = resolve(address)[0]
    with socket.socket(family, socket.SOCK_DGRAM) as trial:  # takes no port of any party
        try:
            trial.bind((host, 0))
        except OSError:
            return False
    return True


def _refusal(address: Address, error: OSError) -> AddressError:
    if error.errno == errno.EADDRINUSE:
        return AddressError(
            f"port {address.port} of {address.host} is busy: another program listens there.",
            next_step="stop that program (`ss -ltnp` shows it), or choose another port.",
            case=1,
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return AddressError(
            f"this user may not listen on {address}.",
            next_step="choose a port above 1023.",
            case=2,
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return AddressError(
            f"{address.host} is no address of this machine.",
            next_step="listen on an address that this machine has, or on 0.0.0.0.",
            case=4,
        )
    return AddressError(
        f"cannot listen on {address}: {error.strerror}.",
        next_step="choose another address or port.",
        case=5,
    )
