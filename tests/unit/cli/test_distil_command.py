"""What ``tacit distil`` refuses before any party starts, and one run from files to a student."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from tacit.cli.app import app
from tacit.errors import RangeError, TacitError, UsageError
from tacit.models import ClearModel
from tacit.tables.column import Column
from tacit.tables.schema import Schema

SCHEMA = Schema(
    label="bad",
    columns=(
        Column("age", "integer", bounds=(18, 98)),
        Column("debt", "number", bounds=(-1, 1)),
        Column("bad", "boolean"),
    ),
)
OWNERS = ("a", "b", "c")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    SCHEMA.save(tmp_path / "schema.json")
    for place, name in enumerate((*OWNERS, "public")):
        rng = np.random.default_rng(place)
        count = 40 if name == "public" else 300
        age, debt = rng.integers(18, 99, count), rng.uniform(-1, 1, count)
        bad = ((age - 58) / 40 + debt > 0).astype(int)
        lines = [f"{x},{y:.3f},{z}" for x, y, z in zip(age, debt, bad, strict=True)]
        (tmp_path / f"{name}.csv").write_text("\n".join(["age,debt,bad", *lines]) + "\n")
    return tmp_path


def distil(folder: Path, *options: str) -> str:
    files = [f"{name}={folder / name}.csv" for name in OWNERS]
    command = ["distil", *files, "--schema", str(folder / "schema.json"), *options]
    result = CliRunner().invoke(app, [*command, "--out", str(folder / "out")])
    if result.exception is not None:
        raise result.exception
    return result.output


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ((), "--public or from --synthetic"),
        (("--synthetic", "9", "--teachers", "99"), "99 teachers are too few"),
        (("--synthetic", "9", "--every", "11"), "never released"),
        (("--synthetic", "9", "--student", "a,b"), "no hidden layers"),
        (("--synthetic", "9", "--student", "99999999999"), "no hidden layers"),
        (("--synthetic", "9", "--learning-rate", "nan"), "step size nan"),
        (("--synthetic", "9", "--learning-rate", "1e30"), "step size 1e\\+30"),
        (("--synthetic", "9", "--model", "x", "--store", "s"), "without files and schema"),
        (("--synthetic", "9", "--without-privacy-guarantee"), "private always"),
        (("--synthetic", "90000", "--sigma", "2"), "promises nothing"),
        (("--synthetic", "9", "--reveal-to", "dora"), "dora"),
        (("--synthetic", "9", "--threads", "0"), "threads"),
    ],
)
def test_what_does_not_fit_is_refused(folder: Path, options: tuple[str, ...], text: str) -> None:
    with pytest.raises(UsageError, match=text):
        distil(folder, *options)
    assert not (folder / "out" / "index.html").exists()


def test_a_budget_that_promises_nothing(folder: Path) -> None:
    with pytest.raises(RangeError):
        distil(folder, "--synthetic", "9", "--epsilon", "-1")


@pytest.mark.processes
def test_from_files_to_a_student(folder: Path) -> None:
    options = ("--public", str(folder / "public.csv"), "--teachers", "100", "--epsilon", "20")
    options += ("--heartbeat", "4", "--patience", "30", "--threads", "1")
    text = distil(folder, *options, "--epochs", "4", "--delta", "1e-4", "--json")
    found = json.loads(text[text.index('{"version') :])
    assert found["recipients"] == list(OWNERS)
    assert 10 < found["privacy"]["epsilon"] <= 20
    assert found["rows"] == dict.fromkeys(OWNERS, 300)
    student = ClearModel.load(folder / "out" / "student.json")
    rng = np.random.default_rng(9)
    rows = rng.uniform(-1, 1, (200, 2))
    assert np.mean(student.predict(rows) == (rows.sum(axis=1) > 0)) > 0.75
    page = (folder / "out" / "index.html").read_text()
    assert "differential privacy for each row" in page
    assert "http://" not in page.replace("http://www.w3.org", "")


def test_errors_say_what_to_do(folder: Path) -> None:
    with pytest.raises(TacitError) as error:
        distil(folder)
    assert "tacit distil --help" in error.value.next_step


@pytest.mark.parametrize(("protocol", "shared"), [("fantastic4", "inputs"), ("replicated3", "")])
def test_a_loss_before_all_inputs_are_shared_has_its_own_error(
    folder: Path, protocol: str, shared: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: dict[str, object] = {}

    def started(*places: object, **options: object) -> object:
        told.update(options)
        raise UsageError("enough", next_step="none.", case=99)

    monkeypatch.setattr("tacit.cli.joint.PartyProcesses", started)
    with pytest.raises(UsageError, match="enough"):
        distil(folder, "--synthetic", "9", "--protocol", protocol)
    assert told["shared_first"] == shared
