"""Choices that nobody sees."""

from __future__ import annotations

from typing import Any

import numpy as np

from tacit.arrays.array import SecretArray, applied, secret_operand

__all__ = [
    "clip",
    "copysign",
    "maximum",
    "minimum",
    "sign",
    "where",
]


def where(condition: Any, x1: Any, x2: Any, /) -> SecretArray:
    """x1 where the condition is true, else x2; nobody learns which."""
    return applied("where", condition, x1, x2)


def maximum(x1: Any, x2: Any, /) -> SecretArray:
    """The larger of two, element by element. Exact."""
    return applied("maximum", x1, x2)


def minimum(x1: Any, x2: Any, /) -> SecretArray:
    """The smaller of two, element by element. Exact."""
    return applied("minimum", x1, x2)


def clip(x: SecretArray, /, min: Any = None, max: Any = None) -> SecretArray:
    """x limited to [min, max]; where min is above max, max. Exact.

    Parameters
    ----------
    x : SecretArray
    min, max : number, array_like or SecretArray, optional
        Two public numbers cost as much together as one comparison takes rounds; arrays and
        secrets are compared one after the other. No limit where None.
    """
    array = secret_operand("clip", x)
    numbers = int | float | np.number
    if isinstance(min, numbers) and isinstance(max, numbers):
        low, high = np.asarray(min).item(), np.asarray(max).item()
        return applied("clip", array, low=low, high=high)
    low_done = array if min is None else applied("maximum", array, min)
    done = low_done if max is None else applied("minimum", low_done, max)
    return done if done.dtype == array.dtype else done.astype(array.dtype)


def sign(x: SecretArray, /) -> SecretArray:
    """-1, 0 or 1, of x's type. Exact, except for the integer -2^63, whose sign comes out as 0."""
    return applied("sign", x)


def copysign(x1: Any, x2: Any, /) -> SecretArray:
    """The magnitude of x1 with the sign of x2; zero is positive, there is no -0.0. Exact."""
    return applied("copysign", x1, x2)
