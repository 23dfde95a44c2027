"""Linear systems and inverses of symmetric positive definite matrices, in few rounds.

Elimination needs a reciprocal a column, one after the other. Products are cheap here and rounds
are not, so the inverse comes from products alone, in rounds that grow with log(n), not n:

1. Scaling to a unit diagonal: R = S A S with S = diag(1 / sqrt(a_ii)), rounded. Whatever S is,
   A x = b is R z = S b with x = S z, so its rounding costs nothing; among diagonal scalings this
   one is within a factor n of the best condition number (van der Sluis 1969). Eigenvalues of R
   lie in (0, n].
2. Newton's iteration X ← X (2 I - R X) (Schulz 1933; Ben-Israel 1965), accelerated by public
   factors, X ← X (m_1 I - m_2 R X), chosen for the interval in which the eigenvalues of R X must
   lie (Pan and Schreiber 1991).
3. z = X S b, and one refinement z ← z + X (S b - R z).

``docs/decisions/0031-linear-systems-by-products.md`` has the ranges.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from tacit.functions.costs import NOTHING, Costs, in_sequence, side_by_side
from tacit.functions.domains import require_fraction_bits
from tacit.functions.parts import as_part
from tacit.functions.roots import rsqrt, rsqrt_cost
from tacit.protocols.interface import Party
from tacit.rounds.combine import together
from tacit.rounds.contract import Step
from tacit.rounds.cost import Declaration

__all__ = [
    "SMALLEST_EIGENVALUE",
    "inverse",
    "inverse_cost",
    "least_squares",
    "least_squares_cost",
    "solve",
    "solve_cost",
]

SMALLEST_EIGENVALUE = 2.0**-10
"""Of the matrix scaled to a unit diagonal: what the iteration is long enough for."""

S_SCALE = 18
R_SCALE = 28
X_SCALE = 24
Z_SCALE = 22
GRAM_SCALE = 24
"""Fractional bits of a Gram matrix and of its right-hand side."""

PRODUCT_SCALE = 26
"""Fractional bits of m_1 I - m_2 R X."""

FACTOR_BITS = 4
"""Fractional bits of m_1 and m_2 while they differ from 2 and 1."""

START_BITS = 24
"""Fractional bits of the square of the first factor."""

CONVERGED = 2.0**-22


@dataclass(frozen=True, slots=True)
class _Scaled:
    """S as a vector, R and the approximate inverse X of R."""

    s: Any
    r: Any
    x: Any


@dataclass(frozen=True, slots=True)
class _Factors:
    """m_1 and m_2 at FACTOR_BITS, or exactly 2 and 1 where `plain`."""

    first: int
    second: int
    plain: bool


@lru_cache(maxsize=64)
def _schedule(size: int) -> tuple[float, tuple[_Factors, ...]]:
    """The first X = c I, and the factors of every iteration; public, from the size alone.

    The first iteration is X = 2 c I - c^2 R without a product. `low` and `high` bound the
    eigenvalues of R X; the margins are more than what rounding adds to them.
    """
    largest = size * 1.01 if size > 1 else 1.5
    start = 2 / (largest + SMALLEST_EIGENVALUE)
    low, high = start * SMALLEST_EIGENVALUE * (2 - start * SMALLEST_EIGENVALUE), 1.0
    factors = []
    unit = 1 << FACTOR_BITS
    grid = np.arange(1, 5 * unit) / unit
    first, second = grid[:, None], grid[None, :]
    while low < 0.75:
        high += 2.0**-8
        vertex = np.clip(first / (2 * second), low, high)
        top = first * vertex - second * vertex**2
        bottom = np.minimum(first * low - second * low**2, first * high - second * high**2)
        worst = np.where(top <= 1.25, bottom, -1.0)
        i, j = np.unravel_index(np.argmax(worst), worst.shape)
        factors.append(_Factors(int(i) + 1, int(j) + 1, False))
        low, high = 0.98 * float(bottom[i, j]), float(top[i, j])
    error = max(1 - low, high + 2.0**-8 - 1)
    while error > CONVERGED:
        factors.append(_Factors(2, 1, True))
        error = error**2
    return start, tuple(factors)


def _rows_times(party: Party, s: Any, matrix: Any, bits: int) -> Step[Any]:
    """diag(s) · matrix, truncated."""
    column = party.broadcast(s.reshape(s.size, 1), matrix.shape)
    return (yield from party.multiply_truncate(column, matrix, bits))


def _scaled_inverse(party: Party, matrix: Any, scale: int) -> Step[_Scaled]:
    """Steps 1 and 2 for a matrix at `scale`."""
    size = matrix.shape[0]
    places = np.arange(size)
    diagonal = matrix.map(lambda share: share[places, places])
    if scale > S_SCALE:
        diagonal = yield from party.truncate(diagonal, scale - S_SCALE)
    elif scale < S_SCALE:
        diagonal = party.multiply_public(diagonal, 1 << (S_SCALE - scale))
    s = yield from rsqrt(as_part(party), diagonal, S_SCALE)
    half = yield from _rows_times(party, s, matrix, scale + S_SCALE - R_SCALE)
    across = party.broadcast(s.reshape(1, size), matrix.shape)
    r = yield from party.multiply_truncate(half, across, S_SCALE)
    start, factors = _schedule(size)
    identity = np.eye(size, dtype=np.int64)
    square = party.multiply_public(r, round(start**2 * (1 << START_BITS)))
    x = yield from party.truncate(square, R_SCALE + START_BITS - X_SCALE)
    x = party.add_public(party.negate(x), round(2 * start * (1 << X_SCALE)) * identity)
    for factor in factors:
        own = PRODUCT_SCALE if factor.plain else PRODUCT_SCALE - FACTOR_BITS
        product = yield from party.matmul_truncate(r, x, R_SCALE + X_SCALE - own)
        difference = party.add_public(
            party.multiply_public(product, -factor.second), (factor.first << own) * identity
        )
        x = yield from party.matmul_truncate(x, difference, PRODUCT_SCALE)
    return _Scaled(s, r, x)


def _scaled_inverse_cost(costs: Costs, size: int, scale: int) -> Declaration:
    square = size * size
    shape = (size, size)
    parts = [costs["truncate"](size, scale - S_SCALE)] if scale > S_SCALE else []
    parts += [
        rsqrt_cost(costs, size, S_SCALE),
        costs["multiply_truncate"](square, scale + S_SCALE - R_SCALE),
        costs["multiply_truncate"](square, S_SCALE),
        costs["truncate"](square, R_SCALE + START_BITS - X_SCALE),
    ]
    for factor in _schedule(size)[1]:
        own = PRODUCT_SCALE if factor.plain else PRODUCT_SCALE - FACTOR_BITS
        parts.append(costs["matmul_truncate"](shape, shape, R_SCALE + X_SCALE - own))
        parts.append(costs["matmul_truncate"](shape, shape, PRODUCT_SCALE))
    return in_sequence(*parts)


def inverse(party: Party, matrix: Any, fraction_bits: int) -> Step[Any]:
    """The inverse of a symmetric positive definite matrix.

    Parameters
    ----------
    party : Party
    matrix : arithmetic sharing, (n, n)
        f = `fraction_bits` fractional bits. Symmetric, diagonal in [2^-11, 2^26], and scaled to a
        unit diagonal its eigenvalues are at least 2^-10. Elsewhere the result is meaningless.
    fraction_bits : int
        12 to 24.

    Returns
    -------
    arithmetic sharing, (n, n)
        f fractional bits. Error at most 2 units in the last place and, with κ the condition number
        of the scaled matrix, κ 2^-21 times the largest |x_ij| sqrt(a_ii a_jj), over
        sqrt(a_ii a_jj).

    Notes
    -----
    Rounds: an inverse square root, and 6 an iteration: 7 iterations for n = 1 to 13 for n =
    100. Nothing is revealed.
    """
    require_fraction_bits("inv", fraction_bits)
    size = matrix.shape[0]
    if size == 0:
        return matrix
    parts = yield from _scaled_inverse(party, matrix, fraction_bits)
    rows = yield from _rows_times(party, parts.s, parts.x, S_SCALE)
    across = party.broadcast(parts.s.reshape(1, size), matrix.shape)
    return (yield from party.multiply_truncate(rows, across, S_SCALE + X_SCALE - fraction_bits))


def inverse_cost(costs: Costs, size: int, fraction_bits: int = 18) -> Declaration:
    """Of `inverse` of a matrix (size, size)."""
    if size == 0:
        return NOTHING
    product = costs["multiply_truncate"]
    return in_sequence(
        _scaled_inverse_cost(costs, size, fraction_bits),
        product(size * size, S_SCALE),
        product(size * size, S_SCALE + X_SCALE - fraction_bits),
    )


def solve(party: Party, matrix: Any, right: Any, fraction_bits: int) -> Step[Any]:
    """x with matrix @ x = right, for a symmetric positive definite matrix.

    Parameters
    ----------
    party : Party
    matrix : arithmetic sharing, (n, n)
        As in `inverse`.
    right : arithmetic sharing, (n, m)
        f fractional bits.

    Returns
    -------
    arithmetic sharing, (n, m)
        f fractional bits; |x_i| sqrt(a_ii) < 2^16. Error at most 2 units in the last place and,
        with κ as in `inverse`, κ 2^-21 times the largest of 1 and |x_j| sqrt(a_jj), over
        sqrt(a_ii).

    Notes
    -----
    Rounds: those of `inverse` and 9 more.
    """
    require_fraction_bits("solve", fraction_bits)
    if matrix.shape[0] == 0 or right.size == 0:
        return right
    return (yield from _solve(party, matrix, fraction_bits, right, fraction_bits, fraction_bits))


def _solve(
    party: Party, matrix: Any, scale: int, right: Any, right_scale: int, fraction_bits: int
) -> Step[Any]:
    """Step 3 with its own scales."""
    parts = yield from _scaled_inverse(party, matrix, scale)
    c = yield from _rows_times(party, parts.s, right, right_scale + S_SCALE - Z_SCALE)
    z = yield from party.matmul_truncate(parts.x, c, X_SCALE)
    found = yield from party.matmul_truncate(parts.r, z, R_SCALE)
    z = party.add(z, (yield from party.matmul_truncate(parts.x, party.subtract(c, found), X_SCALE)))
    return (yield from _rows_times(party, parts.s, z, S_SCALE + Z_SCALE - fraction_bits))


def solve_cost(costs: Costs, size: int, columns: int, fraction_bits: int = 18) -> Declaration:
    """Of `solve` for `columns` right-hand sides."""
    if size == 0 or columns == 0:
        return NOTHING
    return _solve_cost(costs, size, columns, fraction_bits, fraction_bits, fraction_bits)


def _solve_cost(
    costs: Costs, size: int, columns: int, scale: int, right_scale: int, fraction_bits: int
) -> Declaration:
    square, right = (size, size), (size, columns)
    by_x = costs["matmul_truncate"](square, right, X_SCALE)
    return in_sequence(
        _scaled_inverse_cost(costs, size, scale),
        costs["multiply_truncate"](size * columns, right_scale + S_SCALE - Z_SCALE),
        by_x,
        costs["matmul_truncate"](square, right, R_SCALE),
        by_x,
        costs["multiply_truncate"](size * columns, S_SCALE + Z_SCALE - fraction_bits),
    )


def _gram_scale(rows: int, fraction_bits: int) -> tuple[int, int]:
    """The power of two from `rows` up, and the Gram matrix's fractional bits after it."""
    power = (rows - 1).bit_length()
    return power, min(GRAM_SCALE, 2 * fraction_bits + power - 1)


