"""How good predicted probabilities are: from counts by score bin, or exactly from scores.

Counts by bin and label are what owners can sum on shares without showing their own. Bins are
uniform in the log-odds of the prediction: ``BINS`` of them within ±``LOG_ODDS_LIMIT``, the first
and the last one open. A bin is 0.0117 wide, so two predictions in one bin differ by at most 1.2 %
of their odds; rows in one bin count as ties. The area under the ROC curve so counted differs from
the exact one by at most half the chance that a positive and a negative row share a bin.

The plaintext side uses scikit-learn.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "BINS",
    "LOG_ODDS_LIMIT",
    "Calibration",
    "Curve",
    "Metrics",
    "average_precision",
    "bin_probabilities",
    "calibration",
    "curves",
    "histogram",
    "metrics_from_counts",
    "metrics_from_scores",
    "recall_at",
    "roc_auc",
    "score_bins",
]

Counts: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float64]

BINS: Final = 2_048
LOG_ODDS_LIMIT: Final = 12.0

FALSE_POSITIVE_RATE: Final = 0.01
"""Where the recall of :class:`Metrics` is read."""


@dataclass(frozen=True, slots=True)
class Metrics:
    """What the tables show.

    Attributes
    ----------
    roc_auc : float
        Area under the ROC curve; NaN if all labels are the same, as the next two.
    pr_auc : float
        Average precision.
    recall : float
        Recall at 1 % false positives, interpolated on the ROC curve.
    brier : float
        Mean squared difference of probability and label.
    rows : int
        Rows measured.
    """

    roc_auc: float
    pr_auc: float
    recall: float
    brier: float
    rows: int


@dataclass(frozen=True, slots=True)
class Curve:
    """One line of a plot.

    Attributes
    ----------
    x, y : (points,) float64
        ROC: false positive rate and recall. Precision–recall: recall and precision.
    """

    x: Floats
    y: Floats


@dataclass(frozen=True, slots=True)
class Calibration:
    """Predicted against observed frequency, by group of similar predictions.

    Attributes
    ----------
    predicted : (groups,) float64
        Mean prediction, up to the width of a bin.
    observed : (groups,) float64
        Share of positive rows.
    rows : (groups,) int64
        Rows in the group.
    """

    predicted: Floats
    observed: Floats
    rows: Counts


def score_bins(log_odds: Floats) -> Counts:
    """The bin of each prediction, given as log-odds: (n,) int64 within 0 to ``BINS - 1``."""
    scaled = (log_odds + LOG_ODDS_LIMIT) * (BINS / (2 * LOG_ODDS_LIMIT))
    return np.clip(np.floor(scaled), 0, BINS - 1).astype(np.int64)


def bin_probabilities(bins: int = BINS) -> Floats:
    """The probability at the middle of each bin, (bins,)."""
    middles = (np.arange(bins) + 0.5) * (2 * LOG_ODDS_LIMIT / bins) - LOG_ODDS_LIMIT
    probabilities: Floats = 1.0 / (1.0 + np.exp(-middles))
    return probabilities


def histogram(log_odds: Floats, labels: NDArray[Any]) -> tuple[Counts, Counts]:
    """Negative and positive rows in each bin, each (BINS,) int64.

    Parameters
    ----------
    log_odds : (n,) float64
        Predictions; must be finite.
    labels : (n,) array
        0 and 1.
    """
    where = score_bins(log_odds)
    positive = np.asarray(labels) == 1
    return (
        np.bincount(where[~positive], minlength=BINS),
        np.bincount(where[positive], minlength=BINS),
    )


def curves(negatives: ArrayLike, positives: ArrayLike) -> tuple[Curve, Curve]:
    """ROC and precision–recall curve of counts by bin; empty bins make no points.

    Parameters
    ----------
    negatives, positives : (bins,) integers
        Rows of each label in each bin, lowest score first; both classes occur.

    Returns
    -------
    roc, precision_recall : Curve
        From the highest threshold to the lowest. ROC begins at (0, 0); precision–recall begins at
        recall 0 with the precision of the highest bin that holds rows.
    """
    false, true = _cumulated(negatives, positives)
    precision = true[1:] / (true[1:] + false[1:])
    recall = true / true[-1]
    return (
        Curve(false / false[-1], recall),
        Curve(recall, np.concatenate([precision[:1], precision])),
    )


def roc_auc(negatives: ArrayLike, positives: ArrayLike) -> float:
    """Area under the ROC curve; rows in one bin are ties, which count one half."""
    false, true = _cumulated(negatives, positives)
    if not (false[-1] and true[-1]):
        return float("nan")
    return float(np.trapezoid(true / true[-1], false / false[-1]))


def average_precision(negatives: ArrayLike, positives: ArrayLike) -> float:
    """Σ (recall_k - recall_(k-1)) precision_k over descending thresholds, as scikit-learn does."""
    false, true = _cumulated(negatives, positives)
    if not (false[-1] and true[-1]):
        return float("nan")
    return float(np.sum(np.diff(true) * (true[1:] / (true[1:] + false[1:]))) / true[-1])


def recall_at(negatives: ArrayLike, positives: ArrayLike, rate: float = 0.01) -> float:
    """Recall at a false positive rate, interpolated on the ROC curve."""
    false, true = _cumulated(negatives, positives)
    if not (false[-1] and true[-1]):
        return float("nan")
    return _interpolate(false / false[-1], true / true[-1], rate)


def calibration(
    negatives: ArrayLike, positives: ArrayLike, groups: int = 12, fewest: int | None = None
) -> Calibration:
    """Group bins by prediction and compare predicted with observed frequency.

    Groups are equally wide in log-odds between the lowest and highest occupied bin; those with
    fewer than `fewest` rows (by default a twelfth of all, within 10 and 50) are joined to their
    upper neighbour, the last one to its lower.
    """
    n, p = np.asarray(negatives, np.int64), np.asarray(positives, np.int64)
    rows = n + p
    occupied = np.flatnonzero(rows)
    if not occupied.size:
        return Calibration(np.zeros(0), np.zeros(0), np.zeros(0, np.int64))
    if fewest is None:
        fewest = min(max(int(rows.sum()) // 12, 10), 50)
    edges = np.linspace(occupied[0], occupied[-1] + 1, groups + 1).astype(np.int64)
    starts = np.unique(edges[:-1])
    sizes = np.add.reduceat(rows, starts)
    kept, pending = [int(starts[0])], 0
    for start, size in zip(starts.tolist(), sizes.tolist(), strict=True):
        if pending >= fewest:
            kept.append(start)
            pending = 0
        pending += size
    if pending < fewest and len(kept) > 1:
        kept.pop()
    total = np.add.reduceat(rows, kept)
    predicted = np.add.reduceat(rows * bin_probabilities(len(rows)), kept) / total
    return Calibration(predicted, np.add.reduceat(p, kept) / total, total)


def metrics_from_counts(
    negatives: ArrayLike, positives: ArrayLike, squared_error: float
) -> Metrics:
    """All metrics from counts by bin.

    Parameters
    ----------
    negatives, positives : (bins,) integers
        Rows of each label in each bin, lowest score first.
    squared_error : float
        Σ (probability - label)² over all rows; bins are too coarse for it.
    """
    rows = int(np.sum(negatives) + np.sum(positives))
    return Metrics(
        roc_auc(negatives, positives),
        average_precision(negatives, positives),
        recall_at(negatives, positives, FALSE_POSITIVE_RATE),
        squared_error / rows if rows else float("nan"),
        rows,
    )


def metrics_from_scores(probabilities: Floats, labels: NDArray[Any]) -> Metrics:
    """All metrics exactly, from predicted probabilities (n,) and labels 0 and 1 (n,)."""
    # scikit-learn's metrics take a second to import: only who needs them waits.
    from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

    truth = np.asarray(labels) == 1
    brier = float(np.mean((probabilities - truth) ** 2)) if truth.size else float("nan")
    if not truth.size or truth.all() or not truth.any():
        nan = float("nan")
        return Metrics(nan, nan, nan, brier, int(truth.size))
    false, true, _ = roc_curve(truth, probabilities, drop_intermediate=False)
    return Metrics(
        float(roc_auc_score(truth, probabilities)),
        float(average_precision_score(truth, probabilities)),
        _interpolate(false, true, FALSE_POSITIVE_RATE),
        brier,
        int(truth.size),
    )


def _cumulated(negatives: ArrayLike, positives: ArrayLike) -> tuple[Floats, Floats]:
    """False and true positives at descending thresholds, from none on; empty bins left out."""
    n = np.asarray(negatives, np.float64)[::-1]
    p = np.asarray(positives, np.float64)[::-1]
    occupied = (n + p) > 0
    zero = np.zeros(1)
    return (
        np.concatenate([zero, np.cumsum(n[occupied])]),
        np.concatenate([zero, np.cumsum(p[occupied])]),
    )


def _interpolate(false: Floats, true: Floats, rate: float) -> float:
    # Where the curve is vertical at `rate`, the upper end counts: np.interp takes the last point.
    return float(np.interp(rate, false, true))
