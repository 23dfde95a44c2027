"""Metrics from counts by score bin against scikit-learn's on the scores themselves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score

from tacit.ml.metrics import (
    BINS,
    Metrics,
    average_precision,
    bin_probabilities,
    calibration,
    curves,
    histogram,
    metrics_from_counts,
    metrics_from_scores,
    recall_at,
    roc_auc,
    score_bins,
)

counts = hnp.arrays(np.int64, 12, elements=st.integers(0, 5))


def expanded(negatives: NDArray[Any], positives: NDArray[Any]) -> tuple[Any, Any]:
    """The rows behind counts: labels, and the bin as score."""
    bins = np.arange(len(negatives))
    labels = np.repeat([0, 1], [negatives.sum(), positives.sum()])
    return labels, np.concatenate([np.repeat(bins, negatives), np.repeat(bins, positives)])


@given(counts, counts)
def test_on_bins_as_scores_they_are_scikit_learns(n: NDArray[Any], p: NDArray[Any]) -> None:
    if not (n.sum() and p.sum()):
        assert np.isnan(roc_auc(n, p))
        assert np.isnan(average_precision(n, p))
        assert np.isnan(recall_at(n, p))
        return
    labels, scores = expanded(n, p)
    assert roc_auc(n, p) == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)
    exact = average_precision_score(labels, scores)
    assert average_precision(n, p) == pytest.approx(exact, abs=1e-12)
    from_scores = metrics_from_scores(scores / 12, labels)
    assert recall_at(n, p) == pytest.approx(from_scores.recall, abs=1e-12)


@given(counts, counts)
def test_exchanging_the_labels_mirrors_the_roc(n: NDArray[Any], p: NDArray[Any]) -> None:
    if n.sum() and p.sum():
        assert roc_auc(n, p) + roc_auc(p, n) == pytest.approx(1)


@given(counts, counts)
def test_curves_run_from_corner_to_corner(n: NDArray[Any], p: NDArray[Any]) -> None:
    if n.sum() and p.sum():
        roc, pr = curves(n, p)
        assert (roc.x[0], roc.y[0], roc.x[-1], roc.y[-1]) == (0, 0, 1, 1)
        assert (np.diff(roc.x) >= 0).all()
        assert (np.diff(roc.y) >= 0).all()
        assert (pr.x[0], pr.x[-1]) == (0, 1)
        assert pr.y[-1] == pytest.approx(p.sum() / (n.sum() + p.sum()))


@given(counts, counts, st.integers(1, 20))
def test_calibration_loses_no_row(n: NDArray[Any], p: NDArray[Any], fewest: int) -> None:
    table = calibration(n, p, groups=5, fewest=fewest)
    rows = n.sum() + p.sum()
    assert table.rows.sum() == rows
    assert table.observed @ table.rows == pytest.approx(p.sum())
    assert (np.diff(table.predicted) > 0).all()
    assert len(table.rows) <= 1 or table.rows.min() >= fewest


def fraud_like(seed: int, rows: int = 100_000) -> tuple[NDArray[Any], NDArray[Any]]:
    """Log-odds and labels: 1 % positives, scores of a good model, some of them far out."""
    rng = np.random.default_rng(seed)
    labels = rng.random(rows) < 0.01
    log_odds = rng.normal(-5.5, 1.2, rows) + labels * np.abs(rng.normal(3, 2.5, rows))
    log_odds += rng.standard_t(3, rows) * 0.3
    return log_odds, labels


@pytest.mark.parametrize("seed", range(5))
def test_bins_are_fine_enough_for_fraud(seed: int) -> None:
    log_odds, labels = fraud_like(seed)
    probabilities = 1 / (1 + np.exp(-log_odds))
    exact = metrics_from_scores(probabilities, labels)
    binned = metrics_from_counts(
        *histogram(log_odds, labels), float(np.sum((probabilities - labels) ** 2))
    )
    assert 0.8 < exact.roc_auc < 0.99
    assert abs(binned.roc_auc - exact.roc_auc) < 5e-4
    assert abs(binned.pr_auc - exact.pr_auc) < 4e-3
    assert abs(binned.recall - exact.recall) < 4e-3
    assert binned.brier == pytest.approx(exact.brier, rel=1e-12)
    assert binned.rows == exact.rows == len(labels)


def test_bins_cover_all_log_odds() -> None:
    edges = np.array([-1e300, -12.0, -1e-9, 0.0, 11.999, 12.0, 1e300])
    expected = [0, 0, BINS // 2 - 1, BINS // 2, BINS - 1, BINS - 1, BINS - 1]
    assert score_bins(edges).tolist() == expected
    middles = bin_probabilities()
    assert score_bins(np.log(middles / (1 - middles))).tolist() == list(range(BINS))
    assert (middles + middles[::-1] == pytest.approx(1)) is True


def test_a_calibrated_model_lies_on_the_diagonal() -> None:
    rng = np.random.default_rng(4)
    log_odds = rng.normal(0, 2, 200_000)
    labels = rng.random(200_000) < 1 / (1 + np.exp(-log_odds))
    table = calibration(*histogram(log_odds, labels))
    spread = np.sqrt(table.predicted * (1 - table.predicted) / table.rows)
    assert (np.abs(table.observed - table.predicted) < 4.5 * spread + 2e-3).all()


def test_one_class_or_nothing_has_no_ranking() -> None:
    only = metrics_from_scores(np.array([0.2, 0.4]), np.array([0, 0]))
    assert np.isnan([only.roc_auc, only.pr_auc, only.recall]).all()
    assert only.brier == pytest.approx(0.1)
    nothing = metrics_from_counts(np.zeros(4), np.zeros(4), 0.0)
    assert isinstance(nothing, Metrics)
    assert np.isnan(nothing.brier)
    assert calibration(np.zeros(4), np.zeros(4)).rows.size == 0
