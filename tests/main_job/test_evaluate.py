"""``tacit evaluate``: processes over TLS, from files to metrics; what it refuses at once."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from command_line import Run
from sklearn import metrics

from tacit.cli.evaluating import EvaluationRequest, parse_inputs
from tacit.errors import UsageError
from tacit.models import ClearModel, ModelForm
from tacit.tables.schema import Column, Schema

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
    tacit_command: Run, tmp_path: Path, files: tuple[Path, Path, float]
) -> None:
    model, rows, area = files
    done = tacit_command(
        "evaluate",
        f"vendor={model}",
        f"bank={rows}",
        "--by=sex=f,m",
        "--metrics=auc,recall@10%,brier,rows,calibration",
        f"--out={tmp_path / 'out'}",
        "--json",
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
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
