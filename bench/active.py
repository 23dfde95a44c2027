"""``python -m bench.active``: the protocols with active security, beside what others need.

Every workload under a protocol with active security and under ``replicated3`` takes turns. Results
add up in ``bench/results/active.json``, so parts can be measured when the machine is quiet
(``--only 'exp_1e5,log_1e5'``). ``--page`` renews the tables of ``docs/performance.md``.

MP-SPDZ's and HPMPC's figures were measured once, on another machine of the same kind with two
cores: versions of mid-2026, MP-SPDZ with TLS and HPMPC without. They are not measured again here.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import sys
from functools import partial
from typing import Any

from rich.console import Console

from bench import links, machine, results
from bench.floor import Links, floor_of, kernel_seconds, links_from
from bench.interleave import Job, chosen, interleaved, summary
from bench.peers.comparison import PAGE, Grid, as_markdown, on_terminal, write_between_markers
from bench.tables import duration
from bench.workloads import VARIANTS, TacitSession

__all__ = ["MP_SPDZ", "main"]

SAVED = results.FOLDER / "active.json"

MP_SPDZ: dict[str, dict[str, float]] = {
    "fantastic4": {
        "matmul_256": 0.46, "matmul_1024": 21.4, "multiply_1e6": 1.28, "compare_1e6": 2.7,
        "relu_1e6": 3.3, "sigmoid_1e5": 4.7, "exp_1e5": 3.1, "log_1e5": 10.2,
        "division_1e5": 2.2, "sqrt_1e5": 7.1, "logistic_epoch": 5.9, "mlp_train_128": 2.9,
        "mlp_infer_128": 1.9, "sort_1e4": 54.0,
    },
    "replicated3_active": {
        "matmul_128": 0.25, "multiply_1e5": 1.3, "compare_1e5": 0.53, "relu_1e5": 0.60,
    },
}  # fmt: skip
"""Seconds of its ``rep4-ring`` and ``sy-rep-ring``; sigmoid and logistic regression exact."""

HPMPC = {"matmul_1024": 0.69, "multiply_1e6": 0.077, "compare_1e6": 0.22, "relu_1e6": 0.22}
"""Seconds of its Quad, four parties, without TLS and with its checks at the very end."""

CALLS = 5


def main() -> int:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m bench.active", description=__doc__)
    parser.add_argument("--only", default="*", metavar="GLOBS", help="only these workloads")
    parser.add_argument("--repeats", type=int, default=CALLS, metavar="N", help="default: 5")
    parser.add_argument("--page", action="store_true", help="renew the documentation's tables")
    arguments = parser.parse_args()
    run: results.Run = results.load(SAVED) if SAVED.exists() else {"rows": {}}
    run |= {"machine": machine.describe(), "when": results.stamp()}
    _measure(run["rows"], arguments.only, arguments.repeats)
    results.save(run, SAVED)
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 140)
    for grid in _grids(run["rows"]):
        console.print(on_terminal(grid))
    if arguments.page:
        text = [_explained(run), *map(as_markdown, _grids(run["rows"]))]
        write_between_markers(PAGE, "\n\n".join(text), "active")
    return 0


def _measure(rows: dict[str, Any], only: str, repeats: int) -> None:
    every = [f"{protocol}_{name}" for protocol, names in MP_SPDZ.items() for name in names]
    names = chosen(every, only)
    if not names:
        return
    passive = dict.fromkeys(VARIANTS[name].workload for name in names if "fantastic4" in name)
    with contextlib.closing(TacitSession()) as session:
        jobs = [Job(n, partial(session.measure, n), repeats) for n in (*names, *passive)]
        interleaved(jobs)
    speed = links_from(links.run(quick=True))
    for job in jobs:
        row = summary(job.name, job.samples)
        row["floor"] = _floor(row, speed) if job.name in names else None
        rows[job.name] = row


def _floor(row: dict[str, Any], speed: Links) -> float:
    """As ``floor.py`` says; check values are bytes like others."""
    variant = VARIANTS[row["name"]]
    kernels = kernel_seconds(variant.workload, variant.size, 2, variant.protocol)
    every = {**row, "bytes": row["bytes"] + row["check_bytes"]}
    return floor_of(every, kernels, speed).seconds


def _grids(rows: dict[str, Any]) -> list[Grid]:
    return [grid for grid in (_four(rows), _three(rows)) if grid.rows]


def _four(rows: dict[str, Any]) -> Grid:
    headers = (
        "workload", "time", "`replicated3`", "ratio", "MP-SPDZ", "faster", "Quad", "floor",
        "gap", "rounds", "MB, all parties",
    )  # fmt: skip
    return Grid(
        "`fantastic4`",
        headers,
        [_of_four(name, rows) for name in MP_SPDZ["fantastic4"] if f"fantastic4_{name}" in rows],
    )


def _of_four(name: str, rows: dict[str, Any]) -> list[str]:
    row, passive = rows[f"fantastic4_{name}"], rows[name]["seconds"]
    seconds, peer = row["seconds"], MP_SPDZ["fantastic4"][name]
    quad = HPMPC.get(name)
    return [
        f"`{name}`", duration(seconds), duration(passive), f"{seconds / passive:.1f} ×",
        duration(peer), f"{peer / seconds:.0f} ×", "–" if quad is None else duration(quad),
        duration(row["floor"]), f"{seconds / row['floor']:.1f} ×", f"{row['rounds']:,}",
        f"{row['bytes'] / 1e6:,.0f}",
    ]  # fmt: skip


def _three(rows: dict[str, Any]) -> Grid:
    headers = (
        "workload",
        "`replicated3_active`",
        "MP-SPDZ",
        "faster",
        "floor",
        "gap",
        "rounds",
        "MB",
    )
    found = []
    for name, peer in MP_SPDZ["replicated3_active"].items():
        row = rows.get(f"replicated3_active_{name}")
        if row is not None:
            seconds, floor = row["seconds"], row["floor"]
            cells = [duration(seconds), duration(peer), f"{peer / seconds:.1f} ×"]
            cells += [duration(floor), f"{seconds / floor:.1f} ×"]
            found.append([f"`{name}`", *cells, f"{row['rounds']:,}", f"{row['bytes'] / 1e6:,.0f}"])
    return Grid("`replicated3_active`", headers, found)


def _explained(run: results.Run) -> str:
    here = run["machine"]
    spread = statistics.median(
        row["slowest"] / row["fastest"] for row in run["rows"].values() if "slowest" in row
    )
    return (
        f"Measured {run['when'][:10]} on {here['processor']}, {here['cores']} cores,"
        f" {here['memory_gib']} GiB; medians of repeats taken in turn, whose slowest took"
        f" {spread:.1f} times as long as the fastest. MP-SPDZ (`rep4-ring`, `sy-rep-ring`, with"
        " TLS) and HPMPC's Quad (without) were measured once, on another machine of this kind; both"
        " make their checks late. The floor is that of the section below, with digests, tags and"
        " check bytes."
    )


if __name__ == "__main__":
    sys.exit(main())
