"""Perceptrons, with SGD, momentum or Adam, schedules, class weights and dropout.

The order of the state: weights and bias of every layer; then the same again for each slot of the
update rule (velocities; Adam's two means).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tacit.functions.optimization import Adam, Rule, Sgd
from tacit.functions.perceptron import ROW_WEIGHT_BITS, Layer, class_row_weights, mlp_update
from tacit.ml.learners.learner import Values
from tacit.ml.plan import TrainingPlan
from tacit.protocols.interface import Party
from tacit.rounds.combine import together
from tacit.rounds.contract import Step
from tacit.tables import public_generator

__all__ = ["PerceptronLearner", "class_factors", "dropped", "glorot", "row_weights", "rule_of"]

KEEP_BITS = 16
"""Fractional bits of the fraction of units that dropout keeps."""


class PerceptronLearner:
    """A network with one logistic output; see ``functions/perceptron.py``. Nothing is revealed."""

    def __init__(self, plan: TrainingPlan) -> None:
        self._plan = plan
        self._slots = rule_of(plan, 0, plan.batch_size).slots

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Of parameters, then of the optimiser's state."""
        return self._plan.shapes * (1 + self._slots)

    def check(self) -> None:
        """Raises RangeError (TC-1380) for a rate that a step cannot hold."""
        plan = self._plan
        last = sum(plan.fit_rows) % plan.batch_size or plan.batch_size
        for number in {0, plan.optimiser.warm_up, max(0, plan.steps - 1)}:
            for rows in {min(plan.batch_size, sum(plan.fit_rows)), last}:
                rule_of(plan, number, rows).factors(rows, plan.fraction_bits)

    def initial(self, party: Party) -> Values:
        """Glorot's uniform weights from the public seed; zeros without hidden layers."""
        one = float(1 << self._plan.fraction_bits)
        encoded = [np.rint(array * one).astype(np.int64) for array in glorot(self._plan)]
        return self._with_slots(party, [party.public(array) for array in encoded])

    def begun(self, party: Party, parameters: Sequence[Any]) -> Step[Values]:
        """Parameters, with weights above dropped units as they are during training."""
        scaled = yield from self._scaled(party, parameters, 1.0 / (1.0 - self._plan.dropout))
        return self._with_slots(party, scaled)

    def _with_slots(self, party: Party, parameters: Sequence[Any]) -> Values:
        zeros = [
            party.public(np.zeros(shape, np.int64)) for shape in self._plan.shapes * self._slots
        ]
        return (*parameters, *zeros)

    def step(
        self, party: Party, values: Values, x: Any, y: Any, number: int
    ) -> Step[tuple[Values, Any]]:
        """One minibatch."""
        plan, rows = self._plan, x.shape[0]
        count = len(plan.shapes)
        groups = [_layers(values[start : start + count]) for start in range(0, len(values), count)]
        places = range(count // 2)
        weights = None if plan.class_weights is None else row_weights(party, plan, y)
        updated, residuals = yield from mlp_update(
            party,
            x,
            y.reshape(rows, 1),
            groups[0],
            [[(g[at].weights, g[at].bias) for g in groups[1:]] for at in places],
            plan.fraction_bits,
            activation=plan.activation,
            output="logistic",
            rule=rule_of(plan, number, rows),
            row_weights=weights,
            masks=dropped(plan, number, rows),
        )
        slots = range(1 + self._slots)
        flat = tuple(share for slot in slots for layer in updated for share in layer[slot])
        return flat, residuals.reshape(rows)

    def parameters(self, party: Party, values: Values) -> Step[list[Any]]:
        """The first arrays; with dropout, weights above dropped units times what was kept."""
        parameters = values[: len(self._plan.shapes)]
        return (yield from self._scaled(party, parameters, 1.0 - self._plan.dropout))

    def _scaled(self, party: Party, parameters: Sequence[Any], factor: float) -> Step[list[Any]]:
        if not self._plan.dropout:
            return list(parameters)
        above = list(parameters[2::2])
        integer = round(factor * (1 << KEEP_BITS))
        scaled = yield from together(
            *(party.truncate(party.multiply_public(w, integer), KEEP_BITS) for w in above)
        )
        found = list(parameters)
        found[2::2] = scaled
        return found


def _layers(values: Sequence[Any]) -> list[Layer]:
    return [Layer(w, b) for w, b in zip(values[::2], values[1::2], strict=True)]


def rule_of(plan: TrainingPlan, number: int, rows: int) -> Rule:
    """The update rule of a step, counted from 0, on so many rows.

    The penalty of ``functions/optimization.py`` is alpha / (2 n) ‖W‖².
    """
    how, rate, alpha = plan.optimiser, plan.rate(number), plan.decay * rows
    largest = max(1.0, *(plan.class_weights or (1.0,)))
    if how.solver == "sgd":
        return Sgd(rate, alpha, how.momentum, how.nesterov, largest)
    return Adam(rate, alpha, how.beta_1, how.beta_2, how.epsilon, number + 1, largest)


def glorot(plan: TrainingPlan) -> list[NDArray[np.float64]]:
    """Initial weights and biases as scikit-learn draws them (Glorot, Bengio 2010); public.

    Logistic regression begins with zeros.
    """
    if not plan.hidden:
        return [np.zeros(shape) for shape in plan.shapes]
    draw = public_generator("initial weights", plan.seed)
    factor = 2.0 if plan.activation == "logistic" else 6.0
    found = []
    for inputs, outputs in pairwise(plan.widths):
        bound = np.sqrt(factor / (inputs + outputs))
        found.append(draw.uniform(-bound, bound, (inputs, outputs)))
        found.append(draw.uniform(-bound, bound, outputs))
    return found


def dropped(plan: TrainingPlan, number: int, rows: int) -> list[NDArray[np.int64]]:
    """Which hidden units take part in a step, for each row: public draws."""
    if not plan.dropout:
        return []
    draw = public_generator("dropout", plan.seed, str(number))
    return [(draw.random((rows, h)) >= plan.dropout).astype(np.int64) for h in plan.hidden]


def row_weights(party: Party, plan: TrainingPlan, y: Any) -> Any:
    """Public class weights by secret labels, (n,). Local.

    w_0 + y (w_1 - w_0), with :data:`~tacit.functions.perceptron.ROW_WEIGHT_BITS` fractional bits
    more than y has.
    """
    column = y.reshape(y.shape[0], 1)
    return class_row_weights(party, column, class_factors(plan), plan.fraction_bits)


def class_factors(plan: TrainingPlan) -> tuple[int, int]:
    """The weights of both classes as integers of ROW_WEIGHT_BITS fractional bits."""
    zero, one = plan.class_weights or (1.0, 1.0)
    return round(zero * (1 << ROW_WEIGHT_BITS)), round(one * (1 << ROW_WEIGHT_BITS))
