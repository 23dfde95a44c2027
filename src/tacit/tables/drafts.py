"""A schema from the owners' own files, where they agreed on none beforehand.

Each owner drafts one from its file and shows it to the others; merging is deterministic, so all
owners reach the same schema. What a draft shows to the others: column names and types, per number
the powers of two that enclose its values (the order of magnitude, not the extremes), and the list
of categories only where the owner agrees to that. That some value is near such a bound shows too.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final, Literal, NoReturn

import msgspec
import numpy as np
import pyarrow as pa

from tacit.errors import SchemaError
from tacit.tables.check import locate
from tacit.tables.files import TableFile, open_table
from tacit.tables.problems import Problem, Violation
from tacit.tables.schema import Column, ColumnType, Missing, Schema, column_problems
from tacit.tables.values import Values, convert, is_text, parse_numbers

__all__ = ["MAX_CATEGORIES", "Draft", "draft", "merge"]

MAX_CATEGORIES: Final = 1_000
"""More distinct texts than this are no categories but names or numbers of things."""

_TYPOS: Final = 0.05
"""A CSV column with fewer texts than this among its numbers is a column of numbers with errors."""

_MAX_BYTES: Final = 16 << 20
_UNIT: Final = (0.0, 1.0)


class Draft(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one owner proposes, and shows to the others.

    Attributes
    ----------
    label : str
        The column to predict.
    columns : tuple of Column
        In the file's order; categories are None unless the owner shares them.
    """

    label: str
    columns: tuple[Column, ...]

    def to_bytes(self) -> bytes:
        """JSON, for the other parties."""
        return msgspec.json.encode(self)

    @staticmethod
    def from_bytes(data: bytes, party: str) -> Draft:
        """Decode and check what `party` sent.

        Raises
        ------
        SchemaError
            Malformed (TC-2201), naming the party.
        """
        problem = f"longer than {_MAX_BYTES >> 20} MiB" if len(data) > _MAX_BYTES else ""
        if not problem:
            try:
                received = msgspec.json.decode(data, type=Draft)
                for column in received.columns:
                    for entry, text in column_problems(column):
                        problem = f'column "{column.name}", {entry}: {text}'
                if not problem:
                    return received
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                problem = str(error)
        raise SchemaError(
            f"The draft of {party}'s schema is malformed: {problem}.",
            next_step="make sure that all parties run the same version of tacit.",
            case=1,
            parties=(party,),
        )


def draft(
    path: str | Path,
    label: str,
    *,
    owner: str | None = None,
    exclude: Collection[str] = (),
    share_categories: bool = False,
    missing: Literal["refuse", "zero", "mean"] = "refuse",
) -> Draft:
    """Infer a schema from an owner's file. Reads it once, as a stream.

    Parameters
    ----------
    path : path
        The owner's file.
    label : str
        The column to predict.
    owner : str, optional
        Whose file it is, for errors.
    exclude : collection of str
        Columns that are no features, such as account numbers.
    share_categories : bool
        Whether the draft lists the categories of text columns, for the other owners to see.
    missing : {"refuse", "zero", "mean"}
        The policy of all columns but the label; "mean" makes missing categories a category of
        their own.

    Raises
    ------
    DataError
        The file cannot be read, lacks the label, or holds values no schema would allow.
    SchemaError
        A column can be no feature (TC-2206): no values, too many distinct texts, dates.
    """
    file = open_table(path, owner=owner)
    for name in (label, *exclude):
        if name not in file.columns:
            file.refuse(Violation(Problem.MISSING_COLUMN, column=name, unit=file.unit))
    names = [name for name in file.columns if name not in exclude]
    inferences = {name: _Inference(file, name, name == label) for name in names}
    start = 0
    for batch in file.batches(names):
        for index, inference in enumerate(inferences.values()):
            inference.add(batch.column(index), start)
        start += batch.num_rows
    if file.ragged_count:
        file.refuse(Violation(Problem.RAGGED, line=next(iter(file.ragged(1)), None)))
    if start == 0:
        file.refuse(Violation(Problem.EMPTY, unit=file.unit))
    columns = [inferences[name].column(share_categories, missing) for name in names]
    return Draft(label, tuple(columns))


