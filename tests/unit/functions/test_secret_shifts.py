"""Right shifts by secret amounts: exact for every number, at their declared cost."""

from __future__ import annotations

import numpy as np
import pytest
from simulation import EDGES, NAMES, Simulation

from tacit.encoding import int64
from tacit.functions import integers
from tacit.functions.costs import in_sequence
from tacit.protocols import PROTOCOLS

TABLE = PROTOCOLS["replicated3"].costs


@pytest.mark.parametrize("size", [1, 64, 130])
def test_shifted_down(size: int) -> None:
    x = np.resize(EDGES, size)
    k = np.resize(np.arange(63, -1, -1), size)
    simulation = Simulation(3)

    def step(party, x, k):  # type: ignore[no-untyped-def]
        planes = yield from party.to_bits(x)
        planes = yield from integers.shifted_down(party, planes, k, signed=True)
        return (yield from integers.from_planes(party, planes, int64))

    found = simulation.run(step, simulation.share(x), simulation.share(k))
    np.testing.assert_array_equal(simulation.open(found), x >> k)
    cost = simulation.driver.cost()
    declared = in_sequence(
        TABLE["to_bits"](size),
        integers.shifted_down_cost(TABLE, size, 64),
        integers.from_planes_cost(TABLE, size, int64),
    )
    assert cost.rounds == declared.rounds
    assert tuple(cost.bytes_sent[n] for n in NAMES) == tuple(declared.bytes_sent)
