"""Joint training that ends with the right model although a party is lost on the way.

All owners' rows are shared and sealed by every party before the first step; from then on no
owner is needed. Every step is an operation of the session: a function of the party and of the
parts it works on, which another set of parties can run anew from the same operands
(:mod:`tacit.sessions.guard`). A loss before all rows are sealed ends the run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from math import prod

import msgspec
import numpy as np
from numpy.typing import NDArray

from tacit.encoding.types import fixed_point, int64
from tacit.errors import InputRefusedError, PartyLostError, UsageError
from tacit.ml.checkpoints import (
    GENERATIONS,
    TRAINING,
    Progress,
    arrays_named,
    named,
    progress_of,
)
from tacit.ml.evaluation import COUNTS, JointCounts, ScoreCounts, counts_of, encoded_counts
from tacit.ml.expanding import expanded
from tacit.ml.folding import fold
from tacit.ml.learners import Learner, learner_of
from tacit.ml.losses import Losses, opened, squared
from tacit.ml.metrics import BINS
from tacit.ml.plan import TrainingPlan, schedule, validation_chunks
from tacit.ml.shared_rows import Batch, SharedRows, joined
from tacit.ml.standardization import (
    INPUT_BITS,
    MOMENT_BITS,
    Standardization,
    combined_standardization,
    encoded_moments,
    moment_limits,
)
from tacit.ml.start import begun, encoded, stored
from tacit.ml.stopping import Stopper, summed_log_loss
from tacit.ml.training import OwnRows
from tacit.ml.ways import Course, Phases, TrainingJob
from tacit.models import save
from tacit.operations.types import ArrayType, SecretValue
from tacit.protocols.interface import Party
from tacit.rounds.combine import together
from tacit.rounds.contract import Step
from tacit.sessions.handles import NO_LIMITS, Reference
from tacit.sessions.party import PartySession
from tacit.storage.records import Uses
from tacit.tables import Summaries

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
    summaries : Summaries or None
        What the job's preparation needs of them.
    """

    def __init__(
        self,
        session: PartySession,
        job: TrainingJob,
        own: OwnRows | None,
        moments: NDArray[np.float64] | None,
        summaries: Summaries | None = None,
    ) -> None:
        self._session = session
        self._job = job
        self._plan = job.plan
        self._type = fixed_point(job.plan.fraction_bits)
        self._own = own
        self._moments = moments
        self._summaries = summaries
        self._rows = SharedRows(job.plan, preparation=job.preparation)
        self._learner = learner_of(job.plan)
        self._start: list[Reference] | None = None
        self._limits = NO_LIMITS
        self._by: tuple[Reference, ...] = ()
        self._parameters: tuple[Reference, ...] = ()

    # Before the first step.

    def prepare(self, phases: Phases) -> None:
        """Share and seal all rows, or load what a run before this one sealed; standardise them."""
        session, job, total = self._session, self._job, sum(self._plan.rows)
        self._learner.check()
        self._load_start()
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
            self._by = self._standardization(moments)
            report = phases.reporter("standardisation", total, "rows")
            used = self._by[:2] if job.preparation is None else self._by
            self._rows.standardise(session, used, report)

    def _load_start(self) -> None:
        """The stored model that training starts from; even a resumed job holds to its limits."""
        job, session = self._job, self._session
        if job.start is None or not job.start.name:
            return
        place = job.store or job.storage
        assert place is not None
        assert job.form is not None
        session.attach(place)
        found = stored(session, job.start.name, job.form, job.recipients)
        self._start, self._limits = found

    def _share_moments(self) -> list[Reference]:
        """Three arrays of each owner, or what the preparation needs.

        Of owners with different columns, three of all columns.
        """
        if self._job.preparation is not None:
            return self._job.preparation.share(self._session, self._summaries)
        if self._plan.parts:
            return self._share_moments_of_columns()
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

    def _share_moments_of_columns(self) -> list[Reference]:
        session, (rows,), parts = self._session, self._plan.rows, self._plan.parts
        own = session.position(session.name)
        encoded = None if self._moments is None else encoded_moments(self._moments, 1.0)
        found = []
        for place, limits in enumerate(moment_limits(rows, rows)):
            columns = [
                session.input_elements(
                    owner,
                    encoded[place] if encoded is not None and owner == own else None,
                    int64,
                    (width,),
                    limits,
                )
                for owner, width in enumerate(parts)
                if width
            ]
            found.append(joined(session, columns, 0, self._plan.order))
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
            kind="rows of a training",
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
        moments, preparation = 3 * len(self._plan.rows), self._job.preparation
        if preparation is not None:
            moments = sum(len(preparation.arrays(owner)) for owner in range(len(self._plan.rows)))
        self._rows.restore(references[moments:])
        return list(references[:moments])

    def _standardization(self, moments: Sequence[Reference]) -> tuple[Reference, ...]:
        """Mean and inverse deviation; also the deviation, where training starts from a model.

        Where rows are prepared in more ways, all that these need.
        """
        if self._job.preparation is not None:
            return tuple(self._job.preparation.combine(self._session, moments))
        rows, mask, f = self._plan.rows, self._job.mask, self._plan.fraction_bits
        deviation = self._job.start is not None

        def evaluate(party: Party, parts: Sequence[SecretValue]) -> _Results:
            shares = [part.share for part in parts]
            inputs = [shares[place : place + 3] for place in range(0, len(shares), 3)]
            by = yield from combined_standardization(party, rows, inputs, mask, f, deviation)
            found = (by.mean, by.inverse_deviation, by.deviation)
            return tuple(
                SecretValue(kind.dtype, share) for kind, share in zip(types, found, strict=False)
            )

        columns = (self._plan.columns,)
        kinds = (fixed_point(INPUT_BITS), self._type, fixed_point(MOMENT_BITS))
        types = tuple(ArrayType(kind, columns) for kind in kinds[: 2 + deviation])
        return self._session.compute("standardisation", evaluate, moments, results=types)

    # Training.

    def train(
        self, on_step: Callable[[int], None], told: Callable[[str], None] = lambda text: None
    ) -> Course:
        """All steps; the numbers that this party learned on the way."""
        session, plan, every = self._session, self._plan, self._job.every
        losses = Losses(session, plan, keep=bool(every))
        done, stopper = 0, Stopper(plan)
        best: tuple[Reference, ...] = ()
        found = session.resume(TRAINING) if self._job.resume else None
        if found is None:
            values = self._begun()
        else:
            header, references = found
            progress = progress_of(header, self._job.digest)
            stored = {r.name: ref for r, ref in zip(header.arrays, references, strict=True)}
            values, best = arrays_named("state", stored), arrays_named("best", stored)
            done, stopper = progress.step, Stopper(plan, progress.metrics)
            losses.restore(stored, progress)
        coming = schedule(plan, done)
        while True:
            if stopper.due(done):
                if stopper.add(self._validated(values)):
                    best = values
                told(f"validation loss {stopper.metrics[-1]:.4f}")
                if stopper.over:
                    break
            rows = next(coming, None)
            if rows is None or stopper.over:
                break
            batch = self._rows.batch(rows)
            pending = losses.pending
            results = session.compute(
                "training",
                _step(self._learner, plan, batch, len(pending), done),
                (*values, *pending, *batch.references),
                results=(*self._types, *losses.types(batch.rows)),
                public=self._job.digest + done.to_bytes(8, "little"),
            )
            values = results[: len(self._types)]
            if losses.stepped(results[len(self._types) :]):
                told(f"loss {losses.values[-1]:.4f}")
            done += 1
            on_step(done)
            if every and done % every == 0 and not self._save(done, values, best, losses, stopper):
                every = 0  # what was sealed before stays
        losses.finish()
        self._parameters = self._folded(best or values)
        return Course(losses.values, stopper.metrics, done)

    @property
    def _types(self) -> tuple[ArrayType, ...]:
        return tuple(ArrayType(self._type, shape) for shape in self._learner.shapes)

    def _begun(self) -> tuple[Reference, ...]:
        """The learner's first state: public weights, or those that the job starts from."""
        f, learner, job = self._type, self._learner, self._job
        public: list[NDArray[np.int64]] = []
        if job.start is not None and job.start.model is not None:
            assert job.form is not None
            public = encoded(job.form, job.start.model)

        def evaluate(party: Party, parts: Sequence[SecretValue]) -> _Results:
            if job.start is None:
                values = learner.initial(party)
            else:
                *shares, mean, inverse, deviation = (part.share for part in parts)
                by = Standardization(mean, inverse, deviation)
                parameters = shares or [party.public(array) for array in public]
                values = yield from begun(party, learner, parameters, by)
            return tuple(SecretValue(f, share) for share in values)

        operands = () if job.start is None else (*(self._start or ()), *self._by)
        found = self._session.compute("training", evaluate, operands, results=self._types)
        self._start = None
        return found

    def _validated(self, values: Sequence[Reference]) -> float:
        """The mean log-loss of the rows set apart, opened to all parties."""
        f, count, plan = self._type, len(values), self._plan
        total: tuple[Reference, ...] = ()
        for rows in validation_chunks(plan):
            batch, so_far = self._rows.batch(rows), len(total)

            def evaluate(
                party: Party,
                parts: Sequence[SecretValue],
                batch: Batch = batch,
                so_far: int = so_far,
            ) -> _Results:
                shares = tuple(part.share for part in parts)
                x, y = batch.picked(party, parts[count + so_far :], plan.columns)
                part = yield from summed_log_loss(party, plan, self._learner, shares[:count], x, y)
                if so_far:
                    part = party.add(part, shares[count])
                return (SecretValue(f, part),)

            total = self._session.compute(
                "validation",
                evaluate,
                (*values, *total, *batch.references),
                results=(ArrayType(f, (1,)),),
            )
        everybody = tuple(range(len(self._session.parties)))
        found = opened(self._session, total[0], everybody)
        assert found is not None
        return float(found[0]) / sum(map(len, plan.validation))

    def _save(
        self,
        step: int,
        values: Sequence[Reference],
        best: Sequence[Reference],
        losses: Losses,
        stopper: Stopper,
    ) -> bool:
        """Seal where training is; False at all parties alike when one of them is lost."""
        arrays = {**named("state", values), **named("best", best), **losses.stored}
        progress = losses.progress(self._job.digest, step)
        header = self._session.save(
            list(arrays.values()),
            TRAINING,
            names=list(arrays),
            kind="training",
            public=msgspec.msgpack.encode(
                msgspec.structs.replace(progress, metrics=tuple(stopper.metrics))
            ),
            purpose="checkpoint",
            keep=GENERATIONS,
        )
        return header.version > 0

    # Results.

    def _folded(self, values: Sequence[Reference]) -> tuple[Reference, ...]:
        """The model's parameters for columns scaled into [-1, 1]."""
        f, learner, bits = self._type, self._learner, self._plan.fraction_bits
        preparation, count = self._job.preparation, len(values)

        def evaluate(party: Party, parts: Sequence[SecretValue]) -> _Results:
            shares = [part.share for part in parts]
            parameters = yield from learner.parameters(party, tuple(shares[:count]))
            by = Standardization(shares[count], shares[count + 1])
            folded = yield from fold(party, parameters, by, bits)
            if preparation is not None:
                prepared = preparation.prepared(shares[count:])
                folded = yield from expanded(party, preparation.layout, prepared, folded, bits)
            return tuple(SecretValue(f, share) for share in folded)

        return self._session.compute(
            "folding",
            evaluate,
            (*values, *(self._by[:2] if preparation is None else self._by)),
            results=[ArrayType(f, shape) for shape in self._shapes],
        )

    @property
    def _shapes(self) -> tuple[tuple[int, ...], ...]:
        """Of the model's parameters."""
        if self._job.preparation is None:
            return self._plan.shapes
        assert self._job.form is not None
        return self._job.form.shapes

    @property
    def model(self) -> list[Reference]:
        """The secret model's parameters, after training."""
        return list(self._parameters)

    def keep(self, name: str) -> int:
        """Seal the secret model in every party's store; its version."""
        job, session = self._job, self._session
        assert job.form is not None
        if job.store is not None:
            session.attach(job.store)
        uses = self._limits.both(Uses(reveal_to=job.recipients))
        header = save(session, job.form, self._parameters, name, reveal_to=uses.reveal_to)
        return header.version

    def reveal(self, to: Sequence[int]) -> NDArray[np.float64] | None:
        """Open the model to some parties: all parameters in one row."""
        if not to:
            return None
        f = self._type

        def evaluate(party: Party, parts: Sequence[SecretValue]) -> _Results:
            yield from ()
            flat = [part.share.reshape(part.share.size) for part in parts]
            return (SecretValue(f, party.concatenate(flat, 0)),)

        size = sum(prod(shape) for shape in self._plan.shapes)
        (model,) = self._session.compute(
            "reveal", evaluate, self._parameters, results=(ArrayType(f, (size,)),)
        )
        return opened(self._session, model, to)

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
        found = opened(self._session, total, to)
        return None if found is None else counts_of(found, BINS), tuple(whose)


def _step(
    learner: Learner, plan: TrainingPlan, batch: Batch, pending: int, number: int
) -> Callable[..., _Results]:
    """One step of training: (state, pending of the losses, rows) -> (state, losses' own)."""
    f, count = plan.fraction_bits, len(learner.shapes)

    def evaluate(party: Party, parts: Sequence[SecretValue]) -> _Results:
        losses = [part.share for part in parts[count : count + pending]]
        x, y = batch.picked(party, parts[count + pending :], plan.columns)
        step = learner.step(party, tuple(p.share for p in parts[:count]), x, y, number)
        if not losses:
            values, residuals = yield from step
            found = [*values, residuals]
        else:
            # The loss of the last step travels in this step's rounds.
            (values, residuals), total = yield from together(step, squared(party, losses, f))
            found = [*values, residuals, total]
        kept = found if plan.loss_every else found[:count]
        return tuple(SecretValue(fixed_point(f), share) for share in kept)

    return evaluate
