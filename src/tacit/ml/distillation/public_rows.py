"""The rows that get labels: from a public file, or drawn from what the schema says in public."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tacit.encoding.digest import tagged_hash
from tacit.errors import UsageError
from tacit.tables import Schema
from tacit.tables.rows import encoded_rows

__all__ = ["PublicRows", "drawn_rows"]

Floats = NDArray[np.float64]

_MOST = 1_000_000


class PublicRows:
    """Encoded public rows, the same at all parties.

    Parameters
    ----------
    schema : Schema
    file : path, optional
        CSV or Parquet; a label column may be there and is not read.
    synthetic : int
        How many to draw where there is no file.
    seed : int

    Attributes
    ----------
    features : (k, d) float64
        Within [-1, 1].

    Raises
    ------
    UsageError
        No rows, or too many (TC-1098).
    DataError
        A row breaks the schema (TC-21xx).
    """

    def __init__(self, schema: Schema, file: str | Path | None, synthetic: int, seed: int) -> None:
        if file is not None:
            self.features = encoded_rows(schema, Path(file))
        else:
            self.features = drawn_rows(schema, synthetic, seed)
        if not 0 < len(self.features) <= _MOST:
            raise UsageError(
                f"{len(self.features)} public rows cannot be labelled.",
                next_step=f"give 1 to {_MOST:,} rows; each label costs privacy, so a few hundred"
                " or thousand are usual.",
                case=98,
                stage="public rows",
            )

    def digest(self) -> bytes:
        """What all parties compare."""
        shape = np.array(self.features.shape, np.int64).tobytes()
        return tagged_hash("public rows", shape, np.ascontiguousarray(self.features).tobytes())

    def encoded(self, fraction_bits: int) -> NDArray[np.int64]:
        """Features and a column of ones as integers, (k, d + 1)."""
        ones = np.ones((len(self.features), 1))
        rows = np.concatenate([self.features, ones], axis=1)
        integers: NDArray[np.int64] = np.rint(rows * (1 << fraction_bits)).astype(np.int64)
        return integers


def drawn_rows(schema: Schema, count: int, seed: int) -> Floats:
    """Numbers uniform within their bounds, categories and booleans uniform; nothing else is public.

    Whoever knows better distributions in public makes a file of rows from them.
    """
    rng = np.random.default_rng([seed, 0x5EED])
    parts: list[Floats] = []
    for column in schema.inputs:
        width = len(column.features())
        if column.type == "category":
            codes = rng.integers(0, width, count)
            parts.append(np.eye(width)[codes])
        elif column.type == "boolean":
            parts.append(rng.integers(0, 2, (count, 1)).astype(np.float64))
        else:
            parts.append(rng.uniform(-1.0, 1.0, (count, width)))
    return np.concatenate(parts, axis=1) if parts else np.zeros((count, 0))
