"""How many comparisons sorts take, drawn by lengths alone, against searches of real orders."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import tacit
from tacit import ArraySpec
from tacit.functions import ordering
from tacit.programs.planning.orders import DrawnSearch
from tacit.rounds.contract import Round

TRIALS = 150


class _Ranked(ordering._Search):
    """A search that knows the order."""

    def __init__(self, ranks: Any, rows: int, count: int, wanted: Any) -> None:
        party: Any = None
        super().__init__(party, (), rows, count, wanted)
        self.ranks = ranks

    def _less(self, left: Any, right: Any) -> Any:
        self.comparisons.append(left.size)
        yield Round()
        return self.ranks[left] < self.ranks[right]


class _Lengths(DrawnSearch):
    def _less(self, size: int) -> Any:
        self.comparisons.append(size)
        yield Round()


def searched(search: Any, plan: ordering.Plan, count: int) -> list[int]:
    for depth in plan.samples:
        for _ in search.by_sample(depth):
            pass
    for pivots in [ordering.PIVOTS] * plan.pivots + [count]:
        for _ in search.by_pivots(pivots):
            pass
    found: list[int] = search.comparisons
    return found


@pytest.mark.parametrize(("rows", "count", "few"), [(1, 900, 0), (3, 2500, 0), (2, 3000, 2)])
def test_drawn_lengths_are_those_of_real_orders(rows: int, count: int, few: int) -> None:
    wanted = np.ones(count, np.bool_)
    if few:
        wanted = np.arange(count) // few == count // 2 // few
    plan = ordering.plan_of(rows, count, int(wanted.sum()))
    assert plan is not None
    assert plan.levels > 2
    random = np.random.default_rng(5)
    real, drawn = [], []
    for _ in range(TRIALS):
        ranks = random.permuted(np.tile(np.arange(count), (rows, 1)), axis=1).reshape(-1)
        real.append(searched(_Ranked(ranks, rows, count, wanted), plan, count))
        party = SimpleNamespace(drawn=False)
        lengths = _Lengths(party, random, (), rows, count, wanted)
        drawn.append(searched(lengths, plan, count))
        assert party.drawn
    a, b = np.array(real, np.float64), np.array(drawn, np.float64)
    assert a.shape == b.shape
    error = np.sqrt((a.var(axis=0) + b.var(axis=0)) / TRIALS)
    assert (np.abs(a.mean(axis=0) - b.mean(axis=0)) <= 5 * error).all()
    spread = b.sum(axis=1).std() / a.sum(axis=1).std()
    assert 0.6 < spread < 1.6


def counting(calls: list[int]) -> Callable[..., Any]:
    original = DrawnSearch._part

    def part(self: DrawnSearch, pivots: int) -> None:
        calls.append(pivots)
        original(self, pivots)

    return part


def test_a_plan_of_a_large_selection_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draws take time for the segments, not for the two million elements."""
    calls: list[int] = []
    monkeypatch.setattr(DrawnSearch, "_part", counting(calls))
    program = tacit.trace(
        lambda x: tacit.topk(x, 8)[0], ArraySpec((2, 1 << 20), owner="alice", bounds=(-1, 1))
    )
    plan = program.plan("replicated3", seconds=False)
    assert not plan.exact
    assert calls
    (note,) = plan.notes
    assert "is cut" in note  # steps are longer than a batch, so rounds vary
    assert "orders drawn" in note


def test_rounds_of_sorts_are_said_to_be_those_of_the_orders_drawn() -> None:
    program = tacit.trace(tacit.sort, ArraySpec((600,), owner="alice", bounds=(-1, 1)))
    plan = program.plan("replicated3", seconds=False)
    (note,) = plan.notes
    assert "rounds were the same in all 128 orders drawn" in note
    assert plan.total_bytes < sum(plan.bytes_at_most.values()) < 3 * plan.total_bytes
