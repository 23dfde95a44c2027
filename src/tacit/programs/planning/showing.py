"""Plans as tables, for terminals and notebooks."""

from __future__ import annotations

from typing import Any

from rich.console import Group
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from tacit.programs.planning.plan import Plan, bytes_text, seconds_text

__all__ = ["plan_parts", "table_of"]

_MOST_PHASES = 24
_MOST_WORK = 8


def table_of(title: str, *columns: str) -> Table:
    """A table whose first column is text and whose others are figures."""
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for place, column in enumerate(columns):
        table.add_column(escape(column), justify="right" if place else "left", no_wrap=bool(place))
    return table


def plan_parts(plan: Plan) -> Any:
    """A plan: phases, links, work, notes, and what was measured."""
    head = Text(f"{plan.program} · {plan.protocol} · {plan.network}", style="bold")
    parts: list[Any] = [head, Text(plan.security, style="dim"), _phases(plan)]
    if plan.links:
        parts.append(_links(plan))
    if plan.work:
        parts.append(_work(plan))
    if plan.spent:
        parts.append(_spent(plan))
    parts.append(
        Text(
            f"A party holds about {bytes_text(plan.memory_peak)} of shares and messages at most."
            + (
                f" In one process for all parties: {seconds_text(plan.in_process)}."
                if plan.in_process
                else ""
            )
        )
    )
    if not plan.exact:
        most = sum(plan.bytes_at_most.values())
        parts.append(
            Text(
                f"Bytes of all parties: {bytes_text(plan.total_bytes)} expected,"
                f" {bytes_text(most)} at most."
            )
        )
    parts += [Text(f"Note: {note}.") for note in plan.notes]
    if plan.actual is not None:
        parts.append(_compared(plan))
    return Group(*parts)


def _row(name: str, rounds: int, sent: int, checks: int, seconds: float) -> tuple[str, ...]:
    return (
        name,
        f"{rounds:,}",
        bytes_text(sent),
        bytes_text(checks),
        seconds_text(seconds) if seconds else "–",
    )


def _phases(plan: Plan) -> Table:
    table = table_of("", "phase", "rounds", "bytes, all parties", "of checks", "seconds")
    shown = plan.phases
    if len(shown) > _MOST_PHASES:
        shown = tuple(phase for phase in shown if phase.name == "compute")
        for kind in ("share", "reveal"):
            several = [phase for phase in plan.phases if phase.name.startswith(kind)]
            table.add_row(
                *_row(
                    f"{kind} {len(several)} arrays",
                    sum(p.rounds for p in several),
                    sum(sum(p.bytes_sent.values()) for p in several),
                    sum(sum(p.check_bytes.values()) for p in several),
                    sum(p.seconds for p in several),
                )
            )
    for phase in shown:
        sent, checks = sum(phase.bytes_sent.values()), sum(phase.check_bytes.values())
        table.add_row(*_row(escape(phase.name), phase.rounds, sent, checks, phase.seconds))
    table.add_section()
    sent, checks = sum(plan.bytes_sent.values()), sum(plan.check_bytes.values())
    table.add_row(*_row("in all", plan.rounds, sent, checks, plan.seconds), style="bold")
    return table


def _links(plan: Plan) -> Table:
    table = table_of("", "bytes from … to", *plan.parties, "in all")
    for sender in plan.parties:
        row = [plan.links.get((sender, receiver), 0) for receiver in plan.parties]
        table.add_row(
            escape(sender),
            *(bytes_text(count) if count else "–" for count in row),
            bytes_text(sum(row)),
        )
    return table


def _work(plan: Plan) -> Table:
    table = table_of("", "primitives", "calls", "numbers")
    for one in plan.work[:_MOST_WORK]:
        table.add_row(one.primitive, f"{one.calls:,}", f"{one.numbers:,}")
    rest = plan.work[_MOST_WORK:]
    if rest:
        calls, numbers = sum(one.calls for one in rest), sum(one.numbers for one in rest)
        table.add_row(f"{len(rest)} others", f"{calls:,}", f"{numbers:,}")
    return table


def _spent(plan: Plan) -> Table:
    table = table_of("", "what a party computes", "times", "seconds")
    for one in plan.spent[:_MOST_WORK]:
        times = f"{one.times:,}" if one.times else ""
        table.add_row(one.operation, times, seconds_text(one.seconds))
    rest = plan.spent[_MOST_WORK:]
    if rest:
        times = f"{sum(one.times for one in rest):,}"
        table.add_row(f"{len(rest)} others", times, seconds_text(sum(one.seconds for one in rest)))
    return table


def _compared(plan: Plan) -> Table:
    assert plan.actual is not None
    table = table_of("", "", "predicted", "actual", "ratio")
    rows: list[tuple[str, float, float, Any]] = [
        ("rounds", plan.rounds, plan.actual.rounds, lambda n: f"{n:,}"),
        ("bytes", sum(plan.bytes_sent.values()), plan.actual.total_bytes, bytes_text),
        (
            "check bytes",
            sum(plan.check_bytes.values()),
            sum(plan.actual.check_bytes.values()),
            bytes_text,
        ),
        ("seconds", plan.expected_seconds, plan.actual.seconds, seconds_text),
    ]
    for name, predicted, actual, text in rows:
        ratio = f"{predicted / actual:.2f}" if actual and predicted else "–"
        table.add_row(name, text(predicted), text(actual), ratio)
    return table
