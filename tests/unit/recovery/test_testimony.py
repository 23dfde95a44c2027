"""What a party signs about an error: what it saw, what it heard, and never twice."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from conferences import BASE, KEYS, NAMES, OCCASION, OTHER, heard, position, signer, statement

from tacit.errors import (
    AddressError,
    CertificateError,
    DataError,
    DeadlineError,
    Dispute,
    DisputeError,
    HandshakeError,
    InternalError,
    MessageError,
    PartyLostError,
    RecoveryError,
    StorageError,
    TacitError,
    TransportError,
    UsageError,
    VerificationError,
)
from tacit.network.faults import Place, cause_of, cause_of_heard, error_from_cause
from tacit.recovery import Exhibit, Seen, SeenDispute, Signed, Statement, Witness, seen_from_error
from tacit.recovery.statements import Letter, encoded, read
from tacit.recovery.validity import Rules

ALICE, BOB, CAROL, DAVE = NAMES
RULES = Rules(OCCASION, NAMES, KEYS, BASE)


def witness(party: str = ALICE, compared: tuple[bytes, bytes] | None = None) -> Witness:
    return Witness(
        OCCASION,
        NAMES,
        signer(party),
        KEYS,
        base=BASE,
        compared=lambda _: compared,
        clock=lambda: 1.5,
    )


def said(speaker: Witness, error: BaseException) -> Statement:
    signed = speaker.signed(error)
    found = RULES.statement(ALICE, KEYS.verify(ALICE, "statement", OCCASION, signed))
    assert found is not None, "an honest party's statement is valid"
    return found


@pytest.mark.parametrize(
    ("error", "kind", "peer"),
    [
        (PartyLostError("", parties=[BOB]), "silent", BOB),
        (DeadlineError("", parties=[BOB]), "silent", BOB),
        (AddressError("", parties=[BOB]), "silent", BOB),
        (TransportError("", case=4, parties=[BOB]), "silent", BOB),
        (MessageError("", parties=[BOB]), "malformed", BOB),
        (HandshakeError("", parties=[BOB, ALICE]), "malformed", BOB),
        (CertificateError("", parties=[ALICE, BOB]), "malformed", BOB),
        (VerificationError("", parties=[BOB]), "wrong", BOB),
        (VerificationError("", parties=[BOB, CAROL]), "failed check", ""),
        (VerificationError(""), "failed check", ""),
        (VerificationError("", case=12, parties=[BOB]), "wrong", BOB),
        (DataError("", parties=[ALICE]), "stopped", ""),
        (StorageError("", parties=[BOB]), "stopped", ""),
        (UsageError(""), "stopped", ""),
        (InternalError(""), "stopped", ""),
        (AddressError("the own port is busy"), "stopped", ""),
        (ZeroDivisionError(), "stopped", ""),
        (KeyboardInterrupt(), "stopped", ""),
    ],
)
def test_what_was_seen(error: BaseException, kind: str, peer: str) -> None:
    seen = seen_from_error(error, ALICE, NAMES)
    assert (seen.kind, seen.peer) == (kind, peer)
    assert said(witness(), error).seen == seen
    assert "TC-" in seen.code


def test_a_dispute_has_the_two_digests_of_the_journal() -> None:
    error = DisputeError("", parties=[BOB, CAROL])
    error.dispute = Dispute("00", 7, BOB, CAROL, ALICE, DAVE)
    found = said(witness(compared=(b"r", b"v")), error).seen.dispute
    assert found == SeenDispute(7, BOB, CAROL, ALICE, DAVE, b"r", b"v")
    assert said(witness(), error).seen.kind == "failed check"


def test_one_statement_whatever_comes_later() -> None:
    speaker = witness()
    first = speaker.signed(PartyLostError("", parties=[BOB]))
    assert speaker.signed(MessageError("", parties=[CAROL])) == first
    assert read(speaker.testify(KeyboardInterrupt()), Exhibit) == Exhibit(ALICE, "statement", first)


def place(party: str) -> Place:
    return Place(NAMES, NAMES.index(party), "multiply", 3, "ab")


def test_what_an_abort_brings_is_handed_on_as_it_was_signed() -> None:
    """bob lost dave, tells carol, and carol tells alice: all say that bob said so."""
    lost = PartyLostError("dave is lost.", parties=[DAVE], case=1)
    bob, carol, alice = witness(BOB), witness(CAROL), witness(ALICE)
    frame = cause_of(lost, place(BOB), bob.testify(lost))
    told = error_from_cause(frame, 1, place(CAROL))
    assert told.reporter == BOB
    on = cause_of_heard(told, 1, place(CAROL), carol.testify(told))
    told_on = error_from_cause(on, 2, place(ALICE))
    assert told_on.reporter == CAROL
    seen = said(alice, told_on).seen
    assert (seen.kind, seen.peer, seen.said) == ("heard", BOB, bob.signed(lost))
    assert read(alice.testify(told_on), Exhibit) == Exhibit(BOB, "statement", bob.signed(lost))


def told_by_bob(statement_bytes: bytes) -> TacitError:
    error = PartyLostError("", parties=[CAROL])
    error.reporter, error.statement = BOB, statement_bytes
    return error


def exhibit(author: str, signed: Signed, purpose: str = "statement") -> bytes:
    return encoded(Exhibit(author, purpose, signed))  # type: ignore[arg-type]


ORIGINAL = statement(CAROL, Seen("silent", DAVE))


@pytest.mark.parametrize(
    "brought",
    [
        b"",
        b"\x00noise",
        exhibit(CAROL, Signed(ORIGINAL.body, bytes(64))),
        exhibit(BOB, ORIGINAL),
        exhibit(CAROL, ORIGINAL, "position"),
        exhibit(CAROL, statement(CAROL, Seen("silent", DAVE), occasion=OTHER)),
        exhibit(CAROL, statement(CAROL, Seen("silent", CAROL))),
        exhibit(BOB, heard(BOB, CAROL, ORIGINAL)),
        exhibit(ALICE, statement(ALICE, Seen("silent", DAVE))),
        exhibit("eve", ORIGINAL),
        encoded(Letter(1, None)),
        encoded(Letter(1, ORIGINAL)),
        encoded(Letter(1, heard(BOB, ALICE, statement(ALICE, Seen("silent", DAVE))))),
    ],
)
def test_who_stops_and_cannot_show_why_is_seen_to_do_so(brought: bytes) -> None:
    seen = said(witness(), told_by_bob(brought)).seen
    assert (seen.kind, seen.peer) == ("malformed", BOB)


def test_a_call_for_a_conference_brings_the_callers_letter() -> None:
    own = statement(BOB, Seen("silent", DAVE))
    seen = said(witness(), told_by_bob(encoded(Letter(1, own)))).seen
    assert (seen.kind, seen.peer, seen.said) == ("heard", BOB, own)
    on = heard(BOB, CAROL, ORIGINAL)
    seen = said(witness(), told_by_bob(encoded(Letter(1, on)))).seen
    assert (seen.kind, seen.peer, seen.said) == ("heard", CAROL, ORIGINAL)


def positions(speaker: Witness, barrier: int) -> dict[str, Signed]:
    own = speaker.announce(1, b"t")
    return {ALICE: own, **{name: position(name, barrier) for name in NAMES if name != ALICE}}


def test_barriers_are_announced_then_passed_with_proofs() -> None:
    speaker = witness()
    for barrier in (BASE + 1, BASE + 2):
        said_by = positions(speaker, barrier)
        assert speaker.announce(1, b"t") == said_by[ALICE]
        assert (speaker.passed, speaker.reached) == (barrier - 1, barrier)
        speaker.heard(said_by)
        assert (speaker.passed, speaker.reached) == (barrier, barrier)
    speaker.announce(1, b"t")
    found = said(speaker, PartyLostError("", parties=[BOB]))
    assert (found.passed, found.reached, len(found.proofs)) == (BASE + 2, BASE + 3, 3)


@pytest.mark.parametrize(
    ("bad", "kind"),
    [
        (position(CAROL, BASE + 2), MessageError),
        (position(BOB, BASE + 1), MessageError),
        (position(CAROL, BASE + 1, occasion=OTHER), MessageError),
        (Signed(b"", bytes(64)), MessageError),
        (position(CAROL, BASE + 1, b"u"), VerificationError),
    ],
)
def test_a_wrong_position_names_its_party(bad: Signed, kind: type[TacitError]) -> None:
    speaker = witness()
    said_by: Mapping[str, Signed] = {**positions(speaker, BASE + 1), CAROL: bad}
    with pytest.raises(kind) as caught:
        speaker.heard(said_by)
    assert caught.value.parties == (CAROL,)
    seen = said(speaker, caught.value).seen
    assert (seen.kind, seen.peer) == ("malformed" if kind is MessageError else "wrong", CAROL)
    assert speaker.passed == BASE


def test_where_it_stood_comes_from_the_driver() -> None:
    class Driver:
        testify = None

        def standing(self) -> tuple[int, tuple[str, ...], bool]:
            return 9, (BOB,), True

        def settled(self) -> dict[str, tuple[int, tuple[str, ...]]]:
            return {BOB: (9, (CAROL,)), CAROL: (9, (BOB,)), DAVE: (9, (BOB,))}

    speaker, driver = witness(), Driver()
    speaker.watch(driver)
    assert driver.testify == speaker.testify
    found = said(speaker, DeadlineError("nobody is to be named", case=5))
    assert found.seen.kind == "stuck"
    assert [party for party, _ in found.seen.settled] == [BOB, CAROL, DAVE]
    assert found.standing is not None
    assert found.standing.awaits == (BOB,)


def test_recovery_errors_are_faults_of_peers() -> None:
    assert RecoveryError("").code == "TC-5500"
    assert seen_from_error(RecoveryError(""), ALICE, NAMES).kind == "failed check"
