"""Secret booleans combined."""

from __future__ import annotations

from typing import Any

from tacit.arrays.array import SecretArray, applied

__all__ = [
    "bitwise_and",
    "bitwise_invert",
    "bitwise_or",
    "bitwise_xor",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
]


def bitwise_and(x1: Any, x2: Any, /) -> SecretArray:
    """x1 & x2, of booleans or, bit by bit, of integers."""
    return applied("bitwise_and", x1, x2)


def bitwise_or(x1: Any, x2: Any, /) -> SecretArray:
    """x1 | x2, of booleans or, bit by bit, of integers."""
    return applied("bitwise_or", x1, x2)


def bitwise_xor(x1: Any, x2: Any, /) -> SecretArray:
    """x1 ^ x2, of booleans (local) or, bit by bit, of integers."""
    return applied("bitwise_xor", x1, x2)


def bitwise_invert(x: SecretArray, /) -> SecretArray:
    """~x, of booleans or, bit by bit, of integers. Local."""
    return applied("bitwise_invert", x)


logical_and = bitwise_and
logical_or = bitwise_or
logical_xor = bitwise_xor
logical_not = bitwise_invert
