"""Starting the parties' processes for an evaluation, and what comes of it."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tacit.cli.evaluation_inputs import refuse
from tacit.cli.joint import HELPER, JointJob, JointRequest, run_joint
from tacit.cli.logs import open_log
from tacit.cli.terminal import literal
from tacit.consortium import Kit
from tacit.ml.measures import DEFAULT, Findings, parse_measures
from tacit.ml.private_evaluation.records import EvaluationResult, EvaluationSettings
from tacit.ml.private_evaluation.rows import Grouping
from tacit.protocols import protocol_named
from tacit.protocols.interface import Rounding
from tacit.reports import IncidentRecord
from tacit.sessions.joining import ROUNDING
from tacit.sessions.session import checked_parties
from tacit.storage import places
from tacit.storage.store import owner_of

__all__ = ["EvaluationOutcome", "EvaluationRequest", "run_evaluation"]

JOB = "tacit.ml.private_evaluation.job"


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationRequest(JointRequest):
    """What the user asks for; the fields are the options of ``tacit evaluate``."""

    data: dict[str, Path]
    model_file: tuple[str, Path] | None = None
    store: Path | None = None
    stored: str = ""
    label: str = ""
    helpers: tuple[str, ...] = ()
    minimum: int = 10
    digits: int = 4
    metrics: str = DEFAULT
    by: Grouping | None = None
    schema: Path | None = None
    vertical: bool = False
    key: str = ""
    rounding: Rounding = "exact"
    out: Path = Path("evaluation")
    order: tuple[str, ...] = ()

    @property
    def model_owner(self) -> str:
        """The party with the model; empty for a stored one."""
        return "" if self.model_file is None else self.model_file[0]

    @property
    def owners(self) -> tuple[str, ...]:
        """Who has something: the model's owner first."""
        return (*((self.model_owner,) if self.model_owner else ()), *self.data)

    @property
    def parties(self) -> tuple[str, ...]:
        """All parties, in the protocol's order: of a stored model, as they stored it."""
        return self.order or (*self.owners, *self.helpers)

    def complete(self) -> EvaluationRequest:
        """With the parties that hold nothing, or those of the store.

        Raises
        ------
        UsageError
            Model, data and store do not fit together (TC-1074), or there are too many or too few
            parties (TC-1021), or two of the same name (TC-1022).
        """
        if self.stored or self.store is not None:
            return self._of_the_store()
        if self.kit is not None:
            return replace(self, order=self._of_the_kit(self.kit))
        if self.model_file is None:
            refuse("no model is named")
        request, needed = self, self.security.parties
        if not self.helpers and len(self.owners) < needed:
            missing = needed - len(self.owners)
            names = [HELPER, *(f"{HELPER}{k}" for k in range(2, missing + 1))]
            request = replace(self, helpers=tuple(names))
        checked_parties(protocol_named(self.protocol), request.parties)
        return request

    def _of_the_kit(self, kit: Kit) -> tuple[str, ...]:
        """The consortium's parties: those that hold data first, as in a training."""
        if self.model_file is None:
            refuse("no model is named")
        holders = kit.consortium.owners
        names = (*holders, *(name for name in kit.consortium.names if name not in holders))
        unknown = [name for name in self.owners if name not in names]
        if unknown:
            refuse(f"{', '.join(unknown)} is no party of the consortium {kit.consortium.name}")
        checked_parties(protocol_named(self.protocol), names)
        return names

    def _of_the_store(self) -> EvaluationRequest:
        if self.model_file is not None or not self.stored or self.store is None:
            refuse("a stored model is named by --store and --model, and no model file beside it")
        found = [who for path in sorted(self.store.glob("*/")) if (who := owner_of(path))]
        if not found:
            refuse(f"{self.store} holds no party's folder")
        first = found[0]
        unknown = [name for name in (*self.data, *self.helpers) if name not in first.parties]
        if unknown:
            refuse(
                f"{', '.join(unknown)} is none of {', '.join(first.parties)}, who stored the model"
            )
        return replace(self, order=first.parties, protocol=first.protocol)

    def job(self, recipients: tuple[str, ...]) -> JointJob:
        """What the parties do, for these recipients."""
        settings = {name: self.settings(name, recipients) for name in self.parties}
        return JointJob(
            module=JOB,
            parties=self.parties,
            settings=settings,
            parameters={ROUNDING: self.rounding, **settings[self.parties[0]].agreed()},
        )

    def settings(self, party: str, recipients: tuple[str, ...]) -> EvaluationSettings:
        """What one party's process is told."""
        rows, model = self.data.get(party), self.model_file
        if self.kit is not None and party != self.kit.name:
            rows = model = None  # theirs, on their machines
        own_model = model[1] if model is not None and model[0] == party else None
        where = None if self.store is None else places(self.store, self.parties)[party]
        return EvaluationSettings(
            owners=tuple(self.data),
            model_owner=self.model_owner,
            stored=self.stored,
            file=None if rows is None else str(rows.absolute()),
            model=None if own_model is None else str(own_model.absolute()),
            schema=None if self.schema is None or rows is None else str(self.schema.absolute()),
            label=self.label,
            by=self.by,
            metrics=self.metrics,
            minimum=self.minimum,
            digits=self.digits,
            vertical=self.vertical,
            key=self.key,
            reveal_to=recipients,
            deadline=self.deadline,
            storage=where,
            evidence=self.evidence(party),
        )


