"""How the values of an owner's columns spread over public bins; counts, private to the owner."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tacit.tables.layout import BINS, grid
from tacit.tables.schema import Schema
from tacit.tables.spool import Spool

__all__ = ["COARSE_BINS", "Profile", "profile", "profiles_of"]

COARSE_BINS: Final = 32
"""Bins of a number or date: every sixteenth edge of its grid."""


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """Where one column's counts are, and what they are of; public.

    Attributes
    ----------
    column : str
    first, stop : int
        Its bins.
    ordered : bool
        Whether bins have an order: numbers and dates. Others are categories.
    feature : int
        Its first feature; -1 for the label.
    edges : ndarray of float64 or None
        Of ordered bins.
    """

    column: str
    first: int
    stop: int
    ordered: bool
    feature: int
    edges: NDArray[np.float64] | None = None


def profiles_of(schema: Schema) -> tuple[Profile, ...]:
    """The bins of all public columns, the label's among them, in the schema's order."""
    found: list[Profile] = []
    first = feature = 0
    for column in schema.columns:
        label = column.name == schema.label
        if column.private:
            feature += len(column.features())
            continue
        edges = grid(column)[:: BINS // COARSE_BINS] if column.is_numeric else None
        bins = COARSE_BINS if column.is_numeric else 2
        if column.type == "category":
            bins = len(column.features()) + 1  # the last one: no category
        place = -1 if label else feature
        found.append(Profile(column.name, first, first + bins, edges is not None, place, edges))
        first += bins
        feature += 0 if label else len(column.features())
    return tuple(found)


def profile(rows: Spool, profiles: tuple[Profile, ...]) -> NDArray[np.int64]:
    """Count all rows of an owner, held-out ones too: (bins,) of all columns. Streams once."""
    counts = np.zeros(profiles[-1].stop, np.int64)
    for features, labels in rows.chunks():
        for item in profiles:
            own = counts[item.first : item.stop]
            width = item.stop - item.first
            if item.edges is not None:
                u = features[:, item.feature]
                bins = np.clip(np.searchsorted(item.edges, u, side="right") - 1, 0, width - 1)
                own += np.bincount(bins, minlength=width)
            elif width == 2 or item.feature < 0:
                # The mean that fills in a missing boolean counts as the nearer one.
                values = labels if item.feature < 0 else features[:, item.feature]
                ones = int((values >= 0.5).sum())
                own += np.array([len(labels) - ones, ones])
            else:
                one_hot = features[:, item.feature : item.feature + width - 1]
                found = one_hot.sum(axis=0).astype(np.int64)
                own += np.append(found, len(labels) - found.sum())
    return counts
