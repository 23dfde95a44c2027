"""Input and reveal.

Araki et al. 2016, section 2 (sharing, reconstruction) with the owner's share drawn from a
pairwise stream (PRSS), so that an input costs one element. Passive, t = 1.

Rounds and bytes: input 1 round, one ring element (8 bytes in Z_2^64) each, by the owner; reveal 1
round, one ring element each to every recipient, and 32 check bytes from the holder of the second
copy.

A recipient compares the second copy's hash at every opening, so a wrong share from a single
sender ends in an error instead of a wrong result; passive security promises no more than that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tacit.encoding.digest import DIGEST_BYTES, tagged_hash
from tacit.encoding.ring import RING64, Elements, Ring
from tacit.errors import InternalError, VerificationError
from tacit.rounds.contract import Arrays, Round, Step
from tacit.sharing.bits import ReplicatedBits, pack_bits, unpack_bits, without_padding, word_count
from tacit.sharing.replicated import Replicated

if TYPE_CHECKING:
    from tacit.protocols.replicated3.party import Replicated3Party

__all__ = ["input_", "input_bits", "reveal", "reveal_bits"]

_MASK = 0


def input_(
    party: Replicated3Party,
    owner: int,
    values: Elements | None,
    shape: tuple[int, ...],
) -> Step[Replicated]:
    """Share ring elements that the owner knows. 1 round, one ring element each from the owner.

    x_o is drawn from k_o, which the owner o shares with its predecessor; x_{o+2} = 0;
    x_{o+1} = x - x_o goes to the owner's successor, who does not hold k_o.
    """
    ring = party.ring
    own, following = yield from _share_words(party, owner, values, shape, ring, ring.subtract)
    return Replicated(own, following)


def input_bits(
    party: Replicated3Party,
    owner: int,
    values: NDArray[Any] | None,
    shape: tuple[int, ...],
) -> Step[ReplicatedBits]:
    """Share bits that the owner knows. 1 round, 8 bytes for every 64 bits from the owner."""
    words = None if values is None else pack_bits(values)
    count = word_count(int(np.prod(shape, dtype=np.int64)))
    own, following = yield from _share_words(party, owner, words, (count,), RING64, np.bitwise_xor)
    return ReplicatedBits(own, following, shape)


def _share_words(
    party: Replicated3Party,
    owner: int,
    values: Elements | None,
    shape: tuple[int, ...],
    ring: Ring,
    difference: Callable[[Elements, Elements], Elements],
) -> Step[tuple[Elements, Elements]]:
    nonce = party.nonce()
    zero = ring.zeros(shape)
    if party.index == owner:
        if values is None or values.shape != shape:
            raise InternalError("the owner's input does not have the agreed shape")
        x_o = ring.empty(shape)
        ring.kernels.fill(party.key_own, nonce, _MASK, x_o)
        x_1 = np.asarray(difference(values, x_o), order="C")
        yield Round(send={party.next: (x_1,)})
        return x_o, x_1
    if party.previous == owner:
        x_1 = ring.empty(shape)
        yield Round(receive={owner: (x_1,)})
        return x_1, zero
    x_o = ring.empty(shape)
    ring.kernels.fill(party.key_next, nonce, _MASK, x_o)
    yield Round()
    return zero, x_o


def reveal(party: Replicated3Party, x: Replicated, to: Sequence[int]) -> Step[Elements | None]:
    """Open x to the parties in `to`. 1 round, one ring element each and 32 check bytes a recipient.

    Returns
    -------
    ndarray of ring.dtype or None
        The ring elements at recipients, None at the others.

    Raises
    ------
    VerificationError
        The second copy's hash does not match (TC-5200): one of the two senders is wrong.
    """
    missing = yield from _open(
        party, np.asarray(x.own, order="C"), np.asarray(x.next, order="C"), to
    )
    add = party.ring.add
    return None if missing is None else add(add(x.own, x.next), missing)


def reveal_bits(
    party: Replicated3Party, a: ReplicatedBits, to: Sequence[int]
) -> Step[NDArray[np.uint8] | None]:
    """Open bits to the parties in `to`. 1 round, 8 bytes for every 64 bits a recipient.

    Returns
    -------
    ndarray of uint8 or None
        0 and 1, (*planes, *shape), at recipients, None at the others.
    """
    own, following = without_padding(a.own, a.size), without_padding(a.next, a.size)
    missing = yield from _open(party, own, following, to)
    if missing is None:
        return None
    return unpack_bits(own ^ following ^ missing, a.shape)


def _open(
    party: Replicated3Party,
    own: NDArray[Any],
    following: NDArray[Any],
    to: Sequence[int],
) -> Step[NDArray[Any] | None]:
    # Recipient i lacks x_{i-1}: party i-1 sends it (its own), party i+1 the hash of its copy.
    context = party.nonce().to_bytes(8, "little")
    send: dict[int, Arrays] = {}
    check: dict[int, Arrays] = {}
    if party.next in to:
        send[party.next] = (own,)
    if party.previous in to:
        check[party.previous] = (_copy_digest(party, context, following),)
    if party.index not in to:
        yield Round(send=send, check=check)
        return None
    missing = np.empty_like(own)
    digest = np.empty(DIGEST_BYTES, np.uint8)
    yield Round(
        send=send,
        check=check,
        receive={party.previous: (missing,)},
        check_receive={party.next: (digest,)},
    )
    if not np.array_equal(_copy_digest(party, context, missing), digest):
        suspects = [party.names[party.previous], party.names[party.next]]
        raise VerificationError(
            f"The two copies of a share sent to {party.names[party.index]} by"
            f" {suspects[0]} and {suspects[1]} differ, so nothing was opened.",
            next_step="one of these two parties deviated or is faulty; compare their versions"
            " and logs, and do not use the session further.",
            parties=suspects,
            stage="reveal",
        )
    return missing


def _copy_digest(party: Replicated3Party, context: bytes, words: NDArray[Any]) -> NDArray[np.uint8]:
    data = words.reshape(-1).view(np.uint8).data
    digest = tagged_hash("opening", party.session_id, context, data)
    return np.frombuffer(digest, np.uint8)
