"""``tacit train``: a perceptron that nobody sees, kept, trained further, then revealed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command_line import Run

from tacit.cli.demos.files import DemoFiles

pytestmark = pytest.mark.processes


def test_a_kept_model_is_trained_further_and_shown_only_as_agreed(
    tacit_command: Run, wards: DemoFiles, tmp_path: Path
) -> None:
    job = (
        "train",
        *(f"{name}={path}" for name, path in wards.files.items()),
        *("--label", wards.label, "--schema", str(wards.schema), "--model", "mlp"),
        *("--hidden", "6", "--epochs", "2", "--batch-size", "128", "--store"),
        str(tmp_path / "stores"),
    )
    first = tmp_path / "first"
    done = tacit_command(
        *job, "--keep", "wards", "--reveal-to", "nobody", "--out", str(first), "--early-stopping"
    )
    assert done.returncode == 0, done.stderr
    assert "Secret model: 'wards', version 1" in done.stdout
    results = [json.loads((first / name / "result.json").read_text()) for name in wards.files]
    assert results[0]["metrics"] == results[1]["metrics"]
    assert len(results[0]["metrics"]) == 2
    assert not list(first.rglob("model.json"))
    page = (first / "index.html").read_text()
    assert "validation losses" in page
    assert "the secret model &#x27;wards&#x27;" in page
    # What was agreed to be shown to nobody is shown to nobody, trained further or not.
    name = next(iter(wards.files))
    further = (*job, "--start-from", "wards", "--out", str(tmp_path / "second"))
    refused = tacit_command(*further, "--reveal-to", name)
    assert refused.returncode == 5, refused.stderr
    assert "TC-4002" in refused.stderr
    done = tacit_command(*further, "--reveal-to", "nobody", "--keep", "wards")
    assert done.returncode == 0, done.stderr
    assert "'wards', version 2" in done.stdout
