"""Products of vectors and matrices, and their norms.

Everything here is one matrix product, one product element by element, or local. A matrix product
sends as much as its result holds, however long the sums are; with a public factor it is a
truncation at most.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from tacit.arrays.array import SecretArray, applied, secret_operand
from tacit.arrays.functions.manipulation import diagonal, moveaxis, reshape
from tacit.encoding.types import DType
from tacit.errors import ShapeError
from tacit.operations.manipulation import normal_axis
from tacit.operations.promotion import broadcast_shape, public_array

__all__ = ["cross", "dot", "inner", "kron", "outer", "tensordot", "vecdot"]


def _operand(x: Any) -> Any:
    return x if isinstance(x, SecretArray) else public_array(x)


def _reshaped(x: Any, shape: Sequence[int]) -> Any:
    return reshape(x, shape) if isinstance(x, SecretArray) else x.reshape(shape)


def _last(x: Any, axes: Sequence[int]) -> Any:
    """Axes moved to the end, in this order."""
    places = range(-len(axes), 0)
    if tuple(axes) == tuple(range(x.ndim - len(axes), x.ndim)):
        return x
    if isinstance(x, SecretArray):
        return moveaxis(x, axes, places)
    return np.moveaxis(x, axes, places)


def vecdot(x1: Any, x2: Any, /, *, axis: int = -1) -> SecretArray:
    """Sums of products over an axis, counted from the end; the other axes broadcast.

    Sends as much as the result holds.
    """
    left, right = _operand(x1), _operand(x2)
    if axis >= 0 and left.ndim != right.ndim:
        raise _unfit("vecdot", left, right, "count the axis from the end: axis=-1.")
    left = _last(left, (normal_axis("vecdot", axis, left.ndim),))
    right = _last(right, (normal_axis("vecdot", axis, right.ndim),))
    if left.shape[-1] != right.shape[-1]:
        raise _unfit("vecdot", left, right, "make the axes that are summed over equally long.")
    shape = broadcast_shape("vecdot", left.shape[:-1], right.shape[:-1])
    row = _reshaped(left, (*left.shape[:-1], 1, left.shape[-1]))
    column = _reshaped(right, (*right.shape, 1))
    return reshape(applied("matmul", row, column), shape)


def _unfit(name: str, left: Any, right: Any, next_step: str) -> ShapeError:
    return ShapeError(
        f"{name}: the shapes {left.shape} and {right.shape} do not fit.",
        next_step=next_step,
        case=11,
        stage=name,
    )


def tensordot(
    x1: Any, x2: Any, /, *, axes: int | tuple[Sequence[int], Sequence[int]] = 2
) -> SecretArray:
    """Sums of products over several axes: one matrix product.

    Parameters
    ----------
    x1, x2 : SecretArray or array_like
    axes : int or (axes of x1, axes of x2)
        How many of x1's last and x2's first axes are summed over, or which ones.

    Returns
    -------
    SecretArray
        The axes of x1 that are left, then those of x2.
    """
    left, right = _operand(x1), _operand(x2)
    if isinstance(axes, int | np.integer):
        count = operator.index(axes)
        if not 0 <= count <= min(left.ndim, right.ndim):
            raise _unfit("tensordot", left, right, "sum over axes that both arrays have.")
        own = tuple(range(left.ndim - count, left.ndim))
        others = tuple(range(count))
    else:
        first, second = (np.atleast_1d(np.asarray(part)).tolist() for part in axes)
        own = tuple(normal_axis("tensordot", axis, left.ndim) for axis in first)
        others = tuple(normal_axis("tensordot", axis, right.ndim) for axis in second)
    summed = tuple(left.shape[axis] for axis in own)
    if summed != tuple(right.shape[axis] for axis in others) or len(set(own)) != len(own):
        raise _unfit("tensordot", left, right, "make the axes that are summed over equally long.")
    left, right = _last(left, own), _last(right, others)
    rows = left.shape[: left.ndim - len(own)]
    columns = right.shape[: right.ndim - len(others)]
    length = prod(summed)
    matrix = _reshaped(left, (prod(rows), length))
    transposed = _reshaped(right, (prod(columns), length)).T
    return reshape(applied("matmul", matrix, transposed), (*rows, *columns))


def dot(x1: Any, x2: Any, /) -> SecretArray:
    """NumPy's ``dot``: the last axis of x1 with the second-last of x2."""
    left, right = _operand(x1), _operand(x2)
    if not left.ndim or not right.ndim:
        return applied("multiply", left, right)
    if right.ndim <= 2:
        return applied("matmul", left, right)
    return tensordot(left, right, axes=((-1,), (-2,)))


def inner(x1: Any, x2: Any, /) -> SecretArray:
    """NumPy's ``inner``: the last axis of x1 with the last of x2."""
    left, right = _operand(x1), _operand(x2)
    if not left.ndim or not right.ndim:
        return applied("multiply", left, right)
    return tensordot(left, right, axes=((-1,), (-1,)))


def outer(x1: Any, x2: Any, /) -> SecretArray:
    """Every element of one array times every element of the other, both flattened."""
    left, right = _operand(x1), _operand(x2)
    column, row = _reshaped(left, (left.size, 1)), _reshaped(right, (1, right.size))
    return applied("multiply", column, row)


def kron(x1: Any, x2: Any, /) -> SecretArray:
    """The Kronecker product: every element of x1 times the whole of x2."""
    left, right = _operand(x1), _operand(x2)
    ndim = max(left.ndim, right.ndim)
    first = (1,) * (ndim - left.ndim) + left.shape
    second = (1,) * (ndim - right.ndim) + right.shape
    spread = [extent for n in first for extent in (n, 1)]
    within = [extent for n in second for extent in (1, n)]
    product = applied("multiply", _reshaped(left, spread), _reshaped(right, within))
    return reshape(product, [a * b for a, b in zip(first, second, strict=True)])


def cross(x1: Any, x2: Any, /, *, axis: int = -1) -> SecretArray:
    """The cross product of vectors of three elements along an axis: six products at once."""
    left, right = _operand(x1), _operand(x2)
    left = _last(left, (normal_axis("cross", axis, left.ndim),))
    right = _last(right, (normal_axis("cross", axis, right.ndim),))
    if left.shape[-1] != 3 or right.shape[-1] != 3:
        raise _unfit("cross", left, right, "give vectors of three elements along the axis.")
    products = applied("multiply", left[..., [1, 2, 0, 2, 0, 1]], right[..., [2, 0, 1, 1, 2, 0]])
    result = products[..., :3] - products[..., 3:]
    return moveaxis(result, -1, axis)


def trace(x: SecretArray, /, *, offset: int = 0, dtype: DType | None = None) -> SecretArray:
    """The sum of a diagonal of every matrix. Local."""
    sums = applied("sum", diagonal(secret_operand("trace", x), offset=offset), axis=-1)
    return sums if dtype is None else sums.astype(dtype)
