"""Extremes, order statistics, places among edges, and elements at secret positions.

Comparisons are exact for differences below 2^63 in the ring, which holds for all fixed-point
numbers.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from tacit.arrays.array import Axis, SecretArray, applied, applied_all, plain_axis, secret_operand
from tacit.arrays.functions.sorting import key_bits

__all__ = [
    "all",
    "any",
    "argmax",
    "argmin",
    "count_nonzero",
    "isin",
    "max",
    "median",
    "min",
    "one_hot",
    "quantile",
    "searchsorted",
    "topk",
]


def max(x: SecretArray, /, *, axis: Axis = None, keepdims: bool = False) -> SecretArray:
    """The largest element over axes, all of them by default. Exact; log2 n levels of 9 rounds."""
    return applied("max", x, axis=plain_axis(axis), keepdims=keepdims)


def min(x: SecretArray, /, *, axis: Axis = None, keepdims: bool = False) -> SecretArray:
    """The smallest element over axes, all of them by default. Exact; see :func:`max`."""
    return applied("min", x, axis=plain_axis(axis), keepdims=keepdims)


def argmax(x: SecretArray, /, *, axis: int | None = None, keepdims: bool = False) -> SecretArray:
    """Where the largest element stands, a secret position; of equal ones the first.

    Along an axis, or in the flattened array. log2 n levels of 9 rounds.
    """
    return applied("argmax", x, axis=plain_axis(axis), keepdims=keepdims)


def argmin(x: SecretArray, /, *, axis: int | None = None, keepdims: bool = False) -> SecretArray:
    """Where the smallest element stands, a secret position; of equal ones the first."""
    return applied("argmin", x, axis=plain_axis(axis), keepdims=keepdims)


def _truths(name: str, x: Any) -> SecretArray:
    array = secret_operand(name, x)
    return array if array.dtype.kind == "bool" else array != 0


def any(x: SecretArray, /, *, axis: Axis = None, keepdims: bool = False) -> SecretArray:
    """Whether any element is true (not zero) over axes; false where there are none."""
    return applied("any", _truths("any", x), axis=plain_axis(axis), keepdims=keepdims)


def all(x: SecretArray, /, *, axis: Axis = None, keepdims: bool = False) -> SecretArray:
    """Whether all elements are true (not zero) over axes; true where there are none."""
    return applied("all", _truths("all", x), axis=plain_axis(axis), keepdims=keepdims)


def count_nonzero(x: SecretArray, /, *, axis: Axis = None, keepdims: bool = False) -> SecretArray:
    """How many elements are true (not zero) over axes; the count is secret."""
    return _truths("count_nonzero", x).sum(axis, keepdims)


def topk(
    x: SecretArray, k: int, /, *, axis: int = -1, largest: bool = True
) -> tuple[SecretArray, SecretArray]:
    """The k largest (or smallest) elements along an axis, best first, and their positions.

    Ties go to the first element. Elements are shuffled and compared in the open, as in
    :func:`tacit.sort`; those that cannot be among the k are dropped on the way.
    """
    values, indices = applied_all(
        "topk", x, k=operator.index(k), axis=axis, largest=largest, key_bits=key_bits(x)
    )
    return values, indices


def median(x: SecretArray, /, *, axis: Axis = None, keepdims: bool = False) -> SecretArray:
    """The median over axes: the mean of the two middle elements where there are two.

    In fixed point; error at most one unit in the last place. Of n elements about 7 n are compared.
    """
    bits = key_bits(x)
    return applied("median", x, axis=plain_axis(axis), keepdims=keepdims, key_bits=bits)


def quantile(
    x: SecretArray,
    q: float | Sequence[float],
    /,
    *,
    axis: Axis = None,
    keepdims: bool = False,
) -> SecretArray:
    """Quantiles over axes for public fractions q, linear between elements as in NumPy.

    Parameters
    ----------
    x : SecretArray
        Neighbouring elements differ by less than 2^(62 - 2f), f the fraction bits.
    q : float or sequence of float
        Within 0 to 1. A sequence makes a new first axis.
    axis, keepdims
        As for :func:`tacit.mean`.
    """
    fractions = np.asarray(q, np.float64)
    return applied(
        "quantile",
        x,
        axis=plain_axis(axis),
        keepdims=keepdims,
        q=tuple(fractions.reshape(-1).tolist()),
        single=fractions.ndim == 0,
        key_bits=key_bits(x),
    )


def searchsorted(
    x1: Any, x2: Any, /, *, side: Literal["left", "right"] = "left", sorter: None = None
) -> SecretArray:
    """Where elements of x2 would go among the sorted x1: how many of x1 are below them.

    Parameters
    ----------
    x1 : array of one axis
        Edges in ascending order; public or secret.
    x2 : array
        Public or secret; one of the two is secret.
    side : {"left", "right"}
        Before or after equal edges.

    Notes
    -----
    All pairs are compared: 9 rounds (again for every 2^19 pairs), 66 bytes a pair.
    """
    if side not in ("left", "right") or sorter is not None:
        raise ValueError('side is "left" or "right", and x1 is sorted: sorter is not supported')
    return applied("searchsorted", x1, x2, right=side == "right")


def isin(x: SecretArray, values: Any, /, *, invert: bool = False) -> SecretArray:
    """Whether each element is one of some public values; 8 rounds."""
    found = applied("isin", x, values)
    return ~found if invert else found


def one_hot(x: SecretArray, classes: int, /) -> SecretArray:
    """A secret boolean for each class 0 to classes - 1, along a new last axis.

    All false for integers outside. 7 rounds; classes + 1 sign bits an element. For numbers instead
    of booleans: ``tacit.one_hot(x, n).astype(tacit.int64)``.
    """
    return applied("one_hot", x, classes=operator.index(classes))
