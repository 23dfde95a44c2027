"""Joint training that ends with the right model although a party is lost on the way.

All owners' rows are shared and sealed by every party before the first step; from then on no
owner is needed. Every step is an operation of the session: a function of the party and of the
parts it works on, which another set of parties can run anew from the same operands
(:mod:`tacit.sessions.guard`). A loss before all rows are sealed ends the run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from tacit.encoding.types import fixed_point, int64
from tacit.errors import InputRefusedError, PartyLostError, UsageError
from tacit.functions.logistic import logistic_step
from tacit.ml.checkpoints import GENERATIONS, TRAINING, Progress, progress_of
from tacit.ml.evaluation import COUNTS, JointCounts, ScoreCounts, counts_of, encoded_counts
from tacit.ml.metrics import BINS
from tacit.ml.plaintext import LinearModel
from tacit.ml.shared_rows import Batch, SharedRows
from tacit.ml.standardization import (
    INPUT_BITS,
    Standardization,
    combined_standardization,
    encoded_moments,
    moment_limits,
)
from tacit.ml.training import OwnRows, TrainingPlan, fold, schedule
from tacit.ml.ways import Phases, TrainingJob, opened_model
from tacit.programs.types import ArrayType, SecretValue
from tacit.protocols.interface import Party
from tacit.rounds.combine import together
from tacit.rounds.contract import Step
from tacit.sessions.party import PartySession
from tacit.sessions.session import Reference

__all__ = ["ROWS", "KeptTraining"]

ROWS = "training-rows"
"""The name of the sealed rows."""

_Results = Step[tuple[SecretValue, ...]]


class KeptTraining:
    """One party's part of a joint training; the methods are called in their order, once.

    Parameters
    ----------
    session : PartySession
    job : TrainingJob
        With a place to seal shares in.
    own : OwnRows or None
        This owner's training rows; None at a party without data.
    moments : (2, d) float64, or None
        Their mean and variance.
    """

    def __init__(
        self,
        session: PartySession,
        job: TrainingJob,
        own: OwnRows | None,
        moments: NDArray[np.float64] | None,
    ) -> None:
        self._session = session
        self._job = job
        self._plan = job.plan
        self._type = fixed_point(job.plan.fraction_bits)
        self._own = own
        self._moments = moments
        self._rows = SharedRows(job.plan)
        self._mean: Reference | None = None
        self._inverse: Reference | None = None
        self._weights: Reference | None = None

    # Before the first step.

    def prepare(self, phases: Phases) -> None:
        """Share and seal all rows, or load what a run before this one sealed; standardise them."""
        session, job, total = self._session, self._job, sum(self._plan.rows)
        assert job.storage is not None
        session.attach(job.storage)
        moments = self._loaded() if job.resume else None
        if moments is None:
            with phases.phase("sharing"):
                self._rows.share(session, self._own, phases.reporter("sharing", total, "rows"))
                moments = self._share_moments()
            with phases.phase("sealing"):
                self._seal(moments)
        session.inputs_complete()
        self._own = None
        with phases.phase("standardisation"):
            mean, inverse = self._standardization(moments)
            report = phases.reporter("standardisation", total, "rows")
            self._rows.standardise(session, mean, inverse, report)
            self._mean, self._inverse = mean, inverse

    def _share_moments(self) -> list[Reference]:
        """Three arrays of each owner."""
        rows, own = self._plan.rows, self._session.position(self._session.name)
        encoded = None
        if self._moments is not None:
            encoded = encoded_moments(self._moments, rows[own] / sum(rows))
        found: list[Reference] = []
        for owner, count in enumerate(rows):
            for place, limits in enumerate(moment_limits(count, sum(rows))):
                mine = encoded[place] if encoded is not None and owner == own else None
                found.append(
                    self._session.input_elements(owner, mine, int64, (self._plan.columns,), limits)
                )
        return found

    def _seal(self, moments: Sequence[Reference]) -> None:
        session = self._session
        if not self._job.resume:
            for name in (ROWS, TRAINING):
                with suppress(UsageError):  # there are none of an earlier run
                    session.delete(name, purpose="checkpoint")
        session.save(
            [*moments, *self._rows.stored],
            ROWS,
            names=[*(f"moments {place}" for place in range(len(moments))), *self._rows.names],
            kind="rows of a logistic training",
            public=msgspec.msgpack.encode(Progress(self._job.digest, 0)),
            purpose="checkpoint",
            keep=1,
        )

    def _loaded(self) -> list[Reference] | None:
        found = self._session.resume(ROWS)
        if found is None:
            return None
        header, references = found
        progress_of(header, self._job.digest)
        moments = 3 * len(self._plan.rows)
        self._rows.restore(references[moments:])
        return list(references[:moments])

    def _standardization(self, moments: Sequence[Reference]) -> tuple[Reference, Reference]:
        rows, mask, f = self._plan.rows, self._job.mask, self._plan.fraction_bits

        def evaluate(party: Party, parts: Sequence[SecretValue]) -> _Results:
            shares = [part.share for part in parts]
            inputs = [shares[place : place + 3] for place in range(0, len(shares), 3)]
            by = yield from combined_standardization(party, rows, inputs, mask, f)
            return (
                SecretValue(fixed_point(INPUT_BITS), by.mean),
                SecretValue(fixed_point(f), by.inverse_deviation),
            )

        columns = (self._plan.columns,)
        types = (ArrayType(fixed_point(INPUT_BITS), columns), ArrayType(self._type, columns))
        mean, inverse = self._session.compute("standardisation", evaluate, moments, results=types)
        return mean, inverse

    # Training.

    def train(self, on_step: Callable[[int], None]) -> list[float]:
        """All steps; the losses that this party learned."""
        session, plan, every = self._session, self._plan, self._job.every
        losses = Losses(session, plan, keep=bool(every))
        done = 0
        found = session.resume(TRAINING) if self._job.resume else None
        if found is None:
            weights = self._zero_weights()
        else:
            header, references = found
            progress = progress_of(header, self._job.digest)
            stored = {r.name: ref for r, ref in zip(header.arrays, references, strict=True)}
            weights, done = stored.pop("weights"), progress.step
            losses.restore(stored, progress)
        for rows in schedule(plan, done):
            batch = self._rows.batch(rows)
            pending = losses.pending
            results = session.compute(
                "training",
                _step(plan, batch, len(pending)),
                (weights, *pending, *batch.references),
                results=(ArrayType(self._type, weights.shape), *losses.types(batch.rows)),
                public=self._job.digest + done.to_bytes(8, "little"),
            )
            weights = results[0]
            losses.stepped(results[1:])
            done += 1
            on_step(done)
            if every and done % every == 0 and not self._save(done, weights, losses):
                every = 0  # what was sealed before stays
        losses.finish()
        self._weights = weights
        return losses.values

    def _zero_weights(self) -> Reference:
        f, shape = self._type, (self._plan.columns + 1,)

        def evaluate(party: Party, parts: Sequence[SecretValue]) -> _Results:
            yield from ()
            return (SecretValue(f, party.public(np.zeros(shape, np.int64))),)

        (weights,) = self._session.compute("training", evaluate, (), results=(ArrayType(f, shape),))
        return weights

    def _save(self, step: int, weights: Reference, losses: Losses) -> bool:
        """Seal where training is; False at all parties alike when one of them is lost."""
        arrays = {"weights": weights, **losses.stored}
        header = self._session.save(
            list(arrays.values()),
            TRAINING,
            names=list(arrays),
            kind="logistic training",
            public=msgspec.msgpack.encode(losses.progress(self._job.digest, step)),
            purpose="checkpoint",
            keep=GENERATIONS,
        )
        return header.version > 0

    # Results.

    def reveal(self, to: Sequence[int]) -> LinearModel | None:
        """Open the model to some parties."""
        f = self._plan.fraction_bits
        assert self._weights is not None
        assert self._mean is not None
        assert self._inverse is not None

        def evaluate(party: Party, parts: Sequence[SecretValue]) -> _Results:
            weights, mean, inverse = (part.share for part in parts)
            by = Standardization(mean, inverse)
            folded, intercept = yield from fold(party, weights, by, f)
            return (SecretValue(fixed_point(f), party.concatenate([folded, intercept], 0)),)

        (model,) = self._session.compute(
            "reveal",
            evaluate,
            (self._weights, self._mean, self._inverse),
            results=(ArrayType(self._type, self._weights.shape),),
        )
        opened = _opened(self._session, model, to)
        return None if opened is None else opened_model(opened)

    def evaluate(
        self, own: ScoreCounts | None, owners: Sequence[int], to: Sequence[int]
    ) -> tuple[JointCounts | None, tuple[int, ...]]:
        """Joint counts of the held-out rows of `owners`, and whose they are.

        Without those of lost owners, and without counts that are out of range: the model is open
        by then, and its result must not hang on what an owner says of its own rows.
        """
        shape, shared, whose = (2 * BINS + 1,), [], []
        position = self._session.position(self._session.name)
        for owner in owners:
            elements = None
            if owner == position and own is not None:
                elements = encoded_counts(own)
            try:
                shared.append(self._session.input_elements(owner, elements, int64, shape, COUNTS))
            except (InputRefusedError, PartyLostError):  # at all parties alike
                continue
            whose.append(owner)
        if not shared or not to:
            return None, ()

        def evaluate(party: Party, parts: Sequence[SecretValue]) -> _Results:
            yield from ()
            total = parts[0].share
            for part in parts[1:]:
                total = party.add(total, part.share)
            return (SecretValue(int64, total),)

        (total,) = self._session.compute(
            "evaluation", evaluate, shared, results=(ArrayType(int64, shape),)
        )
        opened = _opened(self._session, total, to)
        return None if opened is None else counts_of(opened, BINS), tuple(whose)


def _step(plan: TrainingPlan, batch: Batch, pending: int) -> Callable[..., _Results]:
    """One step of training: (weights, pending of the losses, rows) -> (weights, losses' own)."""
    f = plan.fraction_bits

    def evaluate(party: Party, parts: Sequence[SecretValue]) -> _Results:
        losses, rows = parts[1 : 1 + pending], parts[1 + pending :]
        x, y = batch.picked(party, rows, plan.columns, f)
        step = logistic_step(
            party, x, y, parts[0].share, f, learning_rate=plan.learning_rate, decay=plan.decay
        )
        if not losses:
            weights, residuals = yield from step
            found = [weights, residuals]
        else:
            # The loss of the last step travels in this step's rounds.
            (weights, residuals), total = yield from together(step, _squared(party, losses, f))
            found = [weights, residuals, total]
        kept = found if plan.loss_every else found[:1]
        return tuple(SecretValue(fixed_point(f), share) for share in kept)

    return evaluate


def _squared(party: Party, pending: Sequence[SecretValue], fraction_bits: int) -> Step[Any]:
    """The sum of squared residuals, and of a total so far where there is one: (1, 1)."""
    residuals, *total = (part.share for part in pending)
    count = residuals.shape[0]
    row, column = residuals.reshape(1, count), residuals.reshape(count, 1)
    square = yield from party.matmul_truncate(row, column, fraction_bits)
    return party.add(total[0], square) if total else square


def _opened(session: PartySession, reference: Reference, to: Sequence[int]) -> NDArray[Any] | None:
    return session.open(reference, tuple(to), tuple(to)).get(session.name)


class Losses:
    """Sums squared residuals on shares and reveals the mean every so many batches.

    Parameters
    ----------
    session : PartySession
    plan : TrainingPlan
    keep : bool
        Whether to keep revealed sums as shares too, for checkpoints: a party without the right
        to a loss must not find it in a checkpoint's public part.

    Attributes
    ----------
    values : list of float
        The losses that this party learned.
    """

    def __init__(self, session: PartySession, plan: TrainingPlan, keep: bool) -> None:
        self.values: list[float] = []
        self._session = session
        self._plan = plan
        self._type = fixed_point(plan.fraction_bits)
        self._to = plan.loss_to or tuple(range(len(session.parties)))
        self._keep = keep
        self._residuals: Reference | None = None
        self._total: Reference | None = None
        self._revealed: Reference | None = None
        self._revealed_rows: list[int] = []
        self._rows = 0
        self._batches = 0

    @property
    def pending(self) -> tuple[Reference, ...]:
        """What the next step adds up: the last step's residuals, and the total so far."""
        if self._residuals is None:
            return ()
        return (self._residuals,) if self._total is None else (self._residuals, self._total)

    def types(self, rows: int) -> tuple[ArrayType, ...]:
        """Of what a step on so many rows returns for the losses."""
        if not self._plan.loss_every:
            return ()
        residuals = ArrayType(self._type, (rows,))
        return (residuals, ArrayType(self._type, (1, 1))) if self.pending else (residuals,)

    def stepped(self, results: Sequence[Reference]) -> None:
        """Take what a step returned for the losses; reveal one if it is its turn."""
        if not results:
            return
        if len(results) == 2:
            self._add(results[1])
        self._residuals = results[0]

    def _add(self, total: Reference, last: bool = False) -> None:
        assert self._residuals is not None
        self._total = total
        self._rows += self._residuals.shape[0]
        self._batches += 1
        if self._batches < self._plan.loss_every and not last:
            return
        opened = _opened(self._session, total, self._to)
        if opened is not None:
            self.values.append(float(opened[0, 0]) / self._rows)
        if self._keep:
            self._note(total)
        self._revealed_rows.append(self._rows)
        self._total, self._rows, self._batches = None, 0, 0

    def _note(self, total: Reference) -> None:
        f = self._type

        def evaluate(party: Party, parts: Sequence[SecretValue]) -> _Results:
            yield from ()
            flat = [part.share.reshape(part.share.size) for part in parts]
            return (SecretValue(f, party.concatenate(flat, 0)),)

        before = () if self._revealed is None else (self._revealed,)
        size = 1 + sum(reference.shape[0] for reference in before)
        (self._revealed,) = self._session.compute(
            "training", evaluate, (*before, total), results=(ArrayType(f, (size,)),)
        )

    def finish(self) -> None:
        """Add up the last step's residuals and reveal what is left."""
        pending, f = self.pending, self._plan.fraction_bits
        if not pending:
            return

        def evaluate(party: Party, parts: Sequence[SecretValue]) -> _Results:
            total = yield from _squared(party, parts, f)
            return (SecretValue(fixed_point(f), total),)

        (total,) = self._session.compute(
            "training", evaluate, pending, results=(ArrayType(self._type, (1, 1)),)
        )
        self._add(total, last=True)

    # Checkpoints.

    @property
    def stored(self) -> dict[str, Reference]:
        """The arrays that a checkpoint holds of the losses."""
        if not self._plan.loss_every:
            return {}
        found = {
            "residuals": self._residuals,
            "total": self._total,
            "revealed": self._revealed,
        }
        return {name: reference for name, reference in found.items() if reference is not None}

    def progress(self, job: bytes, step: int) -> Progress:
        """What is public about a checkpoint."""
        return Progress(
            job,
            step,
            rows=self._rows,
            batches=self._batches,
            loss_rows=tuple(self._revealed_rows),
        )

    def restore(self, stored: dict[str, Reference], progress: Progress) -> None:
        """Go on from a checkpoint; the losses before it are opened again, to the same parties."""
        self._residuals, self._total = stored.get("residuals"), stored.get("total")
        self._rows, self._batches = progress.rows, progress.batches
        self._revealed = stored.get("revealed")
        self._revealed_rows = list(progress.loss_rows)
        if self._revealed is None:
            return
        opened = _opened(self._session, self._revealed, self._to)
        if opened is not None:
            self.values = [
                float(total) / rows for total, rows in zip(opened, self._revealed_rows, strict=True)
            ]
