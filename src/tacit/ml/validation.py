"""Early stopping of estimators: rows set apart, their score after every pass, the best weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tacit.arrays import SecretArray
from tacit.arrays.functions import clip, log
from tacit.arrays.functions import sum as total
from tacit.errors import UsageError

__all__ = ["EarlyStop", "mean_log_loss", "mean_squared_difference"]


def mean_log_loss(targets: SecretArray, probabilities: SecretArray) -> SecretArray:
    """Of columns of 0 and 1, (n, 1) or (n, k), and probabilities of the same shape; a number.

    Probabilities are taken as at least 2^-12.
    """
    if targets.shape[1] == 1:
        chosen = 1.0 - targets - probabilities + 2.0 * (targets * probabilities)
    else:
        chosen = total(targets * probabilities, axis=1)
    return -log(clip(chosen, 2.0**-12, 1.0)).mean()


def mean_squared_difference(targets: SecretArray, predictions: SecretArray) -> SecretArray:
    """Half the mean squared difference, which regression minimises; a number."""
    difference = targets - predictions
    return 0.5 * (difference * difference).mean()


class EarlyStop:
    """Which rows are set apart, and what follows from their scores, which all parties learn.

    Parameters
    ----------
    rows : int
        How many there are.
    fraction : float
        How many of them are set apart, by a public order.
    patience : int
        Passes without a better score after which it is over.
    tol : float
        By how much a better score is better.
    seed : int
        Public.

    Attributes
    ----------
    train, apart : ndarray of int64
    scores : list of float
        One a pass: minus the loss.
    best : list of SecretArray
        What was best.
    """

    def __init__(self, rows: int, fraction: float, patience: int, tol: float, seed: int) -> None:
        order = np.random.default_rng([seed, rows]).permutation(rows)
        count = max(1, round(rows * fraction))
        if count >= rows:
            raise UsageError(
                f"{rows} rows are too few to set some apart for early stopping.",
                next_step="fit without early_stopping, or share more rows.",
                case=83,
                stage="fit",
            )
        self.apart: NDArray[np.int64] = np.sort(order[:count])
        self.train: NDArray[np.int64] = np.sort(order[count:])
        self.scores: list[float] = []
        self.best: list[SecretArray] = []
        self._patience, self._tol, self._since = patience, tol, 0
        self._best_score = -float("inf")

    def passed(self, loss: SecretArray, values: Sequence[SecretArray]) -> None:
        """Reveal a pass's loss to all parties and take note."""
        self._take(-float(loss.reveal(to="all")), values)

    def _take(self, score: float, values: Sequence[SecretArray]) -> None:
        self.scores.append(score)
        if score > self._best_score + self._tol:
            self._best_score, self._since = score, 0
            self.best = list(values)
        else:
            self._since += 1

    def restore(self, scores: Sequence[float], best: Sequence[SecretArray]) -> None:
        """Go on from a checkpoint."""
        for score in scores:
            self._take(score, best)

    @property
    def over(self) -> bool:
        """Whether the fit ends here."""
        return self._since >= self._patience

    @property
    def best_score(self) -> Any:
        """The largest score so far."""
        return max(self.scores, default=None)
