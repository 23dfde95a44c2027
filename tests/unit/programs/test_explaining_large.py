"""Large programs are explained with bounded work, and what was left out is said."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

import tacit
from tacit import ArraySpec
from tacit.programs.explaining import budget, walk
from tacit.programs.explaining.explanation import Explanation

ROWS = ArraySpec((2000,), owner="alice", bounds=(-1, 1))
MANY = ArraySpec((100_000,), owner="alice", bounds=(-1, 1))


def explained(function: Callable[..., Any], *specs: ArraySpec) -> tuple[Explanation, int]:
    program = tacit.trace(function, *specs, to="carol")
    program.explain()  # imports, and what is kept
    tracemalloc.start()
    found = program.explain()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return found, peak


def kinds(found: Explanation) -> set[tuple[str, str]]:
    return {(one.severity, one.kind) for one in found.findings}


@pytest.mark.parametrize(
    ("function", "spec"),
    [
        (lambda x: x[1:] - x[0], ROWS),
        (lambda x: x - x.mean(), ROWS),
        (lambda x: (x[2:] + x[1:-1] + x[:-2]) / 3, ROWS),
        (lambda x: x.reshape((2000, 50)).mean(1), MANY),
        (lambda x: tacit.diff(x), MANY),
    ],
)
def test_many_results_take_bounded_memory(function: Callable[..., Any], spec: ArraySpec) -> None:
    found, peak = explained(function, spec)
    assert peak < 1 << 27
    assert {severity for severity, _ in kinds(found)} == {"medium"}


def test_what_is_too_large_is_said_and_is_a_finding() -> None:
    wide = ArraySpec((1, 2000), owner="alice", bounds=(-1, 1))
    found, peak = explained(lambda x: {"table": x[:, 1:] - x[:, :1], "all": x.sum()}, wide)
    assert peak < 1 << 27
    assert ("medium", "unsolved") in kinds(found)
    (said,) = [one for one in found.limits if "too large" in one]
    assert "table" in said
    assert "all" not in said.split(": ")[1].split(".")[0]


def test_work_that_is_used_up_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def program(x: Any) -> dict[str, Any]:
        return {"most": x[1:].sum(), "rest": x.sum()}

    assert ("high", "difference") in kinds(explained(program, ROWS)[0])
    monkeypatch.setattr(walk, "SOLVING", 3)
    found, _ = explained(program, ROWS)
    assert kinds(found) == {("medium", "unsolved")}
    assert any("most, rest" in one for one in found.limits)


def test_a_budget_gives_what_is_left() -> None:
    one = budget.Budget(10)
    assert one.take(7)
    assert not one.take(4)
    assert one.take(3)
    assert one.left == 0


def test_many_written_out_forms_take_bounded_memory() -> None:
    def program(x: Any) -> dict[str, Any]:
        y = tacit.cumulative_sum(x)
        for _ in range(120):
            y = y + y[::-1] * 0.01
        return {"last": y.sum(), "all": x.sum()}

    found, peak = explained(program, ArraySpec((500,), owner="alice", bounds=(-1, 1)))
    assert peak < 300 * 10**6
    assert ("medium", "unsolved") in kinds(found)


def test_functions_that_were_not_tried_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def program(x: Any) -> dict[str, Any]:
        return {"high": tacit.maximum(x, 0).sum(keepdims=True), "low": tacit.minimum(x, 0)}

    spec = ArraySpec((1,), owner="alice", bounds=(-1, 1))
    assert ("high", "together") in kinds(explained(program, spec)[0])
    monkeypatch.setattr(walk, "TRYING", 10)
    found, _ = explained(program, spec)
    assert ("medium", "unsolved") in kinds(found)
    assert any("high, low" in one for one in found.limits)
