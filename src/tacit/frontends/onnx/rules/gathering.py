"""Elements read and written at positions."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from tacit.arrays import functions as tacit
from tacit.arrays.array import SecretArray
from tacit.encoding.types import int64
from tacit.frontends.onnx.registry import Call, operator
from tacit.frontends.onnx.rules.shapes import integers
from tacit.frontends.onnx.values import joined, secretly, session_of

__all__ = ["from_front"]


def from_front(indices: Any, extent: int) -> Any:
    """Positions counted from the front; those below 0 count from the end."""
    if isinstance(indices, SecretArray):
        return tacit.where(indices < 0, indices + extent, indices)
    return np.where(indices < 0, indices + extent, indices)


@operator("Gather")
def _gather(call: Call, x: Any, indices: Any) -> Any:
    """Secret positions are compared with every place of the axis (an embedding of secret words)."""
    axis = call.get("axis", 0) % x.ndim
    if isinstance(indices, SecretArray):
        return tacit.take(x, from_front(indices, x.shape[axis]), axis=axis)
    return tacit.take(x, np.asarray(indices, np.int64), axis=axis)


@operator("GatherElements")
def _gather_elements(call: Call, x: Any, indices: Any) -> Any:
    axis = call.get("axis", 0) % x.ndim
    if isinstance(indices, SecretArray):
        return _gathered_secretly(x, indices, axis)
    key: list[Any] = list(np.indices(indices.shape))
    key[axis] = np.asarray(indices, np.int64)
    return x[tuple(key)]


def _gathered_secretly(x: Any, indices: SecretArray, axis: int) -> Any:
    extent = x.shape[axis]
    found = tacit.one_hot(from_front(indices, extent), extent)  # (..., m, ..., n)
    inside = tuple(
        slice(None) if place == axis else slice(0, length)
        for place, length in enumerate(indices.shape)
    )
    rows = x[inside]
    last = (
        tacit.moveaxis(rows, axis, -1)
        if isinstance(x, SecretArray)
        else np.moveaxis(rows, axis, -1)
    )
    placed = last.reshape((*last.shape[:axis], 1, *last.shape[axis:]))
    zero: Any = np.False_ if x.dtype.kind in ("bool", "b") else 0
    return tacit.sum(tacit.where(found, placed, zero), axis=-1)


@operator("GatherND", public=(1,))
def _gather_nd(call: Call, x: Any, indices: Any) -> Any:
    batch = call.get("batch_dims", 0)
    positions = np.asarray(indices, np.int64)
    lead = np.indices(positions.shape[:-1])[:batch]
    return x[(*lead, *np.moveaxis(positions, -1, 0))]


# Writing: the result's elements are taken from the old ones and the new ones joined.


def _written(call: Call, x: Any, targets: Any, updates: Any, reduction: str) -> Any:
    """Elements of flattened x replaced, or combined, at flat public positions.

    Positions that come several times are written one after the other.
    """
    size = prod(x.shape)
    flat, new = x.reshape((size,)), updates.reshape((targets.size,))
    if isinstance(flat, np.ndarray) and not isinstance(new, np.ndarray):
        flat = secretly(flat, session_of(new))
    for places in _rounds(targets):
        values = new[places]
        where = targets[places]
        if reduction != "none":
            values = _combined(call, flat[where], values, reduction)
        source = np.arange(size)
        source[where] = size + np.arange(len(where))
        flat = joined([flat, values], 0)[source]
    return flat.reshape(x.shape)


def _rounds(targets: Any) -> list[Any]:
    """The numbers of the updates in groups without repeated targets, in their order."""
    seen: dict[int, int] = {}
    groups: list[list[int]] = []
    for number, target in enumerate(targets.tolist()):
        turn = seen.get(target, 0)
        seen[target] = turn + 1
        if turn == len(groups):
            groups.append([])
        groups[turn].append(number)
    return [np.array(group, np.int64) for group in groups]


def _combined(call: Call, old: Any, new: Any, reduction: str) -> Any:
    match reduction:
        case "add":
            return old + new
        case "mul":
            return old * new
        case "max":
            return tacit.maximum(old, new)
        case "min":
            return tacit.minimum(old, new)
    raise call.refuse(f"its reduction {reduction!r} is unknown")


@operator("ScatterElements", "Scatter", public=(1,))
def _scatter_elements(call: Call, x: Any, indices: Any, updates: Any) -> Any:
    axis = call.get("axis", 0) % x.ndim
    key = list(np.indices(indices.shape))
    key[axis] = from_front(np.asarray(indices, np.int64), x.shape[axis])
    flat = np.ravel_multi_index(tuple(key), x.shape).ravel()
    return _written(call, x, flat, updates, call.text("reduction", "none"))


@operator("ScatterND", public=(1,))
def _scatter_nd(call: Call, x: Any, indices: Any, updates: Any) -> Any:
    positions = np.asarray(indices, np.int64)
    numbers = np.arange(prod(x.shape)).reshape(x.shape)
    flat = numbers[tuple(np.moveaxis(positions, -1, 0))].ravel()
    return _written(call, x, flat, updates, call.text("reduction", "none"))


@operator("TensorScatter", public=(2,))
def _tensor_scatter(call: Call, past: Any, update: Any, starts: Any = None) -> Any:
    axis = call.get("axis", -2) % past.ndim
    circular = call.text("mode", "linear") == "circular"
    first = [0] * past.shape[0] if starts is None else integers(starts)
    key = list(np.indices(update.shape))
    shift = np.array(first).reshape(-1, *[1] * (past.ndim - 1))
    key[axis] = key[axis] + shift
    if circular:
        key[axis] %= past.shape[axis]
    flat = np.ravel_multi_index(tuple(key), past.shape).ravel()
    return _written(call, past, flat, update, "none")


# Choices of rows, and rows of choices.


@operator("Compress", public=(1,))
def _compress(call: Call, x: Any, condition: Any) -> Any:
    axis = call.get("axis")
    chosen = np.nonzero(np.ravel(condition))[0]
    if axis is None:
        return x.reshape((-1,))[chosen]
    return tacit.take(x, chosen, axis=axis)


@operator("OneHot", public=(1, 2))
def _one_hot(call: Call, indices: Any, depth: Any, values: Any) -> Any:
    classes = int(np.ravel(depth)[0])
    off, on = np.ravel(values)
    whole = indices.astype(int64) if indices.dtype.kind == "fixed" else indices
    found = tacit.one_hot(from_front(whole, classes), classes)
    axis = call.get("axis", -1)
    placed = tacit.moveaxis(found, -1, axis) if found.ndim > 1 else found
    chosen = tacit.where(placed, on, off)
    target = secretly(np.asarray(call.raw[2]), indices.session).dtype
    return chosen if chosen.dtype == target else chosen.astype(target)
