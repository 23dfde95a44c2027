"""``tacit evaluate``: one's model against another's data; both learn the agreed metrics alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tacit.cli.alone import AsOption, KitOption, ListenOption, WaitOption, listening, own_kit
from tacit.cli.evaluating import EvaluationRequest, run_evaluation
from tacit.cli.evaluation_inputs import parse_inputs
from tacit.cli.network_options import (
    DeadlineOption,
    HeartbeatOption,
    PartyPatienceOption,
    ThreadsOption,
)
from tacit.cli.terminal import Terminal
from tacit.cli.train import parse_recipients
from tacit.errors import UsageError
from tacit.ml.measures.names import DEFAULT, parse_measures
from tacit.ml.private_evaluation.rows import parse_grouping
from tacit.protocols.interface import checked_rounding

__all__ = ["evaluate"]


def evaluate(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="OWNER=FILE ...",
            help="The model's owner and its model (.json), and each data owner and its rows (.csv"
            " or .parquet). Parties that the protocol needs beyond them hold nothing.",
            show_default=False,
        ),
    ],
    label: Annotated[
        str,
        typer.Option(
            "--label",
            help="The data owners' column with the truth, 0 or 1; the model's label by default.",
            show_default=False,
        ),
    ] = "",
    protocol: Annotated[
        str | None,
        typer.Option(
            help="The protocol that the parties run. By default replicated3; with a kit the"
            " consortium's.",
            show_default=False,
            rich_help_panel="Security",
        ),
    ] = None,
    helper: Annotated[
        list[str] | None,
        typer.Option(
            help="The name of a party that computes with the others and holds nothing (repeat for"
            " more). By default 'helper', 'helper2' where the protocol needs more parties.",
            show_default=False,
            rich_help_panel="Security",
        ),
    ] = None,
    reveal_to: Annotated[
        str,
        typer.Option(
            help="Who learns the metrics: 'all' for the owners of model and data, or names with"
            " commas.",
            rich_help_panel="Security",
        ),
    ] = "all",
    min_group: Annotated[
        int,
        typer.Option(
            min=1,
            help="Groups of fewer rows are held back, and those with fewer rows of a class where a"
            " metric needs both; and one more where the difference would tell.",
            rich_help_panel="Security",
        ),
    ] = 10,
    digits: Annotated[
        int,
        typer.Option(
            min=1,
            max=8,
            help="Decimal places of the metrics: nothing finer is opened.",
            rich_help_panel="Security",
        ),
    ] = 4,
    metrics: Annotated[
        str,
        typer.Option(
            help="What is measured, with commas: auc, brier, log_loss, rate, predicted, rows,"
            " calibration; and at a cut recall, precision, fpr, accuracy, selected: recall@1% where"
            " at most 1 % of the negative rows pass, precision@0.5 for probabilities of at least"
            " 0.5.",
            rich_help_panel="Metrics",
        ),
    ] = DEFAULT,
    by: Annotated[
        str | None,
        typer.Option(
            help="Measure by group too: COLUMN, a category or boolean of the model's schema;"
            " COLUMN=north,south for a column that is no feature; COLUMN:18,30,50,99 for a number."
            " Which row is in which group stays secret.",
            show_default=False,
            rich_help_panel="Metrics",
        ),
    ] = None,
    schema: Annotated[
        Path | None,
        typer.Option(
            "--schema",
            "-s",
            help="The schema that the data owners agreed to; the model's must be the same.",
            show_default=False,
            rich_help_panel="Data",
        ),
    ] = None,
    vertical: Annotated[
        bool,
        typer.Option(
            "--vertical",
            help="The data owners have different columns of the same customers, row k of every file"
            " the same one; the label is in one of the files.",
            rich_help_panel="Data",
        ),
    ] = False,
    key: Annotated[
        str,
        typer.Option(
            help="With --vertical: a column of every file that says which customer a row is of,"
            " compared on shares.",
            show_default=False,
            rich_help_panel="Data",
        ),
    ] = "",
    store: Annotated[
        Path | None,
        typer.Option(
            help="The folder with the parties' stored shares, for a model that nobody knows.",
            show_default=False,
            rich_help_panel="Data",
        ),
    ] = None,
    model: Annotated[
        str,
        typer.Option(
            help="The name of a secret model in --store, as 'tacit train --keep NAME' stored it.",
            show_default=False,
            rich_help_panel="Data",
        ),
    ] = "",
    rounding: Annotated[
        str,
        typer.Option(
            help="How products round: exact, nearest or probabilistic. With exact equal rows have"
            " equal scores, so ties count as ties; the others are faster.",
            rich_help_panel="Metrics",
        ),
    ] = "exact",
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder for the report.", rich_help_panel="Output")
    ] = Path("evaluation"),
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
    """Measure one organisation's model on another's rows; neither sees the other's side.

    Model, rows, labels and groups exist as secret shares alone; only the metrics are opened, to
    the owners of both. How many rows there are, and the model's columns and layers, are public
    among the parties. Example:

        tacit evaluate vendor=model.json hospital=patients.csv --label readmitted

    The model's owner makes model.json from a scikit-learn model of its own:

        from tacit.models import from_sklearn; from tacit.tables import Schema

        from_sklearn(estimator, Schema.load("schema.json")).save("model.json")

    Fairness: recall and false positives of each group at the cut of all rows. Groups that are too
    small stay hidden:

        tacit evaluate vendor=model.json bank=rows.csv --by region=north,south,islands
        --metrics auc,recall@1%,fpr@1%,rate --min-group 20

    On several machines every party runs the same command, with its own file and kit:

        tacit evaluate vendor=model bank=rows --as bank=rows.csv --kit kit

    A secret model from training that nobody knows:

        tacit evaluate bank_a=new_rows.csv --store shares --model fraud

    On different columns of the same customers:

        tacit evaluate bank=a.csv telco=b.csv --store shares --model risk --vertical --key customer
    """
    measures = parse_measures(metrics)
    model_file, data = parse_inputs(files, stored=model, own=own)
    place = None if own is None else own_kit(own, kit)
    request = EvaluationRequest(
        data=data,
        model_file=model_file,
        store=store,
        stored=model,
        label=label,
        protocol=protocol or ("replicated3" if place is None else place.consortium.protocol),
        kit=place,
        wait=wait,
        listen=listening(listen),
        helpers=tuple(helper or ()),
        minimum=min_group,
        digits=digits,
        metrics=",".join(map(str, measures)),
        by=None if by is None else parse_grouping(by),
        schema=schema,
        vertical=vertical,
        key=key,
        rounding=checked_rounding(rounding),
        out=out,
        deadline=deadline,
        heartbeat=heartbeat,
        patience=patience,
        threads=threads,
    )
    request = request.complete()
    recipients = parse_recipients(reveal_to, request.owners, request.parties)
    if key and not vertical:
        raise UsageError(
            "--key is given without --vertical.",
            next_step="leave it out, or add --vertical for different columns of the same"
            " customers.",
            case=47,
        )
    if not recipients:
        raise UsageError(
            "Nobody would learn the metrics.",
            next_step="name who does with --reveal-to; by default the owners of model and data.",
            case=44,
        )
    run_evaluation(request, recipients, Terminal(stderr=as_json), as_json=as_json)
