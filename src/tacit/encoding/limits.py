"""The integers that an owner's input may consist of: its declared bounds, or those of its type."""

from __future__ import annotations

from math import ceil, floor, isfinite
from typing import TypeAlias

import numpy as np

from tacit.encoding.ring import RING64, Elements, Ring
from tacit.encoding.types import DType
from tacit.errors import RangeError

__all__ = ["Limits", "input_limits", "require_within"]

Limits: TypeAlias = tuple[int, int]
"""The least and the greatest integer, both allowed; as encoded, in units of fixed point."""


def input_limits(
    dtype: DType, bounds: tuple[float, float] | None = None, ring: Ring = RING64
) -> Limits:
    """What the elements of an honest owner's input lie within.

    Parameters
    ----------
    dtype : DType
        The input's type; for booleans 0 and 1.
    bounds : (low, high), optional
        Declared bounds, in the type's numbers. Outwards to whole units of fixed point.
    ring : Ring
        What the input is shared over.

    Returns
    -------
    low, high : int
        Of fixed point, what ``encode`` lets through; of integers, the type's range, for those
        that fill their ring within its ``magnitude_bits`` unless wider bounds are declared.
    """
    if dtype.kind == "fixed":
        most = (1 << (ring.bits - 3)) - 1
        low, high = (
            to_unit(float(bound) * dtype.scale) if isfinite(float(bound) * dtype.scale) else bound
            for bound, to_unit in zip(bounds or (-most, most), (floor, ceil), strict=True)
        )
        if bounds is None:
            low, high = -most, most
        return int(max(low, -most)), int(min(high, most))
    least, most = dtype.range or (0, 0)
    if bounds is None:
        room = 1 << ring.magnitude_bits
        return max(least, -room), min(most, room - 1)
    return ceil(max(bounds[0], least)), floor(min(bounds[1], most))


def require_within(elements: Elements, limits: Limits, dtype: DType, ring: Ring) -> None:
    """Refuse integers that other parties would refuse, before anything is sent.

    Raises
    ------
    RangeError
        One is outside (TC-1305). No value is named.
    """
    if dtype.kind != "int" or not elements.size:
        return
    numbers = ring.integers(elements)
    low, high = limits
    if int(np.min(numbers)) < low or int(np.max(numbers)) > high:
        raise RangeError(
            f"An input of {dtype!r} holds an integer outside {low} to {high}, which this protocol"
            " checks on shares.",
            next_step="share smaller integers, or declare the bounds that they are within.",
            case=5,
        )
