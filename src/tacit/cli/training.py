"""Starting the owners' processes for a training, and what comes of it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

from msgspec import Struct
from rich.console import Console

from tacit.cli.alone import check_place
from tacit.cli.chronicle import Chronicle
from tacit.cli.joint import HELPER, JointJob, JointRequest, run_joint
from tacit.cli.logs import open_log
from tacit.cli.model_options import ModelChoice
from tacit.errors import TacitError, UsageError
from tacit.ml.drift import Drift
from tacit.ml.measures.names import DEFAULT
from tacit.ml.privacy.agreement import check_choice
from tacit.ml.privacy.terms import Privacy
from tacit.ml.records import OwnerResult, TrainingSettings
from tacit.protocols import protocol_named
from tacit.protocols.interface import Rounding
from tacit.sessions.joining import ROUNDING
from tacit.sessions.messages import Progress
from tacit.sessions.session import checked_parties
from tacit.storage import places

if TYPE_CHECKING:
    from tacit.cli.comparison import Comparison
    from tacit.cli.outcome import Outcome

__all__ = ["Director", "TrainingRequest", "run_training"]

JOB: Final = "tacit.ml.job"
"""What every party's process runs."""

LOGISTIC = ModelChoice()

WARNING_POOLED = (
    "--compare-pooled: this process read ALL owners' files and trained in the clear. It is meant"
    " for tests on data that one organisation owns; never use it with real owners."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRequest(JointRequest):
    """What the user asks for; the fields are the options of ``tacit train``."""

    files: dict[str, Path]
    label: str
    helper: str | None = None
    reveal_to: tuple[str, ...] = ()
    reveal_loss: bool = False
    schema: Path | None = None
    schema_digest: str = ""
    drift: Drift | None = None
    share_categories: bool = False
    exclude: tuple[str, ...] = ()
    missing: Literal["refuse", "zero", "mean"] = "refuse"
    test_size: float = 0.2
    vertical: bool = False
    key: str = ""
    metrics: str = DEFAULT
    epochs: int = 3
    batch_size: int = 1024
    model: ModelChoice = LOGISTIC
    privacy: Privacy | None = None
    seed: int = 0
    rounding: Rounding = "probabilistic"
    checkpoint: Path | None = None
    every: int = 100
    resume: bool = False
    compare_pooled: bool = False
    title: str = "One model of several owners"
    command: str = "train"
    owns_all: bool = False
    notes: tuple[str, ...] = field(default=())

    @property
    def owners(self) -> tuple[str, ...]:
        """The parties that hold data: whose files are here, or, with a kit, the consortium's."""
        if self.kit is None:
            return tuple(self.files)
        return tuple(name for name in self.kit.consortium.owners if name != self.helper)

    @property
    def parties(self) -> tuple[str, ...]:
        """The owners, then the party that holds no data, if there is one.

        Without a name it is called :data:`HELPER`, where the protocol needs one more party than
        there are files.
        """
        if self.kit is not None:
            owners = self.owners
            return (*owners, *(n for n in self.kit.consortium.names if n not in owners))
        helper = self.helper
        if helper is None and len(self.files) + 1 == self.security.parties:
            helper = HELPER
        return tuple(self.files) if helper is None else (*self.files, helper)

    def job(self, shares: Path | None = None, director: Director | None = None) -> JointJob:
        """What the parties do.

        Parameters
        ----------
        shares : path, optional
            See :meth:`settings`.
        director : Director, optional
            Stages faults, in a demo.
        """
        here = self.parties if self.kit is None else (self.kit.name,)
        settings = {name: self.settings(name, shares) for name in here}
        orders = (
            settings
            if director is None
            else {n: director.orders(n, s) for n, s in settings.items()}
        )
        return JointJob(
            module=JOB if director is None else director.module,
            parties=self.parties,
            settings=orders,
            parameters={ROUNDING: self.rounding, **settings[here[0]].agreed()},
            inputs="rows",
            staging=None if director is None else director.progress,
        )

    def settings(self, party: str, shares: Path | None = None) -> TrainingSettings:
        """What one party's process is told.

        Parameters
        ----------
        party : str
        shares : path, optional
            The folder to seal shares in where no checkpoints are wanted.
        """
        file = self.files.get(party)
        folder, store = self.checkpoint or shares, self.model.store
        here = self.parties if self.kit is None else (party,)
        return TrainingSettings(
            file=None if file is None else str(file.absolute()),
            label=self.label,
            owners=len(self.owners),
            schema=None if self.schema is None else str(self.schema.absolute()),
            schema_digest=self.schema_digest,
            drift=self.drift,
            errors=str((self.out / party / "errors.csv").absolute()),
            share_categories=self.share_categories,
            exclude=self.exclude,
            missing=self.missing,
            epochs=self.epochs,
            batch_size=self.batch_size,
            kind=self.model.kind,
            hidden=self.model.hidden,
            activation=self.model.activation,
            learning_rate=self.model.learning_rate,
            decay=self.model.l2,
            optimiser=self.model.optimiser,
            dropout=self.model.dropout,
            class_weights=self.model.class_weights,
            stopping=self.model.stopping,
            privacy=self.privacy,
            start=self.model.start,
            keep=self.model.keep,
            seed=self.seed,
            test_size=self.test_size,
            vertical=self.vertical,
            key=self.key,
            metrics=self.metrics,
            reveal_loss=self.reveal_loss,
            reveal_to=self.reveal_to,
            deadline=self.deadline,
            storage=None if folder is None else places(folder, here)[party],
            store=None if store is None else places(store, here)[party],
            alone=not self.owns_all,  # whoever owns all data compares afterwards
            evidence=self.evidence(party),
            every=self.every if self.checkpoint is not None else 0,
            resume=self.resume,
        )

    def check(self) -> None:
        """Refuse what cannot work before any process starts.

        Raises
        ------
        UsageError
            A number is out of range (TC-1045), or there are too few or too many parties
            (TC-1021), or two of the same name (TC-1022).
        """
        needed = self.security.parties
        if self.kit is not None:
            check_place(self.kit, self.files, self.owners, self.parties, self.protocol)
        elif len(self.parties) != needed:
            helper = "" if self.helper is None else f" and a helper {self.helper}"
            raise UsageError(
                f"{self.protocol} runs with {needed} parties, and {len(self.files)} files{helper}"
                " are given.",
                next_step=f"give {needed} times OWNER=FILE, or one less: then a party without data,"
                " which --helper names, joins the owners.",
                case=21,
            )
        checked_parties(protocol_named(self.protocol), self.parties)
        if self.privacy is not None:
            check_choice(self.settings(self.parties[0] if self.kit is None else self.kit.name))
        if self.compare_pooled and self.kit is not None:
            raise UsageError(
                "--compare-pooled reads all files, and here is one.",
                next_step="leave --compare-pooled out.",
                case=47,
            )
        if self.resume and self.checkpoint is None:
            raise UsageError(
                "--resume is given without --checkpoint.",
                next_step="name the folder that the interrupted run kept its checkpoints in.",
                case=79,
            )
        if self.key and not self.vertical:
            raise UsageError(
                "--key is given without --vertical.",
                next_step="leave it out, or add --vertical for different columns of the same"
                " customers.",
                case=47,
            )
        if self.vertical and (self.compare_pooled or self.drift is not None):
            raise UsageError(
                "--compare-pooled and --drift are about owners with the same columns: they do not"
                " go with --vertical.",
                next_step="leave one of the options out.",
                case=47,
            )
        if not 0.0 < self.test_size < 1.0:
            raise UsageError(
                "--test-size is not between 0 and 1.",
                next_step="give for instance 0.2 to hold out a fifth of the rows.",
                case=45,
            )
        if self.compare_pooled and self.model.start is not None and self.model.start.name:
            raise UsageError(
                "--compare-pooled cannot begin with a secret model, which nobody knows.",
                next_step="leave one of --compare-pooled and --start-from NAME out.",
                case=47,
            )
        if not self.reveal_to and not self.model.keep:
            raise UsageError(
                "The model goes to nobody and is not kept.",
                next_step="keep it with --keep NAME --store FOLDER, or name who learns it with"
                " --reveal-to.",
                case=47,
            )


class Director(Protocol):
    """Whoever stages faults in a demo; ``tacit train`` has none."""

    @property
    def module(self) -> str:
        """The job of every party's process."""

    def orders(self, party: str, settings: TrainingSettings) -> Struct:
        """What one party's process is told."""

    def progress(self, party: str, message: Progress, identifiers: Mapping[str, int]) -> str | None:
        """Take a progress message; what was done on it, for people, if anything was."""


def run_training(
    request: TrainingRequest,
    console: Console,
    *,
    as_json: bool = False,
    director: Director | None = None,
) -> Outcome:
    """Run a training to its end: processes, report, manifest, table.

    Parameters
    ----------
    request : TrainingRequest
    console : Console
        Where progress and the table go.
    as_json : bool
        Print the manifest to standard output in the end.
    director : Director, optional
        Stages faults, in a demo.
    """
    request.check()
    with open_log(request.out / "log.jsonl") as log:
        try:
            outcome = _run(request, console, log, director)
        except TacitError as error:
            log.error("training failed", code=error.code, parties=error.parties)
            raise
    if as_json:
        print(outcome.json())
    else:
        outcome.show(console)
    return outcome


def _run(
    request: TrainingRequest, console: Console, log: Any, director: Director | None
) -> Outcome:
    names = request.parties
    chronicle = Chronicle(names, request.protocol, request.security.describe())
    log.info("training started", parties=names, protocol=request.protocol)
    with _shares(request) as shares:
        job = request.job(shares, director)
        results, incidents = run_joint(request, job, OwnerResult, console, log, chronicle)
    # matplotlib and scikit-learn take seconds to import: not before there is something to show.
    from tacit.cli.comparison import compare
    from tacit.cli.outcome import outcome_of

    comparison: Comparison | None = None
    reader = next((r for r in results.values() if r.model is not None), None)
    if request.compare_pooled and reader is not None:
        with console.status("training pooled and alone in the clear, to compare"):
            start = None if request.model.start is None else request.model.start.model
            comparison = compare(request.files, reader, request.test_size, request.seed, start)
        if not request.owns_all:
            console.print(f"[bold yellow]Warning:[/] {WARNING_POOLED}")
    outcome = outcome_of(request, results, comparison, incidents, chronicle.timeline())
    outcome.save(request.out)
    log.info("training finished", report=str(request.out))
    return outcome


@contextmanager
def _shares(request: TrainingRequest) -> Iterator[Path | None]:
    """A folder for the shares of a run that keeps them until its end and no longer."""
    if not request.guaranteed or request.checkpoint is not None:
        yield None
        return
    request.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".shares-", dir=request.out) as folder:
        yield Path(folder)
