"""Joint training whose rows stream from their owners' disks: memory does not grow with the data.

The way under protocols that end when a party is lost. Every batch is shared when its turn comes;
where output is guaranteed, all rows are shared before the first step instead (``kept.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tacit.ml.checkpoints import forget_training, resume_training, save_training
from tacit.ml.evaluation import JointCounts, ScoreCounts, joint_counts
from tacit.ml.expanding import expanded
from tacit.ml.folding import fold
from tacit.ml.learners import learner_of
from tacit.ml.metrics import BINS
from tacit.ml.plan import TrainingPlan
from tacit.ml.preparing import Preparation, Prepared, RowPreparer
from tacit.ml.standardization import (
    Standardization,
    column_standardization,
    joint_standardization,
)
from tacit.ml.start import begun, encoded, stored
from tacit.ml.state import TrainingState
from tacit.ml.training import OwnRows, train
from tacit.ml.ways import Course, Phases, TrainingJob
from tacit.models import save
from tacit.operations.types import SecretValue
from tacit.rounds.contract import Step
from tacit.sessions.handles import NO_LIMITS, Reference
from tacit.sessions.party import PartyReference, PartySession
from tacit.storage.records import Uses
from tacit.tables import Summaries

__all__ = ["StreamedTraining"]


class StreamedTraining:
    """One party's part of a joint training; the methods are called in their order, once.

    Parameters
    ----------
    session : PartySession
    job : TrainingJob
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
        self._own = own
        self._moments = moments
        self._summaries = summaries
        self._learner = learner_of(job.plan)
        self._start: TrainingState | None = None
        self._limits = NO_LIMITS
        self._by: Any = None
        self._prepared: Prepared | None = None
        self._parameters: list[Any] = []

    def prepare(self, phases: Phases) -> None:
        """Joint means and deviations, from the owners' moments or from a checkpoint."""
        job, session = self._job, self._session
        self._learner.check()
        with phases.phase("standardisation"):
            parameters = self._load_start()
            if job.storage is not None:
                session.attach(job.storage)
                keeper = session.keeper()
                if job.resume:
                    found = session.run(resume_training(keeper, job.digest), "storage")
                    if found is not None:
                        prepared, self._start = found
                        self._by, self._prepared = prepared.by, prepared
                        return
                else:
                    session.run(forget_training(keeper), "storage")
            if job.preparation is not None:
                self._prepare(job.preparation)
                return
            if job.plan.parts:
                step = column_standardization(
                    session.party,
                    job.plan.parts,
                    job.plan.order,
                    job.plan.rows[0],
                    self._moments,
                    job.mask,
                    job.plan.fraction_bits,
                    deviation=job.start is not None,
                )
            else:
                step = joint_standardization(
                    session.party,
                    job.plan.rows,
                    self._moments,
                    job.mask,
                    job.plan.fraction_bits,
                    deviation=job.start is not None,
                )
            self._by = session.run(step, "standardisation")
            if parameters is not None:
                start = begun(session.party, self._learner, parameters, self._by)
                self._start = TrainingState(0, session.run(start, "training"))

    def _prepare(self, preparation: Preparation) -> None:
        inputs = preparation.share(self._session, self._summaries)
        found = preparation.combine(self._session, inputs)
        shares = [r.part.share for r in found if isinstance(r, PartyReference)]
        self._prepared = preparation.prepared(shares)
        self._by = self._prepared.by

    @property
    def _rows(self) -> Standardization | RowPreparer:
        """What happens to rows when they are shared."""
        preparation = self._job.preparation
        if preparation is None or self._prepared is None:
            return self._by  # type: ignore[no-any-return]
        return RowPreparer(preparation, self._prepared)

    def _load_start(self) -> list[Any] | None:
        """This party's part of the model that training starts from; None for initial weights."""
        job, session = self._job, self._session
        if job.start is None:
            return None
        assert job.form is not None
        if job.start.model is not None:
            public = encoded(job.form, job.start.model)
            return [session.party.public(array) for array in public]
        place = job.store or job.storage
        assert place is not None
        session.attach(place)
        references, self._limits = stored(session, job.start.name, job.form, job.recipients)
        return [
            reference.part.share
            for reference in references
            if isinstance(reference, PartyReference)
        ]

    def train(
        self, on_step: Callable[[int], None], told: Callable[[str], None] = lambda text: None
    ) -> Course:
        """All steps; the numbers that this party learned on the way."""
        step = train(
            self._session.party,
            self._job.plan,
            self._own,
            self._rows,
            on_step,
            start=self._start,
            every=self._job.every,
            keep=self._keeping(self._job.plan),
            told=told,
        )
        trained = self._session.run(step, "training")
        folding = fold(
            self._session.party, trained.parameters, self._by, self._job.plan.fraction_bits
        )
        self._parameters = self._session.run(folding, "folding")
        preparation = self._job.preparation
        if preparation is not None and self._prepared is not None:
            more = expanded(
                self._session.party,
                preparation.layout,
                self._prepared,
                self._parameters,
                preparation.fraction_bits,
            )
            self._parameters = self._session.run(more, "folding")
        return Course(trained.losses, trained.metrics, trained.steps)

    def _keeping(self, plan: TrainingPlan) -> Callable[[TrainingState], Step[object]] | None:
        if self._job.storage is None:
            return None
        keeper = self._session.keeper()
        prepared = self._prepared or Prepared(self._by)
        return lambda state: save_training(keeper, self._job.digest, plan, prepared, state)

    @property
    def model(self) -> list[Reference]:
        """The secret model's parameters, after training."""
        assert self._job.form is not None
        dtype, references = self._job.form.dtype, self._session.references
        return [references.of(SecretValue(dtype, p)) for p in self._parameters]

    def keep(self, name: str) -> int:
        """Seal the secret model in every party's store; its version."""
        job, session = self._job, self._session
        assert job.form is not None
        if job.store is not None:
            session.attach(job.store)
        references = self.model
        uses = self._limits.both(Uses(reveal_to=job.recipients))
        return save(session, job.form, references, name, reveal_to=uses.reveal_to).version

    def reveal(self, to: Sequence[int]) -> NDArray[np.float64] | None:
        """Open the model to some parties: all parameters in one row."""
        if not to:
            return None
        party, f = self._session.party, self._job.plan.fraction_bits
        flat = party.concatenate([p.reshape(p.size) for p in self._parameters], 0)
        opened = self._session.run(party.reveal(flat, tuple(to)), "reveal")
        return None if opened is None else opened.view(np.int64) / float(1 << f)

    def evaluate(
        self, own: ScoreCounts | None, owners: Sequence[int], to: Sequence[int]
    ) -> tuple[JointCounts | None, tuple[int, ...]]:
        """Joint counts of the held-out rows of `owners`, and whose they are."""
        if not owners or not to:
            return None, ()
        step = joint_counts(self._session.party, own, BINS, owners, to)
        return self._session.run(step, "evaluation"), tuple(owners)
