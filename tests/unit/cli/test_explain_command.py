"""``tacit explain``: text, JSON, pictures, and findings that are fatal."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import tacit
from tacit.cli.app import app
from tacit.errors import ProgramError

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    spec = tacit.ArraySpec((50,), owner="alice", bounds=(0, 1))
    program = tacit.trace(lambda x: {"top": tacit.max(x), "mean": x.mean()}, spec, to="bob")
    path = tmp_path_factory.mktemp("explain") / "one.tacit"
    program.save(path)
    return path


def test_it_prints_words_or_json(file: Path, tmp_path: Path) -> None:
    runner = CliRunner()
    shown = runner.invoke(app, ["explain", str(file)], env={"COLUMNS": "120"})
    assert shown.exit_code == 0
    for part in ("Who gives what", "50 numbers", "Findings: 1 medium", "extreme", "What to do"):
        assert part in shown.output
    printed = runner.invoke(app, ["explain", str(file), "--json"])
    assert json.loads(printed.output) == json.loads(
        json.dumps(tacit.Program.load(file).explain().as_dict())
    )
    assert "top = " in runner.invoke(app, ["explain", str(file), "--text"]).output
    picture = tmp_path / "one.svg"
    assert runner.invoke(app, ["explain", str(file), "--draw", str(picture)]).exit_code == 0
    assert picture.read_text("utf-8").startswith("<svg")


def test_findings_end_it_where_they_are_fatal(file: Path) -> None:
    runner = CliRunner()
    assert runner.invoke(app, ["explain", str(file), "--fatal", "high"]).exit_code == 0
    bad = runner.invoke(app, ["explain", str(file), "--fatal", "medium", "--json"])
    assert isinstance(bad.exception, ProgramError)
    assert bad.exception.code == "TC-1550"
    assert bad.exception.exit_status == 2
    assert json.loads(bad.stdout)["findings"]  # said before it is refused
    wrong = runner.invoke(app, ["explain", str(file), "--fatal", "bad"])
    assert isinstance(wrong.exception, ProgramError)
    assert wrong.exception.code == "TC-1551"


def test_a_run_refuses_findings_before_anything_is_shared(file: Path) -> None:
    program = tacit.Program.load(file)
    with tacit.local(parties=["alice", "bob", "carol"], seed=1) as mpc:
        with pytest.raises(ProgramError, match="TC-1550"):
            mpc.run(program, {"x": [0.5] * 50}, refuse="medium")
        assert mpc.total_cost.rounds == 0
        assert mpc.run(program, {"x": [0.5] * 50}, refuse="high")["mean"]["bob"] == 0.5


def test_the_page_shows_what_is_printed() -> None:
    folder = ROOT / "docs" / "examples"
    printed = subprocess.run(
        [sys.executable, str(folder / "study.py")], capture_output=True, text=True, check=True
    )
    assert printed.stdout == (folder / "study.txt").read_text("utf-8")
