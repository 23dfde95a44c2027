"""When a signed statement is one that an honest party can have made.

One function of public bytes, the same for who hears a statement with an abort, who judges and who
checks evidence later: what one of them takes for valid, all do.
"""

from __future__ import annotations

from dataclasses import dataclass

from tacit.errors import VerificationError
from tacit.recovery.statements import (
    ORIGINAL_BYTES,
    STATEMENT_BYTES,
    Keys,
    Occasion,
    Position,
    Seen,
    SeenDispute,
    Signed,
    Statement,
    read,
)

__all__ = ["Rules"]


@dataclass(frozen=True, slots=True)
class Rules:
    """What statements of one occasion are held against.

    Attributes
    ----------
    occasion : Occasion
        Job, stage and attempt.
    members : tuple of str
        Who takes part, in the order of the session.
    keys : Keys
        Their evidence keys.
    base : int
        The barrier at which the attempt began.
    """

    occasion: Occasion
    members: tuple[str, ...]
    keys: Keys
    base: int

    def others(self, party: str) -> tuple[str, ...]:
        """All members but one."""
        return tuple(member for member in self.members if member != party)

    def statement(self, party: str, body: bytes) -> Statement | None:
        """The statement, if an honest `party` can have signed these bytes; else None."""
        if len(body) > STATEMENT_BYTES:
            return None
        said = read(body, Statement)
        fits = (
            said is not None
            and said.occasion == self.occasion
            and said.party == party
            and self.base <= said.passed <= said.reached <= said.passed + 1
            and self._proven(said)
            and self._plausible(said.seen, party)
            and (said.standing is None or set(said.standing.awaits) <= set(self.others(party)))
            and (said.seen.kind == "heard" or len(body) <= ORIGINAL_BYTES)
        )
        return said if fits else None

    def original(self, party: str, signed: Signed) -> Statement | None:
        """The statement, if `party` signed it, it is valid and about what it saw itself."""
        try:
            body = self.keys.verify(party, "statement", self.occasion, signed)
        except VerificationError:
            return None
        said = self.statement(party, body) if party in self.members else None
        return None if said is None or said.seen.kind == "heard" else said

    def position(self, party: str, signed: Signed, barrier: int) -> Position | None:
        """The position, if `party` signed it for this barrier; else None."""
        try:
            body = self.keys.verify(party, "position", self.occasion, signed)
        except VerificationError:
            return None
        said = read(body, Position)
        named = said is not None and (said.occasion, said.party, said.barrier)
        return said if named == (self.occasion, party, barrier) else None

    def _proven(self, said: Statement) -> bool:
        """Whether all others' positions for the barrier that it passed stand behind it."""
        if said.passed == self.base:
            return not said.proofs
        others = self.others(said.party)
        if len(said.proofs) != len(others):
            return False
        found = [
            self.position(other, proof, said.passed)
            for other, proof in zip(others, said.proofs, strict=True)
        ]
        return all(p is not None and p.transcript == said.transcript for p in found)

    def _plausible(self, seen: Seen, party: str) -> bool:
        named = seen.peer in self.others(party)
        if (seen.dispute is not None) != (seen.kind == "dispute"):
            return False
        if (seen.said is not None) != (seen.kind == "heard"):
            return False
        if bool(seen.settled) != (seen.kind == "stuck"):
            return False
        match seen.kind:
            case "dispute":
                assert seen.dispute is not None
                return not seen.peer and self._disputable(seen.dispute, party)
            case "heard":
                assert seen.said is not None
                return named and self.original(seen.peer, seen.said) is not None
            case "stuck":
                told = tuple(other for other, _ in seen.settled)
                return not seen.peer and told == self.others(party)
            case "failed check" | "stopped":
                return not seen.peer
            case _:
                return named

    def _disputable(self, dispute: SeenDispute, party: str) -> bool:
        roles = (dispute.sender, dispute.backup, dispute.receiver, dispute.other)
        return (
            len(self.members) == len(roles)
            and set(roles) == set(self.members)
            and dispute.receiver == party
            and dispute.received != dispute.vouched
        )
