"""Functions of fixed-point numbers, element by element."""

from __future__ import annotations

from tacit.arrays.array import SecretArray, applied

__all__ = [
    "exp",
    "log",
    "reciprocal",
    "relu",
    "sigmoid",
    "sqrt",
    "tanh",
]


def exp(x: SecretArray, /) -> SecretArray:
    """e^x."""
    return applied("exp", x)


def log(x: SecretArray, /) -> SecretArray:
    """The natural logarithm."""
    return applied("log", x)


def sqrt(x: SecretArray, /) -> SecretArray:
    """The square root."""
    return applied("sqrt", x)


def reciprocal(x: SecretArray, /) -> SecretArray:
    """1 / x."""
    return applied("reciprocal", x)


def sigmoid(x: SecretArray, /) -> SecretArray:
    """1 / (1 + e^-x)."""
    return applied("sigmoid", x)


def tanh(x: SecretArray, /) -> SecretArray:
    """The hyperbolic tangent."""
    return applied("tanh", x)


def relu(x: SecretArray, /) -> SecretArray:
    """max(x, 0). Exact."""
    return applied("relu", x)
