"""``tacit train`` with a party that computes and holds no data."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command_line import Run

from tacit.cli.demos.files import DemoFiles

pytestmark = pytest.mark.processes


def owners(files: DemoFiles) -> list[str]:
    return [f"{name}={path}" for name, path in files.files.items()]


def options(files: DemoFiles, out: Path, *more: str) -> list[str]:
    return ["--label", files.label, "--epochs", "1", "--out", str(out), *more]


@pytest.mark.parametrize("protocol", ["replicated3", "fantastic4"])
def test_a_party_without_data_computes_and_learns_no_result(
    tacit_command: Run, wards: DemoFiles, tmp_path: Path, protocol: str
) -> None:
    helped = dict(list(wards.files.items())[: 2 if protocol == "replicated3" else 3])
    names = [f"{name}={path}" for name, path in helped.items()]
    job = ("train", *names, *options(wards, tmp_path), "--reveal-loss")
    done = tacit_command(*job, "--protocol", protocol, "--helper", "dave")
    assert done.returncode == 0, done.stderr
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["parties"] == [*helped, "dave"]
    assert manifest["results"]["joint"]["roc_auc"] > 0.9
    assert manifest["evaluated"] == list(helped)
    assert manifest["incidents"] == []
    own = json.loads((tmp_path / "dave" / "result.json").read_text())
    assert own["coefficients"] is own["intercept"] is None
    assert own["losses"] == []
    owner = json.loads((tmp_path / next(iter(helped)) / "result.json").read_text())
    assert owner["losses"]
    assert owner["coefficients"]
    page = (tmp_path / "index.html").read_text()
    assert "dave computed with them and held no data" in page


def test_a_party_without_data_learns_what_it_is_named_for(
    tacit_command: Run, wards: DemoFiles, tmp_path: Path
) -> None:
    job = ("train", *owners(wards), *options(wards, tmp_path), "--protocol", "fantastic4")
    done = tacit_command(*job, "--reveal-to", "general,helper")
    assert done.returncode == 0, done.stderr
    results = {
        name: json.loads((tmp_path / name / "result.json").read_text())
        for name in (*wards.files, "helper")
    }
    learned = {name for name, own in results.items() if own["coefficients"] is not None}
    assert learned == {"general", "helper"}
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["evaluated"] == ["general"]