@dataclass(frozen=True, slots=True)
class EvaluationOutcome:
    """What an evaluation gave.

    Attributes
    ----------
    request : EvaluationRequest
    recipients : tuple of str
    results : dict of str to EvaluationResult
        Each party's own, without those that were lost.
    incidents : tuple of IncidentRecord
    created : datetime
    """

    request: EvaluationRequest
    recipients: tuple[str, ...]
    results: dict[str, EvaluationResult]
    incidents: tuple[IncidentRecord, ...]
    created: datetime.datetime

    @property
    def reader(self) -> EvaluationResult:
        """A recipient's result, or any other one if all recipients are lost."""
        found = [r for r in self.results.values() if r.findings is not None]
        return found[0] if found else next(iter(self.results.values()))

    @property
    def findings(self) -> Findings | None:
        """What the recipients learned."""
        return self.reader.findings

    def as_dict(self) -> dict[str, Any]:
        """For JSON: what was revealed, to whom, and what is public."""
        reader, request = self.reader, self.request
        found = None
        if self.findings is not None:
            found = msgspec.to_builtins(self.findings)
            found["calibration_error"] = self.findings.calibration_error
            found["hidden"] = self.findings.hidden
        return {
            "version": 1,
            "created": self.created.isoformat(timespec="seconds"),
            "command": "evaluate",
            "protocol": request.protocol,
            "parties": request.parties,
            "model": {"owner": request.model_owner or None, "form": reader.model},
            "rows": reader.rows,
            "recipients": self.recipients,
            "metrics": request.metrics,
            "by": None if request.by is None else request.by.column,
            "min_group": request.minimum,
            "digits": request.digits,
            "findings": found,
            "digests": {
                "session": reader.session_id.hex(),
                "schema": reader.schema_digest.hex(),
                "model form": reader.model_digest.hex(),
            },
            "costs": {
                name: msgspec.to_builtins(result.phases) for name, result in self.results.items()
            },
            "incidents": msgspec.to_builtins(self.incidents),
        }

    def save(self) -> None:
        """Write ``index.html`` and ``evaluation.json``."""
        from tacit.cli.evaluation_report import report_of  # matplotlib takes its time
        from tacit.reports.evaluation_page import write_evaluation

        folder = self.request.out
        write_evaluation(report_of(self), folder)
        text = msgspec.json.format(msgspec.json.encode(self.as_dict()), indent=2) + b"\n"
        (folder / "evaluation.json").write_bytes(text)

    def show(self, console: Console) -> None:
        """Print what happened, the metrics, and where the report lies."""
        for incident in self.incidents:
            console.print(
                f"[bold yellow]Warning:[/] {escape(incident.title)}. {escape(incident.afterwards)}",
                soft_wrap=True,
            )
        if self.findings is None:
            console.print(f"The metrics went to {escape(', '.join(self.recipients))}.")
        else:
            console.print(_table(self.findings, self.request))
            if self.findings.calibration:
                console.print(_bins(self.findings))
            if None in self.findings.overall.values() or self.findings.hidden:
                console.print(
                    f"–: held back: fewer than {self.findings.minimum} rows (or rows of a class),"
                    " or a group that would tell such a one by difference.",
                    style="dim",
                )
        console.print(f"Report: {literal(self.request.out / 'index.html')}")


def run_evaluation(
    request: EvaluationRequest,
    recipients: tuple[str, ...],
    console: Console,
    *,
    as_json: bool = False,
) -> EvaluationOutcome:
    """Run an evaluation to its end: processes, report, table."""
    request.out.mkdir(parents=True, exist_ok=True)
    with open_log(request.out / "log.jsonl") as log:
        outcome = _run(request, recipients, console, log)
    outcome.save()
    if as_json:
        print(msgspec.json.encode(outcome.as_dict()).decode())
    else:
        outcome.show(console)
    return outcome


def _run(
    request: EvaluationRequest, recipients: tuple[str, ...], console: Console, log: Any
) -> EvaluationOutcome:
    log.info("evaluation started", parties=request.parties, protocol=request.protocol)
    results, incidents = run_joint(request, request.job(recipients), EvaluationResult, console, log)
    now = datetime.datetime.now(datetime.UTC).astimezone()
    return EvaluationOutcome(request, recipients, results, incidents, now)


def _table(found: Findings, request: EvaluationRequest) -> Table:
    model = request.model_owner or f"the store ({request.stored})"
    by = "" if request.by is None else f", by {escape(request.by.column)}"
    table = Table(
        title=f"The model of {escape(model)} on {found.rows:,} rows of"
        f" {escape(', '.join(request.data))}{by}",
        title_justify="left",
    )
    table.add_column("metric", no_wrap=True)
    table.add_column("all rows", justify="right", no_wrap=True)
    for name in found.groups:
        assert request.by is not None
        short = name.removeprefix(request.by.column).lstrip("= ")
        table.add_column(escape(short), justify="right", overflow="fold")
    for measure in parse_measures(request.metrics):
        key = str(measure)
        if key not in found.overall:
            continue
        columns = [found.overall, *found.groups.values()]
        cells = [measure.text(values[key], request.digits) for values in columns]
        table.add_row(measure.title, *cells)
    return table


def _bins(found: Findings) -> Table:
    table = Table(title="Calibration, in bins of equally many rows", title_justify="left")
    for name in ("rows", "predicted", "observed"):
        table.add_column(name, justify="right")
    for one in found.calibration:
        table.add_row(f"{one.rows:,}", f"{one.predicted:.4f}", f"{one.observed:.4f}")
    return table
