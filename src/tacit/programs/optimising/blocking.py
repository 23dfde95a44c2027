"""A loop over rows as a loop over blocks of rows: an outer loop whose body is the loop itself.

The inner loop is then spread (``spreading.py``), so that each round of the outer one takes as many
rows as there is room for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from tacit.operations.manipulation import Slice
from tacit.operations.types import ArrayType
from tacit.programs.building import Value
from tacit.programs.control import Over
from tacit.programs.graph import Graph, Input, Node, ValueType
from tacit.programs.inference import Checked, CheckedNode
from tacit.programs.optimising.rewriting import Draft

__all__ = ["in_blocks", "rows_of_blocks"]


def rows_of_blocks(a: Over, most: int) -> int:
    """How many rows a block has: a divisor, or the most where the loop has no carries.

    A carry goes from block to block, so that all of them run one body.
    """
    most = min(most, a.length // 2)
    even = max((rows for rows in range(1, most + 1) if a.length % rows == 0), default=1)
    return most if not a.carried and 2 * even < most else even


def in_blocks(
    draft: Draft,
    node: CheckedNode,
    operands: Sequence[Value],
    body: Checked,
    rows: int,
    append: Callable[[Graph], int],
) -> list[Value]:
    """The loop over blocks of so many rows, and over the rows that are left.

    Parameters
    ----------
    append : callable
        Adds a body, and gives its number.
    """
    a: Over = node.attributes
    whole = a.length // rows
    last = a.carried + a.sliced
    carries, cut, captures = operands[: a.carried], operands[a.carried : last], operands[last:]
    blocks = [_rows(draft, one, 0, whole * rows) for one in cut]
    blocks = [
        draft.apply("reshape", one, shape=(whole, rows, *one.type.shape[1:])) for one in blocks
    ]
    number = append(_of_block(a, body, rows))
    types = [
        *node.results[: a.carried],
        *(_with(t, (whole, rows, *t.shape[1:])) for t in node.results[a.carried :]),
    ]
    outer = Over(number, a.carried, a.sliced, whole, a.reverse)
    found = draft.control("scan", [*carries, *blocks, *captures], outer, types)
    results = [
        draft.apply("reshape", one, shape=(whole * rows, *one.type.shape[2:]))
        for one in found[a.carried :]
    ]
    left = a.length - whole * rows
    if left:
        rest = [_rows(draft, one, whole * rows, a.length) for one in cut]
        types = [_with(t, (left, *t.shape[1:])) for t in node.results]
        inner = Over(a.body, 0, a.sliced, left, a.reverse)
        others = draft.control("scan", [*rest, *captures], inner, types)
        results = [
            draft.apply("concatenate", one, other, axis=0)
            for one, other in zip(results, others, strict=True)
        ]
    return [*found[: a.carried], *results]


def _with(t: ArrayType, shape: tuple[int, ...]) -> ArrayType:
    return ArrayType(t.dtype, shape, t.public)


def _rows(draft: Draft, value: Value, start: int, stop: int) -> Value:
    if (start, stop) == (0, value.type.shape[0]):
        return value
    items: Any = (Slice(start, stop, 1),)
    return draft.apply("getitem", value, items=items)


def _of_block(a: Over, body: Checked, rows: int) -> Graph:
    """The body of the outer loop: the loop over the rows of a block."""
    inputs = [
        Input(
            one.name,
            ValueType.of(_with(t, (rows, *t.shape)))
            if a.carried <= place < a.carried + a.sliced
            else one.type,
            one.owner,
            one.bounds,
        )
        for place, (one, t) in enumerate(zip(body.graph.inputs, body.types, strict=False))
    ]
    loop = Over(a.body, a.carried, a.sliced, rows, a.reverse)
    count = len(inputs)
    node = Node("scan", tuple(range(count)), msgspec.msgpack.encode(loop))
    results = tuple(range(count, count + len(body.graph.results)))
    return Graph(tuple(inputs), (), (node,), results)
