"""Private gradient descent: each row's gradient clipped, the sum with noise, then SGD.

Source: Abadi, Chu, Goodfellow, McMahan, Mironov, Talwar, Zhang 2016 (DP-SGD). Everything after the
noise is post-processing: the learning rate, momentum, the L2 penalty, and the halving of weights
that have grown above the norm with which nothing can overflow (``functions/clipping.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tacit.errors import RangeError
from tacit.functions.clipping import ClippingPlan, clipped_sums, clipping_plan, weights_within
from tacit.functions.noise import GaussianPlan
from tacit.functions.optimization import public_factor
from tacit.functions.perceptron import Layer, mlp_derivatives
from tacit.ml.learners.learner import Values
from tacit.ml.learners.perceptron import PerceptronLearner
from tacit.ml.plan import TrainingPlan
from tacit.ml.privacy.accounting import noise_of
from tacit.protocols.interface import Party
from tacit.rounds.combine import together
from tacit.rounds.contract import Step

__all__ = ["PrivateLearner"]

PENALTY_BITS = 24
MOMENTUM_BITS = 16

LARGEST_WEIGHT = 1 << 12
"""No weight reaches it, whatever happens: then squares of weights cannot wrap."""


class PrivateLearner(PerceptronLearner):
    """A network with one logistic output, or logistic regression, for rows within [-1, 1].

    The state: weights and bias of every layer; with momentum as many velocities.
    """

    def __init__(self, plan: TrainingPlan) -> None:
        super().__init__(plan)
        assert plan.privacy is not None
        self._terms = plan.privacy
        self.clipping: ClippingPlan = clipping_plan(
            plan.widths, plan.privacy.clip, plan.privacy.examples, plan.fraction_bits
        )
        self.noise: GaussianPlan = noise_of(self.clipping, plan.privacy.noise_multiplier)

    def check(self) -> None:
        """Raises RangeError (TC-1327) for steps so long that weights could overflow."""
        plan, clipping = self._plan, self.clipping
        longest = max(plan.rate(number) for number in {0, plan.optimiser.warm_up})
        total = self._terms.examples * clipping.clip
        total += self.noise.bound / (1 << clipping.grid_bits)
        step = longest * total / plan.batch_size / (1.0 - plan.optimiser.momentum)
        # With the penalty, a step may take this part of the largest weight so far: with at most a
        # quarter no weight is larger than twice what the rows and the noise alone could make it.
        pull = longest * plan.decay / (1.0 - plan.optimiser.momentum)
        if 2.0 * step + clipping.weight_norm > LARGEST_WEIGHT / 2 or not pull <= 0.25:
            raise RangeError(
                f"A learning rate of {plan.learning_rate:g} is too large for private training"
                f"{f' with an L2 penalty of {plan.decay:g}' if plan.decay else ''}.",
                next_step="use a smaller learning rate or penalty, or a larger batch.",
                case=27,
                stage="privacy",
            )
        for number in {0, plan.optimiser.warm_up, max(0, plan.steps - 1)}:
            self._factor(number)

    def _factor(self, number: int) -> tuple[int, int]:
        """The learning rate over the expected batch, from the grid to f fractional bits."""
        plan = self._plan
        shift = plan.fraction_bits - self.clipping.grid_bits
        return public_factor(
            "private training", plan.rate(number) / plan.batch_size * 2.0**shift, 0
        )

    def private_step(
        self, party: Party, values: Values, x: Any, y: Any, taken: Any, noise: Any, number: int
    ) -> Step[Values]:
        """One step.

        Parameters
        ----------
        values : tuple of arithmetic sharings
        x, y : arithmetic sharing, (n, d) and (n,)
            Rows within [-1, 1], and labels 0 and 1, with the plan's fraction bits.
        taken : Boolean sharing, (n,)
            Which rows are real.
        noise : arithmetic sharing, (parameters,)
            Drawn for this step and used in no other.
        number : int

        Notes
        -----
        Rounds of `replicated3` besides forward and backward: about 27. Nothing is revealed.
        """
        plan, count = self._plan, len(self._plan.shapes)
        parameters, velocities = values[:count], values[count:]
        layers = [Layer(w, b) for w, b in zip(parameters[::2], parameters[1::2], strict=True)]
        within, (below, deltas) = yield from together(
            weights_within(party, parameters, self.clipping),
            mlp_derivatives(
                party,
                x,
                y.reshape(x.shape[0], 1),
                layers,
                plan.fraction_bits,
                activation=plan.activation,
                output="logistic",
            ),
        )
        total = yield from clipped_sums(party, below, deltas, taken, within, self.clipping)
        noisy = party.add(total, noise)
        return (yield from self._updated(party, parameters, velocities, noisy, within, number))

    def _updated(
        self,
        party: Party,
        parameters: Sequence[Any],
        velocities: Sequence[Any],
        noisy: Any,
        within: Any,
        number: int,
    ) -> Step[Values]:
        """Post-processing of the noisy sum: nothing here reads a row."""
        plan, momentum = self._plan, self._plan.optimiser.momentum
        weights = _flat(party, parameters)
        integer, bits = self._factor(number)
        moved = party.multiply_public(noisy, integer)
        steps = [_scaled(party, moved, bits), party.truncate(weights, 1)]
        if plan.decay:
            factor = round(plan.rate(number) * plan.decay * (1 << PENALTY_BITS))
            steps.append(party.truncate(party.multiply_public(weights, factor), PENALTY_BITS))
        if momentum:
            kept = party.multiply_public(
                _flat(party, velocities), round(momentum * (1 << MOMENTUM_BITS))
            )
            steps.append(party.truncate(kept, MOMENTUM_BITS))
        change, half, *rest = yield from together(*steps)
        for extra in rest:
            change = party.add(change, extra)
        # Weights above their norm are halved: then they come back below it.
        above = party.invert(within).map(lambda bit: bit.repeat(weights.size))
        lost = yield from party.inject(above, half)
        weights = party.subtract(party.subtract(weights, lost), change)
        shapes = plan.shapes
        found = _parted(weights, shapes)
        return (*found, *_parted(change, shapes)) if momentum else found


def _scaled(party: Party, x: Any, bits: int) -> Step[Any]:
    if not bits:
        yield from ()
        return x
    return (yield from party.truncate(x, bits))


def _flat(party: Party, arrays: Sequence[Any]) -> Any:
    return party.concatenate([array.reshape(array.size) for array in arrays], 0)


def _parted(flat: Any, shapes: Sequence[tuple[int, ...]]) -> tuple[Any, ...]:
    found, start = [], 0
    for shape in shapes:
        size = 1
        for length in shape:
            size *= length
        found.append(flat[start : start + size].reshape(*shape))
        start += size
    return tuple(found)
