"""``tacit new``: a project with a program, sample data and a test, which runs at once."""

from __future__ import annotations

import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.markup import escape

from tacit.cli.terminal import Terminal, literal
from tacit.errors import InternalError, ProgramError

__all__ = ["new"]

_ENDING: Final = ".template"
_STEPS: Final = ("program.py", "sample.py")
"""What is run in a new project, in order."""


def new(
    folder: Annotated[
        Path,
        typer.Argument(metavar="DIR", help="Where the project goes; must be new or empty."),
    ],
) -> None:
    """Make a project: a program, sample data of three owners, a test, and a README.

    Everything in it runs as it is, in less than a minute:

        tacit new wages && cd wages

        tacit run program.tacit north=data/north.csv south=data/south.csv west=data/west.csv

        python -m pytest

    Then change program.py to your own question; python program.py writes program.tacit anew.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ProgramError(
            f"{folder} is there already, and not empty.",
            next_step="choose another name; nothing is ever written over.",
            case=97,
        )
    folder.mkdir(parents=True, exist_ok=True)
    name = folder.resolve().name
    written = []
    for template in sorted(files("tacit.cli").joinpath("template").iterdir(), key=lambda t: t.name):
        if not template.name.endswith(_ENDING):
            continue
        target = folder / template.name.removesuffix(_ENDING)
        target.write_text(template.read_text().replace("{name}", name))
        written.append(target.name)
    console = Terminal()
    digest = ""
    for step in _STEPS:
        ran = subprocess.run(
            [sys.executable, step], cwd=folder, capture_output=True, text=True, check=False
        )
        if ran.returncode:
            raise InternalError(
                f"The new project's {step} did not run.",
                next_step=f"run `python {step}` in {folder} to see why, and report it.",
                case=0,
            )
        digest = digest or ran.stdout.split()[-1]
        written += [line.split()[0] for line in ran.stdout.splitlines()]
    console.print(f"{literal(folder)}: {escape(', '.join(written))}", soft_wrap=True)
    console.print(f"The program's digest: {digest}", soft_wrap=True)
    console.print("Next:", style="bold")
    console.print(f"  cd {literal(folder)}", soft_wrap=True)
    console.print(
        "  tacit run program.tacit north=data/north.csv south=data/south.csv west=data/west.csv",
        soft_wrap=True,
    )
    console.print("  python -m pytest", soft_wrap=True)
