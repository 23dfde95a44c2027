"""From what a link reports to an error that names the party at fault, and back onto the wire.

A party that stops tells the others why, in an abort frame: the error's kind, number and parties,
and its text where the text was written for all (transport errors and peer faults). Errors about a
party's own data are for that party alone: the others learn their number.

What a party says of others is its claim. Who hears one names the party that makes it among the
suspects, and does not pass it on as an observation of its own: else an honest party would vouch for
what a corrupt one invented. It says that it was told, and by whom. Where parties keep evidence a
cause carries a signed statement, opaque here, which whoever hears it hands on unchanged.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

import msgspec

from tacit import _native
from tacit.errors import (
    CertificateError,
    DeadlineError,
    Dispute,
    DisputeError,
    HandshakeError,
    InternalError,
    MessageError,
    PartyLostError,
    PeerFaultError,
    TacitError,
    TransportError,
    UsageError,
)

__all__ = [
    "Place",
    "cause_of",
    "cause_of_heard",
    "error_from_cause",
    "error_from_failure",
    "listed",
]

_TEXT = 1_000
_NAMES = 64
_STAGE = 200
_STATEMENT = 6_144

Text = Annotated[str, msgspec.Meta(max_length=_TEXT)]
Name = Annotated[str, msgspec.Meta(max_length=256)]


class Claim(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A dispute as it travels: what the party that stops says of two others."""

    session: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{0,128}$")]
    nonce: Annotated[int, msgspec.Meta(ge=0, le=(1 << 63) - 1)]
    sender: Name
    backup: Name
    receiver: Name
    other: Name


class Cause(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a party stops, as it travels in an abort frame."""

    kind: Annotated[str, msgspec.Meta(max_length=64)]
    code: Annotated[str, msgspec.Meta(pattern="^TC-[0-9]{4}$")]
    case: Annotated[int, msgspec.Meta(ge=0, le=99)]
    message: Text
    next_step: Text
    parties: Annotated[list[Name], msgspec.Meta(max_length=_NAMES)]
    stage: Name | None
    dispute: Claim | None = None
    statement: Annotated[bytes, msgspec.Meta(max_length=_STATEMENT)] = b""


class Place(msgspec.Struct, frozen=True):
    """Who reports and where: what every message names.

    Attributes
    ----------
    names : tuple of str
        The parties' names, by index.
    index : int
        The reporting party.
    stage : str
        The phase of the work.
    round_number : int
        The round, 0 outside rounds.
    session : str
        The session's id in hexadecimal digits, empty before there is one.
    """

    names: tuple[str, ...]
    index: int
    stage: str
    round_number: int = 0
    session: str = ""

    def where(self) -> str:
        """For the end of a sentence."""
        stage = f"stage {self.stage!r}" if self.stage else "an unnamed stage"
        return f"round {self.round_number}, {stage}" if self.round_number else stage


_SAME_PROGRAM: Final = "make sure that all parties run the same program and version of tacit."
_HEARD: Final = "heard"
_TELLS: Final = (TransportError, PeerFaultError)
_LOST_NEXT: Final = (
    "look at that party's own output for the reason, check its machine and network,"
    " then start the job again: a new session takes fresh keys."
)


def listed(names: Sequence[str]) -> str:
    """Names in a sentence."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


# ---- a local error becomes a cause


def cause_of(error: BaseException, place: Place, statement: bytes = b"") -> bytes:
    """Why this party stops, for the other parties, at most 8 KiB, without any value."""
    own = place.names[place.index]
    if isinstance(error, _TELLS) and isinstance(error, TacitError):
        cause = Cause(
            kind=type(error).__name__,
            code=error.code,
            case=error.case,
            message=error.message[:_TEXT],
            next_step=error.next_step[:_TEXT],
            parties=[party for party in error.parties if party in place.names],
            stage=(error.stage or place.stage)[:_STAGE] or None,
            dispute=_claim(error),
            statement=statement,
        )
    else:
        known = error if isinstance(error, TacitError) else InternalError("")
        interrupted = isinstance(error, KeyboardInterrupt | SystemExit | GeneratorExit)
        cause = Cause(
            kind="interrupted" if interrupted else "stopped",
            code=known.code,
            case=known.case,
            message="",
            next_step="",
            parties=[own],
            stage=(known.stage or place.stage)[:_STAGE] or None,
            statement=statement,
        )
    return _encoded(cause)


def cause_of_heard(error: TacitError, source: int, place: Place, statement: bytes = b"") -> bytes:
    """Why this party stops when party `source` told it that it stops: that it was told.

    Names the source alone, and hands on its text as what it said, without a dispute.
    """
    return _encoded(
        Cause(
            kind=_HEARD,
            code=error.code,
            case=error.case,
            message=error.message[:_TEXT],
            next_step="",
            parties=[place.names[source]],
            stage=(error.stage or place.stage)[:_STAGE] or None,
            statement=statement,
        )
    )


def _encoded(cause: Cause) -> bytes:
    encoded = msgspec.msgpack.encode(cause)
    if len(encoded) > _native.LINK_ABORT_BYTES:
        cause = msgspec.structs.replace(cause, message=cause.message[:200], next_step="")
        encoded = msgspec.msgpack.encode(cause)
    return encoded


def _claim(error: TacitError) -> Claim | None:
    dispute = error.dispute if isinstance(error, DisputeError) else None
    return None if dispute is None else Claim(**dispute.as_dict())  # type: ignore[arg-type]


_decoder = msgspec.msgpack.Decoder(Cause)


def error_from_cause(data: bytes, reporter: int, place: Place) -> TacitError:
    """What another party says about why it stops, as this party's error.

    Nothing in it is trusted: kinds outside the transport and peer-fault branches, unknown names
    and unprintable text do not get through, and advice is said to be the reporter's. Of a deviation
    the reporter itself is a suspect too, and those that a dispute names are its suspects, whatever
    else the cause says. Every such error has `reporter`, and the `statement` that came with it,
    unread.
    """
    name = place.names[reporter]
    try:
        cause = _decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeError):
        error: TacitError = MessageError(
            f"{name} stopped with a cause that is not well formed ({place.where()}).",
            next_step=_SAME_PROGRAM,
            case=6,
            parties=[name],
            stage=place.stage,
        )
    else:
        error = _told(cause, name, place)
        error.statement = cause.statement
    error.reporter = name
    return error


