"""Where the run of a graph stands: what can be said before it, and what is there on the way.

A :class:`Frame` is plain data: values, and which nodes have ended or begun. Between rounds in which
nothing but bodies of loops is under way it says everything, so a run can end there and another one,
perhaps of another protocol, go on from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import prod
from typing import Any, Final, TypeAlias

from numpy.typing import NDArray

from tacit.errors import InternalError
from tacit.operations.types import Operand
from tacit.programs.inference import Checked

__all__ = ["Frame", "Schedule", "Turns", "Values", "begun", "schedule_of"]

Values: TypeAlias = list[Any]

_ELEMENTS: Final = 1024
"""So many elements of a result count as a node."""


@dataclass(frozen=True, eq=False)
class Schedule:
    """What can be said about running a graph before it runs.

    Attributes
    ----------
    checked : Checked
    bodies : sequence of Schedule
        The program's.
    """

    checked: Checked
    bodies: Sequence[Schedule]

    @cached_property
    def constants(self) -> list[NDArray[Any]]:
        """The public arrays of the graph."""
        return [constant.array for constant in self.checked.graph.constants]

    @cached_property
    def effort(self) -> int:
        """What one run takes without its bodies: 1 a node, and more for long results."""
        sizes = (prod(one.shape) for node in self.checked.nodes for one in node.results)
        return 1 + len(self.checked.nodes) + sum(size // _ELEMENTS for size in sizes)

    @cached_property
    def waiting(self) -> list[int]:
        """For each node how many different operands other nodes compute."""
        first = self._first
        return [len({v for v in node.node.operands if v >= first}) for node in self.checked.nodes]

    @cached_property
    def readers(self) -> list[list[int]]:
        """For each value the nodes that take it."""
        found: list[list[int]] = [[] for _ in self.checked.types]
        for place, node in enumerate(self.checked.nodes):
            for value in dict.fromkeys(node.node.operands):
                found[value].append(place)
        return found

    @cached_property
    def kept(self) -> frozenset[int]:
        """The values that are results."""
        return frozenset(self.checked.graph.results)

    @cached_property
    def checking(self) -> frozenset[int]:
        """The nodes that check public operands which are known only while the graph runs."""
        graph = self.checked.graph
        constants = range(len(graph.inputs), self._first)
        return frozenset(
            place
            for place, node in enumerate(self.checked.nodes)
            if node.operation is not None
            and node.operation.check is not None
            and not node.public
            and any(
                self.checked.types[value].public and value not in constants
                for value in node.node.operands
            )
        )

    @property
    def _first(self) -> int:
        graph = self.checked.graph
        return len(graph.inputs) + len(graph.constants)


def schedule_of(main: Checked, bodies: Sequence[Checked]) -> Schedule:
    """The schedule of a program's main graph, with those of its bodies."""
    made: list[Schedule] = []
    for body in bodies:
        made.append(Schedule(body, made))
    return Schedule(main, made)


@dataclass(slots=True, eq=False)
class Turns:
    """A node with bodies that has begun: how often its body has run, and what came of it.

    Attributes
    ----------
    carries : list
        What the next turn begins with; at the end of a call or a branch its results.
    turn : int
        How many turns are over.
    rows : list of list
        What each turn of a scan gave beside its carries.
    body : Frame, optional
        The turn under way, where it can be left in the middle.
    """

    carries: Values
    turn: int = 0
    rows: list[Values] = field(default_factory=list)
    body: Frame | None = None

    def copied(self, put: Callable[[Any], Any]) -> Turns:
        """The same with other values."""
        return Turns(
            [put(one) for one in self.carries],
            self.turn,
            [[put(one) for one in row] for row in self.rows],
            None if self.body is None else self.body.copied(put),
        )

    def leaves(self) -> Iterator[Any]:
        """All values, in one order."""
        yield from self.carries
        for row in self.rows:
            yield from row
        if self.body is not None:
            yield from self.body.leaves()


@dataclass(slots=True, eq=False)
class Frame:
    """A graph under way.

    Attributes
    ----------
    schedule : Schedule
    values : list
        By number; None for what is not there yet, or not needed any more.
    waiting : list of int
        For each node how many operands are missing.
    left : list of int
        For each value how many nodes have yet to take it.
    ready : list of int
        The nodes that may begin.
    ended : set of int
        The nodes whose results are there.
    inside : dict of int to Turns
        The nodes with bodies that have begun and not ended.
    """

    schedule: Schedule
    values: Values
    waiting: list[int]
    left: list[int]
    ready: list[int]
    ended: set[int] = field(default_factory=set)
    inside: dict[int, Turns] = field(default_factory=dict)

    def has(self, place: int) -> bool:
        """Whether a node has begun."""
        return place in self.ended or place in self.inside

    def finished(self, place: int, results: Sequence[Any]) -> None:
        """Take a node's results. A value is let go after its last use."""
        schedule = self.schedule
        node = schedule.checked.nodes[place]
        for offset, result in enumerate(results):
            self.values[node.first + offset] = result
            for reader in schedule.readers[node.first + offset]:
                self.waiting[reader] -= 1
                if not self.waiting[reader]:
                    self.ready.append(reader)
        for value in dict.fromkeys(node.node.operands):
            self.left[value] -= 1
            if not self.left[value] and value not in schedule.kept:
                self.values[value] = None
        self.ended.add(place)
        self.inside.pop(place, None)

    def results(self) -> Values:
        """The graph's results, when all is done."""
        found = [self.values[value] for value in self.schedule.checked.graph.results]
        if any(result is None for result in found):
            raise InternalError("a graph ended before all its values were there")
        return found

    def copied(self, put: Callable[[Any], Any]) -> Frame:
        """The same with other values, which can go on by itself."""
        return Frame(
            self.schedule,
            [put(one) for one in self.values],
            list(self.waiting),
            list(self.left),
            list(self.ready),
            set(self.ended),
            {place: turns.copied(put) for place, turns in self.inside.items()},
        )

    def leaves(self) -> Iterator[Any]:
        """All values, in one order; None where there is none."""
        yield from self.values
        for place in sorted(self.inside):
            yield from self.inside[place].leaves()


def begun(schedule: Schedule, operands: Sequence[Operand]) -> Frame:
    """A graph that is about to run on its inputs."""
    values: Values = [*operands, *schedule.constants]
    values += [None] * (len(schedule.checked.types) - len(values))
    waiting = list(schedule.waiting)
    left = [len(readers) for readers in schedule.readers]
    return Frame(schedule, values, waiting, left, [p for p, n in enumerate(waiting) if not n])
