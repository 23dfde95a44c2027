"""What a table must look like: columns, types, bounds, categories; as data with a digest.

A schema is a JSON file that all owners hold before any of them shares anything::

    {
      "version": 1,
      "label": "is_fraud",
      "columns": [
        {"name": "amount", "type": "number", "bounds": [0, 8192]},
        {"name": "age", "type": "integer", "bounds": [0, 128], "missing": "mean"},
        {"name": "merchant", "type": "category", "categories": ["fuel", "grocery"]},
        {"name": "is_fraud", "type": "boolean"}
      ]
    }

Everything in it is public among the parties. The order of columns and categories counts: it is
the order of the model's coefficients. White space and the order of JSON keys do not.

Missing values (an empty field in CSV, null in Parquet), per column:

======================  =========================================================================
``refuse`` (default)    an error
``zero``                the value 0 (numbers; 0 must lie within the bounds), false (booleans),
                        no category at all (categories)
``mean``                the mean of the column's other values in this owner's own file, rows held
                        out for testing included (numbers and booleans)
``category``            a category of its own, the last one (categories)
======================  =========================================================================

NaN is not a missing value but an error under every policy. The label is never missing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Final, Literal, NoReturn, TypeAlias

import msgspec

from tacit.encoding.digest import tagged_hash
from tacit.errors import SchemaError, StorageError

__all__ = ["SCHEMA_VERSION", "Column", "ColumnType", "Missing", "Schema"]

ColumnType: TypeAlias = Literal["number", "integer", "boolean", "category"]
Missing: TypeAlias = Literal["refuse", "zero", "mean", "category"]

SCHEMA_VERSION: Final = 1

MISSING_CATEGORY: Final = "(missing)"
"""What the extra category of the policy ``category`` is called in feature names."""

_MAX_BYTES: Final = 16 << 20
_MAX_NAME: Final = 200
_MAX_MAGNITUDE: Final = 2.0**53


class Column(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One column of a table.

    Parameters
    ----------
    name : str
        As in the header of the file.
    type : {"number", "integer", "boolean", "category"}
        Booleans are 0 and 1, or true and false.
    bounds : (low, high), optional
        Both included; required for numbers and integers, absent otherwise.
    categories : tuple of str, optional
        All values that may occur, in order; for categories only.
    missing : {"refuse", "zero", "mean", "category"}
        What a missing value means; the module's docstring has the table.
    """

    name: str
    type: ColumnType
    bounds: tuple[float, float] | None = None
    categories: tuple[str, ...] | None = None
    missing: Missing = "refuse"

    @property
    def is_numeric(self) -> bool:
        """Whether the column is a number or an integer, with bounds."""
        return self.type in ("number", "integer")

    def features(self) -> tuple[str, ...]:
        """The names of the model's features that this column becomes."""
        if self.type != "category":
            return (self.name,)
        names = self.categories or ()
        if self.missing == "category":
            names = (*names, MISSING_CATEGORY)
        return tuple(f"{self.name}={category}" for category in names)


