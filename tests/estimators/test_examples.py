"""The page on estimators and its example say what is true."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_page_s_example_prints_what_it_says() -> None:
    page = (ROOT / "docs" / "estimators.md").read_text()
    [(code, printed)] = re.findall(
        r"```python\n(.*?)```\s+```text\n(.*?)```", page, flags=re.DOTALL
    )
    assert run("-c", code) == printed


def test_the_hospitals_perceptron_learns() -> None:
    printed = run(str(ROOT / "examples" / "perceptron.py"))
    accuracy, area = (
        float(re.search(rf"{name} ([\d.]+)", printed)[1])  # type: ignore[index]
        for name in ("accuracy", "ROC AUC")
    )
    assert accuracy > 0.93
    assert area > 0.98
    assert "revealed: Pipeline (30, 16)" in printed
