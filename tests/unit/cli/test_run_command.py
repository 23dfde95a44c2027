"""``tacit run`` and ``tacit new``: what they refuse, and one run from files to outputs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import tacit
from tacit.cli.app import app
from tacit.errors import ProgramError, TacitError, UsageError

PROGRAM = tacit.trace(
    lambda x, y, scale: {"sum": (x.sum() + y.sum()) * scale, "less": (x < y[:, 0]).sum()},
    tacit.ArraySpec((3,), owner="acme", bounds=(0, 100)),
    tacit.ArraySpec((3, 1), owner="bell", bounds=(0, 100)),
    tacit.ArraySpec((), public=True),
    to={"sum": "all", "less": "acme"},
)
DIGEST = PROGRAM.digest


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A program of two owners and a public number, and its files."""
    where = tmp_path_factory.mktemp("run")
    PROGRAM.save(where / "p.tacit")
    (where / "x.csv").write_text("a\n1\n2\n3\n")
    np.save(where / "y.npy", np.array([[2.0], [2.0], [2.5]]))
    (where / "scale.json").write_text("2.0")
    tacit.trace(lambda x: x + 1, tacit.ArraySpec((2,))).save(where / "shared.tacit")
    return where


def run(folder: Path, program: str, *options: str, out: Path | None = None) -> str:
    given = [option.replace("@", f"{folder}/") for option in options]
    command = ["run", str(folder / program), *given, "--out", str(out or folder / "out")]
    result = CliRunner().invoke(app, command)
    if result.exception is not None:
        raise result.exception
    return result.output


FILES = ("acme=@x.csv", "bell=@y.npy", "--inputs", "scale=@scale.json")


@pytest.mark.parametrize(
    ("program", "options", "error"),
    [
        ("none.tacit", (), "TC-1507"),
        ("x.csv", (), "TC-1500"),
        ("shared.tacit", (), "TC-1595"),
        ("p.tacit", ("acme=@x.csv",), "TC-1591"),
        ("p.tacit", FILES[:2], "TC-1591"),
        ("p.tacit", (*FILES, "cone=@x.csv"), "TC-1590"),
        ("p.tacit", (*FILES, "-i", "z=@x.csv"), "TC-1590"),
        ("p.tacit", (*FILES, "acme=@x.csv"), "TC-1041"),
        ("p.tacit", ("acme=@none.csv", *FILES[1:]), "TC-2100"),
        ("p.tacit", (*FILES, "--digest", "0" * 64), "TC-1596"),
        ("p.tacit", (*FILES, "--digest", "0"), "TC-1596"),
        ("p.tacit", (*FILES, "--digest", DIGEST[:31]), "TC-1596"),
        ("p.tacit", (*FILES, "--digest", DIGEST + "0"), "TC-1596"),
        ("p.tacit", (*FILES, "--helper", "c", "--helper", "d", "--helper", "e"), "TC-1021"),
        ("p.tacit", (*FILES, "--protocol", "none"), "TC-1001"),
        ("p.tacit", (*FILES, "--ring", "32"), "TC-1090"),
    ],
)
def test_what_cannot_run_is_refused_before_any_process(
    folder: Path, program: str, options: tuple[str, ...], error: str
) -> None:
    with pytest.raises(TacitError) as caught:
        run(folder, program, *options)
    assert caught.value.code == error
    assert not (folder / "out").exists()


@pytest.mark.processes
def test_a_program_runs_from_files_to_outputs(folder: Path, tmp_path: Path) -> None:
    digest = DIGEST[:32].upper()
    printed = run(folder, "p.tacit", *FILES, "--digest", digest, "--json", out=tmp_path / "o")
    outcome = json.loads(printed)
    assert outcome["outputs"]["acme"] == {"sum": 25.0, "less": 1}
    assert outcome["outputs"]["bell"] == outcome["outputs"]["helper"] == {"sum": 25.0}
    assert np.load(tmp_path / "o" / "acme" / "less.npy") == 1
    assert not (tmp_path / "o" / "bell" / "less.npy").exists()
    manifest = json.loads((tmp_path / "o" / "manifest.json").read_text())
    assert manifest["digests"]["program"] == DIGEST


@pytest.mark.processes
def test_a_bad_file_stops_all_and_only_its_owner_hears_why(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a\n1\n2\n3000\n")
    options = (f"acme={tmp_path / 'x.csv'}", *FILES[1:])
    with pytest.raises(ProgramError, match="TC-1594") as caught:
        run(folder, "p.tacit", *options, out=tmp_path / "o")
    assert "3000" not in str(caught.value)


def test_new_projects_are_new(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    result = CliRunner().invoke(app, ["new", str(tmp_path)])
    assert isinstance(result.exception, UsageError)
    assert result.exception.code == "TC-1597"
    assert [p.name for p in tmp_path.iterdir()] == ["notes.txt"]
