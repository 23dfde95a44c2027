"""A program's run in segments, each of which can be repeated by itself.

A run is cut only where nothing is under way but bodies of loops between two of their nodes or
turns, so that a cut costs no round: all rounds that would have merged still do. Where that is
follows from a run on a party that counts, which all parties make alike, those that do not compute
as well: it knows the program's public values, and no other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from numpy.typing import NDArray

from tacit.encoding.ring import Ring
from tacit.errors import ProgramError
from tacit.operations.types import ArrayType, Operand, SecretValue
from tacit.programs.calling import Code, scheduled
from tacit.programs.frames import Frame, Schedule, Values, begun
from tacit.programs.inference import CheckedNode
from tacit.programs.planning.counting import MOST_COUNTED, Counting
from tacit.programs.planning.party import Call, CountingParty
from tacit.programs.running import PAUSE, Manner, frame_step, graph_step
from tacit.protocols import Protocol
from tacit.protocols.interface import Party, Rounding
from tacit.rounds.contract import Round, Step

__all__ = ["BYTES", "ROUNDS", "Segment", "rounds_of", "segments_of"]

ROUNDS: Final = 200
BYTES: Final = 64 << 20
"""A segment ends at the first occasion after so many rounds, or so many bytes of one party."""


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """What is computed from one cut to the next.

    Attributes
    ----------
    number : int
        From 0.
    start : Frame
        Where it begins; in the place of secrets what the counting run has.
    end : Frame or None
        Where it ends; None at the end of the program.
    needs, keeps : tuple of SecretValue
        The counting run's secrets that it takes, and that are there at its end.
    made : tuple of SecretValue
        Those that it computes, in order; of the last segment the program's secret results.
    before, rounds : int
        Rounds of the segments before it, and its own.
    """

    number: int
    start: Frame
    end: Frame | None
    needs: tuple[SecretValue, ...]
    keeps: tuple[SecretValue, ...]
    made: tuple[SecretValue, ...]
    before: int
    rounds: int

    @property
    def results(self) -> list[ArrayType]:
        """The types of what it computes."""
        return [ArrayType(one.dtype, one.shape) for one in self.made]

    def step(self, party: Party, parts: Sequence[Any]) -> Step[tuple[SecretValue, ...]]:
        """Compute it from one party's parts of `needs`; its parts of `made`."""
        given = {id(one): part for one, part in zip(self.needs, parts, strict=True)}
        frame = self.start.copied(lambda one: given.get(id(one), one))
        yield from frame_step(party, frame, until=self.end)
        if self.end is None:
            return tuple(one for one in frame.results() if isinstance(one, SecretValue))
        places = {id(one): place for place, one in enumerate(self.end.leaves())}
        found = list(frame.leaves())
        return tuple(found[places[id(one)]] for one in self.made)


def segments_of(
    code: Code,
    operands: Sequence[Any],
    protocol: Protocol,
    rounding: Rounding,
    ring: Ring,
    look: Callable[[], None] = lambda: None,
) -> Iterator[Segment]:
    """The segments of a program, each found when it is asked for.

    Parameters
    ----------
    code : Code
    operands : sequence of ArrayType or ndarray
        By input: the type of a secret, or the public array.
    protocol, rounding, ring
        What its rounds are counted for.
    look : callable
        Called now and then while a party counts by itself; may raise, where time is up.
    """
    _, schedule = scheduled(code.program)
    party = CountingParty(protocol, rounding, ring)
    given = _given(party, operands)
    frame = begun(schedule, given)
    start, known = frame.copied(_same), {id(one): one for one in _secrets(frame)}
    number = before = rounds = size = 0

    def segment(end: Frame | None) -> Segment:
        keeps = () if end is None else tuple(_secrets(end))
        made = (
            tuple(one for one in frame.results() if isinstance(one, SecretValue))
            if end is None
            else tuple(one for one in keeps if id(one) not in known)
        )
        return Segment(number, start, end, tuple(known.values()), keeps, made, before, rounds)

    nodes = len(schedule.checked.nodes)
    acting: Any = party
    for one in frame_step(acting, frame, _Pausing(code, party, look)):
        if one is not PAUSE:
            rounds += one.depth
            size += _bytes(one)
        elif (rounds >= ROUNDS or size >= BYTES) and len(frame.ended) < nodes:
            end = frame.copied(_same)
            found = segment(end)
            yield found
            start, known = end, {id(kept): kept for kept in found.keeps}
            number, before, rounds, size = number + 1, before + rounds, 0, 0
    yield segment(None)


