"""Leading eigenvectors of a symmetric positive semidefinite matrix: the power method by squaring.

B = A / tr A, then B ← B² / tr B² a fixed number s of times: 2^s steps of the power method (von
Mises and Pollaczek-Geiringer 1929) in s products. B tends to v vᵀ; v is B g for a public vector g,
normalised, another g for each v: of equal eigenvalues the first v takes all of g that lies in their
space. The next one comes from A - λ v vᵀ, λ = vᵀ A v (Hotelling 1933). tr B² lies in [1/n, 1]
while tr B = 1, so its reciprocal needs no normalisation (``bounded_division.py``).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tacit.functions.bounded_division import quotients_by_row, quotients_by_row_cost
from tacit.functions.costs import NOTHING, Costs, in_sequence
from tacit.functions.division import reciprocal, reciprocal_cost
from tacit.functions.domains import require_fraction_bits
from tacit.functions.factorization import (
    WORK_SCALE,
    normalized_by_root,
    normalized_by_root_cost,
)
from tacit.functions.parts import as_part
from tacit.protocols.interface import Party
from tacit.rounds.contract import Step
from tacit.rounds.cost import Declaration

__all__ = ["leading_eigenvectors", "leading_eigenvectors_cost", "probe"]

PROBE_BITS = 6
"""Fractional bits of the public vector g."""


def probe(size: int, place: int) -> Any:
    """g: public numbers, all between 1/2 and 1 in magnitude, of fixed random signs.

    Parameters
    ----------
    size : int
    place : int
        The vector that it is for: 0, 1, …

    Returns
    -------
    ndarray of int64, (size,)
        With :data:`PROBE_BITS` fractional bits.
    """
    random = np.random.default_rng((size, place))
    magnitude = random.uniform(0.5, 1.0, size) * random.choice([-1.0, 1.0], size)
    return np.rint(magnitude * (1 << PROBE_BITS)).astype(np.int64)


def leading_eigenvectors(
    party: Party, matrix: Any, count: int, squarings: int, fraction_bits: int
) -> Step[tuple[Any, Any]]:
    """The largest eigenvalues and their eigenvectors.

    Parameters
    ----------
    party : Party
    matrix : arithmetic sharing, (n, n)
        f = `fraction_bits` fractional bits, symmetric positive semidefinite, n >= 2. Its trace, and
        what is left of it before each of the `count` vectors, lies in [2^-6, 2^12].
    count : int
        1 to n, public.
    squarings : int
        s, public: 1 to 20.
    fraction_bits : int
        12 to 24.

    Returns
    -------
    values : arithmetic sharing, (count,)
    vectors : arithmetic sharing, (n, count)
        f fractional bits, of length 1; signs are arbitrary. The component along a vector of the
        eigenvalue q times the largest (q < 1) is of the order q^(2^s), and rounding adds about
        n 2^-20 / (1 - q). Eigenvalues that are equal give some vector of their space.

    Notes
    -----
    Rounds a vector: a reciprocal, s (1 + `quotients_by_row`) products, an inverse square root
    and eight products. Nothing is revealed, and nothing depends on how fast it converges.
    """
    require_fraction_bits("leading_eigenvectors", fraction_bits)
    size = matrix.shape[0]
    left, values, vectors = matrix, [], []
    for place in range(count):
        vector = yield from _leading(party, left, place, squarings, fraction_bits)
        image = yield from party.matmul_truncate(matrix, vector.reshape(size, 1), WORK_SCALE)
        value = yield from party.matmul_truncate(vector.reshape(1, size), image, WORK_SCALE)
        values.append(value.reshape(1))
        vectors.append(vector.reshape(size, 1))
        if place < count - 1:
            across = party.broadcast(vector.reshape(1, size), matrix.shape)
            weighted = yield from party.multiply_truncate(
                vector, party.broadcast(value.reshape(1), vector.shape), WORK_SCALE
            )
            down = party.broadcast(weighted.reshape(size, 1), matrix.shape)
            taken = yield from party.multiply_truncate(down, across, WORK_SCALE)
            left = party.subtract(left, taken)
    joined = party.concatenate(vectors, axis=1)
    if fraction_bits < WORK_SCALE:
        joined = yield from party.truncate(joined, WORK_SCALE - fraction_bits)
    return party.concatenate(values), joined


def _leading(
    party: Party, matrix: Any, place: int, squarings: int, fraction_bits: int
) -> Step[Any]:
    """One leading eigenvector at 24 fractional bits, (n,)."""
    size = matrix.shape[0]
    places = np.arange(size)

    def trace(of: Any) -> Any:
        return party.sum(of.map(lambda share: share[places, places])).map(
            lambda share: share.reshape(1)
        )

    inverse = yield from reciprocal(as_part(party), trace(matrix), fraction_bits)
    wide = party.multiply_public(matrix, 1 << (WORK_SCALE - fraction_bits))
    b = yield from party.multiply_truncate(
        wide, party.broadcast(inverse.reshape(1, 1), matrix.shape), fraction_bits
    )
    for _ in range(squarings):
        # n tr B² lies in [1, n]: a quotient by a number of known size.
        square = yield from party.matmul_truncate(b, b, WORK_SCALE)
        square = party.multiply_public(square, size)
        row = square.reshape(1, size * size)
        b = yield from quotients_by_row(as_part(party), row, trace(square), size, WORK_SCALE)
        b = b.reshape(size, size)
    weighted = party.multiply_public(b, probe(size, place)[None, :])
    image = yield from party.truncate(party.sum(weighted, axis=1), PROBE_BITS)
    length = yield from party.matmul_truncate(
        image.reshape(1, size), image.reshape(size, 1), WORK_SCALE
    )
    return (yield from normalized_by_root(party, image, length.reshape(1)))


def leading_eigenvectors_cost(
    costs: Costs, size: int, count: int, squarings: int, fraction_bits: int = 18
) -> Declaration:
    """Of `leading_eigenvectors`."""
    square = size * size
    product, matmul = costs["multiply_truncate"], costs["matmul_truncate"]
    one = [
        reciprocal_cost(costs, 1, fraction_bits),
        product(square, fraction_bits),
        *[
            matmul((size, size), (size, size), WORK_SCALE),
            quotients_by_row_cost(costs, 1, square, size, WORK_SCALE),
        ]
        * squarings,
        costs["truncate"](size, PROBE_BITS),
        matmul((1, size), (size, 1), WORK_SCALE),
        normalized_by_root_cost(costs, size),
        matmul((size, size), (size, 1), WORK_SCALE),
        matmul((1, size), (size, 1), WORK_SCALE),
    ]
    between = [product(size, WORK_SCALE), product(square, WORK_SCALE)]
    parts = [*one, *between] * (count - 1) + one
    if fraction_bits < WORK_SCALE:
        parts.append(costs["truncate"](size * count, WORK_SCALE - fraction_bits))
    return in_sequence(*parts) if parts else NOTHING
