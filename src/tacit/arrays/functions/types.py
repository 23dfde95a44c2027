"""What there is to know about types: conversions, limits, kinds."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tacit.arrays.array import SecretArray
from tacit.encoding.fixed import magnitude_limit, natural_type
from tacit.encoding.ring import RING64, Ring
from tacit.encoding.types import DType, promoted_integer
from tacit.encoding.wide import RING128
from tacit.errors import TypeMismatchError
from tacit.operations.promotion import common_type
from tacit.operations.types import ArrayType

__all__ = ["can_cast", "finfo", "iinfo", "isdtype", "result_type"]

_KINDS: Mapping[str, Callable[[DType], bool]] = {
    "bool": lambda dtype: dtype.kind == "bool",
    "signed integer": lambda dtype: dtype.kind == "int" and dtype.signed,
    "unsigned integer": lambda dtype: dtype.kind == "int" and not dtype.signed,
    "integral": lambda dtype: dtype.kind == "int",
    "real floating": lambda dtype: dtype.kind == "fixed",
    "complex floating": lambda dtype: False,
    "numeric": lambda dtype: dtype.kind != "bool",
}


@dataclass(frozen=True, slots=True)
class FixedInfo:
    """The limits of a fixed-point type, under the names of the array API standard.

    Attributes
    ----------
    bits : int
        Of the ring that holds it.
    eps, smallest_normal : float
        One unit in the last place: what 1 and the next number are apart, and the least number
        above 0.
    max, min : float
        The largest magnitude that an input may have as a float64, and its negative.
    dtype : DType
    """

    bits: int
    eps: float
    max: float
    min: float
    smallest_normal: float
    dtype: DType


@dataclass(frozen=True, slots=True)
class IntegerInfo:
    """The limits of an integer type."""

    bits: int
    max: int
    min: int
    dtype: DType


def _dtype(x: Any) -> DType:
    return x if isinstance(x, DType) else _array_type(x).dtype


def _array_type(x: Any) -> ArrayType:
    if isinstance(x, DType):
        return ArrayType(x, ())
    if isinstance(x, SecretArray):
        return ArrayType(x.dtype, x.shape)
    return ArrayType(natural_type(np.asarray(x)), (), public=True)


def _refused(name: str, dtype: DType, wanted: str) -> TypeMismatchError:
    return TypeMismatchError(
        f"{name}: {dtype!r} is no {wanted} type.",
        next_step="ask tacit.isdtype first.",
        case=60,
        stage=name,
    )


def finfo(type: DType | SecretArray, /) -> FixedInfo:
    """The limits of a fixed-point type: over 64 bits if it fits, or in an array's own ring."""
    dtype = _dtype(type)
    if dtype.kind != "fixed":
        raise _refused("finfo", dtype, "fixed-point")
    ring: Ring = RING64 if dtype.fraction_bits <= RING64.most_fraction_bits else RING128
    if isinstance(type, SecretArray):
        ring = type.session.ring
    limit = math.nextafter(magnitude_limit(dtype, ring), 0)
    return FixedInfo(ring.bits, dtype.resolution, limit, -limit, dtype.resolution, dtype)


def iinfo(type: DType | SecretArray, /) -> IntegerInfo:
    """The limits of an integer type."""
    dtype = _dtype(type)
    if dtype.kind != "int" or dtype.range is None:
        raise _refused("iinfo", dtype, "integer")
    least, greatest = dtype.range
    return IntegerInfo(dtype.bits, greatest, least, dtype)


def isdtype(dtype: DType, kind: DType | str | tuple[DType | str, ...]) -> bool:
    """Whether a type is another one, or of a kind such as ``"numeric"``, or of one of several."""
    if isinstance(kind, tuple):
        return any(isdtype(dtype, each) for each in kind)
    if isinstance(kind, DType):
        return dtype == kind
    if kind not in _KINDS:
        raise TypeMismatchError(
            f"isdtype: there is no kind of types named {kind!r}.",
            next_step=f"choose one of: {', '.join(_KINDS)}.",
            case=60,
            stage="isdtype",
        )
    return _KINDS[kind](dtype)


def can_cast(from_: DType | SecretArray, to: DType, /) -> bool:
    """Whether every number of one type is one of the other: integers become fixed point."""
    source = _dtype(from_)
    if source == to:
        return True
    if source.kind == "bool" or to.kind == "bool":
        return False
    if to.kind == "int":
        return source.kind == "int" and promoted_integer(source, to) == to
    return source.fraction_bits <= to.fraction_bits


def result_type(*arrays_and_dtypes: Any) -> DType:
    """The type of a sum of arrays, types and Python numbers; those only change the kind."""
    strong = [x for x in arrays_and_dtypes if not isinstance(x, bool | int | float)]
    weak = [x for x in arrays_and_dtypes if isinstance(x, bool | int | float)]
    if strong and all(_array_type(x).dtype.kind != "bool" for x in strong):
        weak = [x for x in weak if isinstance(x, float)]
    types = [_array_type(x) for x in (*strong, *weak)]
    if types and all(t.dtype.kind == "bool" for t in types):
        return types[0].dtype
    return common_type("result_type", types)
