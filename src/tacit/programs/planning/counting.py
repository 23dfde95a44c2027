"""Running a program on a party that counts: each different part once, then by heart.

An operation is counted once for each kind of operands, a long one once for each kind of chunk, a
body once for each kind of inputs; the rounds that it yielded are yielded again wherever it comes
back. The schedule is the real one (``programs/running.py``), so rounds merge as they do in a run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tacit.errors import ProgramError
from tacit.operations.chunks import LARGEST_WHOLE
from tacit.operations.operation import Operation
from tacit.operations.types import ArrayType, Operand, SecretValue
from tacit.programs.frames import Schedule, Values, schedule_of
from tacit.programs.inference import CheckedNode
from tacit.programs.planning.party import CountingParty, Work
from tacit.programs.planning.pieces import Piece, Real, operand_of, piece_of
from tacit.programs.planning.profile import Profiler
from tacit.programs.planning.relevance import relevant_values
from tacit.programs.program import Program
from tacit.programs.public import computed
from tacit.programs.running import Manner, graph_step
from tacit.protocols.interface import Party
from tacit.rounds.contract import Round, Step

__all__ = ["MOST_COUNTED", "MOST_TURNS", "Assumed", "Counting", "Part", "Unsaid"]

MOST_TURNS: Final = 1 << 20
"""How often a loop with a condition goes round before its plan ends."""


MOST_COUNTED: Final = 1 << 22
"""How many rounds, and parts of a program, a plan counts."""


class Assumed(np.ndarray[Any, Any]):
    """A public array whose values follow from what is not known before the run."""


class Unsaid(Exception):
    """A condition never became false."""


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """What one part of a program did.

    Attributes
    ----------
    rounds : tuple of Round
    results : tuple
        For each secret the type, shape and holding; public arrays as they are.
    room : int
        Bytes that it held at most beside what was there before.
    after : Work
        Local work after the last round.
    name : str
    """

    rounds: tuple[Round, ...]
    results: tuple[Any, ...]
    room: int
    after: Work
    name: str


class Counting(Manner):
    """The manner in which a plan runs a graph.

    Parameters
    ----------
    program : Program
    party : CountingParty
    profiler : Profiler, optional
        Runs every different operation once, where seconds are asked for.

    Attributes
    ----------
    notes : dict of str to None
        What the figures rest on, for people.
    """

    looks = False

    def __init__(
        self,
        program: Program,
        party: CountingParty,
        schedule: Schedule | None = None,
        profiler: Profiler | None = None,
    ) -> None:
        self.party: Any = party
        self.profiler = profiler
        self.schedule = schedule or schedule_of(program.main, program.bodies)
        self.relevant = relevant_values(program.main, program.bodies)
        self.notes: dict[str, None] = {}
        self._parts: dict[Any, Part] = {}
        self._operations: dict[int, Operation] = {}
        self._left = MOST_COUNTED
        self._whole = False
        self._local: dict[Any, Work] = {}

    # What the schedule asks for.

    def check(self, party: Party, node: CheckedNode, operands: Sequence[Operand]) -> None:
        """Nothing: the numbers of a plan are made up."""

    def graph(self, party: Party, schedule: Schedule, operands: Sequence[Operand]) -> Step[Values]:
        """A body: counted once for each kind of inputs."""
        return self._again(*self._of_body(party, schedule, operands))

    def rounds_of(self, party: Party, schedule: Schedule, operands: Sequence[Operand]) -> int:
        """How many rounds a body takes."""
        return sum(
            one.depth for one in self._part(*self._of_body(party, schedule, operands)).rounds
        )

    def _of_body(
        self, party: Party, schedule: Schedule, operands: Sequence[Operand]
    ) -> tuple[Any, Callable[[], Step[Any]], str]:
        checked = schedule.checked
        relevant = self.relevant[id(checked)]
        key = (id(checked), *(_kind(o, i in relevant) for i, o in enumerate(operands)))
        whole = [o if isinstance(o, SecretValue | np.ndarray) else np.asarray(o) for o in operands]
        return key, lambda: graph_step(party, schedule, whole, self), "body"

    def operation(
        self, party: Party, node: CheckedNode, operands: Sequence[Operand]
    ) -> Step[Sequence[Any]]:
        """An operation: counted once for each kind of operands."""
        assert node.operation is not None
        self.party.looked_away()
        original, attributes = node.operation, node.attributes
        key = (id(original), node.node.attributes, *(_kind(o, True) for o in operands))
        operation = self._counted(original)

        def real(one: Any) -> Callable[[], Step[Any]]:
            given = [operand_of(o, one) for o in operands]
            return lambda: original.evaluate(one, given, attributes)

        cut = operation.elementwise and prod(node.results[0].shape) > LARGEST_WHOLE
        return self._again(
            key,
            lambda: operation.evaluate(party, operands, attributes),
            node.node.operation,
            None if cut else real,
            (id(original), tuple(node.results), *(_kind(o, False) for o in operands)),
        )

    def crossing(self, name: str, counted: Step[Any], real: Real) -> Step[Any]:
        """An input or an output, which is one piece."""
        part = self._timed(self._first(counted, name), real)
        yield from part.rounds
        self.party.worked(part.after)
        return self._made(part.results[0])

    def clear(
        self, schedule: Schedule, node: CheckedNode, operands: Sequence[Any]
    ) -> Sequence[NDArray[Any]]:
        """What is public: computed where it matters, else zeros."""
        relevant = self.relevant[id(schedule.checked)]
        places = range(node.first, node.first + len(node.results))
        if not any(place in relevant for place in places):
            return tuple(np.zeros(r.shape, r.dtype.numpy) for r in node.results)
        found = computed(node.node.operation, operands, node.attributes, node.results)
        if any(isinstance(one, Assumed) for one in operands):
            return tuple(one.view(Assumed) for one in found)
        return found

    def goes_on(self, condition: NDArray[Any], rounds: int) -> bool:
        """A condition is followed where it is known; else one round is counted."""
        if isinstance(condition, Assumed):
            self.notes.setdefault(
                "a loop's condition follows from a public input that is not given: one round of it"
                " is counted"
            )
            return rounds < 1
        if rounds >= MOST_TURNS:
            self.notes.setdefault(f"a loop goes on after {MOST_TURNS} rounds: these are counted")
            return False
        return bool(condition.item())

    # Counting once.

    def _counted(self, operation: Operation) -> Operation:
        """The operation with a meaning that is counted once for each kind of chunk."""
        found = self._operations.get(id(operation))
        if found is None:
            meaning = operation.meaning

            def by_heart(party: Party, operands: Sequence[Operand], attributes: Any) -> Any:
                key = (id(operation), attributes, "part", *(_kind(o, True) for o in operands))
                step: Callable[[], Any] = lambda: meaning(party, operands, attributes)  # noqa: E731

                def real(one: Any) -> Callable[[], Step[Any]]:
                    given = [operand_of(o, one) for o in operands]
                    return lambda: _written(meaning(one, given, attributes))

                return _unpacked(self._again(key, step, operation.name, real))

            long = operation.elementwise
            found = (
                replace(operation, meaning=by_heart, integers=operation.integers)
                if long
                else operation
            )
            self._operations[id(operation)] = found
        return found

    def _part(
        self,
        key: Any,
        make: Callable[[], Step[Any]],
        name: str,
        real: Real | None = None,
        alike: Any = None,
    ) -> Part:
        """What a step does that was counted before, or is now."""
        self.party.looked_away()
        part = self._parts.get(key)
        if part is None:
            inner, self._whole = self._whole, self._whole or real is not None
            part = self._first(make(), name)
            self._whole = inner
            if self.profiler is not None and not inner:
                timed = part if real is None else self._timed(part, real, alike)
                if timed is part:  # what runs for the first time takes longer
                    timed = self._first(make(), name)
                part = timed
            self._parts[key] = part
        return part

    def _again(
        self,
        key: Any,
        make: Callable[[], Step[Any]],
        name: str,
        real: Real | None = None,
        alike: Any = None,
    ) -> Step[Any]:
        """A step that was counted before, or is now; timed as a whole where `real` can run it."""
        part = self._part(key, make, name, real, alike)
        self._left -= 1 + len(part.rounds)
        if self._left < 0:
            raise _too_long()
        held = self.party.held
        held.add(part.room)
        try:
            yield from self._after_work(part.rounds)
        finally:
            held.add(-part.room)
        self.party.worked(part.after)
        return tuple(self._made(result) for result in part.results)

    def _after_work(self, rounds: tuple[Round, ...]) -> Sequence[Round]:
        """The rounds, the first one with what was done before it."""
        if not rounds or not self.party.timed or rounds[0].split:
            return rounds
        work = self.party.paused()
        if not any(work):
            return rounds
        first = rounds[0]
        send: Any = {0: (*first.send.get(0, ()), work)}
        return [replace(first, send=send), *rounds[1:]]

    def _timed(self, part: Part, real: Real, alike: Any = None) -> Part:
        """A part that was run as a whole; the part itself where it cannot be.

        Local ones are run once for all that are `alike`: slices that begin elsewhere.
        """
        if self.profiler is None:
            return part
        if not part.rounds and alike in self._local:
            return replace(part, after=self._local[alike])
        before = self.party.paused()
        piece = piece_of(part.name, part.rounds, self.profiler, self.party.rounding, real)
        self.party.resumed(before)
        if piece is None:
            return part
        found = _as_piece(part, piece)
        self._local[alike] = found.after
        return found

    def _first(self, step: Step[Any], name: str) -> Part:
        """Run a step alone, and note what it does."""
        party = self.party
        held, before = party.held, party.paused()
        base, peak = held.now, held.peak
        held.peak = base
        rounds: list[Round] = []
        while True:
            try:
                rounds.append(next(step))
            except StopIteration as stop:
                found = stop.value
                break
        results = tuple(
            _made_of(one) for one in (found if isinstance(found, tuple | list) else (found,))
        )
        room = held.peak - base
        held.peak = max(peak, held.peak)
        return Part(tuple(rounds), results, room, party.resumed(before), name)

    def _made(self, result: Any) -> Any:
        if not isinstance(result, _Kind):
            return result
        return self.party.secret(result.type.dtype, result.type.shape, result.type.bounds)


def _as_piece(part: Part, piece: Piece) -> Part:
    """A part whose rounds are those of a piece."""
    rounds = []
    for place, one in enumerate(part.rounds):
        box: Any = {0: ((piece, place),)}
        rounds.append(Round(send=box, receive=box, depth=one.depth))
    spent = 0.0
    if not rounds:  # all parties do the same
        (only,) = piece.profile.compute
        spent = sum(only) / len(only)
    return replace(part, rounds=tuple(rounds), after=Work(0, 0, spent))


def _written(step: Step[Any]) -> Step[Any]:
    """A chunk's result, written where it belongs."""
    value = yield from step
    value.share.blank(value.share.size).write(0, value.share)
    return value


def _too_long() -> ProgramError:
    return ProgramError(
        f"The program takes more than {MOST_COUNTED} rounds, or runs as many bodies: so many are"
        " not counted.",
        next_step="look at how often its loops go round (program.text()); plan for fewer rounds,"
        " whose costs are in proportion.",
        case=67,
    )


def _unpacked(step: Step[Any]) -> Step[Any]:
    found = yield from step
    return found[0] if len(found) == 1 else found


@dataclass(frozen=True, slots=True)
class _Kind:
    """What is kept of a secret: its type, and how it is held."""

    type: ArrayType


def _made_of(value: Any) -> Any:
    if isinstance(value, SecretValue):
        return _Kind(ArrayType(value.dtype, value.shape, bounds=value.held))
    return value


def _kind(operand: Operand, matters: bool) -> Any:
    """What a part's cost follows from about one operand."""
    if isinstance(operand, SecretValue):
        return operand.dtype, operand.shape, operand.held
    if not matters:
        return operand.dtype, operand.shape
    assumed = isinstance(operand, Assumed)
    return operand.dtype, operand.shape, assumed, np.ascontiguousarray(operand).tobytes()
