"""Sums and means over axes."""

from __future__ import annotations

from tacit.arrays.array import Axis, SecretArray, applied, plain_axis

__all__ = [
    "mean",
    "sum",
]


def sum(x: SecretArray, /, *, axis: Axis = None, keepdims: bool = False) -> SecretArray:
    """The sum over axes, all of them by default. Local; booleans are counted."""
    return applied("sum", x, axis=plain_axis(axis), keepdims=keepdims)


def mean(x: SecretArray, /, *, axis: Axis = None, keepdims: bool = False) -> SecretArray:
    """The mean over axes, all of them by default."""
    return applied("mean", x, axis=plain_axis(axis), keepdims=keepdims)
