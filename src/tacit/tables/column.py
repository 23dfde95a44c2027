"""One column of a schema: its type, bounds and categories, and what makes no sense in it.

Whether the schema as a whole makes sense says ``schema.py``, whose docstring shows a file.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterator
from typing import Final, Literal, TypeAlias

import msgspec

__all__ = [
    "MAX_NAME",
    "MISSING_CATEGORY",
    "PARTS",
    "SCHEMA_VERSION",
    "UNTOLD",
    "Column",
    "ColumnType",
    "Missing",
    "Part",
    "canonical",
    "column_problems",
    "day_of",
]

ColumnType: TypeAlias = Literal["number", "integer", "boolean", "category", "date"]
Missing: TypeAlias = Literal["refuse", "zero", "mean", "category"]
Part: TypeAlias = Literal["weekday", "month", "hour"]

SCHEMA_VERSION: Final = 2

PARTS: Final[dict[Part, tuple[str, ...]]] = {
    "weekday": ("mon", "tue", "wed", "thu", "fri", "sat", "sun"),
    "month": tuple(str(month) for month in range(1, 13)),
    "hour": tuple(str(hour) for hour in range(24)),
}
"""What parts of a date there are, and the values of each."""

MAX_TARGET_CATEGORIES: Final = 1_024
"""A row of target-encoded features sums up within the ring whatever a corrupt owner shares."""

MISSING_CATEGORY: Final = "(missing)"
"""What the extra category of the policy ``category`` is called in feature names."""

UNTOLD: Final = (
    "a draft does not tell those of a private column; merge it with drafts that do, or write in"
    " what all can agree on without looking at the data"
)
"""Why bounds or categories are not there."""

_EPOCH: Final = datetime.date(1970, 1, 1).toordinal()
MAX_NAME: Final = 200
_MAX_MAGNITUDE: Final = 2.0**53


class Column(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One column of a table.

    Parameters
    ----------
    name : str
        As in the header of the file.
    type : {"number", "integer", "boolean", "category", "date"}
        Booleans are 0 and 1, true and false, or yes and no.
    bounds : (low, high), optional
        Both included; required for numbers, integers and dates (as ``"2024-12-31"``), absent
        otherwise.
    categories : tuple of str, optional
        All values that may occur, in order; for categories only.
    missing : {"refuse", "zero", "mean", "category"}
        What a missing value means; the module's docstring has the table.
    unit : str
        What numbers are measured in; a remark that all owners sign.
    parts : tuple of {"weekday", "month", "hour"}
        Of dates, that become features too.
    clip : (low, high), optional
        The quantiles beyond which values count as these; 0 and 1 do not clip.
    encode : {"one_hot", "target"}
        How categories become features.
    standardise : bool
        Whether the joint mean and deviation are taken out of numbers and dates.
    private : bool
        Whether nobody may be told a number computed from this column's values alone.
    """

    name: str
    type: ColumnType
    bounds: tuple[float | str, float | str] | None = None
    categories: tuple[str, ...] | None = None
    missing: Missing = "refuse"
    unit: str = ""
    parts: tuple[Part, ...] = ()
    clip: tuple[float, float] | None = None
    encode: Literal["one_hot", "target"] = "one_hot"
    standardise: bool = True
    private: bool = False

    @property
    def is_numeric(self) -> bool:
        """Whether the column is a number, an integer or a date, with bounds."""
        return self.type in ("number", "integer", "date")

    @property
    def limits(self) -> tuple[float, float] | None:
        """The bounds as numbers: those of a date are days since 1970, the last day included."""
        if self.bounds is None:
            return None
        low, high = self.bounds
        if isinstance(low, str) or isinstance(high, str):
            return day_of(str(low)), day_of(str(high)) + 1.0
        return low, high

    @property
    def is_target_encoded(self) -> bool:
        """Whether its features are made one by the private means of the label."""
        return self.type == "category" and self.encode == "target"

    def features(self) -> tuple[str, ...]:
        """The names of the features that this column becomes where its owner encodes it."""
        if self.type == "date":
            names = [f"{self.name} {part}={v}" for part in self.parts for v in PARTS[part]]
            return (self.name, *names)
        if self.type != "category":
            return (self.name,)
        categories = self.categories or ()
        if self.missing == "category":
            categories = (*categories, MISSING_CATEGORY)
        return tuple(f"{self.name}={category}" for category in categories)

    def prepared(self) -> tuple[str, ...]:
        """The names of the columns that it becomes after the private preparation."""
        return (f"{self.name} (target mean)",) if self.is_target_encoded else self.features()


