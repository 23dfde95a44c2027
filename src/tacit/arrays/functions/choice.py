"""Choices that nobody sees."""

from __future__ import annotations

from typing import Any

from tacit.arrays.array import SecretArray, applied

__all__ = [
    "maximum",
    "minimum",
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
