"""ONNX's own test-suite: a fixed sample of it gives what is kept of the whole, as the page says."""

from __future__ import annotations

import onnx
import pytest

import tacit
from bench.onnx_backend.cases import Case, cases
from bench.onnx_backend.judging import PASSED, judged
from bench.onnx_backend.page import PAGE, Outcome, kept_version, page

MODULES = ("bitcast", "compress", "conv", "gru", "isnan", "layernormalization", "qlinearconv",
           "resize", "scatternd", "softmax", "topk", "where")  # fmt: skip
KEPT = {(outcome.kind, outcome.name): outcome for outcome in Outcome.kept()}


def sample() -> list[Case]:
    """Node cases of some operators, and every second of PyTorch's."""
    nodes = [case for case in cases("node", MODULES) if "expanded" not in case.name]
    return nodes + list(cases("pytorch-converted"))[::2]


def test_the_sample_gives_what_is_kept() -> None:
    different = []
    assert len(sample()) > 120
    with tacit.local("replicated3", seed=1) as mpc:
        for case in sample():
            reason, detail = judged(case, mpc)
            kept = KEPT.get((case.kind, case.name))
            if kept is None:
                continue  # a case of another version of onnx
            if (case.operator, case.numeric, reason) != (kept.operator, kept.numeric, kept.reason):
                different.append((case.name, kept.reason, reason, detail))
    assert not different


def test_the_share_that_passes() -> None:
    numeric = [outcome for outcome in KEPT.values() if outcome.kind == "node" and outcome.numeric]
    passed = sum(outcome.reason == PASSED for outcome in numeric)
    assert len(numeric) > 1600
    assert passed / len(numeric) >= 0.94


def test_the_page_is_what_the_outcomes_give() -> None:
    if onnx.__version__ != kept_version():
        pytest.skip(f"the page is of onnx {kept_version()}, and {onnx.__version__} is installed")
    if PAGE.read_text() != page(list(KEPT.values())):
        pytest.fail("docs/onnx.md is not what is kept: run python -m bench.onnx_backend --page")
