"""``tacit evaluate``: processes over TLS, from files to metrics; what it refuses at once."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
from command_line import COMMAND
from consortia import Ring
from sklearn import metrics

from tacit.cli.app import app
from tacit.cli.evaluating import EvaluationRequest
from tacit.cli.evaluation_inputs import parse_inputs
from tacit.errors import UsageError
from tacit.models import ClearModel, ModelForm
from tacit.tables.column import Column
from tacit.tables.schema import Schema

SCHEMA = Schema(label="y", columns=(Column("x", "number", bounds=(-1, 1)), Column("y", "boolean")))


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path, float]:
    """A vendor's model, a bank's rows, and the area under their ROC curve."""
    form = ModelForm(kind="logistic", schema=SCHEMA)
    model = ClearModel(form, [np.array([[2.0]]), np.array([-0.5])]).save(tmp_path / "model.json")
    rng = np.random.default_rng(2)
    x = np.round(rng.uniform(-1, 1, 90), 2)
    y = (x + rng.normal(size=90) > 0).astype(int)
    rows = tmp_path / "rows.csv"
    lines = [f"{a},{b},{'fm'[k % 3 == 0]}" for k, (a, b) in enumerate(zip(x, y, strict=True))]
    rows.write_text("\n".join(["x,y,sex", *lines]) + "\n")
    return model, rows, float(metrics.roc_auc_score(y, x))


@pytest.mark.processes
def test_from_files_to_metrics(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, files: tuple[Path, Path, float]
) -> None:
    model, rows, area = files
    arguments = [
        "evaluate",
        f"vendor={model}",
        f"bank={rows}",
        "--by=sex=f,m",
        "--metrics=auc,recall@10%,brier,rows,calibration",
        f"--out={tmp_path / 'out'}",
        "--json",
    ]
    app(arguments, standalone_mode=False)
    found = json.loads(capsys.readouterr().out)
    assert found["parties"] == ["vendor", "bank", "helper"]
    assert found["recipients"] == ["vendor", "bank"]
    assert found["rows"] == {"bank": 90}
    assert found["findings"]["overall"]["auc"] == pytest.approx(area, abs=6e-5)
    assert [group["rows"] for group in found["findings"]["groups"].values()] == [60, 30]
    assert json.loads((tmp_path / "out" / "evaluation.json").read_text()) == found
    page = (tmp_path / "out" / "index.html").read_text()
    assert "The model of vendor on the rows of bank" in page
    assert "sex=f" in page
    assert "http" not in page.replace("http://www.w3.org", "")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["vendor=model.pkl", "bank=rows.csv"], "unpickled"),
        (["vendor=model.json"], "no data owner"),
        (["bank=rows.csv"], "no model"),
        (["a=one.json", "b=two.json", "bank=rows.csv"], "2 models"),
        (["vendor=model.json", "bank=rows.txt"], "neither"),
    ],
)
def test_what_is_no_model_and_no_rows(arguments: list[str], problem: str) -> None:
    with pytest.raises(UsageError, match=problem) as found:
        parse_inputs(arguments)
    assert found.value.code == "TC-1074"


@pytest.mark.processes
def test_three_machines(tmp_path: Path, files: tuple[Path, Path, float]) -> None:
    model, rows, area = files
    ring = Ring(tmp_path, helpers=("bank_c",))
    own = {"bank_a": f"bank_a={model}", "bank_b": f"bank_b={rows}", "bank_c": "bank_c"}
    running = {
        name: subprocess.Popen(
            [
                *COMMAND,
                *("evaluate", "bank_a=model", "bank_b=rows", "--as", part, "--metrics=auc"),
                *("--kit", str(ring.place(name)), "--wait=60", f"--out={tmp_path / name}"),
                "--json",
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name, part in own.items()
    }
    ended = {name: process.communicate(timeout=120) for name, process in running.items()}
    for name, process in running.items():
        assert process.returncode == 0, ended[name][1]
    found = {name: json.loads(out)["findings"] for name, (out, _) in ended.items()}
    assert found["bank_c"] is None
    assert found["bank_a"] == found["bank_b"]
    assert found["bank_a"]["overall"]["auc"] == pytest.approx(area, abs=6e-5)


@pytest.mark.parametrize(
    ("own", "problem"),
    [
        ("bank=model.json", "is not what bank has"),
        ("bank", "gives its file"),
        ("other=rows.csv", "gives its file"),
        ("bank=rows.pkl", "unpickled"),
    ],
)
def test_parts_that_do_not_fit(own: str, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        parse_inputs(["vendor=model", "bank=rows"], own=own)
    with pytest.raises(UsageError, match="is no file"):
        parse_inputs(["vendor=model", "bank=rows"])
    model, data = parse_inputs(["vendor=model", "bank=rows"], own="bank=mine.csv")
    assert model == ("vendor", Path("model"))
    assert data == {"bank": Path("mine.csv")}
    assert parse_inputs(["vendor=model", "bank=rows"], own="carol")[1] == {"bank": Path("rows")}


def test_parties_that_hold_nothing_join() -> None:
    model, data = parse_inputs(["v=m.json", "b=rows.csv"])
    request = EvaluationRequest(model_file=model, data=data, protocol="fantastic4").complete()
    assert request.parties == ("v", "b", "helper", "helper2")
    assert request.owners == ("v", "b")
    with pytest.raises(UsageError) as found:
        EvaluationRequest(model_file=model, data=data, helpers=("x", "y")).complete()
    assert found.value.code == "TC-1021"


def test_a_store_that_is_none(tmp_path: Path) -> None:
    for options in ({"stored": "m"}, {"store": tmp_path}, {"store": tmp_path, "stored": "m"}):
        with pytest.raises(UsageError) as found:
            EvaluationRequest(data={"b": Path("rows.csv")}, **options).complete()  # type: ignore[arg-type]
        assert found.value.code == "TC-1074"
