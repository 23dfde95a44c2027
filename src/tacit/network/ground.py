"""A party's place on the network for a whole guarded session: meshes and conferences in turn.

A guarded session outlives the loss of a party, so no mesh is its only way to the others. Its port
stays open for as long as the process lives (:mod:`tacit.network.doors`); each stage connects a mesh
of its own with fresh keys, and after a fault the parties confer over fresh links
(:mod:`tacit.network.conferring`). When the first mesh stands, the parties exchange the certificates
of the keys with which they sign evidence.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import TracebackType
from typing import Annotated, Any, Final, Self, TypeVar

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tacit import _native
from tacit.encoding.digest import DIGEST_BYTES, tagged_hash
from tacit.errors import HandshakeError, PartyLostError, TransportError, UsageError
from tacit.network.addresses import Address, Listener
from tacit.network.certificates import Credentials, check_pair
from tacit.network.conferring import REFUSAL, Conference, Line, first_letter, hold
from tacit.network.dialling import Guarded, identity_of
from tacit.network.doors import Door, Entrance, mesh_token
from tacit.network.evidence import evidence_key, evidence_signer
from tacit.network.faults import listed
from tacit.network.handshake import Agreement
from tacit.network.interruptions import interruptible
from tacit.network.mesh import Mesh, join
from tacit.network.porter import Porter
from tacit.network.settings import NetworkSettings
from tacit.network.waiting import OnWait

__all__ = ["Conference", "Ground"]

T = TypeVar("T")

_STAGE: Final = "connect"
_STILLNESS: Final = 10.0
"""At whose door nobody answers for so many seconds, or twice the heartbeat's time if that is more,
is as good as dead: no honest process keeps its other threads from running for so long."""
_FIRST_LETTER: Final = 2.0
"""Seconds for the first letter of a party that calls for a conference; it comes with the call."""


class EvidenceCertificate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A party's certificate for evidence, DER."""

    certificate: Annotated[bytes, msgspec.Meta(max_length=16_384)]


class EvidenceDigest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The digest of all parties' certificates for evidence, as the sender got them."""

    digest: Annotated[bytes, msgspec.Meta(min_length=DIGEST_BYTES, max_length=DIGEST_BYTES)]


