"""The README says what is true: its example runs as printed, its table is the security models'."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from tacit.protocols import PROTOCOLS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def between(marker: str) -> str:
    found = re.search(
        rf"<!-- {re.escape(marker)}: begin -->\n(.*?)<!-- {re.escape(marker)}: end -->",
        README,
        flags=re.DOTALL,
    )
    assert found, f"no place for {marker!r}"
    return found[1].strip()


def examples() -> list[tuple[str, str]]:
    """Python blocks and the text blocks right after them."""
    return re.findall(r"```python\n(.*?)```\s+```text\n(.*?)```", README, flags=re.DOTALL)


def test_there_is_an_example_of_ten_lines() -> None:
    (code, _), *_ = examples()
    assert len([line for line in code.splitlines() if line.strip()]) <= 10


@pytest.mark.parametrize(("code", "printed"), examples())
def test_examples_print_what_they_say(code: str, printed: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == printed


def test_the_table_of_protocols_is_that_of_the_security_models() -> None:
    script = runpy.run_path(str(ROOT / "scripts" / "protocol_table.py"))
    assert between("protocols") == script["table"]()


def test_papers_are_in_the_bibliography() -> None:
    bibliography = (ROOT / "docs" / "bibliography.md").read_text()
    keys = set(re.findall(r"^(\S+)\n: ", bibliography, flags=re.MULTILINE))
    for protocol in PROTOCOLS.values():
        assert set(protocol.security.papers) <= keys


def test_pages_that_are_named_exist() -> None:
    for page in re.findall(r"\]\(([^)#]+)\)", README):
        if "://" not in page:
            assert (ROOT / page).exists(), page
