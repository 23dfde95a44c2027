"""Values that no result needs, and constants that nothing takes, are left out."""

from __future__ import annotations

from tacit.programs.graph import Graph, Node
from tacit.programs.inference import Checked

__all__ = ["living"]


def living(checked: Checked) -> tuple[Graph, list[int]]:
    """The part of a graph that its results depend on; for each node the place that it had.

    Inputs stay, whether they are used or not: who gives what is for the owners to change.
    """
    graph = checked.graph
    first = len(graph.inputs) + len(graph.constants)
    needed = set(graph.results)
    kept: list[int] = []
    for place in range(len(checked.nodes) - 1, -1, -1):
        node = checked.nodes[place]
        if needed.intersection(range(node.first, node.first + len(node.results))):
            kept.append(place)
            needed.update(node.node.operands)
    kept.reverse()
    constants = [place for place in range(len(graph.inputs), first) if place in needed]
    order = [*range(len(graph.inputs)), *constants]
    for place in kept:
        node = checked.nodes[place]
        order.extend(range(node.first, node.first + len(node.results)))
    number = {old: new for new, old in enumerate(order)}
    nodes = [
        Node(n.operation, tuple(number[v] for v in n.operands), n.attributes, n.note)
        for n in (graph.nodes[place] for place in kept)
    ]
    return (
        Graph(
            graph.inputs,
            tuple(graph.constants[place - len(graph.inputs)] for place in constants),
            tuple(nodes),
            tuple(number[value] for value in graph.results),
        ),
        kept,
    )
