"""Polynomials and piecewise polynomials with public coefficients."""

from __future__ import annotations

from math import ceil, log2
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulation import Simulation

from tacit.functions.approximation import PiecewisePolynomial
from tacit.functions.piecewise import piecewise
from tacit.functions.polynomials import (
    Scaled,
    linear_sum,
    polynomial,
    powers,
    sum_truncate,
    uniform_scales,
    weighted_sum,
)

SCALE = 20
GRID = np.rint(np.linspace(-1, 1, 501) * 2**SCALE).astype(np.int64)


@pytest.mark.parametrize("degree", range(1, 10))
def test_powers(degree: int) -> None:
    simulation = Simulation()
    parts = simulation.run(
        lambda party, u: powers(party, u, uniform_scales(SCALE, degree), degree),
        simulation.share(GRID),
    )
    u = GRID / 2.0**SCALE
    for k in range(1, degree + 1):
        found = simulation.open([part[k].share for part in parts]) / 2.0**SCALE
        assert np.abs(found - u**k).max() <= 2 * k * 2.0**-SCALE
    assert simulation.driver.cost().rounds == 3 * ceil(log2(degree))


def test_powers_without_truncation_are_exact() -> None:
    simulation = Simulation()
    parts = simulation.run(
        lambda party, u: powers(party, u, {1: 10, 2: 20, 3: 30}, 3), simulation.share([3, -5])
    )
    assert simulation.open([part[3].share for part in parts]).tolist() == [27, -125]


@given(st.lists(st.floats(-1, 1), min_size=3, max_size=10))
def test_polynomial(coefficients: list[float]) -> None:
    simulation = Simulation()
    parts = simulation.run(
        lambda party, u: polynomial(party, Scaled(u, SCALE), coefficients, 57, 18),
        simulation.share(GRID),
    )
    expected = np.polynomial.Polynomial(coefficients)(GRID / 2.0**SCALE)
    error = 2.0**-18 + 2.0**-SCALE * sum(2 * k * abs(c) + 8 for k, c in enumerate(coefficients))
    assert np.abs(simulation.open(parts) / 2.0**18 - expected).max() <= error
    half = len(coefficients) // 2
    assert simulation.driver.cost().rounds == 3 + 3 * ceil(log2(half))


def test_offset_joins_before_the_truncation() -> None:
    simulation = Simulation()
    coefficients = [0.5, 0.25, 0.125]
    offset = np.full(GRID.shape, 3 << 57, np.int64)
    parts = simulation.run(
        lambda party, u, o: polynomial(party, Scaled(u, SCALE), coefficients, 57, 18, o),
        simulation.share(GRID),
        simulation.share(offset),
    )
    expected = 3 + np.polynomial.Polynomial(coefficients)(GRID / 2.0**SCALE)
    assert np.abs(simulation.open(parts) / 2.0**18 - expected).max() <= 2.0**-17


def test_sums_of_constants_and_terms() -> None:
    simulation = Simulation()
    share = simulation.share([1 << 10, -(1 << 9)])
    for coefficients in ([0.5], [0.5, 2.0]):
        parts = simulation.local(
            lambda party, x, c=coefficients: linear_sum(party, {1: Scaled(x, 10)}, c, 20), share
        )
        found = simulation.open(parts) / 2.0**20
        assert found.tolist() == [np.polyval(coefficients[::-1], u) for u in (1.0, -0.5)]
    parts = simulation.local(
        lambda party, x: weighted_sum(
            party, [(Scaled(x, 10), 1.0), (Scaled(x, 12), 0.25)], -1.0, 12
        ),
        share,
    )
    assert (simulation.open(parts) / 2.0**12).tolist() == [0.0, -1.5]


def test_sum_truncate_truncates_once() -> None:
    simulation = Simulation()
    x, y = simulation.share([3 << 20]), simulation.share([5 << 20])
    parts = simulation.run(
        lambda party, a, b: sum_truncate(
            party, [(a, b), (b, b)], party.multiply_public(a, 7 << 20), 40
        ),
        x,
        y,
    )
    assert simulation.open(parts)[0] in (15 + 25 + 21, 15 + 25 + 22)
    assert simulation.driver.cost().rounds == 3


STAIRS = PiecewisePolynomial(
    breakpoints=(-2.0, 0.0, 1.5),
    pieces=((-1.0,), (0.5, 0.75), (0.5, 0.75, -2.0, 1.0), (3.0,)),
    range_bits=1,
    error=0.0,
)


def by_numpy(x: Any) -> Any:
    choices = [np.polynomial.Polynomial(p)(x / 2) for p in STAIRS.pieces]
    return np.choose(np.searchsorted(STAIRS.breakpoints, x, side="right"), choices)


@pytest.mark.parametrize("fraction_bits", [12, 18, 24])
def test_piecewise(fraction_bits: int) -> None:
    x = np.rint(np.linspace(-4, 4, 4001) * 2.0**fraction_bits).astype(np.int64)
    simulation = Simulation()
    parts = simulation.run(
        lambda party, s: piecewise(party, s, STAIRS, fraction_bits), simulation.share(x)
    )
    found = simulation.open(parts) * 2.0**-fraction_bits
    error = 2.0 * 2.0**-fraction_bits + 2.0**-24
    assert np.abs(found - by_numpy(x * 2.0**-fraction_bits)).max() <= error


@given(st.integers(2**20, 2**61 - 1))
def test_constant_pieces_are_exact_however_large(x: int) -> None:
    """Powers overflow; coefficients that are 0 in the ring keep the results exact."""
    simulation = Simulation()
    parts = simulation.run(
        lambda party, s: piecewise(party, s, STAIRS, 18), simulation.share([x, -x])
    )
    assert simulation.open(parts).tolist() == [3 << 18, -1 << 18]


def test_coefficients_of_constant_pieces_cancel_exactly() -> None:
    weights, constants = STAIRS.weights([18, 20, 20, 20])
    for piece, bits in ((0, [1, 1, 1]), (3, [0, 0, 0])):
        combined = weights @ np.array(bits) + constants
        assert combined[0] == round(STAIRS.pieces[piece][0] * 2**18)
        assert not combined[1:].any()
