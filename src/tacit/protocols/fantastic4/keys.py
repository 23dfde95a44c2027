"""The set-up: keys of three holders each, by commit and open with echoes, before any input.

Dalskov, Escudero, Keller 2021 (ePrint 2020/1330), section 2.2: PRNG_j is known to all parties but
P_j. There a trusted set-up gives the keys; here the three holders toss them: each commits to a
contribution, all compare what was committed to, all open, all compare the key (Blum 1981; echoes
as in Goldwasser, Lindell 2005). Active, t = 1.

Steps, for all four keys side by side, over the pairwise links:

1. Each holder sends the other two a commitment to its 32 random bytes.
2. Each sends the others a digest of all three commitments; a difference ends the session. Without
   it a corrupt holder could commit to two contributions, give the other two different keys, and
   have them blamed as a contradicting pair later.
3. Each opens; a contribution that does not fit its commitment ends the session.
4. Each sends the others a digest of the key; a difference ends the session.

A commitment is a hash of session, key, holder and 256 random bits: it hides and binds in the
random-oracle model. No contribution is sent before all honest holders have the same three
commitments, so the key is uniform as long as one holder is honest.

Rounds and bytes: 4 rounds, 3 · 2 · 128 check bytes from each party. Failure: VerificationError
TC-5201, before any input.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from tacit import kernels
from tacit.encoding.digest import DIGEST_BYTES, tagged_hash
from tacit.errors import VerificationError
from tacit.rounds.contract import Arrays, Round, Step
from tacit.rounds.cost import Declaration
from tacit.rounds.randomness import SEED_BYTES, Randomness

if TYPE_CHECKING:
    from tacit.protocols.fantastic4.party import Fantastic4Party

__all__ = ["SET_UP_COST", "renew", "set_up"]

CONTRIBUTION_BYTES: Final = 32
_RESTART_NONCE: Final = 0
"""No operation's: theirs begin at 1."""

SET_UP_COST: Final = Declaration(4, (0,) * 4, (4 * 3 * 2 * DIGEST_BYTES,) * 4)
"""What :func:`set_up` costs: four values for each of three keys to two holders each."""

Bytes = NDArray[np.uint8]
Told = Mapping[tuple[int, int], bytes]
"""What holders said: by key and holder."""


def set_up(party: Fantastic4Party, randomness: Randomness) -> Step[None]:
    """Give the party its three keys. 4 rounds; run once, before any other step.

    Raises
    ------
    VerificationError
        Another holder's commitments, opening or key do not fit (TC-5201).
    """
    session, me = party.session_id, party.index
    held = [key for key in range(4) if key != me]

    # 1. Commit.
    own = {key: randomness.token(CONTRIBUTION_BYTES) for key in held}
    committed = {
        **(yield from _tell(party, {k: _commitment(session, k, me, own[k]) for k in held})),
        **{(key, me): _commitment(session, key, me, own[key]) for key in held},
    }
    # 2. Echo.
    seen = {key: _over_holders("key commitments", session, key, committed) for key in held}
    for (key, holder), digest in (yield from _tell(party, seen)).items():
        third = next(h for h in range(4) if h not in (key, holder, me))
        same = hmac.compare_digest(digest, seen[key])
        _require(party, (holder, third), same, "the commitments")
    # 3. Open.
    opened = {**(yield from _tell(party, own)), **{(key, me): own[key] for key in held}}
    for (key, holder), contribution in opened.items():
        fits = _commitment(session, key, holder, contribution) == committed[key, holder]
        _require(party, (holder,), fits, "the opening")
    # 4. Compare.
    keys = {key: _over_holders("three-holder key", session, key, opened) for key in held}
    checks = {key: tagged_hash("key check value", session, bytes([key]), keys[key]) for key in held}
    for (key, holder), digest in (yield from _tell(party, checks)).items():
        same = hmac.compare_digest(digest, checks[key])
        _require(party, (holder,), same, "the check value")
    party.keys = {key: kernels.StreamKey(keys[key][:SEED_BYTES]) for key in held}


def renew(party: Fantastic4Party, old: Mapping[int, kernels.StreamKey]) -> None:
    """Give the party the keys of a restart: those of before, under the new session's id. Local.

    For parties that have passed their set-up together and start again, all four, after a fault
    that named nobody: another set-up could fail in the same way. Each new key is a hash of the
    session and of what the old stream gives at a place of its own, so old and new streams are
    independent for all who do not hold the old key.
    """
    keys = {}
    for key in party.held:
        drawn = np.empty(CONTRIBUTION_BYTES, np.uint8)
        kernels.fill(old[key], _RESTART_NONCE, 0, drawn)
        new = tagged_hash("restarted key", party.session_id, bytes([key]), drawn.tobytes())
        keys[key] = kernels.StreamKey(new[:SEED_BYTES])
    party.keys = keys


def _commitment(session: bytes, key: int, holder: int, contribution: bytes) -> bytes:
    return tagged_hash("key contribution", session, bytes([key]), bytes([holder]), contribution)


def _over_holders(purpose: str, session: bytes, key: int, told: Told) -> bytes:
    values = [told[key, holder] for holder in range(4) if holder != key]
    return tagged_hash(purpose, session, bytes([key]), *values)


def _tell(party: Fantastic4Party, values: Mapping[int, bytes]) -> Step[Told]:
    """Send the value for each key to its two other holders, and receive theirs."""
    me = party.index
    check: dict[int, Arrays] = {}
    check_receive: dict[int, Arrays] = {}
    received: dict[tuple[int, int], Bytes] = {}
    for peer in (i for i in range(4) if i != me):
        common = [key for key in sorted(values) if key != peer]
        check[peer] = tuple(np.frombuffer(values[key], np.uint8) for key in common)
        for key in common:
            received[key, peer] = np.empty(DIGEST_BYTES, np.uint8)
        check_receive[peer] = tuple(received[key, peer] for key in common)
    yield Round(check=check, check_receive=check_receive)
    return {place: array.tobytes() for place, array in received.items()}


def _require(party: Fantastic4Party, suspects: Sequence[int], holds: bool, what: str) -> None:
    """Suspects: the sender and, where it may have told the two different things, the third."""
    if not holds:
        names = [party.names[suspect] for suspect in suspects]
        may = f", or {names[1]} sent the two of them different ones" if len(names) > 1 else ""
        raise VerificationError(
            f"What {names[0]} sent {party.names[party.index]} in the set-up, {what} of a common"
            f" key, does not fit what was said before{may}; no input has been shared yet.",
            next_step=f"{' or '.join(names)} deviated or is faulty. Compare the parties' versions"
            " and logs, and start a new session.",
            case=1,
            parties=names,
            stage="set-up",
        )
