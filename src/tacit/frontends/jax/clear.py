"""Common primitives on public values, by NumPy in the types that JAX gives them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tacit.frontends.jax.body import Equation
from tacit.frontends.jax.keys import Keys, drawn, folded, seeded, split, threefry

__all__ = ["NUMPY"]

Clear = Callable[..., Any]


def _same(function: Clear) -> Clear:
    return lambda equation, *operands: function(*operands)


def _broadcast(equation: Equation, x: Any, *_: Any) -> Any:
    shape = [1] * len(equation.results[0].shape)
    for axis, extent in zip(equation.parameters["broadcast_dimensions"], x.shape, strict=True):
        shape[axis] = extent
    return np.broadcast_to(x.reshape(shape), equation.results[0].shape)


def _reshape(equation: Equation, x: Any, *_: Any) -> Any:
    order = equation.parameters["dimensions"]
    return (x if order is None else x.transpose(order)).reshape(equation.results[0].shape)


def _select(equation: Equation, which: Any, *cases: Any) -> Any:
    index = np.broadcast_to(which, equation.results[0].shape).astype(np.int64)
    result = cases[0]
    for place, case in enumerate(cases[1:], 1):
        result = np.where(index == place, case, result)
    return result


def _iota(equation: Equation) -> Any:
    shape, axis = equation.results[0].shape, equation.parameters["dimension"]
    line = [1] * len(shape)
    line[axis] = shape[axis]
    return np.broadcast_to(np.arange(shape[axis]).reshape(line), shape)


def _divide(equation: Equation, x: Any, y: Any) -> Any:
    if equation.results[0].dtype.kind not in "iu":
        return x / y
    quotient = np.abs(x) // np.abs(y)
    return np.where((x < 0) ^ (y < 0), -quotient, quotient)


def _convert(equation: Equation, x: Any) -> Any:
    kind = equation.results[0].dtype.kind
    return np.trunc(x) if kind in "iu" and x.dtype.kind == "f" else x


def _slice(equation: Equation, x: Any) -> Any:
    parameters = equation.parameters
    strides = parameters["strides"] or (1,) * x.ndim
    return x[tuple(map(slice, parameters["start_indices"], parameters["limit_indices"], strides))]


def _dynamic_slice(equation: Equation, x: Any, *starts: Any) -> Any:
    sizes = equation.parameters["slice_sizes"]
    first = [
        min(max(int(start), 0), extent - size)
        for start, size, extent in zip(starts, sizes, x.shape, strict=False)
    ]
    return x[tuple(slice(a, a + n) for a, n in zip(first, sizes, strict=True))]


def _sort(equation: Equation, *columns: Any) -> Any:
    axis, keys = equation.parameters["dimension"], equation.parameters["num_keys"]
    order = np.lexsort([np.moveaxis(key, axis, -1) for key in columns[:keys]][::-1])
    return tuple(
        np.moveaxis(np.take_along_axis(np.moveaxis(c, axis, -1), order, -1), -1, axis)
        for c in columns
    )


def _erf_inv(x: Any) -> Any:
    from scipy.special import erfinv

    return erfinv(x)


def _erf(x: Any) -> Any:
    from scipy.special import erf

    return erf(x)


def _axes(function: Clear) -> Clear:
    return lambda equation, x: function(x, axis=tuple(equation.parameters["axes"]))


def _running(function: Clear) -> Clear:
    def running(equation: Equation, x: Any) -> Any:
        axis = equation.parameters["axis"]
        if equation.parameters["reverse"]:
            return np.flip(function(np.flip(x, axis), axis=axis), axis)
        return function(x, axis=axis)

    return running


def _shifted(function: Clear) -> Clear:
    def shifted(equation: Equation, x: Any, y: Any) -> Any:
        bits = 8 * x.dtype.itemsize
        inside = (y >= 0) & (y < bits)
        return np.where(inside, function(x, np.where(inside, y, 0).astype(x.dtype)), 0)

    return shifted


def _logical(x: Any, y: Any) -> Any:
    unsigned = x.dtype.str.replace("i", "u")
    return (x.view(unsigned) >> y.view(unsigned)).view(x.dtype) if x.ndim else _scalar(x, y)


def _scalar(x: Any, y: Any) -> Any:
    return _logical(np.atleast_1d(x), np.atleast_1d(np.broadcast_to(y, x.shape)))[0]


def _bits(equation: Equation, x: Any) -> Any:
    return np.ascontiguousarray(x).view(equation.results[0].dtype).reshape(x.shape)


def _wrap(equation: Equation, words: Any) -> Any:
    return Keys(words)


NUMPY: Mapping[str, Clear] = {
    "abs": _same(np.abs),
    "add": _same(np.add),
    "add_any": _same(np.add),
    "and": _same(np.bitwise_and),
    "argmax": lambda e, x: np.argmax(x, e.parameters["axes"][0]),
    "argmin": lambda e, x: np.argmin(x, e.parameters["axes"][0]),
    "bitcast_convert_type": _bits,
    "broadcast_in_dim": _broadcast,
    "ceil": _same(np.ceil),
    "clamp": _same(lambda low, x, high: np.minimum(np.maximum(x, low), high)),
    "concatenate": lambda e, *parts: np.concatenate(parts, e.parameters["dimension"]),
    "convert_element_type": _convert,
    "cos": _same(np.cos),
    "cumprod": _running(np.cumprod),
    "cumsum": _running(np.cumsum),
    "div": _divide,
    "dynamic_slice": _dynamic_slice,
    "eq": _same(np.equal),
    "erf": _same(_erf),
    "erf_inv": _same(_erf_inv),
    "exp": _same(np.exp),
    "expm1": _same(np.expm1),
    "floor": _same(np.floor),
    "ge": _same(np.greater_equal),
    "gt": _same(np.greater),
    "integer_pow": lambda e, x: x ** e.parameters["y"],
    "iota": _iota,
    "is_finite": _same(np.isfinite),
    "le": _same(np.less_equal),
    "log": _same(np.log),
    "log1p": _same(np.log1p),
    "lt": _same(np.less),
    "max": _same(np.maximum),
    "min": _same(np.minimum),
    "mul": _same(np.multiply),
    "ne": _same(np.not_equal),
    "neg": _same(np.negative),
    "nextafter": _same(np.nextafter),
    "not": _same(np.invert),
    "or": _same(np.bitwise_or),
    "pow": _same(np.power),
    "random_bits": lambda e, k: drawn(k, e.parameters["bit_width"], e.parameters["shape"]),
    "random_fold_in": _same(folded),
    "random_seed": _same(seeded),
    "random_split": lambda e, k: split(k, e.parameters["shape"]),
    "random_unwrap": _same(lambda k: k.words),
    "random_wrap": _wrap,
    "reduce_and": _axes(np.all),
    "reduce_max": _axes(np.max),
    "reduce_min": _axes(np.min),
    "reduce_or": _axes(np.any),
    "reduce_prod": _axes(np.prod),
    "reduce_sum": _axes(np.sum),
    "rem": _same(np.fmod),
    "reshape": _reshape,
    "rev": lambda e, x: np.flip(x, e.parameters["dimensions"]),
    "rsqrt": _same(lambda x: 1 / np.sqrt(x)),
    "select_n": _select,
    "shift_left": _shifted(np.left_shift),
    "shift_right_logical": _shifted(_logical),
    "sign": _same(np.sign),
    "sin": _same(np.sin),
    "slice": _slice,
    "sort": _sort,
    "sqrt": _same(np.sqrt),
    "square": _same(np.square),
    "squeeze": lambda e, x: x.reshape(e.results[0].shape),
    "sub": _same(np.subtract),
    "tanh": _same(np.tanh),
    "threefry2x32": _same(threefry),
    "transpose": lambda e, x: x.transpose(e.parameters["permutation"]),
    "xor": _same(np.bitwise_xor),
}
"""By name of the primitive: ``clear(equation, *operands)``."""
