"""Reading a file against a schema: as blocks of checked numbers, or only to list what is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tacit.errors import DataError
from tacit.tables.files import TableFile, open_table
from tacit.tables.problems import Problem, Violation, data_error
from tacit.tables.schema import Schema
from tacit.tables.values import Values, convert, storable

__all__ = ["Block", "Findings", "blocks", "check"]


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
    """

    path: Path
    rows: int
    violations: tuple[Violation, ...]
    total: int
    owner: str | None = None

    def raise_if_any(self) -> None:
        """Raise a :class:`DataError` for the first violation."""
        if self.violations:
            more = f" (and {self.total - 1:,} more)" if self.total > 1 else ""
            raise data_error(self.path, self.violations[0], owner=self.owner, detail=more)


def blocks(file: TableFile, schema: Schema) -> Iterator[Block]:
    """Stream a file's rows as checked numbers; problems are recorded, not raised.

    Raises
    ------
    DataError
        Unreadable (TC-2100), a column is missing (TC-2101) or stored as another type (TC-2102).
    """
    for violation in _header_violations(file, schema):
        file.refuse(violation)
    names = [column.name for column in schema.columns]
    writings = {name: file.writing(name) for name in names}
    start = 0
    for batch in file.batches(names):
        columns = {
            column.name: convert(
                column,
                batch.column(index),
                label=column.name == schema.label,
                writing=writings[column.name],
            )
            for index, column in enumerate(schema.columns)
        }
        yield Block(start, batch.num_rows, columns)
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
    if header:
        return Findings(file.path, 0, tuple(header[:limit]), len(header), owner)
    found: list[tuple[int, str, Problem]] = []
    rows = total = 0
    classes: set[float] = set()
    try:
        for block in blocks(file, schema):
            rows += block.rows
            wrong = block.wrong()
            total += wrong
            if wrong and len(found) < limit:
                found += first_problems(block, limit - len(found))
            if len(classes) < 2:
                classes |= label_classes(block, schema.label)
    except DataError:
        if not found:
            raise
    violations = locate(file, found)
    if file.ragged_count:
        total += file.ragged_count
        violations += [Violation(Problem.RAGGED, line=line) for line in file.ragged(limit)]
        violations.sort(key=lambda violation: violation.line or 0)
    if rows == 0 and not violations:
        violations.append(Violation(Problem.EMPTY, unit=file.unit))
        total += 1
    elif rows and len(classes) < 2 and total == 0:
        violations.append(Violation(Problem.ONE_CLASS, column=schema.label, unit=file.unit))
        total += 1
    return Findings(file.path, rows, tuple(violations[:limit]), total, owner)


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
    for column in schema.columns:
        if column.name not in types:
            yield Violation(Problem.MISSING_COLUMN, column=column.name, unit=file.unit)
        elif file.unit == "row" and not storable(column, types[column.name]):
            yield Violation(Problem.WRONG_TYPE, column=column.name, unit=file.unit)
