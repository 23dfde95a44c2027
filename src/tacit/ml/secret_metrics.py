"""How good secret predictions of secret labels are: only the number is revealed.

Every function computes on shares, opens one number (for a confusion matrix its counts) to the
parties named in `to`, and returns it: a number with "all", else one for each recipient by name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tacit.arrays import SecretArray
from tacit.arrays.functions import clip, log, sum
from tacit.encoding.types import fixed, int64
from tacit.errors import ShapeError, TypeMismatchError
from tacit.ml.checks import opened
from tacit.ml.measures.measuring import MEAN_BITS, bins_of, by_bin
from tacit.ml.measures.names import parse_measures
from tacit.ml.measures.quotients import quotients
from tacit.ml.measures.ranking import cut_score, ranked

__all__ = [
    "accuracy_score",
    "brier_score_loss",
    "calibration_curve",
    "confusion_matrix",
    "log_loss",
    "mean_squared_error",
    "r2_score",
    "recall_at_fpr",
    "roc_auc_score",
]

_PLACES = 8
"""Decimal places of exact quotients."""

Recipients = str | Sequence[str]


def _pair(name: str, y_true: Any, y_other: Any, columns: bool = False) -> int:
    """The number of rows. Refuses what is not secret or does not fit."""
    if not isinstance(y_true, SecretArray) or not isinstance(y_other, SecretArray):
        raise TypeMismatchError(
            f"{name}: labels and predictions are secret arrays.",
            next_step="share them, or use sklearn.metrics on plain arrays.",
            case=82,
            stage=name,
        )
    shape = y_other.shape[:1] if columns else y_other.shape
    if y_true.ndim != 1 or y_true.shape != shape or not y_true.size:
        raise ShapeError(
            f"{name}: labels {y_true.shape} and predictions {y_other.shape} do not fit.",
            next_step="pass one label and one prediction a row.",
            case=87,
            stage=name,
        )
    return y_true.size


def _numbers(x: SecretArray) -> SecretArray:
    return x if x.dtype.kind == "fixed" else x.astype(fixed)


def _number(x: SecretArray, to: Recipients, finish: Callable[[float], float]) -> Any:
    return opened([x], to, lambda values: finish(float(values[0])))


def accuracy_score(y_true: SecretArray, y_pred: SecretArray, *, to: Recipients) -> Any:
    """The share of equal labels, (n,) each. Reveals how many are equal."""
    rows = _pair("accuracy_score", y_true, y_pred)
    if (y_true.dtype.kind == "bool") != (y_pred.dtype.kind == "bool"):
        y_true, y_pred = (
            y.astype(int64) if y.dtype.kind == "bool" else y for y in (y_true, y_pred)
        )
    equal = ~(y_true ^ y_pred) if y_true.dtype.kind == "bool" else y_true == y_pred
    return _number(sum(equal), to, lambda count: count / rows)


def log_loss(y_true: SecretArray, y_prob: SecretArray, *, to: Recipients) -> Any:
    """The mean of -log of the probability of the true label.

    Parameters
    ----------
    y_true : SecretArray, (n,)
        Labels 0 and 1, or 0 to k - 1.
    y_prob : SecretArray, (n,) or (n, k)
        The probability of label 1, or of every label.
    to : "all", or one or several party names

    Notes
    -----
    Probabilities are taken as at least 2^-12, so one wrong row adds at most 8.3.
    """
    columns = y_prob.ndim == 2 if isinstance(y_prob, SecretArray) else False
    _pair("log_loss", y_true, y_prob, columns)
    if columns:
        labels = y_true if y_true.dtype.kind != "bool" else y_true.astype(int64)
        chosen = labels.reshape(-1, 1) == np.arange(y_prob.shape[1])[None, :]
        probability = sum(chosen * _numbers(y_prob), axis=1)
    else:
        label = _numbers(y_true)
        positive = _numbers(y_prob)
        probability = 1.0 - label - positive + 2.0 * (label * positive)
    loss = log(clip(probability, 2.0**-12, 1.0)).mean()
    return _number(loss, to, lambda value: -value)


def mean_squared_error(y_true: SecretArray, y_pred: SecretArray, *, to: Recipients) -> Any:
    """The mean squared difference, (n,) each."""
    _pair("mean_squared_error", y_true, y_pred)
    difference = _numbers(y_true) - _numbers(y_pred)
    return _number((difference * difference).mean(), to, float)


def r2_score(y_true: SecretArray, y_pred: SecretArray, *, to: Recipients) -> Any:
    """1 - Σ (y - p)² / Σ (y - mean y)², (n,) each. Reveals this number, not the two sums.

    Labels that are all equal give 1.0, where scikit-learn gives 1.0 or 0.0.
    """
    _pair("r2_score", y_true, y_pred)
    truth = _numbers(y_true)
    difference, centred = truth - _numbers(y_pred), truth - truth.mean()
    ratio = (difference * difference).mean() / (centred * centred).mean()
    return _number(ratio, to, lambda value: 1.0 - value)


def roc_auc_score(y_true: SecretArray, y_score: SecretArray, *, to: Recipients) -> Any:
    """The area under the ROC curve of secret scores; ties count half, as in scikit-learn.

    Parameters
    ----------
    y_true : SecretArray, (n,)
        Labels 0 and 1, or booleans; both occur (else the result is 0.0).
    y_score : SecretArray, (n,)
    to : "all", or one or several party names

    Notes
    -----
    Two sorts of the labels by score, equal scores once with negatives first and once with
    positives first; the pairs (negative below positive) are counted in both. Reveals the area to
    eight decimal places, not the counts. n below 2^28.
    """
    _pair("roc_auc_score", y_true, y_score)
    positive = _indicators(y_true)
    negative = 1 - positive
    pairs = ranked(y_score, positive, negative).pairs
    total = sum(positive, axis=0) * sum(negative, axis=0) * 2
    area = quotients(pairs, total + (total == 0).astype(int64), _PLACES)
    return _number(area[0], to, lambda value: value / 10.0**_PLACES)


def recall_at_fpr(y_true: SecretArray, y_score: SecretArray, *, rate: float, to: Recipients) -> Any:
    """The largest recall of a threshold that lets through at most a share of the negatives.

    Parameters
    ----------
    y_true : SecretArray, (n,)
        Labels 0 and 1, or booleans; both occur (else the result means nothing).
    y_score : SecretArray, (n,)
    rate : float
        The share, such as 0.01; public.
    to : "all", or one or several party names

    Notes
    -----
    As the largest ``tpr`` with ``fpr <= rate`` of scikit-learn's ``roc_curve``; exact to eight
    decimal places, ties included. Neither the threshold nor a count is revealed.
    """
    _pair("recall_at_fpr", y_true, y_score)
    (measure,) = parse_measures([f"recall@{100 * rate:.4f}%"])
    assert measure.cut is not None
    positive = _indicators(y_true)
    order = ranked(y_score, positive, 1 - positive)
    above = (y_score > cut_score(order, measure.cut.share)).astype(int64)
    found = sum(above * positive[:, 0]).reshape(1)
    total = sum(positive, axis=0)
    recall = quotients(found, total + (total == 0).astype(int64), _PLACES)
    return _number(recall[0], to, lambda value: value / 10.0**_PLACES)


def brier_score_loss(y_true: SecretArray, y_prob: SecretArray, *, to: Recipients) -> Any:
    """The mean squared difference of labels 0 and 1 and the probability of 1, (n,) each."""
    _pair("brier_score_loss", y_true, y_prob)
    difference = _numbers(y_true) - _numbers(y_prob)
    return _number((difference * difference).mean(), to, float)


def calibration_curve(
    y_true: SecretArray,
    y_prob: SecretArray,
    *,
    n_bins: int = 10,
    min_group_size: int = 10,
    to: Recipients,
) -> Any:
    """Observed against predicted probability, in bins of equally many rows.

    Parameters
    ----------
    y_true : SecretArray, (n,)
        Labels 0 and 1, or booleans.
    y_prob : SecretArray, (n,)
        The probability of label 1, or any score.
    n_bins : int
        At most so many bins, as of scikit-learn's ``strategy="quantile"``; of rows that tie
        across an edge, the share that belongs there on average counts.
    min_group_size : int
        Fewer bins are made where they would have fewer rows.
    to : "all", or one or several party names

    Returns
    -------
    prob_true, prob_pred : ndarray of float64, (bins,)
        By bin, ascending; with names as `to` one pair for each.
    """
    rows = _pair("calibration_curve", y_true, y_prob)
    sizes = np.array(bins_of(rows, min_group_size, n_bins))
    positive = _indicators(y_true)
    order = ranked(y_prob, positive, 1 - positive, (_numbers(y_prob),))

    def build(values: list[NDArray[Any]]) -> tuple[NDArray[Any], NDArray[Any]]:
        predicted, observed = values[0].reshape(2, -1)
        return observed / 2 / sizes, predicted / float(1 << MEAN_BITS) / sizes

    return opened([by_bin(order, sizes.tolist())], to, build)


def _indicators(y: SecretArray) -> SecretArray:
    """Labels as a column of integers, (n, 1)."""
    return (y if y.dtype == int64 else y.astype(int64)).reshape(-1, 1)


def confusion_matrix(
    y_true: SecretArray, y_pred: SecretArray, *, labels: ArrayLike, to: Recipients
) -> Any:
    """How often label i was predicted as label j, (k, k) int64 for public labels.

    All k² counts are revealed: naming recipients is the agreement to that.
    """
    _pair("confusion_matrix", y_true, y_pred)
    classes = np.asarray(labels)

    def columns(y: SecretArray) -> SecretArray:
        numbers = y.astype(int64) if y.dtype.kind == "bool" else y
        return (numbers.reshape(-1, 1) == classes[None, :]).astype(int64)

    counts = columns(y_true).T @ columns(y_pred)

    def build(values: list[NDArray[Any]]) -> NDArray[Any]:
        return values[0]

    return opened([counts], to, build)
