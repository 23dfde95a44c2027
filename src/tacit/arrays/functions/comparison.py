"""Comparisons: secret booleans; what is public about numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tacit.arrays.array import SecretArray, applied, secret_operand

__all__ = [
    "equal",
    "greater",
    "greater_equal",
    "isfinite",
    "isinf",
    "isnan",
    "less",
    "less_equal",
    "not_equal",
    "signbit",
]


def equal(x1: Any, x2: Any, /) -> SecretArray:
    """x1 == x2. Exact on the encoded numbers."""
    return applied("equal", x1, x2)


def not_equal(x1: Any, x2: Any, /) -> SecretArray:
    """x1 != x2. Exact on the encoded numbers."""
    return applied("not_equal", x1, x2)


def less(x1: Any, x2: Any, /) -> SecretArray:
    """x1 < x2. Exact on the encoded numbers."""
    return applied("less", x1, x2)


def less_equal(x1: Any, x2: Any, /) -> SecretArray:
    """x1 <= x2. Exact on the encoded numbers."""
    return applied("less_equal", x1, x2)


def greater(x1: Any, x2: Any, /) -> SecretArray:
    """x1 > x2. Exact on the encoded numbers."""
    return applied("greater", x1, x2)


def greater_equal(x1: Any, x2: Any, /) -> SecretArray:
    """x1 >= x2. Exact on the encoded numbers."""
    return applied("greater_equal", x1, x2)


def signbit(x: SecretArray, /) -> SecretArray:
    """Whether x is negative; there is no -0.0. Exact."""
    return applied("less", x, 0)


def isfinite(x: SecretArray, /) -> NDArray[np.bool_]:
    """True everywhere, and public: no secret type holds NaN or infinity."""
    return np.broadcast_to(np.True_, secret_operand("isfinite", x).shape)


def isinf(x: SecretArray, /) -> NDArray[np.bool_]:
    """False everywhere, and public: no secret type holds infinity."""
    return np.broadcast_to(np.False_, secret_operand("isinf", x).shape)


def isnan(x: SecretArray, /) -> NDArray[np.bool_]:
    """False everywhere, and public: no secret type holds NaN."""
    return np.broadcast_to(np.False_, secret_operand("isnan", x).shape)
