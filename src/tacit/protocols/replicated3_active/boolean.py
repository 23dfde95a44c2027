"""ANDs of packed words that are proved before they are given.

The AND is that of [AFLNO16] (``replicated3/boolean.py``): private against an active party, and
correct up to bits that it flips at will. ``verification.py`` checks a step's ANDs against random
triples in buckets. Active, t = 1, abort. XOR, NOT and the rest are local and those of
``replicated3``.

Rounds and bytes: AND 1 round, 8 bytes a word (64 bits) from each party; its proof 4 rounds and
3 B words a word, 9 for more than 400,000 bits in one step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tacit.protocols.replicated3 import boolean
from tacit.protocols.replicated3_active.verification import Unproved, prove
from tacit.rounds.contract import Step
from tacit.sharing.bits import ReplicatedBits

if TYPE_CHECKING:
    from tacit.protocols.replicated3_active.party import Replicated3ActiveParty

__all__ = ["and_words", "bitwise_and"]


def bitwise_and(
    party: Replicated3ActiveParty, a: ReplicatedBits, b: ReplicatedBits
) -> Step[ReplicatedBits]:
    """a AND b, proved. 5 rounds."""
    unproved = Unproved()
    z = yield from and_words(party, unproved, a, b)
    yield from prove(party, unproved)
    return z


def and_words(
    party: Replicated3ActiveParty, unproved: Unproved, a: ReplicatedBits, b: ReplicatedBits
) -> Step[ReplicatedBits]:
    """a AND b, whose proof is left to the caller. 1 round, 8 bytes a word and party.

    Neither operand may be overwritten before the proof.
    """
    z = yield from boolean.bitwise_and(party, a, b)
    unproved.ands.append((a, b, z))
    return z
