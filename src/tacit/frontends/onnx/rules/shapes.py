"""Arrays under other shapes: reshaped, joined, cut, padded, repeated. Nothing is sent."""

from __future__ import annotations

from itertools import accumulate
from math import prod
from typing import Any

import numpy as np

from tacit.arrays import functions as tacit
from tacit.arrays.array import SecretArray
from tacit.frontends.onnx.registry import Call, operator
from tacit.frontends.onnx.values import joined

__all__ = ["integers"]


def integers(values: Any) -> list[int]:
    """Public integers as Python's."""
    return [int(value) for value in np.ravel(values)]


@operator("Identity")
def _identity(call: Call, x: Any) -> Any:
    return x


@operator("Dropout", public=(1, 2))
def _dropout(call: Call, x: Any, ratio: Any = None, training: Any = None) -> Any:
    """Nothing is dropped outside of training; the mask is public then."""
    drops = ratio is None or bool(np.any(ratio))
    if training is not None and bool(np.all(training)) and drops:
        raise call.refuse("it drops at random in training; export the model for inference")
    return x, np.ones(x.shape, np.bool_)


@operator("Shape")
def _shape(call: Call, x: Any) -> Any:
    return np.array(x.shape, np.int64)[call.get("start", 0) : call.get("end")]


@operator("Size")
def _size(call: Call, x: Any) -> Any:
    return np.array(prod(x.shape), np.int64)


@operator("Reshape", public=(1,))
def _reshape(call: Call, x: Any, shape: Any = None) -> Any:
    """0 keeps an extent, -1 is what is left."""
    wanted = integers(call.get("shape") if shape is None else shape)
    if not call.get("allowzero", 0):
        wanted = [x.shape[place] if extent == 0 else extent for place, extent in enumerate(wanted)]
    if -1 in wanted and 0 in wanted:
        wanted[wanted.index(-1)] = 0
    return x.reshape(tuple(wanted))


@operator("Flatten")
def _flatten(call: Call, x: Any) -> Any:
    axis = call.get("axis", 1)
    axis += x.ndim * (axis < 0)
    return x.reshape((prod(x.shape[:axis]), prod(x.shape[axis:])))


@operator("Squeeze", public=(1,))
def _squeeze(call: Call, x: Any, axes: Any = None) -> Any:
    given = call.get("axes") if axes is None else axes
    return tacit.squeeze(x, axis=None if given is None else tuple(integers(given)))


@operator("Unsqueeze", public=(1,))
def _unsqueeze(call: Call, x: Any, axes: Any = None) -> Any:
    return tacit.expand_dims(x, axis=integers(call.get("axes") if axes is None else axes))


@operator("Transpose")
def _transpose(call: Call, x: Any) -> Any:
    order = call.get("perm") or list(range(x.ndim))[::-1]
    return x.transpose(tuple(order)) if order else x


@operator("Expand", public=(1,))
def _expand(call: Call, x: Any, shape: Any) -> Any:
    return tacit.broadcast_to(x, np.broadcast_shapes(x.shape, tuple(integers(shape))))


@operator("Concat")
def _concat(call: Call, *arrays: Any) -> Any:
    return joined(arrays, call.get("axis", 1))


