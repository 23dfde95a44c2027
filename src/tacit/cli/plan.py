"""``tacit plan``: what a program will cost, before anybody runs it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from tacit.cli.terminal import Terminal
from tacit.programs import Program
from tacit.sessions.memory import keep_freed_memory

__all__ = ["plan"]


def plan(
    program: Annotated[
        Path,
        typer.Argument(help="A program's file, as Program.save writes it.", show_default=False),
    ],
    protocol: Annotated[
        str | None,
        typer.Option(
            "--protocol",
            "-p",
            help="Only this protocol, in detail: phases, links, work.",
            show_default=False,
        ),
    ] = None,
    network: Annotated[
        str,
        typer.Option(
            "--network",
            "-n",
            help="loopback, lan, metro or wan; or figures: rtt=20ms,bandwidth=100Mbit.",
        ),
    ] = "lan",
    parties: Annotated[
        str | None,
        typer.Option(
            help="The parties' names by index: alice,bob,carol. By default the program's owners"
            " and recipients, and alice, bob, carol …",
            show_default=False,
        ),
    ] = None,
    adversary: Annotated[
        str | None,
        typer.Option(
            help="passive: corrupt parties follow the protocol; active: they do anything.",
            show_default=False,
        ),
    ] = None,
    outcome: Annotated[
        str | None,
        typer.Option(
            help="If a party deviates: abort (nobody gets a wrong result), or guaranteed (all get"
            " the right one).",
            show_default=False,
        ),
    ] = None,
    rounding: Annotated[str, typer.Option(help="probabilistic, nearest or exact.")] = (
        "probabilistic"
    ),
    ring: Annotated[int, typer.Option(help="Bits of the ring: 64 or 128.")] = 64,
    quick: Annotated[
        bool, typer.Option("--quick", help="Rounds and bytes alone, without timing this machine.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say what a program will cost before it runs: rounds, bytes, memory, seconds.

    Without `--protocol` all protocols that fit the parties and the threat model are compared, and
    one is recommended. Rounds and bytes are exact; seconds come from running each primitive once
    on this machine and from the network's latency and bandwidth. No data is needed. Examples:

        tacit plan model.tacit --network wan

        tacit plan model.tacit --adversary active --outcome guaranteed

        tacit plan model.tacit --protocol replicated3 --network rtt=20ms,bandwidth=100Mbit
    """
    loaded = Program.load(program)
    keep_freed_memory()  # as in a party's own process, so that seconds are those of one
    names = None if parties is None else [name.strip() for name in parties.split(",")]
    if protocol is None:
        found = loaded.plan(
            None,
            network,
            parties=names,
            adversary=adversary,
            outcome=outcome,
            rounding=rounding,
            ring=ring,
            seconds=not quick,
        )
    else:
        found = loaded.plan(
            protocol, network, parties=names, rounding=rounding, ring=ring, seconds=not quick
        )  # type: ignore[assignment]
    if as_json:
        print(json.dumps(found.as_dict()))
        return
    console = Terminal()
    console.print(found)
