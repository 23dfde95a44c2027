"""Openings of masked values, and the check that a value is 0. Active, t = 1, abort.

The second copy of every share is compared at once (``docs/decisions/0008``). Nothing here is the
result of a computation: that leaves by ``io.reveal``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tacit.encoding.digest import DIGEST_BYTES, tagged_hash
from tacit.encoding.wide import RING128
from tacit.errors import VerificationError
from tacit.rounds.contract import Round, Step

if TYPE_CHECKING:
    from tacit.protocols.replicated3_active.party import Replicated3ActiveParty

__all__ = ["Pair", "copies_differ", "digest_of", "open_to_all", "require_zero"]


class Pair(NamedTuple):
    """A party's two shares of something, whatever group it lives in."""

    own: NDArray[Any]
    next: NDArray[Any]


def open_to_all(party: Replicated3ActiveParty, values: Sequence[Pair]) -> Step[list[NDArray[Any]]]:
    """The shares that this party lacks of each value. 1 round, 32 check bytes a party.

    The second copy's hash is compared before anything is returned (decision 0008).
    """
    context = party.nonce().to_bytes(8, "little")
    own = tuple(np.ascontiguousarray(v.own) for v in values)
    copies = tuple(np.ascontiguousarray(v.next) for v in values)
    missing = tuple(np.empty_like(share) for share in own)
    digest = np.empty(DIGEST_BYTES, np.uint8)
    yield Round(
        send={party.next: own},
        check={party.previous: (digest_of("masked opening", party, context, copies),)},
        receive={party.previous: missing},
        check_receive={party.next: (digest,)},
    )
    if not np.array_equal(digest_of("masked opening", party, context, missing), digest):
        raise copies_differ(party, "The two copies of a share", stage="verification")
    return list(missing)


def require_zero(party: Replicated3ActiveParty, values: Sequence[Pair]) -> Step[None]:
    """Go on only if every value, given with minus the sum of its two shares as third, is 0.

    Parameters
    ----------
    values : sequence of Pair
        Sharings over Z_2^128 (arrays of its dtype) or of words under XOR.

    Notes
    -----
    1 round, 64 check bytes a party. Each of the two parties that hold a share sends its hash to
    the third, who computes what it must be. For a value that is not 0 the hash tells the value:
    only for errors whose maker knows them.

    Raises
    ------
    VerificationError
        A value is not 0 (TC-5202).
    """
    context = party.nonce().to_bytes(8, "little")

    def digest(shares: Sequence[NDArray[Any]]) -> NDArray[np.uint8]:
        return digest_of("zero", party, context, shares)

    expected = digest([_third_share_of_zero(v) for v in values])
    hashes = tuple(np.empty(DIGEST_BYTES, np.uint8) for _ in range(2))
    yield Round(
        check={
            party.next: (digest([v.own for v in values]),),
            party.previous: (digest([v.next for v in values]),),
        },
        check_receive={party.previous: hashes[:1], party.next: hashes[1:]},
    )
    if not all(np.array_equal(expected, found) for found in hashes):
        raise VerificationError(
            f"A product that {party.names[party.index]} checked is wrong, so nothing that"
            " depends on it was opened.",
            next_step="another party deviated or is faulty; it cannot be told which one. Do not"
            " use the session further.",
            case=2,
            stage="verification",
        )


def _third_share_of_zero(value: Pair) -> NDArray[Any]:
    if value.own.dtype == RING128.dtype:
        return RING128.negate(RING128.add(value.own, value.next))
    return np.asarray(value.own ^ value.next)


def digest_of(
    purpose: str, party: Replicated3ActiveParty, context: bytes, arrays: Sequence[NDArray[Any]]
) -> NDArray[np.uint8]:
    """The hash of arrays for one purpose and one step."""
    fields = (np.ascontiguousarray(array).reshape(-1).view(np.uint8).data for array in arrays)
    digest = tagged_hash(purpose, party.session_id, context, *fields)
    return np.frombuffer(digest, np.uint8)


def copies_differ(party: Replicated3ActiveParty, what: str, stage: str) -> VerificationError:
    """What a party raises where two others sent it different copies (TC-5200)."""
    suspects = [party.names[party.previous], party.names[party.next]]
    return VerificationError(
        f"{what} sent to {party.names[party.index]} by {suspects[0]} and {suspects[1]} differ, so"
        " nothing was opened.",
        next_step="one of these two parties deviated or is faulty; compare their versions"
        " and logs, and do not use the session further.",
        parties=suspects,
        stage=stage,
    )
