"""The conference: everybody's statement to everybody, although one of them lies.

Notation: n parties (n <= 4), at most t = 1 corrupt, signatures, synchronous rounds. Broadcast by
D. Dolev, H. R. Strong, *Authenticated algorithms for Byzantine agreement*, SIAM J. Comput. 12(4),
1983, for t = 1, all parties as senders side by side:

Round 1. Everybody sends everybody what it signed.
Round 2. Everybody sends everybody what it heard in round 1, with its own signature on it.
Accepted of an author: what came from it in round 1, and what another one forwarded in round 2.

All honest parties accept the same of each author. What an honest one hears in round 1 it forwards,
so all others accept it. What it accepts in round 2 another party forwarded; if the author is
corrupt the forwarder is honest and forwards it to all, and if the author is honest it signed one
thing and sent it to all. A corrupt author that signs two different ones is seen by all.

Statements first; then, if one of them holds a dispute, answers to the first dispute in the same
way. Then everybody judges (``verdict.py``). Nothing that a peer sends raises an error here: what
does not parse, has no valid signature or belongs to another occasion is as if it never came.

Rounds: 2, or 4 with a dispute; at most 13 KiB, then 50 KiB to each other party.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias, TypeVar

from tacit.errors import VerificationError
from tacit.recovery.statements import (
    STATEMENT_BYTES,
    Answer,
    Exhibit,
    Forwarded,
    Keys,
    Letter,
    Occasion,
    SeenDispute,
    Signed,
    Signer,
    encoded,
    read,
)
from tacit.recovery.validity import Rules
from tacit.recovery.verdict import Accepted, Verdict, disputed, judge

__all__ = ["Conference", "Kept", "confer"]

T = TypeVar("T")

Conference: TypeAlias = Generator[dict[str, bytes], dict[str, bytes], T]
"""Yields what goes to each peer, is sent what came from each in time; nothing came, no entry."""

Kept: TypeAlias = tuple[bool, bytes | None]
"""Whether digests were kept, and the one of an exchange; None: it never came to it."""

Subject: TypeAlias = Literal["statement", "answer"]


def confer(
    own: Signed,
    members: tuple[str, ...],
    signer: Signer,
    keys: Keys,
    answer: Callable[[SeenDispute], Kept],
    *,
    occasion: Occasion,
    base: int,
    evidence: bool,
) -> Conference[Verdict]:
    """Exchange statements, then answers to a dispute, and judge. 2 or 4 rounds.

    Parameters
    ----------
    own : Signed
        This party's statement (``Witness.signed``).
    members : tuple of str
        All that confer, in the order of the session.
    signer, keys : Signer, Keys
        This party's evidence key, and those of all members.
    answer : callable
        This party's digest for a dispute in which it was the sender or the backup.
    occasion : Occasion
        What the statements are about.
    base : int
        The barrier at which this attempt began.
    evidence : bool
        Whether senders kept digests in this attempt (``stage.evidence``).

    Returns
    -------
    Verdict
        The same at all honest parties.

    Raises
    ------
    RecoveryError
        No single party explains all that was said: more than one is at fault (TC-5501).
    """
    assert len(members) <= 4, "with more parties one could be corrupt and another one slow"
    rules = Rules(occasion, members, keys, base)
    hall = _Hall(rules, signer)
    statements = yield from hall.broadcast(1, "statement", own)
    dispute = disputed(rules, statements)
    answers: Accepted = {}
    if dispute is not None:
        reply = None
        if signer.party in (dispute.sender, dispute.backup):
            known, digest = answer(dispute)
            body = Answer(
                occasion=occasion,
                party=signer.party,
                nonce=dispute.nonce,
                sender=dispute.sender,
                backup=dispute.backup,
                receiver=dispute.receiver,
                known=known,
                digest=digest if known else None,
            )
            reply = signer.sign("answer", occasion, encoded(body))
        answers = yield from hall.broadcast(3, "answer", reply)
    verdict = judge(rules, statements, answers, evidence=evidence)
    return replace(verdict, evidence=(*verdict.evidence, *hall.forwards))


@dataclass(slots=True)
class _Hall:
    """One party's seat in a conference."""

    rules: Rules
    signer: Signer
    forwards: tuple[Exhibit, ...] = ()
    """What each forwarded: who was heard by whom."""

    def broadcast(self, at: int, subject: Subject, own: Signed | None) -> Conference[Accepted]:
        """Rounds `at` and `at` + 1: what is accepted of each member."""
        me, others = self.signer.party, self.rules.others(self.signer.party)
        accepted: dict[str, dict[bytes, Signed]] = {m: {} for m in self.rules.members}
        if own is not None:
            accepted[me][own.body] = own
        came = yield dict.fromkeys(others, encoded(Letter(at, own)))
        heard: list[tuple[str, Signed]] = []
        for author in others:
            signed = self._opened(came.get(author), at)
            if signed is not None and self._holds(author, subject, signed):
                heard.append((author, signed))
                accepted[author][signed.body] = signed
        body = encoded(Forwarded(self.rules.occasion, me, subject, tuple(heard)))
        bundle = self.signer.sign("forwarded", self.rules.occasion, body)
        came = yield dict.fromkeys(others, encoded(Letter(at + 1, bundle)))
        bundles = [(me, bundle)]
        for forwarder in others:
            signed = self._opened(came.get(forwarder), at + 1)
            forwarded = None if signed is None else self._forwarded(forwarder, subject, signed)
            if signed is None or forwarded is None:
                continue
            bundles.append((forwarder, signed))
            for author, said in forwarded.heard:
                known = author in others and author != forwarder
                if known and self._holds(author, subject, said):
                    accepted[author].setdefault(said.body, said)
        bundles.sort(key=lambda found: self.rules.members.index(found[0]))
        shown = [Exhibit(party, "forwarded", signed) for party, signed in bundles]
        self.forwards = (*self.forwards, *shown)
        return {m: tuple(found[body] for body in sorted(found)) for m, found in accepted.items()}

    def _opened(self, data: bytes | None, at: int) -> Signed | None:
        message = None if data is None else read(data, Letter)
        return message.signed if message is not None and message.round == at else None

    def _holds(self, author: str, subject: Subject, signed: Signed) -> bool:
        if len(signed.body) > STATEMENT_BYTES:
            return False
        try:
            self.rules.keys.verify(author, subject, self.rules.occasion, signed)
        except VerificationError:
            return False
        return True

    def _forwarded(self, forwarder: str, subject: Subject, signed: Signed) -> Forwarded | None:
        try:
            body = self.rules.keys.verify(forwarder, "forwarded", self.rules.occasion, signed)
        except VerificationError:
            return None
        found = read(body, Forwarded)
        named = found is not None and (found.occasion, found.party, found.subject)
        return found if named == (self.rules.occasion, forwarder, subject) else None
