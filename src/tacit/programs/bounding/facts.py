"""What is known about one value of a program before it runs."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tacit.operations.bounds import dtype_bounds, public_bounds
from tacit.operations.intervals import union
from tacit.operations.types import ArrayType, Bounds
from tacit.programs.bounding.forms import Form, symbol

__all__ = ["Fact", "fresh", "joined", "known_array", "narrowed", "within"]


@dataclass(frozen=True, slots=True, eq=False)
class Fact:
    """What is known.

    Attributes
    ----------
    bounds : (low, high), optional
        Its numbers are within them; None if nothing is known.
    declared : bool
        Whether that comes from a declaration, not from types alone.
    form : Form, optional
        How it depends on other values.
    array : ndarray, optional
        The value itself, of public ones that are known already.
    """

    bounds: Bounds | None = None
    declared: bool = False
    form: Form | None = None
    array: NDArray[Any] | None = None


def fresh(key: Hashable, array_type: ArrayType, bounds: Bounds | None, declared: bool) -> Fact:
    """A value that is a symbol of its own, within bounds or within those of its type."""
    known = bounds or (None if array_type.public else dtype_bounds(array_type.dtype))
    if known is None:
        return Fact()
    form = symbol(key, known) if array_type.dtype.kind != "bool" else None
    return Fact(known, declared and bounds is not None, form)


def known_array(key: Hashable, array: NDArray[Any]) -> Fact:
    """A public value that is there already."""
    bounds = public_bounds(array)
    form = None
    if bounds is not None and array.dtype.kind != "b":
        low, high = bounds
        form = Form(low) if low == high else symbol(key, bounds)
    return Fact(bounds, False, form, array)


def narrowed(one: Bounds | None, other: Bounds | None) -> Bounds | None:
    """What both say."""
    if one is None or other is None:
        return one or other
    low, high = max(one[0], other[0]), min(one[1], other[1])
    return (low, high) if low <= high else one


def within(inner: Bounds | None, outer: Bounds | None) -> bool:
    """Whether an interval is inside another, up to how float64 rounds its ends."""
    if outer is None:
        return True
    if inner is None:
        return False
    return outer[0] <= inner[0] and inner[1] <= outer[1]


def joined(facts: list[Fact]) -> Fact:
    """What is known of a value that is one of several."""
    if len(facts) == 1:
        return facts[0]
    intervals = [fact.bounds for fact in facts if fact.bounds is not None]
    arrays = [fact.array for fact in facts]
    first = arrays[0]
    if first is not None and all(a is not None and np.array_equal(a, first) for a in arrays):
        return facts[0]
    if len(intervals) < len(facts):
        return Fact()
    return Fact(union(*intervals), any(fact.declared for fact in facts))
