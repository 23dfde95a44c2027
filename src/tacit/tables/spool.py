"""An owner's encoded rows on its own disk, for reading in any order with little memory.

Training reads rows in the order of a permutation, epoch after epoch, so they are encoded once and
written to a temporary file. The file never has a name (``O_TMPFILE`` where the system has it, else
unlinked at once): nobody else can open it, and it is gone when this process ends, even when it is
killed.

Features are float64, 8 bytes each: what fixed point with 18 fractional bits encodes. float32 would
do for u itself (error 2^-25 against half a step of 2^-19) but not after standardisation, which
multiplies a heavy-tailed column by hundreds.

Memory: a file of up to ``MAPPED_BYTES`` is mapped. A larger one is not, because the pages that a
mapping has touched count as this process's memory, and Linux maps up to 2 MiB around each row read
(6.18 on ext4: 341 random rows made 440 MB resident). It is read row by row with ``pread`` instead,
1 to 2 µs a row. Either way memory stays the same for any number of rows.
"""

from __future__ import annotations

import errno
import math
import mmap
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tacit.errors import DataError, StorageError
from tacit.tables.check import Block, Findings, blocks, check, first_problems, label_classes, locate
from tacit.tables.encode import encode
from tacit.tables.files import TableFile, open_table
from tacit.tables.problems import Problem, Violation
from tacit.tables.schema import Schema

__all__ = ["MAPPED_BYTES", "Progress", "Spool", "spool"]

Floats: TypeAlias = NDArray[np.float64]

Progress: TypeAlias = Callable[[int, float], None]
"""Called with the rows read so far and the fraction of the file, 0 to 1."""

MAPPED_BYTES: Final = 256 << 20
"""Larger files are read instead of mapped."""

MOST_LISTED: Final = 100_000
"""So many problems of a file are listed."""

_CHUNK_ROWS: Final = 16_384


class Spool:
    """Encoded rows of one owner in a file without a name. Made by :func:`spool`.

    Attributes
    ----------
    names : tuple of str
        The features' names.
    rows : int
        How many rows.
    labels : (rows,) uint8
        0 or 1, in memory.
    """

    def __init__(
        self,
        file: Any,
        names: tuple[str, ...],
        labels: NDArray[np.uint8],
        mapped_bytes: int = MAPPED_BYTES,
    ) -> None:
        self.names = names
        self.rows = len(labels)
        self.labels = labels
        self._file = file
        self._width = 8 * len(names)
        self._mapping: mmap.mmap | None = None
        if 0 < self.rows * self._width <= mapped_bytes:
            self._mapping = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    def __repr__(self) -> str:
        return f"Spool({self.rows} rows, {len(self.names)} features)"

    def __enter__(self) -> Spool:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the disk space back. Arrays that were taken stay valid."""
        if self._mapping is not None:
            self._mapping.close()
        self._file.close()

    def take(self, indices: NDArray[np.int64]) -> tuple[Floats, NDArray[np.uint8]]:
        """Copy rows in any order.

        Parameters
        ----------
        indices : (n,) int64
            Rows, each 0 to ``rows - 1``.

        Returns
        -------
        features : (n, features) float64
        labels : (n,) uint8
        """
        labels = self.labels[indices]  # Raises IndexError before the file is touched.
        if self._mapping is None:
            return self._read_runs(np.asarray(indices, np.int64)), labels
        mapped = np.frombuffer(self._mapping, np.float64).reshape(self.rows, -1)
        return mapped[indices], labels

    def chunks(
        self, indices: NDArray[np.int64] | None = None, rows: int = _CHUNK_ROWS
    ) -> Iterator[tuple[Floats, NDArray[np.uint8]]]:
        """Copies of all rows, or of those at `indices`, `rows` at a time, in the file's order."""
        ordered = np.arange(self.rows) if indices is None else np.sort(indices)
        for start in range(0, len(ordered), rows):
            yield self.take(ordered[start : start + rows])

    def _read_runs(self, indices: NDArray[np.int64]) -> Floats:
        """Read each run of consecutive rows at once."""
        out = np.empty((len(indices), len(self.names)))
        view = out.reshape(-1).view(np.uint8).data
        indices = np.where(indices < 0, indices + self.rows, indices)
        starts = np.flatnonzero(np.diff(indices, prepend=-2) != 1)
        stops = np.append(starts, len(indices))[1:]
        runs = zip(starts.tolist(), stops.tolist(), indices[starts].tolist(), strict=True)
        descriptor, width = self._file.fileno(), self._width
        for start, stop, row in runs:
            part = view[start * width : stop * width]
            if os.preadv(descriptor, [part], row * width) != len(part):
                raise StorageError(
                    "The temporary file of encoded rows is cut short.",
                    next_step="check the disk, then run again.",
                    case=3,
                    stage="reading",
                )
        return out


