"""Small public messages among all parties, as steps: exchanged, confirmed, tossed together.

Every party sends the same bytes to every other; the links say who sent them. Where all must end
with the same view, an echo follows: each sends the hash of all that it has, and they compare
(Goldwasser, Lindell, *Secure multi-party computation without agreement*, 2005, section 3: with
abort, an echo is all that a broadcast takes).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from tacit.encoding.digest import DIGEST_BYTES, tagged_hash
from tacit.errors import MessageError, VerificationError
from tacit.rounds.contract import Round, Step
from tacit.rounds.cost import Declaration
from tacit.rounds.randomness import Randomness

__all__ = ["Member", "confirm", "confirm_cost", "exchange", "exchange_cost", "toss", "toss_cost"]

MOST_BYTES: Final = 1 << 20
COIN_BYTES: Final = 32


class Member(Protocol):
    """What these steps need to know of a party: who it is among whom."""

    names: tuple[str, ...]
    index: int


def exchange(member: Member, message: bytes) -> Step[list[bytes]]:
    """Everybody's message, by index. 2 rounds: lengths, then messages, to every other party.

    Raises
    ------
    MessageError
        A party announces more than 1 MiB (TC-5120).
    """
    own = np.frombuffer(message, np.uint8)
    lengths = yield from _to_all(member, np.array([own.size], np.uint64))
    for peer, length in enumerate(lengths):
        if int(length[0]) > MOST_BYTES:
            raise MessageError(
                f"{member.names[peer]} announces a message of {int(length[0])} bytes; at most"
                f" {MOST_BYTES} are taken.",
                next_step="store fewer entries in one folder, or report this.",
                case=20,
                parties=[member.names[peer]],
                stage="storage",
            )
    arrived = [
        own if peer == member.index else np.empty(int(length[0]), np.uint8)
        for peer, length in enumerate(lengths)
    ]
    others = _others(member)
    yield Round(
        send=dict.fromkeys(others, (own,)),
        receive={peer: (arrived[peer],) for peer in others},
    )
    return [part.tobytes() for part in arrived]


def exchange_cost(lengths: Sequence[int]) -> Declaration:
    """2 rounds; a length and a message of these bytes to each of the others."""
    others = len(lengths) - 1
    return Declaration(2, tuple(others * (8 + n) for n in lengths), (0,) * len(lengths))


def confirm(member: Member, digest: bytes, what: str) -> Step[None]:
    """Go on only if all parties have the same digest, and know that all have. 2 rounds.

    The first round compares; the second tells the others that the comparison was right here, so
    that a party that goes on knows that every other one got this far.

    Raises
    ------
    VerificationError
        A party has another digest (TC-5210). All others are suspects: a third party may have told
        the two different things before.
    """
    for turn in (b"first", b"second"):
        own = np.frombuffer(tagged_hash("confirmation", digest, turn), np.uint8)
        found = yield from _to_all(member, own, check=True)
        differing = [member.names[p] for p, other in enumerate(found) if (other != own).any()]
        if differing:
            raise VerificationError(
                f"{', '.join(differing)} and {member.names[member.index]} do not agree on {what}.",
                next_step="nothing was replaced. Make sure that all run the same program on"
                " folders of the same moment, then try again.",
                case=10,
                parties=_suspects(member),
                stage="storage",
            )


def confirm_cost(parties: int) -> Declaration:
    """2 rounds; 64 check bytes to each of the others."""
    sent = 2 * DIGEST_BYTES * (parties - 1)
    return Declaration(2, (0,) * parties, (sent,) * parties)


def toss(member: Member, session: bytes, randomness: Randomness) -> Step[bytearray]:
    """A coin of 32 bytes that is uniform if one party is honest. 3 rounds: commit, echo, open.

    M. Blum, *Coin flipping by telephone*, 1981, among all parties: each commits to 32 random
    bytes by a hash with its index and the session; the hashes of all commitments are compared
    before any is opened; the coin is the hash of all openings.

    Parameters
    ----------
    member : Member
    session : bytes
        This session's own, equal at all parties.
    randomness : Randomness
        This party's.

    Returns
    -------
    bytearray
        Equal at all parties; to be overwritten after use.

    Raises
    ------
    VerificationError
        Commitments differ between parties (TC-5211), or one is not opened to what it was
        (TC-5212).
    """
    own = np.frombuffer(randomness.token(COIN_BYTES), np.uint8)
    commitments = yield from _to_all(member, _commitment(member.index, session, own), check=True)
    seen = np.frombuffer(tagged_hash("coin echo", session, *commitments), np.uint8)
    for peer, other in enumerate((yield from _to_all(member, seen, check=True))):
        if (other != seen).any():
            raise VerificationError(
                f"{member.names[peer]} and {member.names[member.index]} have seen different"
                " commitments to a common coin.",
                next_step="one party told them different things; nothing was replaced. Compare"
                " versions and logs, then open a new session.",
                case=11,
                parties=_suspects(member),
                stage="storage",
            )
    opened = yield from _to_all(member, own, check=True)
    for peer, value in enumerate(opened):
        if (_commitment(peer, session, value) != commitments[peer]).any():
            raise VerificationError(
                f"{member.names[peer]} opened its part of a common coin to something else than"
                " it committed to.",
                next_step="that party deviated or is faulty; nothing was replaced.",
                case=12,
                parties=[member.names[peer]],
                stage="storage",
            )
    return bytearray(tagged_hash("coin", session, *opened))


def toss_cost(parties: int) -> Declaration:
    """3 rounds; 96 check bytes to each of the others."""
    sent = (2 * DIGEST_BYTES + COIN_BYTES) * (parties - 1)
    return Declaration(3, (0,) * parties, (sent,) * parties)


def _commitment(index: int, session: bytes, value: NDArray[np.uint8]) -> NDArray[np.uint8]:
    digest = tagged_hash("coin commitment", session, bytes([index]), value)
    return np.frombuffer(digest, np.uint8)


def _suspects(member: Member) -> list[str]:
    """Of a difference with one party in what all were told: any other may have made it."""
    return [member.names[peer] for peer in _others(member)]


def _others(member: Member) -> list[int]:
    return [peer for peer in range(len(member.names)) if peer != member.index]


def _to_all(member: Member, own: NDArray[Any], check: bool = False) -> Step[list[NDArray[Any]]]:
    others = _others(member)
    arrived = [own if p == member.index else np.empty_like(own) for p in range(len(member.names))]
    send = dict.fromkeys(others, (own,))
    receive = {peer: (arrived[peer],) for peer in others}
    if check:
        yield Round(check=send, check_receive=receive)
    else:
        yield Round(send=send, receive=receive)
    return arrived
