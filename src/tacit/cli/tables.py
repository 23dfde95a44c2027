"""What a training or a program prints in the end: short tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.markup import escape
from rich.table import Table

from tacit.reports import Phase, Report
from tacit.reports.formats import digits, shortened

__all__ = ["cost_table", "phase_table", "scores_table"]


def scores_table(report: Report) -> Table:
    """Every model's metrics."""
    differs = any(e.coefficient_difference is not None for e in report.evaluations)
    caption = "* at 1 % false positives"
    if differs:
        caption += "  ** largest difference of a standardised coefficient from the joint model"
    table = Table(
        title=f"Evaluated on {escape(report.evaluated_on)}",
        title_justify="left",
        caption=caption,
        caption_justify="left",
    )
    table.add_column("model", no_wrap=True)
    headings = ["ROC AUC", "PR AUC", "recall*", "Brier", *(["coef. diff.**"] if differs else [])]
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    for e in report.evaluations:
        difference = e.coefficient_difference
        title = escape(shortened(e.title))
        cells = [
            f"[bold]{title}[/]" if e.kind == "joint" else title,
            digits(e.roc_auc, 4),
            digits(e.pr_auc, 4),
            digits(e.recall, 4),
            digits(e.brier, 5),
        ]
        if differs:
            cells.append("" if difference is None else f"{difference:.4f}")
        table.add_row(*cells)
    return table


def cost_table(report: Report) -> Table:
    """Seconds and rounds of each phase, what each party sent, and its memory."""
    names = [*(owner.name for owner in report.owners), *report.helpers]
    return phase_table(report.phases, names, report.peak_memory)


def phase_table(
    phases: Sequence[Phase], parties: Sequence[str], memory: Mapping[str, int]
) -> Table:
    """The same from phases alone; parties that are in none of them are left out."""
    known = {name for phase in phases for name in phase.bytes_sent}
    names = [name for name in parties if name in known]
    table = Table(title="Cost: seconds at the slowest party, MB sent by each", title_justify="left")
    table.add_column("phase", no_wrap=True)
    table.add_column("seconds", justify="right")
    table.add_column("rounds", justify="right")
    for name in names:
        table.add_column(escape(shortened(name, 10)), justify="right", no_wrap=True)
    for phase in phases:
        table.add_row(
            phase.name,
            f"{phase.seconds:.2f}",
            f"{phase.rounds:,}",
            *(f"{phase.bytes_sent.get(name, 0) / 1e6:,.1f}" for name in names),
        )
    table.add_section()
    table.add_row(
        "all",
        f"{sum(p.seconds for p in phases):.2f}",
        f"{sum(p.rounds for p in phases):,}",
        *(f"{sum(p.bytes_sent.get(n, 0) for p in phases) / 1e6:,.1f}" for n in names),
    )
    if memory:
        table.add_row(
            "memory, MiB",
            "",
            "",
            *(f"{memory[n] / 2**20:,.0f}" if n in memory else "–" for n in names),
        )
    return table
