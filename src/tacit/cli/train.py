"""``tacit train``: several owners train one model, each file read by its owner's process alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import typer

from tacit.cli.alone import (
    AsOption,
    KitOption,
    ListenOption,
    WaitOption,
    listening,
    own_part,
)
from tacit.cli.beforehand import require_files, require_schema
from tacit.cli.joint import HELPER
from tacit.cli.model_options import (
    ActivationOption,
    ClassWeightsOption,
    DropOption,
    DropoutOption,
    EarlyStoppingOption,
    HiddenOption,
    KeepOption,
    L2Option,
    ModelOption,
    MomentumOption,
    NesterovOption,
    OptimiserOption,
    PatienceOption,
    RateOption,
    ScheduleOption,
    StartOption,
    StoreOption,
    ValidationOption,
    WarmUpOption,
    chosen_model,
)
from tacit.cli.network_options import (
    DeadlineOption,
    HeartbeatOption,
    PartyPatienceOption,
    ThreadsOption,
)
from tacit.cli.privacy_options import (
    ClipOption,
    DeltaOption,
    DpOption,
    EpsilonOption,
    NoiseOption,
    chosen_privacy,
)
from tacit.cli.signoff import digest_of
from tacit.cli.terminal import Terminal
from tacit.cli.training import TrainingRequest, run_training
from tacit.cli.vertical_options import NOT_CHECKED, KeyOption, MetricsOption, VerticalOption
from tacit.errors import UsageError
from tacit.ml.drift import Drift
from tacit.ml.measures.names import DEFAULT, parse_measures
from tacit.protocols.interface import checked_rounding
from tacit.sessions.threads import threads_a_party

__all__ = ["train"]


def train(
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="OWNER=FILE ...",
            help="Each owner's name and its CSV or Parquet file, one for each party of the"
            " protocol; or one less, and a helper. On several machines: --as instead.",
            show_default=False,
        ),
    ] = None,
    *,
    label: Annotated[
        str, typer.Option("--label", help="The column to predict, 0 or 1.", show_default=False)
    ],
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
        str | None,
        typer.Option(
            help="The name of a party that computes with the owners and holds no data. It learns"
            " the schema, shapes and numbers of rows, and no result unless --reveal-to names it."
            f" By default '{HELPER}' where the protocol needs one more party than there are files.",
            show_default=False,
            rich_help_panel="Security",
        ),
    ] = None,
    reveal_to: Annotated[
        str,
        typer.Option(
            help="Who learns the model and the joint evaluation: 'all' for all owners, names with"
            " commas, or 'nobody' (see --keep). Held-out rows of other owners are not evaluated.",
            rich_help_panel="Security",
        ),
    ] = "all",
    reveal_loss: Annotated[
        bool,
        typer.Option(
            "--reveal-loss",
            help="Reveal the mean squared residual of the training batches about 20 times an epoch"
            " to all owners; else no loss is shown.",
            rich_help_panel="Security",
        ),
    ] = False,
    schema: Annotated[
        Path | None,
        typer.Option(
            "--schema",
            "-s",
            help="The agreed schema (JSON). Without one each owner's process drafts it from its"
            " file, and column names, types and the order of magnitude of each column are shown"
            " to the other owners.",
            show_default=False,
            rich_help_panel="Data",
        ),
    ] = None,
    schema_digest: Annotated[
        str | None,
        typer.Option(
            "--schema-digest",
            help="The digest of the schema that was signed off, or a file of `tacit schema sign`:"
            " every party refuses any other schema before it shares anything.",
            show_default=False,
            rich_help_panel="Data",
        ),
    ] = None,
    drift: Annotated[
        float | None,
        typer.Option(
            "--drift",
            metavar="THRESHOLD",
            min=0.0,
            max=1.0,
            help="Before training, tell all owners in which columns an owner's data differ from the"
            " others' together by more than this distance (0.2 is a good start): one bit for each"
            " owner and column, computed on shares.",
            show_default=False,
            rich_help_panel="Data",
        ),
    ] = None,
    drift_minimum: Annotated[
        int,
        typer.Option(
            min=1,
            help="With --drift: rows that an owner, and the others together, need; of smaller ones"
            " nothing is told.",
            rich_help_panel="Data",
        ),
    ] = 100,
    share_categories: Annotated[
        bool,
        typer.Option(
            "--share-categories",
            help="Without a schema: show each owner's list of categories to the other owners.",
            rich_help_panel="Data",
        ),
    ] = False,
    exclude: Annotated[
        list[str] | None,
        typer.Option(
            help="Without a schema: a column that is no feature (repeat for more).",
            show_default=False,
            rich_help_panel="Data",
        ),
    ] = None,
    missing: Annotated[
        str,
        typer.Option(
            help="Without a schema: what a missing number means: refuse, zero or mean (of the"
            " owner's own column).",
            rich_help_panel="Data",
        ),
    ] = "refuse",
    test_size: Annotated[
        float,
        typer.Option(help="Fraction of every owner's rows held out.", rich_help_panel="Data"),
    ] = 0.2,
    vertical: VerticalOption = False,
    key: KeyOption = "",
    metrics: MetricsOption = DEFAULT,
    model: ModelOption = "logistic",
    hidden: HiddenOption = None,
    activation: ActivationOption = "relu",
    dropout: DropoutOption = 0.0,
    epochs: Annotated[
        int, typer.Option(min=1, help="Passes over the rows.", rich_help_panel="Training")
    ] = 3,
    batch_size: Annotated[
        int,
        typer.Option(min=1, max=2**31 - 1, help="Rows a step.", rich_help_panel="Training"),
    ] = 1024,
    optimiser: OptimiserOption = "sgd",
    learning_rate: RateOption = None,
    momentum: MomentumOption = None,
    nesterov: NesterovOption = False,
    schedule: ScheduleOption = "constant",
    drop: DropOption = "0.1,1",
    warm_up: WarmUpOption = 0,
    l2: L2Option = 0.0,
    class_weights: ClassWeightsOption = None,
    early_stopping: EarlyStoppingOption = False,
    validation_size: ValidationOption = 0.1,
    epochs_without_gain: PatienceOption = 2,
    seed: Annotated[
        int,
        typer.Option(
            min=0,
            max=2**31 - 1,
            help="Public seed of split and order.",
            rich_help_panel="Training",
        ),
    ] = 0,
    rounding: Annotated[
        str,
        typer.Option(
            help="How products round: probabilistic, nearest or exact. With exact the model is the"
            " same bits in every run, also in one that was interrupted; slower.",
            rich_help_panel="Training",
        ),
    ] = "probabilistic",
    dp: DpOption = False,
    epsilon: EpsilonOption = None,
    delta: DeltaOption = 1e-6,
    clip: ClipOption = 1.0,
    noise_multiplier: NoiseOption = None,
    start_from: StartOption = None,
    keep: KeepOption = None,
    store: StoreOption = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            "--checkpoint",
            help="Folder for checkpoints: every owner seals its shares in its own folder inside,"
            " under its own key (TACIT_STORAGE_KEY_OWNER, or a key file made there).",
            show_default=False,
            rich_help_panel="Checkpoints",
        ),
    ] = None,
    every: Annotated[
        int,
        typer.Option(min=1, help="Steps between checkpoints.", rich_help_panel="Checkpoints"),
    ] = 100,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Go on from the newest checkpoint that all owners have, its shares refreshed; from"
            " the start if there is none. Give the same files and options as before.",
            rich_help_panel="Checkpoints",
        ),
    ] = False,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder for the report.", rich_help_panel="Output")
    ] = Path("report"),
    deadline: DeadlineOption = 3600.0,
    heartbeat: HeartbeatOption = 5.0,
    patience: PartyPatienceOption = 60.0,
    threads: ThreadsOption = None,
    compare_pooled: Annotated[
        bool,
        typer.Option(
            "--compare-pooled",
            help="For tests: this process also reads ALL files and trains in the clear, to compare."
            " Never use it with real owners' data.",
            rich_help_panel="Output",
        ),
    ] = False,
    own: AsOption = None,
    kit: KitOption = None,
    wait: WaitOption = 600.0,
    listen: ListenOption = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the result as JSON.", rich_help_panel="Output")
    ] = False,
) -> None:
    """Train one model on several owners' rows; nobody sees another's data.

    All files have the same columns and different rows. Each owner's file is read by the process of
    its owner alone; the processes compute on secret shares over mutual TLS. Only the model, and
    counts of held-out rows by score summed over the owners, are revealed. Example:

        tacit train bank_a=a.parquet bank_b=b.csv bank_c=c.parquet --label is_fraud

    With fantastic4 a fourth party joins that holds no data, and the run ends with the right model
    although any one of the four deviates or is lost after all rows were shared:

        tacit train bank_a=a.parquet bank_b=b.csv bank_c=c.parquet --label is_fraud
        --protocol fantastic4 --helper dave

    Owners with different columns of the same customers, row k of every file the same one:

        tacit train bank=a.csv telco=b.csv insurer=c.csv --label is_fraud --vertical --key customer

    A long training survives crashes of all processes and machines with checkpoints; after one,
    repeat the command with --resume:

        tacit train … --checkpoint shares --every 200 --resume

    On several machines every organisation runs the same command, with its own file and kit:

        tacit train --as bank_a=a.parquet --kit kit --label is_fraud

    A perceptron that nobody ever sees, kept to be served, evaluated or trained further:

        tacit train … --model mlp --hidden 32,16 --keep fraud --store stores --reveal-to nobody
        tacit train … --model mlp --hidden 32,16 --start-from fraud --keep fraud --store stores

    With differential privacy a revealed model tells little about any one row:

        tacit train … --schema schema.json --dp --epsilon 2 --delta 1e-6
    """
    if missing not in ("refuse", "zero", "mean"):
        raise UsageError(
            f"There is no policy {missing!r} for missing values.",
            next_step="choose refuse, zero or mean.",
            case=42,
        )
    choice = chosen_model(
        model=model,
        hidden=hidden,
        activation=activation,
        dropout=dropout,
        optimiser=optimiser,
        learning_rate=learning_rate,
        momentum=momentum,
        nesterov=nesterov,
        schedule=schedule,
        drop=drop,
        warm_up=warm_up,
        l2=l2,
        class_weights=class_weights,
        early_stopping=early_stopping,
        validation_size=validation_size,
        patience=epochs_without_gain,
        start_from=start_from,
        keep=keep,
        store=store,
    )
    place = None
    if own is None:
        owners = parse_owners(files or [])
    else:
        place, owners = own_part(own, kit, files or [])
    policy: Literal["refuse", "zero", "mean"] = missing  # type: ignore[assignment]
    request = TrainingRequest(
        files=owners,
        label=label,
        protocol=protocol or ("replicated3" if place is None else place.consortium.protocol),
        helper=helper,
        reveal_loss=reveal_loss,
        schema=schema,
        schema_digest=digest_of(schema_digest),
        drift=None if drift is None else Drift(threshold=drift, minimum=drift_minimum),
        share_categories=share_categories,
        exclude=tuple(exclude or ()),
        missing=policy,
        test_size=test_size,
        vertical=vertical,
        notes=(NOT_CHECKED,) if vertical and not key else (),
        key=key,
        metrics=",".join(map(str, parse_measures(metrics))),
        epochs=epochs,
        batch_size=batch_size,
        model=choice,
        privacy=chosen_privacy(
            dp=dp, epsilon=epsilon, delta=delta, clip=clip, noise_multiplier=noise_multiplier
        ),
        seed=seed,
        out=out,
        rounding=checked_rounding(rounding),
        checkpoint=checkpoint,
        every=every,
        resume=resume,
        compare_pooled=compare_pooled,
        deadline=deadline,
        heartbeat=heartbeat,
        patience=patience,
        threads=threads,
        kit=place,
        wait=wait,
        listen=listening(listen),
    )
    recipients = parse_recipients(reveal_to, request.owners, request.parties)
    request = replace(request, reveal_to=recipients)
    request.check()
    threads_a_party(threads)
    if place is None:
        require_files(owners)
    if schema is not None:
        require_schema(schema, label, recipients)
    run_training(request, Terminal(stderr=as_json), as_json=as_json)


def parse_owners(files: list[str]) -> dict[str, Path]:
    """``["bank_a=a.parquet", …]`` as names and paths.

    Raises
    ------
    UsageError
        Not NAME=FILE (TC-1040), or a name twice (TC-1041).
    """
    owners: dict[str, Path] = {}
    for item in files:
        name, separator, path = item.partition("=")
        if not separator or not name or not path:
            raise UsageError(
                f"{item!r} is not OWNER=FILE.",
                next_step="write for instance bank_a=a.parquet bank_b=b.csv bank_c=c.parquet.",
                case=40,
            )
        if name in owners:
            raise UsageError(
                f"The owner {name} is named twice.",
                next_step="give every owner one file; join an owner's files first.",
                case=41,
            )
        owners[name] = Path(path)
    return owners


def parse_recipients(
    text: str, owners: tuple[str, ...], parties: tuple[str, ...]
) -> tuple[str, ...]:
    """``"all"`` for all owners, ``"nobody"``, or names with commas; in the parties' order.

    Raises
    ------
    UsageError
        A name is no party's (TC-1044).
    """
    if text == "all":
        return owners
    if text == "nobody":
        return ()
    wanted = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in wanted if name not in parties]
    if unknown or not wanted:
        raise UsageError(
            f"--reveal-to names {', '.join(unknown) or 'nobody'}, which is no party.",
            next_step=f"name some of {', '.join(parties)}, 'all' for all owners, or 'nobody'.",
            case=44,
        )
    return tuple(name for name in parties if name in wanted)
