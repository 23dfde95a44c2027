"""One column of a batch becomes numbers, and everything wrong with it is found.

Numbers and integers keep their value, booleans become 0 and 1, categories their position in the
schema's list. Everything is vectorised; only a batch in which a conversion fails is searched.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tacit.tables.column import Column
from tacit.tables.dates import days_of_text, days_of_timestamps, has_unclear_order, is_temporal
from tacit.tables.problems import Problem

__all__ = ["MISSING_WORDS", "Values", "Writing", "convert", "storable"]

Mask: TypeAlias = NDArray[np.bool_]

MISSING_WORDS: Final = ("NA", "N/A", "null", "NULL", "None")
"""Missing values in CSV besides the empty field; not in category columns."""

_COMMA: Final = r"^\s*[+-]?[0-9]+,[0-9]+([eE][+-]?[0-9]+)?\s*$"

_ZEROS: Final = ("0", "0.0", "false", "False", "FALSE", "no", "No", "NO")
_ONES: Final = ("1", "1.0", "true", "True", "TRUE", "yes", "Yes", "YES")

_BOOLEANS: Final = [word for pair in zip(_ZEROS, _ONES, strict=True) for word in pair]
"""Not an Arrow array yet: the first one of a process imports pandas."""


@dataclass(slots=True)
class Values:
    """A column of one batch.

    Attributes
    ----------
    values : (n,) float64
        Meaningless where a value is missing or wrong.
    missing : (n,) bool
        Where values are missing.
    problems : list of (Problem, (n,) bool)
        What is wrong, and where; each entry has at least one row, no row two problems.
    """

    values: NDArray[np.float64]
    missing: Mask
    problems: list[tuple[Problem, Mask]] = field(default_factory=list)

    def note(self, problem: Problem, mask: Mask) -> None:
        """Record a problem at the rows of `mask` that have none yet."""
        for _, earlier in self.problems:
            mask = mask & ~earlier
        if mask.any():
            self.problems.append((problem, mask))


@dataclass(slots=True)
class Writing:
    """How one file writes one column; learned while it is read.

    Attributes
    ----------
    commas : bool
        Whether numbers may have a decimal comma: in CSV files with another separator.
    order : callable, optional
        Tells whether 03/04/2024 has its day first, or None where the file does not show it.
    """

    commas: bool = False
    order: Callable[[], bool | None] | None = None
    _comma: bool = False
    _point: bool = False
    _order: tuple[bool | None] | None = None

    def day_first(self) -> bool | None:
        """Whether the day comes first; asks once."""
        if self._order is None:
            self._order = (None if self.order is None else self.order(),)
        return self._order[0]

    def with_points(self, array: pa.Array) -> tuple[pa.Array, Mask]:
        """Numbers with decimal commas get points; where the column mixes both is told."""
        comma = _numpy(pc.match_substring_regex(array, _COMMA).fill_null(False))
        point = _numpy(pc.match_substring(array, ".").fill_null(False))
        mixed = (comma & self._point) | (point & (self._comma or bool(comma.any())))
        self._comma = self._comma or bool(comma.any())
        self._point = self._point or bool(point.any())
        if comma.any():
            array = pc.if_else(pa.array(comma), pc.replace_substring(array, ",", "."), array)
        return array, mixed


def storable(column: Column, stored: pa.DataType) -> bool:
    """Whether a file may store `column` as `stored`. Text stands for any type only in CSV."""
    if pa.types.is_dictionary(stored):
        stored = stored.value_type
    if pa.types.is_null(stored):
        return True
    number = (
        pa.types.is_integer(stored) or pa.types.is_floating(stored) or pa.types.is_decimal(stored)
    )
    if column.type == "category":
        return is_text(stored) or pa.types.is_integer(stored)
    if column.type == "date":
        return is_text(stored) or is_temporal(stored)
    return number or (column.type == "boolean" and pa.types.is_boolean(stored))


def convert(
    column: Column, array: pa.Array, *, label: bool = False, writing: Writing | None = None
) -> Values:
    """Convert one column of a batch and find what is wrong with it.

    Parameters
    ----------
    column : Column
        What the schema says.
    array : Arrow array of length n
        Text for CSV, else a type that :func:`storable` allows.
    label : bool
        Whether this is the label, for which anything but 0 and 1 is ``NOT_A_LABEL``.
    writing : Writing, optional
        How the file writes the column.
    """
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if column.type == "category":
        result = _categories(column, array)
    elif column.type == "boolean":
        result = _booleans(array, Problem.NOT_A_LABEL if label else Problem.NOT_A_BOOLEAN)
    elif column.type == "date":
        result = _dates(column, array, writing or Writing())
    else:
        result = _numbers(column, array, writing)
    if column.missing == "refuse":
        result.note(Problem.MISSING, result.missing)
    return result


def is_text(stored: pa.DataType) -> bool:
    """Whether an Arrow type is text."""
    return bool(
        pa.types.is_string(stored)
        or pa.types.is_large_string(stored)
        or pa.types.is_string_view(stored)
    )


def _numbers(column: Column, array: pa.Array, writing: Writing | None) -> Values:
    result = parse_numbers(array, writing)
    values, usable = result.values, ~result.missing
    result.note(Problem.NAN, np.isnan(values) & usable)
    result.note(Problem.INFINITE, np.isinf(values))
    if column.type == "integer":
        result.note(Problem.NOT_AN_INTEGER, (values != np.rint(values)) & usable)
    if column.limits is not None:
        low, high = column.limits
        result.note(Problem.OUT_OF_BOUNDS, ((values < low) | (values > high)) & usable)
    return result


def _dates(column: Column, array: pa.Array, writing: Writing) -> Values:
    result = parse_dates(array, writing)
    low, high = column.limits or (-np.inf, np.inf)
    outside = (result.values < low) | (result.values >= high)
    result.note(Problem.OUT_OF_BOUNDS, outside & ~result.missing)
    return result


def parse_dates(array: pa.Array, writing: Writing) -> Values:
    """Dates as days since 1970; what is none is ``NOT_A_DATE``."""
    if is_temporal(array.type):
        return Values(days_of_timestamps(array), _numpy(array.is_null()))
    if not is_text(array.type):  # null
        return Values(np.zeros(len(array)), np.ones(len(array), np.bool_))
    array = pc.utf8_trim_whitespace(array)
    array = _without(array, pc.is_in(array, pa.array(["", *MISSING_WORDS], array.type)))
    missing = _numpy(array.is_null())
    day_first = writing.day_first() if has_unclear_order(array) else False
    days, wrong, unclear = days_of_text(array, bool(day_first))
    result = Values(days, missing)
    if day_first is None:
        result.note(Problem.UNCLEAR_DATE, unclear)
    result.note(Problem.NOT_A_DATE, wrong)
    return result


def parse_numbers(array: pa.Array, writing: Writing | None = None) -> Values:
    """Numbers of any kind as float64; text that is no number is ``NOT_A_NUMBER``."""
    wrong: Mask | None = None
    mixed: Mask | None = None
    if is_text(array.type):
        if writing is not None and writing.commas:
            array, mixed = writing.with_points(array)
        try:
            array = pc.cast(array, pa.float64())
        except pa.ArrowInvalid:
            array = pc.utf8_trim_whitespace(array)
            array = _without(array, pc.is_in(array, pa.array(["", *MISSING_WORDS], array.type)))
            wrong = _unparseable(array)
            array = pc.cast(_without(array, pa.array(wrong)), pa.float64())
    else:
        array = pc.cast(array, pa.float64(), safe=False)
    missing = _numpy(array.is_null())
    if wrong is not None:
        missing &= ~wrong
    result = Values(np.asarray(array.to_numpy(zero_copy_only=False)), missing)
    if wrong is not None:
        result.note(Problem.NOT_A_NUMBER, wrong)
    if mixed is not None:
        result.note(Problem.MIXED_DECIMALS, mixed)
    return result


def _unparseable(array: pa.Array) -> Mask:
    """Where text is no number: halves the range until each failing value stands alone."""
    wrong = np.zeros(len(array), np.bool_)
    ranges = [(0, len(array))]
    while ranges:
        start, stop = ranges.pop()
        try:
            pc.cast(array.slice(start, stop - start), pa.float64())
        except pa.ArrowInvalid:
            if stop - start == 1:
                wrong[start] = True
            else:
                middle = (start + stop) // 2
                ranges += [(start, middle), (middle, stop)]
    return wrong


def _booleans(array: pa.Array, problem: Problem) -> Values:
    if is_text(array.type):
        codes = _index(array, pa.array(_BOOLEANS))
        missing = _numpy(array.is_null())
        if (codes < 0).any():
            trimmed = pc.utf8_trim_whitespace(array)
            codes = _index(trimmed, pa.array(_BOOLEANS))
            words = pa.array(["", *MISSING_WORDS], array.type)
            missing |= _numpy(pc.is_in(trimmed, words))
        result = Values((codes % 2).astype(np.float64), missing)
        result.note(problem, (codes < 0) & ~missing)
        return result
    result = parse_numbers(array)
    result.note(problem, (result.values != 0) & (result.values != 1) & ~result.missing)
    return result


def _categories(column: Column, array: pa.Array) -> Values:
    if not is_text(array.type):
        array = pc.cast(array, pa.string())
    missing = _numpy(array.is_null()) | _numpy(pc.equal(array, "").fill_null(False))
    codes = _index(array, pa.array(column.categories or (), array.type))
    result = Values(codes.astype(np.float64), missing)
    result.note(Problem.UNKNOWN_CATEGORY, (codes < 0) & ~missing)
    return result


def _index(array: pa.Array, choices: pa.Array) -> NDArray[np.int64]:
    """The position of each value among `choices`, -1 where it is none or missing."""
    found = pc.index_in(array, choices.cast(array.type)).fill_null(-1)
    return np.asarray(found.to_numpy(zero_copy_only=False), dtype=np.int64)


def _without(array: pa.Array, mask: pa.Array) -> pa.Array:
    return pc.if_else(mask, pa.scalar(None, array.type), array)


def _numpy(mask: Any) -> Mask:
    return np.array(mask.to_numpy(zero_copy_only=False), dtype=np.bool_)
