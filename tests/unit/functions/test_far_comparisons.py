"""Comparisons with public numbers anywhere in the ring: right where the difference wraps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from simulation import Simulation

from tacit.encoding.ring import RING64
from tacit.encoding.wide import RING128
from tacit.functions import comparison, grouping, searching, selection
from tacit.protocols import PROTOCOLS
from tacit.rounds import Declaration

PROTOCOL = "replicated3"
TABLE = PROTOCOLS[PROTOCOL].costs
SMALL = (0, 1, -1, 5, -77)


def edges(bits: int) -> list[int]:
    """Where signs and differences change, in the ring of so many bits."""
    most = 1 << (bits - 1)
    near = [most - 1, most - 2, most // 2, most // 2 + 1, most // 2 - 1]
    return sorted({*SMALL, -most, *near, *(-n for n in near)})


def check_cost(simulation: Simulation, declared: Declaration) -> None:
    cost = simulation.driver.cost()
    assert {c.rounds for c in simulation.driver.counters} == {declared.rounds}
    assert tuple(cost.bytes_sent[n] for n in simulation.names) == tuple(declared.bytes_sent)
    assert tuple(cost.check_bytes[n] for n in simulation.names) == tuple(declared.check_bytes)


@pytest.mark.parametrize("ring", [RING64, RING128], ids=["64", "128"])
@pytest.mark.parametrize("public_first", [False, True])
def test_less_far_is_exact_for_every_pair(ring: Any, public_first: bool) -> None:
    numbers = edges(ring.bits)
    x, y = (side.reshape(-1) for side in np.meshgrid(*[np.array(numbers, object)] * 2))
    simulation = Simulation(2, over=ring)
    secret = simulation.share(x)

    def step(party: Any, share: Any) -> Any:
        sides = share, ring.elements(y)
        return comparison.less_far(party, *(sides[::-1] if public_first else sides))

    found = simulation.open_bits(simulation.run(step, secret))
    np.testing.assert_array_equal(found, (y < x) if public_first else (x < y))


@pytest.mark.parametrize("size", [1, 64, 70])
def test_costs_are_declared(size: int) -> None:
    far, x = 1 << 63, np.arange(size)

    def spent(step: Callable[..., Any]) -> Simulation:
        simulation = Simulation(2)
        simulation.run(step, simulation.share(x))
        return simulation

    constants = np.full(size, (1 << 64) - 9, np.uint64)
    check_cost(
        spent(lambda p, a: comparison.less_far(p, a, constants)),
        comparison.less_far_cost(TABLE, size),
    )
    for thresholds in ([1, 2], [1, far, -far]):
        is_far = len(thresholds) == 3
        declared = comparison.below_public_cost(TABLE, size, len(thresholds), far=is_far)
        check_cost(spent(lambda p, a, t=thresholds: comparison.below_public(p, a, t)), declared)
        declared = grouping.totals_between_cost(TABLE, size, len(thresholds) - 1, far=is_far)
        check_cost(spent(lambda p, a, t=thresholds: grouping.totals_between(p, a, t)), declared)
    check_cost(
        spent(lambda p, a: selection.clip(p, a, -far, 5)),
        selection.clip_cost(TABLE, size, far=True),
    )
    check_cost(
        spent(lambda p, a: searching.among_edges(p, constants[:2], a, right=False)),
        searching.among_edges_cost(TABLE, min(size, 2), size, far=True),
    )


def test_thresholds_up_to_the_end_of_the_ring() -> None:
    x = np.array(edges(64))
    thresholds = [-(1 << 63), *edges(64), 1 << 63]
    simulation = Simulation(2)
    found = simulation.run(
        lambda p, a: comparison.below_public(p, a, thresholds), simulation.share(x)
    )
    expected = np.array([[int(number) < t for number in x] for t in thresholds])
    np.testing.assert_array_equal(simulation.open_bits(found), expected)
