"""The main job: three banks train one fraud model, each in a process of its own over TLS.

The banks' files are generated before; the clock runs from the start of the processes to the last
owner's result. Training alone and the comparison with pooled data, which only a demo makes, are
left out.

``python -m bench.training --rows 10000000`` runs it once at any size, and with ``--page`` renews
its table in ``docs/performance.md``.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec

from bench import machine, results
from bench.interleave import Job
from bench.peers.comparison import PAGE, Grid, as_markdown, write_between_markers
from bench.tables import duration
from tacit.cli.demos import fraud
from tacit.cli.demos.files import DemoFiles
from tacit.cli.training import TrainingRequest
from tacit.ml.records import OwnerResult, TrainingSettings
from tacit.sessions import launch

__all__ = ["FULL_ROWS", "SMALL_ROWS", "jobs", "main", "measure", "settings_of"]

SMALL_ROWS, FULL_ROWS = 50_000, 500_000


def jobs(folder: Path, repeats: int, quick: bool) -> list[Job]:
    """The main job at two sizes, the small one alone if it must be quick.

    Parameters
    ----------
    folder : Path
        Where the banks' files go.
    repeats : int
        Of the small one; the full one is made a third as often.
    """
    sizes = [(SMALL_ROWS, repeats)]
    if not quick:
        sizes.append((FULL_ROWS, max(1, repeats // 3)))
    return [_job(folder / str(rows), rows, times) for rows, times in sizes]


def _job(folder: Path, rows: int, repeats: int) -> Job:
    def run() -> dict[str, Any]:
        if not written:
            written.append(fraud.generate(folder, rows=rows))
        return measure(written[0])

    written: list[DemoFiles] = []
    return Job(f"training_{rows // 1000}k", run, repeats)


def measure(files: DemoFiles, epochs: int = 3, batch_size: int = 1024) -> dict[str, Any]:
    """Run the job once.

    Returns
    -------
    dict
        ``seconds``; ``rounds`` and ``bytes`` (all parties) of all phases; ``peak_memory`` (the
        largest party's); ``phases``: for each its name, ``seconds`` (the slowest party's),
        ``rounds`` and ``bytes``.
    """
    settings = settings_of(files, epochs, batch_size)
    start = time.perf_counter()
    found = launch(tuple(settings), "tacit.ml.job", settings)
    seconds = time.perf_counter() - start
    owners = [msgspec.convert(result, OwnerResult, strict=False) for result in found.values()]
    phases = [
        {
            "name": same_phase[0].phase,
            "seconds": max(phase.seconds for phase in same_phase),
            "rounds": max(phase.rounds for phase in same_phase),
            "bytes": sum(phase.bytes_sent for phase in same_phase),
        }
        for same_phase in zip(*(owner.phases for owner in owners), strict=True)
    ]
    return {
        "seconds": seconds,
        "rounds": sum(phase["rounds"] for phase in phases),
        "bytes": sum(phase["bytes"] for phase in phases),
        "peak_memory": max(owner.peak_memory for owner in owners),
        "phases": phases,
    }


def settings_of(
    files: DemoFiles, epochs: int = 3, batch_size: int = 1024
) -> dict[str, TrainingSettings]:
    """What each owner's process is told."""
    request = TrainingRequest(
        files=files.files,
        label=files.label,
        schema=files.schema,
        reveal_to=tuple(files.files),
        epochs=epochs,
        batch_size=batch_size,
    )
    return {
        name: msgspec.structs.replace(request.settings(name), alone=False) for name in request.files
    }


def main() -> int:
    """Run the job once at the size that the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m bench.training", description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000, help="default: 10,000,000")
    parser.add_argument("--epochs", type=int, default=1, help="default: 1")
    parser.add_argument("--batch-size", type=int, default=1024, help="default: 1,024")
    parser.add_argument("--page", action="store_true", help="renew the documentation's table")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tacit-bench-") as folder:
        files = fraud.generate(folder, rows=arguments.rows)
        on_disk = sum(path.stat().st_size for path in files.files.values())
        found = measure(files, arguments.epochs, arguments.batch_size)
    run: dict[str, Any] = {
        "machine": machine.describe(),
        "when": results.stamp(),
        "rows": arguments.rows,
        "epochs": arguments.epochs,
        "batch_size": arguments.batch_size,
        "file_bytes": on_disk,
        **found,
    }
    results.save(run, results.FOLDER / f"training-{arguments.rows}.json")
    text = f"{_explained(run)}\n\n{as_markdown(_phases(run))}"
    print(text)
    if arguments.page:
        write_between_markers(PAGE, text, "large")
    return 0


def _phases(run: dict[str, Any]) -> Grid:
    rows = [
        [
            phase["name"],
            duration(phase["seconds"]),
            f"{phase['rounds']:,}",
            f"{phase['bytes'] / 1e6:,.1f}",
        ]
        for phase in run["phases"]
    ]
    return Grid("By phase", ["phase", "slowest party", "rounds", "MB sent by all"], rows)


def _explained(run: dict[str, Any]) -> str:
    here = run["machine"]
    return (
        f"{run['rows']:,} rows in {run['file_bytes'] / 1e6:,.0f} MB of Parquet,"
        f" {run['epochs']} epoch of batches of {run['batch_size']:,}, measured"
        f" {run['when'][:10]} on {here['processor']}, {here['cores']} cores:"
        f" {run['seconds']:,.0f} s from the start of the processes to the last result, and at most"
        f" {run['peak_memory'] / 2**20:,.0f} MiB resident in a party's process."
    )


if __name__ == "__main__":
    sys.exit(main())
