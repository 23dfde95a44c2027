"""Choosing by secret booleans is exact."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulation import EDGES, Simulation

from tacit.functions import selection

UNARY: dict[str, Callable[[Any], Any]] = {
    "relu": lambda x: np.maximum(x, 0),
    "absolute": np.abs,
    "sign": np.sign,
}
PAIRS = {"maximum": np.maximum, "minimum": np.minimum}
ALL = st.lists(st.integers(-(2**62), 2**62), min_size=1, max_size=70)


def applied(step: Callable[..., Any], *values: Any) -> Any:
    simulation = Simulation(6)
    return simulation.open(simulation.run(step, *(simulation.share(v) for v in values)))


@pytest.mark.parametrize("name", UNARY)
@given(x=ALL)
def test_functions_of_one_number(name: str, x: list[int]) -> None:
    values = np.array([*x, 0, 1, -1, 2**63 - 1, 1 - 2**63], np.int64)
    np.testing.assert_array_equal(applied(getattr(selection, name), values), UNARY[name](values))


@pytest.mark.parametrize("name", PAIRS)
@given(x=ALL)
def test_extrema(name: str, x: list[int]) -> None:
    values = np.array(x, np.int64)
    others = np.roll(values, 1)
    found = applied(getattr(selection, name), values, others)
    np.testing.assert_array_equal(found, PAIRS[name](values, others))


def test_relu_of_every_edge() -> None:
    np.testing.assert_array_equal(applied(selection.relu, EDGES), np.maximum(EDGES, 0))


@given(x=ALL, ends=st.tuples(st.integers(-(2**61), 2**61), st.integers(-(2**61), 2**61)))
def test_clip(x: list[int], ends: tuple[int, int]) -> None:
    low, high = sorted(ends)
    values = np.array([*x, low, high, low - 1, high + 1], np.int64)
    found = applied(lambda party, share: selection.clip(party, share, low, high), values)
    np.testing.assert_array_equal(found, np.clip(values, low, high))


@given(x=ALL, seed=st.integers(0, 2**32))
def test_where(x: list[int], seed: int) -> None:
    values = np.array(x, np.int64)
    others = np.roll(values, 1) + 1
    condition = np.random.default_rng(seed).integers(0, 2, len(x))
    simulation = Simulation(7)
    parts = simulation.run(
        selection.where,
        simulation.share_bits(condition),
        simulation.share(values),
        simulation.share(others),
    )
    np.testing.assert_array_equal(simulation.open(parts), np.where(condition, values, others))


@pytest.mark.parametrize("shape", [(0,), (65,), (2, 3)])
@pytest.mark.parametrize("name", [*UNARY, *PAIRS])
def test_shapes_are_kept(name: str, shape: tuple[int, ...]) -> None:
    values = [np.ones(shape, np.int64)] * (2 if name in PAIRS else 1)
    found = applied(getattr(selection, name), *values)
    assert found.shape == shape
    assert (found == 1).all()
    clipped = applied(lambda party, share: selection.clip(party, share, 2, 3), values[0])
    assert clipped.shape == shape
    assert (clipped == 2).all()
