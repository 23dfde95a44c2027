"""Orthogonal factors: Q R, eigenvalues, singular values. Part of ``tacit.linalg``.

How often rotations sweep over a matrix is public, so nothing shows how fast they converge. Written
in functions of tacit, with 24 fraction bits inside where an array has fewer.

- Q R: Gram and Schmidt's way, twice (Giraud, Langou, Rozložník 2005, "twice is enough").
- Eigenvalues: Jacobi's rotations of disjoint pairs at once (Jacobi 1846; Brent and Luk 1985).
- Singular values: the same on columns (Hestenes 1958), which never squares the matrix as a whole.
"""

from __future__ import annotations

from math import ceil, log2
from typing import Any, NamedTuple

import numpy as np

from tacit.arrays import functions as f
from tacit.arrays.array import SecretArray, secret_operand
from tacit.arrays.elimination import finer
from tacit.arrays.functions.control import fori_loop
from tacit.errors import ShapeError, UsageError

__all__ = ["EigenSystem", "SingularValues", "eigh", "eigvalsh", "qr", "svd", "svdvals"]


def qr(x: SecretArray, /) -> tuple[SecretArray, SecretArray]:
    """Q with orthonormal columns, and R upper triangular, with x = Q @ R.

    Parameters
    ----------
    x : SecretArray, (m, n)
        Elements and lengths of columns below 2^6. What is left of each of the first min(m, n)
        columns beside those before it is at least 2^-6 long.

    Returns
    -------
    Q : SecretArray, (m, min(m, n))
    R : SecretArray, (min(m, n), n)
        With a positive diagonal, where other libraries may have negative ones. Both are off by at
        most a few units in the last place, and κ 2^-20 of the largest element, κ being the
        condition number. Meaningless where columns depend on each other: nobody sees that.

    Notes
    -----
    Rounds of ``replicated3``: about 52 for each of min(m, n) columns.

    Raises
    ------
    ShapeError
        x is not one matrix (TC-1160).
    """
    array = _matrix("qr", x)
    left, kind = finer(array)
    count = min(left.shape)
    q: Any = None
    for place in range(count):
        column = left[:, place : place + 1]
        for _ in range(2 if place else 0):
            column = column - f.matmul(q, f.matmul(q.T, column))
        column = _unit(column)
        q = column if q is None else f.concat([q, column], axis=1)
    return q.astype(kind), f.triu(f.matmul(q.T, left).astype(kind))


def _unit(columns: Any) -> Any:
    """Columns of length 1: by an inverse root, and a step of Newton that corrects its error."""
    first = columns * f.rsqrt(f.sum(f.square(columns), axis=0))
    return first * (1.5 - 0.5 * f.sum(f.square(first), axis=0))


class EigenSystem(NamedTuple):
    """What :func:`eigh` gives."""

    eigenvalues: SecretArray
    eigenvectors: SecretArray