class Schema(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, dict=True):
    """The agreed shape of every owner's table. A ``Schema`` that exists is valid.

    Parameters
    ----------
    columns : tuple of Column
        In the order of the model's features, the label among them.
    label : str
        The name of the column to predict, a boolean.
    version : int
        The version of the file format, 1.

    Raises
    ------
    SchemaError
        Malformed (TC-2201), naming the column and the entry.
    """

    version: int = SCHEMA_VERSION
    label: str
    columns: tuple[Column, ...]

    def __post_init__(self) -> None:
        for where, problem in _problems(self):
            raise SchemaError(
                f"The schema is malformed: {where}: {problem}.",
                next_step="correct this entry of the schema; all parties need the same file.",
                case=1,
            )

    @staticmethod
    def load(path: str | Path) -> Schema:
        """Read a schema from a JSON file.

        Raises
        ------
        SchemaError
            The file cannot be read (TC-2200) or is malformed (TC-2201); says where.
        """
        try:
            with Path(path).open("rb") as file:
                data = file.read(_MAX_BYTES + 1)
        except OSError as error:
            raise SchemaError(
                f"The schema {path} cannot be read: {error.strerror}.",
                next_step="check the path and its permissions.",
                case=0,
            ) from None
        return Schema.from_bytes(data, source=str(path))

    @staticmethod
    def from_bytes(data: bytes, *, source: str = "the schema") -> Schema:
        """Decode and check a schema; `source` is how errors call it."""
        if len(data) > _MAX_BYTES:
            _malformed(source, f"it is longer than {_MAX_BYTES >> 20} MiB")
        try:
            version = msgspec.json.decode(data, type=_Head).version
            if version != SCHEMA_VERSION:
                raise SchemaError(
                    f"{source} has format version {version}; this tacit reads {SCHEMA_VERSION}.",
                    next_step="use the version of tacit that wrote it, or write it again.",
                    case=0,
                )
            return msgspec.json.decode(data, type=Schema)
        except msgspec.ValidationError as error:
            _malformed(source, str(error))
        except msgspec.DecodeError as error:
            _malformed(source, f"it is not JSON: {error}")
        except UnicodeDecodeError:
            _malformed(source, "it is not UTF-8 text")
        except SchemaError as error:
            message = error.message.replace("The schema", source, 1)
            raise SchemaError(message, next_step=error.next_step, case=error.case) from None

    def save(self, path: str | Path) -> Path:
        """Write the schema as an indented JSON file and return its path."""
        target = Path(path)
        try:
            target.write_bytes(msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n")
        except OSError as error:
            raise StorageError(
                f"The schema cannot be written to {path}: {error.strerror}.",
                next_step="choose a path that can be written.",
                case=2,
            ) from None
        return target

    def canonical(self) -> bytes:
        """The bytes that are hashed: equal for equal schemas, however their files look."""
        columns = [
            [
                column.name,
                column.type,
                # + 0.0 turns -0.0 into 0.0.
                [bound + 0.0 for bound in column.bounds] if column.bounds else None,
                column.categories,
                column.missing,
            ]
            for column in self.columns
        ]
        return msgspec.json.encode([self.version, self.label, columns])

    def digest(self) -> bytes:
        """32 bytes that all parties compare before any share is sent."""
        return tagged_hash("schema", self.canonical())

    @cached_property
    def inputs(self) -> tuple[Column, ...]:
        """The columns that become features: all but the label."""
        return tuple(column for column in self.columns if column.name != self.label)

    @cached_property
    def features(self) -> tuple[str, ...]:
        """The names of the model's features, in order."""
        return tuple(name for column in self.inputs for name in column.features())

    def column(self, name: str) -> Column:
        """The column of that name."""
        for column in self.columns:
            if column.name == name:
                return column
        raise SchemaError(
            f"The schema has no column {name!r}.",
            next_step="its columns are " + ", ".join(column.name for column in self.columns) + ".",
            case=1,
        )


class _Head(msgspec.Struct):
    version: int


def _malformed(source: str, problem: str) -> NoReturn:
    raise SchemaError(
        f"{source} is malformed: {problem}.",
        next_step="correct it; `tacit demo fraud` writes a schema to start from.",
        case=1,
    )


def _problems(schema: Schema) -> Iterator[tuple[str, str]]:
    """Where a schema is wrong, and how."""
    seen: set[str] = set()
    for index, column in enumerate(schema.columns):
        where = f'columns[{index}] ("{column.name[:_MAX_NAME]}")'
        if not column.name or len(column.name) > _MAX_NAME:
            yield where, f"a name has 1 to {_MAX_NAME} characters"
        if column.name in seen:
            yield where, "two columns have this name"
        seen.add(column.name)
        for entry, problem in column_problems(column):
            yield f"{where}.{entry}", problem
        if column.type == "category" and not column.categories:
            yield f"{where}.categories", "a category column lists its categories"
    if schema.label not in seen:
        yield "label", f'no column is called "{schema.label[:_MAX_NAME]}"'
    elif schema.column(schema.label).type != "boolean":
        yield "label", "the label must be a boolean column (0 and 1, or true and false)"
    elif schema.column(schema.label).missing != "refuse":
        yield "label", 'the label is never missing: its policy must be "refuse"'
    elif len(schema.columns) < 2:
        yield "columns", "there is no column besides the label"
    elif len(set(schema.features)) < len(schema.features):
        yield "columns", "two features have the same name; rename a column or a category"


def column_problems(column: Column) -> Iterator[tuple[str, str]]:
    """Where one column is wrong by itself, and how."""
    if column.is_numeric != (column.bounds is not None):
        yield "bounds", "numbers and integers need bounds, other types have none"
    if column.bounds is not None:
        low, high = column.bounds
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            yield "bounds", "the lower bound must be below the upper one, both finite"
        elif max(-low, high) > _MAX_MAGNITUDE:
            yield "bounds", "bounds lie within ±2^53"
        elif column.missing == "zero" and not low <= 0 <= high:
            yield "missing", "0 lies outside the bounds"
    if column.categories is not None:
        if column.type != "category":
            yield "categories", "only category columns have categories"
        elif len(set(column.categories)) < len(column.categories):
            yield "categories", "a category occurs twice"
        elif "" in column.categories:
            yield "categories", "an empty category is a missing value; see `missing`"
    if column.missing == "category" and column.type != "category":
        yield "missing", '"category" is for category columns'
    if column.missing == "mean" and column.type == "category":
        yield "missing", '"mean" is for numbers and booleans; use "category" or "zero"'
