"""A data owner's rows for an evaluation: features by the model's schema, labels, groups."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import NoReturn

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from tacit.errors import UsageError
from tacit.tables import Column, Schema, Spool, normalise, refuse_private_groups

__all__ = ["Grouping", "OwnColumns", "OwnedRows", "group_names", "parse_grouping", "table_schema"]


class Grouping(Struct, frozen=True):
    """What rows are grouped by; public. Which row is in which group is its owner's secret.

    Attributes
    ----------
    column : str
        A category or boolean of the model's schema, or any column of the data owners' files
        with the groups named here.
    categories : tuple of str
        The groups; those of the schema if empty.
    edges : tuple of float
        For numbers: edges of groups, ascending; the last one belongs to the last group.
    """

    column: str
    categories: tuple[str, ...] = ()
    edges: tuple[float, ...] = ()


def parse_grouping(text: str) -> Grouping:
    """Read ``"region"``, ``"region=north,south"`` or ``"age:18,30,50,99"``.

    Raises
    ------
    UsageError
        None of these (TC-1074).
    """
    if "=" in text:
        column, _, rest = text.partition("=")
        categories = tuple(part.strip() for part in rest.split(",") if part.strip())
        if not column or len(categories) < 1 or len(set(categories)) < len(categories):
            _refuse(f"{text!r} names no groups, or one twice")
        return Grouping(column, categories=categories)
    column, colon, rest = text.rpartition(":")
    if not colon:
        return Grouping(text)
    try:
        edges = tuple(float(part) for part in rest.split(","))
    except ValueError:
        edges = ()
    if not column or len(edges) < 2 or not all(a < b for a, b in pairwise(edges)):
        _refuse(f"{text!r} has no ascending edges")
    return Grouping(column, edges=edges)


def table_schema(schema: Schema, label: str, by: Grouping | None) -> Schema:
    """The model's schema with the data owners' label and, if it is not there, the group column.

    The features of the model come first.

    Raises
    ------
    UsageError
        The schema has no groups for this column, or the label has another column's name
        (TC-1074).
    SchemaError
        Rows would be grouped by a private column (TC-2216).
    """
    if by is not None:
        refuse_private_groups(schema, by.column)
    columns = list(schema.columns)
    if label and label != schema.label:
        if any(column.name == label for column in schema.inputs):
            _refuse(f"the label {label!r} is a feature of the model")
        place = next(i for i, c in enumerate(columns) if c.name == schema.label)
        columns[place] = msgspec.structs.replace(columns[place], name=label)
    name = label or schema.label
    if by is not None and by.column not in {column.name for column in columns}:
        if by.categories:
            columns.append(Column(by.column, "category", categories=by.categories))
        elif by.edges:
            bounds = (by.edges[0], by.edges[-1])
            columns.append(Column(by.column, "number", bounds=bounds))
        else:
            _refuse(f"{by.column!r} is not in the model's schema, so its groups are not known")
    found = msgspec.structs.replace(schema, label=name, columns=tuple(columns))
    if by is not None:
        column = found.column(by.column)
        fits = {"category": not by.edges, "boolean": by == Grouping(by.column)}
        if by.column == name:
            _refuse("rows cannot be grouped by their label")
        if not fits.get(column.type, bool(by.edges) and column.type != "date"):
            _refuse(f"{by.column!r} is of type {column.type}")
        unknown = set(by.categories) - set(column.categories or ())
        if unknown:
            _refuse(f"{', '.join(sorted(unknown))} is no category of {by.column!r}")
    return found


def group_names(schema: Schema, by: Grouping | None) -> tuple[str, ...]:
    """What the groups are called: the same at all parties."""
    if by is None:
        return ()
    if by.edges:
        spans = [f"{a:g} to {b:g}" for a, b in pairwise(by.edges)]
        return tuple(f"{by.column} {span}" for span in spans)
    column = schema.column(by.column)
    if column.type == "boolean":
        return f"{by.column}=no", f"{by.column}=yes"
    if by.categories:
        return tuple(f"{by.column}={category}" for category in by.categories)
    return column.features()


@dataclass(frozen=True, slots=True, repr=False)
class OwnColumns:
    """Some of the columns of an owner's rows: those that the model has.

    Attributes
    ----------
    rows : Spool
    places : (features,) int64
        Which columns.
    """

    rows: Spool
    places: NDArray[np.int64]

    def take(self, indices: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
        """Features and labels of these rows."""
        features, labels = self.rows.take(indices)
        return features[:, self.places], labels


@dataclass(frozen=True, slots=True, repr=False)
class OwnedRows:
    """A data owner's encoded rows.

    Attributes
    ----------
    rows : Spool
        By :func:`table_schema`.
    schema : Schema
        That one.
    features : int
        How many of the columns are the model's.
    by : Grouping or None
    """

    rows: Spool
    schema: Schema
    features: int
    by: Grouping | None

    def take(self, start: int, stop: int) -> NDArray[np.float64]:
        """The model's features of some rows, within [-1, 1]."""
        return self.rows.take(np.arange(start, stop))[0][:, : self.features]

    @property
    def labels(self) -> NDArray[np.uint8]:
        """0 and 1, (n,)."""
        return self.rows.labels

    def groups(self) -> NDArray[np.uint8]:
        """Which rows are in which group: 0 and 1, (n, groups)."""
        assert self.by is not None
        column, names = self.schema.column(self.by.column), self.rows.names
        parts = []
        if self.by.edges:
            place = names.index(column.name)
            assert column.limits is not None
            edges = normalise(np.array(self.by.edges), column.limits)
            low, high = column.limits
            outside = [edge < low or edge > high for edge in self.by.edges]
            for features, _ in self.rows.chunks():
                u, found = features[:, place], []
                for k, (a, b) in enumerate(pairwise(edges)):
                    last = k + 2 == len(edges) or outside[k + 1]
                    found.append((u >= a) & ((u <= b) if last else (u < b)))
                parts.append(np.stack(found, axis=1))
        elif column.type == "boolean":
            place = names.index(column.name)
            for features, _ in self.rows.chunks():
                yes = features[:, place] > 0.5
                parts.append(np.stack([~yes, yes], axis=1))
        else:
            places = [names.index(name) for name in group_names(self.schema, self.by)]
            for features, _ in self.rows.chunks():
                parts.append(features[:, places] > 0.5)
        return np.concatenate(parts).astype(np.uint8)


def _refuse(problem: str) -> NoReturn:
    raise UsageError(
        f"Rows cannot be grouped or measured so: {problem}.",
        next_step="give --by COLUMN for a category or boolean of the model's schema, or"
        " --by COLUMN=north,south for a column of the files, or --by COLUMN:18,30,50,99 for a"
        " number; and --label with a column that is no feature.",
        case=74,
        stage="groups",
    )
