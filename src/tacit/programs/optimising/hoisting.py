"""What is the same in every round of a loop is computed once, before it.

Only where the loop certainly runs: over rows, or over integers whose count is a constant above 0.
A loop on a condition may not run at all, and a branch may not be taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tacit.operations.operation import Attributes
from tacit.programs.control import Loop, Over
from tacit.programs.graph import Graph, Input, Node, ValueType
from tacit.programs.inference import Checked, CheckedNode

__all__ = ["Hoisted", "hoistable", "without"]


class Hoisted:
    """A body without the nodes that do not change, and those nodes.

    Attributes
    ----------
    body : Graph
        Takes their results as further captures.
    nodes : list of CheckedNode
        To be computed before the loop, in order.
    captures : list of int
        The body's old values that it captures now: each a result of one of `nodes`.
    """

    def __init__(self, body: Graph, nodes: list[CheckedNode], captures: list[int]) -> None:
        self.body = body
        self.nodes = nodes
        self.captures = captures


def hoistable(checked: Checked, changing: int) -> list[int]:
    """The places of a body's nodes that depend on captures and constants alone.

    `changing` is the number of its inputs that change from round to round, which come first. Local
    rearrangements of what is not moved itself stay where they are: moving them saves nothing.
    """
    inputs, constants = len(checked.graph.inputs), len(checked.graph.constants)
    same = set(range(changing, inputs + constants))
    places = []
    for place, node in enumerate(checked.nodes):
        if all(value in same for value in node.node.operands) and _worth(node):
            places.append(place)
            same.update(range(node.first, node.first + len(node.results)))
    dear = [place for place in places if not _local(checked.nodes[place])]
    return places if dear else []


def _worth(node: CheckedNode) -> bool:
    return node.operation is not None and not node.public and node.node.operation != "shuffle"


def _local(node: CheckedNode) -> bool:
    return bool(getattr(node.operation.meaning, "local", False)) if node.operation else False


def without(checked: Checked, places: Sequence[int]) -> Hoisted:
    """A body with some of its nodes moved out of it."""
    moved = set(places)
    graph = checked.graph
    needed: list[int] = []
    made = {
        value
        for place in places
        for value in range(
            checked.nodes[place].first,
            checked.nodes[place].first + len(checked.nodes[place].results),
        )
    }
    for place, node in enumerate(checked.nodes):
        if place not in moved:
            needed.extend(v for v in node.node.operands if v in made and v not in needed)
    needed.extend(v for v in graph.results if v in made and v not in needed)
    inputs = list(range(len(graph.inputs)))
    order = [*inputs, *needed, *range(len(inputs), len(inputs) + len(graph.constants))]
    for place, node in enumerate(checked.nodes):
        if place not in moved:
            order.extend(range(node.first, node.first + len(node.results)))
    number = {old: new for new, old in enumerate(order)}
    new_inputs = [Input("", ValueType.of(checked.types[value])) for value in needed]
    nodes = [
        Node(n.operation, tuple(number[v] for v in n.operands), n.attributes, n.note)
        for place, n in enumerate(graph.nodes)
        if place not in moved
    ]
    body = Graph(
        (*graph.inputs, *new_inputs),
        graph.constants,
        tuple(nodes),
        tuple(number[value] for value in graph.results),
    )
    return Hoisted(body, [checked.nodes[place] for place in places], needed)


def changing_inputs(attributes: Attributes) -> int:
    """How many of a body's inputs change from round to round."""
    if isinstance(attributes, Loop):
        return 1 + attributes.carried
    assert isinstance(attributes, Over)
    return attributes.carried + attributes.sliced


def known_to_run(attributes: Attributes, first: Any, end: Any) -> bool:
    """Whether a loop certainly runs at least once."""
    if isinstance(attributes, Over):
        return attributes.length > 0
    if first is None or end is None:
        return False
    return int(end.item()) > int(first.item())
