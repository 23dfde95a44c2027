"""Whole numbers from fixed point and from wider ring elements: exact at every edge."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulation import EDGES, Simulation, integers

from tacit import functions
from tacit.encoding import INTEGERS

LIMIT = 1 << 62


def around(bits: int) -> Any:
    """Values beside every place where floor, ceiling or a half changes, up to the limit."""
    unit = 1 << bits
    near = np.array([-1, 0, 1])
    places = [0, unit, -unit, 2 * unit, -2 * unit, 3 * unit, unit // 2, -(unit // 2)]
    places += [3 * unit // 2, -3 * unit // 2, 5 * unit // 2, -5 * unit // 2]
    places += [LIMIT - 2 * unit - 2, 2 * unit + 2 - LIMIT]
    return np.unique(np.concatenate([near + place for place in places]))


def half_even(x: Any, bits: int) -> Any:
    whole, rest = x >> bits, x & ((1 << bits) - 1)
    half = 1 << (bits - 1)
    return whole + ((rest > half) | ((rest == half) & (whole % 2 == 1)))


EXPECTED: dict[str, Any] = {
    "floor": lambda x, f: x >> f,
    "ceil": lambda x, f: -((-x) >> f),
    "trunc": lambda x, f: np.where(x < 0, -((-x) >> f), x >> f),
    "round_half_even": half_even,
}


@pytest.mark.parametrize("bits", [1, 2, 12, 18, 24, 40])
@pytest.mark.parametrize("name", EXPECTED)
def test_rounding_to_whole_numbers(name: str, bits: int) -> None:
    x = np.concatenate([around(bits), integers(np.random.default_rng(bits), 200, 61)])
    simulation = Simulation()
    function = getattr(functions, name)
    got = simulation.run(lambda p, a: function(p, a, bits), simulation.share(x))
    np.testing.assert_array_equal(simulation.open(got), EXPECTED[name](x, bits))


@pytest.mark.parametrize("name", [name for name in INTEGERS if name != "int64"])
def test_wrapping_any_ring_element(name: str) -> None:
    rng = np.random.default_rng(3)
    dtype = INTEGERS[name]
    near = np.arange(-3, 4)
    x = np.concatenate([EDGES, integers(rng, 100), *(near + (1 << k) for k in (7, 8, 15, 31, 32))])
    simulation = Simulation()
    got = simulation.run(
        lambda p, a: functions.wrapped(p, a, dtype, (-(1 << 63), 1 << 63)), simulation.share(x)
    )
    np.testing.assert_array_equal(simulation.open(got), x.astype(name).astype(np.int64))


@given(st.sampled_from(sorted(set(INTEGERS) - {"int64"})), st.integers(-LIMIT, LIMIT - 1))
def test_wrapping_within_a_public_interval(name: str, value: int) -> None:
    dtype = INTEGERS[name]
    interval = (min(value, 0), max(value, 0))
    simulation = Simulation()
    shared = simulation.share(np.array([value]))
    got = simulation.run(lambda p, a: functions.wrapped(p, a, dtype, interval), shared)
    assert simulation.open(got)[0] == np.array([value]).astype(name)[0]
