"""Windows over spatial axes: where they lie, for convolutions and pooling alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from tacit.arrays import functions as tacit
from tacit.arrays.array import SecretArray
from tacit.frontends.onnx.registry import Call

__all__ = ["Windows", "gathered", "windows_of"]


@dataclass(frozen=True, slots=True)
class Windows:
    """The windows of a node: one number a spatial axis each.

    Attributes
    ----------
    kernel, stride, dilation : sequence of int
    before, after : sequence of int
        The padding at both ends.
    places : sequence of int
        How many windows there are.
    """

    kernel: Sequence[int]
    stride: Sequence[int]
    dilation: Sequence[int]
    before: Sequence[int]
    after: Sequence[int]
    places: Sequence[int]

    @property
    def even(self) -> bool:
        """Whether both ends are padded alike, and the windows fill what is padded."""
        return list(self.before) == list(self.after)

    @property
    def plain(self) -> bool:
        """Whether nothing is left out within a window."""
        return set(self.dilation) == {1}

    def starts(self, axis: int) -> Any:
        """Where the windows begin along an axis, in the array without padding."""
        return np.arange(self.places[axis]) * self.stride[axis] - self.before[axis]

    def positions(self, axis: int) -> Any:
        """(places, kernel): what each window reads along an axis, in the array without padding."""
        steps = np.arange(self.kernel[axis]) * self.dilation[axis]
        return self.starts(axis)[:, None] + steps


def windows_of(call: Call, extents: Sequence[int], kernel: Sequence[int]) -> Windows:
    """The windows of a node with the usual attributes on an array of some extents."""
    spatial = len(extents)
    stride = list(call.get("strides") or [1] * spatial)
    dilation = list(call.get("dilations") or [1] * spatial)
    pads = list(call.get("pads") or [0] * (2 * spatial))
    automatic = call.text("auto_pad", "NOTSET")
    ceil = bool(call.get("ceil_mode", 0))
    spans = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    before, after = pads[:spatial], pads[spatial:]
    places = []
    for axis, extent in enumerate(extents):
        if automatic in ("SAME_UPPER", "SAME_LOWER"):
            count = -(-extent // stride[axis])
            total = max(0, (count - 1) * stride[axis] + spans[axis] - extent)
            less = total // 2
            lower = automatic == "SAME_LOWER"
            before[axis], after[axis] = (total - less, less) if lower else (less, total - less)
        else:
            if automatic == "VALID":
                before[axis] = after[axis] = 0
            room = extent + before[axis] + after[axis] - spans[axis]
            count = (-(-room // stride[axis]) if ceil else room // stride[axis]) + 1
            if ceil and (count - 1) * stride[axis] >= extent + before[axis]:
                count -= 1  # a window that begins in the padding behind
        if count < 1:
            raise call.refuse(f"no window of {list(kernel)} fits an array of {list(extents)}")
        places.append(count)
    return Windows(list(kernel), stride, dilation, before, after, places)


def gathered(x: SecretArray, windows: Windows, fill: float) -> SecretArray:
    """(N, C, *extents) to (N, C, *places, elements of a window); `fill` stands for the padding."""
    spatial = len(windows.kernel)
    extents = x.shape[2:]
    widths = [(0, 0), (0, 0)]
    keys = []
    for axis in range(spatial):
        positions = windows.positions(axis)
        low, high = int(positions.min()), int(positions.max())
        before, after = max(0, -low), max(0, high - extents[axis] + 1)
        widths.append((before, after))
        shape = [1] * (2 * spatial)
        shape[axis], shape[spatial + axis] = positions.shape
        keys.append((positions + before).reshape(shape))
    padded = x if not any(map(any, widths)) else tacit.pad(x, widths, constant_values=fill)
    picked = padded[(slice(None), slice(None), *keys)]
    return picked.reshape((*x.shape[:2], *windows.places, prod(windows.kernel)))
