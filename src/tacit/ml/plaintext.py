"""The same training in the clear: what an owner does alone, and what joint results compare to.

Same initial weights, batches, order, step sizes and standardisation as ``training.py``, in
float64 with the exact sigmoid.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tacit.functions.logistic import STEP_BITS, quantized_rate
from tacit.ml.batches import batches
from tacit.ml.standardization import DEVIATION_FLOOR_BITS
from tacit.ml.training import OwnRows, TrainingPlan
from tacit.tables import Moments

__all__ = ["LinearModel", "pooled_moments", "train_alone", "train_plaintext"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LinearModel:
    """Weights for features scaled into [-1, 1]; public to whoever holds it.

    Attributes
    ----------
    coefficients : ndarray of float64, (d,)
    intercept : float
    """

    coefficients: Floats
    intercept: float

    def decision(self, features: Floats) -> Floats:
        """Log-odds of encoded rows, (n,)."""
        scores: Floats = features @ self.coefficients + self.intercept
        return scores

    def probability(self, features: Floats) -> Floats:
        """Predicted probabilities of encoded rows, (n,)."""
        return sigmoid(self.decision(features))


def sigmoid(z: Floats) -> Floats:
    """1 / (1 + exp(-z)) without overflow."""
    result: Floats = 0.5 * (1.0 + np.tanh(0.5 * z))
    return result


def pooled_moments(parts: Sequence[Moments], mask: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Mean and inverse deviation over all owners, as the joint training uses them.

    Columns outside `mask` keep mean 0 and inverse deviation 1.
    """
    rows = np.array([part.count for part in parts], np.float64)
    means = np.stack([part.mean() for part in parts])
    within = np.stack([part.deviation() ** 2 for part in parts])
    weight = (rows / rows.sum())[:, None]
    mean = (weight * means).sum(axis=0)
    variance = (weight * (within + (means - mean) ** 2)).sum(axis=0)
    inverse = 1.0 / np.sqrt(variance + 4.0**-DEVIATION_FLOOR_BITS)
    return np.where(mask, mean, 0.0), np.where(mask, inverse, 1.0)


def train_plaintext(
    plan: TrainingPlan,
    owners: Sequence[OwnRows],
    mean: Floats,
    inverse: Floats,
    on_step: Callable[[int], None] = lambda done: None,
) -> LinearModel:
    """Train on all owners' rows in the clear, step by step as the joint training does."""
    weights = np.zeros(plan.columns + 1)
    done = 0
    for epoch in range(plan.epochs):
        for batch in batches(plan.rows, plan.batch_size, epoch, plan.seed):
            parts = [own.take(index) for own, index in zip(owners, batch, strict=True)]
            features = np.concatenate([part[0] for part in parts])
            labels = np.concatenate([part[1] for part in parts])
            x = np.empty((len(features), plan.columns + 1))
            np.multiply(features - mean, inverse, out=x[:, :-1])
            x[:, -1] = 1.0
            rate = quantized_rate(plan.learning_rate, len(x)) / (1 << STEP_BITS)
            residuals = sigmoid(x @ weights) - labels
            weights -= rate * (x.T @ residuals) + plan.learning_rate * plan.decay * weights
            done += 1
            on_step(done)
    coefficients = weights[:-1] * inverse
    return LinearModel(coefficients, float(weights[-1] - coefficients @ mean))


def train_alone(
    plan: TrainingPlan,
    own: OwnRows,
    moments: Moments,
    mask: NDArray[np.bool_],
    on_step: Callable[[int], None] = lambda done: None,
) -> LinearModel:
    """What one owner gets from its own rows, with the same settings."""
    mean, inverse = pooled_moments([moments], mask)
    alone = replace(plan, rows=(moments.count,))
    return train_plaintext(alone, [own], mean, inverse, on_step)
