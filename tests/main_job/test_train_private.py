"""``tacit train --dp`` by processes: what it says before, what it reports, what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command_line import Run

from tacit.cli.demos.files import DemoFiles

pytestmark = pytest.mark.processes


def test_private_training_tells_what_it_spends(
    tacit_command: Run, banks: DemoFiles, tmp_path: Path
) -> None:
    files = [f"{name}={path}" for name, path in banks.files.items()]
    common = ["train", *files, "--label", banks.label, "--out", tmp_path / "report"]
    refused = tacit_command(*common, "--dp", "--epsilon", "2")
    assert refused.returncode == 2
    assert "--schema" in refused.stderr + refused.stdout
    run = tacit_command(
        *common, "--schema", banks.schema, "--dp", "--noise-multiplier", "0.7", "--epochs", "1",
        "--batch-size", "500", "--learning-rate", "4", "--json",
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert "Differential privacy: (" in " ".join(run.stderr.split())
    manifest = json.loads(run.stdout)
    parameters = manifest["parameters"]
    assert 0.5 < parameters["epsilon of a training row"] < 6
    assert 0 < parameters["part of delta for approximations"] < 1e-8
    assert parameters["noise multiplier"] == 0.7
    assert 0.5 < manifest["results"]["joint"]["roc_auc"] <= 1
    page = (tmp_path / "report" / "index.html").read_text()
    assert "differentially private" in page
    assert "with noise that nobody knows" in page
