"""Both demos, small, from the command line to the report."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command_line import Run

pytestmark = pytest.mark.processes


def test_demo_hospitals(tacit_command: Run, tmp_path: Path) -> None:
    done = tacit_command("demo", "hospitals", "--out", tmp_path, "--epochs", "8")
    assert done.returncode == 0, done.stderr
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    joint, pooled = manifest["results"]["joint"], manifest["results"]["pooled plaintext"]
    assert abs(joint["roc_auc"] - pooled["roc_auc"]) <= 0.002
    assert pooled["coefficient_difference"] < 0.05
    assert joint["roc_auc"] > 0.98
    page = (tmp_path / "index.html").read_text()
    assert "Three hospitals" in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    for name in ("screening", "general", "referral"):
        assert f"{name} alone" in done.stdout
        assert (tmp_path / name / "result.json").exists()


def test_demo_fraud(tacit_command: Run, tmp_path: Path) -> None:
    done = tacit_command("demo", "fraud", "--rows", "30000", "--out", tmp_path, "--json")
    assert done.returncode == 0, done.stderr
    manifest = json.loads(done.stdout)
    results = manifest["results"]
    assert abs(results["joint"]["roc_auc"] - results["pooled plaintext"]["roc_auc"]) <= 0.002
    alone = [results[name]["roc_auc"] for name in ("bank_a", "bank_b", "bank_c")]
    assert max(alone) < results["joint"]["roc_auc"] - 0.05
    training = next(c for c in manifest["costs"] if c["name"] == "training")
    assert training["rounds"] > 0
    assert set(training["bytes_sent"]) == {"bank_a", "bank_b", "bank_c"}