class _Inference:
    """What is known so far about one column."""

    def __init__(self, file: TableFile, name: str, label: bool) -> None:
        stored = file.types()[name]
        self._file = file
        self._name = name
        self._boolean = label or pa.types.is_boolean(stored)
        self._label = label
        self._text = file.unit == "row" and (is_text(stored) or pa.types.is_dictionary(stored))
        self._guess = file.unit == "line" and not label
        self._low, self._high = np.inf, -np.inf
        self._integer = True
        self._categories: set[str] = set()
        known = self._text or self._guess or self._boolean or pa.types.is_decimal(stored)
        if not (known or pa.types.is_integer(stored) or pa.types.is_floating(stored)):
            if pa.types.is_null(stored):
                self._no_feature("it has no values")
            self._no_feature("it is neither number, boolean nor text")

    def add(self, array: pa.Array, start: int) -> None:
        """Learn from one batch."""
        if self._boolean:
            values = convert(
                Column(self._name, "boolean", missing="zero"), array, label=self._label
            )
            if self._label:
                values.note(Problem.MISSING, values.missing)
            self._refuse(values, start)
            return
        if self._guess:
            self._learn_categories(array)
            if self._text:
                return
            numbers = parse_numbers(array)
            booleans = convert(Column(self._name, "boolean", missing="zero"), array)
            if numbers.problems and not booleans.problems and not np.isfinite(self._high):
                self._boolean, self._guess = True, False
                return
            if numbers.problems:
                _, wrong = numbers.problems[0]
                if np.isfinite(self._high) or wrong.sum() < _TYPOS * (~numbers.missing).sum():
                    self._refuse(numbers, start)
                self._text = True
                return
            self._learn_numbers(numbers, start)
        elif self._text:
            self._learn_categories(array)
        else:
            self._learn_numbers(parse_numbers(array), start)

    def _learn_numbers(self, numbers: Values, start: int) -> None:
        numbers.note(Problem.NAN, np.isnan(numbers.values) & ~numbers.missing)
        numbers.note(Problem.INFINITE, np.isinf(numbers.values))
        self._refuse(numbers, start)
        present = numbers.values[~numbers.missing]
        if present.size:
            self._low = min(self._low, float(present.min()))
            self._high = max(self._high, float(present.max()))
            self._integer = self._integer and bool((present == np.rint(present)).all())

    def _learn_categories(self, array: pa.Array) -> None:
        if len(self._categories) > MAX_CATEGORIES:
            return
        if pa.types.is_dictionary(array.type):
            array = array.dictionary_decode()
        found = {text for text in array.unique().to_pylist() if text}
        self._categories |= found

    def _refuse(self, values: Values, start: int) -> None:
        if values.problems:
            problem, mask = min(values.problems, key=lambda item: int(np.argmax(item[1])))
            record = start + int(np.argmax(mask))
            self._file.refuse(locate(self._file, [(record, self._name, problem)])[0])

    def column(self, share_categories: bool, missing: Missing) -> Column:
        """The column as drafted."""
        if self._boolean:
            return Column(self._name, "boolean", missing="refuse" if self._label else missing)
        if self._text:
            if len(self._categories) > MAX_CATEGORIES:
                self._no_feature(f"it has more than {MAX_CATEGORIES:,} different texts")
            return Column(
                self._name,
                "category",
                categories=tuple(sorted(self._categories)) if share_categories else None,
                missing="category" if missing == "mean" else missing,
            )
        if not np.isfinite(self._high):
            self._no_feature("it has no values")
        kind: ColumnType = "integer" if self._integer else "number"
        return Column(self._name, kind, bounds=_widened(self._low, self._high), missing=missing)

    def _no_feature(self, why: str) -> NoReturn:
        raise SchemaError(
            f'{self._file.path}: column "{self._name}" cannot be a feature: {why}.',
            next_step="exclude the column (--exclude), or give a schema (--schema).",
            case=6,
            parties=() if self._file.owner is None else (self._file.owner,),
        )


def _widened(low: float, high: float) -> tuple[float, float]:
    """The powers of two (or zero) that enclose [low, high]."""

    def above(value: float) -> float:
        mantissa, exponent = np.frexp(value)
        return float(np.ldexp(1.0, int(exponent) - (mantissa == 0.5)))

    bounds = (-above(-low) if low < 0 else 0.0, above(high) if high > 0 else 0.0)
    return bounds if bounds != (0.0, 0.0) else _UNIT


