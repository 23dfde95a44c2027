"""Whole numbers from fixed point, in fixed point. Exact, in every rounding mode of a session."""

from __future__ import annotations

from tacit.arrays.array import SecretArray, applied

__all__ = [
    "ceil",
    "floor",
    "round",
    "trunc",
]


def floor(x: SecretArray, /) -> SecretArray:
    """The greatest whole number that is at most x. Exact."""
    return applied("floor", x)


def ceil(x: SecretArray, /) -> SecretArray:
    """The least whole number that is at least x. Exact."""
    return applied("ceil", x)


def trunc(x: SecretArray, /) -> SecretArray:
    """x without its fraction. Exact."""
    return applied("trunc", x)


def round(x: SecretArray, /) -> SecretArray:
    """The nearest whole number, the even one of two that are equally near. Exact."""
    return applied("round", x)
