"""Logistic regression over horizontally held rows: the protocol that all owners run together.

Rows stream: every batch is shared from its owners' disks when its turn comes, so that memory
does not grow with the data. While one batch trains, the next one is shared and standardised in
the same rounds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tacit.encoding.limits import Limits
from tacit.functions.inputs import checked_input, checked_labels, refusal
from tacit.functions.logistic import logistic_step
from tacit.ml.batches import batch_count, batches
from tacit.ml.standardization import INPUT_BITS, Standardization, standardize
from tacit.protocols.interface import Party
from tacit.rounds.combine import together
from tacit.rounds.contract import Step

__all__ = [
    "FEATURES",
    "OwnRows",
    "RowSubset",
    "TrainedModel",
    "TrainingPlan",
    "TrainingState",
    "encoded_features",
    "fold",
    "schedule",
    "train",
]

FEATURES: Limits = (-(1 << INPUT_BITS), 1 << INPUT_BITS)
"""What encoded features lie within."""


class OwnRows(Protocol):
    """An owner's own encoded rows, on its disk."""

    def take(self, indices: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
        """Features (n, d) scaled into [-1, 1], and labels (n,) 0 and 1, of these rows."""


class RowSubset:
    """Some of an owner's rows, numbered from 0: its training rows."""

    def __init__(self, rows: OwnRows, index: NDArray[np.int64]) -> None:
        self.rows = rows
        self.index = index

    def take(self, indices: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
        """Features and labels of these rows."""
        return self.rows.take(self.index[indices])


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
    learning_rate, decay : float
        Step size and L2 penalty of plain gradient descent.
    seed : int
        Orders the rows.
    fraction_bits : int
        Of the fixed-point numbers.
    loss_every : int
        Batches between two revealed loss values; 0 reveals none.
    loss_to : tuple of int
        Parties that learn them; all if none is named.
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

    @property
    def steps(self) -> int:
        """Minibatch steps in all."""
        return self.epochs * batch_count(self.rows, self.batch_size)


@dataclass(frozen=True, slots=True, repr=False)
class TrainedModel:
    """A party's part of the trained weights, and the losses revealed on the way.

    Attributes
    ----------
    weights : arithmetic sharing, (d + 1,)
        For standardised columns; the last is the intercept.
    losses : list of float
        Mean squared residuals, if their reveal was agreed.
    """

    weights: Any
    losses: list[float]


@dataclass(frozen=True, slots=True, repr=False)
class TrainingState:
    """A party's part of everything that training goes on from after a step.

    Attributes
    ----------
    step : int
        Finished steps.
    weights : arithmetic sharing, (d + 1,)
    losses : tuple of float
        Mean squared residuals revealed so far.
    residuals : arithmetic sharing, (n,), or None
        Those of the last step, whose squares are not summed up yet; None where no loss is
        revealed.
    total : arithmetic sharing, (1, 1), or None
        Sum of squared residuals since the last revealed loss.
    rows, batches : int
        How many rows and batches `total` is of.
    """

    step: int
    weights: Any
    losses: tuple[float, ...] = ()
    residuals: Any = None
    total: Any = None
    rows: int = 0
    batches: int = 0


def train(
    party: Party,
    plan: TrainingPlan,
    own: OwnRows | None,
    by: Standardization,
    on_step: Callable[[int], None] = lambda step: None,
    *,
    start: TrainingState | None = None,
    every: int = 0,
    keep: Callable[[TrainingState], Step[object]] | None = None,
) -> Step[TrainedModel]:
    """Train by minibatch gradient descent, from zero weights or from where a run ended.

    Parameters
    ----------
    party : Party
    plan : TrainingPlan
    own : OwnRows or None
        This party's rows; None at a party that holds no data.
    by : Standardization
    on_step : callable
        Told the number of finished steps.
    start : TrainingState, optional
        Where to go on, the same step at all parties.
    every : int
        Steps between two calls of `keep`; 0 for none.
    keep : callable, optional
        ``keep(state)`` is a step that seals a state.

    Notes
    -----
    Rounds a step: those of ``logistic_step`` (the next batch travels in the same rounds).
    Revealed: nothing, or with ``loss_every`` one number every so many batches. With exact
    rounding the weights are the same bits whether or not a run was cut short and went on.
    """
    state = start or TrainingState(0, party.public(np.zeros(plan.columns + 1, np.int64)))
    weights, residuals, done = state.weights, state.residuals, state.step
    losses = list(state.losses)
    squared = _SquaredResiduals(party, plan, state)
    coming = schedule(plan, done)
    current = next(coming, None)
    if current is not None:
        first = yield from _load(party, plan, own, by, current)
        assert first is not None
        x, y = first
    while current is not None:
        following = next(coming, None)
        step = logistic_step(
            party,
            x,
            y,
            weights,
            plan.fraction_bits,
            learning_rate=plan.learning_rate,
            decay=plan.decay,
        )
        # The next batch, and the loss of the last one, travel in this step's rounds.
        (weights, after), loaded, loss = yield from together(
            step, _load(party, plan, own, by, following), squared.add(residuals)
        )
        residuals = after
        losses.extend(loss)
        if loaded is not None:
            x, y = loaded
        done += 1
        on_step(done)
        if keep is not None and every and done % every == 0:
            yield from keep(squared.state(done, weights, losses, residuals))
        current = following
    losses.extend((yield from squared.add(residuals, last=True)))
    return TrainedModel(weights, losses)


def schedule(plan: TrainingPlan, done: int = 0) -> Iterator[tuple[NDArray[np.int64], ...]]:
    """The minibatches after the first `done` ones."""
    count = batch_count(plan.rows, plan.batch_size)
    for epoch in range(done // count if count else 0, plan.epochs):
        skipped = max(0, done - epoch * count)
        yield from islice(batches(plan.rows, plan.batch_size, epoch, plan.seed), skipped, None)


def _load(
    party: Party,
    plan: TrainingPlan,
    own: OwnRows | None,
    by: Standardization,
    batch: Sequence[NDArray[np.int64]] | None,
) -> Step[tuple[Any, Any] | None]:
    """Share one batch and standardise it: (n, d + 1) with a column of ones, and (n,) labels."""
    if batch is None:
        return None
    features = labels = None
    if own is not None:
        own_features, labels = own.take(batch[party.index])
        features = encoded_features(own_features)
    inputs = []
    for owner, rows in enumerate(batch):
        mine, count = owner == party.index, len(rows)
        shape = (count, plan.columns)
        inputs.append(checked_input(party, owner, features if mine else None, shape, FEATURES))
        inputs.append(checked_labels(party, owner, labels if mine else None, (count,)))
    shared = yield from together(*inputs)
    for owner, rows_of_owner in enumerate(shared[0::2]):
        if rows_of_owner is None:  # at all parties alike
            raise refusal(party.names[owner])
    x = party.concatenate(shared[0::2], 0)
    y = party.multiply_public(party.concatenate(shared[1::2], 0), 1 << plan.fraction_bits)
    x = yield from standardize(party, x, by)
    ones = party.public(np.full((x.shape[0], 1), 1 << plan.fraction_bits))
    return party.concatenate([x, ones], 1), y


def encoded_features(values: NDArray[Any]) -> NDArray[np.uint64]:
    """Features within [-1, 1] with :data:`~tacit.ml.standardization.INPUT_BITS` fraction bits."""
    scaled: NDArray[np.float64] = np.multiply(values, float(1 << INPUT_BITS), dtype=np.float64)
    return np.rint(scaled, out=scaled).astype(np.int64).view(np.uint64)


class _SquaredResiduals:
    """Sums squared residuals on shares and reveals the mean every so many batches."""

    def __init__(self, party: Party, plan: TrainingPlan, state: TrainingState) -> None:
        self.party = party
        self.plan = plan
        self.total: Any = state.total
        self.rows = state.rows
        self.batches = state.batches

    def state(
        self, done: int, weights: Any, losses: Sequence[float], residuals: Any
    ) -> TrainingState:
        """Where training is after `done` steps."""
        pending = residuals if self.plan.loss_every else None
        return TrainingState(
            done, weights, tuple(losses), pending, self.total, self.rows, self.batches
        )

    def add(self, residuals: Any, last: bool = False) -> Step[list[float]]:
        if not self.plan.loss_every or residuals is None:
            return []
        f = self.plan.fraction_bits
        count = residuals.shape[0]
        row, column = residuals.reshape(1, count), residuals.reshape(count, 1)
        square = yield from self.party.matmul_truncate(row, column, f)
        self.total = square if self.total is None else self.party.add(self.total, square)
        self.rows += count
        self.batches += 1
        if self.batches < self.plan.loss_every and not last:
            return []
        to = self.plan.loss_to or tuple(range(self.party.size))
        opened = yield from self.party.reveal(self.total, to)
        rows = self.rows
        self.total, self.rows, self.batches = None, 0, 0
        if opened is None:
            return []
        return [float(opened.view(np.int64)[0, 0]) / (1 << f) / rows]


def fold(
    party: Party, weights: Any, by: Standardization, fraction_bits: int
) -> Step[tuple[Any, Any]]:
    """Weights for standardised columns become weights for columns scaled into [-1, 1].

    w' = w · inverse deviation; b' = b - Σ w' mean. So the model can be revealed without the
    joint mean and deviation. 6 rounds; nothing is revealed.

    Returns
    -------
    weights : arithmetic sharing, (d,)
    intercept : arithmetic sharing, (1,)
        With `fraction_bits` fractional bits.
    """
    columns = weights.shape[0] - 1
    scaled = yield from party.multiply_truncate(
        weights[:columns], by.inverse_deviation, fraction_bits
    )
    product = yield from party.matmul_truncate(
        scaled.reshape(1, columns), by.mean.reshape(columns, 1), INPUT_BITS
    )
    return scaled, party.subtract(weights[columns:], product.reshape(1))