def spool(
    path: str | Path,
    schema: Schema,
    *,
    owner: str | None = None,
    directory: str | Path | None = None,
    progress: Progress | None = None,
    errors: str | Path | None = None,
    one_class: bool = False,
) -> Spool:
    """Read, check and encode an owner's file.

    Parameters
    ----------
    path : path
        The owner's CSV or Parquet file.
    schema : Schema
        The agreed schema.
    owner : str, optional
        Whose file it is, for errors.
    directory : path, optional
        Where the temporary file goes; the system's temporary directory by default. It takes
        8 bytes a feature and row.
    progress : callable, optional
        Called after every batch with rows read and fraction done.
    errors : path, optional
        Where all that is wrong is listed, for the owner; see :meth:`Findings.save`.
    one_class : bool
        Whether all labels may be the same: for measuring, and for training whose end must not
        tell of single rows.

    Raises
    ------
    DataError
        Whatever is wrong with the file, naming line and column, for the owner alone
        (see :func:`tacit.tables.problems.notice_for_others`).
    StorageError
        The disk is full (TC-2301) or cannot be written (TC-2300).
    """
    file = open_table(path, owner=owner)
    try:
        return _spooled(file, schema, directory, progress, one_class)
    except DataError:
        # Once more, to count and list all that is wrong.
        listed = check(path, schema, owner=owner, limit=MOST_LISTED if errors else 1)
        note = _listed(listed, errors) if errors is not None and listed.violations else ""
        if not (one_class and listed.violations[:1] and listed.total == 1):
            listed.raise_if_any(note)
        raise
    except OSError as error:
        raise _storage_error(error, directory) from None


def _listed(found: Findings, errors: str | Path) -> str:
    """Write the list; where it cannot be written the problem itself is told all the same."""
    try:
        Path(errors).parent.mkdir(parents=True, exist_ok=True)
        found.save(errors)
    except (OSError, StorageError):
        return f"; they could not be listed in {errors}"
    if found.total > len(found.violations):
        return f"; the first {len(found.violations):,} are listed in {errors}"
    return f"; all are listed in {errors}"


def _spooled(
    file: TableFile,
    schema: Schema,
    directory: str | Path | None,
    progress: Progress | None,
    one_class: bool,
) -> Spool:
    with ExitStack() as stack:
        out = stack.enter_context(tempfile.TemporaryFile("w+b", buffering=0, dir=directory))
        rows = Spool(out, schema.features, _write(file, schema, out, progress, one_class))
        stack.pop_all()  # From here on the spool closes the file.
        return rows


def _write(
    file: TableFile, schema: Schema, out: Any, progress: Progress | None, one_class: bool
) -> NDArray[np.uint8]:
    """Encode all rows into `out`; returns the labels."""
    labels: list[NDArray[np.uint8]] = []
    means = _Means(schema)
    classes: set[float] = set()
    for block in blocks(file, schema):
        _refuse_problems(file, block)
        features, part = encode(schema, block)
        means.add(block, features)
        _write_all(out, features)
        labels.append(part)
        if len(classes) < 2 and schema.label:
            classes |= label_classes(block, schema.label)
        if progress is not None:
            progress(block.start + block.rows, file.fraction())
    _refuse_ragged(file)
    if not any(part.size for part in labels):
        file.refuse(Violation(Problem.EMPTY, unit=file.unit))
    if len(classes) < 2 and schema.label and not one_class:
        file.refuse(Violation(Problem.ONE_CLASS, column=schema.label))
    means.fill(file, out)
    return np.concatenate(labels)


def _refuse_problems(file: TableFile, block: Block) -> None:
    if block.wrong():
        first = locate(file, first_problems(block, 1))[0]
        file.refuse(first)


def _refuse_ragged(file: TableFile) -> None:
    if file.ragged_count:
        file.refuse(Violation(Problem.RAGGED, line=next(iter(file.ragged(1)), None)))


def _write_all(out: Any, features: Floats) -> None:
    view = features.reshape(-1).view(np.uint8).data
    while view:
        view = view[out.write(view) :]


class _Means:
    """Fills in the values that are missing under the policy ``mean``, once all rows are known."""

    def __init__(self, schema: Schema) -> None:
        names = schema.features
        self._columns = [c.name for c in schema.inputs if c.missing == "mean"]
        self._places = [names.index(name) for name in self._columns]
        self._width = len(names)
        self._totals: list[list[float]] = [[] for _ in self._columns]
        self._counts = [0] * len(self._columns)
        self._holes: list[tuple[int, int]] = []

    def add(self, block: Block, features: Floats) -> None:
        """Take note of one block's sums and of whether it has missing values."""
        holes = False
        for index, (name, place) in enumerate(zip(self._columns, self._places, strict=True)):
            missing = block.columns[name].missing
            present = features[~missing, place]
            self._totals[index].append(float(present.sum()))
            self._counts[index] += len(present)
            holes = holes or bool(missing.any())
        if holes:
            self._holes.append((block.start, block.rows))

    def fill(self, file: TableFile, out: Any) -> None:
        """Replace NaN by the means in the blocks that have any."""
        if not self._holes:
            return
        means = np.zeros(self._width)
        for name, place, totals, count in zip(
            self._columns, self._places, self._totals, self._counts, strict=True
        ):
            if count == 0:
                file.refuse(Violation(Problem.NO_MEAN, column=name))
            means[place] = math.fsum(totals) / count
        for start, rows in self._holes:
            offset, size = start * self._width * 8, rows * self._width * 8
            data = bytearray(os.pread(out.fileno(), size, offset))
            features = np.frombuffer(data, np.float64).reshape(rows, self._width)
            np.copyto(features, means, where=np.isnan(features))
            out.seek(offset)
            _write_all(out, features)


def _storage_error(error: OSError, directory: str | Path | None) -> StorageError:
    place = directory or tempfile.gettempdir()
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    return StorageError(
        f"The encoded rows cannot be stored in {place}: {error.strerror}.",
        next_step="free some space there, or set TMPDIR to a directory with more."
        if full
        else "set TMPDIR to a directory that can be written.",
        case=1 if full else 0,
        stage="reading",
    )
