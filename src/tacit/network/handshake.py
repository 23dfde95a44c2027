"""What the parties compare before the first share moves, and the session id that results.

1. As soon as a link stands, both ends send a :class:`Hello`: release, name, participants,
   protocol, parameters, the digest of the job, and a fresh nonce. Each compares all of it with its
   own, field by field; every mismatch has its own error.
2. The session id is the tagged hash of all that and of the nonces of all parties. Each party
   sends it to every other, already under the new session's tag, and compares.

After step 2 all honest parties know that all of them agree on everything, and that the session is
fresh: a message of another session, even of the same job, is refused by its tag and could not be
decrypted anyway. That nonces of all parties, exchanged first, make a session id as good as one that
is given from outside is shown in B. Barak, Y. Lindell, T. Rabin, *Protocol initialization for the
framework of universal composability*, ePrint 2004/006.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import metadata
from typing import Annotated, Final, NoReturn, TypeVar

import msgspec

from tacit import _native
from tacit.encoding.digest import DIGEST_BYTES, tagged_hash
from tacit.errors import DeadlineError, HandshakeError, MessageError, UsageError
from tacit.network.certificates import check_name
from tacit.network.faults import listed
from tacit.network.settings import NetworkSettings

__all__ = ["WIRE_VERSION", "Agreement", "Handshake", "Hello", "derive_session_id"]

WIRE_VERSION: Final = _native.LINK_VERSION
"""The version of everything that travels between parties. Other versions are refused."""

NONCE_BYTES: Final = 32
MAX_PARTIES: Final = 64
MAX_PARAMETERS: Final = 256
MAX_TEXT: Final = 4_096
_SLICE: Final = 0.4
MARGIN: Final = 5.0
"""Between the complaint of a party and that of another one which waits for it, in seconds."""

Text = Annotated[str, msgspec.Meta(max_length=MAX_TEXT)]
Digest = Annotated[bytes, msgspec.Meta(min_length=DIGEST_BYTES, max_length=DIGEST_BYTES)]
Nonce = Annotated[bytes, msgspec.Meta(min_length=NONCE_BYTES, max_length=NONCE_BYTES)]

M = TypeVar("M")


@dataclass(frozen=True, slots=True)
class Agreement:
    """What every party must have the same of.

    Attributes
    ----------
    participants : tuple of str
        The parties' names in party order (their index). 2 to 64, all different.
    protocol : str
        Such as ``"replicated3"``.
    job : bytes
        Digest of the job, 32 bytes (see ``encoding.digest.tagged_hash``).
    parameters : mapping of str to str
        Everything else that must be equal, as text. Compared one by one.

    Raises
    ------
    UsageError
        A name is no party name or comes twice; a text or the digest has another length.
    """

    participants: tuple[str, ...]
    protocol: str
    job: bytes
    parameters: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in self.participants:
            check_name(name)
        count = len(self.participants)
        if not 2 <= count <= MAX_PARTIES or len(set(self.participants)) != count:
            raise UsageError(
                "the participants are not 2 to 64 different names.",
                next_step="name every party once.",
                case=13,
            )
        texts = [self.protocol, *self.parameters, *self.parameters.values()]
        if len(self.parameters) > MAX_PARAMETERS or any(len(t) > MAX_TEXT for t in texts):
            raise UsageError(
                "there are more than 256 parameters, or one is longer than 4,096 characters.",
                next_step="put what is longer into the digest of the job.",
                case=14,
            )
        if len(self.job) != DIGEST_BYTES:
            raise UsageError(
                f"the digest of the job has {len(self.job)} bytes instead of {DIGEST_BYTES}.",
                next_step="make it with tacit.encoding.digest.tagged_hash.",
                case=15,
            )


class Hello(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The first message on a link, in both directions."""

    release: Text
    name: Text
    participants: Annotated[list[Text], msgspec.Meta(max_length=MAX_PARTIES)]
    protocol: Text
    parameters: Annotated[dict[Text, Text], msgspec.Meta(max_length=MAX_PARAMETERS + 1)]
    job: Digest
    nonce: Nonce


