"""``tacit distil``: a public model from rows that stay secret, or from a secret model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tacit.cli.alone import AsOption, KitOption, ListenOption, WaitOption, listening, own_kit
from tacit.cli.distilling import DistillationRequest, refuse, run_distillation
from tacit.cli.network_options import (
    DeadlineOption,
    HeartbeatOption,
    PartyPatienceOption,
    ThreadsOption,
)
from tacit.cli.terminal import Terminal
from tacit.cli.train import parse_owners, parse_recipients
from tacit.errors import UsageError
from tacit.ml.distillation.records import PateSettings
from tacit.sessions.threads import threads_a_party

__all__ = ["distil"]

LEAST_TEACHERS = 100


def distil(
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[OWNER=FILE ...]",
            help="Each owner and its rows, for teachers (PATE); nothing for a stored model.",
            show_default=False,
        ),
    ] = None,
    schema: Annotated[
        Path | None,
        typer.Option(
            "--schema",
            "-s",
            help="The agreed schema (JSON), for teachers. A stored model has its own.",
            show_default=False,
            rich_help_panel="Data",
        ),
    ] = None,
    public: Annotated[
        Path | None,
        typer.Option(
            "--public",
            help="Public rows to label (CSV or Parquet), the same file at every party; a label"
            " column is not read.",
            show_default=False,
            rich_help_panel="Data",
        ),
    ] = None,
    synthetic: Annotated[
        int,
        typer.Option(
            min=0,
            help="Without a file: label so many rows drawn from the schema's bounds and"
            " categories, which are public.",
            rich_help_panel="Data",
        ),
    ] = 0,
    store: Annotated[
        Path | None,
        typer.Option(
            help="The folder with the parties' stored shares, for a stored model.",
            show_default=False,
            rich_help_panel="Teacher",
        ),
    ] = None,
    model: Annotated[
        str,
        typer.Option(
            help="The name of a secret model in --store, as 'tacit train --dp … --keep NAME'"
            " stored it.",
            show_default=False,
            rich_help_panel="Teacher",
        ),
    ] = "",
    teachers: Annotated[
        int,
        typer.Option(
            help="Teachers, each trained on a shard of the rows: 100 or more. More of them stand"
            " more noise; fewer rows of each make them weaker.",
            rich_help_panel="Teacher",
        ),
    ] = 250,
    unit: Annotated[
        str,
        typer.Option(
            help="The column whose values are privacy units, such as customer: all rows of one go"
            " to one teacher. By default every row is a unit.",
            show_default=False,
            rich_help_panel="Privacy",
        ),
    ] = "",
    epsilon: Annotated[
        float,
        typer.Option(
            help="What all labels together may spend of a unit's privacy.",
            rich_help_panel="Privacy",
        ),
    ] = 4.0,
    delta: Annotated[
        float,
        typer.Option(help="The chance that is left beside it.", rich_help_panel="Privacy"),
    ] = 1e-6,
    sigma: Annotated[
        float,
        typer.Option(
            help="Instead of --epsilon: the deviation of the noise on each count of votes.",
            show_default=False,
            rich_help_panel="Privacy",
        ),
    ] = 0.0,
    without: Annotated[
        bool,
        typer.Option(
            "--without-privacy-guarantee",
            help="Label with a stored model that was trained without differential privacy. The"
            " student may tell about rows of its training; the report says so.",
            rich_help_panel="Privacy",
        ),
    ] = False,
    rows: Annotated[
        int,
        typer.Option(
            min=1,
            help="Rows of an owner for each teacher at most.",
            rich_help_panel="Teacher",
        ),
    ] = 256,
    balance: Annotated[
        bool,
        typer.Option(
            help="Owners fill their part of each shard with as many rows of either label.",
            rich_help_panel="Teacher",
        ),
    ] = True,
    epochs: Annotated[
        int,
        typer.Option(min=1, help="Passes over each shard.", rich_help_panel="Teacher"),
    ] = 10,
    every: Annotated[
        int,
        typer.Option(
            min=0,
            help="Release labels, and make a new student, every so many epochs, while the teachers"
            " go on from where they were. All releases share --epsilon. 0: once, at the end.",
            rich_help_panel="Teacher",
        ),
    ] = 0,
    batch_size: Annotated[
        int,
        typer.Option(
            min=1, help="Rows of each owner and teacher in a step.", rich_help_panel="Teacher"
        ),
    ] = 16,
    learning_rate: Annotated[
        float, typer.Option(help="Step size of the teachers.", rich_help_panel="Teacher")
    ] = 0.5,
    student: Annotated[
        str,
        typer.Option(
            help="Hidden units of the student with commas, such as 32,16; none: logistic"
            " regression.",
            show_default=False,
            rich_help_panel="Student",
        ),
    ] = "",
    seed: Annotated[
        int,
        typer.Option(
            min=0,
            max=2**31 - 1,
            help="Public: of synthetic rows, batches and the student.",
            rich_help_panel="Student",
        ),
    ] = 0,
    protocol: Annotated[
        str | None,
        typer.Option(
            help="The protocol that the parties run. By default replicated3; with a kit the"
            " consortium's; of a stored model the one that stored it.",
            show_default=False,
            rich_help_panel="Security",
        ),
    ] = None,
    reveal_to: Annotated[
        str,
        typer.Option(
            help="Who learns the labels: 'all' for all owners, or names with commas.",
            rich_help_panel="Security",
        ),
    ] = "all",
    out: Annotated[
        Path,
        typer.Option(
            "--out", "-o", help="Folder for student and report.", rich_help_panel="Output"
        ),
    ] = Path("student"),
    deadline: DeadlineOption = 3600.0,
    heartbeat: HeartbeatOption = 5.0,
    patience: PartyPatienceOption = 60.0,
    threads: ThreadsOption = None,
    own: AsOption = None,
    kit: KitOption = None,
    wait: WaitOption = 600.0,
    listen: ListenOption = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the result as JSON.", rich_help_panel="Output")
    ] = False,
) -> None:
    """Make a public model for low-sensitivity use, from rows or a model that stay secret.

    Public or synthetic rows are labelled inside the computation; only the labels leave, and a
    student is trained on them in the clear: student.json, and student.onnx where the package onnx
    is installed. What makes that safe is differential privacy, of one of two kinds:

    Teachers (PATE): many small models on disjoint shards vote, and noise drawn inside the
    computation hides what any one of them says:

        tacit distil bank_a=a.csv bank_b=b.csv bank_c=c.csv --schema schema.json
        --public public.csv --teachers 250 --epsilon 4

    A model that was trained with differential privacy and never revealed:

        tacit train … --dp --epsilon 2 --keep fraud --store shares --reveal-to nobody

        tacit distil --store shares --model fraud --public public.csv
    """
    place = None if own is None else own_kit(own, kit)
    owners = parse_owners(files or [])
    if own is not None and "=" in own:
        name, _, path = own.partition("=")
        owners[name] = Path(path)
    pate = None
    if not model:
        if teachers < LEAST_TEACHERS:
            refuse(
                f"{teachers} teachers are too few (at least {LEAST_TEACHERS}): the noise that hides"
                " one of them would drown the vote of all"
            )
        if not 0.0 < learning_rate <= 16.0:
            refuse(f"the step size {learning_rate:g} is not within 0 and 16")
        if every > epochs:
            refuse(f"labels every {every} epochs of {epochs} are never released")
        pate = PateSettings(
            teachers=teachers,
            unit=unit,
            most_rows=rows,
            balance=balance,
            epochs=epochs,
            batch_size=batch_size,
            learning_rate=learning_rate,
            seed=seed,
            every=every,
            sigma=sigma,
        )
    request = DistillationRequest(
        files=owners,
        schema=schema,
        public=public,
        synthetic=synthetic,
        store=store,
        model=model,
        pate=pate,
        epsilon=epsilon,
        delta=delta,
        unprotected=without,
        hidden=_hidden(student),
        seed=seed,
        protocol=protocol or ("replicated3" if place is None else place.consortium.protocol),
        out=out,
        deadline=deadline,
        heartbeat=heartbeat,
        patience=patience,
        threads=threads,
        kit=place,
        wait=wait,
        listen=listening(listen),
    ).complete()
    recipients = parse_recipients(reveal_to, request.owners, request.parties)
    if not recipients:
        raise UsageError(
            "Nobody would learn the labels.",
            next_step="name who does with --reveal-to; by default all owners.",
            case=44,
        )
    threads_a_party(threads)
    run_distillation(request, recipients, Terminal(stderr=as_json), as_json=as_json)


def _hidden(text: str) -> tuple[int, ...]:
    try:
        found = tuple(int(part) for part in text.split(",") if part.strip())
    except ValueError:
        found = (0,)
    if len(found) > 16 or not all(1 <= units <= 4096 for units in found):
        refuse(f"--student {text} names no hidden layers (at most 16, of 1 to 4,096 units)")
    return found
