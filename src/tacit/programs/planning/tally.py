"""What a step of a party that counts adds up to."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tacit.programs.planning.party import Call, CountingParty
from tacit.programs.planning.pieces import Piece
from tacit.rounds.contract import Round, Step

__all__ = ["Tally", "tallied"]


@dataclass(slots=True, eq=False)
class Tally:
    """Rounds and calls of one phase.

    Attributes
    ----------
    rounds : int
    calls : Counter of Call
        How often each primitive is called with the same sizes.
    pieces : Counter of Piece
        The operations that are timed as a whole; their calls are among the calls, too.
    single : Counter of Call
        The calls of the others.
    events : list of Round
        All that was yielded, in order; equal ones are one object where they were counted once.
    """

    rounds: int = 0
    calls: Counter[Call] = field(default_factory=Counter)
    pieces: Counter[Piece] = field(default_factory=Counter)
    single: Counter[Call] = field(default_factory=Counter)
    events: list[Round] = field(default_factory=list)

    def sent(self, party: int) -> int:
        """Payload bytes that a party sends."""
        return sum(call.bytes_sent[party] * times for call, times in self.calls.items())

    def checked(self, party: int) -> int:
        """Check bytes that a party sends."""
        return sum(call.check_bytes[party] * times for call, times in self.calls.items())


def tallied(party: CountingParty, step: Step[Any]) -> tuple[Tally, Any]:
    """Run a step to its end; what it costs, and its result."""
    tally = Tally()
    seen: Counter[int] = Counter()
    kept: dict[int, Round] = {}
    party.paused()
    while True:
        try:
            one = next(step)
        except StopIteration as stop:
            found = stop.value
            rest: Any = {0: (party.paused(),)}
            tally.events.append(Round(send=rest, depth=0))  # what is done after the last message
            break
        tally.rounds += one.depth
        tally.events.append(one)
        seen[id(one)] += 1
        kept[id(one)] = one
    for key, times in seen.items():
        for token in kept[key].send.get(0, ()):
            token_of: Any = token
            what, place = token_of[:2]
            if place == 0 and isinstance(what, Call):
                tally.single[what] += times
            elif place == 0 and isinstance(what, Piece):
                tally.pieces[what] += times
    tally.calls += tally.single
    for piece, times in tally.pieces.items():
        for call, each in piece.calls.items():
            tally.calls[call] += times * each
    return tally, found
