"""What need not be done in every round of a loop: moved before it, or done for all rows at once.

From the innermost loop outwards, so that what moves out of one moves on out of the next.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Final

from tacit.programs.building import Value
from tacit.programs.control import Loop, Over, bodies_of
from tacit.programs.graph import Graph
from tacit.programs.inference import Checked, CheckedNode, checked_graph
from tacit.programs.optimising.blocking import in_blocks, rows_of_blocks
from tacit.programs.optimising.dead import living
from tacit.programs.optimising.hoisting import changing_inputs, hoistable, known_to_run, without
from tacit.programs.optimising.rewriting import Draft, rewritten
from tacit.programs.optimising.spreading import row_bytes, spread

__all__ = ["Loops"]

_LEAST: Final = 2
"""Rounds of a loop that is worth spreading."""


def _has_loops(checked: Checked) -> bool:
    return any(isinstance(node.attributes, Loop | Over) for node in checked.nodes)


class Loops:
    """A program's graphs, whose loops are rewritten.

    Parameters
    ----------
    main : Checked
    bodies : sequence of Checked
    room : int
        Bytes that the rows of a loop may take at once.

    Attributes
    ----------
    main, bodies
        As they are now.
    origins : list of int
        For each node of the main graph the place that it had.
    largest : int
        Bytes that the rows of a loop take at once, about, at most.
    """

    def __init__(self, main: Checked, bodies: Sequence[Checked], room: int) -> None:
        self.main = main
        self.bodies = list(bodies)
        self.room = room
        self.origins = list(range(len(main.nodes)))
        self.largest = 0
        self._uses = Counter(
            body
            for checked in (main, *bodies)
            for node in checked.nodes
            for body in bodies_of(node.attributes)
        )

    def rewrite(self) -> None:
        """Hoist, then spread."""
        for rule in (self._hoisted, self._spread):
            for number in range(len(self.bodies)):
                body = self.bodies[number]
                if _has_loops(body):
                    graph, _ = rewritten(body, partial(rule, inside=True))
                    body = checked_graph(graph, self.bodies[:number])
                    self.bodies[number] = checked_graph(living(body)[0], self.bodies[:number])
            if _has_loops(self.main):
                graph, places = rewritten(self.main, partial(rule, inside=False))
                graph, kept = living(checked_graph(graph, self.bodies))
                self.main = checked_graph(graph, self.bodies)
                self.origins = [self.origins[places[place]] for place in kept]

    def _put(self, number: int, graph: Graph) -> int:
        """Another graph in the place of a body."""
        self.bodies[number] = checked_graph(graph, self.bodies[:number])
        return number

    def _append(self, graph: Graph) -> int:
        """One more body, for the main graph."""
        self.bodies.append(checked_graph(graph, self.bodies))
        return len(self.bodies) - 1

    def _hoisted(
        self, draft: Draft, node: CheckedNode, operands: Sequence[Value], *, inside: bool
    ) -> Sequence[Value] | None:
        """Nodes of a loop that are the same in every round, before it."""
        if not isinstance(node.attributes, Loop | Over) or self._uses[node.attributes.body] != 1:
            return None
        number = node.attributes.body
        bounds = [draft.array(one) for one in operands[:2]]
        ends = bounds if len(bounds) == 2 else [None, None]
        if not known_to_run(node.attributes, *ends):
            return None
        body = self.bodies[number]
        changing = changing_inputs(node.attributes)
        found = without(body, hoistable(body, changing))
        if not found.nodes:
            return None
        # The body's captures follow what changes, as the loop's last operands.
        captures = operands[len(operands) - (len(body.graph.inputs) - changing) :]
        values: dict[int, Value] = {changing + k: one for k, one in enumerate(captures)}
        first = len(body.graph.inputs)
        for k, constant in enumerate(body.graph.constants):
            values[first + k] = draft.constant(constant.array)
        for one in found.nodes:
            results = draft.copy(one, [values[value] for value in one.node.operands])
            values.update({one.first + k: result for k, result in enumerate(results)})
        self._put(number, found.body)
        return draft.copy(node, [*operands, *(values[value] for value in found.captures)])

    def _spread(
        self, draft: Draft, node: CheckedNode, operands: Sequence[Value], *, inside: bool
    ) -> Sequence[Value] | None:
        """A loop over rows: what no carry is needed for, for all of them at once, or in blocks."""
        a = node.attributes
        if not isinstance(a, Over) or a.length < _LEAST:
            return None
        body = self.bodies[a.body]
        size = row_bytes(body)
        if size * a.length <= self.room:
            replace = partial(self._put, a.body) if self._uses[a.body] == 1 else None
            found = spread(draft, node, operands, body, replace)
            if found is not None:
                self.largest = max(self.largest, size * a.length)
            return found
        if inside:
            return None
        rows = rows_of_blocks(a, self.room // size)
        if rows < _LEAST:
            return None
        self.largest = max(self.largest, size * rows)
        return in_blocks(draft, node, operands, body, rows, self._append)