def canonical(column: Column, version: int) -> list[object]:
    """What is hashed of a column."""
    bounds = column.bounds and [
        # + 0.0 turns -0.0 into 0.0.
        bound if isinstance(bound, str) else bound + 0.0
        for bound in column.bounds
    ]
    found: list[object] = [column.name, column.type, bounds, column.categories, column.missing]
    if version > 1:
        clip = column.clip and [quantile + 0.0 for quantile in column.clip]
        found += [column.unit, column.parts, clip, column.encode, column.standardise]
        found.append(column.private)
    return found


def day_of(text: str) -> float:
    """Days from 1970-01-01 to a date written 2024-12-31. Raises ValueError."""
    date = datetime.date.fromisoformat(text)
    if date.isoformat() != text:  # 20241231 or 2024-W01-1: equal dates must be equal texts
        raise ValueError
    return float(date.toordinal() - _EPOCH)


def column_problems(column: Column, version: int = SCHEMA_VERSION) -> Iterator[tuple[str, str]]:
    """Where one column is wrong by itself, and how."""
    yield from _bounds_problems(column)
    if column.categories is not None:
        if column.type != "category":
            yield "categories", "only category columns have categories"
        elif len(set(column.categories)) < len(column.categories):
            yield "categories", "a category occurs twice"
        elif "" in column.categories:
            yield "categories", "an empty category is a missing value; see `missing`"
        elif column.encode == "target" and len(column.categories) > MAX_TARGET_CATEGORIES:
            yield "encode", f"target encoding takes up to {MAX_TARGET_CATEGORIES:,} categories"
    if column.missing == "category" and column.type != "category":
        yield "missing", '"category" is for category columns'
    if column.missing == "mean" and column.type == "category":
        yield "missing", '"mean" is for numbers, dates and booleans; use "category" or "zero"'
    if column.missing == "zero" and column.type == "date":
        yield "missing", 'no day is 0; use "mean" or "refuse"'
    if version < 2 and (column.type == "date" or canonical(column, 2) != _plain(column)):
        yield "version", "dates, units, preprocessing and private columns need version 2"
    if len(column.unit) > MAX_NAME:
        yield "unit", f"a unit has at most {MAX_NAME} characters"
    if column.parts and column.type != "date":
        yield "parts", "only dates have parts"
    if len(set(column.parts)) < len(column.parts):
        yield "parts", "a part occurs twice"
    if column.encode == "target" and column.type != "category":
        yield "encode", "target encoding is for category columns"
    if not column.standardise and not column.is_numeric:
        yield "standardise", "only numbers and dates are standardised"
    if column.clip is not None:
        low, high = column.clip
        if not column.is_numeric:
            yield "clip", "only numbers and dates are clipped"
        elif not 0 <= low < high <= 1:
            yield "clip", "give two quantiles between 0 and 1, the lower one first"


def _plain(column: Column) -> list[object]:
    """The canonical form of what version 1 knows of a column."""
    return canonical(
        Column(column.name, column.type, column.bounds, column.categories, column.missing), 2
    )


def _bounds_problems(column: Column) -> Iterator[tuple[str, str]]:
    if column.is_numeric != (column.bounds is not None):
        untold = column.private and column.bounds is None
        other = "numbers, integers and dates need bounds, other types have none"
        yield "bounds", UNTOLD if untold else other
    if column.bounds is None:
        return
    texts = [isinstance(bound, str) for bound in column.bounds]
    if any(texts) and column.type != "date":
        yield "bounds", "bounds are numbers"
        return
    if column.type == "date" and not all(texts):
        yield "bounds", 'the bounds of a date are written "2024-12-31"'
        return
    try:
        limits = column.limits
    except ValueError:
        yield "bounds", 'the bounds of a date are days that exist, written "2024-12-31"'
        return
    assert limits is not None
    low, high = limits
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        yield "bounds", "the lower bound must be below the upper one, both finite"
    elif max(-low, high) > _MAX_MAGNITUDE:
        yield "bounds", "bounds lie within ±2^53"
    elif column.type != "date" and column.missing == "zero" and not low <= 0 <= high:
        yield "missing", "0 lies outside the bounds"
