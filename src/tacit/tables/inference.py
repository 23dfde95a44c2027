"""What one column of an owner's file seems to hold, learned batch by batch."""

from __future__ import annotations

import datetime
import re
from collections.abc import Collection
from typing import Final, Literal, NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tacit.errors import SchemaError
from tacit.tables.check import locate
from tacit.tables.column import Column, ColumnType, Missing
from tacit.tables.dates import is_temporal
from tacit.tables.files import TableFile
from tacit.tables.problems import Problem
from tacit.tables.values import Values, Writing, convert, is_text, parse_dates, parse_numbers

__all__ = ["MAX_CATEGORIES", "Inference", "Policy", "written_differently"]

Policy = Literal["refuse", "zero", "mean", "auto"]

MAX_CATEGORIES: Final = 1_000
"""More distinct texts than this are no categories but names or numbers of things."""

_TYPOS: Final = 0.05
"""A CSV column with fewer texts than this among its numbers or dates is one with errors."""

_IDENTIFIERS: Final = 100
"""So many whole numbers that are all different look like identifiers."""

_NAMES: Final = 30
"""In a column of so many rows, texts that are nearly all different are names of rows."""

_LIKE_MISSING: Final = frozenset(
    {"-", "?", "n/a", "na", "none", "null", "nil", "unknown", "missing"}
)

_LIKE_NUMBERS: Final = re.compile(r"\W{0,3}\d[\d.,:/ '-]*\D{0,6}$")

_UNIT: Final = (0.0, 1.0)


