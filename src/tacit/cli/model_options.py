"""Options of ``tacit train`` about the model: what it is, how it learns, where it starts and stays.

Types for typer's signature, and :func:`chosen_model`, which turns what was typed into what the
parties are told.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, get_args

import typer

from tacit.errors import UsageError
from tacit.functions.perceptron import Activation
from tacit.ml.plan import DEFAULT_RATES, PLAIN, EarlyStopping, ModelKind, Optimiser, Schedule
from tacit.ml.start import Start
from tacit.models import ClearModel
from tacit.storage.records import checked_name

__all__ = [
    "ActivationOption",
    "ClassWeightsOption",
    "DropOption",
    "DropoutOption",
    "EarlyStoppingOption",
    "HiddenOption",
    "KeepOption",
    "L2Option",
    "ModelChoice",
    "ModelOption",
    "MomentumOption",
    "NesterovOption",
    "OptimiserOption",
    "PatienceOption",
    "RateOption",
    "ScheduleOption",
    "StartOption",
    "StoreOption",
    "ValidationOption",
    "WarmUpOption",
    "chosen_model",
]

_MODEL, _LEARNING, _STORE = "Model", "Training", "Model store"

ModelOption = Annotated[
    str,
    typer.Option(help="The model: logistic or mlp (a perceptron).", rich_help_panel=_MODEL),
]
HiddenOption = Annotated[
    str | None,
    typer.Option(
        help="Units of the perceptron's hidden layers, with commas; 32,16 by default.",
        show_default=False,
        rich_help_panel=_MODEL,
    ),
]
ActivationOption = Annotated[
    str,
    typer.Option(
        help="Of hidden layers: relu, tanh, logistic or identity.", rich_help_panel=_MODEL
    ),
]
DropoutOption = Annotated[
    float,
    typer.Option(
        help="Fraction of hidden units that each row of a step does without. Which ones is drawn"
        " from the public seed.",
        rich_help_panel=_MODEL,
    ),
]
OptimiserOption = Annotated[
    str,
    typer.Option(
        "--optimiser",
        "--optimizer",
        help="sgd, or adam in a form for fixed point, which takes about twice as long.",
        rich_help_panel=_LEARNING,
    ),
]
RateOption = Annotated[
    float | None,
    typer.Option(
        "--learning-rate",
        help="Step size: by default 0.5 for logistic, 0.2 for mlp; with adam 0.01 and 0.005.",
        show_default=False,
        rich_help_panel=_LEARNING,
    ),
]
MomentumOption = Annotated[
    float | None,
    typer.Option(
        help="Momentum of sgd: by default 0 for logistic, 0.9 for mlp.",
        show_default=False,
        rich_help_panel=_LEARNING,
    ),
]
NesterovOption = Annotated[
    bool,
    typer.Option("--nesterov", help="Momentum by Nesterov's rule.", rich_help_panel=_LEARNING),
]
ScheduleOption = Annotated[
    str,
    typer.Option(
        help="How the learning rate falls: constant, linear, cosine (both to 1 % of it) or step.",
        rich_help_panel=_LEARNING,
    ),
]
DropOption = Annotated[
    str,
    typer.Option(
        help="With --schedule step: FACTOR,EPOCHS; the rate times FACTOR every so many EPOCHS.",
        rich_help_panel=_LEARNING,
    ),
]
WarmUpOption = Annotated[
    int,
    typer.Option(
        min=0, help="Steps in which the learning rate first rises.", rich_help_panel=_LEARNING
    ),
]
L2Option = Annotated[float, typer.Option(min=0.0, help="L2 penalty.", rich_help_panel=_LEARNING)]
ClassWeightsOption = Annotated[
    str | None,
    typer.Option(
        help="Weights of rows with label 0 and 1, such as 1,10. They are public: how many rows of"
        " each label the owners have is not, so nothing is balanced by itself.",
        show_default=False,
        rich_help_panel=_LEARNING,
    ),
]
EarlyStoppingOption = Annotated[
    bool,
    typer.Option(
        "--early-stopping",
        help="Set rows of every owner apart; after each epoch reveal their mean log-loss, and"
        " nothing else, to all parties; end when it no longer falls, with the best weights.",
        rich_help_panel=_LEARNING,
    ),
]
ValidationOption = Annotated[
    float,
    typer.Option(
        help="With --early-stopping: the fraction of training rows set apart.",
        rich_help_panel=_LEARNING,
    ),
]
PatienceOption = Annotated[
    int,
    typer.Option(
        "--epochs-without-gain",
        min=1,
        help="With --early-stopping: epochs without a smaller loss after which training ends.",
        rich_help_panel=_LEARNING,
    ),
]
StartOption = Annotated[
    str | None,
    typer.Option(
        help="Go on from a model: the NAME of a secret one in the store, or a model.json that all"
        " parties may see. Same schema and layers.",
        metavar="NAME|FILE.json",
        show_default=False,
        rich_help_panel=_STORE,
    ),
]
KeepOption = Annotated[
    str | None,
    typer.Option(
        help="Keep the secret model under this name: every party seals its shares in the store,"
        " and nobody sees the model. With --reveal-to nobody it stays that way.",
        metavar="NAME",
        show_default=False,
        rich_help_panel=_STORE,
    ),
]
StoreOption = Annotated[
    Path | None,
    typer.Option(
        help="Folder of the parties' stores, one for each party inside.",
        show_default=False,
        rich_help_panel=_STORE,
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelChoice:
    """What was asked for about the model and its training."""

    kind: ModelKind = "logistic"
    hidden: tuple[int, ...] = ()
    activation: Activation = "relu"
    optimiser: Optimiser = PLAIN
    learning_rate: float = 0.5
    l2: float = 0.0
    dropout: float = 0.0
    class_weights: tuple[float, float] | None = None
    stopping: EarlyStopping | None = None
    start: Start | None = None
    keep: str = ""
    store: Path | None = None


def chosen_model(
    *,
    model: str = "logistic",
    hidden: str | None = None,
    activation: str = "relu",
    dropout: float = 0.0,
    optimiser: str = "sgd",
    learning_rate: float | None = None,
    momentum: float | None = None,
    nesterov: bool = False,
    schedule: str = "constant",
    drop: str = "0.1,1",
    warm_up: int = 0,
    l2: float = 0.0,
    class_weights: str | None = None,
    early_stopping: bool = False,
    validation_size: float = 0.1,
    patience: int = 2,
    start_from: str | None = None,
    keep: str | None = None,
    store: Path | None = None,
) -> ModelChoice:
    """What the options mean.

    Raises
    ------
    UsageError
        There is no such model, activation, optimiser or schedule (TC-1043); a number is out of
        range (TC-1045); options do not go together (TC-1047).
    ConfigurationError
        The model to start from cannot be read (TC-2030).
    """
    kind: ModelKind = _one_of("--model", model, ("logistic", "mlp"))
    solver = _one_of("--optimiser", optimiser, ("sgd", "adam"))
    how: Schedule = _one_of("--schedule", schedule, get_args(Schedule))
    layers = _layers(kind, hidden)
    _together(kind == "mlp" or not dropout, "--dropout is for --model mlp")
    _together(solver == "sgd" or not (momentum or nesterov), "--momentum is for --optimiser sgd")
    if momentum is None:
        momentum = 0.9 if kind == "mlp" and solver == "sgd" else 0.0
    _together(bool(momentum) or not nesterov, "--nesterov needs --momentum")
    _within("--momentum", 0.0 <= momentum < 1.0, "0.9, at least 0 and below 1")
    _within("--dropout", 0.0 <= dropout <= 0.9, "0.2, at most 0.9")
    rate = DEFAULT_RATES[kind, solver] if learning_rate is None else learning_rate
    _within("--learning-rate", 0.0 < rate <= 16.0, "0.5, at most 16; columns are standardised")
    _within("--validation-size", 0.0 < validation_size <= 0.5, "0.1, at most 0.5")
    factor, every = _dropping(drop)
    _together(keep is None or store is not None, "--keep needs --store")
    start = _start(start_from, store)
    return ModelChoice(
        kind=kind,
        hidden=layers,
        activation=_one_of("--activation", activation, get_args(Activation)),
        optimiser=Optimiser(
            solver=solver,
            momentum=momentum,
            nesterov=nesterov,
            schedule=how,
            warm_up=warm_up,
            drop=factor,
            drop_every=every,
        ),
        learning_rate=rate,
        l2=l2,
        dropout=dropout,
        class_weights=_weights(class_weights),
        stopping=EarlyStopping(fraction=validation_size, patience=patience)
        if early_stopping
        else None,
        start=start,
        keep="" if keep is None else checked_name(keep),
        store=store,
    )


def _one_of(option: str, found: str, there: tuple[str, ...]) -> Any:
    if found not in there:
        raise UsageError(
            f"{option}: there is no {found!r}.",
            next_step=f"choose one of {', '.join(there)}.",
            case=43,
        )
    return found


def _within(option: str, fine: bool, instead: str) -> None:
    if not fine:
        raise UsageError(
            f"{option} is out of range.", next_step=f"give for instance {instead}.", case=45
        )


def _together(fine: bool, problem: str) -> None:
    if not fine:
        raise UsageError(
            f"{problem}.", next_step="see tacit train --help for what goes together.", case=47
        )


def _layers(kind: ModelKind, hidden: str | None) -> tuple[int, ...]:
    if kind == "logistic":
        _together(hidden is None, "--hidden is for --model mlp")
        return ()
    try:
        layers = tuple(int(part) for part in (hidden or "32,16").split(","))
    except ValueError:
        layers = ()
    fine = 0 < len(layers) <= 16 and all(1 <= units <= 4_096 for units in layers)
    _within("--hidden", fine, "32,16: one to sixteen layers of 1 to 4,096 units")
    return layers


def _dropping(text: str) -> tuple[float, int]:
    try:
        factor, every = text.split(",")
        found = float(factor), int(every)
    except ValueError:
        found = 0.0, 0
    _within("--drop", 0.0 < found[0] <= 1.0 and found[1] >= 1, "0.1,1 for a tenth every epoch")
    return found


def _weights(text: str | None) -> tuple[float, float] | None:
    if text is None:
        return None
    try:
        zero, one = (float(part) for part in text.split(","))
    except ValueError:
        zero = one = 0.0
    fine = all(0.001 <= weight <= 1_000 for weight in (zero, one))
    _within("--class-weights", fine, "1,10: two numbers from 0.001 to 1000")
    return zero, one


def _start(text: str | None, store: Path | None) -> Start | None:
    if text is None:
        return None
    if text.endswith(".json"):
        return Start(model=ClearModel.load(text).record())
    _together(store is not None, "--start-from NAME needs --store")
    return Start(name=checked_name(text))
