"""Rows without a label, in whatever form somebody has them, become what a schema says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tacit.errors import ShapeError
from tacit.tables.check import Block
from tacit.tables.encode import encode
from tacit.tables.files import open_table
from tacit.tables.problems import Problem, Violation, data_error
from tacit.tables.schema import Schema
from tacit.tables.values import Values, Writing, convert, storable

__all__ = ["encoded_rows"]

Floats = NDArray[np.float64]


def encoded_rows(schema: Schema, rows: Any, *, owner: str | None = None) -> Floats:
    """Rows scaled into [-1, 1] by a schema.

    Parameters
    ----------
    schema : Schema
        A model's.
    rows : path, sequence of mappings, mapping of columns, data frame, or array
        A CSV or Parquet file; one mapping a row; a mapping of columns; anything with ``to_dict``
        (pandas); an array with a column for each of ``schema.inputs``, categories as their names.
        A label column may be there, and other columns: they are not read.
    owner : str, optional
        Named in errors.

    Returns
    -------
    ndarray of float64, (n, features)

    Raises
    ------
    DataError
        A value breaks the schema, or is missing where a model needs one: with line or row, and
        column (TC-21xx).
    ShapeError
        An array with another number of columns (TC-1188).
    """
    names = [column.name for column in schema.inputs]
    if isinstance(rows, str | Path):
        return _from_file(schema, Path(rows), owner)
    return _encoded(schema, _columns(schema, rows, names), "the rows", owner)


def _columns(schema: Schema, rows: Any, names: Sequence[str]) -> Mapping[str, pa.Array]:
    if hasattr(rows, "to_dict") and hasattr(rows, "columns"):
        # In a data frame NaN is a missing value.
        rows = {
            str(name): list(rows[name].astype(object).where(rows[name].notna(), None))
            for name in rows.columns
        }
    if isinstance(rows, Mapping) and not any(_is_column(value) for value in rows.values()):
        rows = [rows]
    if isinstance(rows, Mapping):
        found = {name: rows[name] for name in names if name in rows}
    elif len(rows) and all(isinstance(row, Mapping) for row in rows):
        there = set().union(*rows)
        found = {name: [row.get(name) for row in rows] for name in names if name in there}
    else:
        array = np.asarray(rows, object)
        if array.ndim != 2 or array.shape[1] != len(names):
            raise ShapeError(
                f"Rows of shape {array.shape} do not have the {len(names)} columns of the model.",
                next_step=f"give a column each for {', '.join(names)}, or rows with names.",
                case=88,
                stage="reading",
            )
        found = {name: array[:, place].tolist() for place, name in enumerate(names)}
    for name in names:
        if name not in found:
            raise data_error("the rows", Violation(Problem.MISSING_COLUMN, column=name))
    return {column.name: _array(found[column.name], column.type) for column in schema.inputs}


def _is_column(value: Any) -> bool:
    return not isinstance(value, str | bytes) and hasattr(value, "__len__")


def _array(values: Any, kind: str) -> pa.Array:
    """Arrow's array: text where values are of several kinds, as in a CSV file."""
    plain = [None if value is None else value for value in values]
    if kind == "category" or any(isinstance(value, str) for value in plain):
        return pa.array([None if v is None else str(v) for v in plain], pa.string())
    return pa.array([None if v is None else float(v) for v in plain], pa.float64())


def _from_file(schema: Schema, path: Path, owner: str | None) -> Floats:
    file = open_table(path, owner=owner)
    types = file.types()
    for column in schema.inputs:
        if column.name not in types:
            file.refuse(Violation(Problem.MISSING_COLUMN, column=column.name, unit=file.unit))
        if file.unit == "row" and not storable(column, types[column.name]):
            file.refuse(Violation(Problem.WRONG_TYPE, column=column.name, unit=file.unit))
    names = [column.name for column in schema.inputs]
    writing = {name: file.writing(name) for name in names}
    found: list[Floats] = []
    start = 0
    for batch in file.batches(names):
        columns = {name: batch.column(place) for place, name in enumerate(names)}

        def lines(record: int, start: int = start) -> int:
            return file.lines({start + record}).get(start + record, start + record + 1)

        found.append(_encoded(schema, columns, path, owner, lines, file.unit, writing))
        start += batch.num_rows
    if not start:
        file.refuse(Violation(Problem.EMPTY, unit=file.unit))
    return np.concatenate(found)


def _encoded(
    schema: Schema,
    columns: Mapping[str, pa.Array],
    where: str | Path,
    owner: str | None,
    lines: Any = lambda record: record + 1,
    unit: str = "row",
    writing: Mapping[str, Writing] | None = None,
) -> Floats:
    values = {
        column.name: convert(
            column, columns[column.name], writing=None if writing is None else writing[column.name]
        )
        for column in schema.inputs
    }
    for record, name, problem in sorted(_problems(schema, values), key=lambda item: item[0]):
        violation = Violation(problem, column=name, line=lines(record), unit=unit)
        raise data_error(where, violation, owner=owner)
    count = len(next(iter(columns.values())))
    label = Values(np.zeros(count), np.zeros(count, np.bool_))
    block = Block(0, count, {**values, schema.label: label})
    features, _ = encode(schema, block)
    return features


def _problems(schema: Schema, values: Mapping[str, Values]) -> Iterator[tuple[int, str, Problem]]:
    """The first problem of each kind and column: record, column, problem."""
    for column in schema.inputs:
        found = values[column.name]
        for problem, mask in found.problems:
            yield int(np.flatnonzero(mask)[0]), column.name, problem
        if column.missing == "mean" and found.missing.any():
            # The means of training belong to the owners' files; a client has none to fill in.
            yield int(np.flatnonzero(found.missing)[0]), column.name, Problem.MISSING
