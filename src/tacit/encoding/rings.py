"""The rings there are, by their number of bits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tacit.encoding.ring import RING64, Ring
from tacit.encoding.wide import RING128
from tacit.errors import UsageError

__all__ = ["RINGS", "ring_of"]

RINGS: Final[Mapping[int, Ring]] = {ring.bits: ring for ring in (RING64, RING128)}


def ring_of(bits: int) -> Ring:
    """The ring Z_2^bits.

    Raises
    ------
    UsageError
        There is none (TC-1090); the message lists what exists.
    """
    ring = RINGS.get(bits) if isinstance(bits, int) else None
    if ring is None:
        raise UsageError(
            f"There is no ring with {bits!r} bits.",
            next_step=f"choose one of: {', '.join(map(str, RINGS))}.",
            case=90,
        )
    return ring