class Inference:
    """What is known so far about one column."""

    def __init__(self, file: TableFile, name: str, label: bool) -> None:
        stored = file.types()[name]
        self._file = file
        self._name = name
        self._label = label
        self._writing: Writing = file.writing(name)
        self._kind: Literal["guess", "number", "boolean", "text", "date"] = "number"
        self._low, self._high = np.inf, -np.inf
        self._integer = True
        self._categories: set[str] = set()
        self._distinct: set[float] | None = set()
        self._rows = self._missing = 0
        if pa.types.is_dictionary(stored):
            stored = stored.value_type
        if label or pa.types.is_boolean(stored):
            self._kind = "boolean"
        elif file.unit == "line":
            self._kind = "guess"
        elif is_text(stored):
            self._kind = "text"
        elif is_temporal(stored):
            self._kind = "date"
        elif pa.types.is_null(stored):
            self._no_feature("it has no values")
        elif not (
            pa.types.is_integer(stored)
            or pa.types.is_floating(stored)
            or pa.types.is_decimal(stored)
        ):
            self._no_feature("it is neither number, boolean, date nor text")

    def add(self, array: pa.Array, start: int) -> None:
        """Learn from one batch."""
        if pa.types.is_dictionary(array.type):
            array = array.dictionary_decode()
        self._rows += len(array)
        if self._kind == "guess":
            self._learn_categories(array)
            self._decide(array, start)
        elif self._kind == "text":
            self._learn_categories(array)
        if self._kind == "boolean":
            values = self._booleans(array)
            if self._label:
                values.note(Problem.MISSING, values.missing)
            self._refuse(values, start)
            self._missing += int(values.missing.sum())
        elif self._kind == "number":
            self._learn_numbers(parse_numbers(array, self._writing), start)
        elif self._kind == "date":
            self._learn_dates(parse_dates(array, self._writing), start)
        elif self._kind == "text":
            empty = pc.equal(array, "").fill_null(True)
            self._missing += int(pc.sum(empty).as_py() or 0)

    def _booleans(self, array: pa.Array) -> Values:
        return convert(Column(self._name, "boolean", missing="zero"), array, label=self._label)

    def _decide(self, array: pa.Array, start: int) -> None:
        """What the column of a CSV file is, from its first batch with values."""
        numbers = parse_numbers(array, Writing(self._writing.commas))
        present = int((~numbers.missing).sum())
        if not present:
            self._missing += len(array)
            return
        if not numbers.problems:
            self._kind = "number"
            return
        dates = parse_dates(array, self._writing)
        wrong_dates = sum(int(mask.sum()) for _, mask in dates.problems)
        wrong_numbers = sum(int(mask.sum()) for _, mask in numbers.problems)
        if not self._booleans(array).problems:
            self._kind = "boolean"
        elif wrong_dates == 0 or wrong_dates < _TYPOS * present:
            self._kind = "date"
        elif all(problem == Problem.UNCLEAR_DATE for problem, _ in dates.problems):
            self._refuse(dates, start)
        elif wrong_numbers < _TYPOS * present:
            self._kind = "number"
        else:
            self._kind = "text"

    def _learn_numbers(self, numbers: Values, start: int) -> None:
        numbers.note(Problem.NAN, np.isnan(numbers.values) & ~numbers.missing)
        numbers.note(Problem.INFINITE, np.isinf(numbers.values))
        self._refuse(numbers, start)
        present = numbers.values[~numbers.missing]
        self._missing += int(numbers.missing.sum())
        if present.size:
            self._low = min(self._low, float(present.min()))
            self._high = max(self._high, float(present.max()))
            self._integer = self._integer and bool((present == np.rint(present)).all())
            self._count_distinct(present)

    def _count_distinct(self, present: np.ndarray) -> None:
        """As long as all whole numbers are different."""
        if self._distinct is None:
            return
        found = set(present.tolist())
        if not self._integer or len(found) < len(present) or not found.isdisjoint(self._distinct):
            self._distinct = None
        else:
            self._distinct |= found

    def _learn_dates(self, dates: Values, start: int) -> None:
        self._refuse(dates, start)
        present = dates.values[~dates.missing]
        self._missing += int(dates.missing.sum())
        if present.size:
            self._low = min(self._low, float(present.min()))
            self._high = max(self._high, float(present.max()))

    def _learn_categories(self, array: pa.Array) -> None:
        if len(self._categories) > MAX_CATEGORIES:
            return
        found = {text for text in array.unique().to_pylist() if text}
        self._categories |= found

    def _refuse(self, values: Values, start: int) -> None:
        if values.problems:
            problem, mask = min(values.problems, key=lambda item: int(np.argmax(item[1])))
            record = start + int(np.argmax(mask))
            self._file.refuse(locate(self._file, [(record, self._name, problem)])[0])

    def column(self, share_categories: bool, missing: Policy) -> Column:
        """The column as drafted."""
        policy: Missing = "refuse"
        if missing != "auto":
            policy = missing
        elif self._missing:
            policy = "mean"
        if self._kind == "boolean":
            return Column(self._name, "boolean", missing="refuse" if self._label else policy)
        if self._kind == "text":
            if len(self._categories) > MAX_CATEGORIES:
                self._no_feature(f"it has more than {MAX_CATEGORIES:,} different texts")
            present = self._rows - self._missing
            if present >= _NAMES and len(self._categories) > 0.9 * present:
                self._no_feature(
                    "nearly every row has a text of its own, as names and identifiers have"
                )
            return Column(
                self._name,
                "category",
                categories=tuple(sorted(self._categories)) if share_categories else None,
                missing="category" if policy == "mean" else policy,
            )
        if not np.isfinite(self._high):
            self._no_feature("it has no values")
        if self._kind == "date":
            days = "refuse" if policy == "zero" else policy
            return Column(self._name, "date", bounds=_years(self._low, self._high), missing=days)
        kind: ColumnType = "integer" if self._integer else "number"
        return Column(self._name, kind, bounds=_widened(self._low, self._high), missing=policy)

    def remarks(self) -> list[str]:
        """What the owner should look at, in sentences; for the owner alone."""
        found = []
        if self._kind == "number" and self._distinct and len(self._distinct) >= _IDENTIFIERS:
            found.append(
                "all its values are different whole numbers; if they identify rows, leave"
                " the column out"
            )
        if self._missing:
            share = 100 * self._missing / max(1, self._rows)
            found.append(f"{self._missing:,} values ({share:.1g} %) are missing")
        if self._kind == "text":
            found.append(f"{len(self._categories):,} different texts")
            for alike in written_differently(self._categories)[:3]:
                found.append(f"{' and '.join(alike)} differ in case or spaces alone")
            empty = sorted(t for t in self._categories if t.strip().casefold() in _LIKE_MISSING)
            if empty:
                found.append(f"{' and '.join(empty)} count as texts; leave missing cells empty")
            numbers = sum(bool(_LIKE_NUMBERS.match(text)) for text in self._categories)
            if numbers > 0.8 * len(self._categories):
                found.append(
                    "they look like numbers or dates; if they are, write numbers without units and"
                    " separators of thousands, and dates as 2024-12-31"
                )
        return found

    def _no_feature(self, why: str) -> NoReturn:
        raise SchemaError(
            f'{self._file.path}: column "{self._name}" cannot be a feature: {why}.',
            next_step="exclude such columns (--exclude), or give a schema (--schema).",
            case=6,
            parties=() if self._file.owner is None else (self._file.owner,),
        )


def written_differently(texts: Collection[str]) -> list[list[str]]:
    """Texts that are the same but for upper and lower case and spaces."""
    alike: dict[str, list[str]] = {}
    for text in sorted(texts):
        alike.setdefault("".join(text.casefold().split()), []).append(text)
    return [same for same in alike.values() if len(same) > 1]


def _years(low: float, high: float) -> tuple[str, str]:
    """The whole years that enclose days since 1970."""
    first, last = (
        datetime.date(1970, 1, 1) + datetime.timedelta(days=int(np.floor(day)))
        for day in (low, high)
    )
    return f"{first.year:04}-01-01", f"{last.year:04}-12-31"


def _widened(low: float, high: float) -> tuple[float, float]:
    """The powers of two (or zero) that enclose [low, high]."""

    def above(value: float) -> float:
        mantissa, exponent = np.frexp(value)
        return float(np.ldexp(1.0, int(exponent) - (mantissa == 0.5)))

    bounds = (-above(-low) if low < 0 else 0.0, above(high) if high > 0 else 0.0)
    return bounds if bounds != (0.0, 0.0) else _UNIT
