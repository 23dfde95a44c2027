"""docs/storage.md says what is true: its examples run as printed, in order."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "storage.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```(?:\s+```text\n(.*?)```)?", PAGE, flags=re.DOTALL)


def test_the_examples_print_what_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for code, expected in BLOCKS:
        exec(compile(code, "docs/storage.md", "exec"), names)  # noqa: S102 - our own page
        assert capsys.readouterr().out == expected
    assert len(BLOCKS) > 5
