"""``tacit serve``: answer clients with scores of their rows; for one party, or all of them here."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from tacit.cli.alone import KitOption, WaitLines
from tacit.cli.serving import LocalService, local_consortium
from tacit.cli.terminal import Terminal
from tacit.consortium import Kit
from tacit.errors import ServiceError, UsageError
from tacit.network import Address, NetworkSettings
from tacit.serving.job import ServedModel, ServiceJob
from tacit.serving.settings import MOST_DIGITS, ServiceSettings
from tacit.sessions.alone import run_alone
from tacit.sessions.messages import Incident
from tacit.storage import Place, places

__all__ = ["serve"]

_LIMITS = "Limits for each client"
_PLACES = "Places"
_LEFT = 9


def serve(
    model: Annotated[
        str,
        typer.Argument(
            help="The name of a secret model in the parties' storage, or an owner's model.json.",
            show_default=False,
        ),
    ],
    store: Annotated[
        Path | None,
        typer.Option(
            help="The folder with the parties' shares (tacit train --keep NAME --store DIR);"
            " with --as, the one in which this party's folder is.",
            show_default=False,
            rich_help_panel=_PLACES,
        ),
    ] = None,
    owner: Annotated[
        str | None,
        typer.Option(
            help="Who holds model.json and shares it in; every party names the same.",
            show_default=False,
        ),
    ] = None,
    protocol: Annotated[
        str | None,
        typer.Option(
            help="By default that of the stored model or of the consortium, else replicated3.",
            show_default=False,
        ),
    ] = None,
    as_party: Annotated[
        str | None,
        typer.Option(
            "--as",
            metavar="NAME",
            help="Be this one party; the others run the same command on their machines.",
            show_default=False,
            rich_help_panel="Several machines",
        ),
    ] = None,
    kit: KitOption = None,
    digits: Annotated[
        int | None,
        typer.Option(
            "--round",
            min=1,
            max=MOST_DIGITS,
            help="Decimal places of the probabilities that clients get, rounded on shares. Fewer"
            " places make it dearer to rebuild the model. Without: as computed.",
            show_default=False,
            rich_help_panel=_LIMITS,
        ),
    ] = None,
    budget: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Rows altogether; kept on every party's disk, in --state.",
            show_default=False,
            rich_help_panel=_LIMITS,
        ),
    ] = None,
    rate: Annotated[
        float | None,
        typer.Option(help="Rows a second, over time.", show_default=False, rich_help_panel=_LIMITS),
    ] = None,
    client: Annotated[
        list[str] | None,
        typer.Option(
            help="Who may ask (repeat for more); by default every client of the consortium.",
            show_default=False,
            rich_help_panel=_LIMITS,
        ),
    ] = None,
    port: Annotated[
        int,
        typer.Option(
            help="Here: the first of the parties' ports.", rich_help_panel=_PLACES, max=65_000
        ),
    ] = 7700,
    metrics_port: Annotated[
        int,
        typer.Option(
            help="/healthz and /metrics on 127.0.0.1, in plain HTTP; here: the first of them."
            " 0 for none.",
            rich_help_panel=_PLACES,
            max=65_000,
        ),
    ] = 7750,
    state: Annotated[
        Path,
        typer.Option(
            help="Where this service keeps budgets, logs and, here, its consortium.",
            rich_help_panel=_PLACES,
        ),
    ] = Path("serving"),
    patience: Annotated[
        float,
        typer.Option(
            min=1, help="Seconds that a party which is alive may keep the others waiting."
        ),
    ] = 15.0,
    wait: Annotated[
        float, typer.Option(help="Seconds to wait for the other parties at the start.")
    ] = 600.0,
    with_parent: Annotated[bool, typer.Option(hidden=True)] = False,
) -> None:
    """Serve a model to clients: each gets the scores of its own rows, and nobody else sees them.

    Without --as all parties run on this machine, for trying. Clients ask with `tacit query` or
    tacit.Client, by certificates of the consortium's authority. Ctrl-C ends. Examples:

        tacit train … --keep fraud --store shares

        tacit serve fraud --store shares --round 3 --budget 10000

        tacit query row.csv --kit serving/client

        tacit serve fraud --store shares --as bank_a --kit kit
    """
    settings = ServiceSettings(
        digits=digits, budget=budget, rate=rate, clients=tuple(client) if client else None
    )
    file = Path(model)
    is_file = file.suffix == ".json" or file.is_file()
    if not is_file and store is None:
        raise UsageError(
            f"{model} names a secret model, and no folder with shares is given.",
            next_step="say where it is kept: --store DIR; or give a file model.json.",
            case=96,
            stage="serving",
        )
    console = Terminal(stderr=True)
    if as_party is None:
        if is_file and not file.is_file():
            raise UsageError(
                f"There is no file {model}.",
                next_step="give a model that tacit.models.from_sklearn(...).save(...) or tacit"
                " train wrote.",
                case=96,
                stage="serving",
            )
        made = local_consortium(state, store, protocol, port, console)
        options = _passed_on(sys.argv[1:])
        if is_file and owner is None:
            options += ["--owner", made.names[0]]
        LocalService(made, state, options, metrics_port, console).run()
        return
    if kit is None:
        raise UsageError(
            "--as needs this party's kit.",
            next_step="name its folder: --kit DIR (tacit consortium).",
            case=96,
            stage="serving",
        )
    _as_party(
        Kit.load(kit),
        as_party,
        ServiceJob(
            model=_served(model, owner or as_party, is_file, as_party),
            service=settings,
            kit=str(kit),
            listen=("", 0),
            storage=_place(store, as_party),
            state=str(state / as_party),
        ),
        protocol,
        NetworkSettings(patience=patience, start_deadline=wait),
        metrics_port,
        console,
        with_parent=with_parent,
    )


def _passed_on(arguments: list[str]) -> list[str]:
    """What a party's own process is told of this command's options."""
    found: list[str] = []
    skip = False
    for argument in arguments[1:]:
        if skip:
            skip = False
        elif argument in ("--metrics-port", "--port"):
            skip = True
        elif not argument.startswith(("--metrics-port=", "--port=")):
            found.append(argument)
    return found


def _served(model: str, owner: str, is_file: bool, own: str) -> ServedModel:
    if not is_file:
        return ServedModel(name=model)
    return ServedModel(owner=owner, file=model if owner == own else "")


def _place(store: Path | None, name: str) -> Place | None:
    return None if store is None else places(store, (name,))[name]


def _as_party(
    kit: Kit,
    name: str,
    job: ServiceJob,
    protocol: str | None,
    settings: NetworkSettings,
    metrics_port: int,
    console: Console,
    *,
    with_parent: bool,
) -> None:
    if kit.name != name:
        raise UsageError(
            f"The kit in {kit.folder} is that of {kit.name}, not of {name}.",
            next_step="name this party's own kit.",
            case=57,
        )
    if with_parent:
        threading.Thread(target=_end_with_parent, daemon=True).start()
    at = kit.services[name]
    operations = ("127.0.0.1", metrics_port) if metrics_port else None
    job = ServiceJob(
        model=job.model,
        service=job.service,
        kit=job.kit,
        listen=_own(at),
        operations=operations,
        storage=job.storage,
        state=job.state,
    )

    def incident(party: str, found: Incident) -> None:
        who = found.party or " and ".join(found.pair or ())
        console.print(
            f"[yellow]![/] {escape(who or 'nobody')} {escape(found.kind)}: the others go on with"
            f" {escape(found.protocol)} ({escape(found.reason)})"
        )

    try:
        run_alone(
            kit,
            "tacit.serving.job",
            job,
            protocol=protocol,
            settings=settings,
            on_incident=incident,
            on_wait=WaitLines(kit, console),
        )
    except ServiceError as error:
        if error.case != _LEFT:
            raise
        console.print(error.message)


def _own(at: Address) -> tuple[str, int]:
    """Where this machine listens: its own address, or that port behind a router."""
    import socket

    try:
        with socket.create_server((at.host, 0)):
            return at.host, at.port
    except OSError:
        return "0.0.0.0", at.port


def _end_with_parent() -> None:
    """When the process that started this one is gone, so is this one, in good order."""
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
