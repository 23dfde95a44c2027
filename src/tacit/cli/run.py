"""``tacit run``: the parties of a program run it, each with its own files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tacit.cli.alone import KitOption, ListenOption, WaitOption, listening, own_kit
from tacit.cli.run_inputs import files_of, parties_of, ring_for
from tacit.cli.running import RunRequest, require_people, run_request
from tacit.cli.terminal import Terminal
from tacit.frontends.job import approved
from tacit.programs.program import Program
from tacit.protocols.interface import checked_rounding
from tacit.sessions.threads import VARIABLE, threads_a_party

__all__ = ["run"]


def run(
    program: Annotated[
        Path,
        typer.Argument(metavar="PROGRAM", help="A file that Program.save wrote."),
    ],
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[OWNER=FILE ...]",
            help="Each owner's file with its inputs: .npy, .npz, .csv, .parquet or .json. With"
            " several inputs arrays and columns are taken by the inputs' names.",
            show_default=False,
        ),
    ] = None,
    *,
    inputs: Annotated[
        list[str] | None,
        typer.Option(
            "--inputs",
            "-i",
            metavar="NAME=FILE",
            help="The file of one input, by the input's name (repeat for more); also of inputs that"
            " all parties know.",
            show_default=False,
            rich_help_panel="Data",
        ),
    ] = None,
    digest: Annotated[
        str,
        typer.Option(
            help="The digest that was approved: another program is refused. Its first 32 digits at"
            " least: whoever makes programs finds two with the same 32 after 2^64 tries, with the"
            " same 16 after 2^32 (a minute), with all 64 after 2^128.",
            show_default=False,
            rich_help_panel="Security",
        ),
    ] = "",
    protocol: Annotated[
        str | None,
        typer.Option(
            help="The protocol that the parties run. By default replicated3, for four parties"
            " fantastic4; with a kit the consortium's.",
            show_default=False,
            rich_help_panel="Security",
        ),
    ] = None,
    helper: Annotated[
        list[str] | None,
        typer.Option(
            help="The name of a party that computes with the others and gives nothing (repeat for"
            " more). By default 'helper', 'helper2' where the protocol needs more parties.",
            show_default=False,
            rich_help_panel="Security",
        ),
    ] = None,
    rounding: Annotated[
        str,
        typer.Option(
            help="How products round: probabilistic, nearest or exact. With exact every run gives"
            " the same bits; slower.",
            rich_help_panel="Computing",
        ),
    ] = "probabilistic",
    ring: Annotated[
        int | None,
        typer.Option(
            help="Bits of the ring, 64 or 128; by default what the program's types need.",
            show_default=False,
            rich_help_panel="Computing",
        ),
    ] = None,
    out: Annotated[
        Path,
        typer.Option("--out", "-o", help="Folder for the outputs.", rich_help_panel="Output"),
    ] = Path("result"),
    deadline: Annotated[
        float,
        typer.Option(
            min=1.0,
            help="Seconds that a phase may take before a party that is alive but stuck ends it.",
            rich_help_panel="Network",
        ),
    ] = 3600.0,
    heartbeat: Annotated[
        float,
        typer.Option(
            min=0.5,
            help="Seconds without a sign of life after which a party counts as lost.",
            rich_help_panel="Network",
        ),
    ] = 5.0,
    patience: Annotated[
        float,
        typer.Option(
            min=1.0,
            help="Under guaranteed output: seconds that a party which is alive may keep the others"
            " waiting; one that takes longer counts as lost.",
            rich_help_panel="Network",
        ),
    ] = 60.0,
    threads: Annotated[
        int | None,
        typer.Option(
            show_default=False,
            help="Threads of each party's process for matrix products. By default the variable"
            f" {VARIABLE}, or else the machine's cores divided among the parties.",
            rich_help_panel="Network",
        ),
    ] = None,
    own: Annotated[
        str | None,
        typer.Option(
            "--as",
            metavar="NAME",
            help="Be this one party, with its files; the others run the same command on their"
            " machines with theirs.",
            show_default=False,
            rich_help_panel="Several machines",
        ),
    ] = None,
    kit: KitOption = None,
    wait: WaitOption = 600.0,
    listen: ListenOption = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the result as JSON.", rich_help_panel="Output")
    ] = False,
) -> None:
    """Run a program: each party reads its own files, and learns its own outputs.

    A program says who gives what, what is computed and who learns what; tacit.trace makes one from
    a Python function. What runs is this file and no code of anybody's. Example:

        tacit run gap.tacit acme=wages.csv bell=wages.parquet cone=wages.npz

    Every party approves a program by its digest, and refuses any other:

        tacit run gap.tacit acme=wages.csv … --digest 6a09e667f3bcc908b2fb1366ea957d3e

    Inputs by their own names, also those that all parties know:

        tacit run score.tacit bank=rows.csv --inputs weights=model.npy --inputs cut=cut.json

    On several machines every organisation runs the same command, with its own file and kit:

        tacit run gap.tacit acme=wages.csv --as acme --kit kit

    Before anything is sent each party's process checks its files against the program's types,
    shapes and bounds. Outputs lie in the folder --out, each recipient's in one of its own.
    """
    loaded = approved(program, digest) if digest else Program.load(program)
    place = None if own is None else own_kit(own, kit)
    chosen, parties = parties_of(loaded, protocol, tuple(helper or ()), place)
    require_people(loaded, parties)
    request = RunRequest(
        path=program,
        program=loaded,
        parties=parties,
        files=files_of(loaded, parties, files or [], inputs or [], place),
        protocol=chosen,
        ring=ring_for(loaded, ring),
        rounding=checked_rounding(rounding),
        out=out,
        deadline=deadline,
        heartbeat=heartbeat,
        patience=patience,
        threads=threads,
        kit=place,
        wait=wait,
        listen=listening(listen),
    )
    threads_a_party(threads)
    run_request(request, Terminal(stderr=as_json), as_json=as_json)
