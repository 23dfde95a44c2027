"""Sums, products, means and variances over axes; running sums and products."""

from __future__ import annotations

import operator
from typing import Any

from tacit.arrays.array import Axis, SecretArray, applied, plain_axis, secret_operand
from tacit.encoding.types import DType
from tacit.errors import ShapeError

__all__ = [
    "cumulative_prod",
    "cumulative_sum",
    "diff",
    "mean",
    "prod",
    "std",
    "sum",
    "var",
]


def _typed(x: SecretArray, dtype: DType | None) -> SecretArray:
    return x if dtype is None else x.astype(dtype)


def sum(
    x: SecretArray, /, *, axis: Axis = None, dtype: DType | None = None, keepdims: bool = False
) -> SecretArray:
    """The sum over axes, all of them by default. Local; booleans are counted."""
    return _typed(applied("sum", x, axis=plain_axis(axis), keepdims=keepdims), dtype)


def prod(
    x: SecretArray, /, *, axis: Axis = None, dtype: DType | None = None, keepdims: bool = False
) -> SecretArray:
    """The product over axes, all of them by default: a tree of ceil(log2 n) levels."""
    factors = x if dtype is None else secret_operand("prod", x).astype(dtype)
    return applied("prod", factors, axis=plain_axis(axis), keepdims=keepdims)


def mean(x: SecretArray, /, *, axis: Axis = None, keepdims: bool = False) -> SecretArray:
    """The mean over axes, all of them by default."""
    return applied("mean", x, axis=plain_axis(axis), keepdims=keepdims)


def var(
    x: SecretArray, /, *, axis: Axis = None, correction: float = 0.0, keepdims: bool = False
) -> SecretArray:
    """The mean of squared deviations from the mean, over axes, all of them by default.

    Parameters
    ----------
    x : SecretArray
    axis : int or sequence of int, optional
    correction : float
        What is taken off the number of elements before dividing by it: 1 for the estimate from
        a sample.
    keepdims : bool
        Whether reduced axes stay with length one.
    """
    return applied("var", x, axis=plain_axis(axis), correction=correction, keepdims=keepdims)


def std(
    x: SecretArray, /, *, axis: Axis = None, correction: float = 0.0, keepdims: bool = False
) -> SecretArray:
    """The square root of :func:`var`."""
    return applied("sqrt", var(x, axis=axis, correction=correction, keepdims=keepdims))


def cumulative_sum(
    x: SecretArray,
    /,
    *,
    axis: int | None = None,
    dtype: DType | None = None,
    include_initial: bool = False,
) -> SecretArray:
    """The sums of the first 1, 2, …, n along an axis. Local; booleans are counted."""
    chosen = _only_axis("cumulative_sum", x, axis)
    sums = applied("cumulative_sum", x, axis=chosen, include_initial=include_initial)
    return _typed(sums, dtype)


def cumulative_prod(
    x: SecretArray,
    /,
    *,
    axis: int | None = None,
    dtype: DType | None = None,
    include_initial: bool = False,
) -> SecretArray:
    """The products of the first 1, 2, …, n along an axis, in ceil(log2 n) levels."""
    chosen = _only_axis("cumulative_prod", x, axis)
    factors = x if dtype is None else x.astype(dtype)
    return applied("cumulative_prod", factors, axis=chosen, include_initial=include_initial)


def _only_axis(name: str, x: Any, axis: int | None) -> int:
    array = secret_operand(name, x)
    if axis is None and array.ndim != 1:
        raise ShapeError(
            f"{name}: an array of {array.ndim} dimensions needs an axis.",
            next_step="name it: axis=0.",
            case=12,
            stage=name,
        )
    return 0 if axis is None else operator.index(axis)


def diff(
    x: SecretArray,
    /,
    *,
    axis: int = -1,
    n: int = 1,
    prepend: Any = None,
    append: Any = None,
) -> SecretArray:
    """Each element minus the one before it along an axis, n times. Local.

    Parameters
    ----------
    x : SecretArray
    axis : int
    n : int
        How often differences are taken.
    prepend, append : SecretArray or array_like, optional
        What is joined to x before that, at its ends along the axis.
    """
    parts = [part for part in (prepend, x, append) if part is not None]
    joined = applied("concatenate", *parts, axis=axis) if len(parts) > 1 else x
    return applied("diff", joined, axis=axis, n=n)