class Confirmation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The second message: what the sender computed as session id."""

    session_id: Digest


class Handshake:
    """One party's handshake with all others.

    Parameters
    ----------
    links : Links
        Where links to the others are added as they come to stand.
    index : int
        This party's index in the agreement's participants.
    agreement : Agreement
        What this party wants.
    settings : NetworkSettings
        The heartbeat timeout is compared too.
    occasion : bytes
        What the parties have agreed on before, and that is used once: the session id comes from
        it instead of the nonces. Empty in a first session. A corrupt party that told others
        different nonces would make two honest ones accuse each other of a wrong session id.
    """

    def __init__(
        self,
        links: _native.Links,
        index: int,
        agreement: Agreement,
        settings: NetworkSettings,
        occasion: bytes = b"",
    ) -> None:
        names = agreement.participants
        self.occasion = occasion
        self.links = links
        self.names = names
        self.others = [peer for peer in range(len(names)) if peer != index]
        self.own = Hello(
            release=metadata.version("tacit"),
            name=names[index],
            participants=list(names),
            protocol=agreement.protocol,
            parameters={
                **agreement.parameters,
                "network.heartbeat_timeout": f"{settings.heartbeat_timeout:g}",
            },
            job=agreement.job,
            nonce=secrets.token_bytes(NONCE_BYTES),
        )
        self.hellos = {index: self.own}
        self._message = msgspec.msgpack.encode(self.own)

    @property
    def missing(self) -> list[int]:
        """The parties that have not said hello."""
        return [peer for peer in self.others if peer not in self.hellos]

    def greet(self, peer: int) -> None:
        """Step 1, sending: hello to a party whose link has come to stand.

        Raises
        ------
        LinkFailure
            The link failed.
        """
        self.links.control({peer: self._message}, [], 0, None)

    def hear(self, peer: int) -> bool:
        """Step 1, receiving: a party's hello, if it is there by now, compared at once.

        Returns
        -------
        bool
            Whether it was there. Nothing is lost if it was not, or not all of it.

        Raises
        ------
        HandshakeError
            The parties disagree; it says on what, and what each has.
        MessageError
            The hello is malformed.
        LinkFailure
            A link failed.
        """
        try:
            arrived = self.links.control({}, [peer], _native.LINK_CONTROL_BYTES, 0.0)
        except _native.LinkFailure as failure:
            if failure.args[0] == "deadline":
                return False
            raise
        hello = decoded(arrived[peer], Hello, self.names[peer])
        compare(self.own, hello, self.names[peer])
        copies = (
            []
            if self.occasion
            else [other for other in self.hellos.values() if other.nonce == hello.nonce]
        )
        if copies:
            parties = [self.names[peer], copies[0].name]
            _refuse(8, f"the nonces of {listed(parties)} are equal", parties)
        self.hellos[peer] = hello
        return True

    def confirm(self, until: float) -> bytes:
        """Step 2: derive the session id and compare it with all others'.

        Parameters
        ----------
        until : float
            When to give up (``time.monotonic``).

        Returns
        -------
        bytes
            32 bytes, equal at all parties.

        Raises
        ------
        HandshakeError
            A party computed another session id.
        MessageError
            A confirmation is malformed.
        LinkFailure
            A link failed.
        """
        session_id = self._session_id()
        message = msgspec.msgpack.encode(Confirmation(session_id))
        messages = dict.fromkeys(self.others, message)
        left = until - time.monotonic()
        try:
            arrived = self.links.control(messages, self.others, len(message), left)
        except _native.LinkFailure as failure:
            word, culprit, *_ = failure.args
            if word == "session" and culprit is not None:
                _refuse_session(self.own.name, self.names[culprit])
            raise
        for peer in self.others:
            self._compare(session_id, arrived[peer], peer)
        return session_id

    def confirm_patiently(self, seconds: float) -> bytes:
        """Step 2 where an error is evidence: only who is late by what was seen here is named.

        Another one that has not all hellos, or not all confirmations, may be waiting for a third
        one that speaks to some alone. It complains itself then, `seconds` after it began at the
        latest, and it began before it said the hello that is here.

        Parameters
        ----------
        seconds : float
            How long each party waits for hellos.

        Returns
        -------
        bytes
            The session id.

        Raises
        ------
        DeadlineError
            Names the party that is late.
        HandshakeError, MessageError, LinkFailure
            As of :meth:`confirm`.
        """
        session_id = self._session_id()
        message = msgspec.msgpack.encode(Confirmation(session_id))
        missing = list(self.others)
        sends = dict.fromkeys(missing, message)
        until = time.monotonic() + seconds + MARGIN
        while missing:
            came = [peer for peer in missing[1:] if self._confirmed(session_id, peer, {}, 0.0)]
            self.links.set_tag(self._tag(session_id))  # all this counts as one exchange
            if self._confirmed(session_id, missing[0], sends, _SLICE):
                came.append(missing[0])
            sends = {}
            missing = [peer for peer in missing if peer not in came]
            if missing and time.monotonic() >= until:
                late = self.names[missing[0]]
                raise DeadlineError(
                    f"{late} did not end its handshake with {self.own.name} in time.",
                    next_step="find out what holds that party up.",
                    case=6,
                    parties=[late],
                    stage="handshake",
                )
        self.links.set_tag(self._tag(session_id))
        self.links.exchange({}, {}, {}, {}, 1, None)
        return session_id

    def _confirmed(
        self, session_id: bytes, peer: int, sends: dict[int, bytes], seconds: float
    ) -> bool:
        try:
            arrived = self.links.control(sends, [peer], _native.LINK_CONTROL_BYTES, seconds)
        except _native.LinkFailure as failure:
            if failure.args[0] == "deadline":
                return False
            raise
        self._compare(session_id, arrived[peer], peer)
        return True

    def _session_id(self) -> bytes:
        if self.occasion:
            told = derive_session_id(self.own, [])
            session_id = tagged_hash("later session id", self.occasion, told)
        else:
            nonces = [self.hellos[peer].nonce for peer in range(len(self.names))]
            session_id = derive_session_id(self.own, nonces)
        self.links.set_tag(self._tag(session_id))
        return session_id

    @staticmethod
    def _tag(session_id: bytes) -> int:
        return int.from_bytes(session_id[:8], "little")

    def _compare(self, session_id: bytes, message: bytes, peer: int) -> None:
        name = self.names[peer]
        if decoded(message, Confirmation, name).session_id != session_id:
            _refuse_session(self.own.name, name)


def derive_session_id(hello: Hello, nonces: list[bytes]) -> bytes:
    """The session id from what all agree on and everybody's nonce in party order."""
    parameters = [text.encode() for pair in sorted(hello.parameters.items()) for text in pair]
    return tagged_hash(
        "session id",
        _number(WIRE_VERSION),
        hello.release.encode(),
        _number(len(hello.participants)),
        *(name.encode() for name in hello.participants),
        hello.protocol.encode(),
        hello.job,
        _number(len(hello.parameters)),
        *parameters,
        *nonces,
    )


