"""Range checks of inputs on shares: exact for every element of the ring, at the declared cost."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from simulation import Simulation

from tacit.encoding import RING64, Ring
from tacit.encoding.limits import input_limits, require_within
from tacit.encoding.rings import ring_of
from tacit.encoding.types import DType, bool_, fixed, int8, int64, int128, uint32
from tacit.errors import RangeError
from tacit.functions.costs import in_sequence
from tacit.functions.inputs import (
    all_within,
    all_within_cost,
    checked_input,
    checked_labels,
    sign_bits,
)
from tacit.protocols import PROTOCOLS
from tacit.rounds import Declaration

ACTIVE = ["fantastic4", "replicated3_active"]
EVERY_RING = [("fantastic4", 64), ("fantastic4", 128), ("replicated3_active", 64)]


def limits_of(bits: int) -> list[tuple[int, int]]:
    """Limits of every width at which the test changes, some of them at the ends of the ring."""
    half = 1 << (bits - 1)
    return [
        (0, 1),
        (-3, 3),
        (5, 5),
        (-half, -half),
        (half - 1, half - 1),
        (-half // 2, half // 2 - 1),  # half of the ring: one top bit
        (-half // 2, half // 2),
        (-half // 2 + 1, half // 2 - 1),
        (0, half - 1),
        (-half, -1),
        (-1, half - 1),  # more than half: the complement
        (-half, 0),
        (-half + 1, half - 1),
        (-half, half - 2),
        (-half, half - 1),  # everything
        (1, 0),  # nothing
    ]


def around(limits: tuple[int, int], bits: int) -> list[int]:
    """Numbers at both limits, at the ends of the ring, at 0, and where differences wrap."""
    half, size = 1 << (bits - 1), 1 << bits
    places = [*limits, 0, half, half // 2, -half // 2, limits[0] + half, limits[1] + half]
    near = {place + step for place in places for step in (-2, -1, 0, 1, 2)}
    return sorted({(n + half) % size - half for n in near})


@pytest.mark.parametrize(("protocol", "bits"), EVERY_RING)
def test_what_is_outside_is_found_for_every_element_of_the_ring(protocol: str, bits: int) -> None:
    """Each number alone: an answer for a whole array says yes if all are inside."""
    for limits in limits_of(bits):
        numbers = around(limits, bits)
        simulation = Simulation(3, protocol=protocol, over=ring_of(bits))
        x = simulation.share(np.array(numbers, object))

        def each(party: Any, part: Any, limits: Any = limits, count: int = len(numbers)) -> Any:
            found = []
            for place in range(count):
                found.append((yield from all_within(party, part[place : place + 1], limits)))
            return found

        expected = [limits[0] <= n <= limits[1] for n in numbers]
        assert simulation.run(each, x) == [expected] * len(simulation.parties), limits


def test_the_rule_holds_on_every_element_of_a_small_ring() -> None:
    """What the functions compute, in plain integers mod 2^5: all limits and all elements."""

    class Small:
        bits, top_bit = 5, 4

    def top(u: int) -> bool:
        return bool(u % 32 >> 4)

    for low in range(-16, 16):
        for high in range(low, 16):
            signs, both = sign_bits(Small(), (low, high))  # type: ignore[arg-type]
            first, last = (high + 1, low - 1) if both else (low, high)
            for x in range(-16, 16):
                tops = [top(x - first), top(last - x)][:signs]
                inside = any(tops) if both else not any(tops)
                assert inside == (low <= x <= high), (low, high, x)


@pytest.mark.parametrize("protocol", ACTIVE)
def test_one_element_out_of_many(protocol: str) -> None:
    values = np.zeros((5, 41), np.int64)
    simulation = Simulation(1, protocol=protocol)
    assert all(simulation.run(lambda p, x: all_within(p, x, (-9, 9)), simulation.share(values)))
    for place in (0, 63, 64, 204):
        values.reshape(-1)[:] = 9
        values.reshape(-1)[place] = 10
        found = simulation.run(lambda p, x: all_within(p, x, (-9, 9)), simulation.share(values))
        assert not any(found)


@pytest.mark.parametrize(("protocol", "bits"), EVERY_RING)
@pytest.mark.parametrize("size", [0, 1, 64, 130])
def test_declared_costs(protocol: str, bits: int, size: int) -> None:
    costs = PROTOCOLS[protocol].costs_with(ring=ring_of(bits))
    for limits in limits_of(bits):
        simulation = Simulation(2, protocol=protocol, over=ring_of(bits))
        x = simulation.share(np.full(size, limits[0], object))
        simulation.run(lambda p, part, limits=limits: all_within(p, part, limits), x)
        declared = all_within_cost(costs, size, limits)
        assert measured(simulation) == plain(declared, len(simulation.parties))


def measured(simulation: Simulation) -> tuple[int, list[int], list[int]]:
    cost = simulation.driver.cost()
    return cost.rounds, list(cost.bytes_sent.values()), list(cost.check_bytes.values())


def plain(declared: Declaration, parties: int) -> tuple[int, list[int], list[int]]:
    none = [0] * parties
    return (
        declared.rounds,
        list(declared.bytes_sent) or none,
        list(declared.check_bytes) or none,
    )


@pytest.mark.parametrize("protocol", ["replicated3", *ACTIVE])
def test_inputs_and_labels(protocol: str) -> None:
    simulation = Simulation(4, protocol=protocol)
    own = RING64.elements(np.arange(70) - 35)
    shared = simulation.run(
        lambda p: checked_input(p, 1, own if p.index == 1 else None, (70,), (-35, 34))
    )
    np.testing.assert_array_equal(simulation.open(shared), np.arange(70) - 35)
    labels = np.arange(70, dtype=np.uint8) % 2
    simulation = Simulation(4, protocol=protocol)
    shared = simulation.run(lambda p: checked_labels(p, 2, labels if p.index == 2 else None, (70,)))
    np.testing.assert_array_equal(simulation.open(shared), labels)
    costs = PROTOCOLS[protocol].costs_with()
    declared = (
        costs["input"](70, 2)
        if protocol == "replicated3"
        else in_sequence(costs["input_bits"](70, 2), costs["bit_to_arithmetic"](70))
    )
    assert measured(simulation) == plain(declared, len(simulation.parties))


@pytest.mark.parametrize("protocol", ["replicated3", *ACTIVE])
def test_what_is_out_of_range_is_dropped_where_parties_may_deviate(protocol: str) -> None:
    simulation = Simulation(4, protocol=protocol)
    own = RING64.elements(np.arange(70) - 35)
    shared = simulation.run(
        lambda p: checked_input(p, 0, own if p.index == 0 else None, (70,), (-35, 33))
    )
    dropped = [part is None for part in shared]
    assert dropped == [protocol != "replicated3"] * len(simulation.parties)


def test_limits_of_types_and_bounds() -> None:
    r128 = ring_of(128)
    assert input_limits(int8) == (-128, 127)
    assert input_limits(uint32) == (0, (1 << 32) - 1)
    assert input_limits(int8, (-1000, 5.5)) == (-128, 5)
    assert input_limits(int8, (0.5, 5.5)) == (1, 5)
    assert input_limits(int64) == (-(1 << 62), (1 << 62) - 1)
    assert input_limits(int64, ring=r128) == (-(1 << 63), (1 << 63) - 1)
    assert input_limits(int128, ring=r128) == (-(1 << 126), (1 << 126) - 1)
    assert input_limits(int64, (-(2**63), 2**63 - 1)) == (-(1 << 63), (1 << 63) - 1)
    assert input_limits(bool_) == (0, 1)
    assert input_limits(fixed) == (1 - (1 << 61), (1 << 61) - 1)
    assert input_limits(fixed, (-1, 0.1)) == (-(1 << 18), 26215)
    assert input_limits(fixed, (float("-inf"), 1)) == (1 - (1 << 61), 1 << 18)
    assert input_limits(fixed, (-1e30, 1e30)) == input_limits(fixed)
    assert input_limits(DType("fixed", 40), ring=r128) == (1 - (1 << 125), (1 << 125) - 1)


@pytest.mark.parametrize(
    ("values", "dtype", "bounds"),
    [
        ([0.1, -0.1], fixed, (-0.1, 0.1)),
        ([2.0**43 - 2.0**-9, -(2.0**43) + 2.0**-9], fixed, None),
        ([3, 4], int64, (2.5, 4.5)),
        ([-(2**63), 2**63 - 1], int64, (-(2**63), 2**63 - 1)),
        ([-128, 127], int8, None),
    ],
)
def test_what_the_encoder_lets_through_is_within(values: Any, dtype: DType, bounds: Any) -> None:
    from tacit.encoding.fixed import encode

    numbers = RING64.integers(encode(np.array(values), dtype, bounds, RING64))
    low, high = input_limits(dtype, bounds)
    assert low <= numbers.min()
    assert numbers.max() <= high


def test_an_owner_of_long_integers_is_told_before_anything_is_sent() -> None:
    ring: Ring = RING64
    far = ring.elements(np.array([0, 1 << 62]))
    with pytest.raises(RangeError, match="TC-1305"):
        require_within(far, input_limits(int64), int64, ring)
    require_within(far, input_limits(int64, (0, 2**63 - 1)), int64, ring)


@pytest.mark.parametrize("protocol", sorted(PROTOCOLS))
def test_parties_that_may_deviate_check_inputs(protocol: str) -> None:
    active = PROTOCOLS[protocol].security.adversary == "active"
    assert all(p.checks_inputs == active for p in Simulation(protocol=protocol).parties)
