"""One comparison instead of two, where bounds leave one side alone.

A number that is never below another one equals it where it is not above it: a label of {0, 1} is 1
where it is not below 1. So ``==``, ``!=`` and a conversion to booleans take one sign instead of
two; ``sign``, ``clip`` and ``copysign`` of numbers whose sign or one of whose limits is known take
what is left of them; whole numbers in 0 … c - 1 divided by c are 0, and their own remainder.
Exact, as before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tacit.operations.types import Bounds
from tacit.programs.building import Value
from tacit.programs.inference import CheckedNode
from tacit.programs.optimising.knowing import Intervals
from tacit.programs.optimising.rewriting import Draft, Rule

__all__ = ["one_sided"]


def one_sided(intervals: Intervals) -> Rule:
    """A rule for what needs two comparisons in general; of the graph that the intervals are of."""

    def rule(draft: Draft, node: CheckedNode, operands: Sequence[Value]) -> Sequence[Value] | None:
        if node.public or node.operation is None:
            return None
        if any(one.type.dtype.narrow or one.type.dtype.kind == "bool" for one in operands):
            return None
        known = [intervals[value] for value in node.node.operands]
        bounds = [one for one in known if one is not None]
        if not bounds or len(bounds) < len(known):
            return None
        x = operands[0]
        match node.node.operation:
            case "equal" | "not_equal":
                found = _equal(draft, operands, bounds, node.node.operation == "equal")
            case "astype" if node.results[0].dtype.kind == "bool":
                found = _away_from_zero(draft, x, bounds[0])
            case "sign":
                found = _sign(draft, node, x, bounds[0])
            case "relu":
                found = _filled(draft, node, 0) if bounds[0][1] <= 0 else None
            case "clip":
                found = _clip(draft, node, x, bounds[0])
            case "copysign":
                found = _copysign(draft, x, bounds[1])
            case "floor_divide" | "remainder" | "divmod":
                return _divided(draft, node, operands, bounds)
            case _:
                return None
        return None if found is None else [found]

    return rule


def _equal(
    draft: Draft, operands: Sequence[Value], bounds: Sequence[Bounds], equal: bool
) -> Value | None:
    """Of numbers of which one is never above the other."""
    if not _exact(draft, operands):
        return None
    x, y = operands
    if bounds[0][0] >= bounds[1][1]:
        below = draft.apply("less", y, x)
    elif bounds[0][1] <= bounds[1][0]:
        below = draft.apply("less", x, y)
    else:
        return None
    return draft.apply("bitwise_invert", below) if equal else below


def _exact(draft: Draft, operands: Sequence[Value]) -> bool:
    """Whether both are held as they are: a public fraction may be rounded to another number."""
    kinds = {one.type.dtype.kind for one in operands}
    if len(kinds) > 1:
        return False
    bits = min(one.type.dtype.fraction_bits for one in operands if not one.type.public)
    for one in operands:
        if one.type.public and kinds == {"fixed"}:
            array = draft.array(one)
            if array is None or not np.array_equal(np.rint(array * 2.0**bits), array * 2.0**bits):
                return False
    return True


def _zero(draft: Draft, x: Value) -> Value:
    return draft.constant(np.zeros((), np.float64 if x.type.dtype.kind == "fixed" else np.int64))


def _away_from_zero(draft: Draft, x: Value, bounds: Bounds) -> Value | None:
    """Where a number that is never negative, or never positive, is not 0."""
    if bounds[0] >= 0:
        return draft.apply("less", _zero(draft, x), x)
    return draft.apply("less", x, _zero(draft, x)) if bounds[1] <= 0 else None


def _sign(draft: Draft, node: CheckedNode, x: Value, bounds: Bounds) -> Value | None:
    low, high = bounds
    unit = x.type.dtype.resolution if x.type.dtype.kind == "fixed" else 1
    if low >= unit or high <= -unit:
        return _filled(draft, node, 1 if low > 0 else -1)
    away = _away_from_zero(draft, x, bounds)
    if away is None:
        return None
    one = draft.apply("astype", away, **x.type.dtype.parameters)
    return one if low >= 0 else draft.apply("negative", one)


def _filled(draft: Draft, node: CheckedNode, number: int) -> Value:
    """A public number as the secret result of a node."""
    result = node.results[0]
    kind: Any = np.float64 if result.dtype.kind == "fixed" else np.int64
    return draft.apply(
        "constant", draft.constant(np.full(result.shape, number, kind)), **result.dtype.parameters
    )


def _clip(draft: Draft, node: CheckedNode, x: Value, bounds: Bounds) -> Value | None:
    """Limited at the end that it can pass."""
    limits = node.attributes
    fixed = x.type.dtype.kind == "fixed"
    unit = x.type.dtype.resolution if fixed else 0
    low, high = min(limits.low, limits.high), limits.high
    if not fixed and not all(float(end).is_integer() for end in (low, high)):
        return None
    name, limit = ("minimum", high) if bounds[0] >= low + unit else ("maximum", low)
    if name == "maximum" and bounds[1] > high - unit:
        return None
    number = np.asarray(limit, np.float64 if fixed else np.int64)
    return draft.apply(name, x, draft.constant(number))


def _copysign(draft: Draft, x: Value, sign: Bounds) -> Value | None:
    if sign[0] >= 0:
        return draft.apply("abs", x)
    return draft.apply("negative", draft.apply("abs", x)) if sign[1] < 0 else None


def _divided(
    draft: Draft, node: CheckedNode, operands: Sequence[Value], bounds: Sequence[Bounds]
) -> Sequence[Value] | None:
    """Whole numbers below the divisor."""
    x, y = operands
    whole = (
        x.type.dtype == node.results[0].dtype and x.type.dtype.kind == y.type.dtype.kind == "int"
    )
    if not whole or not bounds[0][0] >= 0 or not bounds[0][1] < bounds[1][0]:
        return None
    if x.type.shape != node.results[0].shape:
        return None
    zeros = _filled(draft, node, 0)
    return {"floor_divide": [zeros], "remainder": [x], "divmod": [zeros, x]}[node.node.operation]
