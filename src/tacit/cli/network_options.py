"""Options of commands that run parties: how long they wait for each other, and their threads."""

from __future__ import annotations

from typing import Annotated

import typer

from tacit.sessions.threads import VARIABLE

__all__ = ["DeadlineOption", "HeartbeatOption", "PartyPatienceOption", "ThreadsOption"]

_PANEL = "Network"

DeadlineOption = Annotated[
    float,
    typer.Option(
        min=1.0,
        help="Seconds that a phase may take before a party that is alive but stuck ends it.",
        rich_help_panel=_PANEL,
    ),
]
HeartbeatOption = Annotated[
    float,
    typer.Option(
        min=0.5,
        help="Seconds without a sign of life after which a party counts as lost.",
        rich_help_panel=_PANEL,
    ),
]
PartyPatienceOption = Annotated[
    float,
    typer.Option(
        min=1.0,
        help="Under guaranteed output: seconds that a party which is alive may keep the others"
        " waiting; one that takes longer counts as lost.",
        rich_help_panel=_PANEL,
    ),
]
ThreadsOption = Annotated[
    int | None,
    typer.Option(
        show_default=False,
        help="Threads of each party's process for matrix products. By default the variable"
        f" {VARIABLE}, or else the machine's cores divided among the parties.",
        rich_help_panel=_PANEL,
    ),
]
