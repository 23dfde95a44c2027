"""What a loop fits to rows is a model, masks or not; what it only adds up is a statistic."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tacit
from tacit import ArraySpec

ROWS = ArraySpec((200, 5), owner="alice", bounds=(-1, 1))
LABELS = ArraySpec((200,), owner="bob", bounds=(-1, 1))


def kinds(function: Any) -> set[tuple[str, str]]:
    found = tacit.trace(function, ROWS, LABELS, to="carol").explain().findings
    return {(one.severity, one.kind) for one in found}


@pytest.mark.parametrize("rounds", [4, 100])
def test_a_model_with_masks_is_a_model(rounds: int) -> None:
    def training(x: Any, y: Any) -> Any:
        def body(i: Any, carry: list[Any]) -> list[Any]:
            hidden = tacit.clip(x @ carry[0], -4, 4)
            error = tacit.where(hidden > 0, hidden - y, 0)
            return [tacit.clip(carry[0] - x.T @ error * 0.01, -1, 1)]

        return tacit.fori_loop(0, rounds, body, [np.zeros(5)])[0]

    assert kinds(training) == {("medium", "trained")}


@pytest.mark.parametrize("rounds", [4, 100])
def test_a_total_of_a_group_is_none(rounds: int) -> None:
    def totals(x: Any, y: Any) -> Any:
        def body(i: Any, carry: list[Any]) -> list[Any]:
            return [carry[0] + tacit.where(y > 0, x[:, 0], 0).sum()]

        return tacit.fori_loop(0, rounds, body, [np.zeros(())])[0]

    assert kinds(totals) == {("medium", "no-minimum")}
