"""Parallel prefix networks for carries."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

__all__ = ["sklansky"]

Indices = NDArray[np.intp]


def sklansky(width: int) -> Iterator[tuple[Indices, Indices, NDArray[np.bool_]]]:
    """Levels of Sklansky's (1960) prefix network over `width` positions.

    Yields
    ------
    high, low : ndarray of int
        On this level position ``high[i]`` combines with position ``low[i]`` below it.
    inner : ndarray of bool
        Where the propagate is needed again: the group does not start at position 0.
    """
    positions = np.arange(width)
    span = 1
    while span < width:
        high = positions[(positions // span) % 2 == 1]
        low = (high // span) * span - 1
        yield high, low, high >= 2 * span
        span *= 2
