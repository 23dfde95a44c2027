"""The stages that a session goes through, and which one follows a verdict.

Stage 0: all four, any one of them corrupt. A verdict leads to

- *unclear*: stage 0 again, with the digests that the next verdict needs; at most once, as with
  them every fault names somebody;
- *lost* or *convicted*, X: stage 1 of the other three under ``replicated3_active``. If one party
  at most is corrupt, they are honest; nobody relies on that, and a second fault ends the job;
- *pair*, {A, B}: stage 1 of A and the two others, C and D, which are honest. A fault there is A's,
  and stage 2 is that of C, D and B, all honest, under passive ``replicated3``. A pair that rests on
  silence alone, of which A then falls silent, may have been two crashes: B proves nothing, and
  stage 2 is active.

Of a pair, the party without data is dropped, else the one that comes later in the session's order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from tacit.errors import RecoveryError
from tacit.recovery.verdict import Verdict

__all__ = ["Stage", "after", "after_pair", "first", "over"]

_ACTIVE: Final = "replicated3_active"
_PASSIVE: Final = "replicated3"
_FALLBACK_BITS: Final = 64


@dataclass(frozen=True, slots=True)
class Stage:
    """Who computes together, with which protocol, and what is known of whom.

    Attributes
    ----------
    number : int
        0 with all four, 1 with three after a fault, 2 with the three that a pair left honest.
    protocol : str
        The protocol's name.
    members : tuple of str
        The computing parties, in the order of the session.
    dropped : tuple of str
        Who does not compute any more.
    pair : tuple of two str or None
        One of these two is corrupt.
    by_silence : bool
        The pair rests on silence alone.
    trusted : tuple of str
        Known to be honest.
    served : str or None
        The dropped one of the pair, that still gets outputs and gives inputs.
    evidence : bool
        Whether senders keep digests.
    attempt : int
        Starts anew in this stage.
    names : tuple of str
        All parties of the session, in its order.
    """

    number: int
    protocol: str
    members: tuple[str, ...]
    dropped: tuple[str, ...] = ()
    pair: tuple[str, str] | None = None
    by_silence: bool = False
    trusted: tuple[str, ...] = ()
    served: str | None = None
    evidence: bool = False
    attempt: int = 0
    names: tuple[str, ...] = ()


def first(names: Sequence[str], protocol: str) -> Stage:
    """The stage with all parties."""
    return Stage(0, protocol, tuple(names), names=tuple(names))


def after(stage: Stage, verdict: Verdict, *, without_data: frozenset[str], ring_bits: int) -> Stage:
    """The stage that follows a verdict of stage 0.

    Parameters
    ----------
    without_data : frozenset of str
        Parties that give no inputs: of a pair they are dropped first.
    ring_bits : int
        Of the session's ring: the three-party protocols that follow have 64.

    Raises
    ------
    RecoveryError
        There is none: a second fault (TC-5500), a ring of 128 bits (TC-5502), a fault that should
        have named somebody (TC-5501), or one in the set-up that names nobody (TC-5503): another
        set-up could fail the same way.
    """
    if stage.number:
        raise over(stage, verdict.reason)
    if verdict.kind == "unclear":
        if not verdict.restart:
            raise RecoveryError(
                f"the set-up failed and nobody can be named: {verdict.reason}; no input has been"
                " shared yet.",
                next_step="start the job again; if it happens again, a party deviates.",
                case=3,
                stage="set-up",
            )
        if stage.evidence:
            raise RecoveryError(
                f"a fault named nobody although all digests were kept: {verdict.reason}.",
                next_step="more than one party deviates or is faulty; compare their evidence.",
                case=1,
                stage="conference",
            )
        return replace(stage, evidence=True, attempt=stage.attempt + 1)
    if ring_bits != _FALLBACK_BITS:
        raise RecoveryError(
            f"{verdict.reason}; over {ring_bits} bits there is no protocol to go on with.",
            next_step="start the job again without the party at fault, from its last checkpoint.",
            case=2,
            parties=verdict.pair or ((verdict.party,) if verdict.party else ()),
            stage="conference",
        )
    if verdict.pair is None:
        assert verdict.party is not None
        return _three(stage, verdict.party)
    one, other = verdict.pair
    later = max(verdict.pair, key=stage.names.index)
    bare = [party for party in verdict.pair if party in without_data]
    dropped = bare[0] if len(bare) == 1 else later
    kept = other if dropped == one else one
    three = _three(stage, dropped)
    return replace(
        three,
        pair=verdict.pair,
        by_silence=verdict.by_silence,
        trusted=tuple(party for party in three.members if party != kept),
        served=dropped,
    )


def after_pair(stage: Stage, *, lost: bool) -> Stage:
    """The stage of C, D and B, when stage 1 with a pair failed: A is at fault.

    Parameters
    ----------
    lost : bool
        Whether A only fell silent; then a pair by silence proves nothing of B.

    Raises
    ------
    RecoveryError
        This is not stage 1 with a pair (TC-5500).
    """
    if stage.number != 1 or stage.pair is None or stage.served is None:
        raise over(stage, "a party is lost or deviated")
    kept = next(party for party in stage.pair if party != stage.served)
    members = tuple(party for party in stage.names if party != kept)
    active = stage.by_silence and lost
    return Stage(
        2,
        _ACTIVE if active else _PASSIVE,
        members,
        dropped=(kept,),
        trusted=stage.trusted if active else members,
        names=stage.names,
    )


def over(stage: Stage, reason: str) -> RecoveryError:
    """The error of a fault that no stage follows."""
    gone = " and ".join(stage.dropped) or "nobody"
    return RecoveryError(
        f"A second fault, with {gone} gone already: {reason}.",
        next_step="start the job again from its last checkpoint, with parties that are sound.",
        case=0,
        parties=stage.dropped,
        stage=f"stage {stage.number}",
    )


def _three(stage: Stage, dropped: str) -> Stage:
    members = tuple(party for party in stage.members if party != dropped)
    return Stage(1, _ACTIVE, members, dropped=(dropped,), names=stage.names)
