"""The types of secret numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["MAGNITUDE_BITS", "RING_BITS", "DType", "bool_", "fixed", "fixed_point", "int64"]

RING_BITS = 64
"""The ring is Z_2^64."""

MAGNITUDE_BITS = 62
"""Products and sums stay below 2^62 in magnitude before truncation, which then never wraps."""


@dataclass(frozen=True, slots=True)
class DType:
    """The type of a secret number.

    Attributes
    ----------
    kind : {"fixed", "int", "bool"}
        Fixed point and integers are ring elements; booleans are packed bits.
    fraction_bits : int
        Fractional bits of fixed point; 0 otherwise.
    """

    kind: Literal["fixed", "int", "bool"]
    fraction_bits: int = 0

    @property
    def name(self) -> str:
        """The name users see: ``fixed``, ``fixed26``, ``int64`` or ``bool``."""
        if self.kind == "fixed":
            return "fixed" if self == fixed else f"fixed{self.fraction_bits}"
        return "int64" if self.kind == "int" else "bool"

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

bool_ = DType("bool")
"""One bit."""


def fixed_point(fraction_bits: int) -> DType:
    """Fixed point with another number of fractional bits, 1 to 40."""
    if not 1 <= fraction_bits <= 40:
        from tacit.errors import RangeError

        raise RangeError(
            f"{fraction_bits} fractional bits do not leave room in a 64-bit ring.",
            next_step="choose 1 to 40 fractional bits; the default is 18.",
            case=3,
        )
    return DType("fixed", fraction_bits)
