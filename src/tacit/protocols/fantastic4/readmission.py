"""From three parties to four: the sharing that four have of what three shared. Active, t = 1.

Of y = y_P + y_Q + y_R, where each of the three lacks the share of its name, every share has two
holders among them: so each goes through joint message passing (``joint.py``; Dalskov, Escudero,
Keller 2021, section 3.1), under the keys of the new session of four. INP(Q, R, P, d; y_P), d the
party that comes back: x_P is drawn from k_P, which d holds as well; the rest y_P - x_P is a part
of x_d, and Q sends it to P, which compares it with R's digest. The party that comes back hears
nothing and holds x_P, x_Q, x_R from the keys alone.

Who learns what: P gets y_P - x_P, masked by a key that it lacks. d gets uniform numbers. All four
shares are new: neither the old parts of a party, whoever had them, nor those of one that was
corrupt before it was recovered say more about y with one party's new ones (decision 0051).

Rounds and bytes: 1 round, three elements and three digests in all: one each of the three.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from tacit.encoding.ring import RING64, Ring
from tacit.errors import InternalError
from tacit.protocols.fantastic4.costs import exchanged
from tacit.protocols.fantastic4.groups import BITS, elements_of
from tacit.protocols.fantastic4.joint import Message, exchange, total
from tacit.rounds.contract import Step
from tacit.rounds.cost import Declaration
from tacit.sharing.bits import without_padding, word_count
from tacit.sharing.fallback import OfFour, OfThree, members_without, parts_by_lacking
from tacit.sharing.replicated4 import Replicated4, Replicated4Bits

if TYPE_CHECKING:
    from tacit.protocols.fantastic4.party import Fantastic4Party

__all__ = ["readmit", "readmit_cost"]


def readmit(
    party: Fantastic4Party,
    share: OfThree | None,
    shape: tuple[int, ...],
    *,
    bits: bool,
    back: int,
) -> Step[OfFour]:
    """The sharing of four of what the other three shared. 1 round, three elements, three digests.

    Parameters
    ----------
    party : Fantastic4Party
        Of the new session, after its set-up.
    share : Replicated or ReplicatedBits or None
        This party's part among the three; None at the one that comes back.
    shape : tuple of int
        Of the secret.
    bits : bool
        Whether it is bits; plain ones.
    back : int
        Which party comes back.

    Returns
    -------
    Replicated4 or Replicated4Bits

    Raises
    ------
    DisputeError
        Two holders of a share contradict each other (TC-5300).
    """
    me = party.index
    three = members_without(back)
    if (share is None) != (me == back):
        raise InternalError("a party has no part of what is shared anew, or has one too many")
    group = BITS if bits else elements_of(party.ring)
    size = (word_count(prod(shape)),) if bits else shape
    held = {} if share is None else parts_by_lacking(share, me, three)
    messages = []
    for sender, backup, lacking in _roles(three):
        part = held.get(lacking)
        if part is not None:
            # Behind the last bit two holders of a share of three need not have the same.
            part = without_padding(part, prod(shape)) if bits else part
        messages.append(Message(sender, backup, lacking, group, size, part))
    shares = total(party, (yield from exchange(party, messages)), size)
    return Replicated4Bits(shares, shape) if bits else Replicated4(shares)


def _roles(three: tuple[int, int, int]) -> list[tuple[int, int, int]]:
    """S, B and R of the share that R lacks: each of the three is each of them once."""
    return [(three[(k + 1) % 3], three[(k + 2) % 3], three[k]) for k in range(3)]


def readmit_cost(size: int, back: int, *, bits: bool, ring: Ring = RING64) -> Declaration:
    """1 round; each of the three sends an element (8 bytes a word for bits) and a digest."""
    payload = BITS.dtype.itemsize * word_count(size) if bits else ring.element_bytes * size
    return exchanged((*roles, payload) for roles in _roles(members_without(back)))
