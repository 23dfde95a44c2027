"""Constant folding, and operations that change nothing."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, Final

import numpy as np

from tacit.errors import ProgramError
from tacit.programs.building import Value
from tacit.programs.inference import CheckedNode
from tacit.programs.optimising.rewriting import Draft
from tacit.programs.public import PUBLIC, computed

__all__ = ["folded"]

_LARGEST: Final = 1 << 20
"""The most elements of a constant that is made here: a program stays small."""


def folded(draft: Draft, node: CheckedNode, operands: Sequence[Value]) -> Sequence[Value] | None:
    """Public results of constants as constants; operations that change nothing as their operand."""
    if node.public and node.node.operation in PUBLIC:
        arrays = [draft.array(one) for one in operands]
        known = [array for array in arrays if array is not None]
        largest = max(prod(result.shape) for result in node.results)
        if len(known) == len(arrays) and largest <= _LARGEST:
            try:
                found = computed(node.node.operation, known, node.attributes, node.results)
            except ProgramError:
                return None  # it says so when it runs, if it does
            return [draft.constant(array) for array in found]
        return None
    same = _unchanged(draft, node, operands)
    return None if same is None else [same]


def _unchanged(draft: Draft, node: CheckedNode, operands: Sequence[Value]) -> Value | None:
    name = node.node.operation
    if name in ("reshape", "broadcast_to", "astype"):
        if operands[0].type == node.results[0]:
            return operands[0]
        before = draft.made(operands[0])
        if name == "reshape" and before is not None and before.operation == "reshape":
            return draft.apply("reshape", before.operands[0], shape=node.results[0].shape)
        return None
    if name in ("sum", "mean", "max", "min") and _over_nothing(node, operands[0]):
        return draft.apply("reshape", operands[0], shape=node.results[0].shape)
    if name == "transpose":
        return _transposed(draft, node, operands[0])
    if name in ("negative", "bitwise_invert"):
        before = draft.made(operands[0])
        return before.operands[0] if before is not None and before.operation == name else None
    neutral = _NEUTRAL.get(name)
    if neutral is None or len(operands) != 2:
        return None
    value, sides = neutral
    for side in sides:
        array = draft.array(operands[side])
        if array is not None and array.size and bool(np.all(array == value)):
            return operands[1 - side]
    return None


def _over_nothing(node: CheckedNode, operand: Value) -> bool:
    """Whether a reduction is over axes of one element each."""
    axis, shape = node.attributes.axis, operand.type.shape
    axes = range(len(shape)) if axis is None else (axis,) if isinstance(axis, int) else axis
    return operand.type.dtype == node.results[0].dtype and all(shape[a] == 1 for a in axes)


_NEUTRAL: Final[dict[str, tuple[Any, tuple[int, ...]]]] = {
    "add": (0, (0, 1)),
    "subtract": (0, (1,)),
    "multiply": (1, (0, 1)),
    "divide": (1, (1,)),
    "bitwise_or": (0, (0, 1)),
    "bitwise_xor": (0, (0, 1)),
}
"""Numbers that change nothing, and the operands in whose place they do not."""


def _transposed(draft: Draft, node: CheckedNode, operand: Value) -> Value | None:
    ndim = len(operand.type.shape)
    axes = _axes(node.attributes.axes, ndim)
    if axes == tuple(range(ndim)):
        return operand
    before = draft.made(operand)
    if before is None or before.operation != "transpose":
        return None
    inner = _axes(before.attributes.axes, ndim)
    both = tuple(inner[axis] for axis in axes)
    if both == tuple(range(ndim)):
        return before.operands[0]
    return draft.apply("transpose", before.operands[0], axes=both)


def _axes(axes: tuple[int, ...] | None, ndim: int) -> tuple[int, ...]:
    return tuple(range(ndim))[::-1] if axes is None else tuple(axis % ndim for axis in axes)
