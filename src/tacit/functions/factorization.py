"""Cholesky factor and determinant of a symmetric positive definite matrix, column by column.

Column j of the factor is the j-th column of what is left, over the root of its first element p
(Cholesky 1910; Golub and Van Loan 2013, algorithm 4.2.2); then its outer product is taken off.
Everything in a column happens at once. ``rsqrt`` is good to 2e-4, and one Newton step joins the
column's scaling: with r ≈ 1 / sqrt(p), c = column · r and e = 1 - p r², the column of the factor is
c (1 + e / 2), off by 3/8 e², 6e-8 relative.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tacit.functions.costs import NOTHING, Costs, in_sequence
from tacit.functions.domains import require_fraction_bits
from tacit.functions.parts import as_part
from tacit.functions.polynomials import sum_truncate
from tacit.functions.roots import rsqrt, rsqrt_cost
from tacit.protocols.interface import Party
from tacit.rounds.contract import Step
from tacit.rounds.cost import Declaration

__all__ = [
    "WORK_SCALE",
    "cholesky",
    "cholesky_cost",
    "determinant",
    "determinant_cost",
    "normalized_by_root",
    "normalized_by_root_cost",
]

WORK_SCALE = 24
"""Fractional bits inside."""


def normalized_by_root(party: Party, column: Any, square: Any) -> Step[Any]:
    """column / sqrt(square), all at 24 fractional bits, to 2e-7 relative.

    Parameters
    ----------
    column : arithmetic sharing, (n,)
    square : arithmetic sharing, (1,)
        Positive; the quotients and the column are below 2^13.

    Notes
    -----
    Rounds: an inverse square root and three products (39 for `replicated3`).
    """
    scale = WORK_SCALE
    inverse = yield from rsqrt(as_part(party), square, scale)
    both = party.concatenate([column, square])
    scaled = yield from party.multiply_truncate(both, party.broadcast(inverse, both.shape), scale)
    size = column.size
    one = yield from party.multiply_truncate(scaled[size:], inverse, scale)
    error = party.broadcast(party.add_public(party.negate(one), 1 << scale), column.shape)
    c = scaled[:size]
    linear = party.multiply_public(c, 2 << scale)
    return (yield from sum_truncate(party, [(c, error)], linear, scale + 1))


def normalized_by_root_cost(costs: Costs, size: int) -> Declaration:
    """Of `normalized_by_root`."""
    product = costs["multiply_truncate"]
    return in_sequence(
        rsqrt_cost(costs, 1, WORK_SCALE),
        product(size + 1, WORK_SCALE),
        product(1, WORK_SCALE),
        costs["sum_products_truncate"](size, WORK_SCALE + 1),
    )


def _columns(party: Party, matrix: Any, fraction_bits: int) -> Step[list[Any]]:
    """The factor's columns from the diagonal down, at 24 fractional bits."""
    rest = party.multiply_public(matrix, 1 << (WORK_SCALE - fraction_bits))
    columns = []
    for size in range(matrix.shape[0], 0, -1):
        first = rest.map(lambda share: share[:, 0].copy())
        column = yield from normalized_by_root(party, first, first[:1])
        columns.append(column)
        if size > 1:
            below = column[1:]
            left = party.broadcast(below.reshape(size - 1, 1), (size - 1, size - 1))
            across = party.broadcast(below.reshape(1, size - 1), (size - 1, size - 1))
            taken = yield from party.multiply_truncate(left, across, WORK_SCALE)
            rest = party.subtract(rest.map(lambda share: share[1:, 1:]), taken)
    return columns


def _columns_cost(costs: Costs, size: int) -> Declaration:
    parts = []
    for left in range(size, 0, -1):
        parts.append(normalized_by_root_cost(costs, left))
        if left > 1:
            parts.append(costs["multiply_truncate"]((left - 1) ** 2, WORK_SCALE))
    return in_sequence(*parts)


def cholesky(party: Party, matrix: Any, fraction_bits: int) -> Step[Any]:
    """The lower triangular L with L Lᵀ = matrix.

    Parameters
    ----------
    party : Party
    matrix : arithmetic sharing, (n, n)
        f = `fraction_bits` fractional bits. Symmetric (the lower triangle is read), elements below
        2^13, positive definite with pivots of at least 2^-10. Elsewhere the result is meaningless.
    fraction_bits : int
        12 to 24.

    Returns
    -------
    arithmetic sharing, (n, n)
        f fractional bits. Error at most 2 units in the last place and κ 2^-20 of the largest
        element, κ the condition number.

    Notes
    -----
    Rounds: an inverse square root and four products a column (42 n - 3 for `replicated3`, and
    2 for f < 24).
    """
    require_fraction_bits("cholesky", fraction_bits)
    size = matrix.shape[0]
    if size == 0:
        return matrix
    columns = yield from _columns(party, matrix, fraction_bits)
    packed = party.concatenate(columns)
    if fraction_bits < WORK_SCALE:
        packed = yield from party.truncate(packed, WORK_SCALE - fraction_bits)
    below, across = np.tril_indices(size)
    order = np.lexsort((below, across))  # columns from the diagonal down

    def placed(share: Any) -> Any:
        full = np.zeros((size, size), share.dtype)
        full[below[order], across[order]] = share
        return full

    return packed.map(placed)


def cholesky_cost(costs: Costs, size: int, fraction_bits: int = 18) -> Declaration:
    """Of `cholesky` of a matrix (size, size)."""
    if size == 0:
        return NOTHING
    parts = [_columns_cost(costs, size)]
    if fraction_bits < WORK_SCALE:
        parts.append(costs["truncate"](size * (size + 1) // 2, WORK_SCALE - fraction_bits))
    return in_sequence(*parts)


def determinant(party: Party, matrix: Any, fraction_bits: int) -> Step[Any]:
    """The determinant of a symmetric positive definite matrix: (Π L_ii)².

    Parameters
    ----------
    party : Party
    matrix : arithmetic sharing, (n, n)
        As in `cholesky`; every product of some L_ii stays below 2^6.

    Returns
    -------
    arithmetic sharing, (1,)
        f fractional bits. Error at most 2 units in the last place and n κ 2^-19 relative to
        the larger of the determinant and 1.

    Notes
    -----
    Rounds: those of `cholesky`'s columns and 3 (1 + ceil(log2 n)).
    """
    require_fraction_bits("det", fraction_bits)
    if matrix.shape[0] == 0:
        return party.public(np.full(1, 1 << fraction_bits, np.int64))
    columns = yield from _columns(party, matrix, fraction_bits)
    roots = party.concatenate([column[:1] for column in columns])
    while roots.size > 1:
        half = roots.size // 2
        product = yield from party.multiply_truncate(
            roots[:half], roots[half : 2 * half], WORK_SCALE
        )
        roots = party.concatenate([product, roots[2 * half :]]) if roots.size % 2 else product
    return (yield from party.multiply_truncate(roots, roots, 2 * WORK_SCALE - fraction_bits))


def determinant_cost(costs: Costs, size: int, fraction_bits: int = 18) -> Declaration:
    """Of `determinant` of a matrix (size, size)."""
    if size == 0:
        return NOTHING
    parts = [_columns_cost(costs, size)]
    left = size
    while left > 1:
        parts.append(costs["multiply_truncate"](left // 2, WORK_SCALE))
        left = left // 2 + left % 2
    parts.append(costs["multiply_truncate"](1, 2 * WORK_SCALE - fraction_bits))
    return in_sequence(*parts)
