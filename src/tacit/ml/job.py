"""The job of an owner's process in ``tacit train``: from its file to its report.

Every owner runs these lines; what differs is its file. Order: read the schema or draft one and
agree on it by digest; check and encode the own file; agree on the plan; only then share. What an
owner's file has wrong is told to that owner alone.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from tacit.encoding.digest import tagged_hash
from tacit.errors import DataError, SchemaError
from tacit.ml.batches import batch_count
from tacit.ml.checkpoints import (
    forget_training,
    job_digest,
    resume_training,
    save_training,
)
from tacit.ml.evaluation import ScoreCounts, joint_counts
from tacit.ml.metrics import BINS
from tacit.ml.plaintext import LinearModel, train_alone
from tacit.ml.scores import count_scores
from tacit.ml.standardization import Standardization, joint_standardization
from tacit.ml.training import RowSubset, TrainingPlan, TrainingState, fold, train
from tacit.rounds.contract import Step
from tacit.sessions.context import PartyContext
from tacit.storage.store import Place
from tacit.tables import (
    Draft,
    Moments,
    Schema,
    Spool,
    draft,
    merge,
    moments,
    notice_for_others,
    split,
    spool,
    standardised,
)

__all__ = ["CountRecord", "OwnerResult", "PhaseCost", "TrainingSettings", "run_party"]

_PROGRESS_INTERVAL = 0.1
_LOSSES_PER_EPOCH = 20


class TrainingSettings(Struct, frozen=True, kw_only=True):
    """What one owner's process is told.

    Attributes
    ----------
    file : str
        This owner's CSV or Parquet file.
    label : str
        The label column.
    schema : str or None
        A schema file; None drafts one from the owners' files.
    share_categories : bool
        Whether drafts may show the others this owner's categories.
    exclude : tuple of str
        Columns that are no features; for drafts.
    missing : str
        What missing numbers mean in a draft; "refuse" by default.
    epochs, batch_size, learning_rate, decay, seed, test_size
        The training's parameters, public and equal for all owners.
    reveal_loss : bool
        Whether to reveal a loss about 20 times an epoch.
    reveal_to : tuple of str
        Owners that learn the model and the joint evaluation.
    alone : bool
        Whether to train on the own rows alone as well, for comparison.
    deadline : float
        Seconds that each phase may take; then a party that is alive but stuck ends the run.
    storage : Place or None
        Where this owner keeps checkpoints.
    every : int
        Steps between two checkpoints.
    resume : bool
        Whether to go on from the newest checkpoint that all owners have.
    """

    file: str
    label: str
    schema: str | None = None
    share_categories: bool = False
    exclude: tuple[str, ...] = ()
    missing: Literal["refuse", "zero", "mean"] = "refuse"
    epochs: int = 3
    batch_size: int = 1024
    learning_rate: float = 0.5
    decay: float = 0.0
    seed: int = 0
    test_size: float = 0.2
    reveal_loss: bool = False
    reveal_to: tuple[str, ...] = ()
    alone: bool = True
    deadline: float = 3600.0
    storage: Place | None = None
    every: int = 0
    resume: bool = False

    def public(self) -> bytes:
        """What all owners must agree on, in canonical form."""
        common = msgspec.structs.replace(
            self, file="", schema=None, share_categories=False, storage=None
        )
        return msgspec.json.encode(common, order="deterministic")


class PhaseCost(Struct, frozen=True):
    """The cost of one phase, as this party saw it."""

    phase: str
    seconds: float
    rounds: int
    bytes_sent: int
    check_bytes: int


class CountRecord(Struct, frozen=True):
    """:class:`~tacit.ml.evaluation.ScoreCounts` as it travels to the controlling process."""

    negatives: list[int]
    positives: list[int]
    squared_error: float

    def counts(self) -> ScoreCounts:
        """The same with arrays."""
        return ScoreCounts(
            np.array(self.negatives, np.int64),
            np.array(self.positives, np.int64),
            self.squared_error,
        )


class OwnerResult(Struct, frozen=True, kw_only=True):
    """What an owner's process hands back to its user; nothing of it goes to other owners.

    Attributes
    ----------
    schema : Schema
        The agreed schema.
    rows, test_rows : tuple of int
        Training and held-out rows of each owner; public among them.
    coefficients, intercept
        The joint model for features scaled into [-1, 1], if this owner is a recipient.
    joint : CountRecord or None
        The owners' joint counts on held-out rows by score bin, if this owner is a recipient.
    alone_coefficients, alone_intercept
        The model this owner gets from its own rows.
    alone, joint_on_own : CountRecord or None
        Counts of this owner's own held-out rows by the score of each model.
    losses : list of float
        Revealed mean squared residuals.
    phases : list of PhaseCost
    peak_memory : int
        Bytes, resident.
    """

    schema: Schema
    session_id: bytes
    plan: dict[str, Any]
    rows: tuple[int, ...]
    test_rows: tuple[int, ...]
    coefficients: list[float] | None
    intercept: float | None
    joint: CountRecord | None
    alone_coefficients: list[float] | None
    alone_intercept: float | None
    alone: CountRecord | None
    joint_on_own: CountRecord | None
    losses: list[float]
    phases: list[PhaseCost]
    peak_memory: int


class _Notice(Struct, frozen=True):
    """A small public message among the owners."""

    value: bytes


class _RowCounts(Struct, frozen=True):
    train: int
    test: int


def run_party(context: PartyContext) -> OwnerResult:
    """Run the job at one owner."""
    settings = msgspec.msgpack.decode(context.configuration, type=TrainingSettings)
    job = _Job(context, settings)
    try:
        return job.run()
    except DataError as error:
        if context.name in error.parties or not error.parties:
            # The others hear only that this owner's file cannot be used.
            context.mesh.abort(notice_for_others(error, context.name))
        raise


class _Job:
    def __init__(self, context: PartyContext, settings: TrainingSettings) -> None:
        self.context = context
        self.settings = settings
        self.session = context.session
        self.party = context.session.party
        self.phases: list[PhaseCost] = []

    def run(self) -> OwnerResult:
        settings = self.settings
        with self._phase("schema"):
            schema = self._agree_on_schema()
        with self._phase("reading"):
            rows = self._read(schema)
        with rows:
            return self._train(settings, schema, rows)

    def _train(self, settings: TrainingSettings, schema: Schema, rows: Spool) -> OwnerResult:
        name, f = self.context.name, 18
        train_rows, test_rows = split(rows.rows, settings.test_size, settings.seed, owner=name)
        own = RowSubset(rows, train_rows)
        mask = standardised(schema)
        with self._phase("standardisation"):
            counts = self.context.mesh.gather(
                _RowCounts(len(train_rows), len(test_rows)),
                _RowCounts,
                stage="row counts",
                deadline=settings.deadline,
            )
            train_counts = tuple(counts[n].train for n in self.session.parties)
            test_counts = tuple(counts[n].test for n in self.session.parties)
            plan = TrainingPlan(
                rows=train_counts,
                columns=len(schema.features),
                epochs=settings.epochs,
                batch_size=settings.batch_size,
                learning_rate=settings.learning_rate,
                decay=settings.decay,
                seed=settings.seed,
                fraction_bits=f,
                loss_every=self._loss_interval(train_counts),
            )
            job = job_digest(schema.digest(), plan)
            local = moments(rows, train_rows)
            found = self._resumed(job)
            if found is None:
                state = None
                by = self.session.run(
                    joint_standardization(
                        self.party, train_counts, _mean_and_variance(local), mask, f
                    ),
                    "standardisation",
                )
            else:
                by, state = found
        with self._phase("training"):
            trained = self.session.run(
                train(
                    self.party,
                    plan,
                    own,
                    by,
                    self._reporter("training", plan.steps),
                    start=state,
                    every=settings.every,
                    keep=self._keeping(job, plan, by),
                ),
                "training",
            )
        recipients = tuple(self.session.position(n) for n in settings.reveal_to)
        with self._phase("reveal"):
            model = self._reveal_model(trained.weights, by, recipients, f)
        with self._phase("evaluation"):
            joint_on_own = None if model is None else count_scores(model, rows, test_rows)
            joint = self.session.run(
                joint_counts(self.party, joint_on_own, BINS, recipients, recipients), "evaluation"
            )
        alone = alone_counts = None
        if settings.alone:
            with self._phase("alone"):
                alone = train_alone(plan, own, local, mask)
                alone_counts = count_scores(alone, rows, test_rows)
        return OwnerResult(
            schema=schema,
            session_id=self.context.mesh.session_id,
            plan=asdict(plan),
            rows=train_counts,
            test_rows=test_counts,
            coefficients=None if model is None else model.coefficients.tolist(),
            intercept=None if model is None else model.intercept,
            joint=_plain(joint),
            alone_coefficients=None if alone is None else alone.coefficients.tolist(),
            alone_intercept=None if alone is None else alone.intercept,
            alone=_plain(alone_counts),
            joint_on_own=_plain(joint_on_own),
            losses=trained.losses,
            phases=self.phases,
            peak_memory=_peak_memory(),
        )

    def _resumed(self, job: bytes) -> tuple[Standardization, TrainingState] | None:
        """What a checkpoint of this job holds, if one is to be gone on from and all have it."""
        if self.settings.storage is None:
            return None
        self.session.attach(self.settings.storage)
        keeper = self.session.keeper()
        if self.settings.resume:
            return self.session.run(resume_training(keeper, job), "storage")
        self.session.run(forget_training(keeper), "storage")
        return None

    def _keeping(
        self, job: bytes, plan: TrainingPlan, by: Standardization
    ) -> Callable[[TrainingState], Step[object]] | None:
        if self.settings.storage is None:
            return None
        keeper = self.session.keeper()
        return lambda state: save_training(keeper, job, plan, by, state)

    def _loss_interval(self, rows: tuple[int, ...]) -> int:
        if not self.settings.reveal_loss:
            return 0
        return max(1, batch_count(rows, self.settings.batch_size) // _LOSSES_PER_EPOCH)

    def _agree_on_schema(self) -> Schema:
        settings, mesh = self.settings, self.context.mesh
        if settings.schema is not None:
            schema = Schema.load(settings.schema)
        else:
            mine = draft(
                settings.file,
                settings.label,
                owner=self.context.name,
                exclude=settings.exclude,
                share_categories=settings.share_categories,
                missing=settings.missing,
            )
            drafts = mesh.gather(
                _Notice(mine.to_bytes()), _Notice, stage="schema drafts", deadline=settings.deadline
            )
            schema = merge({n: Draft.from_bytes(d.value, n) for n, d in drafts.items()})
        digest = tagged_hash("training job", schema.digest(), settings.public())
        others = mesh.gather(
            _Notice(digest), _Notice, stage="schema agreement", deadline=settings.deadline
        )
        for name, other in others.items():
            if other.value != digest:
                raise SchemaError(
                    f"{self.context.name} and {name} do not agree on the schema or on the"
                    " training's parameters.",
                    next_step="give all owners the same schema file and the same options.",
                    case=10,
                    parties=[self.context.name, name],
                    stage="schema",
                )
        return schema

    def _read(self, schema: Schema) -> Spool:
        report = self._reporter("reading", 100, unit="%")
        return spool(
            self.settings.file,
            schema,
            owner=self.context.name,
            progress=lambda rows, fraction: report(round(100 * fraction)),
        )

    def _reveal_model(
        self, weights: Any, by: Any, to: tuple[int, ...], f: int
    ) -> LinearModel | None:
        def step() -> Any:
            folded, intercept = yield from fold(self.party, weights, by, f)
            both = self.party.concatenate([folded, intercept], 0)
            return (yield from self.party.reveal(both, to))

        opened: NDArray[np.uint64] | None = self.session.run(step(), "reveal")
        if opened is None:
            return None
        numbers = opened.view(np.int64).astype(np.float64) / (1 << f)
        return LinearModel(numbers[:-1], float(numbers[-1]))

    @contextmanager
    def _phase(self, name: str) -> Iterator[None]:
        counter = self.session.driver.counter
        before = (counter.rounds, counter.bytes_sent, counter.check_bytes)
        started = time.perf_counter()
        self.session.enter_stage(name, self.settings.deadline)
        self.context.progress(name, 0)
        yield
        self.phases.append(
            PhaseCost(
                name,
                time.perf_counter() - started,
                counter.rounds - before[0],
                counter.bytes_sent - before[1],
                counter.check_bytes - before[2],
            )
        )
        self.context.progress(name, 1, 1)

    def _reporter(self, phase: str, total: int, unit: str = "steps") -> Any:
        last = 0.0

        def report(done: int) -> None:
            nonlocal last
            now = time.monotonic()
            if now - last >= _PROGRESS_INTERVAL or done >= total:
                last = now
                self.context.progress(phase, done, total, unit)

        return report


def _mean_and_variance(local: Moments) -> NDArray[np.float64]:
    return np.stack([local.mean(), local.deviation() ** 2])


def _plain(counts: ScoreCounts | None) -> CountRecord | None:
    if counts is None:
        return None
    return CountRecord(counts.negatives.tolist(), counts.positives.tolist(), counts.squared_error)


def _peak_memory() -> int:
    """Most resident bytes of this process since it began (not of the one that started it)."""
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
