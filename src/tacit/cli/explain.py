"""``tacit explain``: what a program does and tells, before anybody runs it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from tacit.cli.terminal import Terminal, literal
from tacit.programs import Program
from tacit.programs.explaining.explanation import MINIMUM, Explanation, require_severity
from tacit.programs.explaining.report import headline

__all__ = ["explain"]

_COLOURS = {"high": "bold red", "medium": "yellow", "low": "cyan", "note": "dim"}


def explain(
    file: Annotated[
        Path, typer.Argument(help="A program, as Program.save writes it.", show_default=False)
    ],
    minimum: Annotated[
        int, typer.Option(help="How many rows a statistic goes over at least.", min=1)
    ] = MINIMUM,
    fatal: Annotated[
        str | None,
        typer.Option(
            metavar="SEVERITY",
            help="Exit with status 2 if there are findings of this severity or worse: high, medium,"
            " low or note.",
            show_default=False,
        ),
    ] = None,
    draw: Annotated[
        Path | None,
        typer.Option(metavar="FILE.svg", help="Draw the program, too.", show_default=False),
    ] = None,
    text: Annotated[
        bool, typer.Option("--text", help="Print the program itself, operation by operation.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Explain a program in words: who gives what, who learns what, and what that may tell.

    Findings are outputs that may tell more than they should: an output that gives an input away,
    differences of sums that single out a row, groups without a minimum size, models. No data is
    needed and nothing is connected. Examples:

        tacit explain study.tacit

        tacit explain study.tacit --fatal medium --json > study.json

        tacit explain study.tacit --draw study.svg
    """
    program = Program.load(file)
    found = program.explain(minimum)
    if fatal is not None:
        require_severity(fatal)
    if draw is not None:
        program.draw(draw)
    if as_json:
        print(json.dumps(found.as_dict()))
    elif text:
        print(program.text())
    else:
        _show(Terminal(), found)
        if draw is not None:
            Terminal().print(f"Drawn: {literal(draw)}", soft_wrap=True)
    if fatal is not None:
        found.require(fatal)


def _show(console: Terminal, one: Explanation) -> None:
    console.print(f"[bold]Program {escape(one.name or '(no name)')}[/]  [dim]{one.digest}[/]")
    _table(
        console, "Who gives what", ("input", "from", "what", "bounds"),
        [(g.name, g.owner, g.what, g.bounds) for g in one.gives],
    )  # fmt: skip
    steps = Table(title="What is computed", title_justify="left", show_header=False, box=None)
    for step in one.steps:
        error = f" [dim](error: {escape(step.error)})[/]" if step.error else ""
        gives = f" [dim]→ {escape(step.gives)}[/]" if step.gives else ""
        indent = "  " * step.depth
        steps.add_row(f"{indent}{escape(step.number)}", f"{escape(step.what)}{gives}{error}")
    console.print(steps)
    _table(
        console, "Who learns what", ("output", "to", "what", "over at least", "made of"),
        [(o.name, o.to, o.what, o.over, ", ".join(o.from_inputs)) for o in one.learns],
    )  # fmt: skip
    console.print(f"\n[bold]Findings: {headline(one)}[/]")
    for finding in one.findings:
        colour = _COLOURS[finding.severity]
        people = (
            f" [dim]to {escape(', '.join(finding.recipients))}[/]" if finding.recipients else ""
        )
        console.print(
            f"[{colour}]{literal(finding.severity)}[/] [bold]{escape(finding.kind)}[/]{people}:"
            f" {escape(finding.what)}"
        )
        console.print(f"  Why: {escape(finding.why)}")
        console.print(f"  What to do: {escape(finding.advice)}")
    if one.approximations:
        _table(
            console, "Approximate operations",
            ("operation", "times", "computes", "largest error", "for"),
            [
                (a.operation, str(a.times), a.computes, a.error, a.domain)
                for a in one.approximations
            ],
        )  # fmt: skip
    for title, items in (
        ("Known to all parties, whoever learns the outputs", one.public),
        ("What this does not see", one.limits),
    ):
        console.print(f"\n[bold]{title}[/]")
        for item in items:
            console.print(f"  · {escape(item)}")


def _table(
    console: Terminal, title: str, head: tuple[str, ...], rows: list[tuple[str, ...]]
) -> None:
    table = Table(title=title, title_justify="left", title_style="bold")
    for name in head:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*map(escape, row))
    console.print()
    console.print(table)
