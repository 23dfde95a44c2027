"""Softmax over a few classes: against NumPy, and exactly as expensive as declared."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from simulation import Simulation

from tacit.encoding import RING64, RING128, Ring
from tacit.errors import RangeError
from tacit.functions.class_probabilities import (
    class_probabilities,
    class_probabilities_cost,
    class_winners,
    class_winners_cost,
    largest_by_row,
    largest_by_row_cost,
)
from tacit.protocols import PROTOCOLS
from tacit.rounds import Declaration

SHAPES = [(128, 10), (7, 2), (5, 3), (4, 16), (3, 17), (2, 100), (1, 130), (6, 1)]


def softmax(z: NDArray[np.float64]) -> NDArray[np.float64]:
    powers = np.exp(z - z.max(axis=1, keepdims=True))
    result: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return result


def check_cost(simulation: Simulation, declared: Declaration) -> None:
    cost = simulation.driver.cost()
    assert cost.rounds == declared.rounds
    assert [cost.bytes_sent.get(n, 0) for n in simulation.names] == list(
        declared.bytes_sent or (0,) * len(simulation.names)
    )


@pytest.mark.parametrize("protocol", sorted(PROTOCOLS))
@pytest.mark.parametrize("bits", [12, 18, 24])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_probabilities(shape: tuple[int, int], bits: int, protocol: str) -> None:
    rng = np.random.default_rng(sum(shape))
    for spread in (0.0, 1.0, 50.0):
        z = np.round(rng.normal(size=shape) * spread * 2**bits).astype(np.int64)
        simulation = Simulation(protocol=protocol)
        parts = simulation.run(lambda p, x: class_probabilities(p, x, bits), simulation.share(z))
        found = simulation.open(parts) / 2**bits
        assert np.abs(found - softmax(z / 2**bits)).max() <= 6e-4 + 3 * 2.0**-bits
        table = PROTOCOLS[protocol].costs
        check_cost(simulation, class_probabilities_cost(table, *shape, bits))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_largest_of_every_row_is_exact(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(2)
    rows, _ = shape
    values = rng.integers(-(1 << 61), 1 << 61, shape)
    values[: rows // 2] = rng.integers(-1, 2, (rows // 2, shape[1]))  # many ties
    simulation = Simulation()
    parts = simulation.run(largest_by_row, simulation.share(values))
    np.testing.assert_array_equal(simulation.open(parts), values.max(axis=1))
    check_cost(simulation, largest_by_row_cost(PROTOCOLS["replicated3"].costs, *shape))


@pytest.mark.parametrize("over", [RING64, RING128], ids=str)
@pytest.mark.parametrize("shape", SHAPES[:-2], ids=str)
def test_the_winner_of_every_row_is_the_first_largest(shape: tuple[int, int], over: Ring) -> None:
    values = np.random.default_rng(3).integers(-2, 3, shape)
    simulation = Simulation(over=over)
    found = simulation.open(simulation.run(class_winners, simulation.share(values)))
    np.testing.assert_array_equal(found, np.eye(shape[1])[values.argmax(axis=1)])
    if over is RING64:
        check_cost(simulation, class_winners_cost(PROTOCOLS["replicated3"].costs, *shape))


def test_other_encodings_are_refused() -> None:
    simulation = Simulation()
    with pytest.raises(RangeError, match="12 to 24"):
        simulation.run(lambda p, x: class_probabilities(p, x, 30), simulation.share([[1, 2]]))
