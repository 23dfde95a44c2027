"""Sorting by opened comparisons: right for every shape and tie, and blind to the keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats
from simulation import Simulation

from tacit.functions import ordering, permutations, sorting
from tacit.functions.sorting import Key
from tacit.protocols import PROTOCOLS
from tacit.rounds import Declaration

TABLE = PROTOCOLS["replicated3"].costs


def check_cost(simulation: Simulation, declared: Declaration) -> None:
    cost = simulation.driver.cost()
    assert {c.rounds for c in simulation.driver.counters} == {declared.rounds}
    if declared.rounds:
        assert tuple(cost.bytes_sent[n] for n in simulation.names) == tuple(declared.bytes_sent)
        assert tuple(cost.check_bytes[n] for n in simulation.names) == tuple(declared.check_bytes)


def sorted_and_checked(
    keys: Sequence[NDArray[Any]], bits: Sequence[int | None], wanted: Any = None, seed: int = 3
) -> list[sorting.Sorted]:
    """Sort rows by keys, compare with NumPy, the cost with the declaration."""
    simulation = Simulation(seed)
    payload = np.random.default_rng(seed).integers(-(2**62), 2**62, keys[0].shape)
    shared = [simulation.share(k) for k in [*keys, payload]]

    def step(party: Any, *shares: Any) -> Any:
        *chosen, column = shares
        given = [Key(share, width) for share, width in zip(chosen, bits, strict=True)]
        return sorting.sorted_by(party, given, [*chosen, column], with_index=True, wanted=wanted)

    results = simulation.run(step, *shared)
    order = np.lexsort(keys[::-1], axis=1) if keys[0].size else np.empty(keys[0].shape, np.int64)
    order = order if wanted is None else order[:, wanted]
    for place, values in enumerate([*keys, payload]):
        found = simulation.open([r.columns[place] for r in results])
        np.testing.assert_array_equal(found, np.take_along_axis(values, order, 1))
    np.testing.assert_array_equal(simulation.open([r.index for r in results]), order)
    given = [Key(share[0], width) for share, width in zip(shared[:-1], bits, strict=True)]
    party = simulation.parties[0]
    words = sorting.words_of(party, given, permutations.positions(party, *keys[0].shape))
    fresh = [w for w in words[:-1] if all(w is not key.share for key in given)]
    # The last word is the position itself, unless the last key is merged into it.
    travelling = len(keys) + 2 + len(fresh) + (bits[-1] is not None)
    batches = results[0].comparisons
    declared = sorting.sorted_by_cost(TABLE, keys[0].size, travelling, len(words), batches)
    check_cost(simulation, declared)
    count = keys[0].shape[1]
    plan = ordering.plan_of(keys[0].shape[0], count, count if wanted is None else int(wanted.sum()))
    assert len(batches) == (0 if plan is None else plan.levels)
    return list(results)


SHAPES = [(1, 0), (0, 3), (1, 1), (5, 1), (1, 2), (3, 7), (40, 10), (1, 65), (2, 300), (1, 3000)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("bits", [None, 20])
@pytest.mark.parametrize("spread", [0, 2, 2**19])
def test_one_key(shape: tuple[int, int], bits: int | None, spread: int) -> None:
    x = np.random.default_rng(1).integers(-spread, spread, shape, endpoint=True)
    sorted_and_checked([x], [bits])


@pytest.mark.parametrize("bits", [(None, None), (3, 3), (None, 3), (3, None), (40, 40), (3, 3, 3)])
def test_several_keys(bits: Sequence[int | None]) -> None:
    rng = np.random.default_rng(2)
    sorted_and_checked([rng.integers(-2, 3, (2, 90)) for _ in bits], bits)


def test_the_largest_keys() -> None:
    edge = (1 << 62) - 1
    x = np.array([[edge, -edge, 0, 1, -1, edge, -edge, edge - 1]])
    sorted_and_checked([x], [None])


@given(
    x=st.lists(st.integers(-4, 4) | st.integers(-(2**61), 2**61), max_size=40),
    seed=st.integers(0, 2**32),
)
def test_any_numbers(x: list[int], seed: int) -> None:
    sorted_and_checked([np.array([x], np.int64)], [None], seed=seed)


@pytest.mark.parametrize("ranks", [[], [0], [99], [49, 50], [0, 1, 2, 3, 4], [3, 98], range(100)])
@pytest.mark.parametrize("rows", [1, 6])
def test_some_ranks_alone(ranks: Sequence[int], rows: int) -> None:
    wanted = np.isin(np.arange(100), list(ranks))
    x = np.random.default_rng(3).integers(-9, 9, (rows, 100))
    some = sorted_and_checked([x], [None], wanted)
    every = sorted_and_checked([x], [None])
    assert sum(some[0].comparisons) <= sum(every[0].comparisons)


def test_few_ranks_need_few_comparisons() -> None:
    x = np.random.default_rng(4).integers(-(2**40), 2**40, (1, 20_000))
    wanted = np.arange(20_000) == 10_000
    some = sorted_and_checked([x], [None], wanted)
    assert sum(some[0].comparisons) < 8 * 20_000


def test_large_batches_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ordering, "BATCH", 128)
    x = np.random.default_rng(5).integers(-3, 3, (1, 60))
    simulation = Simulation(3)
    results = simulation.run(lambda p, a: sorting.sorted_by(p, [Key(a)], [a]), simulation.share(x))
    np.testing.assert_array_equal(simulation.open([r.columns[0] for r in results]), np.sort(x, 1))
    batches = results[0].comparisons
    assert max(batches) == 128
    assert sum(batches) == 60 * 59 // 2
    check_cost(simulation, sorting.sorted_by_cost(TABLE, 60, 2, 2, batches))


@pytest.mark.parametrize("count", [5, 400, 3000])
def test_contradicting_bits_end_in_some_order(count: int) -> None:
    """Integers beyond the domain: no exception, every element still there, parties agree."""
    x = np.random.default_rng(6).integers(-(2**63), 2**63 - 1, (1, count), endpoint=True)
    simulation = Simulation(4)
    results = simulation.run(lambda p, a: sorting.sorted_by(p, [Key(a)], [a]), simulation.share(x))
    found = simulation.open([r.columns[0] for r in results])
    np.testing.assert_array_equal(np.sort(found), np.sort(x))
    assert len({r.comparisons for r in results}) == 1


# What is opened.

LIMIT = float(stats.chi2.isf(1e-9, 5))
ROWS = 24_000


def orders(keys: Sequence[int], with_position: bool) -> float:
    """Chi-square of the orders of three shuffled elements that are opened, over many rows."""
    simulation = Simulation(8)
    x = simulation.share(np.tile(np.array(keys), (ROWS, 1)))

    def step(party: Any, share: Any) -> Any:
        secret = party.permutation(ROWS, 3)
        columns = [share, permutations.positions(party, ROWS, 3)] if with_position else [share]
        table = yield from party.permute(secret, permutations.stacked(party, columns))
        words = [c.map(lambda s: s.reshape(-1)) for c in permutations.columns_of(table)]
        places, _ = yield from ordering.opened_order(party, words, (ROWS, 3), np.ones(3, np.bool_))
        return places

    places = simulation.run(step, x)[0] % 3
    counts = np.unique(places @ np.array([9, 3, 1]), return_counts=True)[1]
    counts = np.concatenate([counts, np.zeros(6 - counts.size, np.int64)])
    return float(stats.chisquare(counts).statistic)


@pytest.mark.parametrize("keys", [(1, 2, 3), (3, 1, 2), (7, 7, 7), (5, 5, 1)], ids=str)
def test_what_is_opened_does_not_depend_on_the_keys(keys: Sequence[int]) -> None:
    assert orders(keys, with_position=True) < LIMIT


def test_without_the_secret_position_ties_show() -> None:
    assert orders((1, 2, 3), with_position=False) < LIMIT
    for keys in ((7, 7, 7), (5, 5, 1)):
        assert orders(keys, with_position=False) > LIMIT


# Bits.


@pytest.mark.parametrize("shape", SHAPES)
def test_partition_by_a_bit(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(9)
    bits, x = rng.integers(0, 2, shape), rng.integers(-(2**40), 2**40, shape)
    simulation = Simulation(5)
    results = simulation.run(
        lambda p, a, b: sorting.partitioned(p, a, [b], with_index=True),
        simulation.share_bits(bits),
        simulation.share(x),
    )
    order = np.argsort(bits, axis=1, kind="stable")
    np.testing.assert_array_equal(
        simulation.open([r.columns[0] for r in results]), np.take_along_axis(x, order, 1)
    )
    np.testing.assert_array_equal(simulation.open([r.index for r in results]), order)
    check_cost(simulation, sorting.partitioned_cost(TABLE, bits.size, 2))


@pytest.mark.parametrize("shape", SHAPES)
def test_sorted_bits(shape: tuple[int, int]) -> None:
    bits = np.random.default_rng(10).integers(0, 2, shape)
    simulation = Simulation(5)
    found = simulation.run(sorting.sorted_bits, simulation.share_bits(bits))
    np.testing.assert_array_equal(simulation.open_bits(found), np.sort(bits, 1))
    check_cost(simulation, sorting.sorted_bits_cost(TABLE, bits.size))


# Permutations given by secret positions.


@pytest.mark.parametrize("shape", [(1, 0), (0, 3), (1, 1), (1, 50), (6, 9)])
def test_secret_positions(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(11)
    rows, count = shape
    source = np.array([rng.permutation(count) for _ in range(rows)], np.int64).reshape(shape)
    x = rng.integers(-(2**60), 2**60, shape)
    simulation = Simulation(6)
    shared = [simulation.share(source), simulation.share(x)]
    (taken,) = zip(
        *simulation.run(lambda p, s, a: permutations.gathered(p, s, [a]), *shared), strict=True
    )
    np.testing.assert_array_equal(simulation.open(taken), np.take_along_axis(x, source, 1))
    check_cost(simulation, permutations.gathered_cost(TABLE, x.size, 1))

    simulation = Simulation(7)
    shared = [simulation.share(source), simulation.share(x)]
    put, inverse = zip(
        *simulation.run(
            lambda p, s, a: permutations.scattered(p, s, [a, permutations.positions(p, *shape)]),
            *shared,
        ),
        strict=True,
    )
    expected = np.empty_like(x)
    np.put_along_axis(expected, source, x, 1)
    np.testing.assert_array_equal(simulation.open(put), expected)
    np.testing.assert_array_equal(simulation.open(inverse), np.argsort(source, axis=1))
    check_cost(simulation, permutations.scattered_cost(TABLE, x.size, 2))