def compare(own: Hello, other: Hello, certified: str) -> None:
    """Refuse a hello that differs from this party's own.

    Parameters
    ----------
    own, other : Hello
        What both ends sent.
    certified : str
        The name in the other end's certificate.

    Raises
    ------
    HandshakeError
        With a case number of its own for each field.
    """
    here, there = own.name, certified
    if other.release != own.release:
        _disagree(2, "the release of tacit", here, own.release, there, other.release)
    if other.name != certified:
        _refuse(
            3,
            f"a party calls itself {other.name!r}, but its certificate is for {certified!r}",
            [certified],
        )
    if other.participants != own.participants:
        mine, theirs = ", ".join(own.participants), ", ".join(other.participants)
        _disagree(4, "the participants and their order", here, mine, there, theirs)
    if other.protocol != own.protocol:
        _disagree(5, "the protocol", here, own.protocol, there, other.protocol)
    for name in sorted({*own.parameters, *other.parameters}):
        mine, theirs = own.parameters.get(name, "nothing"), other.parameters.get(name, "nothing")
        if mine != theirs:
            _disagree(6, f"the parameter {name}", here, mine, there, theirs)
    if other.job != own.job:
        _disagree(7, "the job's digest", here, own.job.hex()[:16], there, other.job.hex()[:16])


def decoded(data: bytes, kind: type[M], sender: str, stage: str = "handshake") -> M:
    """A control message, checked field by field.

    Raises
    ------
    MessageError
        It is not of this kind.
    """
    try:
        return msgspec.msgpack.decode(data, type=kind)
    except msgspec.MsgspecError:
        raise MessageError(
            f"{sender} sent a {kind.__name__} that is not well formed.",
            next_step="make sure that all parties run the same version of tacit.",
            case=6,
            parties=[sender],
            stage=stage,
        ) from None


def _number(value: int) -> bytes:
    return value.to_bytes(8, "little")


def _short(text: str) -> str:
    printable = "".join(c if c.isprintable() else " " for c in text)
    return printable if len(printable) <= 200 else printable[:200] + "…"


def _disagree(case: int, what: str, here: str, mine: str, there: str, theirs: str) -> NoReturn:
    _refuse(
        case,
        f"{here} and {there} disagree on {_short(what)}:"
        f" {here} has {_short(mine)!r}, {there} has {_short(theirs)!r}",
        [here, there],
    )


def _refuse_session(here: str, there: str) -> NoReturn:
    _refuse(9, f"{here} and {there} computed different session ids", [here, there])


def _refuse(case: int, text: str, parties: list[str]) -> NoReturn:
    raise HandshakeError(
        f"{text}.",
        next_step="start all parties with the same release, participants, protocol, parameters"
        " and job.",
        case=case,
        parties=parties,
        stage="handshake",
    )
