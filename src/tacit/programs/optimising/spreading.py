"""Loops over rows whose rounds do not wait for each other: all rows at once.

What a body of a ``scan`` computes from the row and from captures alone is the same whatever came
before, so it is computed for all rows at once, before the loop: as many times fewer rounds as there
are rows. What no later round needs is computed for all rows at once after the loop
(``following.py``). What is left of the body takes the results as further rows; where nothing is
left, as in ``jax.lax.map``, there is no loop any more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Final

from tacit.operations.types import ArrayType
from tacit.programs.building import Value
from tacit.programs.control import Over
from tacit.programs.graph import Graph, Input, Node, ValueType
from tacit.programs.inference import Checked, CheckedNode
from tacit.programs.optimising.batching import batched, spread_out
from tacit.programs.optimising.following import Following, following
from tacit.programs.optimising.lengths import is_dear, longest
from tacit.programs.optimising.rewriting import Draft, Row

__all__ = ["row_bytes", "spread"]

_BYTES: Final = 16
"""Of an element of a secret at a party of three."""


@dataclass(slots=True)
class _Outside:
    """What of a body is computed outside of its loop.

    Attributes
    ----------
    rows : dict of int to Row
        Values of the body that are known outside.
    worth : set of int
        Those among them that a protocol has computed, which nobody wants to compute again.
    """

    rows: dict[int, Row] = field(default_factory=dict)
    worth: set[int] = field(default_factory=set)


def row_bytes(body: Checked) -> int:
    """About how many bytes of shares a row takes, the results of all steps together."""
    return _BYTES * sum(
        prod(result.shape)
        for node in body.nodes
        if node.operation is not None
        for result in node.results
        if not result.public
    )


def spread(
    draft: Draft,
    node: CheckedNode,
    operands: Sequence[Value],
    body: Checked,
    replace: Callable[[Graph], int] | None,
) -> list[Value] | None:
    """A loop over rows with what does not depend on carries computed before it.

    Parameters
    ----------
    draft : Draft
    node : CheckedNode
        A ``scan``.
    operands : sequence of Value
    body : Checked
    replace : callable, optional
        Puts another graph in the place of the body, and gives its number; None where it may not.

    Returns
    -------
    list of Value or None
        The loop's results; None where there is nothing to gain.
    """
    a: Over = node.attributes
    outside = _begun(draft, a, operands, body)
    for one in body.nodes:
        given = [outside.rows.get(value) for value in one.node.operands]
        rows = [row for row in given if row is not None]
        found = batched(draft, one, rows, a.length) if len(rows) == len(given) else None
        if found is None:
            continue
        dear = is_dear(one) or any(value in outside.worth for value in one.node.operands)
        for offset, row in enumerate(found):
            outside.rows[one.first + offset] = row
            if dear:
                outside.worth.add(one.first + offset)
    stacked = body.graph.results[a.carried :]
    if not a.carried and all(value in outside.rows for value in stacked):
        return [spread_out(draft, outside.rows[value], a.length) for value in stacked]
    if replace is None:
        return None
    inside = list(dict.fromkeys(value for value in stacked if value not in outside.rows))
    after = following(body, a, inside, outside.rows, lambda roots: _needed(body, roots, outside)[0])
    if not after.places and not any(outside.rows[value].many for value in outside.worth):
        return None
    kept, _ = _needed(body, [*body.graph.results[: a.carried], *after.given], outside)
    if longest(body, kept) >= longest(body, range(len(body.nodes))):
        return None  # it would wait no less
    return _rest(draft, node, operands, body, outside, after, replace)


def _begun(draft: Draft, a: Over, operands: Sequence[Value], body: Checked) -> _Outside:
    """Rows, captures and constants."""
    outside = _Outside()
    for place, value in enumerate(operands):
        if place >= a.carried:
            outside.rows[place] = Row(value, place < a.carried + a.sliced)
    first = len(body.graph.inputs)
    for place, constant in enumerate(body.graph.constants):
        outside.rows[first + place] = Row(draft.constant(constant.array), False)
    return outside


def _rest(
    draft: Draft,
    node: CheckedNode,
    operands: Sequence[Value],
    body: Checked,
    outside: _Outside,
    after: Following,
    replace: Callable[[Graph], int],
) -> list[Value]:
    """The loop with what is left of its body, and what follows from its rounds."""
    a: Over = node.attributes
    graph = body.graph
    carries, stacked = graph.results[: a.carried], graph.results[a.carried :]
    inside = after.given
    kept, taken = _needed(body, [*carries, *inside], outside)
    rows = [value for value in taken if outside.rows[value].many]
    captures = [value for value in taken if not outside.rows[value].many]
    first = len(graph.inputs)
    rows = [v for v in range(a.carried, a.carried + a.sliced) if v in taken] + [
        v for v in rows if v >= first
    ]
    captures = [v for v in range(a.carried + a.sliced, first) if v in taken] + [
        v for v in captures if v >= first + len(graph.constants)
    ]
    order = [*range(a.carried), *rows, *captures, *range(first, first + len(graph.constants))]
    for place in kept:
        one = body.nodes[place]
        order.extend(range(one.first, one.first + len(one.results)))
    number = {old: new for new, old in enumerate(order)}
    inputs = tuple(
        graph.inputs[value] if value < first else Input("", ValueType.of(body.types[value]))
        for value in order[: a.carried + len(rows) + len(captures)]
    )
    nodes = tuple(
        Node(n.operation, tuple(number[v] for v in n.operands), n.attributes, n.note)
        for n in (graph.nodes[place] for place in kept)
    )
    results = tuple(number[value] for value in (*carries, *inside))
    new = replace(Graph(inputs, graph.constants, nodes, results))
    attributes = Over(new, a.carried, len(rows), a.length, a.reverse)
    types = list(node.results[: a.carried])
    for value in inside:
        row = body.types[value]
        types.append(ArrayType(row.dtype, (a.length, *row.shape), row.public))
    given = [*operands[: a.carried], *(outside.rows[value].value for value in (*rows, *captures))]
    found = draft.control(node.node.operation, given, attributes, types)
    known = {**outside.rows}
    known.update({v: Row(one, True) for v, one in zip(inside, found[a.carried :], strict=True)})
    for place in after.places:
        one = body.nodes[place]
        made = batched(draft, one, [known[value] for value in one.node.operands], a.length)
        assert made is not None
        known.update({one.first + offset: row for offset, row in enumerate(made)})
    whole = [spread_out(draft, known[value], a.length) for value in stacked]
    return [*found[: a.carried], *whole]


def _needed(
    body: Checked, results: Sequence[int], outside: _Outside
) -> tuple[list[int], dict[int, None]]:
    """The nodes that stay inside, in order, and the values from outside that they take.

    What is local is computed inside again, where it costs nothing and takes no room.
    """
    maker = {
        value: place
        for place, node in enumerate(body.nodes)
        for value in range(node.first, node.first + len(node.results))
    }
    kept: set[int] = set()
    taken: dict[int, None] = {}
    waiting = list(results)
    while waiting:
        value = waiting.pop()
        place = maker.get(value)
        if value in outside.worth or place is None:
            if value in outside.rows:
                taken[value] = None
        elif place not in kept:
            kept.add(place)
            waiting.extend(body.nodes[place].node.operands)
    return sorted(kept), dict.fromkeys(sorted(taken))
