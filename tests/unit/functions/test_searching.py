"""Extremes, edges and secret positions on shares: right, and as dear as declared."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from simulation import EDGES, Simulation, ring

from tacit.functions import searching
from tacit.protocols import PROTOCOLS
from tacit.rounds import Declaration

TABLE = PROTOCOLS["replicated3"].costs
RNG = np.random.default_rng(0)


def check_cost(simulation: Simulation, declared: Declaration) -> None:
    cost = simulation.driver.cost()
    assert {c.rounds for c in simulation.driver.counters} == {declared.rounds}
    if declared.rounds:
        assert tuple(cost.bytes_sent[n] for n in simulation.names) == tuple(declared.bytes_sent)


@pytest.mark.parametrize("largest", [True, False])
@pytest.mark.parametrize("with_index", [True, False])
@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (3, 7), (0, 4), (2, 65), (40, 10), (1, 1000)])
def test_extremum(shape: tuple[int, int], with_index: bool, largest: bool) -> None:
    x = RNG.integers(-5, 6, shape) << 50
    simulation = Simulation(2)
    values, index = zip(
        *simulation.run(
            lambda p, a: searching.extremum(p, a, largest=largest, with_index=with_index),
            simulation.share(x),
        ),
        strict=True,
    )
    best, place = (np.max, np.argmax) if largest else (np.min, np.argmin)
    np.testing.assert_array_equal(simulation.open(values), best(x, axis=1))
    if with_index:
        np.testing.assert_array_equal(simulation.open(index), place(x, axis=1))
    check_cost(simulation, searching.extremum_cost(TABLE, *shape, with_index=with_index))


@pytest.mark.parametrize("shape", [(1, 0), (0, 3), (1, 1), (4, 2), (5, 63), (3, 130)])
@pytest.mark.parametrize("zeros", [0, 1, 3])
def test_all_true(shape: tuple[int, int], zeros: int) -> None:
    bits = np.ones(shape, np.int64)
    bits.reshape(-1)[RNG.integers(0, max(bits.size, 1), zeros if bits.size else 0)] = 0
    simulation = Simulation(2)
    found = simulation.run(searching.all_true, simulation.share_bits(bits))
    np.testing.assert_array_equal(simulation.open_bits(found), bits.all(axis=1))
    check_cost(simulation, searching.all_true_cost(TABLE, *shape))


@pytest.mark.parametrize("piece", [searching.PIECE, 50])
@pytest.mark.parametrize(("m", "n"), [(0, 5), (5, 0), (1, 1), (9, 33)])
@pytest.mark.parametrize("right", [True, False])
def test_among_edges(
    m: int, n: int, right: bool, piece: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "PIECE", piece)
    edges, x = np.sort(RNG.integers(-9, 9, m)), RNG.integers(-10, 10, n)
    simulation = Simulation(2)
    found = simulation.run(
        lambda p, a, b: searching.among_edges(p, a, b, right=right),
        simulation.share(edges),
        simulation.share(x),
    )
    expected = np.searchsorted(edges, x, side="right" if right else "left")
    np.testing.assert_array_equal(simulation.open(found), expected)
    check_cost(simulation, searching.among_edges_cost(TABLE, m, n))


@pytest.mark.parametrize("n", [1, 64, 100])
def test_equal_to_any(n: int) -> None:
    x = np.concatenate([RNG.integers(-4, 4, n), EDGES])
    values = [0, -3, 2, int(EDGES[5]), -(2**63)]
    simulation = Simulation(2)
    found = simulation.run(lambda p, a: searching.equal_to_any(p, a, values), simulation.share(x))
    np.testing.assert_array_equal(simulation.open_bits(found), np.isin(x, values))
    check_cost(simulation, searching.equal_to_any_cost(TABLE, x.size, len(values)))


@pytest.mark.parametrize("classes", [1, 2, 10])
def test_one_hot(classes: int) -> None:
    x = np.concatenate([RNG.integers(-2, classes + 2, 70), [-(2**62), 2**62]])
    simulation = Simulation(2)
    found = simulation.run(lambda p, a: searching.one_hot(p, a, classes), simulation.share(x))
    np.testing.assert_array_equal(simulation.open_bits(found), x == np.arange(classes)[:, None])
    check_cost(simulation, searching.one_hot_cost(TABLE, x.size, classes))


@pytest.mark.parametrize("piece", [searching.PIECE, 30])
@pytest.mark.parametrize("secret", [True, False])
@pytest.mark.parametrize(("m", "n", "width"), [(1, 5, 2), (2, 0, 3), (9, 40, 1), (33, 7, 4)])
def test_chosen_rows(
    m: int, n: int, width: int, secret: bool, piece: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Positions outside are limited to the table."""
    monkeypatch.setattr(searching, "PIECE", piece)
    table = RNG.integers(-(2**62), 2**62, (m, width))
    index = RNG.integers(-3, m + 3, n)
    simulation = Simulation(2)
    shares: list[Any] = [simulation.share(table)] if secret else []
    shares.append(simulation.share(index))
    found = simulation.run(
        lambda p, *a: searching.chosen_rows(p, a[0] if secret else ring(table), a[-1]), *shares
    )
    np.testing.assert_array_equal(simulation.open(found), table[np.clip(index, 0, m - 1)])
    check_cost(simulation, searching.chosen_rows_cost(TABLE, m, width, n, secret=secret))
