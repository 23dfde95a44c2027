"""Early stopping: the loss of rows set apart, computed on shares, and what follows from it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tacit.functions.activations import softplus
from tacit.functions.parts import as_part
from tacit.functions.perceptron import ROW_WEIGHT_BITS, mlp_forward
from tacit.ml.learners import Learner
from tacit.ml.learners.learner import Values
from tacit.ml.learners.perceptron import row_weights
from tacit.ml.plan import TrainingPlan
from tacit.models.scoring import layers_of
from tacit.protocols.interface import Party
from tacit.rounds.combine import together
from tacit.rounds.contract import Step

__all__ = ["Stopper", "summed_log_loss"]


class Stopper:
    """Decides after every epoch, from numbers that all parties know.

    Parameters
    ----------
    plan : TrainingPlan
    metrics : sequence of float
        Of the epochs before.

    Attributes
    ----------
    metrics : list of float
    """

    def __init__(self, plan: TrainingPlan, metrics: Sequence[float] = ()) -> None:
        self._plan = plan
        self.metrics: list[float] = []
        self._best, self._since = float("inf"), 0
        for metric in metrics:
            self.add(metric)

    def due(self, done: int) -> bool:
        """Whether an epoch has ended whose loss is not known."""
        plan = self._plan
        if plan.stopping is None or not any(map(len, plan.validation)):
            return False
        return len(self.metrics) < done // plan.steps_an_epoch

    def add(self, metric: float) -> bool:
        """Take an epoch's loss; whether it is the best so far."""
        assert self._plan.stopping is not None
        self.metrics.append(metric)
        if metric < self._best - self._plan.stopping.tolerance:
            self._best, self._since = metric, 0
            return True
        self._since += 1
        return False

    @property
    def over(self) -> bool:
        """Whether training ends here."""
        stopping = self._plan.stopping
        return stopping is not None and self._since >= stopping.patience


def summed_log_loss(
    party: Party, plan: TrainingPlan, learner: Learner, values: Values, x: Any, y: Any
) -> Step[Any]:
    """Σ w (log(1 + e^z) - y z) over rows, (1,), with the plan's fraction bits.

    Rounds: the forward pass, softplus and, with class weights, a product more. Error: that of
    softplus a row, 1.5e-4 at most. Nothing is revealed.
    """
    f = plan.fraction_bits
    parameters = yield from learner.parameters(party, values)
    z = yield from mlp_forward(
        party, x, layers_of(parameters), f, activation=plan.activation, output="identity"
    )
    z = z.reshape(z.shape[0])
    grown, product = yield from together(
        softplus(as_part(party), z, f), party.multiply_truncate(y, z, f)
    )
    losses = party.subtract(grown, product)
    if plan.class_weights is not None:
        weights = row_weights(party, plan, y)
        losses = yield from party.multiply_truncate(losses, weights, f + ROW_WEIGHT_BITS)
    return party.sum(losses, keepdims=True)
