"""docs/arrays.md is what the code says."""

from __future__ import annotations

from page import PAGE, script

import tacit
from tacit.arrays.refusals import REFUSED


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text() == script()["page"](), "run scripts/array_functions.py"


def test_every_function_of_the_standard_has_a_row() -> None:
    text = PAGE.read_text()
    for category, names in script()["STANDARD"].items():
        prefix = f"{category}." if category in ("linalg", "fft") else ""
        for name in names:
            assert f"| `{prefix}{name}` |" in text


def test_what_is_missing_says_why() -> None:
    for name in script()["missing"]():
        assert name in script()["REASONS"], name


def test_what_is_refused_shows_an_idiom() -> None:
    for name, refused in REFUSED.items():
        assert refused.idiom
        assert hasattr(tacit, name) or name not in sum(script()["STANDARD"].values(), ())