def _told(cause: Cause, name: str, place: Place) -> TacitError:
    stage = _printable(cause.stage) if cause.stage else place.stage
    parties = [party for party in cause.parties if party in place.names] or [name]
    if cause.kind == "interrupted":
        return PartyLostError(
            f"{name} was interrupted by its user ({place.where()}).",
            next_step="start the job again when that party is ready.",
            case=5,
            parties=[name],
            stage=stage,
        )
    if cause.kind == _HEARD:
        said = parties[0]
        return PartyLostError(
            f"{name} stopped because of what {said} reported to it: {_printable(cause.message)}",
            next_step=f"see what {said} itself reports, and the output of {name}.",
            case=6,
            parties=[said],
            stage=stage,
        )
    dispute = None if cause.dispute is None else _credible(cause.dispute, name, place)
    advice = _printable(cause.next_step)
    rebuilt = TacitError.from_dict(
        {
            "kind": cause.kind,
            "message": f"{_printable(cause.message)} (reported by {name})",
            "next_step": f"{name} says: {advice}" if advice else "",
            "case": cause.case,
            "parties": parties,
            "stage": stage,
        }
    )
    if cause.kind == type(rebuilt).__name__ and isinstance(rebuilt, _TELLS):
        if isinstance(rebuilt, DisputeError):
            rebuilt.dispute = dispute
            rebuilt.parties = _each(*(dispute.suspects if dispute else ()), name)
        elif isinstance(rebuilt, PeerFaultError):
            rebuilt.parties = _each(*parties, name)
        return rebuilt
    return PartyLostError(
        f"{name} stopped because of an error of its own, {cause.code} in stage {stage!r}.",
        next_step=f"ask {name}: its own output says what happened.",
        case=3,
        parties=[name],
        stage=stage,
    )


def _credible(claim: Claim, reporter: str, place: Place) -> Dispute | None:
    """What a receiver says it noticed in this session; nothing if it speaks for another."""
    told = Dispute(**msgspec.structs.asdict(claim))
    named = {*told.suspects, told.receiver, told.other}
    ours = bool(place.session) and told.session == place.session
    return told if ours and told.receiver == reporter and named == set(place.names) else None


def _each(*names: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)


# ---- a link's report becomes an error

_LENGTHS: Final = {"payload": "payload", "check": "check", "segment": "segment"}
_LOST: Final = {
    "ended": "its connection ended",
    "reset": "its connection was reset",
    "io": "its connection failed",
}
_CERTIFICATES: Final = {
    "authority": (6, "is not from this consortium's authority"),
    "name": (7, "is for another party"),
    "expired": (8, "has expired"),
    "not-yet-valid": (9, "is not valid yet"),
    "certificate": (11, "is not valid"),
    "missing": (12, "is missing"),
}


