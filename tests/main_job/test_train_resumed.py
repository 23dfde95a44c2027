"""``tacit train --checkpoint``: every process killed with ``kill -9``, then ``--resume``."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from command_line import COMMAND, Run
from commands import tacit_here

from tacit.cli.demos.files import DemoFiles
from tacit.storage import listing

pytestmark = pytest.mark.processes


def training(files: DemoFiles, out: Path, *more: str | Path) -> list[str]:
    owners = [f"{name}={path}" for name, path in files.files.items()]
    options = ["--label", files.label, "--epochs", "3", "--batch-size", "64", "--out", out]
    return ["train", *owners, *map(str, options), "--rounding", "exact", *map(str, more)]


def model(out: Path, name: str) -> tuple[list[float], float]:
    own = json.loads((out / name / "result.json").read_text())
    return own["coefficients"], own["intercept"]


def children(parent: int) -> list[int]:
    text = Path(f"/proc/{parent}/task/{parent}/children").read_text()
    return [int(number) for number in text.split()]


def newest(shares: Path, files: DemoFiles) -> int:
    """The newest version that all owners have sealed."""
    found = []
    for name in files.files:
        stems = [path.stem for path in (shares / name / "entries").glob("*.sealed")]
        found.append(max((int(stem.rsplit(".", 4)[2]) for stem in stems), default=0))
    return min(found)


def cut_short(arguments: list[str], condition: Callable[[], bool]) -> None:
    """Kill all processes of a training when the condition holds."""
    run = subprocess.Popen(
        [*COMMAND, *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not condition():
        assert run.poll() is None, run.communicate()[1]
        time.sleep(0.002)
    for process in [*children(run.pid), run.pid]:
        os.kill(process, signal.SIGKILL)
    run.communicate()


@pytest.fixture(scope="module")
def whole(wards: DemoFiles, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a training under a protocol that nothing disturbs, one of each."""

    @cache
    def run(protocol: str) -> Path:
        out = tmp_path_factory.mktemp("whole")
        done = tacit_here(*training(wards, out, "--protocol", protocol))
        assert done.returncode == 0, done.stderr
        return out

    return run


@pytest.mark.parametrize("protocol", ["replicated3", "fantastic4"])
def test_after_kill_9_of_all_processes_the_model_is_the_same_bits(
    tacit_command: Run,
    wards: DemoFiles,
    tmp_path: Path,
    whole: Callable[[str], Path],
    protocol: str,
) -> None:
    by = ("--protocol", protocol)
    shares = tmp_path / "shares"
    kept = ("--checkpoint", shares, "--every", 2, *by)
    cut_short(training(wards, tmp_path / "cut", *kept), lambda: newest(shares, wards) >= 3)
    done = tacit_command(*training(wards, tmp_path / "resumed", *kept, "--resume"))
    assert done.returncode == 0, done.stderr
    for name in wards.files:
        assert model(tmp_path / "resumed", name) == model(whole(protocol), name)
    assert {h.epoch for name in wards.files for h in listing(shares / name)} <= {0, 1}


def test_a_party_that_lost_its_disk_goes_on_with_the_others(
    tacit_command: Run, wards: DemoFiles, tmp_path: Path, whole: Callable[[str], Path]
) -> None:
    """Under four parties: it gets new shares of what the other three have."""
    by = ("--protocol", "fantastic4")
    shares = tmp_path / "shares"
    kept = ("--checkpoint", shares, "--every", 3, *by)
    cut_short(training(wards, tmp_path / "cut", *kept), lambda: newest(shares, wards) >= 2)
    lost = list(wards.files)[1]
    shutil.rmtree(shares / lost)
    done = tacit_command(*training(wards, tmp_path / "resumed", *kept, "--resume"))
    assert done.returncode == 0, done.stderr
    for name in wards.files:
        assert model(tmp_path / "resumed", name) == model(whole("fantastic4"), name)


def test_resume_needs_a_folder(tacit_command: Run, wards: DemoFiles, tmp_path: Path) -> None:
    refused = tacit_command(*training(wards, tmp_path, "--resume"))
    assert refused.returncode == 2
    assert "TC-1079" in refused.stderr
