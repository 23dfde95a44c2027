"""``python -m bench.sharing``: what sharing an array costs, with its check on shares.

Parties are processes over mutual TLS. Each protocol shares a million numbers with declared bounds
(two top bits a number), integers without (one), and booleans (no check); in turns, medians.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

import tacit
from tacit import Computation

__all__ = ["KINDS", "main", "measured"]

PROTOCOLS = ("replicated3", "fantastic4", "replicated3_active")

KINDS: dict[str, Callable[[Computation, int], Any]] = {
    "fixed, bounds": lambda mpc, n: mpc.share(np.zeros(n), "alice", bounds=(-1.0, 1.0)),
    "int64": lambda mpc, n: mpc.share(np.zeros(n, np.int64), "alice"),
    "bool": lambda mpc, n: mpc.share(np.zeros(n, np.bool_), "alice"),
}


def measured(mpc: Computation, kind: str, size: int) -> tuple[float, int, int]:
    """Seconds until all parties have an input, its rounds, and the bytes of all parties."""
    _ = mpc.total_cost  # waits until the parties are idle
    with mpc.measure() as cost:
        shared = KINDS[kind](mpc, size)
        _ = mpc.total_cost
    del shared
    return cost.seconds, cost.rounds, cost.total_bytes


def main(arguments: list[str]) -> int:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.sharing", description=__doc__)
    parser.add_argument("--size", type=int, default=1_000_000, help="numbers")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args(arguments)
    rows = [(protocol, kind) for protocol in PROTOCOLS for kind in KINDS]
    found: dict[tuple[str, str], list[tuple[float, int, int]]] = {row: [] for row in rows}
    with contextlib.ExitStack() as stack:
        sessions = {
            name: stack.enter_context(tacit.local(name, processes=True)) for name in PROTOCOLS
        }
        for protocol, kind in rows:
            measured(sessions[protocol], kind, options.size)
        for _ in range(options.repeats):
            for protocol, kind in rows:
                found[protocol, kind].append(measured(sessions[protocol], kind, options.size))
    table = Table("protocol", "input", "time", "rounds", "bytes a number, all parties")
    for (protocol, kind), samples in found.items():
        _, rounds, sent = samples[0]
        seconds = median(sample[0] for sample in samples)
        table.add_row(
            protocol, kind, f"{seconds * 1e3:,.0f} ms", f"{rounds}", f"{sent / options.size:,.1f}"
        )
    Console().print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
