"""Input and reveal.

Dalskov, Escudero, Keller 2021 (ePrint 2020/1330), sections 3.1 (shared input) and 3.4
(reconstruction). Active, t = 1, abort with two suspects.

Rounds and bytes: input 2 rounds, two ring elements each, by the owner, then from the two that got
them a digest to each other and a receipt to the fourth party; reveal 1 round, one ring element each
and one digest to every recipient.

Input by owner o: x_o = 0; x_{o+1} and x_{o+2} are drawn from PRNG_{o+1} and PRNG_{o+2}, which the
owner holds; x_{o+3} is the rest, which goes to its two other holders, parties o+1 and o+2. These
compare digests of it, in a round of their own, before anything that depends on it is sent: else an
owner that sent them different ones would learn whether their later messages agree. The salt is of
the key that the owner and these two alone hold, as for every message: party o+3 knows all masks of
the input, and a digest that is published in a dispute must not let it try values. In the same
round both send party o+3, which is sent nothing by the owner, a receipt, and it waits for these:
else it would go on to later openings while a corrupt owner withholds its messages, and the owner
would choose its input by what was opened. Deviations from the paper: there the comparison is
deferred, and there are no receipts.

A receipt is the digest of nothing, salted by the key of the owner's index: all but the owner know
it beforehand, and it says nothing but that its sender has the owner's message.

Reveal to i: party i-1 sends x_i, party i+1 its digest, in the same round (``joint.py``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from tacit.encoding.digest import DIGEST_BYTES
from tacit.encoding.ring import Elements
from tacit.errors import InternalError, VerificationError
from tacit.protocols.fantastic4.groups import BITS, Array, Group, elements_of
from tacit.protocols.fantastic4.joint import Message, Roles, digest_of, disputed, learn, note
from tacit.rounds.contract import Round, Step
from tacit.sharing.bits import pack_bits, unpack_bits, without_padding, word_count
from tacit.sharing.replicated4 import Replicated4, Replicated4Bits

if TYPE_CHECKING:
    from tacit.protocols.fantastic4.party import Fantastic4Party

__all__ = ["input_", "input_bits", "reveal", "reveal_bits"]

_MASK: Final = 0


def input_(
    party: Fantastic4Party, owner: int, values: Elements | None, shape: tuple[int, ...]
) -> Step[Replicated4]:
    """Share ring elements that the owner knows. 2 rounds, two ring elements each by the owner.

    Raises
    ------
    DisputeError, VerificationError
        The receivers do not have the same (TC-5300); a receipt is wrong (TC-5203).
    """
    return Replicated4((yield from _share(party, owner, values, shape, elements_of(party.ring))))


def input_bits(
    party: Fantastic4Party, owner: int, values: NDArray[Any] | None, shape: tuple[int, ...]
) -> Step[Replicated4Bits]:
    """Share bits that the owner knows. 2 rounds, two words for every 64 bits by the owner."""
    words = None if values is None else pack_bits(values)
    count = word_count(int(np.prod(shape, dtype=np.int64)))
    return Replicated4Bits((yield from _share(party, owner, words, (count,), BITS)), shape)


def _share(
    party: Fantastic4Party,
    owner: int,
    values: Array | None,
    shape: tuple[int, ...],
    group: Group,
) -> Step[Mapping[int, Array]]:
    nonce, me = party.nonce(), party.index
    first, second, last = ((owner + k) % 4 for k in (1, 2, 3))
    shares = {j: group.zeros(shape) if j == owner else group.empty(shape) for j in party.held}
    for j in (first, second):
        if j != me:
            group.fill(party.keys[j], nonce, _MASK, shares[j])
    if me == owner:
        if values is None or values.shape != shape:
            raise InternalError("the owner's input does not have the agreed shape")
        rest = group.subtract(group.subtract(values, shares[first]), shares[second])
        shares[last] = np.asarray(rest, order="C")
        if party.evidence:
            sent = digest_of(party, nonce, (owner, first, second, last), last, [shares[last]])
            note(party, nonce, (owner, first, second, last), sent)
            note(party, nonce, (owner, second, first, last), sent)
        yield Round(send={first: (shares[last],), second: (shares[last],)})
        yield Round()
    elif me == last:
        yield Round()
        yield from _await_receipts(party, nonce, owner, (first, second))
    else:
        yield Round(receive={owner: (shares[last],)})
        peer = second if me == first else first
        theirs = np.empty(DIGEST_BYTES, np.uint8)
        # The roles of both directions are the same: first in them is the owner, who sent.
        roles = (owner, first, second, last)
        mine = digest_of(party, nonce, roles, last, [shares[last]])
        note(party, nonce, (owner, me, peer, last), mine)
        said = np.frombuffer(mine, np.uint8)
        got = np.frombuffer(_receipt(party, nonce, (me, owner, last, peer)), np.uint8)
        yield Round(check={peer: (said,), last: (got,)}, check_receive={peer: (theirs,)})
        if theirs.tobytes() != mine:
            raise disputed(party, nonce, (owner, peer, me, last), mine, theirs.tobytes())
    return shares


def _receipt(party: Fantastic4Party, nonce: int, roles: Roles) -> bytes:
    """What roles[0] tells roles[2] when it has the message of the owner, roles[1]."""
    return digest_of(party, nonce, roles, roles[1], [])


def _await_receipts(
    party: Fantastic4Party, nonce: int, owner: int, receivers: tuple[int, int]
) -> Step[None]:
    """The fourth party's half of the second round: it goes on when both others have theirs."""
    got = {peer: np.empty(DIGEST_BYTES, np.uint8) for peer in receivers}
    yield Round(check_receive={peer: (receipt,) for peer, receipt in got.items()})
    for peer, other in (receivers, receivers[::-1]):
        if got[peer].tobytes() != _receipt(party, nonce, (peer, owner, party.index, other)):
            name = party.names[peer]
            raise VerificationError(
                f"What {name} sent {party.names[party.index]} is not the receipt for an input of"
                f" {party.names[owner]}.",
                next_step="that party deviated or is faulty; compare the parties' versions and"
                " logs, and do not use the session further.",
                case=3,
                parties=[name],
                stage="input",
            )


