"""Elimination: triangular systems, L U with pivots, determinants. Part of ``tacit.linalg``.

Written in functions of tacit, with 24 fraction bits inside where an array has fewer (Golub and Van
Loan, Matrix Computations, 4th edition: substitution 3.1, elimination with partial pivoting 3.4).
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from tacit.arrays import functions as f
from tacit.arrays.array import SecretArray, applied, secret_operand
from tacit.encoding.types import DType, fixed, fixed_point, int64
from tacit.errors import ShapeError

__all__ = [
    "Determinant",
    "Eliminated",
    "eliminated",
    "fine_reciprocal",
    "finer",
    "lu",
    "slogdet",
    "solve_triangular",
]

WORK_BITS: Final = 24
"""Fraction bits inside: room for numbers below 2^12, and errors of 6e-8 an operation."""


def finer(x: Any) -> tuple[Any, DType]:
    """A secret array in the type that is computed in, and the type for the results.

    Its bounds end here: those of each step would grow until what works is refused.
    """
    kind = x.dtype if x.dtype.kind == "fixed" else fixed
    wide = kind if kind.fraction_bits >= WORK_BITS else fixed_point(WORK_BITS)
    return applied("unbounded", x.astype(wide)), kind


def fine_reciprocal(x: SecretArray) -> SecretArray:
    """1 / x with a step of Newton behind: relative error of about 2^-24 |x|^-1, and 2^-26."""
    first = f.reciprocal(x)
    return first * (2.0 - x * first)


def solve_triangular(
    a: Any, b: Any, /, *, lower: bool = False, trans: bool = False, unit_diagonal: bool = False
) -> SecretArray:
    """x with a @ x = b for a triangular matrix, by substitution.

    Parameters
    ----------
    a : SecretArray or array_like, (n, n)
        The other triangle is not looked at. Diagonal elements between 2^-10 and 2^12 in magnitude,
        quotients of a row's elements and its diagonal one, and of x, below 2^12.
    b : SecretArray or array_like, (n,) or (n, m)
    lower : bool
    trans : bool
        Solve aᵀ @ x = b.
    unit_diagonal : bool
        The diagonal is not looked at, and counts as ones.

    Returns
    -------
    SecretArray
        x, of b's shape. Off by at most about κ 2^-21 of the largest element, κ being the condition
        number of the matrix with its rows scaled to a unit diagonal. Meaningless where a diagonal
        element is 0: nobody sees that.

    Notes
    -----
    Rounds of ``replicated3``: 40, and 3 a row. A public matrix is inverted in the clear: a product
    is all that is left.

    Raises
    ------
    ShapeError
        The matrix is not square, or b does not fit (TC-1160).
    """
    if np.ndim(a) != 2 or a.shape[0] != a.shape[1] or np.shape(b)[:1] != a.shape[:1]:
        raise ShapeError(
            f"solve_triangular: shapes {np.shape(a)} and {np.shape(b)} do not fit.",
            next_step="give one matrix (n, n), and b (n,) or (n, m).",
            case=60,
            stage="solve_triangular",
        )
    a, lower = (a.T, not lower) if trans else (a, lower)
    if not isinstance(a, SecretArray):
        return f.matmul(_clear_inverse(np.asarray(a, np.float64), lower, unit_diagonal), b)
    a, kind = finer(a)
    b = finer(b)[0] if isinstance(b, SecretArray) else np.asarray(b, np.float64)
    size, places = a.shape[0], np.arange(a.shape[0])
    columns = f.reshape(b, (size, -1)) if isinstance(b, SecretArray) else b.reshape(size, -1)
    rows: Any = a
    if not unit_diagonal:
        inverse = f.reshape(fine_reciprocal(a[places, places]), (size, 1))
        rows, columns = a * inverse, columns * inverse
    found: list[Any] = []
    order = places if lower else places[::-1]
    for count, row in enumerate(order):
        value = columns[row : row + 1]
        if count:
            left = slice(0, row) if lower else slice(row + 1, size)
            before = found if lower else found[::-1]
            value = value - f.matmul(rows[row : row + 1, left], f.concat(before, axis=0))
        found.append(value if isinstance(value, SecretArray) else a[row, row] * 0.0 + value)
    joined = f.concat(found if lower else found[::-1], axis=0)
    return f.reshape(joined, b.shape).astype(kind)


def _clear_inverse(a: Any, lower: bool, unit_diagonal: bool) -> Any:
    kept = np.tril(a) if lower else np.triu(a)
    if unit_diagonal:
        np.fill_diagonal(kept, 1.0)
    return np.linalg.inv(kept)


class Eliminated(NamedTuple):
    """What :func:`eliminated` gives; m rows, n columns.

    Attributes
    ----------
    packed : SecretArray, (m, n)
        U on and above the diagonal, and L below it; L's diagonal is 1.
    pivots : SecretArray of tacit.int64, (min(m, n),)
        With which row each row was exchanged.
    order : SecretArray of tacit.int64, (m,)
        Which row of the matrix each row of L U is.
    """

    packed: SecretArray
    pivots: SecretArray
    order: SecretArray


def eliminated(x: SecretArray) -> Eliminated:
    """L and U in one array, and the secret exchanges of rows; see :func:`lu`."""
    found, kind = _fine(x)
    return found._replace(packed=found.packed.astype(kind))


def _fine(x: SecretArray) -> tuple[Eliminated, DType]:
    """In the type that is computed in, and the type for the results."""
    array = secret_operand("lu", x)
    if array.ndim != 2 or not array.size:
        raise ShapeError(
            f"lu: an array of shape {array.shape} is not one matrix.",
            next_step="give one matrix (m, n).",
            case=60,
            stage="lu",
        )
    left, kind = finer(array)
    count, width = left.shape
    session = array.session
    order = f.asarray(np.arange(count), device=session)
    tops, pivots = [], []
    for step in range(min(count, width)):
        # `left` holds the rows that are no rows of U yet: L's columns, then what is left to do.
        pivot = f.asarray(step, device=session)
        if step < count - 1:
            chosen = f.argmax(f.abs(left[:, step]), axis=0)
            here = f.one_hot(chosen, count - step).astype(int64)
            moved = here - np.eye(1, count - step, dtype=np.int64)[0]
            best = f.matmul(f.reshape(here, (1, -1)), left)
            left = left + f.reshape(moved, (-1, 1)) * (left[:1] - best)
            rest = order[step:]
            rest = rest + moved * (rest[0] - f.sum(here * rest))
            order, pivot = f.concat([order[:step], rest]), chosen + step
        pivots.append(pivot)
        top, below = left[:1], left[1:]
        tops.append(top)
        left = below
        if below.shape[0]:
            factors = below[:, step : step + 1] * fine_reciprocal(top[:, step : step + 1])
            active = below[:, step + 1 :] - factors * top[:, step + 1 :]
            left = f.concat([below[:, :step], factors, active], axis=1)
    packed = f.concat([*tops, left] if left.shape[0] else tops, axis=0)
    return Eliminated(packed, f.stack(pivots), order), kind


def lu(x: SecretArray, /) -> tuple[SecretArray, SecretArray, SecretArray]:
    """P, L and U with x = P @ L @ U, as SciPy has them: elimination with partial pivoting.

    Parameters
    ----------
    x : SecretArray, (m, n)
        Elements, and those of U, below 2^12; pivots of at least 2^-10. Integers become
        ``tacit.fixed``.

    Returns
    -------
    P : SecretArray of tacit.bool, (m, m)
        Which rows were exchanged stays secret.
    L : SecretArray, (m, min(m, n))
        Ones on the diagonal, no element above 1 in magnitude.
    U : SecretArray, (min(m, n), n)
        P @ L @ U is off by at most 3 units in the last place, and n 2^-20 of the largest element
        of x. Meaningless where a pivot is below 2^-10: nobody sees that. Where candidates for a
        pivot are equal but for rounding, another one may be taken than by SciPy.

    Notes
    -----
    Rounds of ``replicated3``: about 75 for each of min(m, n) pivots.

    Raises
    ------
    ShapeError
        x is not one matrix (TC-1160).
    """
    found = eliminated(x)
    size = min(x.shape)
    lower = f.tril(found.packed[:, :size], k=-1) + np.eye(x.shape[0], size)
    places = f.one_hot(found.order, x.shape[0])
    return places.T, lower, f.triu(found.packed[:size])


class Determinant(NamedTuple):
    """What :func:`slogdet` gives."""

    sign: SecretArray
    logabsdet: SecretArray


def slogdet(x: SecretArray, /) -> Determinant:
    """The sign of a determinant, and the logarithm of its magnitude, by :func:`lu`.

    Parameters
    ----------
    x : SecretArray, (n, n)
        In the domain of :func:`lu`: no pivot is 0.

    Returns
    -------
    sign, logabsdet : SecretArray, ()
        The logarithm is off by at most n (2^-15 + κ 2^-20), κ being the condition number.
    """
    found, kind = _fine(x)
    if x.shape[0] != x.shape[1]:
        raise ShapeError(
            f"slogdet: an array of shape {x.shape} is not one square matrix.",
            next_step="give one matrix (n, n).",
            case=60,
            stage="slogdet",
        )
    size = x.shape[0]
    pivots = f.diagonal(found.packed)
    changes = f.sum(f.concat([pivots < 0, found.pivots != np.arange(size)]))
    odd = f.bitwise_and(changes, 1) != 0
    return Determinant(1.0 - 2.0 * odd, f.sum(f.log(f.abs(pivots))).astype(kind))
