"""NumPy's functions applied to secret arrays: ``np.exp(secret)``, ``array @ secret``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tacit.arrays import functions
from tacit.arrays.array import SecretArray, applied
from tacit.errors import SecretMisuseError

__all__ = ["call_function", "call_ufunc"]

_UFUNCS: Mapping[Any, str] = {
    np.add: "add",
    np.subtract: "subtract",
    np.multiply: "multiply",
    np.divide: "divide",
    np.matmul: "matmul",
    np.negative: "negative",
    np.absolute: "abs",
    np.equal: "equal",
    np.not_equal: "not_equal",
    np.less: "less",
    np.less_equal: "less_equal",
    np.greater: "greater",
    np.greater_equal: "greater_equal",
    np.bitwise_and: "bitwise_and",
    np.bitwise_or: "bitwise_or",
    np.bitwise_xor: "bitwise_xor",
    np.invert: "bitwise_invert",
    np.logical_and: "bitwise_and",
    np.logical_or: "bitwise_or",
    np.logical_xor: "bitwise_xor",
    np.logical_not: "bitwise_invert",
    np.maximum: "maximum",
    np.minimum: "minimum",
    np.exp: "exp",
    np.log: "log",
    np.sqrt: "sqrt",
    np.reciprocal: "reciprocal",
    np.tanh: "tanh",
    np.expm1: "expm1",
    np.log1p: "log1p",
    np.log2: "log2",
    np.log10: "log10",
    np.sinh: "sinh",
    np.cosh: "cosh",
    np.square: "square",
    np.hypot: "hypot",
    np.power: "pow",
    np.float_power: "pow",
}


def _sum(x: SecretArray, axis: Any = None, keepdims: bool = False) -> SecretArray:
    return x.sum(axis, keepdims)


def _mean(x: SecretArray, axis: Any = None, keepdims: bool = False) -> SecretArray:
    return x.mean(axis, keepdims)


def _transpose(x: SecretArray, axes: Any = None) -> SecretArray:
    return x.T if axes is None else x.transpose(tuple(axes))


def _stack(arrays: Any, axis: int = 0) -> SecretArray:
    return functions.stack(arrays, axis=axis)


_FUNCTIONS: Mapping[Any, Callable[..., Any]] = {
    np.sum: _sum,
    np.mean: _mean,
    np.transpose: _transpose,
    np.reshape: functions.reshape,
    np.concatenate: functions.concatenate,
    np.stack: _stack,
    np.where: functions.where,
    np.broadcast_to: functions.broadcast_to,
    np.shape: lambda x: x.shape,
    np.ndim: lambda x: x.ndim,
    np.size: lambda x: x.size,
}


def call_ufunc(
    ufunc: Any, method: str, inputs: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> SecretArray:
    """A NumPy universal function with a secret operand.

    Raises
    ------
    SecretMisuseError
        Not supported for secrets (TC-1407), or its result would go into a NumPy array (TC-1408).
    """
    if "out" in kwargs:
        raise SecretMisuseError(
            f"np.{ufunc.__name__}: a secret result cannot go into a NumPy array.",
            next_step="write x = x + secret instead of x += secret, and leave out= away.",
            case=8,
        )
    name = _UFUNCS.get(ufunc)
    if name is None or method != "__call__" or kwargs:
        call = ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}"
        raise _unsupported(call + ("" if name is None or not kwargs else " with options"))
    return applied(name, *inputs)


def call_function(function: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Another NumPy function with a secret operand.

    Raises
    ------
    SecretMisuseError
        Not supported for secrets (TC-1407).
    """
    ours = _FUNCTIONS.get(function)
    if ours is None:
        raise _unsupported(getattr(function, "__name__", "this function"))
    return ours(*args, **kwargs)


def _unsupported(name: str) -> SecretMisuseError:
    return SecretMisuseError(
        f"np.{name} is not supported for secret arrays.",
        next_step="use a function of tacit, such as tacit.where or tacit.exp"
        " (help(tacit.arrays.functions) lists them), or reveal the array first:"
        ' x.reveal(to="all").',
        case=7,
    )
