"""Polynomials and pieces that the caller gives: values, costs, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from simulation import Simulation

import tacit
from tacit import Computation
from tacit.errors import RangeError
from tacit.functions.public_polynomials import polyval, polyval_cost, public_table
from tacit.protocols import PROTOCOLS

UNIT = 2.0**-18


@pytest.fixture(scope="module")
def mpc() -> Iterator[Computation]:
    with tacit.local("replicated3") as computation:
        yield computation


@pytest.mark.parametrize("protocol", sorted(PROTOCOLS))
@pytest.mark.parametrize("degree", range(7))
def test_declared_cost_and_stated_error(degree: int, protocol: str) -> None:
    rng = np.random.default_rng(degree)
    coefficients = rng.normal(size=degree + 1)
    x = np.rint(rng.uniform(-3, 3, 65) / UNIT).astype(np.int64)
    integers = np.rint(coefficients * 2.0**20).astype(np.int64)
    simulation = Simulation(protocol=protocol)
    parts = simulation.run(lambda p, s: polyval(p, s, integers, 20, 18), simulation.share(x))
    plain = x * UNIT
    expected = np.polynomial.Polynomial(coefficients)(plain)
    largest = np.maximum(np.abs(plain), 1)
    bound = UNIT + sum(
        abs(c) * max(k - 1, 0) * largest ** max(k - 1, 0) * UNIT + np.abs(plain) ** k * 2.0**-21
        for k, c in enumerate(coefficients)
    )
    assert (np.abs(simulation.open(parts) * UNIT - expected) <= bound).all()
    declared = polyval_cost(PROTOCOLS[protocol].costs, x.size, degree, 20)
    cost = simulation.driver.cost()
    assert cost.rounds == declared.rounds
    assert tuple(cost.bytes_sent[n] for n in simulation.names) == tuple(declared.bytes_sent)


def test_whole_polynomials_of_integers_are_exact(mpc: Computation) -> None:
    values = np.array([-5, 0, 1, 1 << 20])
    x = mpc.share(values, owner="alice")
    found = tacit.polyval([2, 0, -3, 7], x)
    assert found.dtype == tacit.int64
    np.testing.assert_array_equal(found.reveal(to="all"), np.polyval([2, 0, -3, 7], values))
    half = tacit.polyval([0.5, 0.0], mpc.share(np.array([-5, 4]), owner="bob"))
    assert half.dtype == tacit.fixed
    np.testing.assert_allclose(half.reveal(to="all"), [-2.5, 2.0], rtol=0, atol=UNIT)


@given(
    st.lists(st.integers(-40, 40), min_size=1, max_size=6, unique=True).map(sorted),
    st.integers(0, 2**32),
)
def test_interpolation(mpc: Computation, places: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    xp, fp = np.array(places) / 4, rng.normal(size=len(places))
    x = np.concatenate([xp, np.linspace(-12, 12, 101), [2.0**40, -(2.0**40)]])
    x = np.rint(x / UNIT) * UNIT
    found = tacit.interp(mpc.share(x, owner="alice"), xp, fp).reveal(to="all")
    steepest = np.abs(np.diff(fp) / np.diff(xp)).max(initial=0.0)
    assert np.abs(found - np.interp(x, xp, fp)).max() <= (3 + steepest) * UNIT


def test_values_beyond_the_grid(mpc: Computation) -> None:
    x = mpc.share(np.array([-1.0, 0.5, 3.0]), owner="alice")
    found = tacit.interp(x, [0, 1], [10, 20], left=-7, right=99).reveal(to="all")
    np.testing.assert_allclose(found, [-7, 15, 99], atol=1e-4)


def test_pieces_of_any_degree(mpc: Computation) -> None:
    pieces: list[list[float]] = [[-1.0], [0.5, 0.25], [1.0, -2.0, 0.0, 0.5], [3.0]]
    breakpoints = [-2.0, 0.0, 1.5]
    x = np.concatenate([np.linspace(-4, 4, 801), breakpoints, [2.0**42, -(2.0**42)]])
    x = np.rint(x / UNIT) * UNIT
    found = tacit.piecewise(mpc.share(x, owner="bob"), breakpoints, pieces).reveal(to="all")
    choices: list[NDArray[np.float64]] = [np.polyval(piece, x) for piece in pieces]
    expected = np.choose(np.searchsorted(breakpoints, x, side="right"), choices)
    assert np.abs(found - expected).max() <= 3 * UNIT


def test_steps_are_exact(mpc: Computation) -> None:
    x = np.array([-5.0, 0.0, 0.999, 1.0, 2.0, 2.0**42])
    found = tacit.piecewise(mpc.share(x, owner="alice"), [0, 1], [[1], [2], [4]])
    assert found.reveal(to="all").tolist() == [1, 2, 2, 4, 4, 4]


@pytest.mark.parametrize(
    ("breakpoints", "pieces", "code"),
    [
        ([], [[1.0]], "TC-1344"),
        ([0.0, np.nan], [[1.0]] * 3, "TC-1344"),
        ([0.0], [[1.0], []], "TC-1345"),
        ([0.0, 1.0], [[1.0], [1.0] * 10, [1.0]], "TC-1345"),
        ([0.0, 1.0], [[1.0], [0.0, 1e5], [1.0]], "TC-1346"),
        ([0.0, 1.0], [[np.inf], [0.0, 1.0], [1.0]], "TC-1346"),
        ([0.0, 2.0**40], [[1.0], [0.0, 1.0], [1.0]], "TC-1346"),
    ],
)
def test_tables_that_are_refused(
    breakpoints: list[float], pieces: list[list[float]], code: str
) -> None:
    with pytest.raises(RangeError) as caught:
        public_table("piecewise", breakpoints, pieces, 18)
    assert caught.value.code == code


def test_integers_beyond_the_ring_are_refused(mpc: Computation) -> None:
    with pytest.raises(RangeError, match="TC-1347"):
        tacit.polyval([2**64, 1], mpc.share(np.array([1]), owner="alice"))
