"""Comparisons are exact on the whole range they promise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from simulation import EDGES, Simulation

from tacit.functions import comparison

RULES: dict[str, Callable[..., Any]] = {
    "less": np.less,
    "greater": np.greater,
    "less_equal": np.less_equal,
    "greater_equal": np.greater_equal,
    "equal": np.equal,
    "not_equal": np.not_equal,
}

ANY = st.integers(-(2**63), 2**63 - 1)


def compared(name: str, x: Any, y: Any) -> NDArray[np.uint8]:
    simulation = Simulation(2)
    parts = simulation.run(getattr(comparison, name), simulation.share(x), simulation.share(y))
    return simulation.open_bits(parts)


def pairs() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """All pairs of edges whose difference fits."""
    x, y = (grid.reshape(-1) for grid in np.meshgrid(EDGES, EDGES))
    fits = [abs(int(a) - int(b)) < 2**63 for a, b in zip(x, y, strict=True)]
    return x[fits], y[fits]


@pytest.mark.parametrize("name", RULES)
def test_edges(name: str) -> None:
    x, y = pairs()
    np.testing.assert_array_equal(compared(name, x, y), RULES[name](x, y))


@pytest.mark.parametrize("name", RULES)
@given(x=st.lists(st.integers(-(2**62), 2**62), min_size=1, max_size=70), shift=st.integers(-2, 2))
def test_any_numbers(name: str, x: list[int], shift: int) -> None:
    left = np.array(x, np.int64)
    right = np.clip(np.roll(left, 1) + shift, -(2**62), 2**62)
    np.testing.assert_array_equal(compared(name, left, right), RULES[name](left, right))


@pytest.mark.parametrize("name", ["equal", "not_equal"])
def test_equality_holds_in_the_whole_ring(name: str) -> None:
    """Also where the difference is -2^63, for which one sign bit alone would be wrong."""
    x, y = (grid.reshape(-1) for grid in np.meshgrid(EDGES, EDGES))
    np.testing.assert_array_equal(compared(name, x, y), RULES[name](x, y))
    apart = np.array([2**62, 0, -(2**63)], np.int64)
    other = np.array([-(2**62), -(2**63), 0], np.int64)
    np.testing.assert_array_equal(compared(name, apart, other), RULES[name](apart, other))


@given(x=ANY)
def test_zero_alone_is_zero(x: int) -> None:
    simulation = Simulation(4)
    values = np.array([x, 0, -x if x > -(2**63) else 0], np.int64)
    found = simulation.open_bits(
        simulation.run(comparison.is_zero, simulation.share(values)),
    )
    np.testing.assert_array_equal(found, values == 0)


@given(x=ANY)
def test_negative(x: int) -> None:
    simulation = Simulation(4)
    parts = simulation.run(comparison.is_negative, simulation.share([x]))
    assert simulation.open_bits(parts) == [x < 0]


@pytest.mark.parametrize("shape", [(0,), (5,), (3, 70), (2, 0, 3)])
def test_several_public_thresholds_at_once(shape: tuple[int, ...]) -> None:
    simulation = Simulation(3)
    x = np.random.default_rng(1).integers(-9, 9, shape)
    thresholds = [-4, 0, 7]
    parts = simulation.run(
        lambda party, share: comparison.below_public(party, share, thresholds),
        simulation.share(x),
    )
    expected = np.stack([x < t for t in thresholds])
    assert parts[0].shape == (3, *shape)
    np.testing.assert_array_equal(simulation.open_bits(parts), expected)


@pytest.mark.parametrize("shape", [(0,), (65,), (2, 3)])
@pytest.mark.parametrize("name", RULES)
def test_shapes_are_kept(name: str, shape: tuple[int, ...]) -> None:
    found = compared(name, np.ones(shape), np.ones(shape))
    assert found.shape == shape
    assert (found == RULES[name](1, 1)).all()
