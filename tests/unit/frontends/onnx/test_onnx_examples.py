"""The examples of ONNX models do what they say, on few rows."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[4] / "examples"


def printed(name: str, count: int, capsys: pytest.CaptureFixture[str]) -> str:
    runpy.run_path(str(EXAMPLES / name))["main"](count)
    return capsys.readouterr().out


def number(text: str, before: str) -> float:
    found = re.search(rf"{before} ([\d.]+)", text)
    assert found is not None
    return float(found[1])


def test_cnn(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed("onnx_cnn.py", 10, capsys)
    assert number(text, "accuracy") >= 0.9


def test_pipeline(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed("onnx_pipeline.py", 12, capsys)
    assert number(text, "accuracy") >= 0.9
    assert number(text, "scikit-learn's") < 1e-3
