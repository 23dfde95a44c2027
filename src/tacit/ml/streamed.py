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
from tacit.ml.metrics import BINS
from tacit.ml.plaintext import LinearModel
from tacit.ml.standardization import joint_standardization
from tacit.ml.training import OwnRows, TrainingPlan, TrainingState, fold, train
from tacit.ml.ways import Phases, TrainingJob, opened_model
from tacit.rounds.contract import Step
from tacit.sessions.party import PartySession

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
        self._own = own
        self._moments = moments
        self._start: TrainingState | None = None
        self._by: Any = None
        self._weights: Any = None

    def prepare(self, phases: Phases) -> None:
        """Joint means and deviations, from the owners' moments or from a checkpoint."""
        job, session = self._job, self._session
        with phases.phase("standardisation"):
            if job.storage is not None:
                session.attach(job.storage)
                keeper = session.keeper()
                if job.resume:
                    found = session.run(resume_training(keeper, job.digest), "storage")
                    if found is not None:
                        self._by, self._start = found
                        return
                else:
                    session.run(forget_training(keeper), "storage")
            step = joint_standardization(
                session.party, job.plan.rows, self._moments, job.mask, job.plan.fraction_bits
            )
            self._by = session.run(step, "standardisation")

    def train(self, on_step: Callable[[int], None]) -> list[float]:
        """All steps; the losses that this party learned."""
        step = train(
            self._session.party,
            self._job.plan,
            self._own,
            self._by,
            on_step,
            start=self._start,
            every=self._job.every,
            keep=self._keeping(self._job.plan),
        )
        trained = self._session.run(step, "training")
        self._weights = trained.weights
        return trained.losses

    def _keeping(self, plan: TrainingPlan) -> Callable[[TrainingState], Step[object]] | None:
        if self._job.storage is None:
            return None
        keeper = self._session.keeper()
        return lambda state: save_training(keeper, self._job.digest, plan, self._by, state)

    def reveal(self, to: Sequence[int]) -> LinearModel | None:
        """Open the model to some parties."""
        party, f = self._session.party, self._job.plan.fraction_bits

        def step() -> Step[NDArray[np.uint64] | None]:
            folded, intercept = yield from fold(party, self._weights, self._by, f)
            both = party.concatenate([folded, intercept], 0)
            return (yield from party.reveal(both, tuple(to)))

        opened = self._session.run(step(), "reveal")
        return None if opened is None else opened_model(opened.view(np.int64) / float(1 << f))

    def evaluate(
        self, own: ScoreCounts | None, owners: Sequence[int], to: Sequence[int]
    ) -> tuple[JointCounts | None, tuple[int, ...]]:
        """Joint counts of the held-out rows of `owners`, and whose they are."""
        if not owners or not to:
            return None, ()
        step = joint_counts(self._session.party, own, BINS, owners, to)
        return self._session.run(step, "evaluation"), tuple(owners)
