"""Conversions and comparisons against NumPy, on edges and on random values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulation import EDGES, Simulation, integers, ring

from tacit.encoding import RING64, RING128, Ring
from tacit.errors import InternalError

VALUES = st.lists(
    st.one_of(st.integers(-(1 << 63), (1 << 63) - 1), st.sampled_from(EDGES.tolist())),
    max_size=200,
)
BITS = st.lists(st.integers(0, 1), max_size=300)


def plane_bits(x: Any) -> Any:
    return (ring(x) >> np.arange(64, dtype=np.uint64).reshape(-1, *[1] * x.ndim)) & np.uint64(1)


@given(VALUES, st.integers(0, 1 << 30))
def test_arithmetic_to_boolean_and_back(values: list[int], seed: int) -> None:
    x = np.array(values, np.int64)
    simulation = Simulation(seed)
    planes = simulation.run(lambda p, a: p.to_bits(a), simulation.share(x))
    np.testing.assert_array_equal(simulation.open_bits(planes), plane_bits(x))
    back = simulation.run(lambda p, a: p.from_bits(a), planes)
    np.testing.assert_array_equal(simulation.open(back), x)


@given(VALUES, st.integers(0, 1 << 30))
def test_the_sign_is_numpys(values: list[int], seed: int) -> None:
    x = np.array(values, np.int64)
    simulation = Simulation(seed)
    got = simulation.run(lambda p, a: p.most_significant_bit(a), simulation.share(x))
    np.testing.assert_array_equal(simulation.open_bits(got), x < 0)


@given(BITS, st.integers(0, 1 << 30))
def test_boolean_to_arithmetic(bits: list[int], seed: int) -> None:
    b = np.array(bits, np.uint8)
    simulation = Simulation(seed)
    got = simulation.run(lambda p, a: p.bit_to_arithmetic(a), simulation.share_bits(b))
    np.testing.assert_array_equal(simulation.open(got), b)


@given(BITS, st.integers(0, 1 << 30), st.integers(1, 8))
def test_tables_at_two_bits(bits: list[int], seed: int, count: int) -> None:
    simulation = Simulation(seed)
    a = np.array(bits, np.uint8)
    b = simulation.rng.integers(0, 2, a.size, dtype=np.uint8)
    tables = simulation.rng.integers(-(2**63), 2**63 - 1, (count, 4))
    parts = simulation.run(
        lambda p, x, y: p.lookup(x, y, tables.tolist()),
        simulation.share_bits(a),
        simulation.share_bits(b),
    )
    for k, table in enumerate(tables):
        found = simulation.open([part[k] for part in parts])
        np.testing.assert_array_equal(found, table[a + 2 * b])


@pytest.mark.parametrize(
    ("protocol", "over"), [("replicated3", RING128), ("replicated3_active", RING64)], ids=str
)
def test_tables_are_refused_where_they_are_not_argued(protocol: str, over: Ring) -> None:
    simulation = Simulation(1, protocol=protocol, over=over)
    a = simulation.share_bits(np.ones(3, np.uint8))
    with pytest.raises(InternalError, match="tables at two bits"):
        simulation.run(lambda p, x: p.lookup(x, x, [[0, 1, 2, 3]]), a)


@given(VALUES, st.integers(0, 1 << 30))
def test_injection_is_a_product(values: list[int], seed: int) -> None:
    x = np.array(values, np.int64)
    simulation = Simulation(seed)
    b = simulation.rng.integers(0, 2, x.size, dtype=np.uint8)
    got = simulation.run(
        lambda p, a, v: p.inject(a, v), simulation.share_bits(b), simulation.share(x)
    )
    np.testing.assert_array_equal(simulation.open(got), b * x)


@pytest.mark.parametrize("bits", [0, 1])
def test_selection_on_edges(bits: int) -> None:
    x, y = (grid.reshape(-1) for grid in np.meshgrid(EDGES, EDGES))
    simulation = Simulation(5)
    b = np.full(x.size, bits, np.uint8)
    got = simulation.run(
        lambda p, a, v, w: p.select(a, v, w),
        simulation.share_bits(b),
        simulation.share(x),
        simulation.share(y),
    )
    np.testing.assert_array_equal(simulation.open(got), x if bits else y)


def less(simulation: Simulation, x: Any, y: Any) -> Any:
    """x < y as every comparison is built: the sign of the difference."""
    difference = simulation.local(
        lambda p, a, b: p.subtract(a, b), simulation.share(x), simulation.share(y)
    )
    return simulation.open_bits(simulation.run(lambda p, a: p.most_significant_bit(a), difference))


def test_comparison_on_edges() -> None:
    """Exact where |x - y| < 2^63; beyond it the difference wraps as NumPy's does."""
    x, y = (grid.reshape(-1) for grid in np.meshgrid(EDGES, EDGES))
    got = less(Simulation(6), x, y)
    np.testing.assert_array_equal(got, (x - y) < 0)
    inside = np.abs(x.astype(object) - y.astype(object)) < 1 << 63
    np.testing.assert_array_equal(got[inside], (x < y)[inside])


@given(st.lists(st.integers(-(1 << 62), (1 << 62) - 1), min_size=2, max_size=200))
def test_comparison_is_numpys(values: list[int]) -> None:
    x = np.array(values, np.int64)
    np.testing.assert_array_equal(less(Simulation(7), x, x[::-1]), x < x[::-1])


@pytest.mark.parametrize("distance", [0, 1, 2])
def test_neighbours_across_every_carry(distance: int) -> None:
    """Values next to every power of two: carries of every length through the tree."""
    powers = np.array([1 << k for k in range(62)], np.int64)
    x = np.concatenate([powers, -powers, powers - 1, 1 - powers])
    for y in (x + distance, x - distance):
        np.testing.assert_array_equal(less(Simulation(8), x, y), x < y)
        simulation = Simulation(9)
        planes = simulation.run(lambda p, a: p.to_bits(a), simulation.share(y))
        np.testing.assert_array_equal(simulation.open_bits(planes), plane_bits(y))


def test_a_hundred_thousand_signs() -> None:
    x = integers(np.random.default_rng(1), 100_000)
    x[::2] >>= np.random.default_rng(2).integers(0, 63, 50_000)
    simulation = Simulation(10)
    got = simulation.run(lambda p, a: p.most_significant_bit(a), simulation.share(x))
    np.testing.assert_array_equal(simulation.open_bits(got), x < 0)
