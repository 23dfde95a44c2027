"""Tables of one run side by side: for a terminal and, in Markdown, for the documentation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from rich.box import SIMPLE_HEAD
from rich.table import Table

from bench.tables import duration

__all__ = [
    "PAGE",
    "Grid",
    "as_markdown",
    "grids",
    "in_markdown",
    "on_terminal",
    "write_between_markers",
]

Row: TypeAlias = Mapping[str, Any]
Run: TypeAlias = Mapping[str, Any]

PAGE = Path(__file__).resolve().parents[2] / "docs" / "performance.md"
"""Whose tables are written from here."""


@dataclass(frozen=True)
class Grid:
    """A table as text: a title, the columns' headers, and the rows."""

    title: str
    headers: Sequence[str]
    rows: Sequence[Sequence[str]]


def grids(run: Run) -> list[Grid]:
    """Times, matrix products beside NumPy's, floors, and bytes with errors.

    Parameters
    ----------
    run : mapping
        ``systems``: their names, tacit first, with versions; ``workloads``: for each name the
        ``rows`` by system, the ``floor`` of tacit, and ``in_the_clear`` NumPy's own time.
    """
    clear = _in_the_clear(run)
    return [_times(run), *([clear] if clear.rows else []), _floors(run), _bytes_and_errors(run)]


def _times(run: Run) -> Grid:
    peers = list(run["systems"])[1:]
    headers = ["workload", "tacit"]
    for peer in peers:
        headers += [f"{peer} {run['systems'][peer]}".strip(), f"{peer} / tacit"]
    rows = []
    for name, found in run["workloads"].items():
        ours = found["rows"]["tacit"]
        cells = [name, _time(ours)]
        for peer in peers:
            theirs = found["rows"].get(peer, {})
            cells += [_time(theirs), _ratio(theirs, ours)]
        rows.append(cells)
    return Grid("Medians", headers, rows)


def _in_the_clear(run: Run) -> Grid:
    rows = []
    for name, found in run["workloads"].items():
        ours, numpy = found["rows"]["tacit"], found.get("in_the_clear", {})
        if "seconds" in ours and "seconds" in numpy:
            times = [duration(row["seconds"]) for row in (ours, numpy)]
            rows.append([name, *times, _ratio(ours, numpy)])
    headers = ["workload", "tacit", "NumPy", "tacit / NumPy"]
    return Grid("Beside NumPy's product in the clear, float64", headers, rows)


def _floors(run: Run) -> Grid:
    rows = []
    for name, found in run["workloads"].items():
        ours, floor = found["rows"]["tacit"], found.get("floor")
        if floor is None or "seconds" not in ours:
            continue
        total = sum(floor.values())
        parts = [duration(floor[part]) for part in ("kernels", "bytes", "rounds")]
        rows.append(
            [
                name,
                duration(ours["seconds"]),
                duration(total),
                *parts,
                f"{ours['rounds']:,}",
                f"{ours['seconds'] / total:.1f}",
            ]
        )
    headers = ["workload", "tacit", "floor", "kernels", "bytes", "rounds' time", "rounds"]
    return Grid("tacit and its floor on this machine", [*headers, "tacit / floor"], rows)


def _bytes_and_errors(run: Run) -> Grid:
    headers = ["workload"]
    for system in run["systems"]:
        headers += [f"{system}, MB", f"{system}, error"]
    rows = []
    for name, found in run["workloads"].items():
        cells = [name]
        for system in run["systems"]:
            row = found["rows"].get(system, {})
            cells.append(_if("bytes", row, lambda sent: f"{sent / 1e6:,.2f}"))
            cells.append(_if("max_error", row, lambda error: f"{error:.1e}"))
        rows.append(cells)
    return Grid("Bytes sent by all parties, and largest errors", headers, rows)


def _time(row: Row) -> str:
    if "seconds" not in row:
        return "–" if "error" not in row else "failed"
    text = duration(row["seconds"])
    return f"{text} *" if "scaled_from" in row else text


def _ratio(theirs: Row, ours: Row) -> str:
    if "seconds" not in theirs or "seconds" not in ours:
        return "–"
    ratio = theirs["seconds"] / ours["seconds"]
    return f"{ratio:,.0f} ×" if ratio >= 100 else f"{ratio:.1f} ×"


def _if(key: str, row: Row, text: Callable[[Any], str]) -> str:
    return text(row[key]) if row.get(key) is not None else "–"


def on_terminal(grid: Grid) -> Table:
    """The table for rich."""
    table = Table(
        title=grid.title,
        title_justify="left",
        title_style="bold",
        header_style="dim",
        box=SIMPLE_HEAD,
    )
    for index, header in enumerate(grid.headers):
        table.add_column(header, justify="right" if index else "left", no_wrap=not index)
    for row in grid.rows:
        table.add_row(*row)
    return table


def in_markdown(run: Run) -> str:
    """The part of the documentation between the markers."""
    here = run["machine"]
    systems = ", ".join(f"{name} {version}".strip() for name, version in run["systems"].items())
    parts = [
        f"Measured {run['when'][:10]} on {here['processor']}, {here['cores']} cores,"
        f" {here['memory_gib']} GiB, {here['kernel']}; Python {here['python']}; {systems}; medians"
        f" of up to {run['repeats']} repeats.",
    ]
    parts += map(as_markdown, grids(run))
    links = run.get("links")
    if links:
        parts.append(
            f"For the floors: a round of 64 bytes takes {links['round_seconds'] * 1e6:.0f} µs, and"
            f" three parties together send {links['bytes_per_second'] / 1e9:.1f} GB/s over TLS."
        )
    return "\n\n".join(parts)


def as_markdown(grid: Grid) -> str:
    """A table for the documentation."""
    lines = [f"**{grid.title}**", "", _line(grid.headers)]
    lines.append(_line([":---", *["---:"] * (len(grid.headers) - 1)]))
    lines += map(_line, grid.rows)
    return "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    escaped = [cell.replace("|", "/").replace("*", "\\*") for cell in cells]
    return f"| {' | '.join(escaped)} |"


def write_between_markers(page: Path, text: str, section: str = "bench") -> None:
    """Replace what stands between the two markers of a section of a page.

    Raises
    ------
    ValueError
        If the page does not have the markers, in this order.
    """
    opening, closing = f"<!-- {section}:begin -->", f"<!-- {section}:end -->"
    before, begin, rest = page.read_text().partition(opening)
    _, end, after = rest.partition(closing)
    if not begin or not end:
        raise ValueError(f"{page} lacks the markers {opening} and {closing}")
    page.write_text(f"{before}{opening}\n\n{text}\n\n{closing}{after}")
