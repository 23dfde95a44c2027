"""Comparisons that others can use: one order of operands, one comparison of each pair.

``x > y`` is ``y < x``, and ``x <= y`` is NOT ``y < x``: of the four, one is computed and the others
are local. A maximum, a minimum or ReLU of numbers that are compared anyway, as in a gradient,
chooses by that comparison instead of one of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tacit.programs.building import Value
from tacit.programs.inference import CheckedNode
from tacit.programs.optimising.rewriting import Draft, Rule

__all__ = ["ordered", "reusing"]


def ordered(draft: Draft, node: CheckedNode, operands: Sequence[Value]) -> Sequence[Value] | None:
    """Comparisons in terms of ``less`` and ``equal``."""
    if node.public:
        return None
    match node.node.operation:
        case "greater":
            return [draft.apply("less", operands[1], operands[0])]
        case "less_equal":
            less = draft.apply("less", operands[1], operands[0])
            return [draft.apply("bitwise_invert", less)]
        case "greater_equal":
            return [draft.apply("bitwise_invert", draft.apply("less", *operands))]
        case "not_equal":
            return [draft.apply("bitwise_invert", draft.apply("equal", *operands))]
    return None


def reusing(checked: Any) -> Rule:
    """A rule for extrema whose operands are compared in the graph, before or after them."""
    compared = {
        tuple(_known(checked, value) for value in node.node.operands): node.node.operands
        for node in checked.nodes
        if node.node.operation == "less" and not node.public
    }
    first = len(checked.graph.inputs)
    constants = range(first, first + len(checked.graph.constants))

    def rule(draft: Draft, node: CheckedNode, operands: Sequence[Value]) -> Sequence[Value] | None:
        name = node.node.operation
        if node.public or name not in ("maximum", "minimum", "relu"):
            return None
        keys = [_known(checked, value) for value in node.node.operands]
        if name == "relu":
            operands = [operands[0], draft.constant(np.zeros(()))]
            keys.append(_ZERO)
        if not _alike(*operands):
            return None
        for swapped in (False, True):
            x, y = reversed(operands) if swapped else operands
            pair = compared.get((keys[1], keys[0]) if swapped else (keys[0], keys[1]))
            if pair is not None:
                # Zeros of another type may be what the comparison has: take its own.
                given = [
                    draft.values[number] if number in constants else one
                    for number, one in zip(pair, (x, y), strict=True)
                ]
                condition = draft.apply("less", *given)
                chosen = (x, y) if name == "minimum" else (y, x)
                return [draft.apply("where", condition, *chosen)]
        return None

    return rule


_ZERO = ("zero",)


def _known(checked: Any, value: int) -> Any:
    """A value's number; of public zeros, whatever their shape and type, what all of them share."""
    first = len(checked.graph.inputs)
    if first <= value < first + len(checked.graph.constants):
        array = checked.graph.constants[value - first].array
        if array.size and not array.any():
            return _ZERO
    return value


def _alike(x: Value, y: Value) -> bool:
    shapes = {x.type.shape, y.type.shape} - {()}
    return len(shapes) < 2 and x.type.dtype.kind != "bool"
