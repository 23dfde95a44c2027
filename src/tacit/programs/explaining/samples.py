"""Values that functions are tried on: all of a small range, many of a large one.

Samples are the same whenever a program is explained, so that its explanation is.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tacit.operations.types import ArrayType
from tacit.programs.explaining.spans import unit_of

__all__ = ["drawn", "is_whole", "range_of"]

_ALL: Final = 4096
"""Ranges of at most so many values are tried whole."""

_SOME: Final = 300
_SMALL: Final = 32
_KEPT: Final = 256

_USUAL: Final = 100.0
"""Numbers are tried up to here where no bounds are declared."""

_LARGEST: Final = 2**62
_FURTHEST: Final = 1e250

Numbers: TypeAlias = NDArray[np.float64] | NDArray[np.int64] | NDArray[np.bool_]
Bounds: TypeAlias = tuple[float, float]


def range_of(kind: ArrayType, bounds: Bounds | None) -> Numbers:
    """Different values of a type within bounds, ascending.

    Parameters
    ----------
    kind : ArrayType
    bounds : (low, high), optional
    """
    return _range(ArrayType(kind.dtype, ()), bounds)


@lru_cache(_KEPT)
def _range(kind: ArrayType, bounds: Bounds | None) -> Numbers:
    if kind.dtype.kind == "bool":
        return np.array([False, True])
    low, high, unit = _steps(kind, bounds)
    steps = np.arange(low, high + 1) if high - low < _ALL else _spread(low, high)
    return np.asarray(steps * unit, np.float64) if kind.dtype.kind == "fixed" else steps


def is_whole(kind: ArrayType, bounds: Bounds | None) -> bool:
    """Whether :func:`range_of` has all values."""
    if kind.dtype.kind == "bool":
        return True
    low, high, unit = _steps(kind, bounds)
    return high - low < _ALL and unit == unit_of(kind)


def drawn(kind: ArrayType, bounds: Bounds | None, count: int, seed: int) -> Numbers:
    """Random values of a type within bounds.

    Parameters
    ----------
    kind : ArrayType
    bounds : (low, high), optional
    count : int
    seed : int
        Other seeds, other values.
    """
    return _drawn(ArrayType(kind.dtype, ()), bounds, count, seed)


@lru_cache(_KEPT)
def _drawn(kind: ArrayType, bounds: Bounds | None, count: int, seed: int) -> Numbers:
    values = range_of(kind, bounds)
    generator = np.random.default_rng([seed, count])
    if kind.dtype.kind == "fixed":  # in general position
        low, high = float(values[0]), float(values[-1])
        if low < _USUAL and high > -_USUAL:
            low, high = max(low, -_USUAL), min(high, _USUAL)
        return generator.uniform(low, high, count)
    return values[generator.integers(len(values), size=count)]


def _steps(kind: ArrayType, bounds: Bounds | None) -> tuple[int, int, float]:
    """The least and the largest value, and what both are counted in: the unit, or a larger one."""
    unit = unit_of(kind)
    low, high = _ends(kind) if bounds is None else _finite(bounds, _ends(kind))
    largest = max(abs(low), abs(high)) / unit
    if kind.dtype.kind == "fixed" and largest > _LARGEST:
        unit *= 2.0 ** math.ceil(math.log2(largest / _LARGEST))
    first, last = (min(max(round(end / unit), -_LARGEST), _LARGEST) for end in (low, high))
    return first, last, unit


def _ends(kind: ArrayType) -> tuple[float, float]:
    """What is tried of a type without bounds."""
    if kind.dtype.kind == "fixed":
        return -_USUAL, _USUAL
    bits = min(kind.dtype.bits, 62)
    if not kind.dtype.signed:
        return 0, 2**bits - 1
    return (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if bits < 62 else (-_LARGEST, _LARGEST)


def _finite(bounds: Bounds, usual: Bounds) -> Bounds:
    """Bounds with a usual end where they have none."""
    low, high = (min(max(end, -_FURTHEST), _FURTHEST) if abs(end) < math.inf else end
                 for end in bounds)  # fmt: skip
    if not math.isfinite(low):
        low = min(usual[0], high - _USUAL) if math.isfinite(high) else usual[0]
    return low, high if math.isfinite(high) else max(usual[1], low + _USUAL)


def _spread(low: int, high: int) -> NDArray[np.int64]:
    """Small numbers, numbers that differ in one bit, numbers all over the range."""
    generator = np.random.default_rng(_SOME)
    small = np.arange(-_SMALL, _SMALL + 1)
    even = np.array([low + (high - low) * k // _SOME for k in range(_SOME + 1)], np.int64)
    wide = generator.integers(low, high, _SOME, endpoint=True)
    near, far = max(low, -(2**31)), min(high, 2**31)
    usual = generator.integers(near, far, _SOME, endpoint=True) if near <= far else wide
    width = (high - low).bit_length()
    powers = np.array([1 << k for k in range(min(width, 62))], np.int64)
    flipped = np.concatenate([base ^ powers for base in (0, *usual[:4].tolist())])
    every = np.concatenate([small, even, wide, usual, flipped, -powers])
    return np.unique(every[(every >= low) & (every <= high)])
