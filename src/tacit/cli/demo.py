"""``tacit demo``: the main job on data that comes with tacit."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.markup import escape

from tacit.cli.demos import fraud, hospitals
from tacit.cli.demos.files import DemoFiles
from tacit.cli.demos.mishaps import Director, parse_mishaps
from tacit.cli.model_options import HiddenOption, chosen_model
from tacit.cli.terminal import Terminal, literal
from tacit.cli.training import TrainingRequest, run_training
from tacit.protocols import protocol_named

__all__ = ["demo"]

REGULATOR: Final = "regulator"
"""The party that computes with the owners of a demo and holds no data."""


class DemoName(StrEnum):
    """The demos there are."""

    fraud = "fraud"
    hospitals = "hospitals"


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What a demo trains on what."""

    title: str
    owners: tuple[str, ...]
    protocol: str
    model: str
    batch_size: Callable[[int], int]
    epochs: dict[str, int]
    learning: dict[str, dict[str, Any]]
    generate: Callable[[Path, int, int], DemoFiles]

    @property
    def parties(self) -> tuple[str, ...]:
        """The owners and the party without data."""
        return (*self.owners, REGULATOR)


STORIES: Final = {
    DemoName.fraud: Story(
        title="Three banks, one fraud model",
        owners=tuple(fraud.BANKS),
        protocol="fantastic4",
        model="mlp",
        batch_size=lambda rows: 1 << min(10, max(5, (rows // 64).bit_length() - 1)),
        epochs={"logistic": 3, "mlp": 2},
        learning={
            "logistic": {"learning_rate": 1.0},
            "mlp": {"learning_rate": 0.5, "momentum": 0.9, "schedule": "cosine", "warm_up": 50},
        },
        generate=lambda folder, rows, seed: fraud.generate(folder, rows=rows, seed=seed),
    ),
    DemoName.hospitals: Story(
        title="Three hospitals, one diagnosis model",
        owners=tuple(hospitals.HOSPITALS),
        protocol="replicated3",
        model="logistic",
        batch_size=lambda rows: 64,
        epochs={"logistic": 40, "mlp": 40},
        learning={"logistic": {"learning_rate": 0.2}},
        generate=lambda folder, rows, seed: hospitals.generate(folder),
    ),
}


def demo(
    name: Annotated[
        DemoName,
        typer.Argument(
            help="fraud: three banks, 500,000 generated card transactions, and a regulator without"
            " data train a neural network. hospitals: three"
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
    batch_size: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Rows a step: by default 1024 for 500,000 transactions, fewer for fewer.",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option(help="Seed of the transactions, the split and the order.")
    ] = 2026,
    model: Annotated[
        str | None,
        typer.Option(
            help="The model: logistic, or mlp (a perceptron). By default mlp for fraud, logistic"
            " for hospitals.",
            show_default=False,
            rich_help_panel="Model",
        ),
    ] = None,
    hidden: HiddenOption = None,
    protocol: Annotated[
        str | None,
        typer.Option(
            help="The protocol: fantastic4, replicated3 or replicated3_active. With fantastic4 a"
            " neutral fourth party joins, the regulator, which holds no data. By default fantastic4"
            " for fraud, replicated3 for hospitals.",
            show_default=False,
            rich_help_panel="Security",
        ),
    ] = None,
    kill: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PARTY@PERCENT%",
            help="Kill that party's process (SIGKILL) when so much of the training is done, for"
            " instance bank_b@40%. The others finish; each later step takes about fifteen times as"
            " long, so --rows 60000 shows it sooner. Needs fantastic4.",
            show_default=False,
            rich_help_panel="Staged faults",
        ),
    ] = None,
    cheat: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PARTY@PERCENT%",
            help="Let that party's process send altered shares from then on, for instance"
            " regulator@60%. The others find out, name it or a pair that it belongs to, keep signed"
            " evidence, and finish. Needs fantastic4.",
            show_default=False,
            rich_help_panel="Staged faults",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Run the main job on demo data and compare with what only pooled data could give.

    The owners' files are made first, then one process a party trains over mutual TLS exactly as
    with 'tacit train'. Since the demo owns all data, it also trains each owner alone and all rows
    pooled in the clear, with the same initial weights, batches and order.

    See a party fail, and the others finish with the right model all the same:

        tacit demo fraud --rows 60000 --kill bank_b@40%

        tacit demo fraud --rows 60000 --cheat regulator@60%
    """
    story = STORIES[name]
    protocol, model = protocol or story.protocol, model or story.model
    epochs = epochs or story.epochs.get(model, 1)
    batch_size = batch_size or story.batch_size(rows)
    learning = dict(story.learning.get(model, {}))
    if "warm_up" in learning:
        # Noisier gradients of smaller batches: smaller steps, by the root of the size.
        learning["learning_rate"] *= min(1.0, batch_size / 1024) ** 0.5
        learning["warm_up"] = min(learning["warm_up"], epochs * rows // (10 * batch_size))
    choice = chosen_model(model=model, hidden=hidden, **learning)
    parties = story.parties if _with_regulator(protocol, story) else story.owners
    mishaps = parse_mishaps(kill or (), cheat or (), parties, protocol)
    console = Terminal(stderr=as_json)
    started = time.perf_counter()
    with contextlib.ExitStack() as stack:
        if data is None:
            data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tacit-demo-")))
        with console.status("making the owners' files"):
            files = story.generate(data, rows, seed)
        for owner, path in files.files.items():
            console.print(f"{escape(owner)}: {files.rows[owner]:,} rows in {literal(path.name)}")
        request = TrainingRequest(
            files=files.files,
            label=files.label,
            protocol=protocol,
            helper=REGULATOR if len(parties) > len(files.files) else None,
            schema=files.schema,
            reveal_to=tuple(files.files),
            reveal_loss=True,
            epochs=epochs,
            batch_size=batch_size,
            model=choice,
            seed=seed,
            out=out,
            compare_pooled=True,
            owns_all=True,
            title=story.title,
            command=f"demo {name}",
            notes=(
                *(mishap.note for mishap in mishaps),
                "Demo data: this report compares with models that need all owners' rows.",
            ),
        )
        director = Director(mishaps) if mishaps else None
        run_training(request, console, as_json=as_json, director=director)
    console.print(f"Done in {time.perf_counter() - started:.1f} s.")


def _with_regulator(protocol: str, story: Story) -> bool:
    return protocol_named(protocol).security.parties == len(story.owners) + 1
