"""What a table must look like: columns, types, bounds, categories; as data with a digest.

A schema is a JSON file that all owners hold before any of them shares anything::

    {
      "version": 2,
      "label": "is_fraud",
      "columns": [
        {"name": "amount", "type": "number", "bounds": [0, 8192], "unit": "EUR",
         "clip": [0.01, 0.99]},
        {"name": "age", "type": "integer", "bounds": [0, 128], "missing": "mean", "private": true},
        {"name": "opened", "type": "date", "bounds": ["2015-01-01", "2026-12-31"],
         "parts": ["weekday"]},
        {"name": "merchant", "type": "category", "categories": ["fuel", "grocery"],
         "encode": "target"},
        {"name": "is_fraud", "type": "boolean"}
      ]
    }

Everything in it is public among the parties. The order of columns and categories counts: it is
the order of the model's coefficients. White space and the order of JSON keys do not. Version 1
lacks dates, units, private columns and the entries of preprocessing; its files and digests stay
valid.

A date is the number of days since 1970-01-01, with fractions for times of the day, in UTC where
a file names a zone. Its bounds are days, both included. Its parts become features of 0 and 1.

Preprocessing, per column; what it computes from all owners' rows nobody learns:

======================  =========================================================================
``standardise``         minus the joint mean, over the joint deviation (numbers and dates; true by
                        default)
``clip``                ``[0.01, 0.99]``: values beyond these joint quantiles count as the
                        quantiles (numbers and dates)
``encode``              ``one_hot``: a feature of 0 and 1 for each category; ``target``: one
                        feature, the smoothed joint mean of the label in the row's category
======================  =========================================================================

Missing values (an empty field in CSV, null in Parquet), per column:

======================  =========================================================================
``refuse`` (default)    an error
``zero``                the value 0 (numbers; 0 must lie within the bounds), false (booleans),
                        no category at all (categories)
``mean``                the mean of the column's other values in this owner's own file, rows held
                        out for testing included (numbers, dates and booleans); no part at all
                        of a date
``category``            a category of its own, the last one (categories)
======================  =========================================================================

NaN is not a missing value but an error under every policy. The label is never missing.

Values are secret, whatever the column. Of a *private* column nobody is told a number computed from
its values alone either; ``private_columns.py`` has the list.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Final, NoReturn

import msgspec

from tacit.encoding.digest import tagged_hash
from tacit.errors import SchemaError, StorageError
from tacit.tables.column import (
    MAX_NAME,
    SCHEMA_VERSION,
    UNTOLD,
    Column,
    canonical,
    column_problems,
)

__all__ = ["Schema"]

_MAX_BYTES: Final = 16 << 20


class Schema(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, dict=True):
    """The agreed shape of every owner's table. A ``Schema`` that exists is valid.

    Parameters
    ----------
    columns : tuple of Column
        In the order of the model's features, the label among them.
    label : str
        The name of the column to predict, a boolean.
    version : int
        The version of the file format, 1 or 2.

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
            if not 1 <= version <= SCHEMA_VERSION:
                raise SchemaError(
                    f"{source} has format version {version}; this tacit reads 1 to"
                    f" {SCHEMA_VERSION}.",
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
        columns = [canonical(column, self.version) for column in self.columns]
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
        """The names of the model's features, in order: what a row is shared as."""
        return tuple(name for column in self.inputs for name in column.features())

    @cached_property
    def prepared(self) -> tuple[str, ...]:
        """The names of the columns that training works on, after the private preparation."""
        return tuple(name for column in self.inputs for name in column.prepared())

    @property
    def is_prepared_privately(self) -> bool:
        """Whether a column is clipped or target-encoded, which needs more than joint moments."""
        return any(column.clip or column.is_target_encoded for column in self.inputs)

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
        where = f'columns[{index}] ("{column.name[:MAX_NAME]}")'
        if not column.name or len(column.name) > MAX_NAME:
            yield where, f"a name has 1 to {MAX_NAME} characters"
        if column.name in seen:
            yield where, "two columns have this name"
        seen.add(column.name)
        for entry, problem in column_problems(column, schema.version):
            yield f"{where}.{entry}", problem
        if column.type == "category" and not column.categories:
            lacking = UNTOLD if column.private else "a category column lists its categories"
            yield f"{where}.categories", lacking
    if schema.label not in seen:
        yield "label", f'no column is called "{schema.label[:MAX_NAME]}"'
    elif schema.column(schema.label).type != "boolean":
        yield "label", "the label must be a boolean column (0 and 1, true and false, or yes and no)"
    elif schema.column(schema.label).missing != "refuse":
        yield "label", 'the label is never missing: its policy must be "refuse"'
    elif schema.column(schema.label).private:
        yield "label", "every metric of a model tells of the label, so it cannot be private"
    elif len(schema.columns) < 2:
        yield "columns", "there is no column besides the label"
    elif len(set(schema.features)) < len(schema.features):
        yield "columns", "two features have the same name; rename a column or a category"