def eigh(x: SecretArray, /, *, sweeps: int | None = None) -> EigenSystem:
    """All eigenvalues and eigenvectors of a symmetric matrix.

    Parameters
    ----------
    x : SecretArray, (n, n)
        Symmetric, with eigenvalues below 2^11 in magnitude.
    sweeps : int, optional
        How often every pair of rows is rotated; public. 4 and log2 n, rounded up, by default.

    Returns
    -------
    eigenvalues : SecretArray, (n,)
        In ascending order. Off by at most n 2^-20 of the largest one, and two units in the last
        place.
    eigenvectors : SecretArray, (n, n)
        Orthonormal columns in the same order, of arbitrary signs. Off by at most 4 units in the
        last place, and n 2^-19 of the largest eigenvalue over the distance to the next one; of
        equal ones some vectors of their space.

    Notes
    -----
    Rounds of ``replicated3``: about 90 for each of n - 1 (n for an odd n) steps of a sweep, and a
    sort. In a program it is one loop.

    Raises
    ------
    ShapeError
        x is not one square matrix (TC-1160).
    UsageError
        `sweeps` is not between 1 and 30 (TC-1083).
    """
    array = _matrix("eigh", x)
    size = array.shape[0]
    if array.shape[1] != size:
        raise ShapeError(
            f"eigh: an array of shape {array.shape} is not one square matrix.",
            next_step="give one matrix (n, n).",
            case=60,
            stage="eigh",
        )
    times = _sweeps("eigh", sweeps, size)
    matrix, kind = finer(array)
    vectors: Any = f.eye(size, dtype=matrix.dtype, device=array.session)
    if size > 1:
        pairs = _Pairs(size)

        def step(_: Any, carry: list[Any]) -> list[Any]:
            a, v = carry
            first, second = pairs.first, pairs.second
            c, s = _rotation(a[first, first], a[second, second], a[first, second])
            both = pairs.rotated(f.concat([a, v], axis=0), c, s)
            rows = pairs.rotated(both[:size].T, c, s)
            return [rows, both[size:]]

        matrix, vectors = fori_loop(0, times * pairs.steps, step, [matrix, vectors])
    return EigenSystem(*_ascending(f.diagonal(matrix).astype(kind), vectors.astype(kind)))


def eigvalsh(x: SecretArray, /, *, sweeps: int | None = None) -> SecretArray:
    """The eigenvalues of a symmetric matrix in ascending order; see :func:`eigh`."""
    return eigh(x, sweeps=sweeps).eigenvalues


class SingularValues(NamedTuple):
    """What :func:`svd` gives."""

    U: SecretArray
    S: SecretArray
    Vh: SecretArray


def svd(x: SecretArray, /, *, full_matrices: bool = False, sweeps: int | None = None) -> Any:
    """U, S and Vh with x = U @ diag(S) @ Vh.

    Parameters
    ----------
    x : SecretArray, (m, n)
        Lengths of columns (of rows where m < n) below 2^5.
    full_matrices : False
        Columns beyond min(m, n) are not made up.
    sweeps : int, optional
        As of :func:`eigh`.

    Returns
    -------
    U : SecretArray, (m, k), k = min(m, n)
    S : SecretArray, (k,)
        In descending order. Off by at most k 2^-20 of the largest one, and two units in the last
        place.
    Vh : SecretArray, (k, n)
        Signs of columns of U and rows of Vh are arbitrary. U @ diag(S) @ Vh is off by at most 4
        units in the last place, and 2^-18 of the largest singular value. Columns of U (of V where
        m < n) are orthogonal but for 4 units over the smallest singular value; of 0 they are 0.

    Raises
    ------
    ShapeError
        x is not one matrix (TC-1160).
    UsageError
        `sweeps` is not between 1 and 30, or all columns of U are asked for (TC-1083).
    """
    array = _matrix("svd", x)
    if full_matrices and array.shape[0] != array.shape[1]:
        raise UsageError(
            "svd: full_matrices=True asks for columns that the matrix does not have.",
            next_step="use full_matrices=False.",
            case=83,
            stage="svd",
        )
    if array.shape[0] < array.shape[1]:
        u, s, vh = svd(array.T, sweeps=sweeps)
        return SingularValues(vh.T, s, u.T)
    size = array.shape[1]
    times = _sweeps("svd", sweeps, size)
    columns, kind = finer(array)
    length = array.shape[0]
    both = f.concat([columns, f.eye(size, dtype=columns.dtype, device=array.session)], axis=0)
    if size > 1:
        pairs = _Pairs(size)

        def step(_: Any, carry: list[Any]) -> list[Any]:
            p, q = carry[0][:length, pairs.first], carry[0][:length, pairs.second]
            products = f.sum(f.stack([p, q, p]) * f.stack([p, q, q]), axis=1)
            c, s = _rotation(products[0], products[1], products[2])
            return [pairs.rotated(carry[0], c, s)]

        (both,) = fori_loop(0, times * pairs.steps, step, [both])
    a = both[:length]
    u = _unit(a)
    values = f.sum(u * a, axis=0)
    rows = [*f.unstack(u), *f.unstack(both[length:])]
    found = f.sort_by([values, *rows], [values], descending=True)
    parts = [one.astype(kind) for one in found]
    return SingularValues(f.stack(parts[1 : 1 + length]), parts[0], f.stack(parts[1 + length :]).T)


