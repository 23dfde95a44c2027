"""Training over horizontally held rows: the protocol that all owners run together.

Rows stream: every batch is shared from its owners' disks when its turn comes, so that memory
does not grow with the data. While one batch trains, the next one is shared and standardised in
the same rounds. What a batch teaches is the learner's affair (``ml/learners``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tacit.encoding.limits import Limits
from tacit.functions.inputs import checked_input, checked_labels, refusal
from tacit.ml.learners import Learner, learner_of
from tacit.ml.learners.learner import Values
from tacit.ml.losses import SquaredResiduals
from tacit.ml.plan import TrainingPlan, schedule, validation_chunks
from tacit.ml.preparing import RowPreparer
from tacit.ml.standardization import INPUT_BITS, Standardization, standardize
from tacit.ml.state import TrainedModel, TrainingState
from tacit.ml.stopping import Stopper, summed_log_loss
from tacit.protocols.interface import Party
from tacit.rounds.combine import together
from tacit.rounds.contract import Step

__all__ = ["FEATURES", "OwnRows", "RowSubset", "TrainingPlan", "encoded_features", "train"]

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


def train(
    party: Party,
    plan: TrainingPlan,
    own: OwnRows | None,
    by: Standardization | RowPreparer,
    on_step: Callable[[int], None] = lambda step: None,
    *,
    start: TrainingState | None = None,
    every: int = 0,
    keep: Callable[[TrainingState], Step[object]] | None = None,
    told: Callable[[str], None] = lambda text: None,
) -> Step[TrainedModel]:
    """Train by minibatch steps, from the initial weights or from where a run ended.

    Parameters
    ----------
    party : Party
    plan : TrainingPlan
    own : OwnRows or None
        This party's rows; None at a party that holds no data.
    by : Standardization or RowPreparer
        What happens to shared rows.
    on_step : callable
        Told the number of finished steps.
    start : TrainingState, optional
        Where to go on, the same step at all parties.
    every : int
        Steps between two calls of `keep`; 0 for none.
    keep : callable, optional
        ``keep(state)`` is a step that seals a state.
    told : callable, optional
        Told what was revealed to this party, in words.

    Notes
    -----
    Rounds a step: the learner's (the next batch travels in the same rounds). Revealed: nothing;
    with ``loss_every`` one number every so many batches; with ``stopping`` one an epoch. With
    exact rounding the weights are the same bits whether or not a run was cut short and went on.
    """
    learner = learner_of(plan)
    state = start or TrainingState(0, learner.initial(party))
    values, residuals, done, best = state.values, state.residuals, state.step, state.best
    losses, stopper = list(state.losses), Stopper(plan, state.metrics)
    squares = SquaredResiduals(party, plan, state.total, state.rows, state.batches)
    coming = schedule(plan, done)
    current = None if stopper.over else next(coming, None)
    loaded = yield from _load(party, plan, own, by, current)
    while True:
        if stopper.due(done):
            metric = yield from _validated(party, plan, learner, values, own, by)
            told(f"validation loss {metric:.4f}")
            if stopper.add(metric):
                best = values
            if stopper.over:
                break
        if loaded is None:
            break
        following = next(coming, None)
        step = learner.step(party, values, *loaded, done)
        # The next batch, and the loss of the last one, travel in this step's rounds.
        (values, after), loaded, loss = yield from together(
            step, _load(party, plan, own, by, following), squares.add(residuals)
        )
        residuals = after
        losses.extend(loss)
        if loss:
            told(f"loss {loss[-1]:.4f}")
        done += 1
        on_step(done)
        if keep is not None and every and done % every == 0:
            yield from keep(
                TrainingState(
                    done,
                    values,
                    tuple(losses),
                    residuals if plan.loss_every else None,
                    squares.total,
                    squares.rows,
                    squares.batches,
                    tuple(stopper.metrics),
                    best,
                )
            )
    losses.extend((yield from squares.add(residuals, last=True)))
    parameters = yield from learner.parameters(party, best or values)
    return TrainedModel(parameters, losses, stopper.metrics, done)


def _validated(
    party: Party,
    plan: TrainingPlan,
    learner: Learner,
    values: Values,
    own: OwnRows | None,
    by: Standardization | RowPreparer,
) -> Step[float]:
    """The mean log-loss of the rows set apart, opened to all parties."""
    total = None
    for chunk in validation_chunks(plan):
        loaded = yield from _load(party, plan, own, by, chunk)
        assert loaded is not None
        part = yield from summed_log_loss(party, plan, learner, values, *loaded)
        total = part if total is None else party.add(total, part)
    opened = yield from party.reveal(total, tuple(range(party.size)))
    assert opened is not None
    rows = sum(map(len, plan.validation))
    return float(opened.view(np.int64)[0]) / (1 << plan.fraction_bits) / rows


def _load(
    party: Party,
    plan: TrainingPlan,
    own: OwnRows | None,
    by: Standardization | RowPreparer,
    batch: Sequence[NDArray[np.int64]] | None,
) -> Step[tuple[Any, Any] | None]:
    """Share one batch and prepare it: (n, d), and (n,) labels."""
    if batch is None:
        return None
    if plan.parts:
        x, labels = yield from shared_columns(party, plan, own, batch)
    else:
        width = by.shared_width if isinstance(by, RowPreparer) else plan.columns
        x, labels = yield from _shared_rows(party, own, batch, width)
    y = party.multiply_public(labels, 1 << plan.fraction_bits)
    if isinstance(by, RowPreparer):
        return (yield from by.rows(party, x, batch)), y
    return (yield from standardize(party, x, by)), y


def _shared_rows(
    party: Party, own: OwnRows | None, batch: Sequence[NDArray[np.int64]], width: int
) -> Step[tuple[Any, Any]]:
    """Rows of several owners below each other: (n, d), and labels (n,) 0 and 1."""
    features = labels = None
    if own is not None:
        own_features, labels = own.take(batch[party.index])
        features = encoded_features(own_features)
    inputs = []
    for owner, rows in enumerate(batch):
        mine, count = owner == party.index, len(rows)
        shape = (count, width)
        inputs.append(checked_input(party, owner, features if mine else None, shape, FEATURES))
        inputs.append(checked_labels(party, owner, labels if mine else None, (count,)))
    shared = yield from together(*inputs)
    for owner, rows_of_owner in enumerate(shared[0::2]):
        if rows_of_owner is None:  # at all parties alike
            raise refusal(party.names[owner])
    return party.concatenate(shared[0::2], 0), party.concatenate(shared[1::2], 0)


def shared_columns(
    party: Party, plan: TrainingPlan, own: OwnRows | None, batch: Sequence[NDArray[np.int64]]
) -> Step[tuple[Any, Any]]:
    """Columns of several owners beside each other: (n, d), and the labels of one of them.

    Cost: as of the same rows of one owner.
    """
    (rows,) = batch
    features = labels = None
    if own is not None:
        own_features, labels = own.take(rows)
        features = encoded_features(own_features)
    holders = [owner for owner, width in enumerate(plan.parts) if width]
    inputs = [
        checked_input(
            party,
            owner,
            features if owner == party.index else None,
            (len(rows), plan.parts[owner]),
            FEATURES,
        )
        for owner in holders
    ]
    has_labels = party.index == plan.label_owner
    truth = checked_labels(party, plan.label_owner, labels if has_labels else None, (len(rows),))
    *shared, y = yield from together(*inputs, truth)
    for owner, columns in zip(holders, shared, strict=True):
        if columns is None:  # at all parties alike
            raise refusal(party.names[owner])
    return party.concatenate(shared, 1)[:, np.array(plan.order)], y


def encoded_features(values: NDArray[Any]) -> NDArray[np.uint64]:
    """Features within [-1, 1] with :data:`~tacit.ml.standardization.INPUT_BITS` fraction bits."""
    scaled: NDArray[np.float64] = np.multiply(values, float(1 << INPUT_BITS), dtype=np.float64)
    return np.rint(scaled, out=scaled).astype(np.int64).view(np.uint64)