def merge(drafts: Mapping[str, Draft]) -> Schema:
    """The joint schema of all owners' drafts; the same for every order of `drafts`.

    Columns come in the order of the alphabetically first owner. Bounds and categories are united;
    booleans, integers and numbers widen to each other where values allow it.

    Parameters
    ----------
    drafts : mapping of str to Draft
        By owner.

    Raises
    ------
    SchemaError
        Mismatched columns (TC-2202), types (TC-2203), labels or policies (TC-2205), categories
        that nobody shared (TC-2204); names owner and column.
    """
    owners = sorted(drafts)
    first = drafts[owners[0]]
    by_owner = {owner: {c.name: c for c in drafts[owner].columns} for owner in owners}
    for owner in owners[1:]:
        if drafts[owner].label != first.label:
            _mismatch(5, owner, f'"{drafts[owner].label}" is its label, not "{first.label}"')
        lacking = [c.name for c in first.columns if c.name not in by_owner[owner]]
        extra = [c.name for c in drafts[owner].columns if c.name not in by_owner[owners[0]]]
        if lacking or extra or len(drafts[owner].columns) != len(first.columns):
            parts = [f"{owner} lacks {_quoted(lacking)}"] if lacking else []
            parts += [f"{owners[0]} lacks {_quoted(extra)}, which {owner} has"] if extra else []
            raise SchemaError(
                f"Mismatched columns: {'; '.join(parts) or f'{owner} has a column twice'}.",
                next_step="give all files the same columns, or exclude some (--exclude).",
                case=2,
                parties=(owner,),
            )
    columns = []
    for column in first.columns:
        versions = {owner: by_owner[owner][column.name] for owner in owners}
        columns.append(_merged(versions))
    return Schema(label=first.label, columns=tuple(columns))


def _merged(versions: Mapping[str, Column]) -> Column:
    """One column as drafted by several owners, made one."""
    first_owner, first = next(iter(versions.items()))
    for owner, column in versions.items():
        if (column.type == "category") != (first.type == "category"):
            text = f"is of type {column.type}, but {first.type} in {first_owner}'s file"
            _mismatch(3, owner, f'column "{first.name}" {text}')
        if column.missing != first.missing:
            text = f'"{column.missing}", but "{first.missing}" in {first_owner}\'s'
            _mismatch(5, owner, f'missing values of "{first.name}" are {text}')
    if first.type == "category":
        return _merged_categories(versions)
    bounds = [column.bounds or _UNIT for column in versions.values()]
    joint = (min(low for low, _ in bounds), max(high for _, high in bounds))
    types = {column.type for column in versions.values()}
    if joint == _UNIT and "number" not in types:
        return Column(first.name, "boolean", missing=first.missing)
    for owner, column in versions.items():
        if column.type == "boolean":
            _mismatch(3, owner, f'column "{first.name}" is boolean, but a number elsewhere')
    kind: ColumnType = "number" if "number" in types else "integer"
    return Column(first.name, kind, bounds=joint, missing=first.missing)


def _merged_categories(versions: Mapping[str, Column]) -> Column:
    first = next(iter(versions.values()))
    hidden = [owner for owner, column in versions.items() if column.categories is None]
    if hidden:
        raise SchemaError(
            f'The categories of column "{first.name}" are not known to all: '
            f"{', '.join(hidden)} did not show them.",
            next_step="give a schema that lists them (--schema), let every owner show its list "
            "to the others (--share-categories), or exclude the column (--exclude).",
            case=4,
            parties=tuple(hidden),
        )
    joint = sorted({name for column in versions.values() for name in column.categories or ()})
    return Column(first.name, "category", categories=tuple(joint), missing=first.missing)


def _mismatch(case: int, owner: str, what: str) -> NoReturn:
    raise SchemaError(
        f"Mismatched columns: in {owner}'s file, {what}.",
        next_step="make the files alike, or give a schema (--schema).",
        case=case,
        parties=(owner,),
    )


def _quoted(names: Collection[str]) -> str:
    shown = ", ".join(f'"{name}"' for name in sorted(names)[:5])
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more"
