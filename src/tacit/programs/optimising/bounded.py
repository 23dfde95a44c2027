"""What bounds decide: signs, extrema, limits and comparisons that need no protocol.

The absolute value of what is never negative is the number; a maximum of two numbers whose intervals
do not meet is one of them; so are ReLU and ``clip``. A comparison of such numbers is a public
constant, and a choice by it one of the two. Numbers are the same, bit for bit.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tacit.encoding.types import bool_
from tacit.operations.types import Bounds
from tacit.programs.building import Value
from tacit.programs.inference import CheckedNode
from tacit.programs.optimising.knowing import Intervals
from tacit.programs.optimising.rewriting import Draft, Rule

__all__ = ["deciding"]


def deciding(intervals: Intervals) -> Rule:
    """A rule for operations whose result follows from bounds; of the graph that they are about."""

    def rule(draft: Draft, node: CheckedNode, operands: Sequence[Value]) -> Sequence[Value] | None:
        if node.public or node.operation is None or any(one.type.dtype.narrow for one in operands):
            return None
        known = [intervals[value] for value in node.node.operands]
        name = node.node.operation
        if name == "where":
            return _where(draft, operands)
        if any(bounds is None for bounds in known):
            return None
        found = _decided(draft, name, node, operands, [b for b in known if b is not None])
        return None if found is None else [found]

    return rule


def _decided(
    draft: Draft,
    name: str,
    node: CheckedNode,
    operands: Sequence[Value],
    known: Sequence[Bounds],
) -> Value | None:
    x = operands[0]
    low, high = known[0]
    match name:
        case "abs" if low >= 0:
            return x
        case "abs" if high <= 0:
            return draft.apply("negative", x)
        case "relu" if low >= 0:
            return x
        case "clip":
            limits = node.attributes
            unit = x.type.dtype.resolution if x.type.dtype.kind == "fixed" else 0
            inside = min(limits.low, limits.high) + unit <= low and high <= limits.high - unit
            return x if inside else None
        case "maximum" | "minimum":
            other = known[1]
            first = low >= other[1] if name == "maximum" else high <= other[0]
            second = other[0] >= high if name == "maximum" else other[1] <= low
            return x if first else (operands[1] if second else None)
        case "less" | "less_equal" | "greater" | "greater_equal" | "equal" | "not_equal":
            coarsest = max(one.type.dtype.resolution for one in operands)
            truth = _compared(name, known[0], known[1], max(coarsest, 2.0**-11))
            return None if truth is None else _bit(draft, node, truth)
    return None


def _compared(name: str, x: Bounds, y: Bounds, apart: float) -> bool | None:
    """What a comparison gives; None where bounds leave it open, or an encoding could decide."""
    below, above = x[1] < y[0], x[0] > y[1]
    at_most, at_least = x[1] <= y[0], x[0] >= y[1]
    exact = all(isinstance(end, int) for end in (*x, *y))
    if not (below or above) and not exact:
        return None
    if not exact and max(x[0] - y[1], y[0] - x[1]) < apart:
        return None  # public fractions are rounded to the type of what they are compared with
    match name:
        case "less":
            return True if below else (False if at_least else None)
        case "less_equal":
            return True if at_most else (False if above else None)
        case "greater":
            return True if above else (False if at_most else None)
        case "greater_equal":
            return True if at_least else (False if below else None)
    return (name == "not_equal") if below or above else None


def _bit(draft: Draft, node: CheckedNode, truth: bool) -> Value:
    bits = draft.constant(np.full(node.results[0].shape, truth))
    return draft.apply("constant", bits, **bool_.parameters)


def _where(draft: Draft, operands: Sequence[Value]) -> Sequence[Value] | None:
    """A choice by a bit that all know is local."""
    made = draft.made(operands[0])
    if made is None or made.operation != "constant":
        return None
    bits = draft.array(made.operands[0])
    if bits is None:
        return None
    return [draft.apply("where", draft.constant(bits), *operands[1:])]