def reveal(party: Fantastic4Party, x: Replicated4, to: Sequence[int]) -> Step[Elements | None]:
    """Open x to the parties in `to`. 1 round, one ring element each and a digest a recipient.

    Returns
    -------
    ndarray of ring.dtype or None
        The ring elements at recipients, None at the others.

    Raises
    ------
    DisputeError
        The sender and the backup of the missing share contradict each other (TC-5300).
    """
    ring = party.ring
    shares = yield from _open(party, x.shares, x.shape, to, elements_of(ring))
    return None if shares is None else reduce(ring.add, (shares[j] for j in range(4)))


def reveal_bits(
    party: Fantastic4Party, a: Replicated4Bits, to: Sequence[int]
) -> Step[NDArray[np.uint8] | None]:
    """Open bits to the parties in `to`. 1 round, 8 bytes for every 64 bits a recipient.

    Returns
    -------
    ndarray of uint8 or None
        0 and 1, (*planes, *shape), at recipients, None at the others.
    """
    words = {j: without_padding(share, a.size) for j, share in a.shares.items()}
    shape = (*a.planes, word_count(a.size))
    shares = yield from _open(party, words, shape, to, BITS)
    if shares is None:
        return None
    return unpack_bits(reduce(np.bitwise_xor, (shares[j] for j in range(4))), a.shape)


def _open(
    party: Fantastic4Party,
    shares: Mapping[int, Array],
    shape: tuple[int, ...],
    to: Sequence[int],
    group: Group,
) -> Step[Mapping[int, Array] | None]:
    recipients = sorted(set(to))
    messages = [
        Message((i - 1) % 4, (i + 1) % 4, i, group, shape, shares.get(i), masked=False)
        for i in recipients
    ]
    values = yield from learn(party, messages)
    if party.index not in recipients:
        return None
    missing = values[recipients.index(party.index)]
    assert missing is not None
    return {**shares, party.index: missing}
