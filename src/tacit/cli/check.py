"""``tacit check``: does a file fit a schema? Offline, for its owner alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from tacit.cli.terminal import Terminal, literal
from tacit.errors import DataError
from tacit.tables import Schema
from tacit.tables import check as find_problems
from tacit.tables.spool import MOST_LISTED

__all__ = ["check"]


def check(
    file: Annotated[Path, typer.Argument(help="A CSV or Parquet file.", show_default=False)],
    schema: Annotated[
        Path, typer.Option("--schema", "-s", help="The agreed schema (JSON).", show_default=False)
    ],
    most: Annotated[int, typer.Option(help="Show at most this many problems.", min=1)] = 20,
    errors: Annotated[
        Path | None,
        typer.Option(
            "--errors",
            metavar="FILE.csv",
            help="Write all problems (the first 100,000) to this file, for yourself.",
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check a file against the agreed schema, before a joint run and without any connection.

    Every problem is named by line and column; values are not printed. Example:

        tacit check transactions.parquet --schema schema.json --errors wrong.csv
    """
    agreed = Schema.load(schema)
    found = find_problems(file, agreed, limit=most if errors is None else max(most, MOST_LISTED))
    if errors is not None and found.violations:
        found.save(errors)
    if as_json:
        print(
            json.dumps(
                {
                    "file": str(file),
                    "rows": found.rows,
                    "problems": found.total,
                    "first": [str(violation) for violation in found.violations[:most]],
                    "columns": found.sentences(),
                }
            )
        )
    console = Terminal(quiet=as_json)
    if not found.violations:
        console.print(f"[green]✓[/] {literal(file)}: {found.rows:,} rows fit the schema.")
        return
    for violation in found.violations[:most]:
        console.print("[red]✗[/]", end=" ")
        console.print(str(violation), markup=False, soft_wrap=True)
    if found.total > 1:
        console.print("In all:")
        for line in found.sentences():
            console.print(f"  {line}", markup=False, soft_wrap=True)
    if errors is not None:
        console.print(f"Listed in {errors}", markup=False, soft_wrap=True)
    shown = f"; the first {most} are shown" if found.total > most else ""
    raise DataError(
        f"{file} breaks the schema in {found.total:,} places{shown}.",
        next_step="correct these lines, or agree on another schema with the other owners.",
        case=20,
        stage="check",
    )
