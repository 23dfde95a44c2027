"""Errors to causes and back; reports of links to errors."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tacit import _native
from tacit.errors import (
    CertificateError,
    DataError,
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
    VerificationError,
)
from tacit.network.faults import (
    Place,
    cause_of,
    cause_of_heard,
    error_from_cause,
    error_from_failure,
    listed,
)

NAMES = ("alice", "bob", "carol")
HERE = Place(NAMES, 0, "training", 7)
THERE = Place(NAMES, 1, "training", 7)


def told(error: BaseException) -> TacitError:
    """What alice hears when bob stops with this error."""
    return error_from_cause(cause_of(error, THERE), 1, HERE)


@pytest.mark.parametrize("kind", [PartyLostError, DeadlineError, MessageError, VerificationError])
def test_errors_written_for_all_arrive_with_their_culprits(kind: type[TacitError]) -> None:
    error = kind("carol is at fault", next_step="do this", case=3, parties=["carol"], stage="x")
    heard = told(error)
    assert type(heard) is kind
    assert heard.code == error.code
    suspects = ("carol", "bob") if issubclass(kind, PeerFaultError) else ("carol",)
    assert heard.parties == suspects
    assert heard.stage == "x"
    assert heard.next_step == "bob says: do this"
    assert heard.message == "carol is at fault (reported by bob)"


@pytest.mark.parametrize(
    "error",
    [
        DataError("row 3 holds 4711", next_step="look at 4711", case=7),
        UsageError("4711"),
        ValueError("4711"),
        InternalError("4711"),
    ],
)
def test_errors_about_own_data_stay_with_their_owner(error: Exception) -> None:
    assert b"4711" not in cause_of(error, THERE)
    heard = told(error)
    assert isinstance(heard, PartyLostError)
    assert heard.parties == ("bob",)
    expected = error.code if isinstance(error, TacitError) else "TC-9000"
    assert expected in heard.message


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(1)])
def test_interruptions_are_called_so(error: BaseException) -> None:
    heard = told(error)
    assert isinstance(heard, PartyLostError)
    assert "bob was interrupted" in heard.message


def test_causes_are_bounded() -> None:
    error = PartyLostError(
        "é" * 5000, next_step="é" * 5000, parties=["é" * 60] * 64, stage="é" * 999
    )
    data = cause_of(error, THERE)
    assert len(data) <= _native.LINK_ABORT_BYTES
    assert isinstance(told(error), PartyLostError)


@given(st.binary(max_size=300))
def test_arbitrary_causes_name_their_sender(data: bytes) -> None:
    assert error_from_cause(data, 1, HERE).parties == ("bob",)


def test_a_cause_cannot_name_strangers() -> None:
    heard = told(PartyLostError("x", parties=["mallory"]))
    assert heard.parties == ("bob",)


FOUR = (*NAMES, "dave")


def disputed(
    receiver: str,
    other: str = "dave",
    session: str = "ab12",
    said: tuple[str, ...] = ("alice", "carol"),
) -> TacitError:
    """What alice hears of a dispute that bob reports."""
    error = DisputeError("they differ", parties=said)
    error.dispute = Dispute(session, 7, "alice", "carol", receiver, other)
    places = [Place(FOUR, i, "training", 7, "ab12") for i in (1, 0)]
    return error_from_cause(cause_of(error, places[0]), 1, places[1])


def test_a_dispute_arrives_as_data() -> None:
    heard = disputed("bob")
    assert isinstance(heard, DisputeError)
    assert heard.dispute == Dispute("ab12", 7, "alice", "carol", "bob", "dave")
    assert heard.dispute.suspects == ("alice", "carol")
    assert heard.parties == ("alice", "carol", "bob")


@pytest.mark.parametrize("said", [(), ("dave",), ("carol",)])
def test_the_suspects_are_those_of_the_dispute_and_who_reports_it(said: tuple[str, ...]) -> None:
    assert disputed("bob", said=said).parties == ("alice", "carol", "bob")


def test_a_dispute_of_another_session_names_its_reporter_alone() -> None:
    heard = disputed("bob", session="ab13")
    assert isinstance(heard, DisputeError)
    assert heard.dispute is None
    assert heard.parties == ("bob",)


def test_a_claim_is_not_passed_on_as_ones_own() -> None:
    """Dave invents a dispute of bob and carol; alice, who is honest, does not vouch for it."""
    dave, alice, bob = (Place(FOUR, i, "training", 7, "ab12") for i in (3, 0, 1))
    for text in ("they differ", "they differ" + " " * 2000):
        claim = DisputeError(text, parties=["bob", "carol"])
        claim.dispute = Dispute("ab12", 1, "bob", "carol", "dave", "alice")
        at_alice = error_from_cause(cause_of(claim, dave), 3, alice)
        assert at_alice.parties == ("bob", "carol", "dave")
        at_bob = error_from_cause(cause_of_heard(at_alice, 3, alice), 0, bob)
        assert isinstance(at_bob, PartyLostError)
        assert at_bob.code == "TC-3406"
        assert at_bob.parties == ("dave",)
        assert at_bob.message.startswith("alice stopped because of what dave reported to it: they")
        told_again = error_from_cause(cause_of_heard(at_bob, 0, bob), 1, dave)
        assert told_again.parties == ("alice",)


@pytest.mark.parametrize(("receiver", "other"), [("dave", "bob"), ("bob", "mallory")])
def test_nobody_reports_a_dispute_for_another_or_of_strangers(receiver: str, other: str) -> None:
    heard = disputed(receiver, other)
    assert isinstance(heard, DisputeError)
    assert heard.dispute is None
    assert heard.parties == ("bob",)


@given(st.recursive(st.none() | st.text() | st.integers(0, 2**32), st.lists, max_leaves=5))
def test_causes_of_other_types_are_refused(value: Any) -> None:
    assert isinstance(error_from_cause(msgspec.msgpack.encode(value), 1, HERE), MessageError)


REPORTS: list[tuple[str, type[TacitError], int, str]] = [
    ("ended", PartyLostError, 1, "connection ended"),
    ("reset", PartyLostError, 1, "reset"),
    ("io", PartyLostError, 1, "failed"),
    ("silent", PartyLostError, 2, "5 seconds"),
    ("left", PartyLostError, 4, "ended the session"),
    ("deadline", DeadlineError, 1, "did not finish in time"),
    ("version", HandshakeError, 1, "wire version 9"),
    ("payload", MessageError, 0, "sent alice 9 payload bytes in round 7"),
    ("check", MessageError, 0, "9 check bytes"),
    ("segment", MessageError, 0, "9 segment bytes"),
    ("session", MessageError, 3, "another session"),
    ("sequence", MessageError, 4, "message 9"),
    ("kind", MessageError, 5, "kind 9"),
    ("flags", MessageError, 5, "flags 9"),
    ("tampered", TransportError, 4, "changed on the way"),
    ("protocol", TransportError, 3, "TLS 1.3"),
    ("alert", TransportError, 3, "TLS 1.3"),
    ("expired", CertificateError, 8, "expired"),
    ("refused", CertificateError, 10, "refused the certificate of alice"),
]


@pytest.mark.parametrize(("word", "kind", "case", "text"), REPORTS)
def test_reports_of_links(word: str, kind: type[TacitError], case: int, text: str) -> None:
    failure = _native.LinkFailure(word, 1, 8, 9, b"detail")
    error = error_from_failure(failure, HERE, heartbeat=5.0)
    assert type(error) is kind
    assert error.case == case
    assert text in error.message
    assert "bob" in error.message
    assert error.next_step
    assert error.stage == "training"


def test_reports_without_a_peer() -> None:
    def error(word: str) -> TacitError:
        return error_from_failure(_native.LinkFailure(word, None, 0, 0, b"why"), HERE)

    assert error("closed").case == 1
    assert isinstance(error("busy"), UsageError)
    assert "yielded why" in error("round").message
    assert isinstance(error("unheard of"), InternalError)


def test_lists_of_names() -> None:
    assert [listed(NAMES[:count]) for count in (1, 2, 3)] == [
        "alice",
        "alice and bob",
        "alice, bob and carol",
    ]
