"""Settings of all tests: deterministic examples, the same everywhere.

``HYPOTHESIS_PROFILE=explore`` draws fresh and more examples, for a search by hand.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from order import PLACES

settings.register_profile(
    "tacit",
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=50,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "tacit"))

# scikit-learn's checks of array API input run only where SciPy was imported with this.
os.environ.setdefault("SCIPY_ARRAY_API", "1")

# A shell's background jobs ignore Ctrl-C, and processes that tests start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Parties are processes, hundreds of them here: without bytecode that is kept, each would spend half
# of its start on compiling tacit anew.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

pytest_plugins = ["once_more"]

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first (``order.py``)."""

    def place(item: pytest.Item) -> int:
        path = item.path.relative_to(HERE).as_posix() if item.path.is_relative_to(HERE) else ""
        return PLACES.get(path, len(PLACES))

    items.sort(key=place)


@pytest.fixture(scope="session", autouse=True)
def _without_pandas() -> Iterator[None]:
    """PyArrow imports pandas wherever it finds it, for a quarter of a second: not in processes.

    It is none of tacit's dependencies, so many users' parties have none either.
    """
    hidden = str(HERE / "without_pandas")
    paths = [hidden, *filter(None, [os.environ.get("PYTHONPATH")])]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(paths))
        yield
