"""``tacit plan``: what a program will cost, before anybody runs it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from tacit.arrays.opening import local
from tacit.cli.terminal import Terminal
from tacit.programs import Program
from tacit.programs.planning import Measured, Plan
from tacit.programs.planning.choice import Plans, Threat, fitting
from tacit.protocols.interface import checked_rounding
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
    calibrate: Annotated[
        bool,
        typer.Option(
            "--calibrate",
            help="Seconds for parties that are processes of this machine, over TLS: they are"
            " started, and links and processors measured. Instead of --network.",
        ),
    ] = False,
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

        tacit plan model.tacit --calibrate
    """
    loaded = Program.load(program)
    keep_freed_memory()  # as in a party's own process, so that seconds are those of one
    names = None if parties is None else [name.strip() for name in parties.split(",")]
    chosen: Any = network
    if calibrate and not quick:
        chosen = _calibrated(loaded, protocol, names, Threat(adversary, outcome), rounding, ring)
    if protocol is None:
        found: Plan | Plans = loaded.plan(
            None,
            chosen,
            parties=names,
            adversary=adversary,
            outcome=outcome,
            rounding=rounding,
            ring=ring,
            seconds=not quick,
        )
    else:
        found = loaded.plan(
            protocol, chosen, parties=names, rounding=rounding, ring=ring, seconds=not quick
        )
    if as_json:
        print(json.dumps(found.as_dict()))
        return
    console = Terminal()
    console.print(found)


def _calibrated(
    program: Program,
    protocol: str | None,
    parties: list[str] | None,
    threat: Threat,
    rounding: str,
    ring: int,
) -> dict[str, Measured]:
    """What is measured among the processes of every protocol that fits."""
    fit, _ = fitting(program, threat, parties, ring)
    wanted = [one.name for one in fit] if protocol is None else [protocol]
    found = {}
    for name in wanted:
        with local(name, processes=True, rounding=checked_rounding(rounding), ring=ring) as mpc:
            found[name] = mpc.calibrate()
    return found
