"""Running the command line as users do."""

from __future__ import annotations

import pytest
from command_line import Run
from commands import tacit_here

from tacit.cli.demos import fraud, hospitals
from tacit.cli.demos.files import DemoFiles


@pytest.fixture
def tacit_command() -> Run:
    """Run ``tacit ARGUMENTS`` and give what it printed."""
    return tacit_here


@pytest.fixture(scope="session")
def banks(tmp_path_factory: pytest.TempPathFactory) -> DemoFiles:
    """The three banks' files, small."""
    return fraud.generate(tmp_path_factory.mktemp("banks"), rows=12_000, seed=4)


@pytest.fixture(scope="session")
def wards(tmp_path_factory: pytest.TempPathFactory) -> DemoFiles:
    """The three hospitals' files."""
    return hospitals.generate(tmp_path_factory.mktemp("wards"))
