"""Counts, statistics of groups of secret size, and the minimum that withholds small groups.

The minimum is recognised as it is usually written: where(count >= k, statistic, filler), or the
statistic times (count >= k). Group statistics without one are the classic way to single people out
(Hundepool et al. 2012, chapter 4: the minimum frequency rule).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil, floor
from typing import Any, Final

import numpy as np

from tacit.operations.types import ArrayType
from tacit.programs.explaining.values import Value

__all__ = ["marks_of"]

_GROUPS: Final = frozenset({"totals_between", "group_by"})
_SUMS: Final = frozenset({"sum", "mean", "matmul", "cumulative_sum"})


def marks_of(
    name: str, attributes: Any, operands: Sequence[Value], kind: ArrayType
) -> Mapping[str, Any]:
    """What a result is: a count, a statistic of a group, withheld below a minimum."""
    secret = [one for one in operands if one.inputs]
    indicator = kind.dtype.kind == "bool" or (
        name in ("astype", "multiply", "reshape", "getitem", "transpose", "concatenate", "stack")
        and all(one.indicator for one in secret)
        and (name != "multiply" or len(secret) == len(operands))
    )
    chosen = _is_chosen(name, secret)
    count = _is_count(name, secret, operands, kind)
    group = (
        name in _GROUPS
        or chosen
        or any(one.group for one in secret)
        or (name == "matmul" and _one_indicator(secret))
    )
    minimum = _limit(name, operands)
    if minimum is None and kind.dtype.kind != "bool":
        told = [one for one in secret if one.group or one.count or one.minimum is not None]
        limits = [one.minimum for one in told]
        if told and all(one is not None for one in limits):
            minimum = min(one for one in limits if one is not None)
    return {"indicator": indicator, "count": count, "group": group, "minimum": minimum}


def _is_chosen(name: str, secret: Sequence[Value]) -> bool:
    """Whether elements are taken or left out by a secret condition."""
    if name == "where":
        return bool(secret) and secret[0].type.dtype.kind == "bool" and len(secret) > 1
    return name == "multiply" and _one_indicator(secret)


def _one_indicator(secret: Sequence[Value]) -> bool:
    return len(secret) == 2 and any(one.indicator for one in secret)


def _is_count(
    name: str, secret: Sequence[Value], operands: Sequence[Value], kind: ArrayType
) -> bool:
    if kind.dtype.kind == "bool":
        return False
    if name in _GROUPS:
        return len(secret) == 1 or name == "group_by"
    if name in _SUMS:
        return all(one.indicator or one.count for one in secret)
    moves = name in ("reshape", "getitem", "transpose", "concatenate", "stack", "astype", "add",
                     "subtract", "multiply", "divide", "diff")  # fmt: skip
    return moves and bool(secret) and all(one.count for one in secret)


# Limits. On booleans: k > 0 says that true means at least k, k < 0 that false means at least -k.


def _limit(name: str, operands: Sequence[Value]) -> int | None:
    first = operands[0].minimum if operands[0].indicator else None
    match name:
        case "greater_equal" | "greater" | "less" | "less_equal":
            return _compared(name, *operands)
        case "bitwise_invert":
            return None if first is None else -first
        case "bitwise_and":
            limits = [one.minimum for one in operands if one.minimum is not None]
            return max((k for k in limits if k > 0), default=None)
        case "bitwise_or":
            limits = [one.minimum for one in operands if one.minimum is not None]
            return min((k for k in limits if k < 0), default=None)
        case "where":
            kept, filler = operands[1:] if first is not None and first > 0 else operands[:0:-1]
            return None if first is None or filler.inputs or not kept.inputs else abs(first)
        case "multiply":
            limits = [one.minimum for one in operands if one.indicator and one.minimum is not None]
            return max((k for k in limits if k > 0), default=None)
        case "reshape" | "getitem" | "transpose" | "broadcast_to" | "astype":
            return first
    return None


_MIRRORED: Final = {
    "greater": "less",
    "less": "greater",
    "greater_equal": "less_equal",
    "less_equal": "greater_equal",
}


def _compared(name: str, left: Value, right: Value) -> int | None:
    count, other = left, right
    if not left.count:
        count, other, name = right, left, _MIRRORED[name]
    if not count.count or other.known is None or other.inputs or not other.known.size:
        return None
    k = float(np.min(other.known))
    least = floor(k) + 1 if name in ("greater", "less_equal") else ceil(k)
    if least < 1:
        return None
    return least if name in ("greater", "greater_equal") else -least
