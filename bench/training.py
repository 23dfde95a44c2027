"""The main job: three banks train one fraud model, each in a process of its own over TLS.

The banks' files are generated before; the clock runs from the start of the processes to the last
owner's result. Training alone and the comparison with pooled data, which only a demo makes, are
left out.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import msgspec

from bench.interleave import Job
from tacit.cli.demos import fraud
from tacit.cli.demos.files import DemoFiles
from tacit.cli.training import TrainingRequest
from tacit.ml.job import OwnerResult, TrainingSettings
from tacit.sessions import launch

__all__ = ["FULL_ROWS", "SMALL_ROWS", "jobs", "measure", "settings_of"]

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
