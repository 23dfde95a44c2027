"""docs/api.md lists every public name."""

from __future__ import annotations

import runpy
from pathlib import Path

import tacit

ROOT = Path(__file__).parents[2]


def test_the_page_is_current() -> None:
    script = runpy.run_path(str(ROOT / "scripts" / "api_names.py"))
    text = (ROOT / "docs" / "api.md").read_text()
    assert text == script["page"](), "run python scripts/api_names.py"


def test_every_public_name_is_on_it() -> None:
    script = runpy.run_path(str(ROOT / "scripts" / "api_names.py"))
    text = script["listing"]()
    written = {
        part for names in script["NO_OBJECTS"] for part in names.replace("(bits)", "").split(", ")
    }
    missing = [
        name
        for name in tacit.__all__
        if not name.startswith("_") and name not in written and f"`tacit.{name} <" not in text
    ]
    assert missing == []


def test_every_name_has_a_line() -> None:
    script = runpy.run_path(str(ROOT / "scripts" / "api_names.py"))
    assert "` |  |" not in script["listing"]()
