"""What the tests of sessions between processes share."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import tacit
from tacit import Computation

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def mpc() -> Iterator[Computation]:
    """One session between processes for all tests that leave it working."""
    with tacit.local("replicated3", processes=True) as computation:
        yield computation


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> str:
    """The module of jobs for tests, importable in the parties' processes."""
    paths = [str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    return "jobs_for_tests"


def alive(identifier: int) -> bool:
    """Whether a process still runs (a zombie does not)."""
    try:
        status = Path(f"/proc/{identifier}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


@pytest.fixture(autouse=True)
def nothing_left_behind() -> Iterator[None]:
    """No thread of this process outlives a test."""
    before = threading.active_count()
    yield
    assert threading.active_count() == before
