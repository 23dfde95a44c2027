"""Linear systems, factorizations and eigenvectors of secret matrices.

All take single matrices, in fixed point. They are part of ``tacit.linalg``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from tacit.arrays.array import SecretArray, applied, applied_all
from tacit.errors import UsageError

__all__ = ["cholesky", "det", "inv", "leading_eigenvectors", "lstsq", "solve"]


def solve(x1: Any, x2: Any, /, *, assume_a: Literal["gen", "pos"] = "gen") -> SecretArray:
    """x with x1 @ x = x2.

    Parameters
    ----------
    x1 : SecretArray or array_like, (n, n)
    x2 : SecretArray or array_like, (n,) or (n, m)
    assume_a : {"gen", "pos"}
        As in SciPy: "pos" for a symmetric positive definite matrix, which is far more accurate; any
        other matrix goes through the normal equations x1ᵀ x1 x = x1ᵀ x2.

    Returns
    -------
    SecretArray
        x, of x2's shape. With "pos": scaled to a unit diagonal the smallest eigenvalue must
        be at least 2^-10; each x_i is off by at most 2 units in the last place and κ 2^-21 times
        the largest of 1 and |x_j| sqrt(a_jj), over sqrt(a_ii), κ being the scaled matrix's
        condition number. With "gen" that matrix is x1ᵀ x1. A matrix outside gives a meaningless
        result: nobody sees that it is singular.

    Notes
    -----
    Rounds: 107 for n = 2, 125 for n = 60 (``replicated3``).
    """
    return applied("solve", x1, x2, assume_a=assume_a)


def lstsq(x1: Any, x2: Any, /, *, penalty: float | Sequence[float] = 0.0) -> SecretArray:
    """w that minimises ‖x1 w - x2‖² + Σ penalty_j w_j².

    Parameters
    ----------
    x1 : SecretArray or array_like, (n, d)
        The mean square of every column lies between 2^-11 and 2^13.
    x2 : SecretArray or array_like, (n,) or (n, m)
    penalty : float or sequence of float
        Public: the ridge penalty, for all columns or for each.

    Returns
    -------
    SecretArray
        w alone, (d,) or (d, m), without NumPy's residuals, rank and singular values. As accurate as
        :func:`solve` with "pos" of x1ᵀ x1 over n (rounded up to a power of two), plus the penalty.
    """
    public = float(penalty) if np.ndim(penalty) == 0 else tuple(map(float, penalty))  # type: ignore[arg-type]
    return applied("lstsq", x1, x2, penalty=public)


def inv(x: SecretArray, /, *, assume_a: Literal["gen", "pos"] = "gen") -> SecretArray:
    """The inverse of a matrix; see :func:`solve` for `assume_a`, domain and accuracy."""
    return applied("inv", x, assume_a=assume_a)


def cholesky(x: SecretArray, /, *, upper: bool = False) -> SecretArray:
    """The lower triangular L with L Lᵀ = x, or the upper one, Lᵀ.

    Parameters
    ----------
    x : SecretArray, (n, n)
        Symmetric positive definite, elements below 2^13, pivots of at least 2^-10.

    Returns
    -------
    SecretArray
        Error at most 2 units in the last place and κ 2^-20 of the largest element. Meaningless
        where x is not positive definite: nobody sees that.

    Notes
    -----
    Rounds: 43 a column (``replicated3``).
    """
    factor = applied("cholesky", x)
    return factor.T if upper else factor


def det(x: SecretArray, /, *, assume_a: Literal["gen", "pos"] = "gen") -> SecretArray:
    """The determinant of a small symmetric positive definite matrix.

    Parameters
    ----------
    x : SecretArray, (n, n)
        As for :func:`cholesky`; products of diagonal elements of its factor below 2^6.
    assume_a : "pos"
        Must be said: there is no determinant of other matrices.

    Returns
    -------
    SecretArray, ()

    Raises
    ------
    UsageError
        `assume_a` is not "pos" (TC-1082).
    """
    if assume_a != "pos":
        raise UsageError(
            "det works for symmetric positive definite matrices only.",
            next_step='say assume_a="pos" if the matrix is one.',
            case=82,
            stage="det",
        )
    return applied("det", x)


def leading_eigenvectors(
    x: SecretArray, /, count: int = 1, *, squarings: int = 8
) -> tuple[SecretArray, SecretArray]:
    """The largest eigenvalues of a symmetric positive semidefinite matrix, and eigenvectors.

    Parameters
    ----------
    x : SecretArray, (n, n)
        Its trace, and what is left of it before each vector, lies between 2^-6 and 2^12.
    count : int
        How many; public.
    squarings : int
        s: the power method makes 2^s steps, however fast it converges. The component along an
        eigenvector of q times the largest eigenvalue is left with weight q^(2^s).

    Returns
    -------
    values : SecretArray, (count,)
    vectors : SecretArray, (n, count)
        Columns of length 1, of arbitrary signs.

    Notes
    -----
    Rounds a vector: about 90 and 17 a squaring for n = 2, 24 for n = 40 (``replicated3``).
    """
    values, vectors = applied_all("leading_eigenvectors", x, count=count, squarings=squarings)
    return values, vectors
