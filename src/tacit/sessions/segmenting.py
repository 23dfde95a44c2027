"""A program in a session that overcomes faults: segment after segment, so that one is repeated.

A guarded session repeats what was computed since the last barrier. So a program is one operation
for each of its segments (``programs/segments.py``), with a barrier between them. What is there at
a cut are shares, or is public.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tacit.encoding.digest import tagged_hash
from tacit.operations.types import SecretValue
from tacit.programs.calling import PROGRAM, Code
from tacit.programs.segments import Segment, segments_of
from tacit.protocols.interface import Party
from tacit.rounds.contract import Step
from tacit.sessions.handles import Handle, Reference
from tacit.sessions.references import PartyReference
from tacit.sessions.running import input_kinds
from tacit.sessions.watching import Watch

if TYPE_CHECKING:
    from tacit.sessions.party import PartySession

__all__ = ["run_in_segments"]


def run_in_segments(
    session: PartySession, code: Code, operands: Sequence[Handle], watch: Watch | None = None
) -> tuple[PartyReference, ...]:
    """Compute a program at one party of a guarded session.

    Parameters
    ----------
    session : PartySession
    code : Code
    operands : sequence
        By input.
    watch : Watch, optional
        Of its rounds.

    Returns
    -------
    tuple of PartyReference
        The program's secret results.

    Notes
    -----
    As many rounds and bytes as in one piece. Between segments a barrier, outside the counted
    rounds.
    """
    kinds = input_kinds(operands)
    public = [one for one in operands if not isinstance(one, Reference)]
    digest = tagged_hash("program in segments", code.program, *public)
    # By the identity of what the counting run has in their place, which is kept beside them.
    held: dict[int, tuple[SecretValue, Handle]] = {}
    made: tuple[PartyReference, ...] = ()
    conditions = session.protocol, session.rounding, session.ring
    for segment in segments_of(code, kinds, *conditions, session.check_deadline):
        if segment.number:
            session.seal()
        else:
            secret = [one for one in operands if isinstance(one, Reference)]
            held = {id(n): (n, s) for n, s in zip(segment.needs, secret, strict=True)}
        made = session.compute(
            PROGRAM.name,
            _evaluated(segment, watch),
            [held[id(one)][1] for one in segment.needs],
            results=segment.results,
            public=digest + segment.number.to_bytes(8, "little"),
        )
        held.update((id(n), (n, m)) for n, m in zip(segment.made, made, strict=True))
        held = {id(one): held[id(one)] for one in segment.keeps}
        if watch is not None:
            watch.reached(segment.before + segment.rounds)
    return made


def _evaluated(segment: Segment, watch: Watch | None) -> Any:
    def evaluate(party: Party, parts: Sequence[Any]) -> Step[tuple[SecretValue, ...]]:
        step = segment.step(party, parts)
        return step if watch is None else watch.over(step, segment.before, segment.rounds)

    return evaluate
