"""The job of a party's process in ``tacit distil``: from rows, or a stored model, to labels.

Every party runs these lines. Order: agree on schema, public rows and settings by digest; share all
rows, if teachers are trained; train; label the public rows; open the labels, and nothing else, to
the recipients. The student is made from these by whoever has them (``student.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from tacit.encoding.digest import tagged_hash
from tacit.errors import DataError, PolicyDeniedError, RangeError, SchemaError
from tacit.ml.distillation.public_rows import PublicRows
from tacit.ml.distillation.records import (
    DistillationResult,
    DistillationSettings,
    PateSettings,
    Release,
)
from tacit.ml.distillation.shards import assigned, rows_a_shard
from tacit.ml.distillation.teachers import OwnShards, Teachers
from tacit.ml.distillation.units import units_of
from tacit.ml.privacy.accounting import epsilon_of_votes
from tacit.ml.privacy.terms import spent_of
from tacit.models import ModelForm, load, probabilities
from tacit.models.stored import as_scores
from tacit.operations.types import ArrayType, SecretValue
from tacit.protocols.interface import Party
from tacit.rounds.contract import Step
from tacit.rounds.randomness import SystemRandomness
from tacit.sessions.context import PartyContext
from tacit.sessions.handles import Reference
from tacit.sessions.phases import JobPhases, peak_memory
from tacit.tables import Schema, Spool, notice_for_others, spool

__all__ = ["run_party"]

_SCORED_ROWS = 16_384


class _Count(Struct, frozen=True):
    rows: int = 0


def run_party(context: PartyContext) -> DistillationResult:
    """Run the job at one party."""
    settings = msgspec.msgpack.decode(context.configuration, type=DistillationSettings)
    if settings.evidence is not None:
        context.session.keep_evidence(Path(settings.evidence))
    context.session.hold_inputs()
    try:
        return _Job(context, settings).run()
    except (DataError, RangeError, SchemaError) as error:
        if context.name in error.parties or not error.parties:
            # The others hear only that this party cannot go on with its file.
            context.mesh.abort(notice_for_others(error, context.name))
        raise


class _Job:
    def __init__(self, context: PartyContext, settings: DistillationSettings) -> None:
        self.context = context
        self.settings = settings
        self.session = context.session
        self.phases = JobPhases(context, settings.deadline)
        self.rows: dict[str, int] = {}

    def run(self) -> DistillationResult:
        settings = self.settings
        with self.phases.phase("agreement"):
            form, parameters = self._stored()
            schema = self._schema() if form is None else form.schema
            public = PublicRows(schema, settings.public_rows, settings.synthetic, settings.seed)
            self._agree(schema, form, public)
        if settings.pate is None:
            assert form is not None
            teacher, spent = form.title, spent_of(form.notes)
            releases = self._labels_of_model(form, parameters, public)
        else:
            pate = settings.pate
            teacher = f"{pate.teachers} teachers"
            labels = pate.releases * len(public.features)
            spent = epsilon_of_votes(pate.sigma, 2, labels, settings.delta)
            releases = self._labels_of_teachers(pate, schema, public)
        return DistillationResult(
            session_id=self.session.session_id,
            schema=schema,
            teacher=teacher,
            form=form,
            rows=self.rows,
            releases=releases,
            spent=spent,
            phases=self.phases.costs,
            peak_memory=peak_memory(),
        )

    # Before anything is shared.

    def _stored(self) -> tuple[ModelForm | None, list[Reference]]:
        settings, session = self.settings, self.session
        if settings.pate is not None:
            return None, []
        assert settings.storage is not None
        session.attach(settings.storage)
        form, parameters = load(session, settings.stored)
        if spent_of(form.notes) is None and not settings.unprotected:
            raise PolicyDeniedError(
                f"The model {settings.stored} was trained without differential privacy, so its"
                " labels, and a student made from them, could tell about rows that it was trained"
                " on.",
                next_step="train it with `tacit train --dp … --keep`, or distil from teachers with"
                " --teachers; or give --without-privacy-guarantee, which the report will say.",
                case=30,
                stage="distillation",
            )
        return form, parameters

    def _schema(self) -> Schema:
        assert self.settings.schema is not None
        return Schema.load(self.settings.schema)

    def _agree(self, schema: Schema, form: ModelForm | None, public: PublicRows) -> None:
        parts = [schema.digest(), public.digest(), self.settings.public()]
        digest = tagged_hash("distillation", *parts, b"" if form is None else form.digest())
        patience = self.settings.deadline
        other = self.session.who_differs(digest, stage="agreement", patience=patience)
        if other is not None:
            raise SchemaError(
                f"{self.context.name} and {other} do not agree on the schema, on the public rows"
                " or on the options.",
                next_step="give all parties the same schema, the same public file and the same"
                " options.",
                case=10,
                parties=[self.context.name, other],
                stage="agreement",
            )

    # Teachers.

    def _labels_of_teachers(
        self, pate: PateSettings, schema: Schema, public: PublicRows
    ) -> list[Release]:
        settings, phases = self.settings, self.phases
        with phases.phase("reading"), ExitStack() as files:
            own = self._read(schema)
            if own is not None:
                files.enter_context(own)
            told = self.session.gather(
                _Count(0 if own is None else own.rows),
                _Count,
                stage="row counts",
                patience=settings.deadline,
            )
            self.rows = {name: told[name].rows for name in settings.owners}
            sizes = [
                rows_a_shard(rows, pate.teachers, pate.most_rows) for rows in self.rows.values()
            ]
            self._check_sizes(sizes, pate)
            shards = None if own is None else self._shards(own, pate, sizes)
        total = sum(sizes) * pate.teachers
        teachers = Teachers(self.session, pate, sizes, len(schema.features))
        with phases.phase("sharing"):
            teachers.share(shards, phases.reporter("sharing", total, "rows"))
            self.session.inputs_complete()
        with phases.phase("standardisation"):
            teachers.prepare(phases.reporter("standardisation", total, "rows"))
        releases, every = [], pate.every or pate.epochs
        for number in range(pate.releases):
            with phases.phase("training"):
                teachers.train(every, phases.reporter("training", teachers.steps))
            with phases.phase("voting"):
                report = phases.reporter("voting", len(public.features), "rows")
                labels = teachers.labels(public, report)
            releases += self._opened(labels, (number + 1) * every)
        return releases

    def _check_sizes(self, sizes: Sequence[int], pate: PateSettings) -> None:
        for name, size in zip(self.rows, sizes, strict=True):
            if not size:
                raise SchemaError(
                    f"{name} has {self.rows[name]} rows, fewer than the {pate.teachers} teachers.",
                    next_step="use fewer teachers, or do without this owner's rows.",
                    case=15,
                    stage="shards",
                )

    def _read(self, schema: Schema) -> Spool | None:
        settings = self.settings
        if settings.file is None:
            return None
        report = self.phases.reporter("reading", 100, unit="%")
        return spool(
            settings.file,
            schema,
            owner=self.context.name,
            progress=lambda rows, fraction: report(round(100 * fraction)),
            one_class=True,  # that all labels are the same is no affair of the others
        )

    def _shards(self, own: Spool, pate: PateSettings, sizes: Sequence[int]) -> OwnShards:
        settings, name = self.settings, self.context.name
        assert settings.file is not None
        units = units_of(settings.file, pate.unit, owner=name) if pate.unit else None
        seed = int.from_bytes(SystemRandomness().token(16), "little")
        index = assigned(
            own.labels,
            units,
            pate.teachers,
            sizes[settings.owners.index(name)],
            balance=pate.balance,
            owner=name,
            rng=np.random.default_rng(seed),
        )
        features, labels = own.take(index.reshape(-1))
        return OwnShards(features.reshape(*index.shape, -1), labels.reshape(index.shape))

    # A stored model.

    def _labels_of_model(
        self, form: ModelForm, parameters: Sequence[Reference], public: PublicRows
    ) -> list[Release]:
        self.session.inputs_complete()
        found: list[float] = []
        with self.phases.phase("labelling"):
            total = len(public.features)
            report = self.phases.reporter("labelling", total, "rows")
            for start in range(0, total, _SCORED_ROWS):
                part = public.features[start : start + _SCORED_ROWS]
                encoded = form.encoded(part).view(np.int64)

                def evaluate(
                    party: Party, parts: Sequence[SecretValue], encoded: NDArray[np.int64] = encoded
                ) -> Step[tuple[SecretValue, ...]]:
                    shares = [value.share for value in parts]
                    p = yield from probabilities(party, form, shares, party.public(encoded))
                    return (SecretValue(form.dtype, p),)

                (reference,) = self.session.compute(
                    "labelling",
                    evaluate,
                    parameters,
                    results=(ArrayType(form.dtype, (len(part),)),),
                    public=start.to_bytes(8, "little"),
                )
                opened = self._open(as_scores(reference))
                if opened is not None:
                    found += np.clip(opened, 0.0, 1.0).tolist()
                report(start + len(part))
        return [Release(epochs=0, targets=found)] if found else []

    def _opened(self, labels: Reference, epochs: int) -> list[Release]:
        with self.phases.phase("reveal"):
            opened = self._open(labels)
        if opened is None:
            return []
        return [Release(epochs=epochs, targets=[float(label) for label in opened])]

    def _open(self, reference: Reference) -> NDArray[np.float64] | None:
        return self.session.reveal(reference, self.settings.reveal_to).get(self.context.name)
