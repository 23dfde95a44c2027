"""Which public values decide what a program costs, and which are only computed with.

Most do not: where a slice begins, what is added to a secret. A loop whose body does not depend on
its counter in that way costs the same in every round, so that one round is enough to know all.
What matters: a factor (how many bits its product is cut by), a power, a condition, a count.
"""

from __future__ import annotations

from collections.abc import Sequence

from tacit.programs.control import Call, Choice, Loop, Over, Until
from tacit.programs.inference import Checked, CheckedNode

__all__ = ["Relevant", "relevant_values"]

Relevant = dict[int, frozenset[int]]
"""For each graph, by the identity of its checked form, the numbers of public values that matter."""


class _Search:
    def __init__(self, main: Checked, bodies: Sequence[Checked]) -> None:
        self.graphs = [main, *reversed(bodies)]
        self.bodies = bodies
        self.found: dict[int, set[int]] = {id(graph): set() for graph in self.graphs}
        self.changed = True

    def mark(self, graph: Checked, value: int) -> None:
        """A value matters, if all know it."""
        if graph.types[value].public and value not in self.found[id(graph)]:
            self.found[id(graph)].add(value)
            self.changed = True

    def run(self) -> None:
        """Until nothing new matters: callers and bodies tell each other."""
        while self.changed:
            self.changed = False
            for graph in self.graphs:
                for node in reversed(graph.nodes):
                    self.node(graph, node)

    def matters(self, graph: Checked, value: int) -> bool:
        """Whether a value is known to matter."""
        return value in self.found[id(graph)]

    def node(self, graph: Checked, node: CheckedNode) -> None:
        """What a node makes matter."""
        operands = node.node.operands
        results = range(node.first, node.first + len(node.results))
        if node.operation is None:
            self.control(graph, node, operands, results)
        elif node.public:
            if any(self.matters(graph, value) for value in results):
                for value in operands:
                    self.mark(graph, value)
        elif not _is_indifferent(node):
            for value in operands:
                self.mark(graph, value)

    def control(
        self, graph: Checked, node: CheckedNode, operands: Sequence[int], results: range
    ) -> None:
        """What a loop, a branch or a call makes matter."""
        match node.attributes:
            case Call(body):
                self.into(graph, self.bodies[body], operands, 0)
                self.out_of(graph, self.bodies[body], results, 0)
            case Choice(branches):
                self.mark(graph, operands[0])
                for branch in branches:
                    self.into(graph, self.bodies[branch], operands[1:], 0)
                    self.out_of(graph, self.bodies[branch], results, 0)
            case Loop(body, carried):
                for value in operands[:2]:
                    self.mark(graph, value)
                inner = self.bodies[body]
                self.into(graph, inner, operands[2:], 1)
                self.out_of(graph, inner, results, 0)
                self.round(inner, 1, carried)
            case Over(body=body, carried=carried):
                inner = self.bodies[body]
                self.into(graph, inner, operands, 0)
                self.out_of(graph, inner, results, 0)
                self.round(inner, 0, carried)
            case Until(condition, body, carried, captured):
                inner, asked = self.bodies[body], self.bodies[condition]
                self.mark(asked, asked.graph.results[0])
                rest = operands[carried:]
                self.into(graph, asked, [*operands[:carried], *rest[:captured]], 0)
                self.into(graph, inner, [*operands[:carried], *rest[captured:]], 0)
                self.out_of(graph, inner, results, 0)
                self.round(inner, 0, carried)
                for place in range(carried):
                    if self.matters(asked, place):
                        self.mark(inner, inner.graph.results[place])

    def into(self, graph: Checked, body: Checked, operands: Sequence[int], first: int) -> None:
        """Operands matter where the body's inputs from `first` on do."""
        for place, value in enumerate(operands):
            if self.matters(body, first + place):
                self.mark(graph, value)

    def out_of(self, graph: Checked, body: Checked, results: range, first: int) -> None:
        """A body's results matter where the node's do."""
        for place, value in enumerate(results):
            if self.matters(graph, value):
                self.mark(body, body.graph.results[first + place])

    def round(self, body: Checked, first: int, carried: int) -> None:
        """What a body gives matters where it does as the next round's input."""
        for place in range(carried):
            if self.matters(body, first + place):
                self.mark(body, body.graph.results[place])


def _is_indifferent(node: CheckedNode) -> bool:
    """Whether an operation costs the same whatever its public operands are."""
    assert node.operation is not None
    if any(result.dtype.narrow for result in node.results):
        return False  # how far the elements reach follows from public numbers
    return bool(getattr(node.operation.meaning, "local", False))


def relevant_values(main: Checked, bodies: Sequence[Checked]) -> Relevant:
    """The public values of every graph of a program that its cost depends on."""
    search = _Search(main, bodies)
    search.run()
    return {key: frozenset(values) for key, values in search.found.items()}
