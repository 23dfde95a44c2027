"""Rounding modes: products with truncation give the stated integer, in every run the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulation import Simulation, integers

LIMIT = 1 << 62
MODES = ("nearest", "exact")


def rounded(products: Any, bits: int, rounding: str) -> Any:
    """floor(x / 2^bits), or floor(x / 2^bits + 1/2)."""
    return (products + (1 << (bits - 1) if rounding == "nearest" else 0)) >> bits


@pytest.mark.parametrize("rounding", MODES)
@pytest.mark.parametrize("bits", [1, 16, 18, 33, 61])
def test_products(rounding: str, bits: int) -> None:
    rng = np.random.default_rng(bits)
    x, y = integers(rng, 700, 31), integers(rng, 700, 29)
    for seed in (1, 2):
        run = Simulation(seed, rounding=rounding)
        got = run.run(lambda p, a, b: p.multiply_truncate(a, b, bits), run.share(x), run.share(y))
        np.testing.assert_array_equal(run.open(got), rounded(x * y, bits, rounding))


@pytest.mark.parametrize("rounding", MODES)
def test_sums_of_products(rounding: str) -> None:
    rng = np.random.default_rng(4)
    x, y = integers(rng, (3, 90), 29), integers(rng, (3, 90), 29)
    run = Simulation(rounding=rounding)
    got = run.run(
        lambda p, a, b: p.sum_products_truncate([(a[k], b[k]) for k in range(3)], 18),
        run.share(x),
        run.share(y),
    )
    np.testing.assert_array_equal(run.open(got), rounded((x * y).sum(0), 18, rounding))


@pytest.mark.parametrize("rounding", MODES)
@pytest.mark.parametrize(
    ("left", "right"), [((5, 7), (7, 3)), ((7,), (7, 3)), ((2, 4, 7), (7,)), ((3, 0), (0, 2))]
)
def test_matrix_products(rounding: str, left: tuple[int, ...], right: tuple[int, ...]) -> None:
    rng = np.random.default_rng(5)
    x, y = integers(rng, left, 28), integers(rng, right, 28)
    run = Simulation(rounding=rounding)
    got = run.run(lambda p, a, b: p.matmul_truncate(a, b, 18), run.share(x), run.share(y))
    np.testing.assert_array_equal(run.open(got), rounded(x @ y, 18, rounding))


@given(st.integers(-LIMIT, LIMIT - 1), st.integers(1, 62))
def test_exact_is_the_floor(value: int, bits: int) -> None:
    run = Simulation(rounding="exact")
    got = run.run(lambda p, a: p.truncate(a, bits), run.share(np.array([value])))
    assert run.open(got).tolist() == [value >> bits]


@given(st.integers(1, 61), st.integers(-(1 << 20), 1 << 20), st.integers(-1, 1))
def test_nearest_rounds_halves_up(bits: int, whole: int, beside: int) -> None:
    """x.5 becomes x + 1, whatever the sign: 2.5 is 3 and -2.5 is -2."""
    value = (whole << bits) + (1 << (bits - 1)) + beside
    if not -LIMIT <= value < LIMIT - (1 << (bits - 1)):
        return
    run = Simulation(rounding="nearest")
    got = run.run(lambda p, a: p.truncate(a, bits), run.share(np.array([value])))
    assert run.open(got).tolist() == [(value + (1 << (bits - 1))) >> bits]
    if bits > 1:
        assert run.open(got).tolist() == [whole + (beside >= 0)]


def test_probabilistic_rounding_is_not_the_same_in_every_run() -> None:
    """What the other modes rule out does happen without them."""
    x = integers(np.random.default_rng(6), 500, 40)
    results = set()
    for seed in (1, 2):
        run = Simulation(seed)
        got = run.run(lambda p, a: p.truncate(a, 18), run.share(x))
        results.add(run.open(got).tobytes())
    assert len(results) == 2
