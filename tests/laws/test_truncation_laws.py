"""Truncation: the error, its distribution, and 10^7 values up to the limit without a wrap."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from simulation import Simulation, integers

LIMIT = 1 << 62
Signed = NDArray[np.int64]


def up_to_the_limit(rng: np.random.Generator, count: int) -> Signed:
    """Half uniform in [-2^62, 2^62), a quarter within 2^20 of each end, and the ends themselves."""
    x = integers(rng, count, 62)
    quarter = count // 4
    x[:quarter] = LIMIT - 1 - rng.integers(0, 1 << 20, quarter)
    x[quarter : 2 * quarter] = -LIMIT + rng.integers(0, 1 << 20, quarter)
    x[:2] = LIMIT - 1, -LIMIT
    return x


def factors(rng: np.random.Generator, count: int) -> tuple[Signed, Signed]:
    """Numbers whose products reach up to ±2^62, half of them within 2^33 of it."""
    x = integers(rng, count, 31)
    y = integers(rng, count, 31)
    half = count // 2
    y[:half] = np.where(x[:half] < 0, -1, 1) * ((LIMIT - 1) // np.maximum(np.abs(x[:half]), 1))
    y[: half // 2] *= -1
    keep = (x > -(1 << 31)) | (y > -(1 << 31))
    return x * keep, y


def test_ten_million_truncations_err_by_one_unit_at_most() -> None:
    """|x| up to 2^62 - 1 and -2^62: never below the floor, never more than one above, no wrap."""
    rng = np.random.default_rng(2026)
    chunk, above, total = 500_000, 0, 0
    simulation = Simulation(5)
    for bits in (1, 8, 16, 18, 18, 18, 18, 18, 18, 18, 20, 24, 26, 31, 32, 33, 40, 52, 61, 62):
        x = up_to_the_limit(rng, chunk)
        got = simulation.run(lambda p, a, m=bits: p.truncate(a, m), simulation.share(x))
        difference = simulation.open(got) - (x >> bits)
        assert difference.min() >= 0
        assert difference.max() <= 1
        above += int(difference.sum())
        total += chunk
    assert total == 10_000_000
    assert abs(above / total - 0.5) < 0.05


def test_two_million_products_err_by_one_unit_at_most() -> None:
    """The fused product: |x·y| up to 2^62, all three widths of the carry field."""
    rng = np.random.default_rng(2027)
    chunk, total = 250_000, 0
    simulation = Simulation(6)
    for bits in (1, 12, 16, 18, 18, 32, 33, 62):
        x, y = factors(rng, chunk)
        product = x * y
        assert np.abs(product.astype(np.float64)).max() > 0.99 * LIMIT
        got = simulation.run(
            lambda p, a, b, m=bits: p.multiply_truncate(a, b, m),
            simulation.share(x),
            simulation.share(y),
        )
        difference = simulation.open(got) - (product >> bits)
        assert difference.min() >= 0
        assert difference.max() <= 1
        total += chunk
    assert total == 2_000_000


def test_outside_the_limit_it_wraps() -> None:
    """The stated domain is the real one: beyond it results are wrong by 2^(64-m)."""
    x = np.concatenate([np.full(1000, LIMIT + (1 << 61)), np.full(1000, -LIMIT - (1 << 61))])
    simulation = Simulation()
    got = simulation.run(lambda p, a: p.truncate(a, 18), simulation.share(x))
    difference = np.abs(simulation.open(got) - (x >> 18))
    assert (difference > 1).any()


@pytest.mark.parametrize("primitive", ["truncate", "multiply_truncate"])
@pytest.mark.parametrize("bits", [3, 16, 18, 33])
def test_rounding_up_has_probability_of_the_fraction(primitive: str, bits: int) -> None:
    """P[floor + 1] = ((x mod 2^m) + 1) / 2^m, and the mean error is 2^-m / 2 and less.

    Five standard deviations on each of six fractions: false alarms below 4e-6 a case.
    """
    count = 40_000
    simulation = Simulation(9)
    for eighths in (0, 1, 3, 4, 6, 7):
        low = eighths << (bits - 3)
        for base in (5, -5, (1 << 43) if bits <= 16 else 12345):
            x = np.full(count, (base << bits) + low, np.int64)
            if primitive == "truncate":
                got = simulation.run(lambda p, a: p.truncate(a, bits), simulation.share(x))
            else:
                got = simulation.run(
                    lambda p, a, b: p.multiply_truncate(a, b, bits),
                    simulation.share(x),
                    simulation.share(np.ones(count)),
                )
            up = simulation.open(got) - base
            assert np.isin(up, (0, 1)).all()
            p = (low + 1) / (1 << bits)
            assert abs(up.mean() - p) <= 5 * np.sqrt(p * (1 - p) / count) + 1e-12


@given(
    st.lists(st.integers(-LIMIT, LIMIT - 1), min_size=1, max_size=200),
    st.integers(1, 62),
    st.integers(0, 1 << 30),
)
def test_exact_is_the_floor(values: list[int], bits: int, seed: int) -> None:
    x = np.array(values, np.int64)
    simulation = Simulation(seed)
    got = simulation.run(lambda p, a: p.truncate(a, bits, "exact"), simulation.share(x))
    np.testing.assert_array_equal(simulation.open(got), x >> bits)


@given(
    st.lists(st.integers(-LIMIT, LIMIT - 1), min_size=1, max_size=200),
    st.integers(1, 62),
    st.integers(0, 1 << 30),
)
def test_nearest_rounds_half_up(values: list[int], bits: int, seed: int) -> None:
    half = 1 << (bits - 1)
    x = np.minimum(np.array(values, np.int64), LIMIT - 1 - half)
    simulation = Simulation(seed)
    got = simulation.run(lambda p, a: p.truncate(a, bits, "nearest"), simulation.share(x))
    np.testing.assert_array_equal(simulation.open(got), (x + half) >> bits)


@pytest.mark.parametrize("rounding", ["exact", "nearest"])
def test_exact_roundings_do_not_depend_on_the_sharing(rounding: str) -> None:
    x = up_to_the_limit(np.random.default_rng(3), 20_000) // 2
    results = []
    for seed in range(3):
        simulation = Simulation(seed)
        got = simulation.run(lambda p, a: p.truncate(a, 18, rounding), simulation.share(x))
        results.append(simulation.open(got))
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_array_equal(results[0], results[2])


def test_truncating_a_fresh_input_errs_by_one_unit_at_most() -> None:
    """An input's third share is zero and a public value's too: the bound holds all the same."""
    rng = np.random.default_rng(3)
    x = up_to_the_limit(rng, 9000)
    simulation = Simulation()
    for owner in range(3):
        parts = simulation.run(
            lambda p, o=owner: p.input(o, x.view(np.uint64) if p.index == o else None, x.shape)
        )
        got = simulation.run(lambda p, a: p.truncate(a, 18), parts)
        assert np.isin(simulation.open(got) - (x >> 18), (0, 1)).all()
    parts = simulation.local(lambda p: p.public(x))
    got = simulation.run(lambda p, a: p.truncate(a, 18), parts)
    assert np.isin(simulation.open(got) - (x >> 18), (0, 1)).all()


@pytest.mark.parametrize("bits", [4, 6, 18, 40])
def test_active_truncation_has_no_bias(bits: int) -> None:
    """Within 10/16 of a unit, and 1.5 / 2^bits above on average; 20 standard errors are 0.03."""
    rng = np.random.default_rng(2031)
    x = integers(rng, 60_000, 60)
    simulation = Simulation(7, protocol="replicated3_active")
    got = simulation.open(
        simulation.run(lambda p, a: p.truncate(a, bits, "probabilistic"), simulation.share(x))
    )
    error = ((got << bits) - x) / 2.0**bits
    assert np.abs(error).max() <= 10 / 16
    assert abs(error.mean() - 1.5 / 2.0**bits) < 0.03
