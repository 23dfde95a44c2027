"""``python -m bench.soak.kills --kills 60``: one party of ``tacit train`` killed, moment by moment.

The moments are spread evenly over a whole run, the parties take turns. Each run must end as
``docs/failures.md`` says: a line for each, and a summary. Exit status 1 if one did not.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
from rich.console import Console

from bench.soak.main_job import FIRST_SECOND, MainJob, Mishap

__all__ = ["main"]


def main(arguments: list[str]) -> int:
    """Run; 0 if all was right."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak.kills", description=__doc__)
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--protocol", default="fantastic4")
    parser.add_argument("--all", action="store_true", help="kill all parties, then --resume")
    parser.add_argument("--first", type=float, default=FIRST_SECOND, help="second of the first")
    parser.add_argument("--last", type=float, help="second of the last; by default the run's end")
    options = parser.parse_args(arguments)
    console = Console(highlight=False, soft_wrap=True)
    mishap: Mishap = "all killed" if options.all else "one killed"
    ends: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        job = MainJob(Path(folder), 0)
        for _ in range(2):  # the second one for the pace, with all files read before
            calm = job.trained(options.protocol, "none", 0.0, 0)
            console.print(f"{calm.what}: {calm.end} in {calm.seconds:.2f} s {calm.problem}")
            if calm.problem:
                return 1
        last = options.last or job.pace[options.protocol]
        for number, moment in enumerate(np.linspace(options.first, last, options.kills)):
            trained = job.trained(options.protocol, mishap, float(moment), number)
            ends[trained.end] += 1
            line = f"{moment:.2f} s, {trained.blow or mishap}: {trained.end} {trained.problem}"
            console.print(line, markup=False, style="red" if trained.problem else None)
    wrong = ends["wrong"] + ends["hung"]
    counted = ", ".join(f"{n} {end}" for end, n in ends.most_common())
    console.print(f"{options.kills} blows, {options.protocol}: {counted}; {wrong} wrong or hung")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
