"""Permutations of the rows of a share: the local half of every shuffle.

A permutation of `rows` rows of `count` elements is an array of positions (rows, count): place i
of a row takes the element at ``positions[row, i]``.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tacit.errors import InternalError
from tacit.sharing.bits import pack_bits, unpack_bits

__all__ = ["Positions", "moved", "moved_bits", "places_of", "require_rows"]

Positions: TypeAlias = NDArray[np.int64]


def require_rows(permutation: tuple[int, ...], array: tuple[int, ...]) -> None:
    """An array's first two axes must be a permutation's rows and their elements."""
    if array[:2] != permutation:
        raise InternalError("an array does not have the rows of its permutation")


def places_of(positions: Positions, inverse: bool) -> Positions:
    """Positions in all rows together, a vector: of the permutation or of its inverse."""
    rows, count = positions.shape
    starts = np.arange(0, rows * count, count)[:, None] if count else 0
    places = (positions + starts).reshape(-1)
    if inverse:
        back = np.empty_like(places)
        back[places] = np.arange(places.size)
        return back
    return places


def moved(share: NDArray[Any], places: Positions) -> NDArray[Any]:
    """A C-contiguous share (rows, count, …) in another order; what stands behind travels along."""
    if not share.size:
        return share
    return share.reshape(places.size, -1)[places].reshape(share.shape)


def moved_bits(
    words: NDArray[Any], shape: tuple[int, ...], places: Positions
) -> NDArray[np.uint64]:
    """The same for the packed words of plain bits of a shape (rows, count, …)."""
    if 0 in shape:
        return words
    return pack_bits(unpack_bits(words, shape).reshape(places.size, -1)[places])
