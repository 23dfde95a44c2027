"""Functions of fixed-point numbers, element by element."""

from __future__ import annotations

from typing import Any

from tacit.arrays.array import SecretArray, applied

__all__ = [
    "cosh",
    "exp",
    "expm1",
    "hypot",
    "log",
    "log1p",
    "log2",
    "log10",
    "pow",
    "power",
    "reciprocal",
    "relu",
    "rsqrt",
    "sigmoid",
    "sinh",
    "sqrt",
    "square",
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


def expm1(x: SecretArray, /) -> SecretArray:
    """e^x - 1, accurate near 0."""
    return applied("expm1", x)


def log1p(x: SecretArray, /) -> SecretArray:
    """log(1 + x), accurate near 0."""
    return applied("log1p", x)


def log2(x: SecretArray, /) -> SecretArray:
    """The logarithm to base 2."""
    return applied("log2", x)


def log10(x: SecretArray, /) -> SecretArray:
    """The logarithm to base 10."""
    return applied("log10", x)


def rsqrt(x: SecretArray, /) -> SecretArray:
    """1 / sqrt(x), for x > 0."""
    return applied("rsqrt", x)


def sinh(x: SecretArray, /) -> SecretArray:
    """The hyperbolic sine."""
    return applied("sinh", x)


def cosh(x: SecretArray, /) -> SecretArray:
    """The hyperbolic cosine."""
    return applied("cosh", x)


def square(x: SecretArray, /) -> SecretArray:
    """x^2: one product."""
    return applied("square", x)


def hypot(x1: Any, x2: Any, /) -> SecretArray:
    """sqrt(x1^2 + x2^2), also for small numbers."""
    return applied("hypot", x1, x2)


def pow(x1: Any, x2: Any, /) -> SecretArray:
    """x1^x2.

    Public integer exponents work for every x1, by repeated squaring, and integers stay exact
    integers. All others are exp(x2 log x1), for x1 > 0; one of the two may be public.
    """
    return applied("pow", x1, x2)


power = pow
