"""How far apart two values of a number can be, and what numbers are multiples of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tacit.operations.types import ArrayType
from tacit.programs.explaining.values import Value

__all__ = ["span_of", "span_of_result", "unit_of"]


def span_of(kind: ArrayType, bounds: tuple[float, float] | None = None) -> float | None:
    """The largest difference of two values; None where it is not known.

    Parameters
    ----------
    kind : ArrayType
    bounds : (low, high), optional
        Declared ones.
    """
    if kind.dtype.kind == "bool":
        return 1.0
    if bounds is not None:
        return float(bounds[1]) - float(bounds[0])
    if kind.dtype.kind == "int" and kind.dtype.bits < 64:
        return 2.0**kind.dtype.bits - 1
    return None


def span_of_result(
    name: str, attributes: Any, operands: Sequence[Value], kind: ArrayType
) -> float | None:
    """The same of an operation's result, where the operation limits it."""
    known = [one.known for one in operands if not one.inputs and one.known is not None]
    if kind.dtype.kind == "int" and len(known) == 1 and known[0].size:
        largest = float(np.max(known[0]))
        if name == "bitwise_and" and known[0].min() >= 0:
            return largest
        if name == "remainder" and operands[0].inputs and known[0].min() > 0:
            return largest - 1
    if name == "one_hot":
        return 1.0
    if name == "clip":
        ends = attributes.low, attributes.high
        if all(np.isfinite(float(end)) for end in ends if end is not None) and None not in ends:
            return float(ends[1]) - float(ends[0])
    return span_of(kind)


def unit_of(kind: ArrayType) -> float:
    """What all values are multiples of."""
    return 2.0**-kind.dtype.fraction_bits if kind.dtype.kind == "fixed" else 1.0
