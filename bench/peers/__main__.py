"""``python -m bench.peers``: tacit and its peers side by side, in one run.

The systems run every workload in turn, then again, so that none has the machine to itself at a
better moment; what is compared are medians. Results go to ``bench/results/peers.json``; a run
with nothing left out also renews the tables of ``docs/performance.md``. Where a machine is quiet
for minutes only, ``--only GLOBS --add`` measures some workloads after the others, each beside its
peers.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from bench import links, machine, results
from bench.floor import floor_of, kernel_seconds, links_from
from bench.interleave import Job, chosen, interleaved, summary
from bench.peers import driving, in_the_clear, inputs
from bench.peers.comparison import (
    PAGE,
    grids,
    in_markdown,
    on_terminal,
    write_between_markers,
)
from bench.peers.driving import Contestant
from bench.tables import progress_bars
from bench.workloads import SKIPPED

__all__ = ["added", "main"]

WIDTH = 140
CLEAR = "NumPy"
LONG_SECONDS = 15.0
"""A repeat that takes longer, from asking to answer, is not made again."""
TURN_SECONDS = 0.1
"""A repeat of something shorter calls it until this much time was measured."""


def main() -> int:
    """Measure what the command line asks for."""
    arguments = _parser().parse_args()
    console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH)
    there = driving.installed()
    wanted = there if arguments.peers is None else tuple(filter(None, arguments.peers.split(",")))
    for missing in sorted(set(wanted) - set(there)):
        console.print(
            f"[yellow]{missing} is not installed: python bench/peers/setup.py {missing}[/]"
        )
    peers = [peer for peer in there if peer in wanted]
    names = [
        name
        for name in chosen(inputs.names(), arguments.only)
        if arguments.all or name not in SKIPPED
    ]
    if not names:
        console.print(f"No workload is called {arguments.only!r}: {', '.join(inputs.names())}.")
        return 2
    run = _measure(names, peers, arguments.repeats, console)
    saved = results.FOLDER / "peers.json"
    if arguments.add and saved.exists():
        run = added(results.load(saved), run)
    results.save(run, saved)
    if arguments.json:
        results.save(run, arguments.json)
    for grid in grids(run):
        console.print(on_terminal(grid))
    _explain(run, console)
    if arguments.page or (arguments.only == "*" and arguments.peers is None):
        write_between_markers(PAGE, in_markdown(run))
        console.print(f"The tables of {PAGE.name} are renewed.")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.peers", description=__doc__)
    parser.add_argument("--peers", metavar="NAMES", help="such as spu,mpyc; default: all installed")
    parser.add_argument("--only", metavar="GLOBS", default="*", help="such as 'matmul*,relu_1e6'")
    parser.add_argument("--repeats", type=int, default=5, metavar="N", help="default: 5")
    parser.add_argument("--all", action="store_true", help="also what only the peers can do")
    parser.add_argument(
        "--add", action="store_true", help="keep the last run's workloads that are not among these"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers to FILE too")
    parser.add_argument("--page", action="store_true", help="renew the documentation's tables")
    return parser


def _measure(
    names: Sequence[str], peers: Sequence[str], repeats: int, console: Console
) -> dict[str, Any]:
    """Floors first, while nothing else runs; then all systems in turn."""
    run: dict[str, Any] = {
        "machine": machine.describe(),
        "when": results.stamp(),
        "repeats": repeats,
    }
    results.FOLDER.mkdir(exist_ok=True)
    systems = driving.contestants(peers, results.FOLDER)
    jobs = _jobs(names, systems, repeats)
    with contextlib.ExitStack() as stack:
        for system in systems:
            stack.callback(system.close)
        progress = stack.enter_context(progress_bars(console))
        bar = progress.add_task("links", total=1 + len(names))
        link_speed = links_from(links.run(quick=True))
        kernels = {}
        for name in names:
            progress.update(bar, advance=1, description=f"kernels of {name}")
            if name not in SKIPPED:
                kernels[name] = kernel_seconds(name)
        bar = progress.add_task("", total=repeats * len(jobs))

        def begin(job: Job) -> None:
            progress.update(bar, description=job.name)

        def end(_: Job) -> None:
            left = sum(job.repeats - len(job.samples) for job in jobs.values())
            progress.update(bar, advance=1)
            progress.update(bar, total=progress.tasks[bar].completed + left)

        interleaved(list(jobs.values()), begin, end)
    run["links"] = asdict(link_speed)
    run["systems"] = {system.name: system.version for system in systems}
    run["workloads"] = {}
    for name in names:
        rows = {s.name: summary(name, jobs[name, s.name].samples) for s in systems}
        run["workloads"][name] = {"rows": rows}
        if name in kernels and "seconds" in rows["tacit"]:
            floor = floor_of(rows["tacit"], kernels[name], link_speed)
            run["workloads"][name]["floor"] = asdict(floor)
        if (name, CLEAR) in jobs:
            run["workloads"][name]["in_the_clear"] = summary(name, jobs[name, CLEAR].samples)
    return run


def added(before: dict[str, Any], run: dict[str, Any]) -> dict[str, Any]:
    """A run with the workloads of one before that it did not measure, in the usual order."""
    workloads = {**before["workloads"], **run["workloads"]}
    return {
        **run,
        "systems": {**before["systems"], **run["systems"]},
        "repeats": max(before["repeats"], run["repeats"]),
        "workloads": {name: workloads[name] for name in inputs.names() if name in workloads},
    }


def _jobs(
    names: Sequence[str], systems: Sequence[Contestant], repeats: int
) -> dict[tuple[str, str], Job]:
    """One for each workload and system, in the order in which they take turns."""
    jobs = {}
    for name in names:
        measures = {system.name: system.measure for system in systems}
        if in_the_clear.is_measured(name):
            measures[CLEAR] = in_the_clear.measure
        for system, measure in measures.items():
            job = Job(
                f"{system} {name}", partial(measure, name), repeats, LONG_SECONDS, TURN_SECONDS
            )
            jobs[name, system] = job
    return jobs


def _explain(run: dict[str, Any], console: Console) -> None:
    """Below the tables: what was scaled, skipped or failed, and on what machine."""
    for name, found in run["workloads"].items():
        for system, row in found["rows"].items():
            if "scaled_from" in row:
                console.print(f"* {system} {name}: scaled from {row['scaled_from']:,} elements")
            reason = row.get("error") or row.get("skipped")
            if reason:
                console.print(f"{system} {name}: {reason}", markup=False)
    here = run["machine"]
    console.print(
        f"{here['processor']}, {here['cores']} cores, load {here['load']:.1f} at the start."
    )


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("Interrupted.")
    except ValueError as problem:
        sys.exit(str(problem))
