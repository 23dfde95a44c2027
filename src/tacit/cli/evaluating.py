"""Starting the parties' processes for an evaluation, and what comes of it."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tacit.cli.incidents import IncidentLog
from tacit.cli.logs import open_log
from tacit.cli.progress import PhaseBars
from tacit.cli.train import parse_owners
from tacit.cli.training import HELPER
from tacit.errors import UsageError
from tacit.ml.measures import DEFAULT, Findings, parse_measures
from tacit.ml.private_evaluation.records import EvaluationResult, EvaluationSettings
from tacit.ml.private_evaluation.rows import Grouping
from tacit.network import NetworkSettings
from tacit.protocols import SecurityModel, protocol_named
from tacit.protocols.interface import Rounding
from tacit.reports import IncidentRecord
from tacit.sessions.joining import ROUNDING
from tacit.sessions.processes import PartyProcesses
from tacit.sessions.session import checked_parties
from tacit.storage import places
from tacit.storage.store import owner_of

__all__ = ["EvaluationOutcome", "EvaluationRequest", "parse_inputs", "run_evaluation"]

_MODELS = (".json",)
_ROWS = (".csv", ".parquet", ".pq", ".tsv")
_PICKLES = (".pkl", ".pickle", ".joblib", ".skops")


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationRequest:
    """What the user asks for; the fields are the options of ``tacit evaluate``."""

    data: dict[str, Path]
    model_file: tuple[str, Path] | None = None
    store: Path | None = None
    stored: str = ""
    label: str = ""
    protocol: str = "replicated3"
    helpers: tuple[str, ...] = ()
    minimum: int = 10
    digits: int = 4
    metrics: str = DEFAULT
    by: Grouping | None = None
    schema: Path | None = None
    rounding: Rounding = "exact"
    out: Path = Path("evaluation")
    deadline: float = 3600.0
    heartbeat: float = 5.0
    patience: float = 60.0
    threads: int | None = None
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

    @property
    def security(self) -> SecurityModel:
        """The protocol's promise."""
        return protocol_named(self.protocol).security

    @property
    def guaranteed(self) -> bool:
        """Whether the run ends with a result although a party is lost."""
        return self.security.outcome == "guaranteed output"

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
        if self.model_file is None:
            _refuse("no model is named")
        request, needed = self, self.security.parties
        if not self.helpers and len(self.owners) < needed:
            missing = needed - len(self.owners)
            names = [HELPER, *(f"{HELPER}{k}" for k in range(2, missing + 1))]
            request = replace(self, helpers=tuple(names))
        checked_parties(protocol_named(self.protocol), request.parties)
        return request

    def _of_the_store(self) -> EvaluationRequest:
        if self.model_file is not None or not self.stored or self.store is None:
            _refuse("a stored model is named by --store and --model, and no model file beside it")
        found = [who for path in sorted(self.store.glob("*/")) if (who := owner_of(path))]
        if not found:
            _refuse(f"{self.store} holds no party's folder")
        first = found[0]
        unknown = [name for name in (*self.data, *self.helpers) if name not in first.parties]
        if unknown:
            _refuse(
                f"{', '.join(unknown)} is none of {', '.join(first.parties)}, who stored the model"
            )
        return replace(self, order=first.parties, protocol=first.protocol)

    def settings(self, party: str, recipients: tuple[str, ...]) -> EvaluationSettings:
        """What one party's process is told."""
        rows, model = self.data.get(party), self.model_file
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
            reveal_to=recipients,
            deadline=self.deadline,
            storage=where,
            evidence=str((self.out / party / "evidence").absolute()) if self.guaranteed else None,
        )


def parse_inputs(
    files: list[str], *, stored: str = ""
) -> tuple[tuple[str, Path] | None, dict[str, Path]]:
    """``["vendor=model.json", "bank=rows.csv"]`` as the model's owner and the data owners.

    Raises
    ------
    UsageError
        Not NAME=FILE (TC-1040), a name twice (TC-1041), two models, no rows, or a file that is
        neither (TC-1074).
    """
    owners = parse_owners(files)
    models, rows = {}, {}
    for name, path in owners.items():
        suffix = path.suffix.lower()
        if suffix in _PICKLES:
            _refuse(
                f"{path.name} is a pickle or the like, which can run code when it is opened, and"
                " nothing is ever unpickled"
            )
        if suffix in _MODELS:
            models[name] = path
        elif suffix in _ROWS:
            rows[name] = path
        else:
            _refuse(f"{path.name} is neither a model (.json) nor rows (.csv, .parquet)")
    if not rows:
        _refuse("no data owner is named")
    if len(models) > 1:
        _refuse(f"{len(models)} models are named")
    if not models and not stored:
        _refuse("no model is named")
    return next(iter(models.items()), None), rows


def _refuse(problem: str) -> NoReturn:
    raise UsageError(
        f"This cannot be evaluated: {problem}.",
        next_step="give one model and the rows: tacit evaluate vendor=model.json bank=rows.csv, or"
        " tacit evaluate bank=rows.csv --store DIR --model NAME. Of a scikit-learn model its owner"
        " makes one: tacit.models.from_sklearn(estimator, schema).save('model.json').",
        case=74,
        stage="evaluate",
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
            console.print("The metrics went to parties that are lost.")
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
        console.print(f"Report: {self.request.out / 'index.html'}")


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
    names = request.parties
    log.info("evaluation started", parties=names, protocol=request.protocol)
    with PhaseBars(names, console) as bars:
        incidents = IncidentLog(bars, log)
        with PartyProcesses(
            names,
            "tacit.ml.private_evaluation.job",
            {name: request.settings(name, recipients) for name in names},
            protocol=request.protocol,
            parameters={ROUNDING: request.rounding},
            settings=NetworkSettings(
                heartbeat_timeout=request.heartbeat, patience=request.patience
            ),
            threads=request.threads,
            tolerate=1 if request.guaranteed else 0,
            on_incident=incidents.incident,
        ) as processes:
            found = processes.results(incidents.progress)
            incidents.ended(processes.lost)
    results = {name: msgspec.convert(result, EvaluationResult) for name, result in found.items()}
    for name, result in results.items():
        for phase in result.phases:
            log.info("phase finished", party=name, **msgspec.structs.asdict(phase))
    now = datetime.datetime.now(datetime.UTC).astimezone()
    return EvaluationOutcome(request, recipients, results, incidents.records, now)


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
