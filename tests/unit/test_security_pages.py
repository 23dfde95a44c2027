"""The pages on security: a page a protocol, and every test that they name exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tacit.protocols import PROTOCOLS

ROOT = Path(__file__).parents[2]
INDEX = ROOT / "docs" / "security.md"
PAGES = [INDEX, *sorted((ROOT / "docs" / "security").glob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_tests_that_are_named_exist(page: Path) -> None:
    named = re.findall(r"`([a-z_0-9]+/[a-z_0-9/]*(?:\.py)?)`", page.read_text())
    named = [name for name in named if not name.startswith("tests/")]
    missing = [name for name in named if not (ROOT / "tests" / name).exists()]
    assert named
    assert not missing


def test_every_page_is_linked_and_every_protocol_has_one() -> None:
    index = INDEX.read_text()
    for page in PAGES[1:]:
        assert f"(security/{page.name})" in index
        assert f"security/{page.stem}\n" in index
    assert set(PROTOCOLS) <= {page.stem for page in PAGES}
