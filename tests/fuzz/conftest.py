"""Searches longer than CI does.

``pytest tests/fuzz --fuzz-examples 50000 --hypothesis-seed 1 -o faulthandler_timeout=0``
"""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fuzz-examples", type=int, default=None, help="examples to draw")
