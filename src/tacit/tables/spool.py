"""An owner's encoded rows on its own disk, for reading in any order with little memory.

Training reads rows in the order of a permutation, epoch after epoch, so they are encoded once,
written to a temporary file and mapped. The file never has a name (``O_TMPFILE`` where the system
has it, else unlinked at once): nobody else can open it, and it is gone when this process ends,
even when it is killed.

Features are float64, 8 bytes each: what fixed point with 18 fractional bits encodes. float32 would
do for u itself (error 2^-25 against half a step of 2^-19) but not after standardisation, which
multiplies a heavy-tailed column by hundreds.

Memory: pages that were read count as this process's memory until they are given back, which
happens whenever they may amount to ``RESIDENT_BYTES``; so it stays the same for any number of rows.
"""

from __future__ import annotations

import errno
import math
import mmap
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tacit.errors import StorageError
from tacit.tables.check import Block, blocks, first_problems, label_classes, locate
from tacit.tables.encode import encode
from tacit.tables.files import TableFile, open_table
from tacit.tables.problems import Problem, Violation
from tacit.tables.schema import Schema

__all__ = ["RESIDENT_BYTES", "Progress", "Spool", "spool"]

Floats: TypeAlias = NDArray[np.float64]

Progress: TypeAlias = Callable[[int, float], None]
"""Called with the rows read so far and the fraction of the file, 0 to 1."""

RESIDENT_BYTES: Final = 256 << 20
"""Mapped pages kept at most."""

_FAULT_BYTES: Final = 64 << 10
"""What Linux maps around an address that is touched (``fault_around_bytes``)."""

_CHUNK_ROWS: Final = 65_536


class Spool:
    """Encoded rows of one owner, mapped from an unlinked file. Made by :func:`spool`.

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
        self, mapping: mmap.mmap, names: tuple[str, ...], labels: NDArray[np.uint8]
    ) -> None:
        self.names = names
        self.rows = len(labels)
        self.labels = labels
        self._mapping = mapping
        self._features: Floats | None = np.frombuffer(mapping, np.float64).reshape(
            self.rows, len(names)
        )
        self._touched = 0

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
        if self._features is not None:
            self._features = None
            self._mapping.close()

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
        features = self._open()[indices]
        self._release(features.nbytes + len(indices) * _FAULT_BYTES)
        return features, self.labels[indices]

    def chunks(
        self, indices: NDArray[np.int64] | None = None, rows: int = _CHUNK_ROWS
    ) -> Iterator[tuple[Floats, NDArray[np.uint8]]]:
        """Copies of all rows, or of those at `indices`, `rows` at a time, in the file's order."""
        if indices is not None:
            ordered = np.sort(indices)
            for start in range(0, len(ordered), rows):
                yield self.take(ordered[start : start + rows])
            return
        for start in range(0, self.rows, rows):
            part = slice(start, min(start + rows, self.rows))
            features = self._open()[part].copy()
            self._release(features.nbytes)
            yield features, self.labels[part]

    def _open(self) -> Floats:
        if self._features is None:
            raise ValueError("the spool is closed")
        return self._features

    def _release(self, touched: int) -> None:
        self._touched += touched
        if self._touched >= RESIDENT_BYTES:
            self._touched = 0
            if len(self._mapping) > RESIDENT_BYTES:
                self._mapping.madvise(mmap.MADV_DONTNEED)


def spool(
    path: str | Path,
    schema: Schema,
    *,
    owner: str | None = None,
    directory: str | Path | None = None,
    progress: Progress | None = None,
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
        with tempfile.TemporaryFile("w+b", buffering=0, dir=directory) as out:
            labels = _write(file, schema, out, progress)
            mapping = mmap.mmap(out.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError as error:
        raise _storage_error(error, directory) from None
    return Spool(mapping, schema.features, labels)


def _write(
    file: TableFile, schema: Schema, out: Any, progress: Progress | None
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
        if len(classes) < 2:
            classes |= label_classes(block, schema.label)
        if progress is not None:
            progress(block.start + block.rows, file.fraction())
    _refuse_ragged(file)
    if not labels:
        file.refuse(Violation(Problem.EMPTY, unit=file.unit))
    if len(classes) < 2:
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
