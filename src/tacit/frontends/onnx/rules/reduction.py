"""Reductions over axes, running sums and products, places of extremes."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from tacit.arrays import functions as tacit
from tacit.frontends.onnx.registry import Call, operator
from tacit.frontends.onnx.rules.shapes import integers

__all__: list[str] = []


def _reduction(name: str, function: Callable[..., Any]) -> None:
    def apply(call: Call, x: Any, axes: Any = None) -> Any:
        given = call.get("axes") if axes is None else axes
        chosen = integers(given) if given is not None else []
        if not chosen and call.get("noop_with_empty_axes", 0):
            # Nothing is reduced, but each element alone goes through the function.
            return function(x[None], axis=(0,), keepdims=False)
        over = tuple(axis % x.ndim for axis in chosen) if chosen else tuple(range(x.ndim))
        return function(x, axis=over, keepdims=bool(call.get("keepdims", 1)))

    apply.__doc__ = function.__doc__
    operator(name, public=(1,))(apply)


def _largest(x: Any, axis: Any, keepdims: bool) -> Any:
    if x.dtype.kind == "bool":
        return tacit.any(x, axis=axis, keepdims=keepdims)
    return tacit.max(x, axis=axis, keepdims=keepdims)


def _least(x: Any, axis: Any, keepdims: bool) -> Any:
    if x.dtype.kind == "bool":
        return tacit.all(x, axis=axis, keepdims=keepdims)
    return tacit.min(x, axis=axis, keepdims=keepdims)


def _sum(x: Any, axis: Any, keepdims: bool) -> Any:
    total = tacit.sum(x, axis=axis, keepdims=keepdims)
    return total if total.dtype == x.dtype else total.astype(x.dtype)


def _mean(x: Any, axis: Any, keepdims: bool) -> Any:
    mean = tacit.mean(x, axis=axis, keepdims=keepdims)
    return mean if mean.dtype == x.dtype else tacit.trunc(mean).astype(x.dtype)


def _sum_square(x: Any, axis: Any, keepdims: bool) -> Any:
    return _sum(tacit.square(x), axis, keepdims)


def _l1(x: Any, axis: Any, keepdims: bool) -> Any:
    return _sum(tacit.abs(x), axis, keepdims)


def _l2(x: Any, axis: Any, keepdims: bool) -> Any:
    """Scaled by the root of the count, so that squares of large numbers stay small."""
    total = tacit.sum(tacit.square(x), axis=axis, keepdims=keepdims)
    if x.dtype.kind == "fixed":
        return tacit.sqrt(total)
    return tacit.sqrt(total.astype(x.session.fractions)).astype(x.dtype)


def _log_sum(x: Any, axis: Any, keepdims: bool) -> Any:
    return tacit.log(_sum(x, axis, keepdims))


def _log_sum_exp(x: Any, axis: Any, keepdims: bool) -> Any:
    return tacit.logsumexp(x, axis=axis, keepdims=keepdims)


def _product(x: Any, axis: Any, keepdims: bool) -> Any:
    """Over the axes one after the other, flattened into one."""
    rest = [place for place in range(x.ndim) if place not in axis]
    count = prod(x.shape[place] for place in axis)
    kept = [x.shape[place] for place in rest]
    moved = x.transpose((*rest, *axis)) if x.ndim > 1 else x
    found = tacit.prod(moved.reshape((*kept, count)), axis=-1)
    if keepdims:
        found = found.reshape(tuple(1 if p in axis else e for p, e in enumerate(x.shape)))
    return found if found.dtype == x.dtype else found.astype(x.dtype)


for _name, _function in {
    "ReduceMax": _largest,
    "ReduceMin": _least,
    "ReduceSum": _sum,
    "ReduceMean": _mean,
    "ReduceSumSquare": _sum_square,
    "ReduceL1": _l1,
    "ReduceL2": _l2,
    "ReduceLogSum": _log_sum,
    "ReduceLogSumExp": _log_sum_exp,
    "ReduceProd": _product,
}.items():
    _reduction(_name, _function)


# Running.


def _running(call: Call, x: Any, axis: Any, function: Callable[..., Any]) -> Any:
    place = int(np.asarray(axis).item()) % x.ndim
    turned = tacit.flip(x, axis=place) if call.get("reverse", 0) else x
    initial = bool(call.get("exclusive", 0))
    found = function(turned, axis=place, include_initial=initial)
    if initial:
        found = found[(*(slice(None),) * place, slice(0, x.shape[place]))]
    found = tacit.flip(found, axis=place) if call.get("reverse", 0) else found
    return found if found.dtype == x.dtype else found.astype(x.dtype)


@operator("CumSum", public=(1,))
def _running_sum(call: Call, x: Any, axis: Any) -> Any:
    return _running(call, x, axis, tacit.cumulative_sum)


@operator("CumProd", public=(1,))
def _running_product(call: Call, x: Any, axis: Any) -> Any:
    return _running(call, x, axis, tacit.cumulative_prod)


# Places.


def _place(call: Call, x: Any, function: Callable[..., Any]) -> Any:
    axis, keepdims = call.get("axis", 0), bool(call.get("keepdims", 1))
    if not call.get("select_last_index", 0):
        return function(x, axis=axis, keepdims=keepdims)
    return x.shape[axis] - 1 - function(tacit.flip(x, axis=axis), axis=axis, keepdims=keepdims)


@operator("ArgMax")
def _argmax(call: Call, x: Any) -> Any:
    return _place(call, x, tacit.argmax)


@operator("ArgMin")
def _argmin(call: Call, x: Any) -> Any:
    return _place(call, x, tacit.argmin)


@operator("TopK", public=(1,))
def _top(call: Call, x: Any, k: Any = None) -> Any:
    count = int(call.get("k") if k is None else np.asarray(k).item())
    largest = bool(call.get("largest", 1))
    return tacit.topk(x, count, axis=call.get("axis", -1), largest=largest)
