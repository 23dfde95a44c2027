"""Owners' files, CSV and Parquet, read as a stream of record batches.

A file is never in memory as a whole: CSV comes in blocks of 4 MiB, Parquet page by page. The
format is told by the content, not by the name. CSV: UTF-8, one header line, comma, semicolon, tab
or bar as separator (whichever the header has most of), quotes as in RFC 4180; every field is read
as text, an empty one is missing. Lines without any field are skipped.
"""

from __future__ import annotations

import codecs
import csv
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, NoReturn

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from tacit.errors import DataError
from tacit.tables.dates import shows_order
from tacit.tables.problems import Problem, Violation, data_error
from tacit.tables.values import Writing

__all__ = ["BATCH_ROWS", "MAX_COLUMNS", "CsvFile", "ParquetFile", "TableFile", "open_table"]

BATCH_ROWS: Final = 16_384
"""At most this many rows in a batch."""

MAX_COLUMNS: Final = 20_000
"""A file with more is refused: nothing here works on so many at once."""

_BLOCK_BYTES: Final = 4 << 20
_MAGIC: Final = b"PAR1"
_COMPRESSED: Final = (b"\x1f\x8b", b"PK\x03\x04", b"\x28\xb5\x2f\xfd", b"BZh", b"\xfd7zXZ")
_SEPARATORS: Final = ",;\t|"


