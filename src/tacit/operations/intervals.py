"""What rules of bounds are made of: public intervals, and how they are widened.

A rule maps what is known of operands to an interval that holds every number of the result, however
the operation rounds. See ``bounds.py`` for the table and ``docs/decisions/0029`` for why.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, floor, prod, ulp
from typing import Any, TypeAlias

import numpy as np

from tacit.functions.domains import MOST_FRACTION_BITS
from tacit.operations.precision import PRODUCT_BITS
from tacit.operations.types import ArrayType, Bounds, PublicArray

__all__ = [
    "Inner",
    "Known",
    "Rule",
    "corners",
    "known_all",
    "largest",
    "outwards",
    "powers",
    "sums_of_products",
    "union",
    "widened",
    "with_zero",
]


@dataclass(frozen=True, slots=True)
class Known:
    """What a rule works from.

    Attributes
    ----------
    bounds : sequence of (low, high) or None
        Of each operand.
    types : sequence of ArrayType
        Of each operand.
    result : ArrayType
        The result's type.
    attributes : Attributes
        The operation's public parameters.
    values : sequence of ndarray or None
        The public operands; None for secrets.
    finest : int
        The fractional bits up to which the operation computes, if it is a function.
    """

    bounds: Sequence[Bounds | None]
    types: Sequence[ArrayType]
    result: ArrayType
    attributes: Any
    values: Sequence[PublicArray | None] = ()
    finest: int = MOST_FRACTION_BITS

    @property
    def unit(self) -> float:
        """One unit in the last place of sums and products; 0 for integers.

        Products have up to 51 fractional bits (``precision.py``), however fine the result is.
        """
        dtype = self.result.dtype
        return 2.0 ** -min(dtype.fraction_bits, PRODUCT_BITS) if dtype.kind == "fixed" else 0

    @property
    def function_bits(self) -> int:
        """The fractional bits that functions compute with."""
        return min(self.result.dtype.fraction_bits, self.finest)

    @property
    def terms(self) -> int:
        """How many elements of the first operand meet in one of the result."""
        return prod(self.types[0].shape) // max(prod(self.result.shape), 1)

    def extent(self, axis: int) -> int:
        """The first operand's extent along an axis."""
        shape = self.types[0].shape
        return shape[axis] if shape else 1


Rule: TypeAlias = Callable[[Known], Bounds | None]
Inner: TypeAlias = Callable[..., Bounds | None]


def known_all(inner: Inner) -> Rule:
    """A rule that needs to know all operands, which it gets one by one."""

    def rule(known: Known) -> Bounds | None:
        if any(bounds is None for bounds in known.bounds):
            return None
        return inner(known, *known.bounds)

    return rule


def union(*bounds: Bounds) -> Bounds:
    """The interval around intervals."""
    return min(low for low, _ in bounds), max(high for _, high in bounds)


def with_zero(bounds: Bounds) -> Bounds:
    """The interval around an interval and 0."""
    return min(bounds[0], 0), max(bounds[1], 0)


def widened(bounds: Bounds, slack: float) -> Bounds:
    """The interval with so much more at both ends."""
    return (bounds[0] - slack, bounds[1] + slack) if slack else bounds


def outwards(bounds: Bounds, resolution: float) -> Bounds:
    """An interval of fixed point, wide enough for how float64 rounded its ends.

    Below 2^51 units the ends are exact.
    """
    low, high = bounds
    if max(-low, high, low, -high) < 2.0**51 * resolution:
        return bounds
    return low - 8 * ulp(float(low)), high + 8 * ulp(float(high))


def largest(bounds: Bounds) -> float:
    """The largest magnitude in an interval."""
    return max(abs(bounds[0]), abs(bounds[1]))


def corners(x: Bounds, y: Bounds) -> Bounds:
    """What products of two numbers lie between."""
    products = [a * b for a in x for b in y]
    return min(products), max(products)


def sums_of_products(factors: PublicArray, x: Bounds, axis: int | tuple[int, ...]) -> Bounds:
    """What sums of products with public factors along axes lie between: each with its own sign."""
    plain = factors.astype(np.float64)
    above, below = np.maximum(plain, 0).sum(axis), np.minimum(plain, 0).sum(axis)
    if not above.size:
        return 0, 0
    size = float(np.max(above - below)) * largest(x)
    low = float(np.min(above * float(x[0]) + below * float(x[1])))
    high = float(np.max(above * float(x[1]) + below * float(x[0])))
    if factors.dtype.kind != "f" and not any(isinstance(end, float) for end in x):
        # Integers are exact below 2^52; beyond, outwards.
        if size < 2.0**52:
            return int(low), int(high)
        slack = size * 2.0**-50 * plain.size**0.5
        return floor(low - slack), ceil(high + slack)
    slack = size * 2.0**-50 * plain.size**0.5
    return low - slack, high + slack


def powers(x: Bounds, exponent: int) -> Bounds:
    """What x^n lies between, n >= 0; infinite where floats cannot say."""
    if not exponent:
        return 1, 1
    try:
        ends = [end**exponent for end in x]
    except OverflowError:
        ends = [float("inf"), float("inf") if x[0] >= 0 or not exponent % 2 else float("-inf")]
    inside = [0] if x[0] <= 0 <= x[1] else []
    return min(*ends, *inside), max(*ends, *inside)
