"""What a table must look like: columns, types, bounds, categories; as data with a digest.

A schema is a JSON file that all owners hold before any of them shares anything::

    {
      "version": 2,
      "label": "is_fraud",
      "columns": [
        {"name": "amount", "type": "number", "bounds": [0, 8192], "unit": "EUR",
         "clip": [0.01, 0.99]},
        {"name": "age", "type": "integer", "bounds": [0, 128], "missing": "mean"},
        {"name": "opened", "type": "date", "bounds": ["2015-01-01", "2026-12-31"],
         "parts": ["weekday"]},
        {"name": "merchant", "type": "category", "categories": ["fuel", "grocery"],
         "encode": "target"},
        {"name": "is_fraud", "type": "boolean"}
      ]
    }

Everything in it is public among the parties. The order of columns and categories counts: it is
the order of the model's coefficients. White space and the order of JSON keys do not. Version 1
lacks dates, units and the entries of preprocessing; its files and digests stay valid.

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
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Final, Literal, NoReturn, TypeAlias

import msgspec

from tacit.encoding.digest import tagged_hash
from tacit.errors import SchemaError, StorageError

__all__ = ["PARTS", "SCHEMA_VERSION", "Column", "ColumnType", "Missing", "Part", "Schema"]

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

_MAX_BYTES: Final = 16 << 20
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
            if "`withheld`" in str(error):
                _malformed(
                    source, "it is a draft that withholds columns; merge it with the others' first"
                )
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
        columns = [_canonical(column, self.version) for column in self.columns]
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


def _canonical(column: Column, version: int) -> list[object]:
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
    return found


def day_of(text: str) -> float:
    """Days from 1970-01-01 to a date written 2024-12-31. Raises ValueError."""
    date = datetime.date.fromisoformat(text)
    if date.isoformat() != text:  # 20241231 or 2024-W01-1: equal dates must be equal texts
        raise ValueError
    return float(date.toordinal() - _EPOCH)


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
            yield f"{where}.categories", "a category column lists its categories"
    if schema.label not in seen:
        yield "label", f'no column is called "{schema.label[:MAX_NAME]}"'
    elif schema.column(schema.label).type != "boolean":
        yield "label", "the label must be a boolean column (0 and 1, true and false, or yes and no)"
    elif schema.column(schema.label).missing != "refuse":
        yield "label", 'the label is never missing: its policy must be "refuse"'
    elif len(schema.columns) < 2:
        yield "columns", "there is no column besides the label"
    elif len(set(schema.features)) < len(schema.features):
        yield "columns", "two features have the same name; rename a column or a category"


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
    if version < 2 and (column.type == "date" or _canonical(column, 2) != _plain(column)):
        yield "version", "dates, units and preprocessing need version 2"
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
    return _canonical(
        Column(column.name, column.type, column.bounds, column.categories, column.missing), 2
    )


def _bounds_problems(column: Column) -> Iterator[tuple[str, str]]:
    if column.is_numeric != (column.bounds is not None):
        yield "bounds", "numbers, integers and dates need bounds, other types have none"
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
