"""``python -m bench.networks``: real runs on slow networks beside their predictions.

Calibrates on loopback, predicts workloads on a metropolitan network and a WAN in virtual time,
and runs them in three processes over TLS on a delay line. Renews the table of
``docs/performance.md`` with ``--page``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from statistics import median
from typing import Any

from rich.console import Console

from bench import machine, results
from bench.networks.calibration import Machine, calibrated
from bench.networks.measured import Run, measured
from bench.networks.party import PARTIES
from bench.networks.predicted import predicted
from bench.networks.relay import Relay
from bench.networks.tunnels import Tunnels
from bench.peers.comparison import PAGE, Grid, as_markdown, on_terminal, write_between_markers
from bench.tables import duration
from tacit.rounds import METRO, WAN, Network

__all__ = ["RUNS", "main"]

NETWORKS = {"metro": METRO, "WAN": WAN}
RUNS = (
    Run("matmul_256"),
    Run("multiply_1e6"),
    Run("compare_1e6"),
    Run("relu_1e6", 100_000),
    Run("sigmoid_1e5"),
    Run("mlp_infer_128"),
    Run("mlp_train_128", None, 2),
)
Make = Callable[[Network, Sequence[str]], AbstractContextManager[Any]]


def main() -> int:
    """Measure, predict, compare."""
    parser = argparse.ArgumentParser(prog="python -m bench.networks", description=__doc__)
    parser.add_argument(
        "--relay", action="store_true", help="relay on loopback even where namespaces can be made"
    )
    parser.add_argument("--page", action="store_true", help="renew the documentation's table")
    arguments = parser.parse_args()
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 140)
    tunnels = not arguments.relay and Tunnels.available()
    run: dict[str, Any] = {
        "machine": machine.describe(),
        "when": results.stamp(),
        "line": "network namespaces" if tunnels else "a relay on loopback",
    }
    here = calibrated()
    run["calibration"] = asdict(here)
    run["rows"] = list(_rows(Tunnels if tunnels else Relay, here))
    results.save(run, results.FOLDER / "networks.json")
    console.print(on_terminal(_grid(run)))
    console.print(_explained(run))
    if arguments.page:
        write_between_markers(PAGE, f"{_explained(run)}\n\n{as_markdown(_grid(run))}", "networks")
    return 0


def _rows(make: Make, here: Machine) -> list[dict[str, Any]]:
    rows = []
    for name, network in NETWORKS.items():
        expected = predicted(RUNS, network, **here.as_arguments())
        with make(network, PARTIES) as line:
            found = measured(RUNS, network, line)
        for run, real, virtual in zip(RUNS, found, expected, strict=True):
            rows.append(
                {
                    "network": name,
                    "name": run.name,
                    "measured": median(real[1:]),
                    "predicted": median(virtual[1:]),
                    "measured_first": real[0],
                    "predicted_first": virtual[0],
                }
            )
    return rows


def _grid(run: dict[str, Any]) -> Grid:
    headers = ["workload, network", "measured", "predicted", "predicted / measured"]
    headers += ["first run: measured", "predicted", "ratio"]
    rows = [
        [
            f"{row['name']}, {row['network']}",
            *_compared(row["measured"], row["predicted"]),
            *_compared(row["measured_first"], row["predicted_first"]),
        ]
        for row in run["rows"]
    ]
    return Grid("Real networks and virtual time", headers, rows)


def _compared(real: float, virtual: float) -> list[str]:
    return [duration(real), duration(virtual), f"{virtual / real:.2f}"]


def _explained(run: dict[str, Any]) -> str:
    here, found = run["machine"], run["calibration"]
    ratios = [row["predicted"] / row["measured"] for row in run["rows"]]
    return (
        f"Measured {run['when'][:10]} on {here['processor']}, {here['cores']} cores, the line made"
        f" of {run['line']}. Calibrated on loopback: computing takes"
        f" {found['compute_scale']:.2f} times as long as in one thread, a message"
        f" {found['message_seconds'] * 1e6:.0f} µs and a byte {found['byte_seconds'] * 1e9:.2f} ns"
        f" at either end. Predictions are {min(ratios):.2f} to {max(ratios):.2f} of what was"
        " measured; medians after the first run. The first run also meets memory that the system"
        " hands out anew, and connections whose windows shrank while inputs were made, which"
        " nothing here calibrates."
    )


if __name__ == "__main__":
    sys.exit(main())
