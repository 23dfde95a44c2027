"""Totals in public intervals and secret groups on shares: right, and as dear as declared."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulation import Simulation

from tacit.functions import grouping, searching
from tacit.functions.sorting import Key
from tacit.protocols import PROTOCOLS
from tacit.rounds import Declaration

TABLE = PROTOCOLS["replicated3"].costs
RNG = np.random.default_rng(0)


def check_cost(simulation: Simulation, declared: Declaration) -> None:
    cost = simulation.driver.cost()
    assert {c.rounds for c in simulation.driver.counters} == {declared.rounds}
    if declared.rounds:
        assert tuple(cost.bytes_sent[n] for n in simulation.names) == tuple(declared.bytes_sent)
        assert tuple(cost.check_bytes[n] for n in simulation.names) == tuple(declared.check_bytes)


@pytest.mark.parametrize("piece", [searching.PIECE, 40])
@pytest.mark.parametrize("width", [None, 1, 3])
@pytest.mark.parametrize(
    ("n", "thresholds"), [(0, [1, 2]), (70, [-3, 0, 0, 4]), (9, [-(2**61), 5])]
)
def test_totals_between(
    n: int,
    thresholds: list[int],
    width: int | None,
    piece: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(searching, "PIECE", piece)
    x = RNG.integers(-6, 7, n)
    weights = RNG.integers(-(2**50), 2**50, (n, width or 1))
    simulation = Simulation(2)
    shares: list[Any] = [simulation.share(x)]
    if width is not None:
        shares.append(simulation.share(weights))
    found = simulation.run(lambda p, a, *w: grouping.totals_between(p, a, thresholds, *w), *shares)
    inside = [(t <= x) & (x < u) for t, u in itertools.pairwise(thresholds)]
    expected = np.array([m.sum() if width is None else weights[m].sum(axis=0) for m in inside])
    np.testing.assert_array_equal(simulation.open(found), expected)
    check_cost(simulation, grouping.totals_between_cost(TABLE, n, len(thresholds) - 1, width))


def check_groups(keys: list[Any], values: list[Any]) -> None:
    n = len(keys[0])
    simulation = Simulation(3)
    shares = [simulation.share(np.array([column], np.int64)) for column in [*keys, *values]]

    def step(party: Any, *columns: Any) -> Any:
        chosen = [Key(column) for column in columns[: len(keys)]]
        return grouping.grouped(party, chosen, columns[len(keys) :])

    results = simulation.run(step, *shares)
    rows: dict[tuple[int, ...], list[int]] = {}
    for key, *numbers in zip(zip(*keys, strict=True), *values, strict=True):
        total = rows.setdefault(tuple(map(int, key)), [0] * (1 + len(values)))
        for place, number in enumerate([1, *numbers]):
            total[place] += int(number)
    expected = np.zeros((n, len(keys) + 1 + len(values)), np.int64)
    for place, key in enumerate(sorted(rows)):
        expected[place] = [*key, *rows[key]]
    columns = [
        *([r.keys[k] for r in results] for k in range(len(keys))),
        [r.counts for r in results],
        *([r.sums[k] for r in results] for k in range(len(values))),
    ]
    for place, parts in enumerate(columns):
        np.testing.assert_array_equal(simulation.open(parts), expected[:, place])
    valid = simulation.open_bits([r.valid for r in results])
    np.testing.assert_array_equal(valid, np.arange(n) < len(rows))
    batches = results[0].comparisons
    declared = grouping.grouped_cost(TABLE, n, len(keys), len(values), len(keys) + 1, batches)
    check_cost(simulation, declared)


@pytest.mark.parametrize("n", [1, 2, 3, 65, 400])
@pytest.mark.parametrize(("keys", "values"), [(1, 0), (1, 2), (2, 1), (3, 0)])
@pytest.mark.parametrize("spread", [0, 2, 1 << 40])
def test_groups(n: int, keys: int, values: int, spread: int) -> None:
    check_groups(
        [RNG.integers(-spread, spread, n, endpoint=True) for _ in range(keys)],
        [RNG.integers(-(2**40), 2**40, n) for _ in range(values)],
    )


@given(st.lists(st.tuples(st.integers(-3, 3), st.integers(-(2**60), 2**60)), min_size=1))
def test_any_groups(rows: list[tuple[int, int]]) -> None:
    keys, values = zip(*rows, strict=True)
    check_groups([np.array(keys)], [np.array(values) // len(rows)])
