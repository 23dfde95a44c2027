"""The list of the standard's functions, from the script that writes ``docs/arrays.md``."""

from __future__ import annotations

import runpy
from functools import cache
from pathlib import Path
from typing import Any

__all__ = ["PAGE", "script", "supported"]

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "arrays.md"


@cache
def script() -> dict[str, Any]:
    """What ``scripts/array_functions.py`` defines."""
    return runpy.run_path(str(ROOT / "scripts" / "array_functions.py"))


def supported() -> set[str]:
    """The functions that the page calls supported."""
    names: set[str] = script()["supported"]()
    return names
