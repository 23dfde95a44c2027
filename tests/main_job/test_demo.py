"""Both demos, small, from the command line to the report."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import pytest
from command_line import Run

from tacit.recovery.evidence import check, records

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
    job = ("demo", "fraud", "--rows", "6000", "--epochs", "1", "--out", tmp_path)
    done = tacit_command(*job, "--batch-size", "64", "--json")
    assert done.returncode == 0, done.stderr
    manifest = json.loads(done.stdout)
    assert manifest["parties"] == ["bank_a", "bank_b", "bank_c", "regulator"]
    assert manifest["protocol"] == "fantastic4"
    assert manifest["parameters"]["model"] == "perceptron 30-32-16-1 (relu)"
    results = manifest["results"]
    assert abs(results["joint"]["roc_auc"] - results["pooled plaintext"]["roc_auc"]) <= 0.02
    assert abs(results["joint"]["brier"] - results["pooled plaintext"]["brier"]) <= 2e-3
    assert max(manifest["peak_memory"].values()) < 1.5 * 2**30
    page = (tmp_path / "index.html").read_text()
    assert "1,537 numbers" in page
    assert "Who was there, and what held" in page
    assert "weighs" not in page
    assert "http://" not in page.replace("http://www.w3.org", "")


def test_a_killed_bank_is_told_live_and_the_model_is_right(
    tacit_command: Run, tmp_path: Path
) -> None:
    job = ("demo", "fraud", "--rows", "3000", "--epochs", "1", "--batch-size", "600")
    (tmp_path / "bank_b").mkdir()
    (tmp_path / "bank_b" / "result.json").write_text("of a run before")
    done = tacit_command(*job, "--kill", "bank_b@50%", "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    staged, warning = done.stdout.index("Staged: "), done.stdout.index("Warning: ")
    assert staged < warning < done.stdout.index("Evaluated on")
    assert "killed bank_b's process (SIGKILL) at step 2 of 4" in done.stdout
    assert "bank_b was lost at" in done.stdout
    assert "on under replicated3_active, without bank_b: any one of them may" in done.stdout
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    (incident,) = manifest["incidents"]
    assert (incident["kind"], incident["party"]) == ("lost", "bank_b")
    assert manifest["evaluated"] == ["bank_a", "bank_c"]
    assert_right(manifest)
    page = (tmp_path / "index.html").read_text()
    assert "this demo killed bank_b&#x27;s process" in page
    assert page.count('class="mark') == 2
    assert not (tmp_path / "bank_b" / "result.json").exists()


def test_a_cheat_is_convicted_and_the_evidence_holds(tacit_command: Run, tmp_path: Path) -> None:
    job = ("demo", "fraud", "--rows", "3000", "--epochs", "1", "--batch-size", "600")
    done = tacit_command(*job, "--cheat", "bank_a@50%", "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert_right(manifest)
    named = [incident for incident in manifest["incidents"] if incident["kind"] != "unclear"]
    assert named
    assert all(who(incident) >= {"bank_a"} for incident in named)
    said = re.search(r"^Evidence: tacit blame verify (.*)$", done.stdout, flags=re.MULTILINE)
    assert said
    verdicts = [check(path).verdict for path in records(Path(said[1]))]
    told = [who(dataclasses.asdict(verdict)) for verdict in verdicts if verdict.kind != "unclear"]
    assert told == [who(incident) for incident in named]
    assert told[-1] == {"bank_a"}


def who(incident: dict[str, Any]) -> frozenset[str]:
    """Whom a verdict names."""
    return frozenset([incident["party"]] if incident["party"] else incident["pair"])


def assert_right(manifest: dict[str, Any]) -> None:
    """The joint model scores as the pooled one on the same rows."""
    joint, pooled = manifest["results"]["joint"], manifest["results"]["pooled plaintext"]
    assert abs(joint["brier"] - pooled["brier"]) <= 1e-3
