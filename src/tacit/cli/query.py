"""``tacit query``: scores of a client's rows from a service, which never sees them."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from tacit.cli.terminal import Terminal
from tacit.serving.client import Client

__all__ = ["query"]

_SHOWN = 50


def query(
    rows: Annotated[
        Path,
        typer.Argument(
            help="A CSV or Parquet file with the model's columns, one row or many.",
            show_default=False,
        ),
    ],
    kit: Annotated[
        Path,
        typer.Option(
            "--kit",
            "-k",
            envvar="TACIT_KIT",
            help="This client's kit (tacit consortium request NAME --client).",
        ),
    ] = Path("serving/client"),
    timeout: Annotated[float, typer.Option(min=1, help="Seconds to wait at most.")] = 30.0,
    out: Annotated[
        Path | None,
        typer.Option(help="Write the scores to this CSV file.", show_default=False),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the scores as JSON.")] = False,
) -> None:
    """Ask a service for the scores of your rows. They are masked here: no party sees them.

    Columns are taken by name; a label and others may be there and are not read. Example:

        tacit query row.csv --kit serving/client
    """
    began = time.perf_counter()
    with Client(kit, timeout=timeout) as client:
        scores = client.probability(rows)
        described = client.describe() if not as_json else None
    seconds = time.perf_counter() - began
    if out is not None:
        lines = ["score", *(f"{score:.6g}" for score in scores)]
        out.write_text("\n".join(lines) + "\n")
    if as_json:
        print(json.dumps({"scores": [float(s) for s in scores], "seconds": round(seconds, 4)}))
        return
    assert described is not None
    console = Terminal()
    if out is None or len(scores) <= _SHOWN:
        table = Table()
        table.add_column("row", justify="right")
        table.add_column("score", justify="right")
        for place, score in enumerate(scores[:_SHOWN], 1):
            table.add_row(str(place), f"{score:.4f}")
        console.print(table)
        if len(scores) > _SHOWN:
            console.print(f"… and {len(scores) - _SHOWN} more: use --out or --json.")
    left = "" if described.budget is None else f"; {described.budget:,} rows of the budget are left"
    console.print(
        f"[dim]{len(scores)} rows in {seconds:.2f} s from"
        f" {escape(', '.join(described.members))}{left}[/]"
    )
