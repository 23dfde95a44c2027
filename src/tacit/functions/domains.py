"""What fixed-point functions need of their encoding."""

from __future__ import annotations

from tacit.errors import RangeError

__all__ = [
    "LEAST_FRACTION_BITS",
    "MOST_FRACTION_BITS",
    "require_fraction_bits",
    "require_least_bits",
]

LEAST_FRACTION_BITS = 12
MOST_FRACTION_BITS = 24


def require_least_bits(name: str, fraction_bits: int) -> None:
    """Refuse encodings that are too coarse; finer ones are computed with 24 fractional bits.

    Raises
    ------
    RangeError
        Fewer than 12 fractional bits (TC-1303).
    """
    require_fraction_bits(name, min(fraction_bits, MOST_FRACTION_BITS))


def require_fraction_bits(name: str, fraction_bits: int) -> None:
    """Refuse encodings for which no error is stated.

    Raises
    ------
    RangeError
        Not 12 to 24 fractional bits (TC-1303).
    """
    if not LEAST_FRACTION_BITS <= fraction_bits <= MOST_FRACTION_BITS:
        raise RangeError(
            f"{name} is built for {LEAST_FRACTION_BITS} to {MOST_FRACTION_BITS} fractional bits,"
            f" not {fraction_bits}.",
            next_step="use tacit.fixed, or tacit.fixed_point with a number in that range.",
            case=3,
            stage=name,
        )
