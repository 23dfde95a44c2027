"""``python -m bench.faults``: what guaranteed output costs, and what a killed party costs.

Four processes over TLS under ``fantastic4``, one of which is killed in the middle. Prints rates
before and after, with evidence, the time of a barrier, and the time from the kill to the first
result that was revealed afterwards.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console

from bench import machine, results
from bench.faulty_party import OPERATIONS, Settings
from bench.peers.comparison import PAGE, Grid, as_markdown, on_terminal, write_between_markers
from bench.tables import duration
from tacit.sessions import launch

__all__ = ["main", "measured"]

PARTIES = ("alice", "bob", "carol", "dave")


def measured(killed: str, repeats: int = 5) -> dict[str, Any]:
    """One run: seconds of the slowest party that is left."""
    with tempfile.TemporaryDirectory(prefix="tacit-bench-") as folder:
        moment = Path(folder) / "moment"
        settings = Settings(killed, str(moment), repeats)
        found = launch(
            PARTIES,
            "bench.faulty_party",
            dict.fromkeys(PARTIES, settings),
            protocol="fantastic4",
            tolerate=1,
        )
        end = float(moment.read_text())
    left = [found[name] for name in PARTIES if name != killed]
    return {
        "barrier": max(party["barrier"] for party in left),
        "until": max(party["recovered"] for party in left) - end,
        "protocol": left[0]["protocol"],
        **{
            when: {name: max(party[when][name] for party in left) for name in OPERATIONS}
            for when in ("before", "evidence", "after")
        },
    }


def main() -> int:
    """Kill each party in turn, or those that are named."""
    parser = argparse.ArgumentParser(prog="python -m bench.faults", description=__doc__)
    parser.add_argument("killed", nargs="*", default=PARTIES, metavar="PARTY")
    parser.add_argument("--page", action="store_true", help="renew the documentation's table")
    arguments = parser.parse_args()
    runs = [measured(killed) for killed in arguments.killed]
    grid = _grid(runs)
    Console(highlight=False, width=None if sys.stdout.isatty() else 140).print(on_terminal(grid))
    text = (
        f"Measured {results.stamp()[:10]} on {machine.describe()['processor']}. A barrier takes"
        f" {duration(_median(runs, 'barrier'))}. From `kill -9` of a party to the first result that"
        f" the other three reveal: {duration(_median(runs, 'until'))} (slowest of"
        f" {len(runs)}: {duration(max(run['until'] for run in runs))})."
    )
    print(text)
    if arguments.page:
        write_between_markers(PAGE, f"{text}\n\n{as_markdown(grid)}", "faults")
    return 0


def _median(runs: list[dict[str, Any]], key: str) -> float:
    return statistics.median(run[key] for run in runs)


def _grid(runs: list[dict[str, Any]]) -> Grid:
    rows = []
    for name in OPERATIONS:
        before, evidence, after = (
            statistics.median(run[when][name] for run in runs)
            for when in ("before", "evidence", "after")
        )
        rows.append(
            [name, *map(duration, (before, evidence, after)), f"{after / before:.1f} ×"],
        )
    headers = ("operation", "four parties", "with evidence", f"then {runs[0]['protocol']}", "ratio")
    return Grid("With the barriers of guaranteed output, before and after a loss", headers, rows)


if __name__ == "__main__":
    sys.exit(main())
