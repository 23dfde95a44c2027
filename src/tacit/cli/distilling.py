"""Starting the parties' processes for a distillation, and what comes of it."""

from __future__ import annotations

import datetime
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tacit.cli.joint import HELPER, JointJob, JointRequest, run_joint
from tacit.cli.logs import open_log
from tacit.cli.terminal import literal
from tacit.errors import ConfigurationError, UsageError
from tacit.ml.distillation.public_rows import PublicRows
from tacit.ml.distillation.records import (
    DistillationResult,
    DistillationSettings,
    PateSettings,
)
from tacit.ml.distillation.student import Student, train_student
from tacit.ml.privacy.accounting import checked_budget, epsilon_of_votes, vote_noise
from tacit.ml.privacy.terms import Spent
from tacit.models.onnx import save_onnx
from tacit.protocols import protocol_named
from tacit.reports import IncidentRecord
from tacit.sessions.session import checked_parties
from tacit.storage import places
from tacit.storage.store import owner_of
from tacit.tables import Schema

__all__ = ["DistillationOutcome", "DistillationRequest", "refuse", "run_distillation"]

JOB = "tacit.ml.distillation.job"

UNPROTECTED = (
    "There is no privacy guarantee: the teacher was trained without differential privacy, so labels"
    " and student can tell about rows that it was trained on. Do not publish them as anonymous."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DistillationRequest(JointRequest):
    """What the user asks for; the fields are the options of ``tacit distil``."""

    files: dict[str, Path]
    schema: Path | None = None
    public: Path | None = None
    synthetic: int = 0
    store: Path | None = None
    model: str = ""
    pate: PateSettings | None = None
    epsilon: float = 4.0
    delta: float = 1e-6
    unprotected: bool = False
    hidden: tuple[int, ...] = ()
    seed: int = 0
    out: Path = Path("student")
    order: tuple[str, ...] = ()

    @property
    def owners(self) -> tuple[str, ...]:
        """Who has rows; of a stored model all parties."""
        return self.parties if self.pate is None else tuple(self.files)

    @property
    def parties(self) -> tuple[str, ...]:
        """All parties, in the protocol's order: of a stored model, as they stored it."""
        return self.order

    def complete(self) -> DistillationRequest:
        """With parties and noise; refused where something does not fit.

        Raises
        ------
        UsageError
            Rows, store, schema and public rows do not fit together (TC-1099); too many or too few
            parties (TC-1021), or two of the same name (TC-1022).
        RangeError
            A budget that promises nothing, or cannot be met.
        """
        if (self.public is None) == (self.synthetic == 0):
            refuse("public rows come from --public or from --synthetic, one of them")
        if self.model:
            return self._of_the_store()
        if self.store is not None:
            refuse("--store is named, and no --model in it")
        if self.unprotected:
            refuse("teachers are private always: --without-privacy-guarantee is for --model")
        if self.schema is None or not self.files:
            refuse("teachers need the owners' rows and --schema")
        return self._with_parties()._with_noise()

    def _with_parties(self) -> DistillationRequest:
        holders = tuple(self.files)
        if self.kit is not None:
            parties = self.kit.consortium.names
            order = (*holders, *(name for name in parties if name not in holders))
            unknown = [name for name in holders if name not in parties]
            if unknown:
                refuse(f"{', '.join(unknown)} is no party of {self.kit.consortium.name}")
        else:
            missing = self.security.parties - len(holders)
            order = (*holders, *[HELPER, f"{HELPER}2", f"{HELPER}3"][: max(0, missing)])
        checked_parties(protocol_named(self.protocol), order)
        return replace(self, order=order)

    def _with_noise(self) -> DistillationRequest:
        """The noise for the budget, or the budget of the noise."""
        assert self.pate is not None
        assert self.schema is not None
        count, schema = self.synthetic, Schema.load(self.schema)
        if self.public is not None:
            rows = PublicRows(schema, self.public, 0, self.seed)
            count = len(rows.features)
        labels, sigma = self.pate.releases * count, self.pate.sigma
        if not sigma:
            sigma = vote_noise(self.epsilon, self.delta, 2, labels)
        else:
            checked_budget(self.epsilon, self.delta)
            if not math.isfinite(epsilon_of_votes(sigma, 2, labels, self.delta).epsilon):
                refuse(f"noise of deviation {sigma:g} over {labels} labels promises nothing")
        return replace(self, pate=msgspec.structs.replace(self.pate, sigma=sigma))

    def _of_the_store(self) -> DistillationRequest:
        if self.files or self.store is None or self.schema is not None:
            refuse("a stored model is named by --store and --model, without files and schema")
        found = [who for path in sorted(self.store.glob("*/")) if (who := owner_of(path))]
        if not found:
            refuse(f"{self.store} holds no party's folder")
        return replace(self, order=found[0].parties, protocol=found[0].protocol)

    def job(self, recipients: tuple[str, ...]) -> JointJob:
        """What the parties do, for these recipients."""
        settings = {name: self.settings(name, recipients) for name in self.parties}
        return JointJob(
            module=JOB,
            parties=self.parties,
            settings=settings,
            parameters=settings[self.parties[0]].agreed(),
        )

    def settings(self, party: str, recipients: tuple[str, ...]) -> DistillationSettings:
        """What one party's process is told."""
        file = self.files.get(party)
        if self.kit is not None and party != self.kit.name:
            file = None  # theirs, on their machines
        where = None if self.store is None else places(self.store, self.parties)[party]
        return DistillationSettings(
            owners=tuple(self.files),
            file=None if file is None else str(file.absolute()),
            schema=None if self.schema is None else str(self.schema.absolute()),
            public_rows=None if self.public is None else str(self.public.absolute()),
            synthetic=self.synthetic,
            pate=self.pate,
            stored=self.model,
            unprotected=self.unprotected,
            delta=self.delta,
            seed=self.seed,
            reveal_to=recipients,
            deadline=self.deadline,
            storage=where,
            evidence=self.evidence(party),
        )


@dataclass(frozen=True, slots=True)
class DistillationOutcome:
    """What a distillation gave.

    Attributes
    ----------
    request : DistillationRequest
    recipients : tuple of str
    results : dict of str to DistillationResult
        Each party's own, without those that were lost.
    students : list of Student
        One for each release; empty where no recipient is here.
    incidents : tuple of IncidentRecord
    created : datetime
    """

    request: DistillationRequest
    recipients: tuple[str, ...]
    results: dict[str, DistillationResult]
    students: list[Student]
    incidents: tuple[IncidentRecord, ...]
    created: datetime.datetime

    @property
    def reader(self) -> DistillationResult:
        """A recipient's result, or any other one."""
        found = [result for result in self.results.values() if result.releases]
        return found[0] if found else next(iter(self.results.values()))

    @property
    def guarantee(self) -> str:
        """What the student is promised to keep, in a sentence."""
        spent, request = self.reader.spent, self.request
        if spent is None:
            return UNPROTECTED
        if request.pate is None:
            whom = "each row that the teacher was trained on"
        else:
            unit = request.pate.unit
            whom = f"each value of {unit}, with all its rows" if unit else "each row"
        return (
            f"({spent.epsilon:.3g}, {spent.delta:g})-differential privacy for {whom}; whatever is"
            " made from the labels keeps it."
        )

    def as_dict(self) -> dict[str, Any]:
        """For JSON: what was revealed, to whom, and what is public."""
        reader, request = self.reader, self.request
        spent: Spent | None = reader.spent
        return {
            "version": 1,
            "created": self.created.isoformat(timespec="seconds"),
            "command": "distil",
            "protocol": request.protocol,
            "parties": request.parties,
            "recipients": self.recipients,
            "teacher": reader.teacher,
            "rows": reader.rows,
            "privacy": None if spent is None else msgspec.to_builtins(spent),
            "unit": request.pate.unit or "row" if request.pate else "row",
            "noise": request.pate.sigma if request.pate else None,
            "students": [
                {
                    "epochs": release.epochs,
                    "public_rows": student.rows,
                    "held_out_public_rows": student.held_out,
                    "agreement": student.agreement if student.held_out else None,
                    "labelled_1": student.positive,
                }
                for release, student in zip(reader.releases, self.students, strict=False)
            ],
            "costs": {
                name: msgspec.to_builtins(result.phases) for name, result in self.results.items()
            },
            "incidents": msgspec.to_builtins(self.incidents),
        }

    def save(self, console: Console) -> None:
        """Write the students, ``index.html`` and ``distillation.json``."""
        from tacit.cli.distillation_report import page_of  # matplotlib takes its time
        from tacit.reports.distillation_page import write_distillation

        folder = self.request.out
        for release, student in zip(self.reader.releases, self.students, strict=False):
            names = ["student"] if release is self.reader.releases[-1] else []
            if len(self.students) > 1:
                names.append(f"student-{release.epochs}")
            for name in names:
                student.model.save(folder / f"{name}.json")
                try:
                    save_onnx(student.model, folder / f"{name}.onnx")
                except ConfigurationError as error:
                    console.print(
                        f"No {escape(name)}.onnx: {escape(error.message)}", soft_wrap=True
                    )
        write_distillation(page_of(self), folder)
        text = msgspec.json.format(msgspec.json.encode(self.as_dict()), indent=2) + b"\n"
        (folder / "distillation.json").write_bytes(text)

    def show(self, console: Console) -> None:
        """Print what happened, the students, what they keep, and where the report lies."""
        for incident in self.incidents:
            console.print(
                f"[bold yellow]Warning:[/] {escape(incident.title)}. {escape(incident.afterwards)}",
                soft_wrap=True,
            )
        if not self.students:
            console.print(f"The labels went to {escape(', '.join(self.recipients))}.")
        else:
            console.print(_table(self))
        style = "bold yellow" if self.reader.spent is None else "green"
        console.print(f"[{style}]Privacy:[/] {escape(self.guarantee)}", soft_wrap=True)
        console.print(f"Report: {literal(self.request.out / 'index.html')}")


def run_distillation(
    request: DistillationRequest,
    recipients: tuple[str, ...],
    console: Console,
    *,
    as_json: bool = False,
) -> DistillationOutcome:
    """Run a distillation to its end: processes, student, report, table."""
    request.out.mkdir(parents=True, exist_ok=True)
    if request.pate is not None:
        console.print(
            f"{request.pate.teachers} teachers; noise of deviation {request.pate.sigma:.1f} votes"
            " on each count.",
            soft_wrap=True,
        )
    with open_log(request.out / "log.jsonl") as log:
        outcome = _run(request, recipients, console, log)
    outcome.save(console)
    if as_json:
        print(msgspec.json.encode(outcome.as_dict()).decode())
    else:
        outcome.show(console)
    return outcome


def _run(
    request: DistillationRequest, recipients: tuple[str, ...], console: Console, log: Any
) -> DistillationOutcome:
    log.info("distillation started", parties=request.parties, protocol=request.protocol)
    results, incidents = run_joint(
        request, request.job(recipients), DistillationResult, console, log
    )
    students = []
    for result in results.values():
        if result.releases:
            with console.status("training the student"):
                students = _students(request, result)
            break
    now = datetime.datetime.now(datetime.UTC).astimezone()
    return DistillationOutcome(request, recipients, results, students, incidents, now)


def _students(request: DistillationRequest, result: DistillationResult) -> list[Student]:
    public = PublicRows(result.schema, request.public, request.synthetic, request.seed)
    return [
        train_student(
            result.schema,
            public.features,
            release.targets,
            hidden=request.hidden,
            seed=request.seed,
        )
        for release in result.releases
    ]


def _table(outcome: DistillationOutcome) -> Table:
    table = Table(title=f"Students of {escape(outcome.reader.teacher)}", title_justify="left")
    for name in ("labels after", "public rows", "called 1", "agrees with the teacher"):
        table.add_column(name, justify="right")
    for release, student in zip(outcome.reader.releases, outcome.students, strict=True):
        table.add_row(
            f"{release.epochs} epochs" if release.epochs else "training",
            f"{student.rows:,} + {student.held_out:,} held out",
            f"{student.positive:.1%}",
            f"{student.agreement:.1%}" if student.held_out else "–",
        )
    return table


def refuse(problem: str) -> NoReturn:
    """Raises UsageError (TC-1099)."""
    raise UsageError(
        f"This cannot be distilled: {problem}.",
        next_step="give rows with a schema, or --store and --model; and --public FILE or"
        " --synthetic N. `tacit distil --help` shows both ways.",
        case=99,
        stage="distillation",
    )
