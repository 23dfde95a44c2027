"""Bounds of what all parties compute in the clear, of numbers that are known only at the run.

The table of operations says what *shares* give: fixed point that saturates, quotients by numbers
of at least one unit, small integers that are wrapped when needed. Floats and NumPy's integers
are otherwise: 1e-30 has a reciprocal, exp grows on, and an int8 wraps at once. So what the table
says is taken where both agree, and nothing is said elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import ceil, floor, isfinite
from typing import Final, TypeAlias

from tacit.operations.bounds import bounds_of_results, dtype_bounds
from tacit.operations.intervals import largest
from tacit.operations.types import ArrayType, Bounds, PublicArray
from tacit.programs.inference import CheckedNode

__all__ = ["clear_bounds"]

_UNIT: Final = 2.0**-18
"""The least positive fixed point of public numbers' type: below it shares give something else."""

_LARGEST_EXPONENT: Final = 20.0
"""Up to here exp of shares is exp; further up it stays at one value."""

_MOST: Final = 2.0**62
"""NumPy's integers of 64 bits wrap beyond."""

_ROUNDINGS: Final = 2.0**-30
"""What floats of sums of up to 2^20 terms are off, relatively, and more."""


def clear_bounds(
    node: CheckedNode,
    types: Sequence[ArrayType],
    bounds: Sequence[Bounds | None],
    arrays: Sequence[PublicArray | None],
) -> list[Bounds | None]:
    """What the results of a public node are within; None where nothing is known.

    Parameters
    ----------
    types, bounds : sequences
        Of the operands, all of them public.
    arrays : sequence of ndarray or None
        Those that are known already.
    """
    name = node.node.operation
    agrees = _AGREES.get(name)
    floats = any(t.dtype.kind == "fixed" for t in (*types, *node.results))
    known = [bound for bound in bounds if bound is not None]
    if agrees is not None and floats and (len(known) < len(bounds) or not agrees(known)):
        return [None] * len(node.results)
    try:
        found = bounds_of_results(name, types, bounds, node.attributes, node.results, arrays)
    except (ArithmeticError, ValueError, TypeError, LookupError):
        return [None] * len(node.results)
    return [
        _as_numpy_holds(bound, result) for bound, result in zip(found, node.results, strict=True)
    ]


def _as_numpy_holds(bound: Bounds | None, result: ArrayType) -> Bounds | None:
    """Small integers wrap; those of 64 bits may, and floats are rounded."""
    if bound is not None and not (isfinite(bound[0]) and isfinite(bound[1])):
        bound = None
    if bound is not None and result.dtype.kind != "fixed":
        bound = floor(bound[0]), ceil(bound[1])
    limits = dtype_bounds(result.dtype)
    if limits is not None:
        inside = bound is not None and limits[0] <= bound[0] and bound[1] <= limits[1]
        return bound if inside else limits
    if bound is None or largest(bound) >= _MOST:
        return None
    if result.dtype.kind != "fixed":
        return bound
    low, high = (float(end) for end in bound)
    return low - abs(low) * _ROUNDINGS, high + abs(high) * _ROUNDINGS


_Agrees: TypeAlias = Callable[[Sequence[Bounds]], bool]


def _small(bounds: Sequence[Bounds]) -> bool:
    return bounds[0][1] <= _LARGEST_EXPONENT


def _positive(bounds: Sequence[Bounds]) -> bool:
    return bounds[0][0] >= _UNIT


def _away_from_zero(bounds: Sequence[Bounds]) -> bool:
    low, high = bounds[-1]
    return low >= _UNIT or high <= -_UNIT


_AGREES: Final[Mapping[str, _Agrees]] = {
    **dict.fromkeys(("exp", "expm1"), _small),
    **dict.fromkeys(("rsqrt", "pow"), _positive),
    **dict.fromkeys(("reciprocal", "divide", "floor_divide", "divmod", "remainder"),
                    _away_from_zero),
}  # fmt: skip
"""Of operations on floats that agree on a part of the line alone: whether bounds are within it."""
