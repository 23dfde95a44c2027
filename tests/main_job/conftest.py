"""Running the command line as users do."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from command_line import COMMAND, Run

from tacit.cli.demos import fraud, hospitals
from tacit.cli.demos.files import DemoFiles


@pytest.fixture
def tacit_command() -> Run:
    """Run ``tacit ARGUMENTS`` and give what it printed."""

    def run(*arguments: str | Path, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*COMMAND, *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def banks(tmp_path_factory: pytest.TempPathFactory) -> DemoFiles:
    """The three banks' files, small."""
    return fraud.generate(tmp_path_factory.mktemp("banks"), rows=12_000, seed=4)


@pytest.fixture(scope="session")
def wards(tmp_path_factory: pytest.TempPathFactory) -> DemoFiles:
    """The three hospitals' files."""
    return hospitals.generate(tmp_path_factory.mktemp("wards"))
