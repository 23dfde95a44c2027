"""Counting an owner's own rows by the score of a model it knows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tacit.ml.evaluation import ScoreCounts
from tacit.ml.metrics import BINS, histogram
from tacit.models import ClearModel
from tacit.models.clear import sigmoid
from tacit.tables import Spool

__all__ = ["count_scores"]


def count_scores(model: ClearModel, rows: Spool, index: NDArray[np.int64]) -> ScoreCounts:
    """Score rows in the clear and count them by bin and label. Streams."""
    negatives, positives = np.zeros(BINS, np.int64), np.zeros(BINS, np.int64)
    squared_error = 0.0
    for features, labels in rows.chunks(index):
        log_odds = model.decision_function(features)
        below, above = histogram(log_odds, labels)
        negatives += below
        positives += above
        squared_error += float(np.square(sigmoid(log_odds) - labels).sum())
    return ScoreCounts(negatives, positives, squared_error)
