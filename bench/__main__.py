"""``python -m bench``: kernels, links, workloads and the main job, measured and compared.

Each workload's number is the median of repeats that are taken in turn with all other workloads.
Every run is kept in ``bench/results/latest.json``, and under a name of its own with ``--save``.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from bench import machine, results, training, workloads
from bench.interleave import Job, Sample, chosen, interleaved, summary
from bench.tables import progress_bars, tables

__all__ = ["main"]

WIDTH = 120
"""Of tables that go to a file."""


class _Tacit:
    """Parties that are started when they are first needed, and anew after a failure.

    The first repeat of every workload has parties of its own, whose memory holds nothing else:
    processes keep the memory that they have once had.
    """

    def __init__(self) -> None:
        self._session: workloads.TacitSession | None = None
        self._known: set[str] = set()

    def measure(self, workload: str) -> Sample:
        if workload not in self._known:
            self._known.add(workload)
            with contextlib.closing(workloads.TacitSession()) as alone:
                return alone.measure(workload)
        if self._session is None:
            self._session = workloads.TacitSession()
        try:
            sample = self._session.measure(workload)
        except BaseException:
            self.close()
            raise
        del sample["peak_memory"]
        return sample

    def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.close()


def main() -> int:
    """Measure what the command line asks for."""
    arguments = _parser().parse_args()
    console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH)
    before = _saved(arguments.compare)
    run: results.Run = {"machine": machine.describe(), "when": results.stamp()}
    _measure(run, arguments, console)
    if not any(run.get(section) for section in results.SECTIONS):
        console.print(f"Nothing is called {arguments.only!r}. There are: {', '.join(_names())}.")
        return 2
    _keep(run, arguments)
    _show(run, before, console)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="fewer repeats, and the main job small only"
    )
    parser.add_argument(
        "--only",
        metavar="GLOBS",
        default="*",
        help="only these: kernels, links, training or workloads, such as 'matmul*,relu_1e6'",
    )
    parser.add_argument("--repeats", type=int, metavar="N", help="default: 7, with --quick 3")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers to FILE too")
    parser.add_argument(
        "--compare", metavar="FILE", help="a file or a saved name; default: the latest run"
    )
    parser.add_argument("--save", metavar="NAME", help="keep this run under a name")
    return parser


def _names() -> list[str]:
    return ["kernels", "links", *workloads.all_names(), "training"]


def _measure(run: results.Run, arguments: argparse.Namespace, console: Console) -> None:
    quick = arguments.quick
    repeats = arguments.repeats or (3 if quick else 7)
    names = chosen(_names(), arguments.only)
    tacit = _Tacit()
    with tempfile.TemporaryDirectory(prefix="tacit-bench-") as folder:
        measured = [
            Job(name, partial(tacit.measure, name), repeats)
            for name in workloads.all_names()
            if name in names
        ]
        trained = training.jobs(Path(folder), repeats, quick) if "training" in names else []
        jobs = [*measured, *trained]
        whole = [name for name in ("kernels", "links") if name in names]
        with progress_bars(console) as progress:
            bar = progress.add_task("", total=len(whole) + sum(job.repeats for job in jobs))

            def begin(job: Job) -> None:
                progress.update(bar, description=job.name)

            def end(_: Job) -> None:
                progress.advance(bar)

            for name in whole:
                progress.update(bar, description=name)
                run[name] = _section(name, quick)
                progress.advance(bar)
            try:
                interleaved(jobs, begin, end)
            finally:
                tacit.close()
    run["workloads"] = [summary(job.name, job.samples) for job in measured]
    run["training"] = [summary(job.name, job.samples) for job in trained]


def _section(name: str, quick: bool) -> list[dict[str, Any]]:
    """The rows of a bench that has a module of its own."""
    rows: list[dict[str, Any]] = importlib.import_module(f"bench.{name}").run(quick)
    return rows


def _saved(name: str | None) -> tuple[str, results.Run] | None:
    """The run to compare with, and what it is called."""
    try:
        path = results.find(name or "latest")
    except FileNotFoundError:
        if name is None:
            return None
        raise
    return path.stem, results.load(path)


def _keep(run: results.Run, arguments: argparse.Namespace) -> None:
    targets = [results.FOLDER / "latest.json"]
    if arguments.save:
        targets.append(results.FOLDER / f"{arguments.save}.json")
    if arguments.json:
        targets.append(arguments.json)
    for target in targets:
        results.save(run, target)


def _show(run: results.Run, before: tuple[str, results.Run] | None, console: Console) -> None:
    ratios = None if before is None else results.ratios(run, before[1])
    for table in tables(run, ratios):
        console.print(table)
    here = run["machine"]
    console.print(
        f"{here['processor']}, {here['cores']} cores, {here['memory_gib']} GiB, {here['kernel']},"
        f" kernels {here['kernel_path']}, load {here['load']:.1f} at the start."
    )
    if before is None:
        return
    name, saved = before
    console.print(f"Compared with {name!r} of {saved['when']}; a mark means 10 % or more.")
    for difference in machine.differences(here, saved["machine"]):
        console.print(f"[yellow]Another machine: {difference}[/]")
    slower = [key for key, ratio in (ratios or {}).items() if ratio >= results.SLOWER]
    if slower:
        console.print(f"[bold red]Slower:[/] {', '.join(name for _, name in slower)}")


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("Interrupted.")
    except (FileNotFoundError, ValueError) as problem:
        sys.exit(str(problem))
