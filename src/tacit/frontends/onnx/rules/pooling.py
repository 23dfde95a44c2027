"""Pooling over windows and over whole channels."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from tacit.arrays import functions as tacit
from tacit.arrays.array import applied
from tacit.frontends.onnx.registry import Call, operator
from tacit.frontends.onnx.rules.windows import Windows, gathered, windows_of

__all__: list[str] = []


def _fits(windows: Windows, extents: Any) -> bool:
    """Whether these are windows that the operations of the table pool."""
    halves = zip(windows.before, windows.kernel, strict=True)
    floor = [
        (extent + 2 * pad - kernel) // stride + 1
        for extent, pad, kernel, stride in zip(
            extents, windows.before, windows.kernel, windows.stride, strict=True
        )
    ]
    return (
        windows.even
        and windows.plain
        and floor == list(windows.places)
        and all(2 * pad <= kernel for pad, kernel in halves)
    )


def _attributes(windows: Windows) -> dict[str, Any]:
    return {
        "kernel": tuple(windows.kernel),
        "stride": tuple(windows.stride),
        "padding": tuple(windows.before),
    }


@operator("MaxPool")
def _max_pool(call: Call, x: Any) -> Any:
    windows = windows_of(call, x.shape[2:], call.get("kernel_shape"))
    if _fits(windows, x.shape[2:]) and not call.wants(1):
        return applied("max_pool", x, **_attributes(windows))
    least = x.dtype.range[0] if x.dtype.kind == "int" and x.dtype.narrow else -float(1 << 40)
    picked = gathered(x, windows, least)
    largest = tacit.max(picked, axis=-1)
    if not call.wants(1):
        return largest
    return largest, _places(call, x, windows, tacit.argmax(picked, axis=-1))


def _places(call: Call, x: Any, windows: Windows, chosen: Any) -> Any:
    """Where the largest numbers stand in the flattened array: secret positions."""
    spatial = len(windows.kernel)
    extents = x.shape[2:]
    weights = [prod(extents[axis + 1 :]) for axis in range(spatial)]
    if call.get("storage_order", 0):
        weights = [prod(extents[:axis]) for axis in range(spatial)]
    inside: Any = np.zeros((), np.int64)
    for axis in range(spatial):
        shape = [1] * (2 * spatial)
        positions = windows.positions(axis)
        shape[axis], shape[spatial + axis] = positions.shape
        inside = inside + positions.reshape(shape) * weights[axis]
    table = inside.reshape((*windows.places, prod(windows.kernel)))
    channels = np.arange(prod(x.shape[:2])).reshape(*x.shape[:2], *[1] * spatial)
    found = tacit.one_hot(chosen, table.shape[-1])
    return tacit.sum(tacit.where(found, table, 0), axis=-1) + channels * prod(extents)


@operator("AveragePool")
def _average_pool(call: Call, x: Any) -> Any:
    extents = x.shape[2:]
    windows = windows_of(call, extents, call.get("kernel_shape"))
    padding = bool(call.get("count_include_pad", 0))
    unpadded = not any(windows.before) and not any(windows.after)
    if _fits(windows, extents) and (padding or unpadded):
        return applied("avg_pool", x, **_attributes(windows))
    total = tacit.sum(gathered(x, windows, 0), axis=-1)
    counts: Any = np.ones(())
    for axis, extent in enumerate(extents):
        positions = windows.positions(axis)
        low, high = (
            (-windows.before[axis], extent + windows.after[axis]) if padding else (0, extent)
        )
        along = ((positions >= low) & (positions < high)).sum(axis=1)
        shape = [1] * len(extents)
        shape[axis] = -1
        counts = counts * along.reshape(shape)
    return total * (1 / np.maximum(counts, 1))


@operator("LpPool")
def _lp_pool(call: Call, x: Any) -> Any:
    power = call.get("p", 2)
    windows = windows_of(call, x.shape[2:], call.get("kernel_shape"))
    picked = gathered(x, windows, 0)
    if power == 1:
        return tacit.sum(tacit.abs(picked), axis=-1)
    if power == 2:
        return tacit.sqrt(tacit.sum(tacit.square(picked), axis=-1))
    magnitudes = tacit.pow(tacit.abs(picked), power)
    return tacit.pow(tacit.sum(magnitudes, axis=-1), 1 / power)


@operator("GlobalAveragePool")
def _global_average(call: Call, x: Any) -> Any:
    return tacit.mean(x, axis=tuple(range(2, x.ndim)), keepdims=True)


@operator("GlobalMaxPool")
def _global_max(call: Call, x: Any) -> Any:
    return tacit.max(x, axis=tuple(range(2, x.ndim)), keepdims=True)


@operator("GlobalLpPool")
def _global_lp(call: Call, x: Any) -> Any:
    power, axes = call.get("p", 2), tuple(range(2, x.ndim))
    if power == 1:
        return tacit.sum(tacit.abs(x), axis=axes, keepdims=True)
    if power == 2:
        return tacit.sqrt(tacit.sum(tacit.square(x), axis=axes, keepdims=True))
    total = tacit.sum(tacit.pow(tacit.abs(x), power), axis=axes, keepdims=True)
    return tacit.pow(total, 1 / power)


@operator("MaxUnpool", public=(1, 2))
def _max_unpool(call: Call, x: Any, indices: Any, shape: Any = None) -> Any:
    """Numbers put back where they came from, at public places; zeros elsewhere."""
    spatial = x.ndim - 2
    kernel = call.get("kernel_shape")
    stride = call.get("strides") or [1] * spatial
    pads = call.get("pads") or [0] * (2 * spatial)
    own = [
        (extent - 1) * step - pads[axis] - pads[axis + spatial] + length
        for axis, (extent, step, length) in enumerate(zip(x.shape[2:], stride, kernel, strict=True))
    ]
    whole = (*x.shape[:2], *own)
    size = prod(whole)
    source = np.full(size, x.size)
    source[np.ravel(indices).astype(np.int64)] = np.arange(x.size)
    flat = tacit.pad(x.reshape((-1,)), ((0, 1),))[source].reshape(whole)
    if shape is None:
        return flat
    extra = [int(e) - own for e, own in zip(np.ravel(shape), whole, strict=True)]
    return tacit.pad(flat, [(0, more) for more in extra])
