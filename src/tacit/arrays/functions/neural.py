"""Layers of neural networks: normalised exponentials, convolutions, pooling."""

from __future__ import annotations

from tacit.arrays.array import Axis, SecretArray, applied, plain_axis

__all__ = [
    "log_softmax",
    "logsumexp",
    "softmax",
]


def softmax(x: SecretArray, /, *, axis: int = -1) -> SecretArray:
    """exp(x) over its sum along an axis; no exponential overflows."""
    return applied("softmax", x, axis=axis)


def log_softmax(x: SecretArray, /, *, axis: int = -1) -> SecretArray:
    """The logarithm of :func:`softmax`, from one logarithm a row."""
    return applied("log_softmax", x, axis=axis)


def logsumexp(x: SecretArray, /, *, axis: Axis = None, keepdims: bool = False) -> SecretArray:
    """log of the sum of exp(x) over axes, all of them by default."""
    return applied("logsumexp", x, axis=plain_axis(axis), keepdims=keepdims)
