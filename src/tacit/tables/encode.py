"""Checked rows become the model's features, all within [-1, 1].

====================  ===========================================================================
number, integer       u = (x - middle) / half, with middle and half width of the schema's bounds
date                  the same for days since 1970; 0 or 1 for each value of each part
boolean               0 or 1
category              one feature a category, 0 or 1 (one-hot, none left out)
====================  ===========================================================================

The bounds are public, so this needs no communication; joint standardisation, which does, works on
the sums of ``moments.py``. A value missing under the policy ``mean`` is NaN here and filled in by
the spool, which has seen the whole file.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tacit.tables.check import Block
from tacit.tables.column import PARTS, Column
from tacit.tables.dates import part_of
from tacit.tables.schema import Schema

__all__ = ["denormalise", "encode", "normalise", "standardised"]

Floats: TypeAlias = NDArray[np.float64]


def normalise(values: Floats, bounds: tuple[float, float]) -> Floats:
    """Map [low, high] to [-1, 1]: (x - middle) / half."""
    middle, half = _middle_and_half(bounds)
    return np.clip((values - middle) / half, -1.0, 1.0)


def denormalise(u: Floats, bounds: tuple[float, float]) -> Floats:
    """Map [-1, 1] back to [low, high]."""
    middle, half = _middle_and_half(bounds)
    return u * half + middle


def standardised(schema: Schema) -> NDArray[np.bool_]:
    """Which prepared columns joint standardisation applies to: (len(schema.prepared),) bool.

    Numbers, dates and target-encoded categories; booleans and categories stay 0 and 1.
    """
    flags: list[bool] = []
    for column in schema.inputs:
        first = column.is_target_encoded or (column.is_numeric and column.standardise)
        flags += [first] + [False] * (len(column.prepared()) - 1)
    return np.array(flags, dtype=np.bool_)


def encode(schema: Schema, block: Block) -> tuple[Floats, NDArray[np.uint8]]:
    """Encode a block without problems.

    Parameters
    ----------
    schema : Schema
        The agreed schema.
    block : Block
        From :func:`tacit.tables.check.blocks`.

    Returns
    -------
    features : (rows, features) float64
        C-contiguous, within [-1, 1]; NaN where a value is missing under the policy ``mean``.
    labels : (rows,) uint8
        0 or 1.
    """
    out = np.zeros((block.rows, len(schema.features)))
    first = 0
    for column in schema.inputs:
        width = len(column.features())
        _encode_column(column, block, out[:, first : first + width])
        first += width
    if not schema.label:
        return out, np.zeros(block.rows, np.uint8)
    return out, block.columns[schema.label].values.astype(np.uint8)


def _encode_column(column: Column, block: Block, out: NDArray[Any]) -> None:
    """Write one column's features into `out` (rows, width), which holds zeros."""
    source = block.columns[column.name]
    if column.type == "category":
        codes = source.values.astype(np.int64)
        present = np.flatnonzero(~source.missing)
        out[present, codes[present]] = 1.0
        if column.missing == "category":
            out[source.missing, -1] = 1.0
        return
    limits = column.limits
    out[:, 0] = source.values if limits is None else normalise(source.values, limits)
    first = 1
    for part in column.parts:
        present = np.flatnonzero(~source.missing)
        out[present, first + part_of(source.values[present], part)] = 1.0
        first += len(PARTS[part])
    if column.missing == "zero" and source.missing.any():
        out[source.missing, 0] = normalise(np.zeros(1), limits)[0] if limits else 0.0
    elif column.missing == "mean":
        out[source.missing, 0] = np.nan


def _middle_and_half(bounds: tuple[float, float]) -> tuple[float, float]:
    low, high = bounds
    # Halve first: low + high may not be representable, their halves are.
    return low / 2 + high / 2, high / 2 - low / 2
