"""``python -m bench.soak --minutes 30 --seed 1``: cases until the time is over, and a summary.

``--case N`` runs the one case with that number again. Exit status 1 if anything was wrong.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from bench.soak.cases import Outcome, drawn, plain_data, run, without_fault
from bench.soak.main_job import MainJob, Trained
from bench.soak.steady import Steady

__all__ = ["Tally", "main"]

TRAIN_EVERY = 12
"""Cases between two runs of ``tacit train``."""


class Tally:
    """What has happened so far."""

    def __init__(self) -> None:
        self.ends: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.problems: list[str] = []
        self.seconds: dict[tuple[str, str], list[float]] = defaultdict(list)

    def add(self, outcome: Outcome) -> None:
        """Count a case."""
        self.ends[outcome.end] += 1
        self.faults[outcome.case.fault] += 1
        if outcome.problem:
            self.problems.append(f"{outcome.case}: {outcome.problem}")

    def add_training(self, trained: Trained) -> None:
        """Count a run of ``tacit train``."""
        self.ends[trained.end] += 1
        self.faults["tacit train"] += 1
        if trained.problem:
            self.problems.append(f"{trained.what}: {trained.problem}")

    def line(self, seconds: float, steady: Steady) -> str:
        """The summary."""
        memory, files = steady.most()
        counted = ", ".join(f"{n} {end}" for end, n in self.ends.most_common())
        faults = ", ".join(f"{n} {fault}" for fault, n in self.faults.most_common())
        return (
            f"{seconds / 60:.1f} minutes, {sum(self.ends.values())} cases ({faults}):"
            f" {counted or 'none'}; {self.ends['wrong']} wrong, {self.ends['hung']} hung;"
            f" {steady.programs} programs in steady sessions;"
            f" memory {memory:+.1f} MiB, open files {files:+d}"
        )


def main(arguments: list[str]) -> int:
    """Run; 0 if all was right."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--case", type=int, help="run this one alone")
    parser.add_argument("--log", type=Path, help="one JSON object a case")
    options = parser.parse_args(arguments)
    console = Console()
    if options.case is not None:
        outcome = run(drawn(options.seed, options.case), pace=0.5)
        console.print_json(json.dumps(plain_data(outcome)))
        return 1 if outcome.problem else 0
    tally, start = Tally(), time.monotonic()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        log = stack.enter_context(options.log.open("w")) if options.log else None
        steady = Steady(options.seed)
        stack.callback(steady.close)
        bar = stack.enter_context(_bar(console))
        task = bar.add_task("soak", total=options.minutes * 60, ends="")
        main_job = MainJob(folder, options.seed)
        number = 0
        while (elapsed := time.monotonic() - start) < options.minutes * 60:
            ends = ", ".join(f"{n} {end}" for end, n in tally.ends.most_common())
            bar.update(task, completed=elapsed, ends=ends)
            outcome = _next(tally, options.seed, number)
            tally.add(outcome)
            if log is not None:
                log.write(json.dumps(plain_data(outcome)) + "\n")
                log.flush()
            if outcome.problem:
                bar.console.print(f"[red]{outcome.case}: {outcome.problem}[/]", highlight=False)
            number += 1
            if number % TRAIN_EVERY == 0:
                trained = main_job.train()
                tally.add_training(trained)
                if trained.problem:
                    bar.console.print(f"[red]{trained.what}: {trained.problem}[/]")
            problem = steady.beat()
            if problem:
                tally.problems.append(problem)
                break
        tally.problems += steady.problems()
        line = tally.line(time.monotonic() - start, steady)
    for problem in tally.problems:
        console.print(f"- {problem}", style="red", highlight=False, markup=False)
    console.print(f"soak, seed {options.seed}: {line}", highlight=False, soft_wrap=True)
    return 1 if tally.problems else 0


def _next(tally: Tally, seed: int, number: int) -> Outcome:
    """Run a case; one without its fault first where nobody knows how long its program takes."""
    case = drawn(seed, number)
    key = (case.program, case.protocol)
    if key not in tally.seconds and case.fault != "none":
        calm = run(without_fault(case), pace=0.0)
        tally.add(calm)
        tally.seconds[key].append(calm.seconds)
    pace = median(tally.seconds[key]) if key in tally.seconds else 0.0
    outcome = run(case, pace)
    if case.fault == "none":
        tally.seconds[key].append(outcome.seconds)
    return outcome


def _bar(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[ends]}"),
        console=console,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
