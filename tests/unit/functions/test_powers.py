"""Powers: exact in the ring for integers, within the stated error in fixed point."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from simulation import Simulation

from tacit import functions
from tacit.errors import RangeError
from tacit.functions import powers
from tacit.protocols import PROTOCOLS

UNIT = 2.0**-18
BASES = np.array([-3.0, -1.5, -1.0, -0.75, 0.0, 2.0**-10, 0.5, 1.0, 1.25, 2.0, 7.0])


def ring(values: Any, f: int = 18) -> NDArray[np.int64]:
    return np.rint(np.asarray(values) * 2.0**f).astype(np.int64)


def integer_power(x: Any, n: Any, f: int) -> tuple[NDArray[np.int64], Simulation]:
    simulation = Simulation(2)
    exponents = np.asarray(n, np.int64)
    parts = simulation.run(
        lambda party, share: functions.integer_power(party, share, exponents, f),
        simulation.share(x),
    )
    return simulation.open(parts), simulation


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=5), st.integers(0, 40))
def test_integers_are_exact_in_the_ring(x: list[int], n: int) -> None:
    found, _ = integer_power(x, n, 0)
    expected = [pow(value, n, 2**64) for value in x]
    assert found.view(np.uint64).tolist() == expected


@pytest.mark.parametrize("n", [0, 1, 2, 3, 4, 5, 7, 8, 9])
def test_fixed_point_within_the_stated_error(n: int) -> None:
    found, _ = integer_power(ring(BASES), n, 18)
    largest = np.maximum(np.abs(BASES), 1)
    bound = max(n - 1, 0) * largest ** max(n - 1, 0) * UNIT
    assert (np.abs(found * UNIT - BASES**n) <= bound).all()


def test_negative_exponents_take_the_reciprocal() -> None:
    x = BASES[np.abs(BASES) >= 0.5]
    found, _ = integer_power(ring(x), -3, 18)
    np.testing.assert_allclose(found * UNIT, x**-3.0, rtol=7e-4, atol=20 * UNIT)
    assert integer_power([0], -2, 18)[0].tolist() == [0]


def test_every_element_has_its_own_exponent() -> None:
    n = np.array([[0, 1, 2, 5], [3, -1, -2, 4]])
    x = np.array([[2.0, -2.0, 1.5, -1.25], [0.5, 4.0, -2.0, 0.0]])
    found, simulation = integer_power(ring(x), n, 18)
    expected = np.where(n < 0, np.where(x == 0, 0, x) ** n.astype(float), x ** np.abs(n))
    np.testing.assert_allclose(found * UNIT, expected, rtol=5e-4, atol=5 * UNIT)
    declared = powers.integer_power_cost(PROTOCOLS["replicated3"].costs, n.size, n)
    assert simulation.driver.cost().rounds == declared.rounds


@pytest.mark.parametrize("protocol", sorted(PROTOCOLS))
@pytest.mark.parametrize("size", [1, 65, 700])
def test_declared_costs(size: int, protocol: str) -> None:
    costs = PROTOCOLS[protocol].costs
    ones = ring(np.ones(size))
    real = np.full(size, 1.5)
    cases: list[tuple[Any, Any]] = [
        (lambda p, x: powers.square(p, x, 18), powers.square_cost(costs, size)),
        (lambda p, x: powers.square(p, x, 0), powers.square_cost(costs, size, 0)),
        (
            lambda p, x: powers.public_power(p, x, real, 18),
            powers.public_power_cost(costs, size, real),
        ),
        (
            lambda p, x: powers.power_of_public(p, real, x, 18),
            powers.power_of_public_cost(costs, size),
        ),
        *(
            (
                lambda p, x, n=n: powers.integer_power(p, x, n, 18),
                powers.integer_power_cost(costs, size, n),
            )
            for n in (np.array(k) for k in (0, 1, 2, 5, 10, -3))
        ),
    ]
    for step, declared in cases:
        simulation = Simulation(protocol=protocol)
        simulation.run(step, simulation.share(ones))
        cost = simulation.driver.cost()
        assert cost.rounds == declared.rounds
        assert tuple(cost.bytes_sent[n] for n in simulation.names) == tuple(
            declared.bytes_sent or (0,) * len(simulation.names)
        )


@pytest.mark.parametrize("f", [12, 18, 24])
@pytest.mark.parametrize("exponent", [-2.5, -0.5, 0.1, 0.5, 1.75, 3.25])
def test_public_real_exponents(exponent: float, f: int) -> None:
    x = np.array([2.0**-8, 0.1, 0.5, 0.99, 1.0, 1.01, 2.0, 3.7, 9.0, 100.0])
    x = x[np.abs(exponent * np.log(x)) < 15]
    held = ring(x, f)
    simulation = Simulation(3)
    parts = simulation.run(
        lambda party, s: functions.public_power(party, s, np.asarray(exponent), f),
        simulation.share(np.concatenate([held, [0, -1, -(1 << 40)]])),
    )
    found = simulation.open(parts) * 2.0**-f
    expected = (held * 2.0**-f) ** exponent
    bound = np.maximum(1.2e-3 * expected, 3 * 2.0**-f)
    assert (np.abs(found[:-3] - expected) <= bound).all()
    assert found[-3:].tolist() == [0, 0, 0]


def test_public_bases() -> None:
    y = np.linspace(-10, 10, 101)
    held = ring(y)
    for base in (0.5, 1.0, 2.0, 2.718281828, 10.0):
        exponents = held[np.abs(y * np.log(base)) < 16]
        simulation = Simulation(4)
        parts = simulation.run(
            lambda party, s, b=base: functions.power_of_public(party, np.asarray(b), s, 18),
            simulation.share(exponents),
        )
        expected = base ** (exponents * UNIT)
        bound = np.maximum(6e-4 * expected, 3 * UNIT)
        assert (np.abs(simulation.open(parts) * UNIT - expected) <= bound).all()


@pytest.mark.parametrize("bases", [[0.0], [-1.0], [np.nan], [np.inf], [1.0, -2.0]])
def test_public_bases_are_positive(bases: list[float]) -> None:
    with pytest.raises(RangeError, match="TC-1341"):
        powers.require_bases(np.array(bases))


@pytest.mark.parametrize("values", [[1025], [-1025], [np.nan], [np.inf]])
def test_public_exponents_are_limited(values: list[float]) -> None:
    powers.require_exponents(np.array([1024, -1024]))
    powers.require_exponents(np.array([]))
    with pytest.raises(RangeError, match="TC-1340"):
        powers.require_exponents(np.array(values))
