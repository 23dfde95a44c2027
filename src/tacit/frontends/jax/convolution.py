"""Convolution in every form that JAX writes, and pooling over windows."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from tacit.arrays import functions as tacit
from tacit.arrays.array import applied
from tacit.frontends.jax.indexing import summed_into, taken
from tacit.frontends.jax.rules import Call, advised, rule
from tacit.frontends.jax.shapes import padded
from tacit.frontends.jax.values import is_secret, plain, settled

__all__: list[str] = []


@rule("conv_general_dilated")
def _convolution(call: Call, x: Any, kernels: Any) -> Any:
    numbers = call["dimension_numbers"]
    x = _moved(x, numbers.lhs_spec)
    kernels = _moved(kernels, numbers.rhs_spec)
    groups, batches = call["feature_group_count"], call["batch_group_count"]
    if batches > 1:
        # Features of group g see the images of group g: as groups of channels of fewer images.
        shape = x.shape
        x = _shaped(x, (batches, shape[0] // batches, *shape[1:]))
        x = _transposed(x, (1, 0, *range(2, len(x.shape))))
        x = _shaped(x, (shape[0] // batches, batches * shape[1], *shape[2:]))
        groups = batches
    spatial = [
        (low, high, between - 1)
        for (low, high), between in zip(call["padding"], call["lhs_dilation"], strict=True)
    ]
    sides = [low for low, high, _ in spatial]
    even = all(low == high >= 0 and not between for low, high, between in spatial)
    if not even:
        x = padded(x, [(0, 0, 0), (0, 0, 0), *spatial])
        sides = [0] * len(spatial)
    found = applied(
        "convolution",
        x,
        kernels,
        stride=tuple(call["window_strides"]),
        padding=tuple(sides),
        dilation=tuple(call["rhs_dilation"]),
        groups=groups,
    )
    out = numbers.out_spec
    return settled(_transposed(found, tuple(np.argsort(out).tolist())), call.dtype)


def _moved(x: Any, spec: tuple[int, ...]) -> Any:
    """Batch or output channels first, then channels, then the extents."""
    return _transposed(x if is_secret(x) else plain(x), tuple(spec))


def _transposed(x: Any, axes: tuple[int, ...]) -> Any:
    if axes == tuple(range(len(axes))):
        return x
    return tacit.permute_dims(x, axes) if is_secret(x) else x.transpose(axes)


def _shaped(x: Any, shape: tuple[int, ...]) -> Any:
    return tacit.reshape(x, shape) if is_secret(x) else x.reshape(shape)


# Windows.


def _window_places(call: Call, shape: tuple[int, ...]) -> Any:
    """Where the elements of every window stand: (*places, window), -1 for padding."""
    size = call["window_dimensions"]
    parameters = call.equation.parameters
    ones = (1,) * len(shape)
    base = parameters.get("base_dilation") or ones
    dilation = parameters.get("window_dilation") or ones
    places = np.arange(1, prod(shape) + 1).reshape(shape)
    config = [(lo, hi, b - 1) for (lo, hi), b in zip(call["padding"], base, strict=True)]
    places = padded(places, config)
    reach = [(n - 1) * d + 1 for n, d in zip(size, dilation, strict=True)]
    views = np.lib.stride_tricks.sliding_window_view(places, reach)
    key = [slice(None, None, s) for s in call["window_strides"]]
    key += [slice(None, None, d) for d in dilation]
    found = views[tuple(key)]
    return found.reshape(*found.shape[: len(shape)], -1) - 1


@rule("reduce_window_max")
def _max_pool(call: Call, x: Any) -> Any:
    return _pooled(call, x, largest=True)


@rule("reduce_window_min")
def _min_pool(call: Call, x: Any) -> Any:
    return _pooled(call, x, largest=False)


def _pooled(call: Call, x: Any, *, largest: bool) -> Any:
    """The extreme of every window; padding never wins, as it repeats an element of the window."""
    places = _window_places(call, x.shape)
    inside = places >= 0
    if not inside.any(-1).all():
        raise advised(
            call,
            "a window lies in the padding alone, and the extreme of nothing is infinite.",
            "pad less, or slice before pooling.",
        )
    first = np.take_along_axis(places, inside.argmax(-1)[..., None], -1)
    windows = tacit.reshape(x, -1)[np.where(inside, places, first)]
    return tacit.max(windows, axis=-1) if largest else tacit.min(windows, axis=-1)


@rule("reduce_window_sum")
def _sum_pool(call: Call, x: Any) -> Any:
    places = _window_places(call, x.shape)
    return settled(tacit.sum(taken(x, places), axis=-1), call.dtype)


@rule("select_and_scatter_add")
def _pool_gradient(call: Call, source: Any, x: Any) -> Any:
    """What reaches each element from the windows in which it is the first extreme."""
    if call["select_prim"].name not in ("ge", "le"):
        raise advised(call, "another choice than the extreme.", "pool with a maximum.")
    places = _window_places(call, np.shape(x))
    inside = places >= 0
    first = np.take_along_axis(places, inside.argmax(-1)[..., None], -1)
    flat = np.where(inside, places, first)
    windows = tacit.reshape(x, -1)[flat] if is_secret(x) else plain(x).reshape(-1)[flat]
    count = places.shape[-1]
    largest = call["select_prim"].name == "ge"
    if is_secret(windows):
        which = tacit.argmax(windows, axis=-1) if largest else tacit.argmin(windows, axis=-1)
        chosen = tacit.one_hot(which, count)
    else:
        which = windows.argmax(-1) if largest else windows.argmin(-1)
        chosen = which[..., None] == np.arange(count)
    given = source if is_secret(source) else plain(source)
    spread = given.reshape((*given.shape, 1))
    parts = tacit.where(chosen, spread, 0.0)
    return summed_into(parts, flat, np.shape(x))
