"""Reading a file against a schema: as blocks of checked numbers, or only to list what is wrong."""

from __future__ import annotations

import csv
import difflib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from tacit.errors import DataError, StorageError
from tacit.tables.column import Column
from tacit.tables.files import TableFile, open_table
from tacit.tables.problems import Problem, Violation, data_error
from tacit.tables.schema import Schema
from tacit.tables.values import Values, convert, storable

__all__ = ["Block", "Findings", "blocks", "check"]


_MOST_NAMES: Final = 2_000
"""Of a header's names, so many are compared with a missing one."""


@dataclass(frozen=True, slots=True)
class Block:
    """Some consecutive rows.

    Attributes
    ----------
    start : int
        The first row's position in the file, from 0.
    rows : int
        How many rows.
    columns : dict of str to Values
        By name, in the schema's order.
    """

    start: int
    rows: int
    columns: dict[str, Values]

    def wrong(self) -> int:
        """How many values are wrong."""
        return sum(int(m.sum()) for v in self.columns.values() for _, m in v.problems)


@dataclass(frozen=True, slots=True)
class Findings:
    """What :func:`check` found.

    Attributes
    ----------
    path : Path
        The file.
    rows : int
        How many rows were read.
    violations : tuple of Violation
        The first ones, in the order of the file.
    total : int
        How many there are in all.
    owner : str or None
        Whose file it is.
    summary : dict of (str, Problem) to int
        How many by column and problem; the column is empty for whole lines.
    """

    path: Path
    rows: int
    violations: tuple[Violation, ...]
    total: int
    owner: str | None = None
    summary: dict[tuple[str, Problem], int] = field(default_factory=dict)

    def raise_if_any(self, note: str = "") -> None:
        """Raise a :class:`DataError` for the first violation; `note` ends its message."""
        if self.violations:
            more = f" (and {self.total - 1:,} more{note})" if self.total > 1 else ""
            raise data_error(self.path, self.violations[0], owner=self.owner, detail=more)

    def sentences(self) -> list[str]:
        """What is wrong by column: ``column "age": 3 × missing value``."""
        columns: dict[str, list[str]] = {}
        for (column, problem), count in self.summary.items():
            columns.setdefault(column, []).append(f"{count:,} × {problem.text}")
        return [
            (f'column "{column}": ' if column else "lines: ") + ", ".join(found)
            for column, found in columns.items()
        ]

    def save(self, path: str | Path) -> Path:
        """Write the listed violations as CSV: line or row, column, problem, what to do. No value.

        Raises
        ------
        StorageError
            The file cannot be written (TC-2302).
        """
        target = Path(path)
        try:
            with target.open("w", encoding="utf-8", newline="") as file:
                writer = csv.writer(file)
                unit = self.violations[0].unit if self.violations else "line"
                writer.writerow([unit, "column", "problem", "what to do"])
                for violation in self.violations:
                    place = "" if violation.line is None else violation.line
                    problem = violation.problem
                    text = problem.text + violation.hint
                    cells = (violation.column or "", text, problem.next_step)
                    writer.writerow([place, *map(_cell, cells)])
        except OSError as error:
            raise StorageError(
                f"The list of errors cannot be written to {path}: {error.strerror}.",
                next_step="choose a path that can be written.",
                case=2,
            ) from None
        return target


def _cell(text: str) -> str:
    """Text that no spreadsheet takes for a formula: names of columns come from files and others."""
    return f"'{text}" if text.lstrip()[:1] in ("=", "+", "-", "@") else text


def blocks(
    file: TableFile, schema: Schema, columns: Sequence[Column] | None = None
) -> Iterator[Block]:
    """Stream a file's rows as checked numbers; problems are recorded, not raised.

    With `columns` only these, which the file is known to have.

    Raises
    ------
    DataError
        Unreadable (TC-2100), a column is missing (TC-2101) or stored as another type (TC-2102).
    """
    if columns is None:
        columns = schema.columns
        for violation in _header_violations(file, schema):
            file.refuse(violation)
    names = [column.name for column in columns]
    writings = {name: file.writing(name) for name in names}
    start = 0
    for batch in file.batches(names):
        found = {
            column.name: convert(
                column,
                batch.column(index),
                label=column.name == schema.label,
                writing=writings[column.name],
            )
            for index, column in enumerate(columns)
        }
        yield Block(start, batch.num_rows, found)
        start += batch.num_rows


