"""The order that a shuffle took, found from what went in and what came out."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["shuffled_alike"]


def shuffled_alike(
    before: NDArray[Any], after: NDArray[Any], array: NDArray[Any], axis: int
) -> NDArray[Any]:
    """An array's slices in the order in which a shuffle put those of another.

    Parameters
    ----------
    before, after : ndarray
        What the shuffle was given, and what came out.
    array : ndarray
        Of their shape.
    axis : int
        Along which slices were shuffled.

    Returns
    -------
    ndarray
        `array`, shuffled alike. If `after` holds other slices than `before`, which a right shuffle
        never gives, some order of them.
    """
    found = np.empty_like(array)
    source, target = _ranked(before, axis), _ranked(after, axis)
    np.moveaxis(found, axis, 0)[target] = np.moveaxis(array, axis, 0)[source]
    return found


def _ranked(array: NDArray[Any], axis: int) -> NDArray[np.int64]:
    """The places of slices in ascending order; equal ones are alike, whichever comes first."""
    rows = np.moveaxis(array, axis, 0)
    columns = rows.reshape(rows.shape[0], -1).T
    if not len(columns):
        return np.arange(rows.shape[0])
    return np.lexsort(columns)