@operator("Split", public=(1,))
def _split(call: Call, x: Any, lengths: Any = None) -> Any:
    axis = call.get("axis", 0)
    axis += x.ndim * (axis < 0)
    given = call.get("split") if lengths is None else lengths
    if given is None:
        parts, extent = call.get("num_outputs", len(call.outputs)), x.shape[axis]
        each = -(-extent // parts)
        given = [max(0, min(each, extent - each * place)) for place in range(parts)]
    cuts = list(accumulate(integers(given)))
    if not cuts or cuts[-1] != x.shape[axis]:
        raise call.refuse(f"its parts hold {cuts[-1:]} of an axis of {x.shape[axis]}")
    return tuple(tacit.split(x, cuts[:-1], axis=axis))


@operator("Slice", public=(1, 2, 3, 4))
def _slice(
    call: Call,
    x: Any,
    starts: Any = None,
    ends: Any = None,
    axes: Any = None,
    steps: Any = None,
) -> Any:
    if starts is None:
        starts, ends, axes = call.get("starts"), call.get("ends"), call.get("axes")
    first, last = integers(starts), integers(ends)
    places = integers(axes) if axes is not None else list(range(len(first)))
    strides = integers(steps) if steps is not None else [1] * len(first)
    key = [slice(None)] * x.ndim
    for axis, start, end, step in zip(places, first, last, strides, strict=True):
        key[axis] = slice(start, end, step)
    return x[tuple(key)]


@operator("Tile", public=(1,))
def _tile(call: Call, x: Any, repeats: Any) -> Any:
    return tacit.tile(x, tuple(integers(repeats)))


_MODES = {"constant": "constant", "reflect": "reflect", "edge": "edge", "wrap": "wrap"}


@operator("Pad", public=(1, 2, 3))
def _pad(call: Call, x: Any, pads: Any = None, value: Any = None, axes: Any = None) -> Any:
    """Widths below 0 cut elements off."""
    widths = integers(call.get("pads") if pads is None else pads)
    fill = call.get("value", 0.0) if value is None else np.asarray(value).item()
    places = [axis % x.ndim for axis in integers(axes)] if axes is not None else range(x.ndim)
    pairs = [(0, 0)] * x.ndim
    for number, place in enumerate(places):
        pairs[place] = widths[number], widths[number + len(widths) // 2]
    cut = tuple(
        slice(max(0, -before), extent - max(0, -after))
        for (before, after), extent in zip(pairs, x.shape, strict=True)
    )
    mode: Any = _MODES.get(call.text("mode", "constant"))
    if mode is None:
        raise call.refuse(f"its mode {call.text('mode', '')!r} is unknown")
    inner = x[cut] if any(before < 0 or after < 0 for before, after in pairs) else x
    wide = [(max(0, before), max(0, after)) for before, after in pairs]
    return tacit.pad(inner, wide, mode, constant_values=fill)


@operator("DepthToSpace")
def _depth_to_space(call: Call, x: Any) -> Any:
    n, c, h, w = x.shape
    size = call.get("blocksize")
    if call.text("mode", "DCR") == "DCR":
        blocks = x.reshape((n, size, size, c // size**2, h, w)).transpose((0, 3, 4, 1, 5, 2))
    else:
        blocks = x.reshape((n, c // size**2, size, size, h, w)).transpose((0, 1, 4, 2, 5, 3))
    return blocks.reshape((n, c // size**2, h * size, w * size))


@operator("SpaceToDepth")
def _space_to_depth(call: Call, x: Any) -> Any:
    n, c, h, w = x.shape
    size = call.get("blocksize")
    blocks = x.reshape((n, c, h // size, size, w // size, size))
    first_blocks = call.text("mode", "DCR") == "DCR"
    order = (0, 3, 5, 1, 2, 4) if first_blocks else (0, 1, 3, 5, 2, 4)
    return blocks.transpose(order).reshape((n, c * size**2, h // size, w // size))


@operator("Trilu", public=(1,))
def _triangle(call: Call, x: Any, k: Any = None) -> Any:
    diagonal = 0 if k is None else int(np.asarray(k).item())
    if 0 in x.shape:
        return x
    return tacit.triu(x, k=diagonal) if call.get("upper", 1) else tacit.tril(x, k=diagonal)


@operator("EyeLike")
def _eye_like(call: Call, x: Any) -> Any:
    """Public: only the shape decides."""
    return np.eye(x.shape[0], x.shape[1], k=call.get("k", 0), dtype=np.float32)


@operator("ReverseSequence", public=(1,))
def _reverse_sequence(call: Call, x: Any, lengths: Any) -> Any:
    """Each row's first elements in reverse order."""
    along, rows = call.get("time_axis", 0), call.get("batch_axis", 1)
    moved = tacit.moveaxis(x, (rows, along), (0, 1))
    extent = moved.shape[1]
    order = np.tile(np.arange(extent), (moved.shape[0], 1))
    for row, length in enumerate(integers(lengths)):
        order[row, :length] = order[row, :length][::-1]
    turned = moved[np.arange(moved.shape[0])[:, None], order]
    return tacit.moveaxis(turned, (0, 1), (rows, along))


@operator("CenterCropPad", public=(1,))
def _center(call: Call, x: Any, shape: Any) -> Any:
    given = call.get("axes")
    axes = [axis % x.ndim for axis in given] if given is not None else list(range(x.ndim))
    key, widths = [slice(None)] * x.ndim, [(0, 0)] * x.ndim
    for axis, wanted in zip(axes, integers(shape), strict=True):
        extent = x.shape[axis]
        if wanted < extent:
            first = (extent - wanted) // 2
            key[axis] = slice(first, first + wanted)
        else:
            before = (wanted - extent) // 2
            widths[axis] = (before, wanted - extent - before)
    assert isinstance(x, SecretArray)
    return tacit.pad(x[tuple(key)], widths)
