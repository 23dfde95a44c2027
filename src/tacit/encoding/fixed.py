"""Numbers to ring elements and back, refusing what the encoding cannot hold."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tacit.encoding.ring import RING64, Elements, Ring
from tacit.encoding.types import INTEGERS, DType, bool_, fixed, int64, int128
from tacit.errors import RangeError, TypeMismatchError

__all__ = ["decode", "encode", "magnitude_limit", "natural_type"]


def natural_type(values: NDArray[Any], fractions: DType = fixed) -> DType:
    """The secret type of a NumPy array: float is `fractions`, integers and bool keep their type.

    uint64 is int64, which holds what is below 2^63; Python integers that NumPy keeps as objects
    are int128.
    """
    kind = values.dtype.kind
    if kind == "O" and all(isinstance(value, int) for value in values.flat):
        return int128
    if kind == "f":
        return fractions
    if kind in "iu":
        return INTEGERS.get(values.dtype.name, int64)
    if kind == "b":
        return bool_
    raise TypeMismatchError(
        f"NumPy type {values.dtype} has no secret type.",
        next_step="convert to a float, an integer or a boolean array first.",
        case=1,
    )


def encode(
    values: ArrayLike,
    dtype: DType,
    bounds: tuple[float, float] | None = None,
    ring: Ring = RING64,
) -> Elements:
    """Encode numbers as ring elements.

    Parameters
    ----------
    values : array_like
        Any shape; real numbers, integers or booleans.
    dtype : DType
        The secret type. Booleans become 0 and 1 (packing is up to the protocol).
    bounds : (low, high), optional
        Declared bounds, checked here.
    ring : Ring
        What the numbers become elements of.

    Returns
    -------
    ndarray of ring.dtype
        Same shape, C-contiguous, rounded to nearest; uint64 for booleans in every ring.

    Raises
    ------
    RangeError
        NaN or infinity (TC-1301), outside the declared bounds (TC-1302), or too large for the
        encoding (TC-1300). Raised before anything is sent; no value is named.
    """
    array = np.asarray(values)
    natural_type(array)
    if array.dtype.kind == "f":
        if not np.isfinite(array).all():
            raise RangeError(
                "The array holds NaN or infinity, which no secret type can represent.",
                next_step="replace or drop them first, for instance with np.nan_to_num.",
                case=1,
            )
        if dtype.kind != "fixed" and not (array == np.round(array)).all():
            raise TypeMismatchError(
                f"Fractions cannot become {dtype!r}.",
                next_step="share them as tacit.fixed, or round them first.",
                case=2,
            )
    if bounds is not None and array.size:
        low, high = bounds
        if _plain(array.min()) < low or _plain(array.max()) > high:
            raise RangeError(
                f"A value lies outside the declared bounds ({low}, {high}).",
                next_step="widen the bounds or clip the data with np.clip.",
                case=2,
            )
    if dtype.kind == "bool":
        if array.dtype.kind != "b" and array.size and not np.isin(array, (0, 1)).all():
            raise RangeError(
                "Only 0 and 1 can become tacit.bool.",
                next_step="compare first, for instance x != 0.",
                case=4,
            )
        return np.asarray(array, dtype=np.uint64, order="C")
    if dtype.narrow and array.size:
        low, high = dtype.range or (0, 0)
        if array.min() < low or array.max() > high:
            raise RangeError(
                f"A value is outside the range of {dtype!r}, {low} to {high}.",
                next_step="use a wider type, such as tacit.int64.",
                case=70,
            )
    if dtype.kind == "int" and (dtype.bits > 64 or array.dtype.kind == "O"):
        return _long_integers(array, dtype, ring)
    if dtype.kind == "int":
        if array.dtype.kind == "u" and array.size and int(array.max()) >= 1 << 63:
            _too_large(dtype, float(1 << 63))
        if array.dtype.kind == "f" and array.size and float(np.abs(array).max()) >= 2.0**63:
            _too_large(dtype, float(1 << 63))
        return ring.elements(np.asarray(array.astype(np.int64), order="C"))
    limit = magnitude_limit(dtype, ring)
    scaled = np.asarray(array, dtype=np.float64)
    if scaled.size and max(float(scaled.max()), -float(scaled.min())) >= limit:
        _too_large(dtype, limit)
    scaled = scaled * dtype.scale
    return ring.from_floats(np.rint(scaled))


def _plain(value: Any) -> Any:
    """A number of NumPy's as one of Python's."""
    return value.item() if isinstance(value, np.generic) else value


def _long_integers(array: NDArray[Any], dtype: DType, ring: Ring) -> Elements:
    """Whole numbers of any NumPy type, or Python's, that may need more than 64 bits."""
    flat = array.reshape(-1)
    numbers = np.array([int(value) for value in flat.tolist()], object).reshape(array.shape)
    low, high = dtype.range or (0, 0)
    if numbers.size and (numbers.min() < low or numbers.max() > high):
        _too_large(dtype, float(high + 1))
    return np.asarray(ring.elements(numbers), order="C")


def magnitude_limit(dtype: DType, ring: Ring = RING64) -> float:
    """Numbers in a fixed-point type lie below this magnitude: their sums have room left."""
    return float(2.0 ** (ring.bits - 3 - dtype.fraction_bits))


def _too_large(dtype: DType, limit: float) -> None:
    raise RangeError(
        f"A value is too large for {dtype!r}, which holds magnitudes below {limit:g}.",
        next_step="scale the data down, use fewer fractional bits (tacit.fixed_point), or the"
        " 128-bit ring (tacit.local(..., ring=128)).",
        case=0,
    )


def decode(elements: Elements, dtype: DType, ring: Ring = RING64) -> NDArray[Any]:
    """Decode opened ring elements: float64 for fixed, the integer type, bool for booleans.

    Parameters
    ----------
    elements : ndarray of ring.dtype, or of 0 and 1
        Opened values, any shape; integers of fewer bits modulo 2^bits.
    dtype : DType
        Their type.
    ring : Ring
        What the elements belong to.

    Notes
    -----
    Fixed point is rounded to the nearest float64, which has 53 bits. 64-bit integers of a longer
    ring wrap to 64 bits, as NumPy's do; 128-bit integers are exact, as Python's.
    """
    if dtype.kind == "bool":
        return elements.astype(np.bool_)
    if dtype.kind == "int" and dtype.bits > 64:
        return ring.integers(elements)
    if dtype.kind == "int":
        return ring.low_words(elements).astype(dtype.numpy, copy=False)
    result: NDArray[Any] = ring.to_floats(elements)
    result *= dtype.resolution
    return result
