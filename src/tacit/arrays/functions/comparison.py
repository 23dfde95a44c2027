"""Comparisons: secret booleans."""

from __future__ import annotations

from typing import Any

from tacit.arrays.array import SecretArray, applied

__all__ = [
    "equal",
    "greater",
    "greater_equal",
    "less",
    "less_equal",
    "not_equal",
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
