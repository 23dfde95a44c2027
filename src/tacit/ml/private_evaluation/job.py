"""The job of a party's process in ``tacit evaluate``: from its model or its file to the metrics.

Every party runs these lines. Order: everybody learns the form of the model and agrees on it and on
what is measured, by digest; data owners check and encode their own files; then model, rows, labels
and groups are shared. Where output is guaranteed all of them are shared before anything is
computed, and from then on a party may be lost.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

import tacit.arrays.functions as F
from tacit.arrays import SecretArray
from tacit.encoding.digest import tagged_hash
from tacit.encoding.types import bool_, int64
from tacit.errors import DataError, RangeError, SchemaError
from tacit.ml.measures import parse_measures
from tacit.ml.measures.measuring import Measured, check_size, measured
from tacit.ml.private_evaluation.columns import JoinedRows, shown_columns
from tacit.ml.private_evaluation.records import EvaluationResult, EvaluationSettings
from tacit.ml.private_evaluation.rows import OwnedRows, group_names, table_schema
from tacit.ml.private_evaluation.scoring import CHUNK_ROWS, scored
from tacit.ml.vertical import check_keys, check_row_counts
from tacit.models import ClearModel, ModelForm, load, share_model
from tacit.sessions.context import PartyContext
from tacit.sessions.handles import Reference
from tacit.sessions.phases import JobPhases, peak_memory
from tacit.tables import GROUPS, Schema, notice_for_others, spool

__all__ = ["run_party"]

_STEPS = 6
"""What the measuring reports at most."""


class _Notice(Struct, frozen=True):
    """A small public message among the parties; empty from one that has nothing to say."""

    value: bytes = b""


class _Count(Struct, frozen=True):
    rows: int = 0


def run_party(context: PartyContext) -> EvaluationResult:
    """Run the job at one party."""
    settings = msgspec.msgpack.decode(context.configuration, type=EvaluationSettings)
    if settings.evidence is not None:
        context.session.keep_evidence(Path(settings.evidence))
    context.session.hold_inputs()
    try:
        return _Job(context, settings).run()
    except (DataError, RangeError, SchemaError) as error:
        own = context.name in error.parties or not error.parties
        if own and error.stage != GROUPS:  # which all parties refuse alike, by the model's form
            # The others hear only that this party cannot go on with its file.
            context.mesh.abort(notice_for_others(error, context.name))
        raise


class _Job:
    def __init__(self, context: PartyContext, settings: EvaluationSettings) -> None:
        self.context = context
        self.settings = settings
        self.session = context.session
        self.phases = JobPhases(context, settings.deadline)

    def run(self) -> EvaluationResult:
        settings, session = self.settings, self.session
        with self.phases.phase("model"):
            form, model, parameters = self._agree()
        schema = table_schema(form.schema, settings.label, settings.by)
        if settings.vertical:
            found, counts = self._by_columns(form, model, parameters, schema)
        else:
            found, counts = self._by_rows(form, model, parameters, schema)
        with self.phases.phase("reveal"):
            opened = session.reveal(found.secret.reference, settings.reveal_to)
        numbers = opened.get(self.context.name)
        return EvaluationResult(
            session_id=session.session_id,
            model=form.title,
            features=len(form.feature_names),
            schema_digest=form.schema.digest(),
            model_digest=form.digest(),
            rows=counts,
            findings=None if numbers is None else found.findings(numbers),
            phases=self.phases.costs,
            peak_memory=peak_memory(),
        )

    def _by_rows(
        self,
        form: ModelForm,
        model: ClearModel | None,
        parameters: list[Reference],
        schema: Schema,
    ) -> tuple[Measured, dict[str, int]]:
        """Data owners with the same columns."""
        settings, session = self.settings, self.session
        with ExitStack() as files:
            own = None
            with self.phases.phase("reading"):
                if settings.file is not None:
                    rows = files.enter_context(self._read(settings.file, schema))
                    own = OwnedRows(rows, schema, len(form.feature_names), settings.by)
                counts = self._counts(own)
            if settings.model_owner:
                with self.phases.phase("sharing the model"):
                    parameters = share_model(session, settings.model_owner, form, model)
            score, label, groups = self._inputs(form, parameters, own, counts, schema)
        with self.phases.phase("measuring"):
            return self._measured(score, label, groups, schema), counts

    def _by_columns(
        self,
        form: ModelForm,
        model: ClearModel | None,
        parameters: list[Reference],
        schema: Schema,
    ) -> tuple[Measured, dict[str, int]]:
        """Data owners with different columns of the same rows."""
        settings, session, name = self.settings, self.session, self.context.name
        mine = _Notice(shown_columns(schema, settings.file, name))
        told = session.gather(mine, _Notice, stage="columns", patience=settings.deadline)
        joined = JoinedRows.of(form, settings, schema, {n: t.value for n, t in told.items()})
        with ExitStack() as files:
            own = None
            with self.phases.phase("reading"):
                if settings.file is not None:
                    part = joined.part(name)
                    rows = files.enter_context(self._read(settings.file, part))
                    own = OwnedRows(rows, part, len(form.feature_names), settings.by)
                counts = self._counts(own)
                check_row_counts(counts)
            if settings.key:
                with self.phases.phase("alignment"):
                    check_keys(session, settings, settings.owners)

            def secret() -> list[Reference]:
                if not settings.model_owner:
                    return parameters
                return share_model(session, settings.model_owner, form, model)

            with self.phases.phase("measuring"):
                rows_of_all = next(iter(counts.values()))
                return joined.measured(session, secret, own, rows_of_all), counts

    # Before anything is shared.

    def _agree(self) -> tuple[ModelForm, ClearModel | None, list[Reference]]:
        """The model's form at all parties; its parameters where it is stored."""
        settings, session = self.settings, self.session
        model, own_form = None, _Notice()
        parameters: list[Reference] = []
        if settings.storage is not None:
            session.attach(settings.storage)
        if settings.stored:
            form, parameters = load(session, settings.stored)
        else:
            if settings.model is not None:
                model = ClearModel.load(settings.model)
                own_form = _Notice(model.form.to_bytes())
            told = session.gather(
                own_form, _Notice, stage="the model's form", patience=settings.deadline
            )
            form = ModelForm.from_bytes(told[settings.model_owner].value)
        self._check_schema(form)
        digest = tagged_hash("evaluation job", form.digest(), settings.public())
        other = session.who_differs(digest, stage="agreement", patience=settings.deadline)
        if other is not None:
            raise SchemaError(
                f"{self.context.name} and {other} do not agree on the model's form or on what is"
                " measured.",
                next_step="give all parties the same options.",
                case=10,
                parties=[self.context.name, other],
                stage="agreement",
            )
        return form, model, parameters

    def _check_schema(self, form: ModelForm) -> None:
        if self.settings.schema is None:
            return
        if Schema.load(self.settings.schema).digest() != form.schema.digest():
            raise SchemaError(
                f"The model's schema is not the one that {self.context.name} agreed to.",
                next_step="compare the two files; the model must be trained on the same columns,"
                " types, bounds and categories in the same order.",
                case=11,
                parties=[self.context.name],
                stage="agreement",
            )

    def _read(self, file: str, schema: Schema) -> Any:
        report = self.phases.reporter("reading", 100, unit="%")
        return spool(
            file,
            schema,
            owner=self.context.name,
            progress=lambda rows, fraction: report(round(100 * fraction)),
            one_class=True,
        )

    def _counts(self, own: OwnedRows | None) -> dict[str, int]:
        mine = _Count() if own is None else _Count(own.rows.rows)
        told = self.session.gather(
            mine, _Count, stage="row counts", patience=self.settings.deadline
        )
        counts = {name: told[name].rows for name in self.settings.owners}
        rows = counts.values()
        total = min(rows) if self.settings.vertical else sum(rows)
        check_size(total, self.settings.minimum, self.settings.digits)
        return counts

    # Inputs and scores.

    def _inputs(
        self,
        form: ModelForm,
        parameters: list[Reference],
        own: OwnedRows | None,
        counts: dict[str, int],
        schema: Schema,
    ) -> tuple[SecretArray, SecretArray, SecretArray | None]:
        """Scores, labels and groups of all rows."""
        session, total = self.session, sum(counts.values())
        names = group_names(schema, self.settings.by)
        guaranteed = session.protocol.security.outcome == "guaranteed output"
        found: list[Reference] = []
        labels: list[Reference] = []
        groups: list[Reference] = []
        phase = "sharing the rows" if guaranteed else "sharing and scoring the rows"
        with self.phases.phase(phase):
            chunks, report, done = [], self.phases.reporter(phase, total, "rows"), 0
            for owner, rows in counts.items():
                mine = own if owner == self.context.name else None
                for start in range(0, rows, CHUNK_ROWS):
                    stop = min(start + CHUNK_ROWS, rows)
                    chunk = self._rows(form, owner, mine, start, stop)
                    if guaranteed:
                        chunks.append(chunk)
                    else:
                        found.append(scored(session, form, parameters, chunk))
                    done += stop - start
                    report(done)
                bits = None if mine is None else mine.labels
                labels.append(self._bits(owner, bits, (rows,)))
                if names:
                    bits = None if mine is None else mine.groups()
                    groups.append(self._bits(owner, bits, (rows, len(names))))
            session.inputs_complete()
        if guaranteed:
            with self.phases.phase("scoring"):
                report, done = self.phases.reporter("scoring", total, "rows"), 0
                for place, chunk in enumerate(chunks):
                    found.append(scored(session, form, parameters, chunk))
                    done += chunk.shape[0]
                    chunks[place] = found[-1]  # the rows themselves are not needed any more
                    report(done)
        joined = [
            F.concat([SecretArray(session, part) for part in parts])
            for parts in (found, labels, groups)
            if parts
        ]
        return joined[0], joined[1], joined[2] if names else None

    def _rows(
        self, form: ModelForm, owner: str, own: OwnedRows | None, start: int, stop: int
    ) -> Reference:
        elements = None if own is None else form.encoded(own.take(start, stop))
        shape = (stop - start, len(form.feature_names))
        position = self.session.position(owner)
        return self.session.input_elements(position, elements, int64, shape, form.limits)

    def _bits(
        self, owner: str, bits: NDArray[np.uint8] | None, shape: tuple[int, ...]
    ) -> Reference:
        position = self.session.position(owner)
        return self.session.input_elements(position, bits, bool_, shape, (0, 1))

    def _measured(
        self,
        score: SecretArray,
        label: SecretArray,
        groups: SecretArray | None,
        schema: Schema,
    ) -> Measured:
        settings, done = self.settings, iter(range(1, 100))
        return measured(
            label,
            score,
            parse_measures(settings.metrics),
            groups=groups,
            group_names=group_names(schema, settings.by),
            minimum=settings.minimum,
            digits=settings.digits,
            report=lambda what: self.context.progress("measuring", next(done), _STEPS),
        )
