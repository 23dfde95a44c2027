"""The job of a party's process in ``tacit train``: from its file to its report.

Every party runs these lines; what differs is its file, and a party may hold none. Order: read the
schema or draft one and agree on it by digest; check and encode the own file; agree on the plan;
only then share. What an owner's file has wrong is told to that owner alone.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from tacit.encoding.digest import tagged_hash
from tacit.errors import DataError, SchemaError, UsageError
from tacit.ml.checkpoints import job_digest
from tacit.ml.clear_preparation import ClearPreparation
from tacit.ml.drift import DriftFindings, find_drift
from tacit.ml.evaluation import ScoreCounts
from tacit.ml.expanding import check_expansion, expanded_form
from tacit.ml.kept import KeptTraining
from tacit.ml.measures.findings import Findings
from tacit.ml.measures.measuring import check_size
from tacit.ml.measures.names import parse_measures
from tacit.ml.plaintext import train_alone
from tacit.ml.plan import TrainingPlan
from tacit.ml.preparing import Preparation
from tacit.ml.privacy.agreement import check_choice, check_schema, described, private_plan
from tacit.ml.privacy.terms import PRIVACY, Privacy, spent_text
from tacit.ml.private import PrivateTraining
from tacit.ml.records import CountRecord, OwnerResult, TrainingSettings
from tacit.ml.scores import count_scores
from tacit.ml.streamed import StreamedTraining
from tacit.ml.training import RowSubset
from tacit.ml.vertical import (
    ColumnSplit,
    HeldOutRows,
    check_keys,
    check_row_counts,
    join_columns,
)
from tacit.ml.ways import TrainingJob, Way
from tacit.models import ClearModel, ModelForm
from tacit.sessions.context import PartyContext
from tacit.sessions.phases import JobPhases, PhaseCost, Watch, peak_memory
from tacit.tables import (
    Draft,
    Layout,
    Moments,
    Schema,
    Spool,
    draft,
    merge,
    notice_for_others,
    profile,
    profiles_of,
    refuse_readable_preparation,
    split,
    spool,
    standardised,
    summaries,
)

__all__ = ["Watch", "run_party"]

_LOSSES_PER_EPOCH = 20
_FRACTION_BITS = 18
_DIGITS = 6
"""Decimal places of metrics that are measured on shares."""

NOTE = "note"
"""The unit of progress that is a line for people."""

_LOST = "TC-1094"
"""The error of storing after a party was lost."""


class _Notice(Struct, frozen=True):
    """A small public message among the parties; empty from one that has nothing to say."""

    value: bytes = b""


class _RowCounts(Struct, frozen=True):
    train: int
    test: int


class _Own:
    """An owner's encoded rows: those to train on, and those held out."""

    def __init__(self, rows: Spool, settings: TrainingSettings, owner: str, layout: Layout) -> None:
        self.rows = rows
        owner = "" if settings.vertical else owner  # the same rows of all owners
        train, self.test = split(rows.rows, settings.test_size, settings.seed, owner=owner)
        self.train = RowSubset(rows, train)
        self.summaries = summaries(rows, train, layout)
        self.moments = self.summaries.moments

    @property
    def counts(self) -> _RowCounts:
        """How many of each."""
        return _RowCounts(len(self.train.index), len(self.test))


def run_party(context: PartyContext, watch: Watch | None = None) -> OwnerResult:
    """Run the job at one party.

    Parameters
    ----------
    context : PartyContext
    watch : callable, optional
        ``watch(phase, done, total)`` is called here before the first and after every unit of
        progress; what it does, this party's process does.
    """
    settings = msgspec.msgpack.decode(context.configuration, type=TrainingSettings)
    if settings.evidence is not None:
        context.session.keep_evidence(Path(settings.evidence))
    context.session.hold_inputs()  # until all have sealed all rows, a loss ends the job
    job = _Job(context, settings, watch)
    try:
        return job.run()
    except DataError as error:
        if context.name in error.parties or not error.parties:
            # The others hear only that this owner's file cannot be used.
            context.mesh.abort(notice_for_others(error, context.name))
        raise