class Ground:
    """A party's place on the network, from its first session to the end of its process.

    A context manager: leaving it closes the port. Used from one thread.

    Parameters
    ----------
    name : str
        This party.
    names : tuple of str
        All parties of the first stage, by index.
    credentials : Credentials
        This party's, with a key for evidence.
    addresses : mapping of str to Address
        Where every other party listens; this party's own when no `listener` is given.
    listener : Listener, optional
        This party's open port. Taken over: it stays open until :meth:`close`.
    settings : NetworkSettings, optional
        Time limits.
    on_wait : callable, optional
        Told now and then whom this party waits for, before the first mesh stands.

    Attributes
    ----------
    authority : bytes
        The consortium's root certificate, PEM.
    signing_key : Ed25519PrivateKey
        What this party signs evidence with.
    evidence_certificates : dict of str to bytes
        Everybody's certificate for evidence (DER), once the first mesh stands.
    evidence_keys : dict of str to Ed25519PublicKey
        The keys in them, checked against the authority.

    Raises
    ------
    UsageError, CertificateError, AddressError
        Something does not fit, or the port cannot be had.
    """

    def __init__(
        self,
        name: str,
        names: tuple[str, ...],
        credentials: Credentials,
        addresses: Mapping[str, Address],
        listener: Listener | None = None,
        *,
        settings: NetworkSettings | None = None,
        on_wait: OnWait | None = None,
    ) -> None:
        missing = [
            party
            for party in names
            if party not in addresses and not (party == name and listener is not None)
        ]
        if name not in names or credentials.name != name or missing:
            raise UsageError(
                f"{name} is not among the parties, has the credentials of another, or lacks the"
                f" address of {listed(missing or [name])}.",
                next_step="give every party's name and address, and each its own credentials.",
                case=92,
            )
        check_pair(credentials)
        self.name = name
        self.names = names
        self.settings = settings or NetworkSettings()
        self.signing_key, self._certificate = evidence_signer(credentials)
        self.evidence_certificates: Mapping[str, bytes] = {}
        self.evidence_keys: Mapping[str, Ed25519PublicKey] = {}
        self.authority = credentials.authority
        self._credentials = credentials
        self._addresses = dict(addresses)
        self._identity = identity_of(credentials)
        self._on_wait = on_wait
        self._closed = False
        self._conferences = 0
        self._meshes: dict[bytes, int] = {}
        self._first = b""
        self._dead: set[str] = set()
        self._left: list[_native.Links] = []
        opened = listener if listener is not None else Listener(addresses[name])
        door = Door(
            opened, self._identity, names, self.settings.handshake_timeout, credentials.trust
        )
        self._porter = Porter(door)

    @interruptible()
    def connect(
        self,
        members: tuple[str, ...],
        protocol: str,
        job: bytes,
        parameters: Mapping[str, str],
        seconds: float | None = None,
    ) -> Mesh:
        """Make fresh links among members, which all call this with the same arguments.

        Parameters
        ----------
        members : tuple of str
            The parties of the mesh, by their index in it; this one among them.
        protocol, job, parameters
            As of :class:`~tacit.network.handshake.Agreement`.
        seconds : float, optional
            How long to wait for the others, instead of the start deadline.

        Returns
        -------
        Mesh
            With a session id and keys of its own.

        Raises
        ------
        PartyLostError
            A member's process is dead; or one gave up and calls for a conference (TC-3408):
            then it is the error's `reporter`, and its first letter the error's `statement`.
        TacitError
            As of ``mesh.connect``.
        """
        self._check(members)
        limit = self.settings.start_deadline
        until = time.monotonic() + (limit if seconds is None else seconds)
        agreement = Agreement(members, protocol, job, dict(parameters))
        token, occasion = self._occasion(agreement)
        first = not self.evidence_keys
        with (
            self._porter.relieved() as door,
            Entrance(door, token, lambda: self._watch(door, members)) as entrance,
        ):
            mesh = join(
                members.index(self.name),
                agreement,
                self._credentials,
                self._addresses,
                entrance,
                self.settings,
                until,
                Guarded(token, None if first else REFUSAL, occasion),
                self._on_wait if first else None,
            )
        try:
            if first:
                self._exchange_certificates(mesh, until)
        except BaseException as error:
            mesh.abort(error)
            raise
        self._close_left(0.0)  # whoever is in this mesh has left the last conference
        return mesh

    @interruptible()
    def confer(self, members: tuple[str, ...], conference: Conference[T], seconds: float) -> T:
        """Drive a conference, over links that are made for it.

        Every honest member holds its own copy of the same conference, and begins it within
        `seconds` of the others. All count their conferences, so each takes part in all.

        Parameters
        ----------
        members : tuple of str
            Who confers, this party among them.
        conference : Conference
            Yields the letters of each round by receiver, is sent those that came by sender.
        seconds : float
            How long a round may last at most; less when everybody has spoken who is not dead.

        Returns
        -------
        object
            What the conference returns.

        Raises
        ------
        Exception
            What the conference itself raises. A peer that is dead, stopped, silent, slow or sends
            anything at all is missing in what the conference is sent, and costs time at most.
        """
        self._check(members)
        self._conferences += 1
        self._close_left(0.0)
        lines = [
            Line(party, self.names.index(party), self._addresses[party])
            for party in members
            if party != self.name
        ]
        for line in lines:
            if line.peer in self._dead:
                line.suspect()
        own = self.names.index(self.name)
        stillness = max(_STILLNESS, 2 * self.settings.heartbeat_timeout)
        try:
            with self._porter.relieved() as door:
                return hold(
                    own,
                    lines,
                    self._conferences,
                    self._identity,
                    door,
                    conference,
                    seconds,
                    stillness,
                    self._left,
                )
        finally:
            self._dead = {line.peer for line in lines if line.dead}

    def close(self) -> None:
        """Leave the network. May be called more than once."""
        if not self._closed:
            self._closed = True
            try:
                self._close_left(self.settings.close_timeout)
            finally:
                self._porter.close()

    def _check(self, members: tuple[str, ...]) -> None:
        if self._closed:
            raise TransportError(
                f"{self.name} has left the network.",
                next_step="open a new session: one that has ended is never used again.",
                case=1,
            )
        if self.name not in members or not set(members) <= set(self.names):
            raise UsageError(
                f"{listed(members)} are not members of which {self.name} is one.",
                next_step="report this: a stage is made of parties of the session.",
                case=93,
            )

    def _occasion(self, agreement: Agreement) -> tuple[bytes, bytes]:
        """What connections to this mesh begin with, and what makes it another than all before.

        Both equal at all that want the same mesh for the same time. The second is empty before
        there is a first session, whose fresh id all later ones are bound to.
        """
        wanted = (
            agreement.participants,
            agreement.protocol,
            agreement.job,
            sorted(agreement.parameters.items()),
        )
        # All come to one pile at first: what they do not agree on, the handshake says.
        digest = tagged_hash("mesh", msgspec.msgpack.encode(wanted) if self._first else b"")
        again = self._meshes.get(digest, 0)
        self._meshes[digest] = again + 1
        named = tagged_hash("mesh again", digest, again.to_bytes(8, "little"))
        later = tagged_hash("later mesh", self._first, named) if self._first else b""
        return mesh_token(named), later

    def _watch(self, door: Door, members: tuple[str, ...]) -> None:
        """End the connecting when a member calls for the next conference instead."""
        for caller in door.callers:
            if caller.name in members and caller.number > self._conferences:
                error = PartyLostError(
                    f"{caller.name} has given up connecting and calls for a conference.",
                    next_step="see what that party reports itself.",
                    case=8,
                    parties=[caller.name],
                    stage=_STAGE,
                )
                index = self.names.index(caller.name)
                own = self.names.index(self.name)
                error.reporter = caller.name
                error.statement = first_letter(caller, own, index, _FIRST_LETTER)
                raise error

    def _exchange_certificates(self, mesh: Mesh, until: float) -> None:
        def left() -> float:
            return max(0.0, until - time.monotonic())

        own = EvidenceCertificate(self._certificate)
        told = mesh.gather(own, EvidenceCertificate, stage=_STAGE, deadline=left())
        found = {name: told[name].certificate for name in mesh.names}
        authority = self._credentials.authority
        keys = {name: evidence_key(der, authority, name) for name, der in found.items()}
        for name, der in found.items():
            self._credentials.trust.check_evidence(name, der)
        digest = tagged_hash("evidence certificates", mesh.session_id, *found.values())
        said = mesh.gather(EvidenceDigest(digest), EvidenceDigest, stage=_STAGE, deadline=left())
        others = [name for name in mesh.names if said[name].digest != digest]
        if others:
            raise HandshakeError(
                f"{self.name} and {listed(others)} were told different certificates for evidence.",
                next_step="have the consortium's authority issue one to each party, and start"
                " the job again.",
                case=10,
                parties=others,
                stage=_STAGE,
            )
        self.evidence_certificates = found
        self.evidence_keys = keys
        self._first = mesh.session_id

    def _close_left(self, patience: float) -> None:
        for links in self._left:
            links.close(patience)
        self._left.clear()

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
        return f"Ground({self.name!r}, {len(self.names)} parties)"

    def __reduce__(self) -> Any:
        raise TypeError("links cannot be pickled")
