"""What all owners agree on before a joint training: public, and part of what they compare."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice, pairwise
from math import cos, pi
from typing import Final, Literal, TypeAlias

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from tacit.functions.perceptron import Activation
from tacit.ml.batches import batch_count, batches
from tacit.ml.privacy.terms import PrivateTerms
from tacit.tables import public_generator

__all__ = [
    "DEFAULT_RATES",
    "PLAIN",
    "EarlyStopping",
    "ModelKind",
    "Optimiser",
    "Schedule",
    "TrainingPlan",
    "schedule",
]

ModelKind: TypeAlias = Literal["logistic", "mlp"]
Schedule: TypeAlias = Literal["constant", "linear", "cosine", "step"]
Rows: TypeAlias = NDArray[np.int64]

DEFAULT_RATES: Final[dict[tuple[ModelKind, str], float]] = {
    ("logistic", "sgd"): 0.5,
    ("logistic", "adam"): 0.01,
    ("mlp", "sgd"): 0.2,
    ("mlp", "adam"): 0.005,
}
"""Learning rates for standardised columns, by model and optimiser."""

LEAST_RATE = 0.01
"""What falling learning rates end with, as a fraction of where they began."""


class Optimiser(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How gradients move weights; all of it public.

    Attributes
    ----------
    solver : {"sgd", "adam"}
        Adam in its rescaled form (decision 0030).
    momentum, nesterov
        Of SGD.
    beta_1, beta_2, epsilon
        Of Adam.
    schedule : {"constant", "linear", "cosine", "step"}
        How the learning rate falls over the training, to 1 % of what it was; "step" multiplies it
        by `drop` every `drop_every` epochs.
    warm_up : int
        Steps in which it first rises from nothing.
    """

    solver: Literal["sgd", "adam"] = "sgd"
    momentum: float = 0.0
    nesterov: bool = False
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 2.0**-16
    schedule: Schedule = "constant"
    warm_up: int = 0
    drop: float = 0.1
    drop_every: int = 1

    @property
    def plain(self) -> bool:
        """Whether it is gradient descent and nothing more."""
        falls = self.schedule != "constant" or self.warm_up > 0
        return self.solver == "sgd" and self.momentum == 0.0 and not falls

    def factor(self, step: int, steps: int, steps_an_epoch: int) -> float:
        """What the learning rate is multiplied by in a step, counted from 0."""
        if step < self.warm_up:
            return (step + 1) / (self.warm_up + 1)
        if self.schedule == "step":
            return max(LEAST_RATE, self.drop ** (step // (steps_an_epoch * self.drop_every)))
        done = (step - self.warm_up) / max(1, steps - self.warm_up)
        if self.schedule == "linear":
            return max(LEAST_RATE, 1.0 - done)
        if self.schedule == "cosine":
            return max(LEAST_RATE, 0.5 * (1.0 + cos(pi * done)))
        return 1.0


class EarlyStopping(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When training ends before its last epoch.

    After every epoch the mean log-loss of rows set apart is computed on shares, and that number
    alone is revealed, to all parties, because all must know whether to go on. The weights of the
    best epoch are kept, as shares.

    Attributes
    ----------
    fraction : float
        Of each owner's training rows, set apart by the public seed.
    patience : int
        Epochs without a better loss after which training ends.
    tolerance : float
        By how much a loss must be smaller to be better.
    """

    fraction: float = 0.1
    patience: int = 2
    tolerance: float = 1e-4


PLAIN = Optimiser()
"""Gradient descent and nothing more."""


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """What all owners agree on before training; public.

    Attributes
    ----------
    rows : tuple of int
        Training rows of each owner. Owners are the first parties; another one holds no rows.
    columns : int
        Features after encoding.
    epochs, batch_size : int
    learning_rate : float
        Where it begins; see :class:`Optimiser`.
    decay : float
        L2 penalty λ: each row's loss gets λ / 2 ‖w‖² more. Weights of hidden layers and, in
        plain logistic regression alone, the intercept included.
    seed : int
        Orders the rows, draws initial weights and dropped units, sets validation rows apart.
    fraction_bits : int
        Of the fixed-point numbers.
    loss_every : int
        Batches between two revealed loss values; 0 reveals none.
    loss_to : tuple of int
        Parties that learn them; all if none is named.
    kind : {"logistic", "mlp"}
    hidden : tuple of int
        Units of hidden layers.
    activation : {"relu", "logistic", "tanh", "identity"}
    optimiser : Optimiser
    dropout : float
        Fraction of hidden units dropped in each row of a step, by public draws.
    class_weights : (float, float), optional
        Public weights of rows with label 0 and 1.
    stopping : EarlyStopping, optional
    parts : tuple of int
        For owners with different columns of the same rows: how many columns each has. Then `rows`
        has one entry, their common number, as if one owner had them all. Empty for owners with
        the same columns.
    order : tuple of int
        For each column of the model its place among the owners' columns, owner by owner.
    label_owner : int
        Who has the labels, where owners have different columns.
    privacy : PrivateTerms, optional
        Of differentially private training, where batches are secret samples.
    """

    rows: tuple[int, ...]
    columns: int
    epochs: int
    batch_size: int
    learning_rate: float
    decay: float = 0.0
    seed: int = 0
    fraction_bits: int = 18
    loss_every: int = 0
    loss_to: tuple[int, ...] = ()
    kind: ModelKind = "logistic"
    hidden: tuple[int, ...] = ()
    activation: Activation = "relu"
    optimiser: Optimiser = PLAIN
    dropout: float = 0.0
    class_weights: tuple[float, float] | None = None
    stopping: EarlyStopping | None = None
    parts: tuple[int, ...] = ()
    order: tuple[int, ...] = ()
    label_owner: int = 0
    privacy: PrivateTerms | None = None

    @property
    def widths(self) -> tuple[int, ...]:
        """Features, units of each hidden layer, 1."""
        return (self.columns, *self.hidden, 1)

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Of the model's parameters: weights and bias of every layer."""
        return tuple(s for a, b in pairwise(self.widths) for s in ((a, b), (b,)))

    @property
    def fit_rows(self) -> tuple[int, ...]:
        """Rows of each owner that steps are made from: without those set apart."""
        return tuple(
            count - len(apart) for count, apart in zip(self.rows, self.validation, strict=True)
        )

    @property
    def validation(self) -> tuple[Rows, ...]:
        """The rows of each owner that are set apart, sorted."""
        return tuple(apart for _, apart in self._parts())

    def _parts(self) -> list[tuple[Rows, Rows]]:
        fraction = 0.0 if self.stopping is None else self.stopping.fraction
        return [_parted(n, fraction, self.seed, owner) for owner, n in enumerate(self.rows)]

    @property
    def steps_an_epoch(self) -> int:
        """Minibatch steps an epoch."""
        return batch_count(self.fit_rows, self.batch_size)

    @property
    def steps(self) -> int:
        """Minibatch steps in all, if training does not end early."""
        return self.epochs * self.steps_an_epoch

    def rate(self, step: int) -> float:
        """The learning rate of a step, counted from 0."""
        return self.learning_rate * self.optimiser.factor(step, self.steps, self.steps_an_epoch)


@lru_cache(maxsize=16)
def _parted(count: int, fraction: float, seed: int, owner: int) -> tuple[Rows, Rows]:
    """An owner's rows to train on, and those set apart."""
    apart = min(max(1, round(count * fraction)), count - 1)  # at least one on each side
    if not fraction or count < 2:
        return np.arange(count), np.arange(0)
    order = public_generator("validation", seed, str(owner)).permutation(count)
    return np.sort(order[apart:]), np.sort(order[:apart])


def schedule(plan: TrainingPlan, done: int = 0) -> Iterator[tuple[Rows, ...]]:
    """The minibatches after the first `done` ones: row numbers of each owner."""
    count, counts = plan.steps_an_epoch, plan.fit_rows
    train = [rows for rows, _ in plan._parts()]
    for epoch in range(done // count if count else 0, plan.epochs):
        skipped = max(0, done - epoch * count)
        found = batches(counts, plan.batch_size, epoch, plan.seed)
        for batch in islice(found, skipped, None):
            if plan.stopping is None:
                yield batch
            else:
                yield tuple(own[index] for own, index in zip(train, batch, strict=True))


def validation_chunks(plan: TrainingPlan, size: int = 4_096) -> Iterator[tuple[Rows, ...]]:
    """The rows set apart, in chunks of about `size`: row numbers of each owner."""
    apart: Sequence[Rows] = plan.validation
    pieces = max(1, -(-sum(map(len, apart)) // size))
    for piece in range(pieces):
        yield tuple(np.array_split(rows, pieces)[piece] for rows in apart)