def error_from_failure(
    failure: _native.LinkFailure, place: Place, *, heartbeat: float = 0.0
) -> TacitError:
    """The error for what a link reports.

    Parameters
    ----------
    failure : LinkFailure
        The report: a word, the peer, what was expected and received, details.
    place : Place
        Who reports, and where.
    heartbeat : float
        The heartbeat timeout in seconds, for the text.
    """
    word, peer, expected, received, detail = failure.args
    if peer is None:
        return _without_peer(word, detail.decode(errors="replace"), place)
    name = place.names[peer]
    if word == "aborted":
        return error_from_cause(detail, peer, place)
    if word == "deadline":
        return DeadlineError(
            f"{name} did not finish in time ({place.where()}); it is alive but stuck or slow.",
            next_step="give the stage more time, or find out what holds that party up.",
            case=1,
            parties=[name],
            stage=place.stage,
        )
    if word == "late":
        return DeadlineError(
            f"{name} is alive but did not get on for as long as {place.names[place.index]} has"
            f" patience ({place.where()}).",
            next_step="find out what holds that party up.",
            case=3,
            parties=[name],
            stage=place.stage,
        )
    if word in _LOST or word in ("silent", "left"):
        return _lost(word, name, place, heartbeat)
    if word in _CERTIFICATES or word == "refused":
        return certificate_error(word, name, detail.decode(errors="replace"), place)
    return _wrong_message(word, name, expected, received, place)


def _without_peer(word: str, detail: str, place: Place) -> TacitError:
    if word == "closed":
        return TransportError(
            f"the links of {place.names[place.index]} are closed.",
            next_step="open a new session: one that has ended is never used again.",
            case=1,
        )
    if word == "stuck":
        return DeadlineError(
            f"nothing moves any more, and {place.names[place.index]} cannot tell whose fault it is"
            f" ({place.where()}).",
            next_step="find out what holds the parties up.",
            case=5,
            stage=place.stage,
        )
    if word == "busy":
        return UsageError(
            "two threads use one party's links at the same time.",
            next_step="drive the steps of a session from one thread.",
            case=12,
        )
    if word == "round":
        return InternalError(f"a step yielded {detail} ({place.where()}).", stage=place.stage)
    return InternalError(f"an unknown failure of the links, {word!r}.", stage=place.stage)


def _lost(word: str, name: str, place: Place, heartbeat: float) -> PartyLostError:
    if word == "silent":
        text, case = f"no sign of life for {heartbeat:g} seconds", 2
    elif word == "left":
        text, case = "it ended the session while it was awaited", 4
    else:
        text, case = _LOST[word], 1
    return PartyLostError(
        f"{name} is lost: {text} ({place.where()}).",
        next_step=_LOST_NEXT,
        case=case,
        parties=[name],
        stage=place.stage,
    )


def certificate_error(word: str, name: str, detail: str, place: Place) -> CertificateError:
    """The error for a certificate that one end does not accept."""
    own = place.names[place.index]
    if word == "refused":
        return CertificateError(
            f"{name} refused the certificate of {own}: {_printable(detail)}.",
            next_step="have the consortium's authority issue both certificates, under the names"
            " that the parties use, and check both clocks.",
            case=10,
            parties=[own, name],
            stage=place.stage,
        )
    case, text = _CERTIFICATES[word]
    return CertificateError(
        f"the certificate of {name} {text}.",
        next_step="have the consortium's authority issue a new certificate for that party; check"
        " the clocks if it is new.",
        case=case,
        parties=[name],
        stage=place.stage,
    )


def _wrong_message(word: str, name: str, expected: int, received: int, place: Place) -> TacitError:
    own = place.names[place.index]
    if word == "version":
        return HandshakeError(
            f"{name} speaks wire version {received}, {own} speaks {expected}.",
            next_step="install the same version of tacit at all parties.",
            case=1,
            parties=[name, own],
            stage=place.stage,
        )
    if word in _LENGTHS:
        text = (
            f"{name} sent {own} {received} {_LENGTHS[word]} bytes in {place.where()},"
            f" expected {expected}."
        )
        case = 0
    elif word == "session":
        text, case = f"{name} sent {own} a message of another session ({place.where()}).", 3
    elif word == "sequence":
        text = (
            f"{name} sent {own} message {received} in {place.where()}, expected {expected}:"
            " one is missing, repeated or out of order."
        )
        case = 4
    elif word in ("kind", "flags"):
        text = (
            f"{name} sent {own} a frame of {word} {received} in {place.where()},"
            f" expected {expected}."
        )
        case = 5
    else:
        return _broken_tls(word, name, place)
    return MessageError(text, next_step=_SAME_PROGRAM, case=case, parties=[name], stage=place.stage)


def _broken_tls(word: str, name: str, place: Place) -> TransportError:
    own = place.names[place.index]
    if word == "tampered":
        text, case = f"what {own} received from {name} was changed on the way", 4
    else:
        text, case = f"{name} does not speak TLS 1.3 as tacit does, or refuses to go on", 3
    return TransportError(
        f"{text} ({place.where()}).",
        next_step="check the network between the two, and that both run the same version of"
        " tacit; then start the job again.",
        case=case,
        parties=[name],
        stage=place.stage,
    )