def svdvals(x: SecretArray, /, *, sweeps: int | None = None) -> SecretArray:
    """The singular values of a matrix in descending order; see :func:`svd`."""
    found: SecretArray = svd(x, sweeps=sweeps).S
    return found


class _Pairs:
    """Which columns are rotated together: after each step they move so that all pairs meet.

    Players of a tournament sit at slots; slots 2 k and 2 k + 1 (of an odd number 2 k + 1 and 2 k +
    2, slot 0 pauses) meet, and from round to round all move alike.
    """

    def __init__(self, size: int) -> None:
        self.steps = size - 1 + size % 2
        start = size % 2
        self.first = np.arange(start, size, 2)
        self.second = self.first + 1
        now, then = self._seats(size, 0), self._seats(size, 1)
        self._moves = np.array([now.index(player) for player in then])
        self.left = np.arange(start)

    def _seats(self, size: int, round_: int) -> list[int]:
        count = self.steps
        seats = [] if size % 2 else [size - 1]
        seats.append(round_ % count)
        for apart in range(1, (count + 1) // 2):
            seats += [(round_ + apart) % count, (round_ - apart) % count]
        return seats

    def rotated(self, columns: Any, c: Any, s: Any) -> Any:
        """Columns after a rotation of their pairs, moved to their next seats."""
        p, q = columns[:, self.first], columns[:, self.second]
        products = f.stack([p, q, q, p]) * f.stack([c, s, c, s])[:, None, :]
        turned = [products[0] + products[1], products[2] - products[3]]
        parts = [columns[:, self.left], *turned] if self.left.size else turned
        joined = f.concat(parts, axis=1)
        order = np.concatenate([self.left, self.first, self.second])
        return joined[:, np.argsort(order)[self._moves]]


def _rotation(p: Any, q: Any, r: Any) -> tuple[Any, Any]:
    """Cosine and sine of the angle of at most π/4 that makes ((p, r), (r, q)) diagonal.

    An angle that is off leaves an off-diagonal element as much smaller; that the rotation is one,
    c² + s² = 1, decides about the error: a step of Newton sees to it.
    """
    apart = p - q
    negative = apart < 0
    signed = f.where(negative, f.stack([-apart, -2.0 * r]), f.stack([apart, 2.0 * r]))
    angle = 0.5 * f.atan2(signed[1], signed[0])
    both = f.stack([f.cos(angle), f.sin(angle)])
    found = both * (1.5 - 0.5 * f.sum(f.square(both), axis=0))
    return found[0], found[1]


def _ascending(values: Any, vectors: Any) -> tuple[Any, Any]:
    found = f.sort_by([values, *f.unstack(vectors)], [values])
    return found[0], f.stack(list(found[1:]))


def _matrix(name: str, x: Any) -> SecretArray:
    array = secret_operand(name, x)
    if array.ndim != 2 or not array.size:
        raise ShapeError(
            f"{name}: an array of shape {array.shape} is not one matrix.",
            next_step="give one matrix (m, n).",
            case=60,
            stage=name,
        )
    return array


def _sweeps(name: str, sweeps: int | None, size: int) -> int:
    times = 4 + ceil(log2(max(size, 1))) if sweeps is None else sweeps
    if not 1 <= times <= 30:
        raise UsageError(
            f"{name}: {times} sweeps.", next_step="give 1 to 30 of them.", case=83, stage=name
        )
    return times