def check(
    path: str | Path, schema: Schema, *, limit: int = 20, owner: str | None = None
) -> Findings:
    """Validate a file against a schema, offline; the function behind ``tacit check``.

    Parameters
    ----------
    path : path
        The owner's file.
    schema : Schema
        The agreed schema.
    limit : int
        How many violations are listed; all are counted.
    owner : str, optional
        Whose file it is.

    Returns
    -------
    Findings
        Everything wrong, with line (CSV; the header is line 1) or row (Parquet) and column; never
        a value.

    Raises
    ------
    DataError
        The file cannot be read as a table at all (TC-2100, TC-2110, TC-2112).
    """
    file = open_table(path, owner=owner)
    header = list(_header_violations(file, schema))
    summary: Counter[tuple[str, Problem]] = Counter((v.column or "", v.problem) for v in header)
    unusable = {violation.column for violation in header}
    columns = [column for column in schema.columns if column.name not in unusable]
    if not columns:
        return Findings(file.path, 0, tuple(header[:limit]), len(header), owner, dict(summary))
    found: list[tuple[int, str, Problem]] = []
    rows, total = 0, len(header)
    classes: set[float] = set()
    try:
        for block in blocks(file, schema, columns):
            rows += block.rows
            wrong = block.wrong()
            total += wrong
            if wrong:
                for name, values in block.columns.items():
                    for problem, mask in values.problems:
                        summary[name, problem] += int(mask.sum())
            if wrong and len(found) < limit:
                found += first_problems(block, limit - len(found))
            if len(classes) < 2 and schema.label not in unusable:
                classes |= label_classes(block, schema.label)
    except DataError:
        if not found:
            raise
    violations = [*header, *locate(file, found)]
    if file.ragged_count:
        total += file.ragged_count
        summary["", Problem.RAGGED] += file.ragged_count
        violations += [Violation(Problem.RAGGED, line=line) for line in file.ragged(limit)]
        violations.sort(key=lambda violation: violation.line or 0)
    if rows == 0 and not violations:
        violations.append(Violation(Problem.EMPTY, unit=file.unit))
        summary["", Problem.EMPTY] += 1
        total += 1
    elif rows and len(classes) < 2 and total == 0:
        violations.append(Violation(Problem.ONE_CLASS, column=schema.label, unit=file.unit))
        summary[schema.label, Problem.ONE_CLASS] += 1
        total += 1
    return Findings(file.path, rows, tuple(violations[:limit]), total, owner, dict(summary))


def first_problems(block: Block, limit: int) -> list[tuple[int, str, Problem]]:
    """The first problems of a block in the order of the file: record, column, problem."""
    found: list[tuple[int, str, Problem]] = []
    for name, values in block.columns.items():
        for problem, mask in values.problems:
            records = block.start + np.flatnonzero(mask)[:limit]
            found += [(int(record), name, problem) for record in records]
    return sorted(found, key=lambda item: item[0])[:limit]


def locate(file: TableFile, found: Sequence[tuple[int, str, Problem]]) -> list[Violation]:
    """Records become lines."""
    if not found:
        return []
    lines = file.lines({record for record, _, _ in found})
    return [
        Violation(problem, column=name, line=lines.get(record), unit=file.unit)
        for record, name, problem in found
    ]


def label_classes(block: Block, label: str) -> set[float]:
    """The distinct labels of a block's correct rows."""
    values = block.columns[label]
    usable = ~values.missing
    for _, mask in values.problems:
        usable &= ~mask
    return set(np.unique(values.values[usable]).tolist())


def _header_violations(file: TableFile, schema: Schema) -> Iterator[Violation]:
    types = file.types()
    known = {column.name for column in schema.columns}
    for column in schema.columns:
        if column.name not in types:
            hint = _like(column.name, [name for name in types if name not in known])
            yield Violation(Problem.MISSING_COLUMN, column=column.name, unit=file.unit, hint=hint)
        elif file.unit == "row" and not storable(column, types[column.name]):
            yield Violation(Problem.WRONG_TYPE, column=column.name, unit=file.unit)


def _like(name: str, others: Sequence[str]) -> str:
    """The header's name that is meant, as it seems: the same but for case or blanks, or close."""
    plain = {other.strip().casefold(): other for other in others[:_MOST_NAMES]}
    close = difflib.get_close_matches(name.strip().casefold(), plain, n=1, cutoff=0.8)
    return f'; the file has "{plain[close[0]]}"' if close else ""
