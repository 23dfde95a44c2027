"""``tacit.linalg``: linear algebra under the names of the array API standard and of NumPy.

Norms here, products in ``functions/linear_algebra.py``, systems and leading eigenvectors in
``systems.py``, triangular systems and L U in ``elimination.py``, Q R, eigenvalues and
singular values in ``orthogonal.py``.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from math import inf
from typing import Any

from tacit.arrays.array import Axis, SecretArray, applied, secret_operand
from tacit.arrays.elimination import lu, slogdet, solve_triangular
from tacit.arrays.functions import (
    abs,
    cross,
    diagonal,
    eye,
    matmul,
    matrix_transpose,
    outer,
    square,
    sum,
    tensordot,
    trace,
    vecdot,
)
from tacit.arrays.functions.manipulation import broadcast_to, moveaxis, reshape
from tacit.arrays.orthogonal import eigh, eigvalsh, qr, svd, svdvals
from tacit.arrays.systems import cholesky, det, inv, leading_eigenvectors, lstsq, solve
from tacit.errors import ShapeError, UsageError
from tacit.operations.manipulation import normal_axis

__all__ = [
    "cholesky",
    "cross",
    "det",
    "diagonal",
    "eigh",
    "eigvalsh",
    "inv",
    "leading_eigenvectors",
    "lstsq",
    "lu",
    "matmul",
    "matrix_norm",
    "matrix_power",
    "matrix_transpose",
    "norm",
    "outer",
    "qr",
    "slogdet",
    "solve",
    "solve_triangular",
    "svd",
    "svdvals",
    "tensordot",
    "trace",
    "vecdot",
    "vector_norm",
]


def vector_norm(
    x: SecretArray, /, *, axis: Axis = None, keepdims: bool = False, ord: float = 2
) -> SecretArray:
    """The length of vectors: over axes, all of them by default.

    Parameters
    ----------
    x : SecretArray
    axis : int or sequence of int, optional
    keepdims : bool
        Whether reduced axes stay with length one.
    ord : {2, 1, 0, inf, -inf}
        The root of the sum of squares, the sum of magnitudes, the count of what is not zero, the
        largest or the least magnitude.
    """
    array = secret_operand("vector_norm", x)
    if ord == 2:
        return applied("sqrt", sum(square(array), axis=axis, keepdims=keepdims))
    if ord == 1:
        return sum(abs(array), axis=axis, keepdims=keepdims)
    if ord == 0:
        return sum(applied("not_equal", array, 0), axis=axis, keepdims=keepdims)
    if ord in (inf, -inf):
        return _extreme(abs(array), ord > 0, axis, keepdims)
    raise _unknown("vector_norm", ord, "2, 1, 0, inf or -inf")


def matrix_norm(
    x: SecretArray, /, *, keepdims: bool = False, ord: float | str | None = "fro"
) -> SecretArray:
    """The norm of every matrix, over the last two axes.

    Parameters
    ----------
    x : SecretArray
        (…, m, n).
    keepdims : bool
        Whether the last two axes stay with length one.
    ord : {"fro", 1, -1, inf, -inf}
        The root of the sum of squares; the largest or least sum of magnitudes in a column, in a
        row. Norms of singular values (2, -2, "nuc") are not supported.
    """
    array = secret_operand("matrix_norm", x)
    if array.ndim < 2:
        raise ShapeError(
            f"matrix_norm: an array of shape {array.shape} holds no matrices.",
            next_step="use tacit.linalg.vector_norm.",
            case=60,
            stage="matrix_norm",
        )
    if ord in ("fro", None):
        return vector_norm(array, axis=(-2, -1), keepdims=keepdims)
    if ord in (1, -1, inf, -inf):
        summed, left = (-2, -1) if ord in (1, -1) else (-1, -2)
        sums = sum(abs(array), axis=summed, keepdims=True)
        largest = _extreme(sums, ord in (1, inf), left, True)
        shape = largest.shape if keepdims else largest.shape[:-2]
        return reshape(largest, shape)
    raise _unknown("matrix_norm", ord, "'fro', 1, -1, inf or -inf")


def norm(
    x: SecretArray, /, ord: Any = None, axis: Axis = None, keepdims: bool = False
) -> SecretArray:
    """NumPy's ``norm``: of the flattened array, or of vectors or matrices along axes."""
    array = secret_operand("norm", x)
    if axis is None and (ord is None or array.ndim == 1):
        return vector_norm(array, keepdims=keepdims, ord=2 if ord is None else ord)
    axes = (-2, -1) if axis is None else axis
    if not isinstance(axes, Sequence) or len(axes) == 1:
        return vector_norm(array, axis=axes, keepdims=keepdims, ord=2 if ord is None else ord)
    places = [normal_axis("norm", place, array.ndim) for place in axes]
    result = matrix_norm(moveaxis(array, places, (-2, -1)), keepdims=keepdims, ord=ord)
    return moveaxis(result, (-2, -1), places) if keepdims else result


def matrix_power(x: SecretArray, n: int, /) -> SecretArray:
    """Every square matrix multiplied by itself, in at most 2 log2 n products; n from 0 up."""
    array, exponent = secret_operand("matrix_power", x), operator.index(n)
    if array.ndim < 2 or array.shape[-1] != array.shape[-2] or exponent < 0:
        raise ShapeError(
            f"matrix_power: shape {array.shape} and exponent {exponent} do not fit.",
            next_step="give square matrices and an exponent from 0 up.",
            case=60,
            stage="matrix_power",
        )
    if not exponent:
        unit = eye(array.shape[-1], dtype=array.dtype, device=array.session)
        return broadcast_to(unit, array.shape)
    result, square_ = None, array
    while True:
        if exponent & 1:
            result = square_ if result is None else matmul(result, square_)
        exponent >>= 1
        if not exponent:
            assert result is not None
            return result
        square_ = matmul(square_, square_)


def _extreme(x: SecretArray, largest: bool, axis: Axis, keepdims: bool) -> SecretArray:
    from tacit.arrays import functions

    reduce = getattr(functions, "max" if largest else "min")
    result: SecretArray = reduce(x, axis=axis, keepdims=keepdims)
    return result


def _unknown(name: str, ord: object, known: str) -> UsageError:
    return UsageError(
        f"{name}: the norm {ord!r} is not supported.",
        next_step=f"choose {known}.",
        case=62,
        stage=name,
    )
