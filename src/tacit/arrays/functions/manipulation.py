"""Arrays rearranged and joined. Local."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tacit.arrays.array import SecretArray, applied, secret_operand
from tacit.encoding.types import DType

__all__ = [
    "astype",
    "broadcast_to",
    "concat",
    "concatenate",
    "matrix_transpose",
    "permute_dims",
    "reshape",
    "stack",
]


def reshape(x: SecretArray, /, shape: int | Sequence[int]) -> SecretArray:
    """The same elements under another shape; one extent may be -1."""
    return secret_operand("reshape", x).reshape(shape)


def permute_dims(x: SecretArray, /, axes: Sequence[int]) -> SecretArray:
    """The axes in another order."""
    return secret_operand("permute_dims", x).transpose(tuple(axes))


def matrix_transpose(x: SecretArray, /) -> SecretArray:
    """The last two axes exchanged."""
    return secret_operand("matrix_transpose", x).mT


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
    return secret_operand("astype", x).astype(dtype)
