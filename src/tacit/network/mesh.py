"""All links of one party, from the first connection to the goodbye."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self, TypeVar

import msgspec

from tacit.network.addresses import Address, Listener
from tacit.network.certificates import Credentials
from tacit.network.driver import LinkDriver
from tacit.network.handshake import Agreement
from tacit.network.settings import NetworkSettings

__all__ = ["Mesh", "connect"]

M = TypeVar("M", bound=msgspec.Struct)


class Mesh:
    """A party's links to all others, after a successful handshake.

    A context manager: leaving it normally says goodbye, leaving it by an exception tells the
    others the cause first. Either way no socket and no thread stays behind.

    Attributes
    ----------
    names : tuple of str
        The parties' names, by index.
    index : int
        This party's index.
    name : str
        This party's name.
    session_id : bytes
        32 bytes, equal at all parties, never twice the same.
    driver : LinkDriver
        Runs steps over the links.
    """

    names: tuple[str, ...]
    index: int
    name: str
    session_id: bytes
    driver: LinkDriver

    def pairwise_key(self, peer: int, purpose: str) -> bytes:
        """A 16-byte key that this party and `peer` have and nobody else.

        From the TLS 1.3 exporter of their link (RFC 8446 section 7.5), bound to the session id.
        Different purposes give independent keys.
        """
        raise NotImplementedError

    def gather(
        self, message: msgspec.Struct, kind: type[M], *, stage: str, deadline: float | None = None
    ) -> dict[str, M]:
        """Send one small public message to every other party and receive theirs.

        Parameters
        ----------
        message : Struct
            What to send, at most 1 MiB as MessagePack.
        kind : type of Struct
            What each other party's message must be; checked field by field.
        stage : str
            Named in errors.
        deadline : float, optional
            Seconds from now.

        Returns
        -------
        dict of str to Struct
            The others' messages by name, and this party's own.

        Raises
        ------
        MessageError
            A message is too long or not of this kind.
        """
        raise NotImplementedError

    def abort(self, error: BaseException) -> None:
        """Tell all others why this party stops, then close. Never raises."""
        raise NotImplementedError

    def close(self) -> None:
        """Say goodbye and close all links. May be called more than once."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        raise NotImplementedError

    def __reduce__(self) -> Any:
        raise TypeError("links cannot be pickled")


def connect(
    name: str,
    agreement: Agreement,
    credentials: Credentials,
    addresses: Mapping[str, Address],
    listener: Listener | None = None,
    *,
    settings: NetworkSettings | None = None,
) -> Mesh:
    """Connect to all other parties and agree on a session.

    The party with the lower index listens, the one with the higher index dials and retries until
    the start deadline. The listening port is closed when all links stand.

    Parameters
    ----------
    name : str
        This party's name, one of the agreement's participants.
    agreement : Agreement
        What all parties must have the same of.
    credentials : Credentials
        This party's certificate and key, and the consortium's authority.
    addresses : mapping of str to Address
        Where each party with a lower index listens; others are ignored, except this party's
        own when no `listener` is given.
    listener : Listener, optional
        An open listening port, taken over and closed here whatever happens. By default one is
        opened at this party's own address.
    settings : NetworkSettings, optional
        Time limits.

    Returns
    -------
    Mesh

    Raises
    ------
    AddressError
        A port is busy, a host is unknown, nobody listens at an address until the deadline.
    CertificateError
        A certificate is from another authority, for another name, or expired.
    HandshakeError
        The parties disagree; the text says on what, and what each side has.
    PartyLostError, DeadlineError
        A party went away, or did not come in time.
    """
    raise NotImplementedError
