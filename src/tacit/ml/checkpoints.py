"""Checkpoints: what training goes on from after a crash, sealed on every party's own disk.

Two generations are kept, and one is replaced only when all parties have the next, so a crash at
any moment leaves one that all have (``storage/agreement.py``, decision 0048). Going on refreshes
the shares. A resumed run has a session of its own, so no mask comes again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TypeVar

import msgspec
from msgspec import Struct

from tacit.arrays import SecretArray
from tacit.encoding.digest import tagged_hash
from tacit.encoding.types import fixed_point
from tacit.errors import UsageError
from tacit.ml.plan import TrainingPlan
from tacit.ml.preparing import Prepared
from tacit.ml.standardization import INPUT_BITS, Standardization
from tacit.ml.state import TrainingState
from tacit.ml.target_encoding import CODE_BITS
from tacit.operations.types import SecretValue
from tacit.rounds.contract import Step
from tacit.sessions.storage_steps import (
    Draft,
    Keeper,
    delete_step,
    record_of,
    resume_step,
    save_step,
)
from tacit.storage.records import Header

__all__ = [
    "GENERATIONS",
    "TRAINING",
    "FitCheckpoints",
    "Progress",
    "arrays_named",
    "forget_training",
    "job_digest",
    "named",
    "progress_of",
    "resume_training",
    "save_training",
]

T = TypeVar("T")

GENERATIONS = 2
"""How many checkpoints stay."""

TRAINING = "training"
"""The name of the checkpoints of a joint training."""


class Progress(Struct, frozen=True):
    """What is public about a checkpoint.

    Attributes
    ----------
    job : bytes
        Digest of what must be the same for going on.
    step : int
        Finished steps.
    counter : int
        The optimiser's own count.
    losses : tuple of float
        Losses that were revealed to all.
    rows, batches : int
        See :class:`~tacit.ml.training.TrainingState`.
    loss_rows : tuple of int
        Where revealed losses are stored as shares: how many rows each is of.
    metrics : tuple of float
        Losses of rows set apart, one an epoch, which all parties learned.
    """

    job: bytes
    step: int
    counter: int = 0
    losses: tuple[float, ...] = ()
    rows: int = 0
    batches: int = 0
    loss_rows: tuple[int, ...] = ()
    metrics: tuple[float, ...] = ()


def progress_of(header: Header, job: bytes) -> Progress:
    """What a checkpoint says of itself.

    Raises
    ------
    UsageError
        It belongs to another job (TC-1078).
    """
    try:
        found = msgspec.msgpack.decode(header.public, type=Progress)
    except msgspec.DecodeError:
        found = Progress(b"", 0)
    if found.job != job:
        raise UsageError(
            f"The checkpoint {header.name!r} is of another job: other data, parameters or model.",
            next_step="resume with the same files and options, or start anew without resuming.",
            case=78,
            stage="storage",
        )
    return found


# Of fit functions.


class FitCheckpoints:
    """The checkpoints of one call of a fit function.

    Parameters
    ----------
    like : SecretArray
        An array of the session.
    name : str or None
        What the checkpoints are called; None for none.
    every : int
        Steps between two.
    resume : bool
        Whether to go on from the newest that all parties have, if there is one.
    job : sequence of object
        Public facts that must be the same for going on: class, parameters, shapes.

    Raises
    ------
    UsageError
        `every` is not positive, or `resume` has no name (TC-1079).
    """

    def __init__(
        self, like: SecretArray, name: str | None, every: int, resume: bool, job: Sequence[object]
    ) -> None:
        if every < 1 or (resume and name is None):
            raise UsageError(
                "Checkpoints need a name, and at least one step between two.",
                next_step='call for instance fit(X, y, checkpoint="model", every=100).',
                case=79,
                stage="fit",
            )
        self._session = like.session
        self._name = name
        self._every = every
        self._job = tagged_hash("fit", *(repr(fact).encode() for fact in job))
        self.step = 0
        self.counter = 0
        self.metrics: tuple[float, ...] = ()
        self.arrays: list[SecretArray] | None = None
        if name is None:
            return
        self._session.require_storage()
        found = self._session.resume(name) if resume else None
        if found is not None:
            header, references = found
            progress = progress_of(header, self._job)
            self.step, self.counter = progress.step, progress.counter
            self.metrics = progress.metrics
            self.arrays = [SecretArray(self._session, reference) for reference in references]
        if not resume:
            with suppress(UsageError):  # there are none of an earlier fit
                self._session.delete(name, purpose="checkpoint")

    def done(
        self, arrays: Sequence[SecretArray], counter: int = 0, metrics: Sequence[float] = ()
    ) -> None:
        """Count a finished step; seal `arrays` if it is the turn of one."""
        self.step += 1
        if self._name is None or self.step % self._every:
            return
        self._session.save(
            [array._reference for array in arrays],
            self._name,
            names=[str(place) for place in range(len(arrays))],
            kind="checkpoint",
            public=msgspec.msgpack.encode(
                Progress(self._job, self.step, counter, metrics=tuple(metrics))
            ),
            purpose="checkpoint",
            keep=GENERATIONS,
        )


# Of joint training.


def job_digest(schema: bytes, plan: TrainingPlan, start: bytes = b"") -> bytes:
    """What must be the same for a training to go on."""
    return tagged_hash("training", schema, repr(plan).encode(), start)


def named(kind: str, arrays: Sequence[T]) -> dict[str, T]:
    """Several arrays by names, as they are stored."""
    return {f"{kind} {place}": array for place, array in enumerate(arrays)}


def arrays_named(kind: str, stored: Mapping[str, T]) -> tuple[T, ...]:
    """The inverse of :func:`named`, of all that is stored."""
    found: list[T] = []
    while f"{kind} {len(found)}" in stored:
        found.append(stored[f"{kind} {len(found)}"])
    return tuple(found)


def save_training(
    keeper: Keeper, job: bytes, plan: TrainingPlan, prepared: Prepared, state: TrainingState
) -> Step[Header]:
    """Seal where a joint training is. 6 rounds."""
    f = fixed_point(plan.fraction_bits)
    values = {
        "mean": SecretValue(fixed_point(INPUT_BITS), prepared.by.mean),
        "inverse_deviation": SecretValue(f, prepared.by.inverse_deviation),
        **{name: SecretValue(f, share) for name, share in named("state", state.values).items()},
        **{name: SecretValue(f, share) for name, share in named("best", state.best).items()},
    }
    for name, share, bits in (
        ("low", prepared.low, INPUT_BITS),
        ("high", prepared.high, INPUT_BITS),
        ("codes", prepared.codes, CODE_BITS),
    ):
        if share is not None:
            values[name] = SecretValue(fixed_point(bits), share)
    for name, share in (("residuals", state.residuals), ("total", state.total)):
        if share is not None:
            values[name] = SecretValue(f, share)
    # What only some parties learned is in no header: those are equal at all parties.
    losses = () if plan.loss_to and len(plan.loss_to) < keeper.party.size else state.losses
    progress = Progress(
        job,
        state.step,
        losses=losses,
        rows=state.rows,
        batches=state.batches,
        metrics=state.metrics,
    )
    draft = Draft(
        name=TRAINING,
        purpose="checkpoint",
        kind="training",
        public=msgspec.msgpack.encode(progress),
        arrays=tuple(record_of(name, value) for name, value in values.items()),
        keep=GENERATIONS,
    )
    return save_step(keeper, draft, list(values.values()))


def forget_training(keeper: Keeper) -> Step[object]:
    """Delete the checkpoints of an earlier training, if there are any."""
    return delete_step(keeper, "checkpoint", TRAINING, None)


def resume_training(keeper: Keeper, job: bytes) -> Step[tuple[Prepared, TrainingState] | None]:
    """Where a joint training goes on, with refreshed shares; None if there is no checkpoint.

    Raises
    ------
    UsageError
        The checkpoint is of another job (TC-1078).
    """
    found = yield from resume_step(keeper, TRAINING)
    if found is None:
        return None
    header, values = found
    progress = progress_of(header, job)
    shares = {r.name: v.share for r, v in zip(header.arrays, values, strict=True)}
    state = TrainingState(
        progress.step,
        arrays_named("state", shares),
        progress.losses,
        shares.get("residuals"),
        shares.get("total"),
        progress.rows,
        progress.batches,
        progress.metrics,
        arrays_named("best", shares),
    )
    by = Standardization(shares["mean"], shares["inverse_deviation"])
    return Prepared(by, shares.get("low"), shares.get("high"), shares.get("codes")), state
