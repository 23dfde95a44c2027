"""``python -m bench.curves``: time, bytes and memory against elements, rounds and threads.

Three parties in processes of their own over TLS. Each part can be measured alone, when the machine
is quiet (``--part relu``); results add up in ``bench/results/curves.json``. ``--page`` renews the
tables and the figure of ``docs/performance.md`` from all that is there.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import matplotlib
import msgspec
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from rich.console import Console

import tacit
from bench import machine, results
from bench.networks.measured import Run, measured
from bench.networks.party import shared
from bench.operation_party import Report, Settings
from bench.peers import inputs
from bench.peers.comparison import PAGE, Grid, as_markdown, on_terminal, write_between_markers
from bench.tables import duration
from bench.workloads import compute
from tacit.sessions import launch

__all__ = ["PARTS", "main", "measure_operation"]

PARTIES = ("alice", "bob", "carol")
LARGEST = {"multiply": 8, "compare": 8, "relu": 8, "exp": 7}
OPERATIONS = tuple(LARGEST)
"""Each up to 10^LARGEST elements: exp of 10^8 moves 37 GB."""

DEPTHS = (1, 3, 10, 30, 100, 300, 1000)
SIDES = (256, 512, 1024)
"""Of the matrices whose product is measured against threads."""

PARTS = (*OPERATIONS, "rounds", "threads")

SAVED = results.FOLDER / "curves.json"
FIGURE = PAGE.parent / "figures" / "curves.svg"
_REPEATS = {10**7: 2, 10**8: 1}
"""Of few long runs; 5 of the others. The first repeat of several is a warm-up."""


def main() -> int:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m bench.curves", description=__doc__)
    parser.add_argument("--part", action="append", choices=PARTS, help="default: all")
    parser.add_argument("--largest", type=int, default=8, metavar="P", help="10^P elements: 8")
    parser.add_argument("--page", action="store_true", help="renew the documentation's tables")
    arguments = parser.parse_args()
    run: results.Run = {"parts": {}}
    if SAVED.exists():
        run = results.load(SAVED)
    run |= {"machine": machine.describe(), "when": results.stamp()}
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 140)
    for part in arguments.part or (() if arguments.page else PARTS):
        run["parts"][part] = list(_rows(part, arguments.largest))
        results.save(run, SAVED)
    for grid in _grids(run["parts"]):
        console.print(on_terminal(grid))
    if arguments.page:
        text = [_explained(run), *map(as_markdown, _grids(run["parts"]))]
        write_between_markers(PAGE, "\n\n".join(text), "curves")
        _draw(run["parts"], FIGURE)
    return 0


def _rows(part: str, largest: int) -> Iterator[dict[str, Any]]:
    if part == "rounds":
        for depth in DEPTHS:
            yield {"depth": depth, **measure_operation("relu", 128, 4, depth)}
    elif part == "threads":
        for threads in range(1, len(os.sched_getaffinity(0)) + 1):
            runs = [Run("matmul_1024", side, 4) for side in SIDES]
            found = measured(runs, threads=threads)
            yield {
                "threads": threads,
                "seconds": {str(r.size): median(t[1:]) for r, t in zip(runs, found, strict=True)},
                "in_turn": {str(side): _product_in_turn(side, 4, threads) for side in SIDES},
            }
    else:
        for power in range(2, min(largest, LARGEST[part]) + 1):
            size = 10**power
            yield {"size": size, **measure_operation(part, size, _REPEATS.get(size, 5))}


def measure_operation(
    operation: str, size: int, repeats: int = 1, depth: int = 1
) -> dict[str, Any]:
    """Run one operation in three processes.

    Returns
    -------
    dict
        ``seconds`` (of the slowest party; median over all repeats but the first, if there are
        several), ``rounds``, ``bytes`` (all
        parties), ``peak_memory`` and ``shares`` (largest party, in bytes), ``max_error``.

    Raises
    ------
    ValueError
        The result is wrong.
    """
    settings = Settings(operation, size, repeats, depth)
    found = launch(PARTIES, "bench.operation_party", dict.fromkeys(PARTIES, settings))
    reports = [msgspec.convert(result, Report) for result in found.values()]
    error = max(report.max_error for report in reports)
    if not error < 1e-2:
        raise ValueError(f"{operation} on {size} elements is wrong by {error}")
    slowest = [max(times) for times in zip(*(report.seconds for report in reports), strict=True)]
    return {
        "seconds": median(slowest[1:] or slowest),
        "rounds": max(report.rounds for report in reports),
        "bytes": sum(report.bytes for report in reports),
        "peak_memory": max(report.peak_memory for report in reports),
        "shares": max(report.shares for report in reports),
        "max_error": error,
    }


def _product_in_turn(side: int, repeats: int, threads: int) -> float:
    """Seconds of a matrix product of parties in this process, which compute in turn."""
    job = inputs.workload("matmul_1024", side)
    with tacit.local(threads=threads) as mpc:
        operands = shared(mpc, job, None)
        times = []
        for _ in range(repeats):
            with mpc.measure() as cost:
                (result,) = compute(mpc, "matmul_1024", operands)
            times.append(cost.seconds)
        if not job.error((result.reveal(to="all"),)) < 1e-2:
            raise ValueError(f"the product of {side} × {side} matrices is wrong")
    return median(times[1:])


# Tables and the figure.


def _grids(parts: Mapping[str, Sequence[Mapping[str, Any]]]) -> Iterator[Grid]:
    for operation in OPERATIONS:
        if operation in parts:
            yield _by_elements(operation, parts[operation])
    if "rounds" in parts:
        headers = ["rounds", "seconds", "a round", "bytes sent by all"]
        rows = [
            [
                f"{row['rounds']:,}",
                duration(row["seconds"]),
                duration(row["seconds"] / row["rounds"]),
                f"{row['bytes']:,}",
            ]
            for row in parts["rounds"]
        ]
        yield Grid("relu of 128 elements again and again, against rounds", headers, rows)
    if "threads" in parts:
        sides = list(parts["threads"][0]["seconds"])
        headers = ["threads a party", *(f"{side} × {side}" for side in sides)]
        headers += [f"{side} × {side}, in turn" for side in sides]
        rows = [
            [
                str(row["threads"]),
                *(duration(row[how][side]) for how in ("seconds", "in_turn") for side in sides),
            ]
            for row in parts["threads"]
        ]
        yield Grid("Matrix products against threads a party", headers, rows)


def _by_elements(operation: str, found: Sequence[Mapping[str, Any]]) -> Grid:
    headers = ["elements", "seconds", "an element", "rounds", "MB sent by all", "bytes an element"]
    headers += ["MiB a party", "of them not shares"]
    rows = [
        [
            f"{row['size']:,}",
            duration(row["seconds"]),
            f"{row['seconds'] / row['size'] * 1e9:,.0f} ns",
            f"{row['rounds']:,}",
            f"{row['bytes'] / 1e6:,.3f}",
            f"{row['bytes'] / row['size']:.1f}",
            f"{row['peak_memory'] / 2**20:,.0f}",
            f"{(row['peak_memory'] - row['shares']) / 2**20:,.0f}",
        ]
        for row in found
    ]
    return Grid(f"{operation}, against elements", headers, rows)


def _explained(run: results.Run) -> str:
    here = run["machine"]
    return (
        f"Measured {run['when'][:10]} on {here['processor']}, {here['cores']} cores,"
        f" {here['memory_gib']} GiB. *Shares* are those that go in and come out; the rest is the"
        " interpreter with its libraries and what two chunks have under way. The one run of 10^8"
        " elements includes the time in which the system hands out that much memory for the first"
        " time."
    )


def _draw(parts: Mapping[str, Sequence[Mapping[str, Any]]], path: Path) -> None:
    """Four panels: time and bytes against elements, time against rounds and threads."""
    with matplotlib.rc_context({"svg.hashsalt": "tacit", "svg.fonttype": "none", "font.size": 9}):
        figure = Figure(figsize=(13, 3.4), layout="constrained")
        FigureCanvasSVG(figure)
        time, sent, waiting, sharing = figure.subplots(1, 4)
        for operation in OPERATIONS:
            rows = parts.get(operation, ())
            sizes = [row["size"] for row in rows]
            time.plot(sizes, [row["seconds"] for row in rows], marker="o", ms=3, label=operation)
            sent.plot(sizes, [row["bytes"] / 1e6 for row in rows], marker="o", ms=3)
        time.legend(frameon=False)
        rows = parts.get("rounds", ())
        waiting.plot(
            [row["rounds"] for row in rows], [row["seconds"] for row in rows], marker="o", ms=3
        )
        for axes, title, x in (
            (time, "seconds", "elements"),
            (sent, "MB sent by all parties", "elements"),
            (waiting, "seconds", "rounds of 128 elements"),
        ):
            axes.set(xscale="log", yscale="log", xlabel=x, title=title)
            axes.minorticks_off()
            axes.grid(alpha=0.3)
        rows = parts.get("threads", ())
        threads = [row["threads"] for row in rows]
        for how, label in (("seconds", "three processes"), ("in_turn", "in turn in one")):
            seconds = [list(row[how].values())[-1] for row in rows]
            sharing.plot(threads, seconds, marker="o", ms=3, label=label)
        largest = max(SIDES)
        sharing.set(
            title="seconds",
            xlabel=f"threads a party, {largest} × {largest} product",
            xticks=threads,
            ylim=(0, None),
        )
        sharing.grid(alpha=0.3)
        sharing.legend(frameon=False)
        path.parent.mkdir(exist_ok=True)
        figure.savefig(path, format="svg", metadata={"Date": None})


if __name__ == "__main__":
    sys.exit(main())
