"""Measurements on a terminal: tables, and bars while they are made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from bench.results import SLOWER, Run

__all__ = ["compared", "duration", "in_milliseconds", "progress_bars", "tables"]

Row: TypeAlias = Mapping[str, Any]
Column: TypeAlias = tuple[str, Callable[[Row], str]]
Ratios: TypeAlias = Mapping[tuple[str, str], float]


def in_milliseconds(seconds: float) -> str:
    """``4,210``, ``17.3``, ``0.031``."""
    value = seconds * 1e3
    places = 0 if value >= 100 else 1 if value >= 10 else 2 if value >= 1 else 3
    return f"{value:,.{places}f}"


def duration(seconds: float) -> str:
    """``46.9 µs``, ``17.3 ms``, ``4,210 ms``; from 10 s on ``12.4 s``, ``2,643 s``."""
    if seconds < 1e-3:
        return f"{in_milliseconds(seconds * 1e3)} µs"
    if seconds < 10:
        return f"{in_milliseconds(seconds)} ms"
    return f"{seconds:,.1f} s" if seconds < 100 else f"{seconds:,.0f} s"


def compared(ratio: float | None) -> str:
    """A ratio to the saved run, marked where it is 10 % or more away from 1."""
    if ratio is None:
        return "–"
    if ratio >= SLOWER:
        return f"[bold red]{ratio:.2f} slower[/]"
    if ratio <= 1 / SLOWER:
        return f"[green]{ratio:.2f} faster[/]"
    return f"{ratio:.2f}"


def _number(key: str, scale: float, places: int) -> Callable[[Row], str]:
    return lambda row: f"{row[key] / scale:,.{places}f}" if row.get(key) is not None else "–"


def _spread(row: Row) -> str:
    if "slowest" not in row:
        return "–"
    return f"{in_milliseconds(row['fastest'])}–{in_milliseconds(row['slowest'])}"


def _error(row: Row) -> str:
    return f"{row['max_error']:.1e}" if "max_error" in row else "–"


_SECONDS: Column = ("median", lambda row: duration(row["seconds"]))
_RANGE: Column = ("range", _spread)
_ROUNDS: Column = ("rounds", _number("rounds", 1, 0))
_SENT: Column = ("MB sent", _number("bytes", 1e6, 2))
_PEAK: Column = ("MiB a party", _number("peak_memory", 2**20, 0))

COLUMNS: dict[str, tuple[Column, ...]] = {
    "kernels": (
        _SECONDS,
        ("fastest", lambda row: duration(row["fastest"])),
        ("G items/s", _number("giga_items_per_second", 1, 3)),
        ("× NumPy or pyca", _number("times_the_rivals_speed", 1, 2)),
    ),
    "links": (
        ("a round", lambda row: duration(row["seconds"])),
        ("processors", lambda row: duration(row["processor_seconds"])),
        ("GB/s", _number("gigabytes_per_second", 1, 3)),
    ),
    "workloads": (
        _SECONDS,
        _RANGE,
        ("processors", lambda row: duration(row["processor_seconds"])),
        _ROUNDS,
        _SENT,
        _PEAK,
        ("max error", _error),
    ),
    "training": (_SECONDS, _RANGE, _ROUNDS, _SENT, _PEAK),
    "phases": (_SECONDS, _ROUNDS, _SENT),
}

TITLES = {
    "kernels": "Kernels, one core",
    "links": "Links: a ring of three parties, TLS, all sending at once",
    "workloads": "Workloads: three processes, TLS, all parties together",
    "training": "Main job: three banks, 3 epochs, batch 1,024, from start to last result",
}


def progress_bars(console: Console) -> Progress:
    """What was measured of what there is; nothing where the console is no terminal."""
    return Progress(
        TextColumn("{task.description:<26}"),
        BarColumn(bar_width=40),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def tables(run: Run, ratios: Ratios | None = None) -> list[Table]:
    """One table a section that was measured, and one for the phases of each training."""
    made = []
    for section, title in TITLES.items():
        rows = run.get(section)
        if not rows:
            continue
        made.append(_table(section, title, COLUMNS[section], rows, ratios))
        for row in rows:
            if row.get("phases"):
                name = f"Phases of {row['name']}"
                made.append(_table("phases", name, COLUMNS["phases"], row["phases"], None))
    return made


def _table(
    section: str,
    title: str,
    columns: Sequence[Column],
    rows: Sequence[Row],
    ratios: Ratios | None,
) -> Table:
    table = Table(
        title=title, title_justify="left", title_style="bold", header_style="dim", box=SIMPLE_HEAD
    )
    table.add_column("", no_wrap=True)
    for header, _ in columns:
        table.add_column(header, justify="right")
    if ratios is not None:
        table.add_column("to saved", justify="right")
    notes: list[str] = []
    for row in rows:
        reason = row.get("error") or row.get("skipped")
        if reason:
            table.add_row(row["name"], "–")
            notes.append(f"{row['name']}: {reason}")
            continue
        cells = [cell(row) for _, cell in columns]
        if ratios is not None:
            cells.append(compared(ratios.get((section, row["name"]))))
        table.add_row(row["name"], *cells)
    if notes:
        table.caption, table.caption_justify = escape("\n".join(notes)), "left"
    return table
