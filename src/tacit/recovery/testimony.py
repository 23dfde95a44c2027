"""From the error that stopped a party to the statement it signs, and to what its abort carries.

An honest party complains of another one only for what it saw itself. What it was told it hands on
as it was signed, and claims nothing: else a corrupt party could tell each of two honest ones that
the other one began. Who is told without a valid signed statement saw something itself: a party
that stops and cannot say why.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import msgspec

from tacit.errors import (
    CertificateError,
    DeadlineError,
    DisputeError,
    HandshakeError,
    InternalError,
    MessageError,
    PeerFaultError,
    TacitError,
    TransportError,
    VerificationError,
)
from tacit.recovery.statements import (
    Exhibit,
    Keys,
    Kind,
    Letter,
    Occasion,
    Position,
    Seen,
    SeenDispute,
    Signed,
    Signer,
    Standing,
    Statement,
    encoded,
    read,
)
from tacit.recovery.validity import Rules

__all__ = ["Watched", "Witness", "seen_from_error"]

_TEXT = 100


class Watched(Protocol):
    """What a witness asks a driver for."""

    testify: Callable[[BaseException], bytes] | None

    def standing(self) -> tuple[int, tuple[str, ...], bool] | None:
        """The own round and whom this party awaited a while before the stop, and if it stayed."""
        ...

    def settled(self) -> Mapping[str, tuple[int, tuple[str, ...]]]:
        """Round and awaited parties of every peer, as its last heartbeat said."""
        ...


def seen_from_error(error: BaseException, own: str, names: Sequence[str]) -> Seen:
    """What a party saw itself, by its error. Not for what it was told, nor for disputes.

    Parameters
    ----------
    error : BaseException
        What stopped the step.
    own : str
        This party.
    names : sequence of str
        All that take part.
    """
    known = error if isinstance(error, TacitError) else InternalError("")
    about = [party for party in dict.fromkeys(known.parties) if party in names and party != own]
    if len(about) == 1 and isinstance(known, PeerFaultError | TransportError):
        return Seen(_kind(known), about[0], known.code)
    if isinstance(known, DeadlineError) and not known.parties:
        return Seen("stuck", code=known.code)
    if isinstance(known, PeerFaultError):
        return Seen("failed check", code=known.code)
    return Seen("stopped", code=known.code)


def _kind(error: TacitError) -> Kind:
    if isinstance(error, VerificationError):
        return "wrong"
    if isinstance(error, PeerFaultError | HandshakeError | CertificateError):
        return "malformed"
    return "silent"


class Witness:
    """One party's voice in one attempt of a stage: signs positions and a single statement.

    After ``witness.watch(mesh.driver)`` the driver asks it with the error that stops a step, and
    puts what it returns into the abort frame, so that whoever hears it can prove that it was told.
    The first call decides what this party states; later ones return the same.

    Parameters
    ----------
    occasion : Occasion
        Job, stage and attempt.
    members : tuple of str
        Who computes, in the order of the session.
    signer : Signer
        This party's key.
    keys : Keys
        The members' keys.
    base : int
        The barrier at which the attempt begins.
    compared : callable, optional
        Looks the two digests of a dispute up that this party raised: of what it received, and
        what its backup vouched for.
    clock : callable
        Seconds since 1970, for people.

    Attributes
    ----------
    operation : str
        What this party is doing; set before each operation.
    passed, reached : int
        The last barrier that all are known to have reached; the last that this party announced.
    """

    def __init__(
        self,
        occasion: Occasion,
        members: tuple[str, ...],
        signer: Signer,
        keys: Keys,
        *,
        base: int = 0,
        compared: Callable[[SeenDispute], tuple[bytes, bytes] | None] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.occasion = occasion
        self.operation = ""
        self.passed = base
        self.reached = base
        self._rules = Rules(occasion, members, keys, base)
        self._signer = signer
        self._compared = compared
        self._clock = clock
        self._driver: Watched | None = None
        self._proofs: tuple[Signed, ...] = ()
        self._transcript = b""
        self._announced: tuple[Position, Signed] | None = None
        self._statement: tuple[Statement, Signed] | None = None

    def watch(self, driver: Watched) -> None:
        """Speak for what this driver does: its aborts carry what this party signs."""
        self._driver = driver
        driver.testify = self.testify

    def announce(self, operations: int, transcript: bytes) -> Signed:
        """Sign the position at the next barrier, to be told to all others.

        Again for the same barrier, it returns the same.
        """
        if self._announced is None:
            self.reached += 1
            position = Position(
                occasion=self.occasion,
                party=self._signer.party,
                barrier=self.reached,
                operations=operations,
                transcript=transcript,
            )
            signed = self._signer.sign("position", self.occasion, encoded(position))
            self._announced = position, signed
        return self._announced[1]

    def heard(self, positions: Mapping[str, Signed]) -> None:
        """Check all others' positions for the barrier that was announced, and pass it.

        Raises
        ------
        MessageError
            A position is none, for another barrier, or has a wrong signature; names its party.
        VerificationError
            A party computed something else than this one; names it.
        """
        assert self._announced is not None, "a barrier is announced before it is passed"
        own = self._announced[0]
        proofs = []
        for party in self._rules.others(own.party):
            signed = positions[party]
            said = self._rules.position(party, signed, own.barrier)
            if said is None:
                raise MessageError(
                    f"{party} sent {own.party} no signed position for barrier {own.barrier}.",
                    next_step="make sure that all parties run the same version of tacit.",
                    case=12,
                    parties=[party],
                    stage="barrier",
                )
            if (said.operations, said.transcript) != (own.operations, own.transcript):
                raise VerificationError(
                    f"{party} computed something else than {own.party} before barrier"
                    f" {own.barrier}: after {said.operations} operations, here {own.operations}.",
                    next_step="make sure that all parties run the same program on the same public"
                    " inputs.",
                    case=21,
                    parties=[party],
                    stage="barrier",
                )
            proofs.append(signed)
        self.passed = own.barrier
        self._proofs, self._transcript = tuple(proofs), own.transcript
        self._announced = None

    def testify(self, error: BaseException) -> bytes:
        """What an abort frame carries: the signed account of who saw something itself."""
        statement, signed = self._made(error)
        if statement.seen.said is not None:
            return encoded(Exhibit(statement.seen.peer, "statement", statement.seen.said))
        return encoded(Exhibit(statement.party, "statement", signed))

    def signed(self, error: BaseException) -> Signed:
        """This party's own statement, for the conference."""
        return self._made(error)[1]

    def _made(self, error: BaseException) -> tuple[Statement, Signed]:
        if self._statement is None:
            statement = Statement(
                occasion=self.occasion,
                party=self._signer.party,
                passed=self.passed,
                reached=self.reached,
                proofs=self._proofs,
                transcript=self._transcript,
                operation=self.operation[:_TEXT],
                at=float(self._clock()),
                seen=self._seen(error),
                standing=self._standing(),
            )
            signed = self._signer.sign("statement", self.occasion, encoded(statement))
            self._statement = statement, signed
        return self._statement

    def _seen(self, error: BaseException) -> Seen:
        if isinstance(error, TacitError) and error.reporter is not None:
            return self._told(error, error.reporter)
        if isinstance(error, DisputeError) and error.dispute is not None:
            return self._disputed(error)
        seen = seen_from_error(error, self._signer.party, self._rules.members)
        if seen.kind == "stuck" and self._driver is not None:
            settled = self._driver.settled()
            told = tuple(
                (other, Standing(*settled[other]))
                for other in self._rules.others(self._signer.party)
                if other in settled
            )
            return msgspec.structs.replace(seen, settled=told)
        return seen

    def _standing(self) -> Standing | None:
        found = None if self._driver is None else self._driver.standing()
        return None if found is None else Standing(*found)

    def _told(self, error: TacitError, reporter: str) -> Seen:
        """`heard`, if what came leads to a valid original statement; else its sender is at fault.

        An abort brings an original statement itself, a call for a conference the caller's letter.
        """
        told = read(error.statement, Exhibit)
        letter = read(error.statement, Letter)
        author, signed = reporter, None if letter is None else letter.signed
        if told is not None and told.purpose == "statement":
            author, signed = told.party, told.signed
        elif signed is not None:
            said = read(signed.body, Statement)
            if said is not None and said.seen.said is not None:
                author, signed = said.seen.peer, said.seen.said
        if (
            signed is not None
            and author != self._signer.party
            and self._rules.original(author, signed) is not None
        ):
            return Seen("heard", author, error.code, said=signed)
        return Seen("malformed", reporter, error.code)

    def _disputed(self, error: DisputeError) -> Seen:
        raised = error.dispute
        assert raised is not None
        place = (raised.nonce, raised.sender, raised.backup, raised.receiver, raised.other)
        found = None
        if self._compared is not None:
            found = self._compared(SeenDispute(*place, b"", b""))
        if found is None:  # nothing to show: no claim that can be checked
            return Seen("failed check", code=error.code)
        return Seen("dispute", code=error.code, dispute=SeenDispute(*place, *found))