class TableFile(ABC):
    """One owner's file, open for reading.

    Attributes
    ----------
    path : Path
        The file.
    columns : tuple of str
        Its columns, in the file's order.
    rows : int or None
        How many rows it has, where the format says so without reading it all.
    unit : {"line", "row"}
        What :meth:`lines` counts.
    owner : str or None
        Whose file it is, for errors.
    """

    unit: str

    def __init__(self, path: Path, columns: Sequence[str], rows: int | None, owner: str | None):
        self.path = path
        self.columns = tuple(columns)
        self.rows = rows
        self.owner = owner
        if len(self.columns) > MAX_COLUMNS:
            self.refuse(Violation(Problem.TOO_WIDE, unit=self.unit))
        seen: set[str] = set()
        for name in self.columns:
            if name in seen:
                self.refuse(Violation(Problem.DUPLICATE_COLUMN, column=name, unit=self.unit))
            seen.add(name)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.path)!r}, {len(self.columns)} columns)"

    @abstractmethod
    def types(self) -> Mapping[str, pa.DataType]:
        """The type in which the file stores each column; text for every column of a CSV file."""

    @abstractmethod
    def batches(self, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """The named columns of all rows, at most ``BATCH_ROWS`` rows at a time."""

    @abstractmethod
    def fraction(self) -> float:
        """How much of the file the latest :meth:`batches` has read, 0 to 1."""

    @abstractmethod
    def lines(self, records: Collection[int]) -> dict[int, int]:
        """The line or row of each record (counted from 0 as batches deliver them)."""

    def writing(self, name: str) -> Writing:
        """How the file writes a column, as far as that is known before reading it."""
        return Writing(order=lambda: self._day_first(name))

    def _day_first(self, name: str) -> bool | None:
        """Whether days come before months where the text does not tell: a look at all rows."""
        day = month = False
        # Another reader: this one may be in the middle of the file.
        for batch in open_table(self.path, owner=self.owner).batches([name]):
            shown = shows_order(batch.column(0))
            day, month = day or shown[0], month or shown[1]
        return day if day != month else None

    def ragged(self, limit: int) -> list[int]:
        """The first lines whose number of fields is not the header's; batches left them out."""
        return []

    @property
    def ragged_count(self) -> int:
        """How many lines the latest :meth:`batches` has left out so far."""
        return 0

    def refuse(self, violation: Violation, detail: str = "") -> NoReturn:
        """Raise the :class:`DataError` for `violation`."""
        raise data_error(self.path, violation, owner=self.owner, detail=detail)

    def _unreadable(self, why: str) -> NoReturn:
        self.refuse(Violation(Problem.UNREADABLE, unit=self.unit), f": {why}")


def open_table(path: str | Path, *, owner: str | None = None) -> TableFile:
    """Open a CSV or Parquet file.

    Parameters
    ----------
    path : path
        The file.
    owner : str, optional
        Whose file it is; errors carry the name.

    Raises
    ------
    DataError
        Unreadable (TC-2100), without rows or header (TC-2110), a column name that occurs twice
        (TC-2112).
    """
    target = Path(path)
    try:
        with target.open("rb") as file:
            head = file.read(8192)
    except OSError as error:
        violation = Violation(Problem.UNREADABLE)
        raise data_error(path, violation, owner=owner, detail=f": {error.strerror}") from None
    if head.startswith(_MAGIC):
        return ParquetFile(target, owner)
    return CsvFile(target, owner, head)


class CsvFile(TableFile):
    """A CSV file; see the module's docstring for the dialect."""

    unit = "line"

    def __init__(self, path: Path, owner: str | None, head: bytes) -> None:
        self.path, self.owner = path, owner
        if not head.strip():
            self.refuse(Violation(Problem.EMPTY))
        if head.startswith(_COMPRESSED):
            self._unreadable("it is compressed; unpack it first")
        if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            self._unreadable("it is UTF-16 text; save it as UTF-8")
        if b"\0" in head:
            self._unreadable("it is neither CSV text nor Parquet")
        first = head.split(maxsplit=0)[0].splitlines()[0]  # The first line that is not blank.
        counts = {separator: first.count(separator.encode()) for separator in _SEPARATORS}
        self._separator = max(_SEPARATORS, key=lambda separator: counts[separator])
        self._size = max(1, path.stat().st_size)
        self._position = 0
        self._left_out = 0
        with self._reading(), self._records() as records:
            super().__init__(path, next(records)[1], None, owner)

    def types(self) -> Mapping[str, pa.DataType]:
        return dict.fromkeys(self.columns, pa.string())

    def writing(self, name: str) -> Writing:
        return replace(super().writing(name), commas=self._separator != ",")

    @property
    def ragged_count(self) -> int:
        return self._left_out

    def fraction(self) -> float:
        return min(1.0, self._position / self._size)

    def batches(self, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
        self._left_out = 0
        self._position = 0
        with self._reading(), pa.OSFile(str(self.path)) as source:
            reader = pa.csv.open_csv(
                source,
                read_options=pa.csv.ReadOptions(block_size=_BLOCK_BYTES, use_threads=False),
                parse_options=pa.csv.ParseOptions(
                    delimiter=self._separator,
                    newlines_in_values=True,
                    invalid_row_handler=self._leave_out,
                ),
                convert_options=pa.csv.ConvertOptions(
                    column_types=dict.fromkeys(self.columns, pa.string()),
                    include_columns=list(names),
                    strings_can_be_null=True,
                    null_values=[""],
                ),
            )
            for batch in reader:
                self._position = source.tell()
                for start in range(0, batch.num_rows, BATCH_ROWS):
                    yield batch.slice(start, BATCH_ROWS)

    def _leave_out(self, _: Any) -> str:
        self._left_out += 1
        return "skip"

    def lines(self, records: Collection[int]) -> dict[int, int]:
        found: dict[int, int] = {}
        wanted, last = set(records), max(records, default=-1)
        index = -2  # The header is record -1.
        with self._reading(), self._records() as lines:
            for line, fields in lines:
                index += len(fields) == len(self.columns)
                if index in wanted:
                    found.setdefault(index, line)
                if index >= last:
                    break
        return found

    def ragged(self, limit: int) -> list[int]:
        found: list[int] = []
        with self._reading(), self._records() as lines:
            for line, fields in lines:
                if len(fields) != len(self.columns):
                    found.append(line)
                if len(found) == limit:
                    break
        return found

    @contextmanager
    def _records(self) -> Iterator[Iterator[tuple[int, list[str]]]]:
        """All non-empty records with the line each begins at; for headers and errors only."""

        def numbered(reader: Any) -> Iterator[tuple[int, list[str]]]:
            before = 0
            for fields in reader:
                if fields:
                    yield before + 1, fields
                before = reader.line_num

        with self.path.open(encoding="utf-8-sig", newline="") as file:
            yield numbered(csv.reader(file, delimiter=self._separator))

    @contextmanager
    def _reading(self) -> Iterator[None]:
        # Arrow's and csv's own messages may quote the line: they are never passed on.
        try:
            yield
        except UnicodeDecodeError:
            self._unreadable("it is not UTF-8 text")
        except pa.ArrowInvalid as error:
            utf8 = "UTF8" in str(error)
            self._unreadable("it is not UTF-8 text" if utf8 else "a record cannot be parsed")
        except csv.Error:
            self._unreadable("a record cannot be parsed")
        except StopIteration:
            self.refuse(Violation(Problem.EMPTY))
        except OSError as error:
            self._unreadable(error.strerror or "the disk reports an error")


class ParquetFile(TableFile):
    """A Parquet file."""

    unit = "row"

    def __init__(self, path: Path, owner: str | None) -> None:
        self.path, self.owner = path, owner
        self._read = 0
        with self._reading(), self._open() as file:
            schema = file.schema_arrow
            self._types = {field.name: field.type for field in schema}
            super().__init__(path, schema.names, file.metadata.num_rows, owner)
        if self.rows == 0:
            self.refuse(Violation(Problem.EMPTY, unit=self.unit))

    def types(self) -> Mapping[str, pa.DataType]:
        return self._types

    def fraction(self) -> float:
        return min(1.0, self._read / max(1, self.rows or 0))

    def batches(self, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
        self._read = 0
        with self._reading(), self._open() as file:
            for batch in file.iter_batches(BATCH_ROWS, columns=list(names), use_threads=False):
                self._read += batch.num_rows
                # Parquet has no order of requested columns: restore it.
                yield batch.select(list(names))

    def lines(self, records: Collection[int]) -> dict[int, int]:
        return {record: record + 1 for record in records}

    def _open(self) -> pa.parquet.ParquetFile:
        # A small buffer and no prefetch: pages come as they are needed, not whole row groups.
        return pa.parquet.ParquetFile(self.path, buffer_size=1 << 20, pre_buffer=False)

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except DataError:
            raise
        except (pa.ArrowException, OSError):
            self._unreadable("it is damaged or cut short")
