"""Functions of fixed-point numbers, element by element."""

from __future__ import annotations

from typing import Any

from tacit.arrays.array import SecretArray, applied

__all__ = [
    "acos",
    "arccos",
    "arcsin",
    "arctan",
    "arctan2",
    "asin",
    "atan",
    "atan2",
    "cos",
    "cosh",
    "elu",
    "erf",
    "exp",
    "expm1",
    "gelu",
    "hypot",
    "leaky_relu",
    "log",
    "log1p",
    "log2",
    "log10",
    "logaddexp",
    "pow",
    "power",
    "reciprocal",
    "relu",
    "rsqrt",
    "sigmoid",
    "silu",
    "sin",
    "sinh",
    "softplus",
    "sqrt",
    "square",
    "tan",
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


def acos(x: SecretArray, /) -> SecretArray:
    """The arc cosine; outside of [-1, 1] its value at the nearer end."""
    return applied("acos", x)


def asin(x: SecretArray, /) -> SecretArray:
    """The arc sine; outside of [-1, 1] its value at the nearer end."""
    return applied("asin", x)


def atan(x: SecretArray, /) -> SecretArray:
    """The arc tangent."""
    return applied("atan", x)


def cos(x: SecretArray, /) -> SecretArray:
    """The cosine of an angle in radians, however large."""
    return applied("cos", x)


def sin(x: SecretArray, /) -> SecretArray:
    """The sine of an angle in radians, however large."""
    return applied("sin", x)


def tan(x: SecretArray, /) -> SecretArray:
    """The tangent of an angle in radians, however large; accurate up to ±64."""
    return applied("tan", x)


def erf(x: SecretArray, /) -> SecretArray:
    """The error function."""
    return applied("erf", x)


def gelu(x: SecretArray, /) -> SecretArray:
    """x (1 + erf(x / sqrt 2)) / 2: the exact Gaussian error linear unit."""
    return applied("gelu", x)


def silu(x: SecretArray, /) -> SecretArray:
    """x sigmoid(x)."""
    return applied("silu", x)


def softplus(x: SecretArray, /) -> SecretArray:
    """log(1 + e^x)."""
    return applied("softplus", x)


def atan2(x1: Any, x2: Any, /) -> SecretArray:
    """The angle of the point (x2, x1), in (-pi, pi]."""
    return applied("atan2", x1, x2)


def logaddexp(x1: Any, x2: Any, /) -> SecretArray:
    """log(e^x1 + e^x2)."""
    return applied("logaddexp", x1, x2)


def elu(x: SecretArray, /, alpha: float = 1.0) -> SecretArray:
    """x for x >= 0, else alpha (e^x - 1), for public alpha."""
    return applied("elu", x, slope=float(alpha))


def leaky_relu(x: SecretArray, /, negative_slope: float = 0.01) -> SecretArray:
    """x for x >= 0, else x times a public slope."""
    return applied("leaky_relu", x, slope=float(negative_slope))


arccos, arcsin, arctan, arctan2 = acos, asin, atan, atan2
