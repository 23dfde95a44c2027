"""Softmax and its relatives: any number of classes, any magnitude, exactly the declared cost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import special
from simulation import Simulation

from tacit import functions
from tacit.functions.exponential import exp_nonpositive, exp_nonpositive_cost
from tacit.functions.softmax import log_softmax_cost, logsumexp_cost, softmax_cost
from tacit.protocols import PROTOCOLS
from tacit.rounds import Declaration

COSTS: dict[str, Callable[..., Declaration]] = {
    "softmax": softmax_cost,
    "log_softmax": log_softmax_cost,
    "logsumexp": logsumexp_cost,
}
SHAPES = [(1, 1), (65, 2), (8, 10), (3, 16), (3, 17), (2, 40), (1, 200)]


def applied(name: str, values: NDArray[np.int64], f: int, protocol: str) -> Simulation | Any:
    simulation = Simulation(8, protocol=protocol)
    function: Any = getattr(functions, name)
    parts = simulation.run(lambda party, x: function(party, x, f), simulation.share(values))
    return simulation.open(parts) * 2.0**-f, simulation


@pytest.mark.parametrize("protocol", sorted(PROTOCOLS))
@pytest.mark.parametrize("f", [12, 18, 24])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", COSTS)
def test_values_and_costs(name: str, shape: tuple[int, int], f: int, protocol: str) -> None:
    rng = np.random.default_rng(shape[1])
    values = np.rint(rng.normal(size=shape) * 5 * 2.0**f + (1 << 50)).astype(np.int64)
    found, simulation = applied(name, values, f, protocol)
    expected = getattr(special, name)(values * 2.0**-f, axis=-1)
    units = functions.ACCURACY[name].units + max(shape[1] - 16, 0)
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= 6e-4 + units * 2.0**-f
    declared = COSTS[name](PROTOCOLS[protocol].costs, *shape, f)
    cost = simulation.driver.cost()
    assert cost.rounds == declared.rounds
    assert [cost.bytes_sent.get(n, 0) for n in simulation.names] == list(
        declared.bytes_sent or (0,) * len(simulation.names)
    )


@pytest.mark.parametrize("name", COSTS)
@pytest.mark.parametrize("shape", [(3,), (2, 2, 4), (0, 3)], ids=str)
def test_shapes(name: str, shape: tuple[int, ...]) -> None:
    found, _ = applied(name, np.zeros(shape, np.int64), 18, "replicated3")
    assert found.shape == (shape[:-1] if name == "logsumexp" else shape)
    if name == "softmax" and found.size:
        np.testing.assert_allclose(found, 1 / shape[-1], atol=1e-3)


@pytest.mark.parametrize("name", COSTS)
def test_rows_far_apart_do_not_overflow(name: str) -> None:
    values = np.array([[1 << 59, -(1 << 59), 0], [-(1 << 60), 1 - (1 << 60), -(1 << 59)]])
    found, _ = applied(name, values, 18, "replicated3")
    expected = getattr(special, name)(values * 2.0**-18, axis=-1)
    assert np.abs(found - expected).max() <= 1e-3


def test_fewer_rounds_than_normalising_by_the_leading_bit() -> None:
    """For the last layer of a network on 10 classes."""
    table = PROTOCOLS["replicated3"].costs
    assert softmax_cost(table, 128, 10).rounds == 47
    assert log_softmax_cost(table, 128, 10).rounds == 59


@pytest.mark.parametrize("f", [12, 15, 18, 19, 20, 22, 24])
def test_exponentials_of_what_is_not_positive(f: int) -> None:
    simulation = Simulation(9)
    edge = -int((f + 1) * np.log(2) * 2**f)
    near = np.arange(-40, 1)
    values = np.concatenate(
        [
            np.linspace(-17.5 * 2**f, 0, 20_001).astype(np.int64),
            near,
            near + edge + 20,
            np.array([-(1 << 61), -(1 << 50), -(1 << 40)]),
        ]
    )
    parts = simulation.run(lambda p, x: exp_nonpositive(p, x, f), simulation.share(values))
    found, expected = simulation.open(parts) * 2.0**-f, np.exp(values * 2.0**-f)
    assert (np.abs(found - expected) <= np.maximum(8e-5 * expected, 3 * 2.0**-f)).all()
    assert (found[values < min(edge - 1, -16.5 * 2**f)] == 0).all()
    declared = exp_nonpositive_cost(PROTOCOLS["replicated3"].costs, values.size, f)
    cost = simulation.driver.cost()
    assert cost.rounds == declared.rounds == (16 if f < 20 else 18)
    assert [cost.bytes_sent[n] for n in simulation.names] == list(declared.bytes_sent)
