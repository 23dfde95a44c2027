"""Whole quotients, remainders and shifts, as Python and NumPy define them."""

from __future__ import annotations

from typing import Any

from tacit.arrays.array import SecretArray, applied, applied_all

__all__ = [
    "bitwise_left_shift",
    "bitwise_right_shift",
    "divmod",
    "floor_divide",
    "remainder",
]


def floor_divide(x1: Any, x2: Any, /) -> SecretArray:
    """x1 // x2: the quotient rounded down. Exact.

    By public divisors for every number of the type. By secret ones where both are below 2^32 in
    magnitude, in fixed point counted in units of the last place (2^14 for ``tacit.fixed``);
    divided by a secret 0 it is 0.
    """
    return applied("floor_divide", x1, x2)


def remainder(x1: Any, x2: Any, /) -> SecretArray:
    """x1 % x2, with the sign of x2. Exact; see :func:`floor_divide`. By a secret 0 it is x1."""
    return applied("remainder", x1, x2)


def divmod(x1: Any, x2: Any, /) -> tuple[SecretArray, SecretArray]:
    """x1 // x2 and x1 % x2 for the price of one."""
    quotient, rest = applied_all("divmod", x1, x2)
    return quotient, rest


def bitwise_left_shift(x1: Any, x2: Any, /) -> SecretArray:
    """x1 << x2 for integers, wrapping. Local for public x2; secret x2 lie in 0 to 63."""
    return applied("bitwise_left_shift", x1, x2)


def bitwise_right_shift(x1: Any, x2: Any, /) -> SecretArray:
    """x1 >> x2 for integers: rounds down, exact for every number; secret x2 lie in 0 to 63."""
    return applied("bitwise_right_shift", x1, x2)
