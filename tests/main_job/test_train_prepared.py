"""From three banks' messy files to a joint model: schema, sign-off, preparation, drift."""

from __future__ import annotations

import csv
import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from command_line import Run
from typer.testing import CliRunner

from tacit.cli.app import app

pytestmark = pytest.mark.processes

EXAMPLE = Path(__file__).parents[2] / "examples" / "messy_files.py"


def messy(folder: Path, rows: int) -> dict[str, Path]:
    found = importlib.util.spec_from_file_location("messy_files", EXAMPLE)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    paths: dict[str, Path] = module.write(folder, rows, mended=True)
    return paths


def here(*arguments: str | Path) -> Result:
    """A command in this process: it starts none."""
    done = CliRunner().invoke(app, list(map(str, arguments)))
    assert done.exit_code == 0, done.output
    return done


def prepared(files: dict[str, Path], folder: Path) -> tuple[Path, str]:
    """The schema that the owners make of their files, with clipping and target encoding."""
    drafts = []
    for name, path in files.items():
        drafts.append(folder / f"{name}.json")
        infer = ("schema", "infer", path, "--label", "is_fraud", "--exclude", "customer")
        done = here(*infer, "-o", drafts[-1])
        assert "missing values become the mean" in done.stderr
    target = folder / "schema.json"
    here("schema", "merge", *drafts, "-o", target)
    schema = json.loads(target.read_text())
    for column in schema["columns"]:
        if column["name"] == "amount":
            column.update(clip=[0.01, 0.99], unit="EUR")
        if column["name"] == "merchant":
            column["encode"] = "target"
    target.write_text(json.dumps(schema))
    sign = ("schema", "sign", target, "--name", "bank_a", "-o", folder / "a.signoff.json")
    digest = json.loads(here(*sign, "--json").stdout)["schema_digest"]
    assert digest in here("schema", "show", target).stdout.replace("\n", "")
    return target, digest


def test_from_messy_files_to_a_model_and_a_report(tacit_command: Run, tmp_path: Path) -> None:
    files = messy(tmp_path, 240)
    schema, digest = prepared(files, tmp_path)
    owners = [f"{name}={path}" for name, path in files.items()]
    job = ("train", *owners, "--label", "is_fraud", "--schema", schema, "--batch-size", "128")

    refused = tacit_command(*job, "--schema-digest", digest[::-1], "-o", tmp_path / "no")
    assert refused.returncode == 3
    assert "TC-2207" in refused.stderr

    options = ("--schema-digest", tmp_path / "a.signoff.json", "--drift", "0.3", "--compare-pooled")
    done = tacit_command(*job, *options, "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert "No owner differs from the others by more than 0.3" in done.stdout
    page = (tmp_path / "out" / "index.html").read_text()
    assert "joint quantiles of amount and joint label means by merchant" in page
    assert "Do the owners&#x27; data differ?" in page or "Do the owners' data differ?" in page
    results = json.loads((tmp_path / "out" / "manifest.json").read_text())["results"]
    assert results["joint"]["roc_auc"] == pytest.approx(
        results["pooled plaintext"]["roc_auc"], abs=3e-3
    )
    model = json.loads((tmp_path / "out" / "bank_a" / "model.json").read_text())
    assert model["form"]["kind"] == "mlp"  # the clipping layer
    assert np.isfinite(np.concatenate([np.array(p) for p in model["parameters"]])).all()

    lines = files["bank_b"].read_text().splitlines()
    lines[4] = lines[4].replace(".20", ".30.", 1)
    lines[9] = lines[9].rpartition(";")[0] + ";7"
    files["bank_b"].write_text("\n".join(lines) + "\n")
    wrong = tacit_command(*job, "-o", tmp_path / "wrong")
    assert wrong.returncode == 3
    assert "line 5" in wrong.stderr
    listed = tmp_path / "wrong" / "bank_b" / "errors.csv"
    assert [row[:2] for row in csv.reader(listed.read_text().splitlines())][1:] == [
        ["5", "opened"],
        ["10", "is_fraud"],
    ]
