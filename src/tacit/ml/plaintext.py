"""The same training in the clear: what an owner does alone, and what joint results compare to.

Same initial weights, batches, order, dropped units, step sizes, stopping and standardisation as
``training.py``, in float64 with exact functions. What is compared to private training has no noise
and standardised columns, for which the long steps of private training are too long.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tacit.functions.logistic import STEP_BITS, quantized_rate
from tacit.functions.optimization import Adam, Sgd
from tacit.functions.perceptron import ROW_WEIGHT_BITS
from tacit.ml.clear_preparation import ClearPreparation
from tacit.ml.learners import learner_of
from tacit.ml.learners.logistic import LogisticLearner
from tacit.ml.learners.perceptron import class_factors, dropped, glorot, rule_of
from tacit.ml.plan import DEFAULT_RATES, TrainingPlan, schedule, validation_chunks
from tacit.ml.preparing import folds_of
from tacit.ml.standardization import DEVIATION_FLOOR_BITS
from tacit.ml.stopping import Stopper
from tacit.ml.training import OwnRows
from tacit.models.clear import activated, sigmoid
from tacit.tables import Moments

__all__ = ["pooled_moments", "train_alone", "train_plaintext"]

Floats = NDArray[np.float64]


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
    start: Sequence[Floats] | None = None,
    preparation: ClearPreparation | None = None,
) -> list[Floats]:
    """Train on all owners' rows in the clear, step by step as the joint training does.

    Parameters
    ----------
    preparation : ClearPreparation, optional
        Where rows are clipped or target-encoded, in place of `mean` and `inverse`.
    start : sequence of ndarray, optional
        Parameters for scaled columns to start from.

    Returns
    -------
    list of ndarray
        Weights and biases for columns scaled into [-1, 1].
    """
    plan = _in_the_clear(plan)
    network = _Network.of(plan, start, mean, inverse)
    stopper, best = Stopper(plan), list(network.parameters)

    def load(batch: Sequence[NDArray[np.int64]]) -> tuple[Floats, Floats]:
        parts = [own.take(index) for own, index in zip(owners, batch, strict=True)]
        features = np.concatenate([part[0] for part in parts])
        labels = np.concatenate([part[1] for part in parts])
        targets = labels.astype(np.float64)
        if preparation is not None:
            folds = np.concatenate([folds_of(index) for index in batch])
            return preparation.rows(features, folds), targets
        return (features - mean) * inverse, targets

    for done, batch in enumerate(schedule(plan), start=1):
        network.step(*load(batch), done - 1)
        on_step(done)
        if stopper.due(done):
            total = sum(network.log_loss(*load(chunk)) for chunk in validation_chunks(plan))
            if stopper.add(total / sum(map(len, plan.validation))):
                best = list(network.parameters)
            if stopper.over:
                break
    network.parameters = best if plan.stopping is not None else network.parameters
    if preparation is not None:
        return preparation.expanded(network.model)
    weights, bias, *above = network.model
    scaled = weights * inverse[:, None]
    return [scaled, bias - mean @ scaled, *above]


def _in_the_clear(plan: TrainingPlan) -> TrainingPlan:
    if plan.privacy is None:
        return plan
    usual = DEFAULT_RATES[plan.kind, plan.optimiser.solver]
    return replace(plan, privacy=None, learning_rate=min(plan.learning_rate, usual))


def train_alone(
    plan: TrainingPlan,
    own: OwnRows,
    moments: Moments,
    mask: NDArray[np.bool_],
    on_step: Callable[[int], None] = lambda done: None,
    start: Sequence[Floats] | None = None,
    preparation: ClearPreparation | None = None,
) -> list[Floats]:
    """What one owner gets from its own rows, with the same settings."""
    if preparation is None:
        mean, inverse = pooled_moments([moments], mask)
    else:
        mean, inverse = preparation.mean, preparation.inverse
    alone = replace(plan, rows=(moments.count,))
    return train_plaintext(alone, [own], mean, inverse, on_step, start, preparation)


@dataclass(slots=True)
class _Network:
    """Parameters for standardised columns, and the optimiser's state.

    The arrays are replaced, never changed.
    """

    plan: TrainingPlan
    parameters: list[Floats]
    slots: list[list[Floats]] = field(default_factory=list)

    @staticmethod
    def of(
        plan: TrainingPlan, start: Sequence[Floats] | None, mean: Floats, inverse: Floats
    ) -> _Network:
        parameters = glorot(plan)
        if start is not None:
            scaled, bias, *above = start
            kept = 1.0 - plan.dropout
            above = [a if place % 2 else a / kept for place, a in enumerate(above)]
            parameters = [scaled / inverse[:, None], bias + mean @ scaled, *above]
        zeros = [np.zeros(shape) for shape in plan.shapes]
        return _Network(plan, parameters, [list(zeros), list(zeros)])

    @property
    def model(self) -> list[Floats]:
        """Parameters as they are used after training: less of what dropout kept too much."""
        found, kept = list(self.parameters), 1.0 - self.plan.dropout
        found[2::2] = [weights * kept for weights in found[2::2]]
        return found

    def log_loss(self, x: Floats, y: Floats) -> float:
        """The summed weighted log-loss of standardised rows."""
        z = self._forward(self.model, x)[-1][:, 0]
        return float(((np.logaddexp(0.0, z) - y * z) * self._row_weights(y)).sum())

    def _row_weights(self, y: Floats) -> Floats:
        zero, one = (weight / (1 << ROW_WEIGHT_BITS) for weight in class_factors(self.plan))
        return zero + y * (one - zero)

    def _forward(
        self, parameters: Sequence[Floats], x: Floats, masks: Sequence[Any] = ()
    ) -> list[Floats]:
        """The activations of every layer; of the last one the sums."""
        values, last = [x], len(parameters) // 2 - 1
        for place in range(last + 1):
            z = values[-1] @ parameters[2 * place] + parameters[2 * place + 1]
            if place < last:
                z = activated(self.plan.activation, z)
                z = z * masks[place] if masks else z
            values.append(z)
        return values

    def step(self, x: Floats, y: Floats, number: int) -> None:
        """One minibatch."""
        plan, rows = self.plan, len(x)
        masks = dropped(plan, number, rows)
        values = self._forward(self.parameters, x, masks)
        delta = (sigmoid(values[-1][:, 0]) - y)[:, None] * self._row_weights(y)[:, None]
        gradients: list[Floats] = []
        for place in range(len(self.parameters) - 2, -1, -2):
            below = values[place // 2]
            gradients[:0] = [below.T @ delta, delta.sum(axis=0)]
            if place:
                delta = (delta @ self.parameters[place].T) * self._slope(below)
                delta = delta * masks[place // 2 - 1] if masks else delta
        self._move(gradients, rows, number)

    def _slope(self, a: Floats) -> Any:
        activation = self.plan.activation
        if activation == "relu":
            return a > 0
        if activation == "identity":
            return 1.0
        return 1.0 - a * a if activation == "tanh" else a * (1.0 - a)

    def _move(self, gradients: Sequence[Floats], rows: int, number: int) -> None:
        plan = self.plan
        if isinstance(learner_of(plan), LogisticLearner):
            # Its penalty covers the intercept too.
            rate = quantized_rate(plan.learning_rate, rows) / (1 << STEP_BITS)
            shrink = plan.learning_rate * plan.decay
            self.parameters = [
                w - rate * g - shrink * w for w, g in zip(self.parameters, gradients, strict=True)
            ]
            return
        rule = rule_of(plan, number, rows)
        factor, bits = rule.factors(rows, plan.fraction_bits)
        sums = [
            g + (rule.alpha * w if place % 2 == 0 else 0.0)
            for place, (w, g) in enumerate(zip(self.parameters, gradients, strict=True))
        ]
        steps = [total * (factor / 2.0**bits) for total in sums]
        if isinstance(rule, Sgd):
            self._descend(rule, steps)
        else:
            self._adapt(rule, steps)

    def _descend(self, rule: Sgd, steps: Sequence[Floats]) -> None:
        old = self.slots[0]
        new = [rule.momentum * v - s for v, s in zip(old, steps, strict=True)]
        moves = new
        if rule.momentum and rule.nesterov:
            moves = [rule.momentum * v - s for v, s in zip(new, steps, strict=True)]
        self.parameters = [w + m for w, m in zip(self.parameters, moves, strict=True)]
        self.slots[0] = new

    def _adapt(self, rule: Adam, steps: Sequence[Floats]) -> None:
        a = (1 - rule.beta_1) / (1 - rule.beta_1**rule.step)
        b = (1 - rule.beta_2) / (1 - rule.beta_2**rule.step)
        means = [m + a * (u - m) for m, u in zip(self.slots[0], steps, strict=True)]
        squares = [v + b * (u * u - v) for v, u in zip(self.slots[1], steps, strict=True)]
        self.parameters = [
            w - rule.learning_rate * m / np.sqrt(v + 2.0**-16)
            for w, m, v in zip(self.parameters, means, squares, strict=True)
        ]
        self.slots = [means, squares]
