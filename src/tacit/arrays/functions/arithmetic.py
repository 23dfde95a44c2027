"""Sums, differences, products, quotients."""

from __future__ import annotations

from typing import Any

from tacit.arrays.array import SecretArray, applied, secret_operand

__all__ = [
    "abs",
    "add",
    "conj",
    "divide",
    "imag",
    "matmul",
    "multiply",
    "negative",
    "positive",
    "real",
    "subtract",
]


def add(x1: Any, x2: Any, /) -> SecretArray:
    """x1 + x2. Local."""
    return applied("add", x1, x2)


def subtract(x1: Any, x2: Any, /) -> SecretArray:
    """x1 - x2. Local."""
    return applied("subtract", x1, x2)


def multiply(x1: Any, x2: Any, /) -> SecretArray:
    """x1 · x2."""
    return applied("multiply", x1, x2)


def divide(x1: Any, x2: Any, /) -> SecretArray:
    """x1 / x2."""
    return applied("divide", x1, x2)


def matmul(x1: Any, x2: Any, /) -> SecretArray:
    """The matrix product x1 @ x2."""
    return applied("matmul", x1, x2)


def negative(x: SecretArray, /) -> SecretArray:
    """-x. Local."""
    return applied("negative", x)


def positive(x: SecretArray, /) -> SecretArray:
    """x itself."""
    return secret_operand("positive", x)


def conj(x: SecretArray, /) -> SecretArray:
    """x itself: there are no complex numbers. Local."""
    return secret_operand("conj", x)


def real(x: SecretArray, /) -> SecretArray:
    """x itself: there are no complex numbers. Local."""
    return secret_operand("real", x)


def imag(x: SecretArray, /) -> SecretArray:
    """Zeros: there are no complex numbers. Local."""
    return applied("subtract", x, x)


def abs(x: SecretArray, /) -> SecretArray:
    """The absolute value. Exact."""
    return applied("abs", x)
