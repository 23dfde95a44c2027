"""Counts, statistics of groups of secret size, and the minimum that withholds small groups.

The minimum is recognised as it is usually written: where(count >= k, statistic, filler), or the
statistic times (count >= k). Group statistics without one are the classic way to single people out
(Hundepool et al. 2012, chapter 4: the minimum frequency rule). It is believed only of a statistic
that goes over the rows that are counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import ceil, floor, inf, prod
from typing import Any, Final

import numpy as np

from tacit.operations.types import ArrayType
from tacit.programs.explaining.forms import Form
from tacit.programs.explaining.groups import (
    Selecting,
    counts_twice,
    covered,
    groups_of,
    moved_limits,
    rest_of,
    rows_promised,
)
from tacit.programs.explaining.values import ALL, Limit, Value

__all__ = ["branches_of", "guard_of", "marks_of"]

_GROUPS: Final = frozenset({"totals_between", "group_by"})
_SUMS: Final = frozenset({"sum", "mean", "matmul", "cumulative_sum"})
_MOVED: Final = frozenset({"reshape", "getitem", "transpose", "broadcast_to", "astype",
                               "unbounded"})  # fmt: skip


def marks_of(
    name: str,
    attributes: Any,
    operands: Sequence[Value],
    kind: ArrayType,
    key: Any,
    walk: Selecting,
) -> Mapping[str, Any]:
    """What a result is: a count, a statistic of a group, withheld below a minimum.

    Parameters
    ----------
    name, attributes, operands
        The operation.
    kind : ArrayType
        Of its result.
    key : object
        What tells this result from others.
    walk : Selecting
    """
    secret = [one for one in operands if one.inputs]
    limits = _limits(name, attributes, operands, kind, walk)
    indicator = _is_indicator(name, operands, secret, kind)
    count = _is_count(name, secret, operands, kind) and not (
        name == "add" and counts_twice(secret, walk)
    )
    group = (
        name in _GROUPS
        or _is_chosen(name, secret)
        or any(one.group for one in secret)
        or (name == "matmul" and _one_indicator(secret))
    )
    over = () if limits else groups_of(name, attributes, operands, kind, indicator, key, walk)
    if count and _adds(name, operands):
        over = ()
    minimum = None
    if kind.dtype.kind != "bool":
        minimum = _minimum(name, operands, secret, over, kind, walk)
    guarded = guard_of(name, operands) is not None
    miscounted = (guarded and group and minimum is None) or any(one.miscounted for one in secret)
    exact = not limits and _is_exact(name, operands, over, kind)
    return {
        "indicator": indicator, "count": count, "exact": exact, "group": group, "over": over,
        "limits": limits, "minimum": minimum, "miscounted": miscounted,
    }  # fmt: skip


def _is_indicator(
    name: str, operands: Sequence[Value], secret: Sequence[Value], kind: ArrayType
) -> bool:
    if kind.dtype.kind == "bool":
        return True
    if name == "subtract":  # 1 - x
        one = operands[0].known
        return (
            secret == [operands[1]]
            and secret[0].indicator
            and one is not None
            and bool((one == 1).all())
        )
    moves = ("astype", "unbounded", "multiply", "reshape", "getitem", "transpose", "concatenate",
             "stack", "broadcast_to")  # fmt: skip
    return (
        name in moves
        and all(one.indicator for one in secret)
        and (name != "multiply" or len(secret) == len(operands))
    )


def _is_chosen(name: str, secret: Sequence[Value]) -> bool:
    """Whether elements are taken or left out by a secret condition."""
    if name == "where":
        chosen = bool(secret) and secret[0].type.dtype.kind == "bool" and len(secret) > 1
        return chosen and not secret[0].limits
    return name == "multiply" and _one_indicator([one for one in secret if not one.limits])


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
    moves = name in ("reshape", "getitem", "transpose", "concatenate", "stack", "astype",
                     "unbounded", "add", "subtract", "multiply", "divide", "diff",
                     "broadcast_to")  # fmt: skip
    return moves and bool(secret) and all(one.count for one in secret)


def _is_exact(name: str, operands: Sequence[Value], over: Sequence[Form], kind: ArrayType) -> bool:
    """Whether a count is the number of the members of its one group, and nothing else."""
    if kind.dtype.kind == "bool" or len(over) != 1:
        return False
    if name in ("astype", "unbounded"):
        return operands[0].exact
    return name == "sum" and operands[0].indicator and not operands[0].limits


def _adds(name: str, operands: Sequence[Value]) -> bool:
    """Whether public numbers may be added to a count, which then counts no rows any more."""
    if name == "subtract":
        return not operands[0].inputs or _least(operands[1]) < 0
    if name == "add":
        return any(not one.inputs and _most(one) > 0 for one in operands)
    return False


def _least(value: Value) -> float:
    if value.inputs:
        return 0.0
    return -inf if value.known is None else float(np.min(value.known, initial=0))


def _most(value: Value) -> float:
    if value.inputs:
        return 0.0
    return inf if value.known is None else float(np.max(value.known, initial=0))


# Guards.


def guard_of(name: str, operands: Sequence[Value]) -> tuple[Value, Value, tuple[Limit, ...]] | None:
    """What is withheld, by what, and what that promises; None if nothing is.

    Parameters
    ----------
    name, operands
        The operation.
    """
    if name == "where" and operands[0].limits:
        condition, yes, no = operands
        for kept, filler, sign in ((yes, no, 1), (no, yes, -1)):
            promised = tuple(one for one in condition.limits if one.least * sign > 0)
            if promised and kept.inputs and not filler.inputs:
                return kept, condition, promised
    if name == "multiply":
        for guard, kept in (operands, operands[::-1]):
            promised = tuple(one for one in guard.limits if one.least > 0)
            if promised and guard.indicator and kept.inputs and not kept.limits:
                return kept, guard, promised
    return None


def branches_of(name: str, operands: Sequence[Value]) -> list[Value]:
    """The secret branches of a choice by one yes or no about several rows: either may be learned.

    Parameters
    ----------
    name, operands
        The operation.
    """
    if name != "where" or not operands[0].inputs or prod(operands[0].shape) != 1:
        return []
    every = operands[0].reach.get(ALL)
    if every is None or every.rows < 2:
        return []
    return [one for one in operands[1:] if one.inputs]


def _minimum(
    name: str,
    operands: Sequence[Value],
    secret: Sequence[Value],
    over: Sequence[Any],
    kind: ArrayType,
    walk: Selecting,
) -> int | None:
    guarded = guard_of(name, operands)
    if guarded is not None:
        kept, guard, limits = guarded
        if kept.minimum is not None and kept.minimum > 0:
            return kept.minimum
        wide = moved_limits("broadcast_to", None, [_only(guard, limits)], kind.shape, walk.shapes)
        return covered(tuple(over), wide, kind.shape, walk.shapes)
    told = [one for one in secret if one.group or one.count or one.minimum is not None]
    limits_told = [one.minimum for one in told]
    if told and all(one is not None for one in limits_told):
        return min(one for one in limits_told if one is not None)
    return None


def _only(guard: Value, limits: tuple[Limit, ...]) -> Value:
    return replace(guard, limits=limits)


# Limits.


def _limits(
    name: str, attributes: Any, operands: Sequence[Value], kind: ArrayType, walk: Selecting
) -> tuple[Limit, ...]:
    secret = [one for one in operands if one.inputs]
    match name:
        case "greater_equal" | "greater" | "less" | "less_equal":
            return _compared(name, operands, kind, walk)
        case "bitwise_invert":
            return tuple(Limit(-one.least, one.groups) for one in operands[0].limits)
        case "bitwise_and" | "bitwise_or":
            if not all(one.limits for one in secret):
                return ()
            sign = 1 if name == "bitwise_and" else -1
            found: list[Limit] = []
            for one in secret:
                found += moved_limits("broadcast_to", None, [one], kind.shape, walk.shapes)
            return tuple(limit for limit in found if limit.least * sign > 0)
        case "multiply" if len(secret) == 2 and all(one.limits for one in secret):
            return _limits("bitwise_and", attributes, operands, kind, walk)
    if name in _MOVED and operands[0].limits:
        return moved_limits(name, attributes, operands, kind.shape, walk.shapes)
    return ()


_MIRRORED: Final = {
    "greater": "less",
    "less": "greater",
    "greater_equal": "less_equal",
    "less_equal": "greater_equal",
}


def _compared(
    name: str, operands: Sequence[Value], kind: ArrayType, walk: Selecting
) -> tuple[Limit, ...]:
    left, right = operands
    count, other = left, right
    if not left.count:
        count, other, name = right, left, _MIRRORED[name]
    if not count.count or other.known is None or other.inputs or not other.known.size:
        return ()
    strict = name in ("greater", "less_equal")
    rows = rows_promised(float(np.min(other.known)), strict, count.over)
    up = 1 if name in ("greater", "greater_equal") else -1
    limits = [Limit(up * rows, count.over)] if rows >= 1 else []
    rest, every = rest_of(count.over, walk) if count.exact else ((), 0)
    threshold = float(np.max(other.known))
    below = ceil(threshold) - 1 if name in ("less", "greater_equal") else floor(threshold)
    if rest and 1 <= every - below <= every:
        limits.append(Limit(-up * (every - below), rest))
    shadow = _only(count, tuple(limits))
    return moved_limits("broadcast_to", None, [shadow], kind.shape, walk.shapes)
