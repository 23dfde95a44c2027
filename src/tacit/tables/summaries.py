"""What an owner sums up of its own training rows for the private preparation; private to it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tacit.tables.layout import BINS, FOLDS, Layout
from tacit.tables.moments import Moments, moments
from tacit.tables.spool import Spool

__all__ = ["Summaries", "summaries"]

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True, repr=False)
class Summaries:
    """Of one owner's training rows, or of several owners' together.

    Attributes
    ----------
    moments : Moments
        Of the features.
    counts : (clipped, BINS) int64
        Values in each bin of each clipped column.
    sums, squares : (clipped, BINS) float64
        Sum of their distances from the bin's lower edge, and of these squared.
    positives, negatives : (FOLDS, categories) int64
        Rows of each label by fold and category, for all target-encoded columns side by side.
    others : (2, FOLDS, targets) int64
        Rows with no category of a column, positive and negative.
    """

    moments: Moments
    counts: Counts
    sums: Floats
    squares: Floats
    positives: Counts
    negatives: Counts
    others: Counts

    def __add__(self, other: Summaries) -> Summaries:
        mine, its = self.moments, other.moments
        joint = Moments(mine.count + its.count, mine.total + its.total, mine.squares + its.squares)
        return Summaries(
            joint,
            self.counts + other.counts,
            self.sums + other.sums,
            self.squares + other.squares,
            self.positives + other.positives,
            self.negatives + other.negatives,
            self.others + other.others,
        )


def summaries(rows: Spool, train: NDArray[np.int64], layout: Layout) -> Summaries:
    """Sum up an owner's training rows. Streams, once for moments and once for the rest.

    Parameters
    ----------
    rows : Spool
    train : (n,) int64
        The training rows, sorted; row `train[i]` belongs to fold i mod FOLDS.
    layout : Layout
    """
    shape = (len(layout.clipped), BINS)
    counts = np.zeros(shape, np.int64)
    sums, squares = np.zeros(shape), np.zeros(shape)
    by_label = np.zeros((2, FOLDS, layout.category_total), np.int64)
    others = np.zeros((2, FOLDS, len(layout.targets)), np.int64)
    start = 0
    for features, labels in rows.chunks(train) if not layout.is_plain else ():
        for place, column in enumerate(layout.clipped):
            u = features[:, column.feature]
            bins = np.clip(np.searchsorted(column.edges, u, side="right") - 1, 0, BINS - 1)
            above = np.maximum(u - column.edges[bins], 0.0)
            counts[place] += np.bincount(bins, minlength=BINS)
            sums[place] += np.bincount(bins, above, minlength=BINS)
            squares[place] += np.bincount(bins, above * above, minlength=BINS)
        folds = np.arange(start, start + len(labels)) % FOLDS
        first = 0
        for place, target in enumerate(layout.targets):
            one_hot = features[:, target.first : target.stop]
            for label in (0, 1):
                for fold in range(FOLDS):
                    chosen = one_hot[(labels == label) & (folds == fold)]
                    found = chosen.sum(axis=0).astype(np.int64)
                    by_label[label, fold, first : first + target.category_count] += found
                    others[label, fold, place] += len(chosen) - int(found.sum())
            first += target.category_count
        start += len(labels)
    return Summaries(
        moments(rows, train), counts, sums, squares, by_label[1], by_label[0], others[::-1]
    )
