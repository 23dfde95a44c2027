"""Logistic regression by plain gradient descent: one array of weights, the intercept last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tacit.functions.logistic import logistic_step, quantized_rate
from tacit.ml.learners.learner import Values
from tacit.ml.plan import TrainingPlan
from tacit.protocols.interface import Party
from tacit.rounds.contract import Step

__all__ = ["LogisticLearner"]


class LogisticLearner:
    """Weights (d + 1,), from zero; see ``functions/logistic.py``.

    Rounds a step: 6 and the sigmoid's. Nothing is revealed.
    """

    def __init__(self, plan: TrainingPlan) -> None:
        self._plan = plan

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """One array."""
        return ((self._plan.columns + 1,),)

    def check(self) -> None:
        """Raises RangeError (TC-1312) for a learning rate that is too small."""
        quantized_rate(self._plan.learning_rate, min(self._plan.batch_size, 1 << 20))

    def initial(self, party: Party) -> Values:
        """Zeros."""
        return (party.public(np.zeros(self._plan.columns + 1, np.int64)),)

    def begun(self, party: Party, parameters: Sequence[Any]) -> Step[Values]:
        """Weights and bias in one array."""
        yield from ()
        weights, bias = parameters
        return (party.concatenate([weights.reshape(self._plan.columns), bias], 0),)

    def step(
        self, party: Party, values: Values, x: Any, y: Any, number: int
    ) -> Step[tuple[Values, Any]]:
        """One minibatch of gradient descent."""
        plan = self._plan
        ones = party.public(np.full((x.shape[0], 1), 1 << plan.fraction_bits))
        weights, residuals = yield from logistic_step(
            party,
            party.concatenate([x, ones], 1),
            y,
            values[0],
            plan.fraction_bits,
            learning_rate=plan.learning_rate,
            decay=plan.decay,
        )
        return (weights,), residuals

    def parameters(self, party: Party, values: Values) -> Step[list[Any]]:
        """Weights (d, 1) and bias (1,). Local."""
        yield from ()
        (weights,), columns = values, self._plan.columns
        return [weights[:columns].reshape(columns, 1), weights[columns:]]