class _Job(JobPhases):
    def __init__(
        self, context: PartyContext, settings: TrainingSettings, watch: Watch | None = None
    ) -> None:
        super().__init__(context, settings.deadline, watch)
        self.context = context
        self.settings = settings
        self.session = context.session
        self.owners = context.session.parties[: settings.owners or None]
        self.columns: ColumnSplit | None = None

    def run(self) -> OwnerResult:
        with self.phase("schema"):
            schema = self._agree_on_schema()
            refuse_readable_preparation(schema, self.settings.reveal_to)
            if self.settings.privacy is not None:
                check_choice(self.settings)
                check_schema(schema)
        with ExitStack() as files:
            own = None
            with self.phase("reading"):
                if self.settings.file is not None:
                    part = self._own_part(schema)
                    rows = files.enter_context(self._read(self.settings.file, part))
                    own = _Own(rows, self.settings, self.context.name, Layout.of(part))
                counts = self._row_counts(own)
            if self.columns is not None:
                with self.phase("alignment"):
                    self._check_alignment(counts)
            drift = self._drift(schema, own, counts)
            return msgspec.structs.replace(self._train(schema, own, counts), drift=drift)

    def _drift(
        self, schema: Schema, own: _Own | None, counts: dict[str, _RowCounts]
    ) -> DriftFindings | None:
        """Compare the owners' data, if they agreed to; not again where a job goes on."""
        settings = self.settings
        if settings.drift is None or settings.resume:
            return None
        with self.phase("drift"):
            profiles = profiles_of(schema)
            mine = None if own is None else profile(own.rows, profiles)
            rows = [counts[name].train + counts[name].test for name in self.owners]
            return find_drift(self.session, mine, rows, profiles, settings.drift)

    def _train(
        self, schema: Schema, own: _Own | None, counts: dict[str, _RowCounts]
    ) -> OwnerResult:
        settings, session = self.settings, self.session
        train_counts = tuple(counts[name].train for name in self.owners)
        to = tuple(session.position(name) for name in settings.reveal_to)
        owners = tuple(range(len(self.owners)))
        plan = self._plan(schema, train_counts, tuple(sorted({*owners, *to})))
        if settings.privacy is not None:
            with self.phase("privacy"):
                plan = self._private(settings.privacy, plan, evaluated=bool(to))
        form = self._form(schema, plan)
        way = self._way(schema, plan, form, own)
        held_out = self._held_out(form, own, counts)
        way.prepare(self)
        with self.phase("training"):
            latest: list[str] = []
            report = self.reporter("training", plan.steps, latest=latest)
            course = way.train(report, lambda text: latest.__setitem__(slice(None), [text]))
        kept, kept_problem = self._keep(way)
        with self.phase("reveal"):
            numbers = way.reveal(to)
            model = None if numbers is None else ClearModel.of_flat(form, numbers)
        joint = joint_on_own = findings = None
        with self.phase("evaluation"):
            if held_out is not None:
                findings, evaluated = self._measured(held_out, way), owners
            else:
                if own is not None and model is not None:
                    joint_on_own = count_scores(model, own.rows, own.test)
                joint, evaluated = way.evaluate(joint_on_own, [i for i in to if i in owners], to)
        # What follows is each owner's own affair: nobody waits for it.
        session.close()
        alone = self._alone(schema, plan, own)
        alone_counts = None
        if alone is not None and own is not None:
            alone_counts = count_scores(alone, own.rows, own.test)
        return OwnerResult(
            schema=schema,
            session_id=session.session_id,
            plan=plan,
            rows=train_counts,
            test_rows=tuple(counts[name].test for name in self.owners),
            model=None if model is None else model.record(),
            joint=_plain(joint),
            evaluated=evaluated,
            alone_model=None if alone is None else alone.record(),
            alone=_plain(alone_counts),
            joint_on_own=_plain(joint_on_own),
            losses=course.losses,
            metrics=course.metrics,
            steps=course.steps,
            findings=findings,
            columns=self._columns_by_owner(),
            kept=kept,
            kept_problem=kept_problem,
            phases=self.costs,
            peak_memory=peak_memory(),
        )

    def _plan(
        self, schema: Schema, rows: tuple[int, ...], loss_to: tuple[int, ...]
    ) -> TrainingPlan:
        settings, split = self.settings, self.columns
        plan = TrainingPlan(
            rows=rows if split is None else rows[:1],
            parts=() if split is None else split.widths,
            order=() if split is None else split.order,
            label_owner=0 if split is None else split.label_owner,
            columns=len(schema.prepared),
            epochs=settings.epochs,
            batch_size=settings.batch_size,
            learning_rate=settings.learning_rate,
            decay=settings.decay,
            seed=settings.seed,
            fraction_bits=_FRACTION_BITS,
            loss_to=loss_to,
            kind=settings.kind,
            hidden=settings.hidden,
            activation=settings.activation,
            optimiser=settings.optimiser,
            dropout=settings.dropout,
            class_weights=settings.class_weights,
            stopping=settings.stopping,
        )
        if not settings.reveal_loss:
            return plan
        return replace(plan, loss_every=max(1, plan.steps_an_epoch // _LOSSES_PER_EPOCH))

    def _private(self, asked: Privacy, plan: TrainingPlan, *, evaluated: bool) -> TrainingPlan:
        """The plan with its terms of privacy, told before anything is trained."""
        plan = private_plan(plan, asked, evaluated=evaluated)
        self._agree(tagged_hash("terms of privacy", msgspec.msgpack.encode(plan.privacy)))
        self.context.progress(described(plan), 0, unit=NOTE)
        return plan

    def _form(self, schema: Schema, plan: TrainingPlan) -> ModelForm:
        form = ModelForm(
            kind=plan.kind,
            schema=schema,
            hidden=plan.hidden,
            activation=plan.activation,
            fraction_bits=plan.fraction_bits,
            rows=sum(plan.rows),
            notes={} if plan.privacy is None else {PRIVACY: spent_text(plan.privacy.training)},
        )
        return expanded_form(form, Layout.of(schema))

    def _keep(self, way: Way) -> tuple[int, str]:
        """Store the secret model, where that is asked for; why it could not be.

        Where a party was lost there is nobody to hold its shares; who learns the model gets it
        all the same.
        """
        settings = self.settings
        if not settings.keep:
            return 0, ""
        with self.phase("keeping"):
            try:
                return way.keep(settings.keep), ""
            except UsageError as error:
                if error.code != _LOST or not settings.reveal_to:
                    raise
                return 0, error.message

    def _alone(self, schema: Schema, plan: TrainingPlan, own: _Own | None) -> ClearModel | None:
        """What this owner gets from its own rows, if it wants to know."""
        if not self.settings.alone or own is None:
            return None
        started, layout = time.perf_counter(), Layout.of(schema)
        self.context.progress("alone", 0)
        # Trained in the clear: no promise of the joint training is one of this model's.
        alone = replace(plan, rows=(len(own.train.index),), privacy=None)
        if self.columns is not None:
            # Only who has the labels can train alone, on the columns that it has.
            part = self._own_part(schema)
            if not part.label or not part.features:
                return None
            schema = Schema(version=part.version, label=part.label, columns=part.columns)
            plan = alone = replace(
                alone, columns=len(part.features), parts=(), order=(), label_owner=0
            )
        report = self.reporter("alone", alone.steps)
        start = self.settings.start
        known = None if start is None or start.model is None else start.model
        parameters = train_alone(
            plan,
            own.train,
            own.moments,
            standardised(schema),
            report,
            None if known is None else ClearModel.of_record(known).parameters,
            None if layout.is_plain else ClearPreparation.of([own.summaries], layout),
        )
        self.costs.append(PhaseCost("alone", time.perf_counter() - started, 0, 0, 0))
        self.context.progress("alone", 1, 1)
        return ClearModel(self._form(schema, alone), parameters)

    def _way(self, schema: Schema, plan: TrainingPlan, form: ModelForm, own: _Own | None) -> Way:
        """Rows that stream, or, where output is guaranteed, rows that all parties keep."""
        settings, layout = self.settings, Layout.of(schema)
        preparation = None
        if not layout.is_plain:
            check_expansion(schema, plan.hidden, plan.activation, settings.start is not None)
            preparation = Preparation(layout, plan.rows, plan.fraction_bits)
        start = b"" if settings.start is None else msgspec.msgpack.encode(settings.start)
        digest = job_digest(schema.digest(), plan, start)
        if plan.privacy is not None:  # going on opens the same, and to the same parties
            recipients = (name.encode() for name in settings.reveal_to)
            digest = tagged_hash("private training", digest, *recipients)
        job = TrainingJob(
            plan=plan,
            digest=digest,
            mask=standardised(schema),
            storage=settings.storage,
            every=settings.every,
            resume=settings.resume,
            form=form,
            start=settings.start,
            store=settings.store,
            recipients=settings.reveal_to,
            preparation=preparation,
        )
        guaranteed = self.session.protocol.security.outcome == "guaranteed output"
        way = KeptTraining if guaranteed else StreamedTraining
        if plan.privacy is not None:
            return PrivateTraining(self.session, job, None if own is None else own.train)
        if own is None:
            return way(self.session, job, None, None)
        return way(self.session, job, own.train, _mean_and_variance(own.moments), own.summaries)

    # Owners with different columns of the same rows.

    def _own_part(self, schema: Schema) -> Schema:
        """What this owner's file is read by."""
        if self.columns is None:
            return schema
        return self.columns.part(schema, self.session.position(self.context.name))

    def _columns_by_owner(self) -> dict[str, tuple[str, ...]]:
        if self.columns is None:
            return {}
        return dict(zip(self.owners, self.columns.names, strict=True))

    def _join_columns(self) -> Schema:
        schema, self.columns = join_columns(self.session, self.settings, self.owners)
        return schema

    def _check_alignment(self, counts: dict[str, _RowCounts]) -> None:
        check_row_counts({n: counts[n].train + counts[n].test for n in self.owners})
        if self.settings.key:
            check_keys(self.session, self.settings, self.owners)

    def _held_out(
        self, form: ModelForm, own: _Own | None, counts: dict[str, _RowCounts]
    ) -> HeldOutRows | None:
        """Held-out rows whose columns different owners have: nobody can score them alone."""
        if self.columns is None:
            return None
        rows = counts[self.owners[0]].test
        if self.settings.reveal_to:
            check_size(rows, self.settings.minimum, _DIGITS)
        mine = None if own is None else RowSubset(own.rows, own.test)
        found = HeldOutRows(self.session, form, self.columns, mine, rows)
        if self.session.protocol.security.outcome == "guaranteed output":
            with self.phase("sharing held-out rows"):
                found.share()
        return found

    def _measured(self, held_out: HeldOutRows, way: Way) -> Findings | None:
        settings = self.settings
        if not settings.reveal_to:
            return None
        measures = parse_measures(settings.metrics)
        found = held_out.measure(way.model, measures, settings.minimum, digits=_DIGITS)
        opened = self.session.reveal(found.secret.reference, settings.reveal_to)
        numbers = opened.get(self.context.name)
        return None if numbers is None else found.findings(numbers)

    def _row_counts(self, own: _Own | None) -> dict[str, _RowCounts]:
        return self.session.gather(
            _RowCounts(0, 0) if own is None else own.counts,
            _RowCounts,
            stage="row counts",
            patience=self.settings.deadline,
        )

    def _agree_on_schema(self) -> Schema:
        settings, session = self.settings, self.session
        if settings.vertical:
            schema = self._join_columns()
        elif settings.schema is not None:
            schema = Schema.load(settings.schema)
        else:
            mine = _Notice()
            if settings.file is not None:
                drafted = draft(
                    settings.file,
                    settings.label,
                    owner=self.context.name,
                    exclude=settings.exclude,
                    share_categories=settings.share_categories,
                    missing=settings.missing,
                )
                mine = _Notice(drafted.to_bytes())
            drafts = session.gather(
                mine, _Notice, stage="schema drafts", patience=settings.deadline
            )
            schema = merge({n: Draft.from_bytes(drafts[n].value, n) for n in self.owners})
        self._check_signed_off(schema)
        self._agree(tagged_hash("training job", schema.digest(), settings.public()))
        return schema

    def _agree(self, digest: bytes) -> None:
        patience = self.settings.deadline
        other = self.session.who_differs(digest, stage="schema agreement", patience=patience)
        if other is not None:
            raise SchemaError(
                f"{self.context.name} and {other} do not agree on the schema or on the"
                " training's parameters.",
                next_step="give all owners the same schema file and the same options.",
                case=10,
                parties=[self.context.name, other],
                stage="schema",
            )

    def _check_signed_off(self, schema: Schema) -> None:
        """Refuse any schema but the one that this party signed off, before anything is shared."""
        signed, found = self.settings.schema_digest, schema.digest().hex()
        if signed and found != signed:
            raise SchemaError(
                f"The schema of this training is not the one that {self.context.name} signed off:"
                f" its digest is {found[:16]}…, not {signed[:16]}….",
                next_step="compare both with `tacit schema show`; sign the new one off if you agree"
                " to it.",
                case=7,
                parties=[self.context.name],
                stage="schema",
            )

    def _read(self, file: str, schema: Schema) -> Spool:
        report = self.reporter("reading", 100, unit="%")
        return spool(
            file,
            schema,
            owner=self.context.name,
            errors=self.settings.errors,
            progress=lambda rows, fraction: report(round(100 * fraction)),
            # That a training ended, because an owner has rows of one label alone, tells of a row.
            one_class=self.settings.privacy is not None,
        )


def _mean_and_variance(local: Moments) -> NDArray[np.float64]:
    return np.stack([local.mean(), local.deviation() ** 2])


def _plain(counts: ScoreCounts | None) -> CountRecord | None:
    if counts is None:
        return None
    return CountRecord(counts.negatives.tolist(), counts.positives.tolist(), counts.squared_error)
