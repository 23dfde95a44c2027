"""Values that functions are tried on: all of a small range, many of a large one.

Samples are the same whenever a program is explained, so that its explanation is.
"""

from __future__ import annotations

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
    low, high = _steps(kind, bounds)
    steps = np.arange(low, high + 1) if high - low < _ALL else _spread(low, high)
    return np.asarray(steps * unit_of(kind), np.float64) if kind.dtype.kind == "fixed" else steps


def is_whole(kind: ArrayType, bounds: Bounds | None) -> bool:
    """Whether :func:`range_of` has all values."""
    if kind.dtype.kind == "bool":
        return True
    low, high = _steps(kind, bounds)
    return high - low < _ALL


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
        return generator.uniform(max(low, -100.0), min(high, 100.0), count)
    return values[generator.integers(len(values), size=count)]


def _steps(kind: ArrayType, bounds: Bounds | None) -> tuple[int, int]:
    """The least and the largest value, as multiples of the unit."""
    unit = unit_of(kind)
    if bounds is not None:
        return round(bounds[0] / unit), round(bounds[1] / unit)
    if kind.dtype.kind == "fixed":
        return round(-100 / unit), round(100 / unit)
    bits = min(kind.dtype.bits, 63)
    if not kind.dtype.signed:
        return 0, 2**bits - 1
    return (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if bits < 63 else (-(2**62), 2**62)


def _spread(low: int, high: int) -> NDArray[np.int64]:
    """Small numbers, numbers that differ in one bit, numbers all over the range."""
    generator = np.random.default_rng(_SOME)
    small = np.arange(-_SMALL, _SMALL + 1)
    even = np.array([low + (high - low) * k // _SOME for k in range(_SOME + 1)], np.int64)
    wide = generator.integers(low, high, _SOME, endpoint=True)
    usual = generator.integers(max(low, -(2**31)), min(high, 2**31), _SOME, endpoint=True)
    width = (high - low).bit_length()
    powers = np.array([1 << k for k in range(min(width, 62))], np.int64)
    flipped = np.concatenate([base ^ powers for base in (0, *usual[:4].tolist())])
    every = np.concatenate([small, even, wide, usual, flipped, -powers])
    return np.unique(every[(every >= low) & (every <= high)])
