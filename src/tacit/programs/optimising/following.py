"""What a loop over rows computes that no later round needs: done after it, for all rows at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tacit.operations.types import ArrayType
from tacit.programs.control import Over
from tacit.programs.inference import Checked
from tacit.programs.optimising.batching import batched
from tacit.programs.optimising.lengths import is_dear
from tacit.programs.optimising.rewriting import Draft, Row

__all__ = ["Following", "following"]


@dataclass(frozen=True, slots=True)
class Following:
    """What follows a loop.

    Attributes
    ----------
    places : list of int
        Nodes of the body, in order.
    given : list of int
        The body's values that the loop has to give for every row: those that are results, and
        those that the nodes take.
    """

    places: list[int]
    given: list[int]


def following(
    body: Checked,
    a: Over,
    inside: Sequence[int],
    outside: Mapping[int, Row],
    needed: Callable[[Sequence[int]], list[int]],
) -> Following:
    """What can follow a loop; nothing where none of it is worth it.

    Parameters
    ----------
    body : Checked
    a : Over
    inside : sequence of int
        The stacked results that depend on carries.
    outside : mapping of int to Row
        What is known outside of the loop.
    needed : callable
        The nodes that some values need inside of the loop.
    """
    carries = list(body.graph.results[: a.carried])
    stuck: list[int] = []
    while True:
        kept = set(needed([*carries, *stuck]))
        places = [place for place in needed(inside) if place not in kept]
        more = [place for place in places if not _has_rule(body, place, outside, a.length)]
        if not more:
            break
        stuck += [body.nodes[place].first for place in more]
    if not any(is_dear(body.nodes[place]) for place in places):
        return Following([], list(inside))
    made = {
        value
        for place in places
        for value in range(
            body.nodes[place].first, body.nodes[place].first + len(body.nodes[place].results)
        )
    }
    taken = [
        value
        for place in places
        for value in body.nodes[place].node.operands
        if value not in made and value not in outside
    ]
    given = dict.fromkeys([*(value for value in inside if value not in made), *taken])
    return Following(places, list(given))


def _has_rule(body: Checked, place: int, outside: Mapping[int, Row], length: int) -> bool:
    """Whether a node can be done for all rows at once; tried on a draft that is thrown away."""
    node = body.nodes[place]
    scratch = Draft(Checked(body.graph, body.types, [node]))
    first = len(body.graph.inputs)
    rows = []
    for value in node.node.operands:
        t = body.types[value]
        if first <= value < first + len(body.graph.constants):
            array = body.graph.constants[value - first].array
            rows.append(Row(scratch.constant(array), False))
            continue
        many = value not in outside or outside[value].many
        shape = (length, *t.shape) if many else t.shape
        rows.append(Row(scratch.builder.input(ArrayType(t.dtype, shape, t.public)), many))
    return batched(scratch, node, rows, length) is not None
