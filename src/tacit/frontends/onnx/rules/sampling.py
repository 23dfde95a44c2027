"""Samples of images at public places: a public matrix on the pixels.

The matrix is what ONNX's reference implementation gives for images of one pixel each.
"""

from __future__ import annotations

from math import prod
from typing import Any, Final

import numpy as np

from tacit.frontends.onnx.clear import reference
from tacit.frontends.onnx.registry import Call, operator
from tacit.frontends.onnx.values import joined

__all__: list[str] = []

_MOST_PIXELS: Final = 4096


def _pixels(call: Call, extents: tuple[int, ...]) -> Any:
    """(1, pixels, *extents): an image for each pixel, which alone is 1."""
    size = prod(extents)
    if size > _MOST_PIXELS:
        raise call.refuse(f"its images have {size} pixels, more than {_MOST_PIXELS}")
    return np.eye(size, dtype=np.float32).reshape(1, size, *extents)


@operator("GridSample", since=16, public=(1,))
def _grid_sample(call: Call, x: Any, grid: Any) -> Any:
    n, channels, extents = x.shape[0], x.shape[1], x.shape[2:]
    units = _pixels(call, extents)
    parts = []
    for number in range(n):
        places = np.asarray(call.raw[1])[number : number + 1]
        (found,) = reference("GridSample", call.attributes, [units, places], "", call.version)
        matrix = np.asarray(found[0], np.float64)  # (pixels, *out)
        rows = x[number].reshape((channels, prod(extents)))
        sampled = rows @ matrix.reshape(matrix.shape[0], -1)
        parts.append(sampled.reshape((1, channels, *matrix.shape[1:])))
    return joined(parts, 0)


@operator("RoiAlign", since=10, public=(1, 2))
def _regions(call: Call, x: Any, regions: Any, images: Any) -> Any:
    if call.text("mode", "avg") != "avg":
        raise call.refuse("it takes the largest of samples, and only means are supported")
    units = _pixels(call, x.shape[2:])
    first = np.zeros(len(np.ravel(images)), np.int64)
    (found,) = reference(
        "RoiAlign", call.attributes, [units, np.asarray(call.raw[1]), first], "", call.version
    )
    matrix = np.asarray(found, np.float64)  # (regions, pixels, *out)
    rows = x.reshape((*x.shape[:2], prod(x.shape[2:])))
    picked = rows[np.ravel(images).astype(np.int64)]
    sampled = picked @ matrix.reshape(*matrix.shape[:2], -1)
    return sampled.reshape((matrix.shape[0], x.shape[1], *matrix.shape[2:]))
