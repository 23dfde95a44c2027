"""A graph as one protocol step: independent nodes run side by side, their rounds merged.

Every node starts as soon as its operands are there. In each round all nodes under way move one
round on, in the same order everywhere, and what they send travels in one message a peer: the
rounds of a graph are those of its longest chain. A node that pipelines chunks has messages of its
own under way, so it waits until it is alone. The schedule depends on the graph and its shapes,
which are public and the same at all parties, so that all of them draw their masks in one order.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tacit.errors import InternalError
from tacit.operations.table import OPERATIONS
from tacit.operations.types import ArrayType, Operand, SecretValue, operand_types
from tacit.programs.control import Call, Choice, Loop, Over, Until
from tacit.programs.inference import Checked, CheckedNode
from tacit.programs.public import computed
from tacit.protocols.interface import Party
from tacit.rounds.combine import merged
from tacit.rounds.contract import Round, Step

__all__ = ["Manner", "Schedule", "Values", "graph_step", "node_step", "schedule_of"]

Values: TypeAlias = list[Any]


class Manner:
    """How the parts of a graph are run. A plan counts them instead."""

    def graph(self, party: Party, schedule: Schedule, operands: Sequence[Operand]) -> Step[Values]:
        """Run a body."""
        return graph_step(party, schedule, operands, self)

    def operation(
        self, party: Party, node: CheckedNode, operands: Sequence[Operand]
    ) -> Step[Sequence[Any]]:
        """Run an operation of the table."""
        assert node.operation is not None
        return node.operation.evaluate(party, operands, node.attributes)

    def check(self, party: Party, node: CheckedNode, operands: Sequence[Operand]) -> None:
        """Refuse public operands that an operation cannot take; the same at all parties."""
        assert node.operation is not None
        assert node.operation.check is not None
        values = [None if isinstance(one, SecretValue) else one for one in operands]
        node.operation.check(operand_types(operands), values, node.attributes, party.ring)

    def clear(
        self, schedule: Schedule, node: CheckedNode, operands: Sequence[Any]
    ) -> Sequence[NDArray[Any]]:
        """Compute an operation in the clear."""
        return computed(node.node.operation, operands, node.attributes, node.results)

    def goes_on(self, condition: NDArray[Any], rounds: int) -> bool:
        """Whether a loop goes on after so many rounds."""
        return bool(condition.item())


_RUN = Manner()


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


def graph_step(
    party: Party, schedule: Schedule, operands: Sequence[Operand], manner: Manner = _RUN
) -> Step[Values]:
    """Run a graph.

    Parameters
    ----------
    party : Party
    schedule : Schedule
    operands : sequence of SecretValue or ndarray
        Its inputs, of the types that it declares.
    manner : Manner
        How its parts are run.

    Returns
    -------
    list of SecretValue or ndarray
        Its results.

    Notes
    -----
    Rounds: the longest chain's. Bytes: the sum over the nodes that run. A value is let go after its
    last use.
    """
    checked = schedule.checked
    values: Values = [*operands, *schedule.constants]
    values += [None] * (len(checked.types) - len(values))
    waiting = list(schedule.waiting)
    left = [len(readers) for readers in schedule.readers]
    ready = [place for place, count in enumerate(waiting) if not count]
    active: list[tuple[int, Step[Any]]] = []
    alone: list[tuple[int, Step[Any], Round]] = []

    def finished(place: int, results: Sequence[Any]) -> None:
        node = checked.nodes[place]
        for offset, result in enumerate(results):
            values[node.first + offset] = result
            for reader in schedule.readers[node.first + offset]:
                waiting[reader] -= 1
                if not waiting[reader]:
                    ready.append(reader)
        for value in dict.fromkeys(node.node.operands):
            left[value] -= 1
            if not left[value] and value not in schedule.kept:
                values[value] = None

    def start(place: int) -> None:
        node = checked.nodes[place]
        given = [values[value] for value in node.node.operands]
        if node.public:
            arrays = [one for one in given if not isinstance(one, SecretValue)]
            finished(place, manner.clear(schedule, node, arrays))
        else:
            if place in schedule.checking:
                manner.check(party, node, given)
            active.append((place, node_step(party, schedule, node, given, manner)))

    try:
        while True:
            rounds: list[Round] = []
            moved: list[tuple[int, Step[Any]]] = []
            queue, active = deque(active), []
            while queue or ready:
                if not queue:
                    starting = sorted(ready)
                    ready.clear()
                    for place in starting:
                        start(place)
                    queue, active = deque(active), []
                    continue
                place, step = queue.popleft()
                try:
                    one = next(step)
                except StopIteration as stop:
                    finished(place, stop.value)
                    continue
                if one.split:
                    alone.append((place, step, one))
                else:
                    rounds.append(one)
                    moved.append((place, step))
            active = moved
            if rounds:
                yield rounds[0] if len(rounds) == 1 else merged(rounds)
            elif alone:
                place, step, one = alone.pop(0)
                yield one
                finished(place, (yield from step))
            else:
                break
    finally:
        for _, step in active:
            step.close()
        for _, step, _ in alone:
            step.close()
    results = [values[value] for value in checked.graph.results]
    if any(result is None for result in results):
        raise InternalError("a graph ended before all its values were there")
    return results


def node_step(
    party: Party,
    schedule: Schedule,
    node: CheckedNode,
    operands: Sequence[Operand],
    manner: Manner = _RUN,
) -> Step[Sequence[Any]]:
    """Run one node that is not computed in the clear."""
    if node.operation is not None:
        return manner.operation(party, node, operands)
    bodies = schedule.bodies
    match node.attributes:
        case Call(body):
            return manner.graph(party, bodies[body], operands)
        case Choice(branches):
            return _branch(party, [bodies[b] for b in branches], operands, manner)
        case Loop(body, carried):
            return _loop(party, bodies[body], carried, operands, manner)
        case Over(body=body):
            return _over(party, bodies[body], node.attributes, operands, manner)
        case Until():
            return _until(party, node.attributes, bodies, operands, manner)
    raise InternalError(f"no step for {node.node.operation}")


def _number(value: Any) -> int:
    return int(value.item())


def _branch(
    party: Party, branches: Sequence[Schedule], operands: Sequence[Any], manner: Manner
) -> Step[Values]:
    index = min(max(_number(operands[0]), 0), len(branches) - 1)
    return manner.graph(party, branches[index], operands[1:])


def _loop(
    party: Party, body: Schedule, carried: int, operands: Sequence[Any], manner: Manner
) -> Step[Values]:
    first, end = (_number(one) for one in operands[:2])
    carries, captures = list(operands[2 : 2 + carried]), operands[2 + carried :]
    for counter in range(first, end):
        given = [np.asarray(counter, np.int64), *carries, *captures]
        carries = yield from manner.graph(party, body, given)
    return carries


def _over(
    party: Party, body: Schedule, a: Over, operands: Sequence[Any], manner: Manner
) -> Step[Values]:
    carries = list(operands[: a.carried])
    cut = operands[a.carried : a.carried + a.sliced]
    captures = operands[a.carried + a.sliced :]
    rows: list[Values] = []
    order = range(a.length - 1, -1, -1) if a.reverse else range(a.length)
    for place in order:
        slices = [_row(one, place) for one in cut]
        found = yield from manner.graph(party, body, [*carries, *slices, *captures])
        carries = found[: a.carried]
        rows.append(found[a.carried :])
    if a.reverse:
        rows.reverse()
    stacked = []
    for column, result in enumerate(body.checked.results[a.carried :]):
        stacked.append((yield from _stacked(party, [row[column] for row in rows], result)))
    return [*carries, *stacked]


def _row(value: Any, place: int) -> Any:
    if not isinstance(value, SecretValue):
        return np.asarray(value[place])
    part = value.share.map(lambda one: np.asarray(one[place]))
    return SecretValue(value.dtype, part, value.held)


def _stacked(party: Party, rows: list[Any], row: ArrayType) -> Step[Any]:
    if row.public:
        shape = (len(rows), *row.shape)
        return np.stack(rows) if rows else np.zeros(shape, row.dtype.numpy)
    if rows:
        stack = OPERATIONS["stack"]
        (value,) = yield from stack.evaluate(party, rows, stack.attributes())
        return value
    nothing = np.zeros((0, *row.shape), np.int64)
    share = party.public_bits(nothing) if row.dtype.kind == "bool" else party.public(nothing)
    return SecretValue(row.dtype, share)


def _until(
    party: Party, a: Until, bodies: Sequence[Schedule], operands: Sequence[Any], manner: Manner
) -> Step[Values]:
    carries, rest = list(operands[: a.carried]), operands[a.carried :]
    of_condition, of_body = rest[: a.captured], rest[a.captured :]
    for rounds in count():
        given = [*carries, *of_condition]
        (going,) = yield from manner.graph(party, bodies[a.condition], given)
        if not manner.goes_on(going, rounds):
            break
        carries = yield from manner.graph(party, bodies[a.body], [*carries, *of_body])
    return carries
