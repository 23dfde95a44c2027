"""Arrays as rows: operations along one axis see (rows, count), whatever the shape."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from tacit.operations.manipulation import normal_axis

__all__ = ["as_rows", "from_rows", "row_shape"]


def row_shape(name: str, shape: tuple[int, ...], axis: int) -> tuple[int, int]:
    """How many rows an array has along an axis, and how long they are.

    Raises
    ------
    ShapeError
        The array has no such axis (TC-1112).
    """
    place = normal_axis(name, axis, len(shape))
    return prod(shape[:place] + shape[place + 1 :]), shape[place]


def as_rows(share: Any, axis: int) -> Any:
    """A sharing of numbers or plain bits with `axis` last and all others flattened. Local."""
    shape = share.shape
    place = axis % len(shape)
    count = shape[place]
    rows = prod(shape[:place] + shape[place + 1 :])
    return share.map(lambda part: np.moveaxis(part, place, -1).reshape(rows, count))


def from_rows(share: Any, shape: tuple[int, ...], axis: int) -> Any:
    """The inverse of :func:`as_rows` for an array that had `shape`; rows may have a new length."""
    place = axis % len(shape)
    others = shape[:place] + shape[place + 1 :]
    length = share.shape[1]
    return share.map(lambda part: np.moveaxis(part.reshape(*others, length), -1, place))
