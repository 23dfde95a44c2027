"""Bodies that nothing runs are left out, and equal ones are one."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from tacit.operations.operation import Attributes
from tacit.programs.control import Call, Choice, Loop, Over, Until, bodies_of
from tacit.programs.graph import Graph, Node
from tacit.programs.inference import attributes_of

__all__ = ["pruned"]


def pruned(main: Graph, bodies: tuple[Graph, ...]) -> tuple[Graph, tuple[Graph, ...]]:
    """The main graph and the bodies that it runs, once each, none before what it runs itself."""
    needed: set[int] = set()
    queue = [main]
    while queue:
        for node in queue.pop().nodes:
            for body in bodies_of(attributes_of(node)):
                if body not in needed:
                    needed.add(body)
                    queue.append(bodies[body])
    kept: list[Graph] = []
    number: dict[int, int] = {}
    for place in sorted(needed):
        graph = _renumbered(bodies[place], number)
        if graph in kept:
            number[place] = kept.index(graph)
        else:
            number[place] = len(kept)
            kept.append(graph)
    return _renumbered(main, number), tuple(kept)


def _renumbered(graph: Graph, number: Mapping[int, int]) -> Graph:
    nodes = []
    for node in graph.nodes:
        attributes = attributes_of(node)
        if bodies_of(attributes):
            data = msgspec.msgpack.encode(_moved(attributes, number))
            node = Node(node.operation, node.operands, data, node.note)
        nodes.append(node)
    return msgspec.structs.replace(graph, nodes=tuple(nodes))


def _moved(attributes: Attributes, number: Mapping[int, int]) -> Attributes:
    match attributes:
        case Choice(branches):
            return Choice(tuple(number[body] for body in branches))
        case Until():
            return msgspec.structs.replace(
                attributes,
                condition=number[attributes.condition],
                body=number[attributes.body],
            )
        case Call() | Loop() | Over():
            return msgspec.structs.replace(attributes, body=number[attributes.body])
    raise AssertionError(attributes)
