"""Elements at positions: public ones without communication, secret ones by comparing."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tacit.arrays.array import SecretArray, applied, secret_operand
from tacit.errors import SecretMisuseError
from tacit.operations.manipulation import normal_axis

__all__ = ["take", "take_along_axis"]


def take(x: Any, indices: Any, /, *, axis: int | None = None) -> SecretArray:
    """The elements of an axis at positions.

    Parameters
    ----------
    x : SecretArray or array_like
        Secret, or public where the positions are secret.
    indices : SecretArray or array_like of int
        Any shape, which replaces the axis. Secret positions below 0 give the first element, those
        behind the end the last one, as nobody may learn that they are outside.
    axis : int, optional
        By default the array is flattened first.

    Notes
    -----
    Public positions: local. Secret ones: each is compared with every place of the axis, 9 rounds
    and one more for a secret x, 66 bytes a position and place.
    """
    if isinstance(indices, SecretArray):
        # Positions that all parties know when the program runs need no comparisons.
        name = "take" if indices.public else "take_secret"
        if axis is None:
            flat = x.reshape(-1) if isinstance(x, SecretArray) else np.ravel(x)
            return applied(name, flat, indices, axis=0)
        return applied(name, x, indices, axis=axis)
    array = secret_operand("take", x)
    positions = _public("take", indices)
    if axis is None:
        return array.reshape(-1)[positions]
    before = (slice(None),) * normal_axis("take", axis, array.ndim)
    return array[(*before, positions)]


def take_along_axis(x: SecretArray, indices: ArrayLike, /, *, axis: int = -1) -> SecretArray:
    """The elements of an axis at public positions, other ones in every row.

    Parameters
    ----------
    x : SecretArray
    indices : array_like of int
        As many axes as x; all others broadcast against x's.
    axis : int
    """
    array = secret_operand("take_along_axis", x)
    positions = _public("take_along_axis", indices)
    place = normal_axis("take_along_axis", axis, array.ndim)
    key: list[Any] = []
    for other, extent in enumerate(array.shape):
        shape = [1] * array.ndim
        shape[other] = extent
        key.append(positions if other == place else np.arange(extent).reshape(shape))
    return array[tuple(key)]


def _public(name: str, indices: Any) -> Any:
    if isinstance(indices, SecretArray):
        raise SecretMisuseError(
            f"{name}: the positions are secret, and what is looked at would show.",
            next_step="use public positions, or sum over a secret one-hot mask:"
            " tacit.where(positions[:, None] == range(len(x)), x, 0).sum(axis=1).",
            case=61,
            stage=name,
        )
    return np.asarray(indices)
