"""Images at other sizes: a public matrix for each axis, or a choice of elements."""

from __future__ import annotations

from typing import Any

import numpy as np

from tacit.arrays import functions as tacit
from tacit.frontends.onnx.registry import Call, operator

__all__: list[str] = []


@operator("Resize", public=(1, 2, 3))
def _resize(call: Call, x: Any, roi: Any = None, scales: Any = None, sizes: Any = None) -> Any:
    given = call.get("axes")
    axes = [axis % x.ndim for axis in given] if given is not None else list(range(x.ndim))
    factors, extents = _factors(call, x.shape, axes, scales, sizes)
    crops = _crops(roi, len(axes))
    outside: Any = np.zeros((), np.bool_)
    for place, axis in enumerate(axes):
        n, out, scale = x.shape[axis], extents[place], factors[place]
        cropping = call.text("coordinate_transformation_mode", "half_pixel")
        if out == n and scale == 1 and cropping != "tf_crop_and_resize":
            continue
        at = _coordinates(call, n, out, scale, crops[place])
        x = _along(call, x, axis, at, scale)
        if cropping == "tf_crop_and_resize":
            shape = [1] * x.ndim
            shape[axis] = out
            outside = outside | ((at < 0) | (at > n - 1)).reshape(shape)
    if not outside.any():
        return x
    return tacit.where(~outside, x, call.get("extrapolation_value", 0.0))


@operator("Upsample", public=(1,))
def _upsample(call: Call, x: Any, scales: Any = None) -> Any:
    factors = call.get("scales") if scales is None else scales
    for axis, scale in enumerate(np.ravel(factors).tolist()):
        out = int(np.floor(x.shape[axis] * scale))
        if scale == 1:
            continue
        at = np.arange(out) / scale
        if call.text("mode", "nearest") == "nearest":
            x = tacit.take(x, np.floor(at).astype(np.int64), axis=axis)
        else:
            x = _product(x, axis, _matrix(call, at, x.shape[axis], scale, _linear))
    return x


def _factors(
    call: Call, shape: tuple[int, ...], axes: list[int], scales: Any, sizes: Any
) -> tuple[list[float], list[int]]:
    """By axis: the factor, and the extent that results."""
    own = [shape[axis] for axis in axes]
    if scales is not None and np.size(scales):
        factors = [float(scale) for scale in np.ravel(call.raw[2])]
        return factors, [int(np.floor(n * s)) for n, s in zip(own, factors, strict=True)]
    wanted = [int(size) for size in np.ravel(sizes)]
    factors = [out / n for out, n in zip(wanted, own, strict=True)]
    policy = call.text("keep_aspect_ratio_policy", "stretch")
    if policy == "stretch":
        return factors, wanted
    one = min(factors) if policy == "not_larger" else max(factors)
    return [one] * len(own), [int(np.floor(one * n + 0.5)) for n in own]


def _crops(roi: Any, count: int) -> list[tuple[float, float]]:
    if roi is None or not np.size(roi):
        return [(0.0, 1.0)] * count
    numbers = np.ravel(roi).tolist()
    return list(zip(numbers[:count], numbers[count:], strict=True))


def _coordinates(call: Call, n: int, out: int, scale: float, crop: tuple[float, float]) -> Any:
    """Where the new elements lie among the old ones."""
    at = np.arange(out, dtype=np.float64)
    mode = call.text("coordinate_transformation_mode", "half_pixel")
    match mode:
        case "half_pixel":
            return (at + 0.5) / scale - 0.5
        case "pytorch_half_pixel":
            return (at + 0.5) / scale - 0.5 if scale * n > 1 else at * 0 - 0.5 * 0
        case "half_pixel_symmetric":
            adjusted = out / (scale * n)
            return n / 2 * (1 - adjusted) + (at + 0.5) / scale - 0.5
        case "align_corners":
            span = scale * n - 1
            return at * (n - 1) / span if span > 0 else at * 0
        case "asymmetric":
            return at / scale
        case "tf_half_pixel_for_nn":
            return (at + 0.5) / scale
        case "tf_crop_and_resize":
            first, last = crop
            if out <= 1:
                return at * 0 + 0.5 * (first + last) * (n - 1)
            return first * (n - 1) + at * (last - first) * (n - 1) / (scale * n - 1)
    raise call.refuse(f"its coordinate transformation {mode!r} is unknown")


def _along(call: Call, x: Any, axis: int, at: Any, scale: float) -> Any:
    n = x.shape[axis]
    match call.text("mode", "nearest"):
        case "nearest":
            return tacit.take(x, np.clip(_nearest(call, at), 0, n - 1), axis=axis)
        case "linear" | "bilinear" | "trilinear":
            return _product(x, axis, _matrix(call, at, n, scale, _linear))
        case "cubic":
            a = call.get("cubic_coeff_a", -0.75)
            return _product(x, axis, _matrix(call, at, n, scale, lambda d: _cubic(d, a), reach=2))
    raise call.refuse(f"its mode {call.text('mode', '')!r} is unknown")


def _nearest(call: Call, at: Any) -> Any:
    match call.text("nearest_mode", "round_prefer_floor"):
        case "round_prefer_floor":
            found = np.ceil(at - 0.5)
        case "round_prefer_ceil":
            found = np.floor(at + 0.5)
        case "floor":
            found = np.floor(at)
        case _:
            found = np.ceil(at)
    return found.astype(np.int64)


def _linear(distance: Any) -> Any:
    return np.clip(1 - np.abs(distance), 0, 1)


def _cubic(distance: Any, a: float) -> Any:
    d = np.abs(distance)
    near = (a + 2) * d**3 - (a + 3) * d**2 + 1
    far = a * d**3 - 5 * a * d**2 + 8 * a * d - 4 * a
    return np.where(d <= 1, near, np.where(d < 2, far, 0))


def _matrix(call: Call, at: Any, n: int, scale: float, weight: Any, reach: int = 1) -> Any:
    """(out, n): how much of each old element a new one takes."""
    width = min(scale, 1.0) if call.get("antialias", 0) else 1.0
    first = int(np.floor(-reach / width) + 1)
    offsets = np.arange(first, 2 - first + reach * 0)
    base = np.ceil(at) - 1  # the neighbour on the left, also of a whole number
    ratio = at - base
    taps = base[:, None] + offsets
    weights = weight((offsets - ratio[:, None]) * width)
    if call.get("exclude_outside", 0):
        weights = np.where((taps < 0) | (taps >= n), 0, weights)
    weights = weights / weights.sum(axis=1, keepdims=True)
    matrix = np.zeros((len(at), n))
    places = np.clip(taps, 0, n - 1).astype(np.int64)
    np.add.at(matrix, (np.arange(len(at))[:, None], places), weights)
    return matrix


def _product(x: Any, axis: int, matrix: Any) -> Any:
    moved = tacit.moveaxis(x, axis, -1) if x.ndim > 1 else x
    found = moved @ matrix.T
    return tacit.moveaxis(found, -1, axis) if x.ndim > 1 else found
