"""Convolutions of any number of spatial axes, and their transposes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tacit.arrays import functions as tacit
from tacit.arrays.array import SecretArray, applied
from tacit.frontends.onnx.registry import Call, operator
from tacit.frontends.onnx.rules.windows import windows_of

__all__ = ["convolved"]


def convolved(call: Call, x: Any, weight: Any) -> Any:
    """The convolution that a node describes. Uneven padding is laid around the array first."""
    windows = windows_of(call, x.shape[2:], weight.shape[2:])
    padding = tuple(windows.before)
    if not windows.even:
        x = padded(x, list(zip(windows.before, windows.after, strict=True)))
        padding = (0,) * len(padding)
    return applied(
        "convolution",
        x,
        weight,
        stride=tuple(windows.stride),
        padding=padding,
        dilation=tuple(windows.dilation),
        groups=int(call.get("group", 1)),
    )


def padded(x: Any, widths: Sequence[tuple[int, int]]) -> Any:
    """Zeros around the spatial axes."""
    pairs = [(0, 0), (0, 0), *widths]
    return tacit.pad(x, pairs) if isinstance(x, SecretArray) else np.pad(x, pairs)


def _with_bias(x: Any, bias: Any) -> Any:
    return x if bias is None else x + bias.reshape((-1, *[1] * (x.ndim - 2)))


@operator("Conv")
def _conv(call: Call, x: Any, weight: Any, bias: Any = None) -> Any:
    return _with_bias(convolved(call, x, weight), bias)


@operator("ConvTranspose")
def _transposed(call: Call, x: Any, weight: Any, bias: Any = None) -> Any:
    """A convolution of the array with zeros between its elements by the mirrored kernel."""
    spatial = x.ndim - 2
    kernel = weight.shape[2:]
    stride = call.get("strides") or [1] * spatial
    dilation = call.get("dilations") or [1] * spatial
    groups = call.get("group", 1)
    spans = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    before, after, extra = _transposed_padding(call, x.shape[2:], stride, spans)
    spread = x
    for axis, step in enumerate(stride):
        spread = _spread(spread, axis + 2, step)
    widths = [
        (span - 1 - low, span - 1 - high + more)
        for span, low, high, more in zip(spans, before, after, extra, strict=True)
    ]
    cut = tuple(
        slice(max(0, -low), extent - max(0, -high))
        for (low, high), extent in zip(widths, spread.shape[2:], strict=True)
    )
    spread = spread[(slice(None), slice(None), *cut)]
    spread = padded(spread, [(max(0, low), max(0, high)) for low, high in widths])
    inputs, outputs = weight.shape[0] // groups, weight.shape[1]
    mirrored = weight[(slice(None), slice(None), *(slice(None, None, -1),) * spatial)]
    parts = mirrored.reshape((groups, inputs, outputs, *kernel))
    kernels = parts.transpose((0, 2, 1, *range(3, 3 + spatial)))
    found = applied(
        "convolution",
        spread,
        kernels.reshape((groups * outputs, inputs, *kernel)),
        stride=(1,) * spatial,
        padding=(0,) * spatial,
        dilation=tuple(dilation),
        groups=groups,
    )
    return _with_bias(found, bias)


def _transposed_padding(
    call: Call, extents: Sequence[int], stride: Sequence[int], spans: Sequence[int]
) -> tuple[list[int], list[int], list[int]]:
    spatial = len(extents)
    extra = list(call.get("output_padding") or [0] * spatial)
    pads = list(call.get("pads") or [0] * (2 * spatial))
    before, after = pads[:spatial], pads[spatial:]
    automatic = call.text("auto_pad", "NOTSET")
    wanted = call.get("output_shape")
    same = automatic in ("SAME_UPPER", "SAME_LOWER")
    if wanted is not None or same:
        shape = (
            wanted if wanted is not None else [e * s for e, s in zip(extents, stride, strict=True)]
        )
        for axis in range(spatial):
            full = stride[axis] * (extents[axis] - 1) + extra[axis] + spans[axis]
            total = full - shape[-spatial + axis]
            less = total // 2
            upper = automatic == "SAME_UPPER"
            before[axis], after[axis] = (less, total - less) if upper else (total - less, less)
            if total < 0:
                before[axis], after[axis], extra[axis] = 0, 0, extra[axis] - total
    return before, after, extra


def _spread(x: Any, axis: int, step: int) -> Any:
    """step - 1 zeros between neighbours along an axis."""
    if step == 1:
        return x
    extent = x.shape[axis]
    apart = x.reshape((*x.shape[: axis + 1], 1, *x.shape[axis + 1 :]))
    widths = [(0, 0)] * apart.ndim
    widths[axis + 1] = (0, step - 1)
    wide = tacit.pad(apart, widths) if isinstance(x, SecretArray) else np.pad(apart, widths)
    shape = (*x.shape[:axis], extent * step, *x.shape[axis + 1 :])
    key = (*(slice(None),) * axis, slice(0, extent * step - step + 1))
    return wide.reshape(shape)[key]


@operator("Col2Im", public=(1, 2))
def _columns_to_image(call: Call, x: Any, image: Any, block: Any) -> Any:
    """Sums of the columns' elements at each place of the image."""
    extents = [int(e) for e in np.ravel(image)]
    kernel = [int(k) for k in np.ravel(block)]
    windows = windows_of(call, extents, kernel)
    spatial, size = len(kernel), int(np.prod(kernel))
    n, channels = x.shape[0], x.shape[1] // size
    places = int(np.prod(windows.places))
    index: Any = np.zeros((), np.int64)
    inside: Any = np.ones((), np.bool_)
    for axis, extent in enumerate(extents):
        positions = windows.positions(axis).T  # (kernel, places)
        shape = [1] * (2 * spatial)
        shape[axis], shape[spatial + axis] = positions.shape
        index = index * extent + np.clip(positions, 0, extent - 1).reshape(shape)
        inside = inside & ((positions >= 0) & (positions < extent)).reshape(shape)
    targets, valid = index.reshape(size * places), inside.reshape(size * places)
    total = int(np.prod(extents))
    flat = x.reshape((n * channels, size * places))
    # Every place of the image sums what lies on it, padded with a zero to equally many.
    lists = [np.nonzero((targets == place) & valid)[0] for place in range(total)]
    most = max((len(each) for each in lists), default=0)
    table = np.full((total, max(1, most)), size * places)
    for place, each in enumerate(lists):
        table[place, : len(each)] = each
    summed = tacit.sum(tacit.pad(flat, ((0, 0), (0, 1)))[:, table], axis=-1)
    return summed.reshape((n, channels, *extents))
