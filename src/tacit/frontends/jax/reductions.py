"""Sums, products, extremes over axes; running ones; orders."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tacit.arrays import functions as tacit
from tacit.encoding.types import int64
from tacit.frontends.jax.rules import Call, advised, rule
from tacit.frontends.jax.values import as_type, is_secret, plain, settled

__all__: list[str] = []


@rule("reduce_sum")
def _sum(call: Call, x: Any) -> Any:
    if not call["axes"]:
        return x
    return settled(tacit.sum(x, axis=tuple(call["axes"])), call.dtype)


@rule("reduce_prod")
def _product(call: Call, x: Any) -> Any:
    return settled(tacit.prod(x, axis=tuple(call["axes"])), call.dtype) if call["axes"] else x


@rule("reduce_max")
def _largest(call: Call, x: Any) -> Any:
    if x.dtype.kind == "bool":
        return _any(call, x)
    return tacit.max(x, axis=tuple(call["axes"])) if call["axes"] else x


@rule("reduce_min")
def _least(call: Call, x: Any) -> Any:
    if x.dtype.kind == "bool":
        return _all(call, x)
    return tacit.min(x, axis=tuple(call["axes"])) if call["axes"] else x


@rule("reduce_or")
def _any(call: Call, x: Any) -> Any:
    _require_booleans(call, x)
    return tacit.any(x, axis=tuple(call["axes"])) if call["axes"] else x


@rule("reduce_and")
def _all(call: Call, x: Any) -> Any:
    _require_booleans(call, x)
    return tacit.all(x, axis=tuple(call["axes"])) if call["axes"] else x


@rule("reduce_xor")
def _parity(call: Call, x: Any) -> Any:
    _require_booleans(call, x)
    total = tacit.sum(x.astype(int64), axis=tuple(call["axes"]))
    return tacit.bitwise_and(total, 1) != 0


def _require_booleans(call: Call, x: Any) -> None:
    if x.dtype.kind != "bool":
        raise advised(
            call, "the bits of integers are reduced.", "compare first, for instance x != 0."
        )


@rule("argmax")
def _argmax(call: Call, x: Any) -> Any:
    (axis,) = call["axes"]
    return settled(tacit.argmax(x, axis=axis), call.dtype)


@rule("argmin")
def _argmin(call: Call, x: Any) -> Any:
    (axis,) = call["axes"]
    return settled(tacit.argmin(x, axis=axis), call.dtype)


# Running ones.


@rule("cumsum")
def _running_sum(call: Call, x: Any) -> Any:
    return _running(call, x, lambda y, axis: tacit.cumulative_sum(y, axis=axis))


@rule("cumprod")
def _running_product(call: Call, x: Any) -> Any:
    return _running(call, x, lambda y, axis: tacit.cumulative_prod(y, axis=axis))


@rule("cummax")
def _running_maximum(call: Call, x: Any) -> Any:
    return _running(call, x, _prefixes(tacit.maximum))


@rule("cummin")
def _running_minimum(call: Call, x: Any) -> Any:
    return _running(call, x, _prefixes(tacit.minimum))


@rule("cumlogsumexp")
def _running_logsumexp(call: Call, x: Any) -> Any:
    return _running(call, x, _prefixes(tacit.logaddexp))


def _running(call: Call, x: Any, function: Callable[[Any, int], Any]) -> Any:
    axis = call["axis"]
    if not call["reverse"]:
        return settled(function(x, axis), call.dtype)
    turned = tacit.flip(x, axis=axis)
    return settled(tacit.flip(function(turned, axis), axis=axis), call.dtype)


def _prefixes(function: Callable[[Any, Any], Any]) -> Callable[[Any, int], Any]:
    """All prefixes in ceil(log2 n) steps of an operation that is associative."""

    def prefixes(x: Any, axis: int) -> Any:
        before = (slice(None),) * axis
        extent, step = x.shape[axis], 1
        while step < extent:
            head = x[(*before, slice(0, step))]
            later, earlier = x[(*before, slice(step, None))], x[(*before, slice(0, -step))]
            x = tacit.concat([head, function(later, earlier)], axis=axis)
            step *= 2
        return x

    return prefixes


# Orders.


@rule("sort")
def _sort(call: Call, *columns: Any) -> Any:
    axis, keys = call["dimension"], call["num_keys"]
    if len(columns) == 1:
        return tacit.sort(columns[0], axis=axis)
    if len(columns) == 2 and keys == 1 and _is_places(columns[1], axis):
        (key, places) = columns
        if is_secret(key):
            positions = tacit.argsort(key, axis=axis)
            return [tacit.sort(key, axis=axis), as_type(positions, places.dtype)]
    return _sorted_lines(call, columns, axis, keys)


def _is_places(values: Any, axis: int) -> bool:
    """Whether a public array counts along an axis: what ``argsort`` sorts beside its keys."""
    if is_secret(values):
        return False
    shape = [1] * values.ndim
    shape[axis] = values.shape[axis]
    count = np.arange(values.shape[axis]).reshape(shape)
    return bool((values == count).all())


def _sorted_lines(call: Call, columns: tuple[Any, ...], axis: int, keys: int) -> list[Any]:
    """Every line along the axis under the order of its keys."""
    shape = call.shape
    extent = shape[axis]
    moved = [_moved(column, axis, extent) for column in columns]
    lines = [
        tacit.sort_by([column[row] for column in moved], [key[row] for key in moved[:keys]])
        for row in range(moved[0].shape[0])
    ]
    rest = (*shape[:axis], *shape[axis + 1 :])
    results = []
    for place, variable in enumerate(call.equation.results):
        stacked = tacit.stack([line[place] for line in lines])
        back = tacit.moveaxis(tacit.reshape(stacked, (*rest, extent)), -1, axis)
        results.append(settled(back, variable.dtype))
    return results


def _moved(column: Any, axis: int, extent: int) -> Any:
    if is_secret(column):
        return tacit.reshape(tacit.moveaxis(column, axis, -1), (-1, extent))
    return np.moveaxis(plain(column), axis, -1).reshape(-1, extent)


@rule("top_k", "approx_top_k")
def _top_k(call: Call, x: Any) -> Any:
    axis = call.equation.parameters.get("axis", -1)
    if "reduction_dimension" in call.equation.parameters:
        axis = call["reduction_dimension"]
    largest = call.equation.parameters.get("is_max_k", True)
    values, positions = tacit.topk(x, int(call["k"]), axis=axis, largest=largest)
    return [values, settled(positions, call.equation.results[1].dtype)]
