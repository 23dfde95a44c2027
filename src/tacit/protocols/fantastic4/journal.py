"""What a party said and heard since the last point that all have passed: digests, no values.

Dalskov, Escudero, Keller 2021 (ePrint 2020/1330): after a complaint the sender and the
backup of a message say what they sent, and the receiver what it got. All that is compared is the
salted digest of the message (``joint.py``), which says nothing about its value.

A backup has its digest anyway; a receiver has the two that differ. A sender would have to compute
one for every message, so it does so only after a fault that named nobody (``party.evidence``).

Memory: at most `limit` digests; of more, the oldest are forgotten, far from what can still be
disputed, as a receiver compares at once and nobody gets far ahead of it. Whoever disputes a message
that old contradicts itself, so what is forgotten is denied like what never was.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tacit.protocols.fantastic4.joint import Roles
    from tacit.protocols.fantastic4.party import Fantastic4Party

__all__ = ["Journal", "Received", "Said", "said"]

LIMIT: Final = 1 << 16


@dataclass(frozen=True, slots=True, repr=False)
class Received:
    """What a receiver holds against a sender and a backup that contradict each other.

    Attributes
    ----------
    got : bytes
        The digest of what the sender sent.
    said : bytes
        The digest that the backup sent.
    """

    got: bytes
    said: bytes

    def __repr__(self) -> str:
        return "Received()"


@dataclass(frozen=True, slots=True, repr=False)
class Said:
    """A sender's or a backup's answer about one message.

    Attributes
    ----------
    known : bool
        Whether this party can say: False at a sender that kept no digests.
    digest : bytes or None
        Of the message. None, with `known`: there is nothing to dispute, because this party did
        not get there, or because it is so long ago that a receiver that compares has passed it.
    """

    known: bool
    digest: bytes | None

    def __repr__(self) -> str:
        return f"Said(known={self.known})"


class Journal:
    """A party's digests by nonce and roles, since the last point that all have passed.

    Parameters
    ----------
    limit : int
        How many digests are kept at most.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._young: dict[tuple[int, Roles], bytes] = {}
        self._old: dict[tuple[int, Roles], bytes] = {}
        self._disputes: dict[tuple[int, Roles], Received] = {}
        self._passed = 0

    def __repr__(self) -> str:
        return f"Journal(digests={len(self)})"

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def vouched(self, nonce: int, roles: Roles, digest: bytes) -> None:
        """Keep what this party, a backup, says about a message."""
        if 2 * len(self._young) >= self._limit:
            self._old, self._young = self._young, {}
        self._young[nonce, roles] = digest

    sent = vouched
    """Keep what this party, a sender, sent."""

    def received(self, nonce: int, roles: Roles, got: bytes, said: bytes) -> None:
        """Keep what differs at this party, a receiver."""
        self._disputes[nonce, roles] = Received(got, said)

    def lookup(self, nonce: int, roles: Roles) -> bytes | None:
        """What was kept as a sender or backup of a message."""
        place = nonce, roles
        return self._young.get(place, self._old.get(place))

    def dispute(self, nonce: int, roles: Roles) -> Received | None:
        """What this party, a receiver, found to differ."""
        return self._disputes.get((nonce, roles))

    def clear(self, nonce: int | None = None) -> None:
        """All parties have passed the point after this nonce: nothing before can be disputed.

        Without one, the point after everything that was kept so far.
        """
        kept = {**self._old, **self._young}
        nonce = max((n for n, _ in kept), default=0) if nonce is None else nonce
        self._old, self._young = {}, {place: d for place, d in kept.items() if place[0] > nonce}
        self._passed = max(self._passed, nonce)

    def passed(self, nonce: int) -> bool:
        """Whether all have passed it."""
        return nonce <= self._passed


def said(party: Fantastic4Party, nonce: int, roles: Roles) -> Said:
    """What this party, the sender or the backup of a disputed message, answers. Local.

    Parameters
    ----------
    party : Fantastic4Party
    nonce : int
        Of the exchange.
    roles : tuple of int
        S, B, R and O, of which this party is S or B.
    """
    journal = party.journal
    if journal is None or party.index not in roles[:2]:
        return Said(False, None)
    digest = journal.lookup(nonce, roles)
    if digest is not None:
        return Said(True, digest)
    if journal.passed(nonce):
        return Said(True, None)
    keeps = party.evidence or party.index == roles[1]
    return Said(keeps, None)