def rounds_of(
    code: Code, operands: Sequence[Any], protocol: Protocol, rounding: Rounding, ring: Ring
) -> int | None:
    """How many rounds a program takes; None if they are too many to count.

    Parameters
    ----------
    code, operands, protocol, rounding, ring
        As of :func:`segments_of`.
    """
    program, schedule = scheduled(code.program)
    party: Any = CountingParty(protocol, rounding, ring)
    manner = Counting(program, party, schedule)
    try:
        step = graph_step(party, schedule, _given(party, operands), manner)
        return sum(one.depth for one in step)
    except ProgramError as error:
        if error.case != _TOO_LONG:
            raise
        return None


_TOO_LONG: Final = 67


def _given(party: CountingParty, operands: Sequence[Any]) -> list[Operand]:
    return [
        party.secret(one.dtype, one.shape) if isinstance(one, ArrayType) else one
        for one in operands
    ]


def _same(value: Any) -> Any:
    return value


def _secrets(frame: Frame) -> Iterator[SecretValue]:
    """The different secrets of a frame."""
    found = {id(one): one for one in frame.leaves() if isinstance(one, SecretValue)}
    yield from found.values()


def _bytes(one: Round) -> int:
    """What a party sends in a round of the counting run, about."""
    tokens: Any = one.send.get(0, ())
    return sum(
        max(token[0].bytes_sent) for token in tokens if isinstance(token[0], Call) and token[1] == 0
    )


class _Known(Counting):
    """Counts, and computes all public values: by heart only what has none as a result."""

    look: Callable[[], None] | None = None

    def looked(self) -> None:
        super().looked()
        if self.look is not None:
            self.look()

    def graph(self, party: Party, schedule: Schedule, operands: Sequence[Operand]) -> Step[Values]:
        self._left = MOST_COUNTED
        if any(one.public for one in schedule.checked.results):
            return graph_step(party, schedule, operands, self)
        return super().graph(party, schedule, operands)

    def clear(
        self, schedule: Schedule, node: CheckedNode, operands: Sequence[Any]
    ) -> Sequence[NDArray[Any]]:
        return Manner.clear(self, schedule, node, operands)

    def goes_on(self, condition: NDArray[Any], rounds: int) -> bool:
        return Manner.goes_on(self, condition, rounds)

    def is_long(self, party: Party, schedule: Schedule, operands: Sequence[Operand]) -> bool:
        """Whether a body takes more rounds than a segment."""
        self._left = MOST_COUNTED
        try:
            return self.rounds_of(party, schedule, operands) >= ROUNDS
        except ProgramError as error:
            if error.case != _TOO_LONG:
                raise
            return True


class _Pausing(Manner):
    """The main graph's manner, and that of bodies too long for a segment: can be cut."""

    pauses = True
    looks = False

    def __init__(self, code: Code, party: CountingParty, look: Callable[[], None]) -> None:
        program, schedule = scheduled(code.program)
        self._inner = _Known(program, party, schedule)
        self._inner.look = self._look = look

    def looked(self) -> None:
        super().looked()
        self._look()

    def graph(self, party: Party, schedule: Schedule, operands: Sequence[Operand]) -> Step[Values]:
        return self._inner.graph(party, schedule, operands)

    def enters(self, party: Party, schedule: Schedule, operands: Sequence[Operand]) -> bool:
        return self._inner.is_long(party, schedule, operands)

    def operation(
        self, party: Party, node: CheckedNode, operands: Sequence[Operand]
    ) -> Step[Sequence[Any]]:
        return self._inner.operation(party, node, operands)

    def check(self, party: Party, node: CheckedNode, operands: Sequence[Operand]) -> None:
        """Nothing: the run itself checks."""
