"""``tacit demo``: the main job on data that comes with tacit."""

from __future__ import annotations

import tempfile
import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from tacit.cli.demos import fraud, hospitals
from tacit.cli.demos.files import DemoFiles
from tacit.cli.model_options import ModelChoice
from tacit.cli.training import TrainingRequest, run_training

__all__ = ["demo"]


class DemoName(StrEnum):
    """The demos there are."""

    fraud = "fraud"
    hospitals = "hospitals"


def demo(
    name: Annotated[
        DemoName,
        typer.Argument(
            help="fraud: three banks, 500,000 generated card transactions. hospitals: three"
            " hospitals, scikit-learn's breast-cancer data.",
            show_default=False,
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the report.")] = Path(
        "report"
    ),
    data: Annotated[
        Path | None,
        typer.Option(help="Keep the owners' files in this folder.", show_default=False),
    ] = None,
    rows: Annotated[
        int, typer.Option(min=3_000, help="Transactions of all banks (fraud).")
    ] = 500_000,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Passes over the rows.", show_default=False)
    ] = None,
    seed: Annotated[
        int, typer.Option(help="Seed of the transactions, the split and the order.")
    ] = 2026,
    protocol: Annotated[
        str,
        typer.Option(
            help="The protocol. With fantastic4 a neutral fourth party joins, which holds no data."
        ),
    ] = "replicated3",
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Run the main job on demo data and compare with what only pooled data could give.

    The owners' files are made first, then one process a party trains over mutual TLS exactly as
    with 'tacit train'. Since the demo owns all data, it also trains each owner alone and all rows
    pooled in the clear, with the same initial weights, batches and order.
    """
    console = Console(stderr=as_json, highlight=False)
    started = time.perf_counter()
    if data is not None:
        _run(name, data, out, rows, epochs, seed, protocol, console, as_json)
    else:
        with tempfile.TemporaryDirectory(prefix="tacit-demo-") as folder:
            _run(name, Path(folder), out, rows, epochs, seed, protocol, console, as_json)
    console.print(f"Done in {time.perf_counter() - started:.1f} s.")


def _run(
    name: DemoName,
    folder: Path,
    out: Path,
    rows: int,
    epochs: int | None,
    seed: int,
    protocol: str,
    console: Console,
    as_json: bool,
) -> None:
    files: DemoFiles
    with console.status("making the owners' files"):
        if name is DemoName.fraud:
            files = fraud.generate(folder, rows=rows, seed=seed)
        else:
            files = hospitals.generate(folder)
    for owner, path in files.files.items():
        console.print(f"{owner}: {files.rows[owner]:,} rows in {path.name}")
    if name is DemoName.fraud:
        title, settings = "Three banks, one fraud model", {"epochs": 3, "batch_size": 1024}
        rate = 1.0
    else:
        title, settings = "Three hospitals, one diagnosis model", {"epochs": 40, "batch_size": 64}
        rate = 0.2
    request = TrainingRequest(
        files=files.files,
        label=files.label,
        protocol=protocol,
        schema=files.schema,
        reveal_to=tuple(files.files),
        reveal_loss=True,
        epochs=epochs or settings["epochs"],
        batch_size=settings["batch_size"],
        model=ModelChoice(learning_rate=rate),
        seed=seed,
        out=out,
        compare_pooled=True,
        owns_all=True,
        title=title,
        command=f"demo {name}",
        notes=("Demo data: this report compares with models that need all owners' rows.",),
    )
    run_training(request, console, as_json=as_json)
