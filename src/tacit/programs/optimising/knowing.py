"""What bounds say of the values of a draft, those that rules have just made included."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from tacit.encoding.ring import RING64
from tacit.errors import RangeError
from tacit.operations.bounds import public_bounds
from tacit.operations.overflow import refuse_overflow
from tacit.operations.table import OPERATIONS
from tacit.operations.types import Bounds
from tacit.programs.building import Value
from tacit.programs.optimising.rewriting import Draft

__all__ = ["Intervals", "Knowledge"]

Intervals: TypeAlias = Sequence[Bounds | None]
"""For each value of the old graph what it is within in every round."""


class Knowledge:
    """Intervals of a draft's values.

    Parameters
    ----------
    draft : Draft
    intervals : sequence of (low, high) or None
        Of the old graph's values.
    """

    def __init__(self, draft: Draft, intervals: Intervals) -> None:
        self._draft = draft
        self._intervals = intervals
        self._found: dict[Value, Bounds | None] = {}

    def bounds(self, value: Value) -> Bounds | None:
        """What a value is within; None where nothing is known, or where it could wrap."""
        number = self._draft.number(value)
        if number is not None:
            return self._intervals[number]
        if value not in self._found:
            self._found[value] = self._of_new(value)
        return self._found[value]

    def fits(self, value: Value) -> bool:
        """Whether a value that a rule has made is shown not to wrap; integers may."""
        return value.type.dtype.kind == "int" or self.bounds(value) is not None

    def _of_new(self, value: Value) -> Bounds | None:
        array = self._draft.array(value)
        if array is not None:
            return public_bounds(array)
        made = self._draft.made(value)
        if made is None or any(one.type.dtype.narrow for one in made.operands):
            return None
        known = [self.bounds(one) for one in made.operands]
        if value.type.public or any(one is None for one in known):
            return None
        types = [one.type for one in made.operands]
        arrays = [self._draft.array(one) for one in made.operands]
        try:
            (found,) = refuse_overflow(
                made.operation, types, arrays, known, made.attributes, [value.type], RING64
            )
        except RangeError:
            return None
        return found if made.operation in OPERATIONS else None
