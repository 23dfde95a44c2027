"""What the parties do next: the same at all of them, from what all of them proposed.

Clients tell each party on its own, so the parties hear of requests in different orders, and of
some not at all. Each tells the others what it would do; from the same proposals all of them make
the same plan by the rule below. There is no coordinator that could choose, starve or stop.

A request is taken up, and d = x - r believed, when *enough* members say the same: all but one
where the protocol guarantees output (four parties), else all. With t = 1 and an honest client all
honest members say the same sooner or later, so a corrupt one can neither hold a request up nor
change it among four; among three it can hold it up, and nothing else. Whatever a corrupt client
tells whom, all honest parties go on with one d: that of the plan.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from tacit.encoding.digest import tagged_hash
from tacit.serving.messages import Given, Key, Proposal, Wanted

__all__ = ["Plan", "agreed_plan", "enough"]


@dataclass(frozen=True, slots=True)
class Plan:
    """What all parties do next.

    Attributes
    ----------
    members : tuple of str
        Whose proposals it follows from.
    clock : float
        The time that they go by: the lower median of theirs, so one of them alone cannot move it
        beyond the others'.
    masks : tuple of Wanted
        Requests that get masks.
    batch : tuple of Given
        Requests that are computed, with the d that they are computed with.
    split : tuple of Key
        Requests whose d is refused: too few parties were told the same.
    closing : frozenset of str
        Who wants to end.
    """

    members: tuple[str, ...]
    clock: float
    masks: tuple[Wanted, ...]
    batch: tuple[Given, ...]
    split: tuple[Key, ...]
    closing: frozenset[str]

    def digest(self) -> bytes:
        """32 bytes that are equal for equal plans."""
        parts = (
            self.members,
            self.clock,
            self.masks,
            self.batch,
            [list(key) for key in self.split],
            sorted(self.closing),
        )
        return tagged_hash("serving plan", msgspec.msgpack.encode(parts))


def enough(members: int, *, guaranteed: bool) -> int:
    """How many of so many members must say the same."""
    return members - 1 if guaranteed else members


def agreed_plan(
    heard: Mapping[str, Proposal],
    members: Sequence[str],
    needed: int,
    masked: Mapping[Key, int],
    most_rows: int,
) -> Plan:
    """The plan that follows from all members' proposals.

    Parameters
    ----------
    heard : mapping of str to Proposal
        By member; the same at all members.
    members : sequence of str
        Who computes now.
    needed : int
        See :func:`enough`.
    masked : mapping of Key to int
        Rows of the requests that have masks and are to be computed, in the order in which they
        got them.
    most_rows : int
        In one batch; at least one request is taken in any case.
    """
    proposals = [heard[name] for name in members]
    clock = sorted(p.clock for p in proposals)[(len(proposals) - 1) // 2]
    wanted = Counter(w for p in proposals for w in set(p.wanted))
    masks: dict[Key, Wanted] = {}
    for want in sorted(wanted, key=lambda w: (w.of, w.rows)):
        if wanted[want] >= needed and want.of not in masked and want.of not in masks:
            masks[want.of] = want
    said: dict[Key, list[Given]] = {}
    for proposal in proposals:
        for given in {g.of: g for g in proposal.given}.values():
            said.setdefault(given.of, []).append(given)
    batch: list[Given] = []
    split: list[Key] = []
    rows = 0
    for key in (key for key in masked if key in said):
        found, count = Counter(said[key]).most_common(1)[0]
        if count >= needed:
            if not batch or rows + masked[key] <= most_rows:
                batch.append(found)
                rows += masked[key]
        elif len(said[key]) - count > len(members) - needed:
            # Who has not said anything yet cannot make it enough any more.
            split.append(key)
    closing = frozenset(name for name in members if heard[name].closing)
    return Plan(tuple(members), clock, tuple(masks.values()), tuple(batch), tuple(split), closing)