def least_squares(
    party: Party, x: Any, y: Any, fraction_bits: int, penalty: Any = 0.0
) -> Step[Any]:
    """w that minimises ‖x w - y‖² + Σ penalty_j w_j², by the normal equations.

    Parameters
    ----------
    party : Party
    x : arithmetic sharing, (n, d)
        f = `fraction_bits` fractional bits; n > 0, and Σ x² of a column below 2^(62 - 2f).
    y : arithmetic sharing, (n, m)
    penalty : float or ndarray of float, (d,)
        Public, not negative.

    Returns
    -------
    arithmetic sharing, (d, m)
        As `solve` for the matrix xᵀx / p and the right-hand side xᵀy / p with p the power of two
        from n up, both at 24 fractional bits: the mean squares of columns must be in
        [2^-11, 2^13]. κ is that of the Gram matrix, the square of x's.

    Notes
    -----
    Rounds: 3 and those of `solve`.
    """
    require_fraction_bits("lstsq", fraction_bits)
    rows, columns = x.shape
    power, scale = _gram_scale(rows, fraction_bits)
    dropped = 2 * fraction_bits + power - scale
    transposed = x.map(lambda share: share.T)
    gram, right = yield from together(
        party.matmul_truncate(transposed, x, dropped), party.matmul_truncate(transposed, y, dropped)
    )
    ridge = np.broadcast_to(np.asarray(penalty, np.float64) / (1 << power), (columns,))
    diagonal = np.diag(np.rint(ridge * (1 << scale)).astype(np.int64))
    gram = party.add_public(gram, diagonal)
    return (yield from _solve(party, gram, scale, right, scale, fraction_bits))


def least_squares_cost(
    costs: Costs, rows: int, size: int, columns: int, fraction_bits: int = 18
) -> Declaration:
    """Of `least_squares` with x (rows, size) and y (rows, columns)."""
    power, scale = _gram_scale(rows, fraction_bits)
    dropped = 2 * fraction_bits + power - scale
    return in_sequence(
        side_by_side(
            costs["matmul_truncate"]((size, rows), (rows, size), dropped),
            costs["matmul_truncate"]((size, rows), (rows, columns), dropped),
        ),
        _solve_cost(costs, size, columns, scale, scale, fraction_bits),
    )
