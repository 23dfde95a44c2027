"""Tests of real processes are run once more after a failure, openly; others are not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import once_more
import pytest

INI = """
[pytest]
addopts = -raR
markers = processes
"""
TESTS = """
import pathlib
import pytest

def count(name):
    path = pathlib.Path(f"{name}.count")
    number = int(path.read_text()) + 1 if path.exists() else 1
    path.write_text(str(number))
    return number

@pytest.mark.processes
def test_fails_once():
    print("what was captured")
    assert count("once") == 2, "the reason"

@pytest.mark.processes
def test_fails_always():
    assert count("always") == 0

def test_in_process():
    assert count("in process") == 0
"""


@pytest.mark.parametrize("options", [[], ["-n", "2", "--dist", "loadfile"]], ids=["one", "xdist"])
def test_once_more_and_openly(tmp_path: Path, options: list[str]) -> None:
    (tmp_path / "pytest.ini").write_text(INI)
    (tmp_path / "test_them.py").write_text(TESTS)
    paths = [str(Path(once_more.__file__).parent), os.environ.get("PYTHONPATH", "")]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "once_more", "-p", "no:cacheprovider", *options],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
        capture_output=True,
        text=True,
        check=False,
    )
    counts = {path.stem: path.read_text() for path in tmp_path.glob("*.count")}
    assert counts == {"once": "2", "always": "2", "in process": "1"}
    assert done.returncode == 1
    assert "2 failed, 1 passed, 2 rerun" in done.stdout.splitlines()[-1]
    first = done.stdout.partition("FIRST FAILURE, run again: test_them.py::test_fails_once")[2]
    assert "the reason" in first
    assert "what was captured" in first
    assert "RERUN test_them.py::test_fails_once" in done.stdout
