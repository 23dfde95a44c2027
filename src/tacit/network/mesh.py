"""All links of one party, from the first connection to the goodbye."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self, TypeVar

import msgspec

from tacit import _native
from tacit.errors import UsageError
from tacit.network.addresses import Address, Listener
from tacit.network.certificates import Credentials, check_pair
from tacit.network.dialling import Arrivals, Guarded, establish
from tacit.network.driver import LinkDriver
from tacit.network.faults import listed
from tacit.network.handshake import MARGIN, Agreement, Handshake, decoded
from tacit.network.interruptions import interruptible
from tacit.network.seeds import pairwise_key
from tacit.network.settings import NetworkSettings
from tacit.network.waiting import OnWait

__all__ = ["Mesh", "connect", "join"]

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

    def __init__(self, driver: LinkDriver, session_id: bytes) -> None:
        self.names = driver.names
        self.index = driver.index
        self.name = driver.names[driver.index]
        self.session_id = session_id
        self.driver = driver
        driver.session = session_id.hex()

    def pairwise_key(self, peer: int, purpose: str) -> bytes:
        """A 16-byte key that this party and `peer` have and nobody else.

        From the TLS 1.3 exporter of their link (RFC 8446 section 7.5), bound to the session id.
        Different purposes give independent keys.
        """
        return self.driver.call(
            lambda links: pairwise_key(links, peer, self.session_id, purpose), stage="seeds"
        )

    def gather(
        self,
        message: msgspec.Struct,
        kind: type[M],
        *,
        stage: str,
        deadline: float | None = None,
        patience: float | None = None,
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
        patience : float, optional
            As of ``LinkDriver.run``.

        Returns
        -------
        dict of str to Struct
            The others' messages by name, and this party's own.

        Raises
        ------
        MessageError
            A message is too long or not of this kind.
        """
        data = msgspec.msgpack.encode(message)
        others = [peer for peer in range(len(self.names)) if peer != self.index]

        def exchange(links: _native.Links) -> dict[str, M]:
            limit = _native.LINK_CONTROL_BYTES
            if len(data) > limit:
                raise UsageError(
                    f"a message to all parties has {len(data)} bytes; {limit} are possible.",
                    next_step="send its digest, or arrays through a protocol step.",
                    case=16,
                    stage=stage,
                )
            arrived = links.control(dict.fromkeys(others, data), others, limit, deadline, patience)
            arrived[self.index] = data
            return {
                name: decoded(arrived[peer], kind, name, stage)
                for peer, name in enumerate(self.names)
            }

        return self.driver.call(exchange, stage=stage)

    def abort(self, error: BaseException) -> None:
        """Tell all others why this party stops, then close. Never raises."""
        self.driver.abort(error)

    def close(self) -> None:
        """Say goodbye and close all links. May be called more than once."""
        self.driver.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self.close()
        else:
            self.abort(error)

    def __repr__(self) -> str:
        return f"Mesh({self.name!r}, {len(self.names)} parties)"

    def __reduce__(self) -> Any:
        raise TypeError("links cannot be pickled")


@interruptible()
def connect(
    name: str,
    agreement: Agreement,
    credentials: Credentials,
    addresses: Mapping[str, Address],
    listener: Listener | None = None,
    *,
    settings: NetworkSettings | None = None,
    on_wait: OnWait | None = None,
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
    on_wait : callable, optional
        Told now and then whom this party waits for.

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
    limits = settings or NetworkSettings()
    until = time.monotonic() + limits.start_deadline
    names = agreement.participants
    try:
        index = _checked(name, agreement, credentials, addresses, listener)
        if listener is None and index + 1 < len(names):
            listener = Listener(addresses[name])
        return join(
            index, agreement, credentials, addresses, listener, limits, until, on_wait=on_wait
        )
    finally:
        if listener is not None:
            listener.close()


def join(
    index: int,
    agreement: Agreement,
    credentials: Credentials,
    addresses: Mapping[str, Address],
    arrivals: Arrivals | None,
    settings: NetworkSettings,
    until: float,
    guarded: Guarded | None = None,
    on_wait: OnWait | None = None,
) -> Mesh:
    """Connect with arguments that were checked, and leave the listening port open.

    Parameters and errors as of :func:`connect` and ``dialling.establish``.
    """
    links = _native.Links(index, {}, settings.heartbeat_timeout)
    driver = LinkDriver(links, agreement.participants, index, settings)
    occasion = b"" if guarded is None else guarded.occasion
    handshake = Handshake(links, index, agreement, settings, occasion)
    seconds = until - time.monotonic()

    def start(_: _native.Links) -> bytes:
        establish(
            index,
            agreement.participants,
            credentials,
            addresses,
            arrivals,
            settings,
            handshake,
            until,
            guarded,
            on_wait,
        )
        if occasion:
            agreed = handshake.confirm_patiently(seconds)
            # Others may be waiting there still, for one that has confirmed to this party alone.
            driver.lenient_until = time.monotonic() + seconds + 2 * MARGIN
            return agreed
        return handshake.confirm(until)

    return Mesh(driver, driver.call(start, stage="handshake"))


def _checked(
    name: str,
    agreement: Agreement,
    credentials: Credentials,
    addresses: Mapping[str, Address],
    listener: Listener | None,
) -> int:
    names = agreement.participants
    if name not in names:
        raise UsageError(
            f"{name} is none of the participants {', '.join(names)}.",
            next_step="start each party under a name from the list of participants.",
            case=17,
        )
    if credentials.name != name:
        raise UsageError(
            f"the credentials are for {credentials.name}, not for {name}.",
            next_step="give each party its own credentials.",
            case=18,
        )
    check_pair(credentials)
    index = names.index(name)
    needed = list(names[:index])
    if listener is None and index + 1 < len(names):
        needed.append(name)
    missing = [party for party in needed if party not in addresses]
    if missing:
        raise UsageError(
            f"the address of {listed(missing)} is missing.",
            next_step="give the address of every party.",
            case=19,
        )
    return index
