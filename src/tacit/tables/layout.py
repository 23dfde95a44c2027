"""Where each column of a schema lies before and after the private preparation of rows.

An owner encodes its rows into ``schema.features``. On shares, columns are then clipped, and the
features of a target-encoded category become one column: that makes ``schema.prepared``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tacit.tables.column import Column
from tacit.tables.encode import normalise, standardised
from tacit.tables.schema import Schema

__all__ = ["BINS", "EDGE_BITS", "FOLDS", "SMOOTHING", "Clipped", "Layout", "Target", "grid"]

Floats: TypeAlias = NDArray[np.float64]

BINS: Final = 512
"""Public bins of a clipped column."""

EDGE_BITS: Final = 26
"""Edges are whole multiples of 2^-26, as shared features are."""

FOLDS: Final = 5
"""Target encodings of training rows are of the rows in other folds; scikit-learn's number."""

SMOOTHING: Final = 16
"""So many rows of the joint mean are added to each category."""


def grid(column: Column) -> Floats:
    """The edges of a column's public bins, ascending from -1 to 1, (BINS + 1,).

    Half of them lie evenly, half in geometric distances from 0 (or from the bound next to 0), where
    the values of heavy-tailed columns are: 16 for each halving of the distance, or 8 on each side.
    Equal edges make empty bins.
    """
    limits = column.limits
    assert limits is not None
    even = np.linspace(-1.0, 1.0, BINS // 2 + 1)
    anchor = float(normalise(np.zeros(1), limits)[0])
    sides = [side for side in (1.0, -1.0) if side != anchor]
    steps = np.arange(1, BINS // 2 // len(sides) + 1)
    distances = 2.0 ** (-steps * len(sides) / 16)
    curved = [anchor + (side - anchor) * distances for side in sides]
    scale = float(1 << EDGE_BITS)
    return np.asarray(np.rint(np.sort(np.concatenate([even, *curved])) * scale) / scale)


@dataclass(frozen=True, slots=True, eq=False)
class Clipped:
    """A column that is clipped at joint quantiles.

    Attributes
    ----------
    name : str
    feature, place : int
        Where it is among the features, and among the prepared columns.
    edges : (BINS + 1,) float64
    quantiles : (low, high)
    """

    name: str
    feature: int
    place: int
    edges: Floats
    quantiles: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Target:
    """A category column that is encoded by joint means of the label.

    Attributes
    ----------
    name : str
    first, stop : int
        Its features.
    place : int
        The prepared column.
    """

    name: str
    first: int
    stop: int
    place: int

    @property
    def category_count(self) -> int:
        """How many, a missing one included."""
        return self.stop - self.first


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Of a schema; public.

    Attributes
    ----------
    features, width : int
        How many features there are, and prepared columns.
    scaled : (width,) bool
        Prepared columns that are standardised.
    clipped : tuple of Clipped
    targets : tuple of Target
    plain : (k,) int64
        The features that stay columns as they are.
    order : (width,) int64
        Where each prepared column is among the plain, the clipped and the target-encoded ones, put
        side by side.
    """

    features: int
    width: int
    scaled: NDArray[np.bool_]
    clipped: tuple[Clipped, ...]
    targets: tuple[Target, ...]
    plain: NDArray[np.int64]
    order: NDArray[np.int64]

    @staticmethod
    def of(schema: Schema) -> Layout:
        """The layout of a schema."""
        clipped: list[Clipped] = []
        targets: list[Target] = []
        plain: list[int] = []
        places: list[int] = []
        feature = place = 0
        for column in schema.inputs:
            width, prepared = len(column.features()), len(column.prepared())
            if column.is_target_encoded:
                targets.append(Target(column.name, feature, feature + width, place))
            else:
                first = 0 if column.clip is None else 1
                plain += range(feature + first, feature + width)
                places += range(place + first, place + width)
            if column.clip is not None:
                edges = grid(column)
                clipped.append(Clipped(column.name, feature, place, edges, column.clip))
            feature, place = feature + width, place + prepared
        places += [column.place for column in clipped] + [target.place for target in targets]
        return Layout(
            feature,
            place,
            standardised(schema),
            tuple(clipped),
            tuple(targets),
            np.array(plain, np.int64),
            np.argsort(np.array(places, np.int64)),
        )

    @property
    def is_plain(self) -> bool:
        """Whether rows are standardised and nothing else."""
        return not self.clipped and not self.targets

    @property
    def category_total(self) -> int:
        """Of all target-encoded columns together."""
        return sum(target.category_count for target in self.targets)
