"""The types of secret numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from tacit.errors import RangeError

__all__ = [
    "INTEGERS",
    "MAGNITUDE_BITS",
    "DType",
    "bool_",
    "fixed",
    "fixed_point",
    "int8",
    "int16",
    "int32",
    "int64",
    "int128",
    "promoted_integer",
    "require_room",
    "uint8",
    "uint16",
    "uint32",
]

MAGNITUDE_BITS = 62
"""In Z_2^64 products and sums stay below 2^62 in magnitude before truncation: it never wraps."""

MOST_FRACTION_BITS = 100
"""The finest fixed point of any ring."""


@dataclass(frozen=True, slots=True)
class DType:
    """The type of a secret number.

    Attributes
    ----------
    kind : {"fixed", "int", "bool"}
        Fixed point and integers are ring elements; booleans are packed bits.
    fraction_bits : int
        Fractional bits of fixed point; 0 otherwise.
    bits : int
        Width of integers: 8, 16, 32, 64 or 128; 64 otherwise.
    signed : bool
        Whether integers have a sign; true otherwise.
    """

    kind: Literal["fixed", "int", "bool"]
    fraction_bits: int = 0
    bits: int = 64
    signed: bool = True

    @property
    def name(self) -> str:
        """The name users see: ``fixed``, ``fixed26``, ``int64``, ``uint8`` or ``bool``."""
        if self.kind == "fixed":
            return "fixed" if self == fixed else f"fixed{self.fraction_bits}"
        if self.kind == "bool":
            return "bool"
        return f"{'int' if self.signed else 'uint'}{self.bits}"

    @property
    def narrow(self) -> bool:
        """Whether these are integers of fewer than 64 bits."""
        return self.bits < 64

    @property
    def range(self) -> tuple[int, int] | None:
        """The least and the greatest integer or boolean; None for fixed point."""
        if self.kind == "fixed":
            return None
        if self.kind == "bool":
            return 0, 1
        if self.signed:
            return -(1 << (self.bits - 1)), (1 << (self.bits - 1)) - 1
        return 0, (1 << self.bits) - 1

    @property
    def range_is_narrow(self) -> bool:
        """Whether the type alone keeps numbers far below the ring: booleans, small integers."""
        return self.bits < 64 or self.kind == "bool"

    @property
    def numpy(self) -> np.dtype[Any]:
        """The type of revealed values: float64, the integer type of the same name, or bool.

        Integers of 128 bits are Python's, in an array of objects.
        """
        if self.kind == "int":
            return np.dtype(self.name if self.bits <= 64 else object)
        return np.dtype(np.float64 if self.kind == "fixed" else np.bool_)

    @property
    def parameters(self) -> dict[str, Any]:
        """The type as parameters of an operation: ``astype`` and ``constant`` take them."""
        return {
            "kind": self.kind,
            "fraction_bits": self.fraction_bits,
            "bits": self.bits,
            "signed": self.signed,
        }

    @property
    def scale(self) -> float:
        """The ring element that stands for 1."""
        return float(1 << self.fraction_bits)

    @property
    def resolution(self) -> float:
        """One unit in the last place."""
        return 1.0 / self.scale

    def __repr__(self) -> str:
        return f"tacit.{self.name}"


fixed = DType("fixed", 18)
"""Fixed point with 18 fractional bits: resolution 3.8e-6, magnitudes below 2^43."""

int64 = DType("int")
"""64-bit integers, two's complement, wrapping like NumPy's."""

int128 = DType("int", bits=128)
"""128-bit integers, two's complement, in sessions over the 128-bit ring; revealed as Python's."""

int32 = DType("int", bits=32)
"""32-bit integers, two's complement, wrapping like NumPy's."""

int16 = DType("int", bits=16)
"""16-bit integers, two's complement, wrapping like NumPy's."""

int8 = DType("int", bits=8)
"""8-bit integers, two's complement, wrapping like NumPy's."""

uint32 = DType("int", bits=32, signed=False)
"""32-bit integers without sign, wrapping like NumPy's."""

uint16 = DType("int", bits=16, signed=False)
"""16-bit integers without sign, wrapping like NumPy's."""

uint8 = DType("int", bits=8, signed=False)
"""8-bit integers without sign, wrapping like NumPy's."""

INTEGERS: dict[str, DType] = {
    dtype.name: dtype for dtype in (int8, int16, int32, int64, uint8, uint16, uint32)
}
"""The integer types that NumPy has too, by name. There is no uint64: comparisons need a sign."""

bool_ = DType("bool")
"""One bit."""


def promoted_integer(a: DType, b: DType) -> DType:
    """The integer type that holds the values of both, by the array API standard's table.

    uint32 with a signed type is int64.
    """
    if a.signed == b.signed:
        return a if a.bits >= b.bits else b
    signed, unsigned = (a, b) if a.signed else (b, a)
    if signed.bits > unsigned.bits:
        return signed
    return DType("int", bits=2 * unsigned.bits)


def fixed_point(fraction_bits: int) -> DType:
    """Fixed point with another number of fractional bits: 1 to 40, or to 100 in 128-bit rings.

    Raises
    ------
    RangeError
        No ring has room for it (TC-1303).
    """
    dtype = DType("fixed", fraction_bits)
    if not 1 <= fraction_bits <= MOST_FRACTION_BITS:
        require_room(dtype, MOST_FRACTION_BITS)
    return dtype


def require_room(dtype: DType, most: int, bits: int = 128) -> None:
    """Refuse types that are too long for a ring of `bits` bits: more than `most` fractional bits.

    Raises
    ------
    RangeError
        It is one (TC-1303).
    """
    if dtype.bits > bits:
        raise RangeError(
            f"Integers of {dtype.bits} bits do not fit into a {bits}-bit ring.",
            next_step="open the session with tacit.local(..., ring=128), or use tacit.int64.",
            case=3,
        )
    if dtype.kind != "fixed" or 1 <= dtype.fraction_bits <= most:
        return
    longer = "; the 128-bit ring (tacit.local(..., ring=128)) takes up to 100" * (bits < 128)
    raise RangeError(
        f"{dtype.fraction_bits} fractional bits do not leave room in a {bits}-bit ring.",
        next_step=f"choose 1 to {most} fractional bits{longer}; the default is 18.",
        case=3,
    )
