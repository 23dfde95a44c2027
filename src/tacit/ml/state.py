"""Where a joint training is after a step, at one party."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tacit.ml.learners.learner import Values

__all__ = ["TrainedModel", "TrainingState"]


@dataclass(frozen=True, slots=True, repr=False)
class TrainedModel:
    """A party's part of what was learned, and the numbers revealed on the way.

    Attributes
    ----------
    parameters : list of arithmetic sharings
        Weights and biases for standardised columns.
    losses : list of float
        Mean squared residuals, if their reveal was agreed.
    metrics : list of float
        Mean log-losses of the rows set apart, one an epoch.
    steps : int
        How many steps were made in all.
    """

    parameters: list[Any]
    losses: list[float]
    metrics: list[float]
    steps: int


@dataclass(frozen=True, slots=True, repr=False)
class TrainingState:
    """A party's part of everything that training goes on from after a step.

    Attributes
    ----------
    step : int
        Finished steps.
    values : tuple of arithmetic sharings
        The learner's state.
    losses : tuple of float
        Mean squared residuals revealed so far.
    residuals : arithmetic sharing, (n,), or None
        Those of the last step, whose squares are not summed up yet; None where no loss is
        revealed.
    total : arithmetic sharing, (1, 1), or None
        Sum of squared residuals since the last revealed loss.
    rows, batches : int
        How many rows and batches `total` is of.
    metrics : tuple of float
        Mean log-losses of the rows set apart, one an epoch.
    best : tuple of arithmetic sharings
        The learner's state after the best epoch so far; empty before the first.
    """

    step: int
    values: Values
    losses: tuple[float, ...] = ()
    residuals: Any = None
    total: Any = None
    rows: int = 0
    batches: int = 0
    metrics: tuple[float, ...] = ()
    best: Values = ()
