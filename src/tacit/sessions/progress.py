"""The log of a guarded session and its barriers; back to one of them, and on with other parties.

A *barrier* is a point of which every party has told every other, under its signature, that it has
finished all before it: a small message outside the counted rounds. The log holds what was done
since the last one.
"""

from __future__ import annotations

from typing import Any, Final

from tacit.errors import InternalError, RecoveryError
from tacit.operations.types import SecretValue
from tacit.protocols.fantastic4 import Fantastic4Party
from tacit.recovery import Signed, Stage
from tacit.sessions.entries import Entry
from tacit.sessions.exchanges import Exchanges
from tacit.sessions.footing import Point, Terms
from tacit.sessions.handover import Array, Members, array_of, dropped, handed_over
from tacit.sessions.references import References

__all__ = ["Progress"]

MOST_OPERATIONS: Final = 64
"""Operations between barriers."""

MOST_BYTES: Final = 64 << 20
"""What the log of a party keeps in memory beyond what the program itself does."""


class Progress(Exchanges):
    """A party that knows what it has done since the last barrier, and can do it again."""

    def __init__(self, terms: Terms, references: References) -> None:
        self._ahead: Point | None = None
        self._log: list[Entry[Any]] = []
        self._weight = 0
        self._operations = 0
        self._transcript = b""
        self._old_places: Members = (0, 1, 2)
        super().__init__(terms, references)

    def _is_long(self) -> bool:
        """Whether the log is due for a barrier: the same at all parties."""
        return len(self._log) >= MOST_OPERATIONS or self._weight > MOST_BYTES

    def barrier(self, number: int) -> None:
        """Return when all have finished everything before it."""
        if number <= self.passed:
            return
        self._ahead = Point(
            number,
            self.references.next_number,
            self._operations,
            self._transcript,
            self._owners,
        )
        if self._catch_up is not None:
            self._pass()
            if self._catch_up.barrier == number:
                self._arrive()
            return
        if self.blind:
            if self._service is None:
                raise InternalError("a party that is not served waits to be told")
            self._service.await_announcement(number)
        else:
            own = self._announcement()
            positions = self.gather(own, Signed, "barrier")
            self._witness.heard(positions)
            self._serve(lambda service: service.announce(number))
        self._pass()

    def _announcement(self) -> Signed:
        assert self._ahead is not None
        return self._witness.announce(self._ahead.operations, self._ahead.transcript)

    def _pass(self) -> None:
        assert self._ahead is not None
        self._point, self._ahead = self._ahead, None
        self._log.clear()
        self._weight = 0
        if isinstance(self._party, Fantastic4Party) and self._party.journal is not None:
            self._party.journal.clear()

    # Back, and on with others.

    def _rewind(self, restart: int) -> None:
        """Back to a barrier that this party has reached: the last one passed, or the next."""
        if self._ahead is not None and restart == self._ahead.barrier:
            self._pass()
        elif restart != self.passed:
            raise RecoveryError(
                f"The parties are to go on from barrier {restart}, and {self.name} is at"
                f" {self.passed}.",
                next_step="more than one party deviated, or an honest one was too slow; start the"
                " job again.",
                case=6,
                stage="recovery",
            )
        self._ahead = None
        for reference in self.references.alive():
            if reference.number >= self._point.references:
                reference.piece = None

    def _drop(self, following: Stage) -> None:
        """This party's parts become those of three; none at the one that leaves."""
        (leaving,) = (self.names.index(name) for name in following.dropped)
        into = None
        if following.pair is not None and following.served is not None:
            (stays,) = set(following.pair) - {following.served}
            into = self.names.index(stays)
        for reference in self.references.alive():
            if reference.piece is not None:
                reference.piece = dropped(reference.piece, self.home, leaving, into)

    def _in_use(self, below: int) -> tuple[Array, ...]:
        return tuple(
            array_of(reference.number, reference.piece)
            for reference in self.references.alive()
            if reference.piece is not None and reference.number < below
        )

    def _arrive(self) -> None:
        """The one that joins is where the two that stayed wait for it."""
        assert self._catch_up is not None
        found, self._catch_up = self._catch_up.arrays, None
        self._hand_over(found)

    def _hand_over(self, found: list[Array]) -> None:
        parts: dict[int, SecretValue] = {}
        for reference in self.references.alive():
            if reference.piece is not None:
                parts[reference.number] = reference.piece
                reference.piece = None
        new = self._places(self.stage)
        for step in handed_over(self.party, found, parts, self._old_places, new):
            for number, value in self.drive(step, "handover"):
                found_reference = self.references.get(number)
                if found_reference is not None:
                    found_reference.hold(value)
