"""``pytest tests/fuzz --fuzz-examples 100000 --hypothesis-seed 1`` searches longer than CI does."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fuzz-examples", type=int, default=None, help="examples to draw")
