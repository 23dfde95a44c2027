"""Starting the owners' processes for a training, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec
from rich.console import Console

from tacit.cli.logs import open_log
from tacit.cli.progress import PhaseBars
from tacit.errors import UsageError
from tacit.ml.job import OwnerResult, TrainingSettings
from tacit.network import NetworkSettings
from tacit.protocols import protocol_named
from tacit.protocols.interface import Rounding
from tacit.sessions import launch
from tacit.sessions.processes import ROUNDING
from tacit.storage import Place, places

if TYPE_CHECKING:
    from tacit.cli.comparison import Comparison
    from tacit.cli.outcome import Outcome

__all__ = ["TrainingRequest", "run_training"]

WARNING_POOLED = (
    "--compare-pooled: this process read ALL owners' files and trained in the clear. It is meant"
    " for tests on data that one organisation owns; never use it with real owners."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRequest:
    """What the user asks for; the fields are the options of ``tacit train``."""

    files: dict[str, Path]
    label: str
    protocol: str = "replicated3"
    reveal_to: tuple[str, ...] = ()
    reveal_loss: bool = False
    schema: Path | None = None
    share_categories: bool = False
    exclude: tuple[str, ...] = ()
    missing: Literal["refuse", "zero", "mean"] = "refuse"
    test_size: float = 0.2
    epochs: int = 3
    batch_size: int = 1024
    learning_rate: float = 0.5
    l2: float = 0.0
    seed: int = 0
    out: Path = Path("report")
    rounding: Rounding = "probabilistic"
    checkpoint: Path | None = None
    every: int = 100
    resume: bool = False
    compare_pooled: bool = False
    deadline: float = 3600.0
    heartbeat: float = 5.0
    threads: int | None = None
    title: str = "One model of several owners"
    command: str = "train"
    owns_all: bool = False
    notes: tuple[str, ...] = field(default=())

    def settings(self, owner: str) -> TrainingSettings:
        """What one owner's process is told."""
        return TrainingSettings(
            file=str(self.files[owner].absolute()),
            label=self.label,
            schema=None if self.schema is None else str(self.schema.absolute()),
            share_categories=self.share_categories,
            exclude=self.exclude,
            missing=self.missing,
            epochs=self.epochs,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            decay=self.l2,
            seed=self.seed,
            test_size=self.test_size,
            reveal_loss=self.reveal_loss,
            reveal_to=self.reveal_to,
            deadline=self.deadline,
            storage=None if self.checkpoint is None else self.places()[owner],
            every=self.every,
            resume=self.resume,
        )

    def places(self) -> dict[str, Place]:
        """Where each owner keeps checkpoints."""
        assert self.checkpoint is not None
        return places(self.checkpoint, tuple(self.files))

    def check(self) -> None:
        """Refuse what cannot work before any process starts.

        Raises
        ------
        UsageError
            A number is out of range (TC-1045), or there are too few or too many owners (TC-1021).
        """
        needed = protocol_named(self.protocol).security.parties
        if len(self.files) != needed:
            raise UsageError(
                f"{self.protocol} runs with {needed} owners, and {len(self.files)} files are"
                " given.",
                next_step="give one OWNER=FILE for each of them.",
                case=21,
            )
        if self.resume and self.checkpoint is None:
            raise UsageError(
                "--resume is given without --checkpoint.",
                next_step="name the folder that the interrupted run kept its checkpoints in.",
                case=79,
            )
        if not 0.0 < self.test_size < 1.0:
            raise UsageError(
                "--test-size is not between 0 and 1.",
                next_step="give for instance 0.2 to hold out a fifth of the rows.",
                case=45,
            )
        if not 0.0 < self.learning_rate <= 16.0:
            raise UsageError(
                "--learning-rate is not between 0 and 16.",
                next_step="give for instance 0.5; columns are standardised.",
                case=45,
            )


def run_training(request: TrainingRequest, console: Console, *, as_json: bool = False) -> Outcome:
    """Run a training to its end: processes, report, manifest, table.

    Parameters
    ----------
    request : TrainingRequest
    console : Console
        Where progress and the table go.
    as_json : bool
        Print the manifest to standard output in the end.
    """
    request.check()
    log = open_log(request.out / "log.jsonl")
    names = tuple(request.files)
    log.info("training started", parties=names, protocol=request.protocol)
    with PhaseBars(names, console) as bars:
        found = launch(
            names,
            "tacit.ml.job",
            {name: request.settings(name) for name in names},
            protocol=request.protocol,
            parameters={ROUNDING: request.rounding},
            on_progress=bars,
            settings=NetworkSettings(heartbeat_timeout=request.heartbeat),
            threads=request.threads,
        )
    # matplotlib and scikit-learn take seconds to import: not before there is something to show.
    from tacit.cli.comparison import compare
    from tacit.cli.outcome import outcome_of

    results = {name: msgspec.convert(result, OwnerResult) for name, result in found.items()}
    for name, result in results.items():
        for phase in result.phases:
            log.info("phase finished", party=name, **msgspec.structs.asdict(phase))
    comparison: Comparison | None = None
    if request.compare_pooled and request.reveal_to:
        with console.status("training pooled and alone in the clear, to compare"):
            comparison = compare(
                request.files, results[request.reveal_to[0]], request.test_size, request.seed
            )
        if not request.owns_all:
            console.print(f"[bold yellow]Warning:[/] {WARNING_POOLED}")
    outcome = outcome_of(request, results, comparison)
    outcome.save(request.out)
    log.info("training finished", report=str(request.out))
    if as_json:
        print(outcome.json())
    else:
        outcome.show(console)
    return outcome
