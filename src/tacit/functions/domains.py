"""What fixed-point functions need of their encoding."""

from __future__ import annotations

from tacit.errors import RangeError

__all__ = [
    "FINE_FRACTION_BITS",
    "LEAST_FRACTION_BITS",
    "MOST_FRACTION_BITS",
    "is_fine",
    "require_fine",
    "require_fraction_bits",
    "require_least_bits",
]

LEAST_FRACTION_BITS = 12
MOST_FRACTION_BITS = 24

FINE_FRACTION_BITS = 40
"""What most functions compute with in Z_2^128 (docs/decisions/0019)."""


def is_fine(fraction_bits: int) -> bool:
    """Whether a function needs the tables and scales that only Z_2^128 has room for."""
    return fraction_bits > MOST_FRACTION_BITS


def require_fine(name: str, fraction_bits: int, ring_bits: int) -> None:
    """Refuse encodings for which no error is stated, of functions that Z_2^128 computes finer.

    Raises
    ------
    RangeError
        Not 12 to 24 fractional bits, or to 40 in Z_2^128 (TC-1303).
    """
    if ring_bits < 128 or not is_fine(fraction_bits):
        require_fraction_bits(name, fraction_bits)
    elif fraction_bits > FINE_FRACTION_BITS:
        _refuse(name, fraction_bits, FINE_FRACTION_BITS)


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
        _refuse(name, fraction_bits, MOST_FRACTION_BITS)


def _refuse(name: str, fraction_bits: int, most: int) -> None:
    raise RangeError(
        f"{name} is built for {LEAST_FRACTION_BITS} to {most} fractional bits, not"
        f" {fraction_bits}.",
        next_step="use tacit.fixed, or tacit.fixed_point with a number in that range.",
        case=3,
        stage=name,
    )
