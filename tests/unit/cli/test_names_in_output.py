"""Names that others chose, in what commands print and write: shown, not obeyed, nothing lost."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from typer.testing import CliRunner

import tacit
from tacit import ArraySpec, Program
from tacit.cli import app as command_line
from tacit.cli.app import app
from tacit.cli.running import file_names
from tacit.errors import ProgramError
from tacit.programs.graph import Output

MARKUP = "[/][red]R[link=http://e.example]L"


def _hostile(folder: Path) -> Path:
    """A program whose names are rich's markup, unbalanced."""
    program = tacit.trace(
        lambda x, y: {"a": (x * y).sum()},
        ArraySpec((3,), owner="alice", bounds=(-4, 4)),
        ArraySpec((3,), owner="bob", bounds=(-4, 4)),
        name=MARKUP,
    )
    replace, form = msgspec.structs.replace, program.form
    inputs = tuple(
        replace(one, name=one.name + MARKUP, owner=one.owner + MARKUP) for one in form.main.inputs
    )
    outputs = tuple(replace(one, name=one.name + MARKUP) for one in form.outputs)
    named = replace(form, main=replace(form.main, inputs=inputs), outputs=outputs)
    Program(named).save(folder / "[red]p.tacit")
    return folder / "[red]p.tacit"


@pytest.mark.parametrize(
    "command",
    [["explain"], ["plan", "--quick"], ["plan", "--quick", "--protocol", "replicated3"]],
    ids=lambda command: " ".join(command),
)
def test_names_of_programs_are_no_markup(command: list[str], tmp_path: Path) -> None:
    name, *options = command
    result = CliRunner().invoke(app, [name, str(_hostile(tmp_path)), *options])
    assert result.exception is None
    assert "[red]R" in result.output
    assert "\x1b]8" not in result.output


def test_stages_and_messages_of_errors_are_no_markup(capsys: Any) -> None:
    """The stage of an error may be an operation's name, from a file or another party."""
    error = ProgramError(f"{MARKUP} is wrong.", next_step=MARKUP, case=0, stage=MARKUP)
    command_line._report(error, as_json=False)
    printed = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().err)
    assert printed.count(MARKUP) == 3


def test_files_of_outputs_fit_and_differ(tmp_path: Path) -> None:
    names = ["../../a b", "../../a_b", "A_B", "a_b", "é" * 200, "é" * 199, "..", "/", "x.npy", "-x"]
    files = file_names([Output(name) for name in names])
    assert list(files) == names
    assert len({file.casefold() for file in files.values()}) == len(names)
    for file in files.values():
        np.save(tmp_path / file, np.zeros(1))
    assert len(list(tmp_path.iterdir())) == len(names)
    assert list(tmp_path.parent.glob("*.npy")) == []
