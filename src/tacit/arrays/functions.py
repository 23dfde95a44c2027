"""Functions of secret arrays, named as in the Python array API standard.

Operands are secret arrays or public ones (NumPy arrays, numbers), at least one of them secret;
shapes broadcast as in NumPy. Domains and largest errors are in ``docs/accuracy.md``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tacit.arrays.array import Axis, SecretArray, applied, plain_axis
from tacit.encoding.types import DType

# The standard's names shadow Python's abs and sum, in this module and in tacit's namespace alone.

__all__ = [
    "abs",
    "add",
    "astype",
    "bitwise_and",
    "bitwise_invert",
    "bitwise_or",
    "bitwise_xor",
    "broadcast_to",
    "concat",
    "concatenate",
    "divide",
    "equal",
    "exp",
    "greater",
    "greater_equal",
    "less",
    "less_equal",
    "log",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "matmul",
    "matrix_transpose",
    "maximum",
    "mean",
    "minimum",
    "multiply",
    "negative",
    "not_equal",
    "permute_dims",
    "reciprocal",
    "relu",
    "reshape",
    "sigmoid",
    "sqrt",
    "stack",
    "subtract",
    "sum",
    "tanh",
    "where",
]


def _secret(name: str, x: Any) -> SecretArray:
    if not isinstance(x, SecretArray):
        return applied(name, x)  # raises
    return x


# Arithmetic.


def add(x1: Any, x2: Any, /) -> SecretArray:
    """x1 + x2. Local."""
    return applied("add", x1, x2)


def subtract(x1: Any, x2: Any, /) -> SecretArray:
    """x1 - x2. Local."""
    return applied("subtract", x1, x2)


def multiply(x1: Any, x2: Any, /) -> SecretArray:
    """x1 · x2."""
    return applied("multiply", x1, x2)


def divide(x1: Any, x2: Any, /) -> SecretArray:
    """x1 / x2."""
    return applied("divide", x1, x2)


def matmul(x1: Any, x2: Any, /) -> SecretArray:
    """The matrix product x1 @ x2."""
    return applied("matmul", x1, x2)


def negative(x: SecretArray, /) -> SecretArray:
    """-x. Local."""
    return applied("negative", x)


def abs(x: SecretArray, /) -> SecretArray:
    """The absolute value. Exact."""
    return applied("abs", x)


# Comparisons.


def equal(x1: Any, x2: Any, /) -> SecretArray:
    """x1 == x2. Exact on the encoded numbers."""
    return applied("equal", x1, x2)


def not_equal(x1: Any, x2: Any, /) -> SecretArray:
    """x1 != x2. Exact on the encoded numbers."""
    return applied("not_equal", x1, x2)


def less(x1: Any, x2: Any, /) -> SecretArray:
    """x1 < x2. Exact on the encoded numbers."""
    return applied("less", x1, x2)


def less_equal(x1: Any, x2: Any, /) -> SecretArray:
    """x1 <= x2. Exact on the encoded numbers."""
    return applied("less_equal", x1, x2)


def greater(x1: Any, x2: Any, /) -> SecretArray:
    """x1 > x2. Exact on the encoded numbers."""
    return applied("greater", x1, x2)


def greater_equal(x1: Any, x2: Any, /) -> SecretArray:
    """x1 >= x2. Exact on the encoded numbers."""
    return applied("greater_equal", x1, x2)


# Booleans.


def bitwise_and(x1: Any, x2: Any, /) -> SecretArray:
    """x1 & x2, of booleans."""
    return applied("bitwise_and", x1, x2)


def bitwise_or(x1: Any, x2: Any, /) -> SecretArray:
    """x1 | x2, of booleans."""
    return applied("bitwise_or", x1, x2)


def bitwise_xor(x1: Any, x2: Any, /) -> SecretArray:
    """x1 ^ x2, of booleans. Local."""
    return applied("bitwise_xor", x1, x2)


def bitwise_invert(x: SecretArray, /) -> SecretArray:
    """~x, of booleans. Local."""
    return applied("bitwise_invert", x)


logical_and = bitwise_and
logical_or = bitwise_or
logical_xor = bitwise_xor
logical_not = bitwise_invert


def where(condition: Any, x1: Any, x2: Any, /) -> SecretArray:
    """x1 where the condition is true, else x2; nobody learns which."""
    return applied("where", condition, x1, x2)


def maximum(x1: Any, x2: Any, /) -> SecretArray:
    """The larger of two, element by element. Exact."""
    return applied("maximum", x1, x2)


def minimum(x1: Any, x2: Any, /) -> SecretArray:
    """The smaller of two, element by element. Exact."""
    return applied("minimum", x1, x2)


# Functions of fixed-point numbers.


def exp(x: SecretArray, /) -> SecretArray:
    """e^x."""
    return applied("exp", x)


def log(x: SecretArray, /) -> SecretArray:
    """The natural logarithm."""
    return applied("log", x)


def sqrt(x: SecretArray, /) -> SecretArray:
    """The square root."""
    return applied("sqrt", x)


def reciprocal(x: SecretArray, /) -> SecretArray:
    """1 / x."""
    return applied("reciprocal", x)


def sigmoid(x: SecretArray, /) -> SecretArray:
    """1 / (1 + e^-x)."""
    return applied("sigmoid", x)


def tanh(x: SecretArray, /) -> SecretArray:
    """The hyperbolic tangent."""
    return applied("tanh", x)


def relu(x: SecretArray, /) -> SecretArray:
    """max(x, 0). Exact."""
    return applied("relu", x)


# Reductions.


def sum(x: SecretArray, /, *, axis: Axis = None, keepdims: bool = False) -> SecretArray:
    """The sum over axes, all of them by default. Local; booleans are counted."""
    return applied("sum", x, axis=plain_axis(axis), keepdims=keepdims)


def mean(x: SecretArray, /, *, axis: Axis = None, keepdims: bool = False) -> SecretArray:
    """The mean over axes, all of them by default."""
    return applied("mean", x, axis=plain_axis(axis), keepdims=keepdims)


# Rearranging and joining. Local.


def reshape(x: SecretArray, /, shape: int | Sequence[int]) -> SecretArray:
    """The same elements under another shape; one extent may be -1."""
    return _secret("reshape", x).reshape(shape)


def permute_dims(x: SecretArray, /, axes: Sequence[int]) -> SecretArray:
    """The axes in another order."""
    return _secret("permute_dims", x).transpose(tuple(axes))


def matrix_transpose(x: SecretArray, /) -> SecretArray:
    """The last two axes exchanged."""
    return _secret("matrix_transpose", x).mT


def broadcast_to(x: SecretArray, /, shape: Sequence[int]) -> SecretArray:
    """Elements repeated to a shape."""
    return applied("broadcast_to", x, shape=tuple(shape))


def concat(arrays: Sequence[Any], /, *, axis: int | None = 0) -> SecretArray:
    """Arrays joined along an axis; flattened first if it is None."""
    if axis is None:
        flat = [a.reshape(-1) if isinstance(a, SecretArray) else np.ravel(a) for a in arrays]
        return applied("concatenate", *flat, axis=0)
    return applied("concatenate", *arrays, axis=axis)


def concatenate(arrays: Sequence[Any], /, axis: int | None = 0) -> SecretArray:
    """Arrays joined along an axis: NumPy's name for :func:`concat`."""
    return concat(arrays, axis=axis)


def stack(arrays: Sequence[Any], /, *, axis: int = 0) -> SecretArray:
    """Arrays of equal shape joined along a new axis."""
    return applied("stack", *arrays, axis=axis)


def astype(x: SecretArray, dtype: DType, /) -> SecretArray:
    """The same numbers in another type."""
    return _secret("astype", x).astype(dtype)
