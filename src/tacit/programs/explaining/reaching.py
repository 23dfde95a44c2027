"""Over how many rows an element goes: the rows of inputs that every element depends on at least.

Rows are the first axis of an input; a number without axes is one row. Counts are lower bounds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any, TypeAlias

from tacit.operations.manipulation import Index, Integer, NewAxis, Positions, Rest, Slice
from tacit.programs.explaining.values import ALL, Reach, Value

__all__ = ["index_items", "item_axes", "joined", "reach_of", "reduced_axes_of"]

Reaches: TypeAlias = Mapping[int, Reach]
Shape: TypeAlias = tuple[int, ...]

ALONG = {"softmax", "log_softmax", "cumulative_sum", "cumulative_prod", "diff"}
SORTS = {"sort", "argsort", "topk"}
FIRST_AXIS = {"convolution", "max_pool", "avg_pool", "mlp_forward"}
PARTS = {"dynamic_slice", "take", "take_secret", "roll", "repeat", "tile", "pad", "shuffle"}
MATRICES = {"tril", "triu"}


def reach_of(name: str, attributes: Any, operands: Sequence[Value], shape: Shape) -> Reaches:
    """What an operation's result depends on.

    Parameters
    ----------
    name, attributes
        The operation.
    operands : sequence of Value
    shape : tuple of int
        The result's.
    """
    found: list[Reaches] = []
    for place, operand in enumerate(operands):
        if operand.reach:
            change = _change(name, attributes, operands, place, shape)
            found.append({key: change(one) for key, one in operand.reach.items()})
    if name in ("concatenate", "stack"):
        return _side_by_side(found, attributes.axis % len(shape))
    if name == "dynamic_update_slice":
        return joined(found, least=True)
    return joined(found)


def joined(found: Sequence[Reaches], least: bool = False) -> Reaches:
    """Reaches of several operands together: an element depends on what all of them do.

    Parameters
    ----------
    found : sequence of mapping
    least : bool
        Whether an element depends on one of them only.
    """
    merged: dict[int, Reach] = {}
    for reaches in found:
        for key, one in reaches.items():
            merged[key] = _both(merged[key], one, least) if key in merged else one
    return merged


def _both(one: Reach, other: Reach, least: bool) -> Reach:
    choose = min if least else max
    axis = one.axis if one.axis is not None else other.axis
    return Reach(choose(one.rows, other.rows), axis, max(one.total, other.total))


def _side_by_side(found: Sequence[Reaches], axis: int) -> Reaches:
    """Arrays joined along an axis: rows of different inputs are different rows."""
    merged = dict(joined(found, least=True))
    every = [one[ALL] for one in found if ALL in one]
    if every:
        rows = all(one.axis in (axis, None) for one in every)
        total = sum(one.total for one in every) if rows else max(one.total for one in every)
        own = axis if rows else next(one.axis for one in every if one.axis not in (axis, None))
        merged[ALL] = Reach(min(one.rows for one in every), own, total)
    return merged


Change: TypeAlias = Callable[[Reach], Reach]


def _change(
    name: str, attributes: Any, operands: Sequence[Value], place: int, shape: Shape
) -> Change:
    own = operands[place].shape
    match name:
        case "matmul":
            return _product(operands, place, shape)
        case "transpose":
            order = attributes.axes or tuple(range(len(own)))[::-1]
            order = [axis % len(own) for axis in order]
            return _renamed(lambda axis: order.index(axis))
        case "reshape":
            return _renamed(lambda axis: _same_axis(own, axis, shape))
        case "getitem":
            return _indexed(attributes, own)
        case "stack":
            axis = attributes.axis % len(shape)
            return _renamed(lambda a: a + (a >= axis))
        case "concatenate" | "dynamic_update_slice":
            return lambda one: one
        case "diagonal":
            return _renamed(lambda axis: min(axis, len(shape) - 1))
        case "sort_by" | "lexsort":
            return lambda one: Reach(one.rows, None, one.total) if one.axis == 0 else one
        case "class_of_largest" | "one_hot" | "isin" | "searchsorted":
            return _renamed(lambda axis: axis if axis < len(shape) else None)
    if name in FIRST_AXIS and place:
        return lambda one: Reach(max(one.rows, one.total), None, one.total)
    if name in PARTS or name in FIRST_AXIS or name in MATRICES:
        return lambda one: one if one.axis is None or one.axis < len(shape) else _lost(one)
    if name in ALONG | SORTS:
        return _along(name, attributes, own)
    axes = reduced_axes_of(attributes, own)
    if axes is not None and name not in ("logistic_step",):
        return _reduced(axes, own, attributes)
    if _is_elementwise(own, shape, operands):
        ahead = len(shape) - len(own)
        return _renamed(lambda axis: axis + ahead)
    return lambda one: Reach(max(one.rows, one.total), None, one.total)


def _lost(one: Reach) -> Reach:
    return Reach(one.rows, None, one.total)


def _renamed(where: Callable[[int], int | None]) -> Change:
    return lambda one: one if one.axis is None else Reach(one.rows, where(one.axis), one.total)


def _is_elementwise(own: Shape, shape: Shape, operands: Sequence[Value]) -> bool:
    fits = [len(o.shape) <= len(shape) for o in operands]
    pairs = zip(own[::-1], shape[::-1], strict=False)
    return all(fits) and all(a in (b, 1) for a, b in pairs)


def reduced_axes_of(attributes: Any, own: Shape) -> tuple[int, ...] | None:
    """The axes that an operation reduces; None where it has no such parameter."""
    if not hasattr(attributes, "keepdims"):
        return None
    axis = attributes.axis
    if axis is None:
        return tuple(range(len(own)))
    axes = axis if isinstance(axis, tuple) else (axis,)
    return tuple(a % len(own) for a in axes)


def _reduced(axes: Sequence[int], own: Shape, attributes: Any) -> Change:
    front = 1 if hasattr(attributes, "q") and not attributes.single else 0

    def change(one: Reach) -> Reach:
        if one.axis is None:
            return one
        if one.axis in axes:
            return Reach(min(one.rows * own[one.axis], one.total), None, one.total)
        axis = one.axis if attributes.keepdims else one.axis - sum(a < one.axis for a in axes)
        return Reach(one.rows, axis + front, one.total)

    return change


def _along(name: str, attributes: Any, own: Shape) -> Change:
    axis = attributes.axis % len(own)

    def change(one: Reach) -> Reach:
        if one.axis != axis or name in ("cumulative_sum", "cumulative_prod", "diff"):
            return one
        rows = min(one.rows * own[axis], one.total)
        return Reach(rows, None if name in SORTS else axis, one.total)

    return change


def _product(operands: Sequence[Value], place: int, shape: Shape) -> Change:
    own, other = operands[place].shape, operands[1 - place].shape
    inner = len(own) - 1 if place == 0 or len(own) == 1 else len(own) - 2

    def change(one: Reach) -> Reach:
        if one.axis is None:
            return one
        if one.axis == inner:
            return Reach(min(one.rows * own[inner], one.total), None, one.total)
        if one.axis < len(own) - 2:
            batch = len(shape) - (len(own) > 1 and len(other) > 1) - (max(len(own), len(other)) > 1)
            return Reach(one.rows, max(one.axis + batch - (len(own) - 2), 0), one.total)
        last = len(shape) - 1
        return Reach(one.rows, last if place == 1 or len(other) == 1 else last - 1, one.total)

    return change


def _same_axis(own: Shape, axis: int, shape: Shape) -> int | None:
    """The axis of another shape that has the same rows, or some that runs through them."""
    before = prod(own[:axis])
    for new, extent in enumerate(shape):
        if extent == own[axis] and prod(shape[:new]) == before:
            return new
    for new in range(len(shape)):
        if shape[new] > 1 and prod(shape[: new + 1]) > before:
            return new
    return None


# Indices.


def index_items(attributes: Index, ndim: int) -> list[Any]:
    """The items of an index with every axis named; positions as they are."""
    given = list(attributes.items)
    taken = sum(not isinstance(item, Rest | NewAxis) for item in given)
    full = [Slice()] * (ndim - taken)
    if not any(isinstance(item, Rest) for item in given):
        given.append(Rest())
    items: list[Any] = []
    for item in given:
        items.extend(full if isinstance(item, Rest) else [item])
    return items


def item_axes(items: Sequence[Any]) -> tuple[dict[int, int | None], dict[int, Any]]:
    """Where each old axis goes, and which item it has."""
    where: dict[int, int | None] = {}
    reads: dict[int, Any] = {}
    arrays = [k for k, item in enumerate(items) if isinstance(item, Positions)]
    width = max((len(items[k].shape) for k in arrays), default=0)
    apart = bool(arrays) and any(
        not isinstance(items[k], Positions) for k in range(arrays[0], arrays[-1] + 1)
    )
    axis, new, placed = 0, width if apart else 0, 0 if apart else None
    for item in items:
        if isinstance(item, NewAxis):
            new += 1
            continue
        reads[axis] = item
        if isinstance(item, Integer):
            where[axis] = None
        elif isinstance(item, Positions):
            if placed is None:
                placed, new = new, new + width
            where[axis] = placed if width else None
        else:
            where[axis] = new
            new += 1
        axis += 1
    return where, reads


def _indexed(attributes: Index, own: Shape) -> Change:
    where, reads = item_axes(index_items(attributes, len(own)))

    def change(one: Reach) -> Reach:
        if one.axis is None:
            return one
        item = reads[one.axis]
        if isinstance(item, Integer):
            return Reach(one.rows, None, min(one.total, one.rows))
        if isinstance(item, Slice):
            count = len(range(*slice(item.start, item.stop, item.step).indices(own[one.axis])))
        else:
            count = prod(item.shape)
        return Reach(one.rows, where[one.axis], min(one.total, one.rows * count))

    return change
