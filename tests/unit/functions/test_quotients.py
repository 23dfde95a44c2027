"""Whole quotients and remainders against Python's, at every edge of dividend and divisor."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulation import EDGES, Simulation, integers

from tacit import functions
from tacit.functions.quotients import (
    floor_divide_cost,
    floor_divide_public_cost,
    shift_right_cost,
)
from tacit.protocols import PROTOCOLS
from tacit.rounds import Declaration

WHOLE = st.integers(-(1 << 63), (1 << 63) - 1)


def wrapped(value: int) -> int:
    return (value + (1 << 63)) % (1 << 64) - (1 << 63)


def check_public(x: Any, d: Any, bound: int | None = None, seed: int = 1) -> None:
    x, d = np.asarray(x, np.int64), np.asarray(d, np.int64)
    simulation = Simulation(seed)
    got = simulation.run(
        lambda p, a: functions.floor_divide_public(p, a, d, bound), simulation.share(x)
    )
    quotient, remainder = (simulation.open(part) for part in zip(*got, strict=True))
    pairs = list(zip(x.tolist(), np.broadcast_to(d, x.shape).tolist(), strict=True))
    assert quotient.tolist() == [wrapped(a // b) for a, b in pairs]
    assert remainder.tolist() == [a % b for a, b in pairs]
    declared = floor_divide_public_cost(PROTOCOLS["replicated3"].costs, x.size, d, bound)
    check_cost(simulation, declared)


def check_cost(simulation: Simulation, declared: Declaration) -> None:
    cost = simulation.driver.cost()
    assert {c.rounds for c in simulation.driver.counters} == {declared.rounds}
    assert tuple(cost.bytes_sent[n] for n in simulation.names) == (
        tuple(declared.bytes_sent) or (0,) * len(simulation.names)
    )


DIVISORS = [
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 16, 63, 64, 65, 100, 127, 128, 255, 256, 1000, 65_535,
    65_536, 65_537, 10**9, (1 << 31) - 1, 1 << 31, (1 << 31) + 1, (1 << 32) - 1, 1 << 32,
    (1 << 33) - 1, 1 << 34, 10**12, (1 << 53) - 1, 1 << 53, (1 << 53) + 1, (1 << 60) + 1,
    (1 << 61) - 1, 1 << 61, (1 << 61) + 1, (1 << 62) - 1, 1 << 62, (1 << 62) + 1, 3 << 61,
    (1 << 63) - 1,
]  # fmt: skip


def near_multiples(d: int) -> Any:
    """Dividends at and beside multiples of d, small and as large as they come, and the edges."""
    largest = ((1 << 63) - 1) // d
    multiples = {0, 1, 2, 3, largest // 2, largest - 1, largest, (1 << 62) // d, (1 << 61) // d}
    values = {s * m * d + o for m in multiples for s in (1, -1) for o in (-1, 0, 1)}
    kept = [v for v in values if -(1 << 63) <= v < 1 << 63]
    return np.array([*EDGES.tolist(), *kept], np.int64)


@pytest.mark.parametrize("sign", [1, -1])
def test_every_dividend_by_every_divisor(sign: int) -> None:
    for place, d in enumerate(DIVISORS):
        check_public(near_multiples(d), sign * d, seed=place + 1)
    check_public(EDGES, -(1 << 63))


def test_divisors_of_many_lengths_at_once() -> None:
    rng = np.random.default_rng(5)
    d = rng.choice([*DIVISORS, *(-k for k in DIVISORS)], 900)
    check_public(integers(rng, 900), d)
    check_public(np.array([], np.int64), np.array([], np.int64))


@pytest.mark.parametrize("bits", [8, 16, 32, 62])
def test_bounded_dividends(bits: int) -> None:
    rng = np.random.default_rng(bits)
    limit = 1 << bits
    x = np.unique([-limit, 1 - limit, -1, 0, 1, limit - 1, *integers(rng, 300, bits).tolist()])
    if bits < 62:
        x = np.append(x, limit)
    for d in (*DIVISORS, *(-k for k in DIVISORS)):
        check_public(x, d, limit)


@given(WHOLE, WHOLE.filter(bool), st.integers(1, 1000))
def test_any_dividend_by_any_divisor(x: int, d: int, seed: int) -> None:
    check_public([x], d, seed=seed)


@pytest.mark.parametrize("seed", range(3))
def test_a_hundred_thousand_quotients(seed: int) -> None:
    rng = np.random.default_rng(seed)
    d = integers(rng, 30_000) >> rng.integers(0, 63, 30_000)
    d[d == 0] = 3
    x = integers(rng, 30_000) >> rng.integers(0, 63, 30_000)
    check_public(x, d, seed=seed + 1)


# Right shifts.


@pytest.mark.parametrize("bound", [None, 1 << 32])
def test_right_shifts(bound: int | None) -> None:
    rng = np.random.default_rng(1)
    x = np.concatenate([EDGES, integers(rng, 50)])
    if bound:
        x = x[np.abs(x.astype(float)) < bound]
    amounts = [*range(64), 70]
    for k in [*map(np.asarray, amounts), rng.choice(amounts, x.size)]:
        simulation = Simulation()
        got = simulation.run(
            lambda p, a, k=k: functions.shift_right(p, a, k, bound), simulation.share(x)
        )
        np.testing.assert_array_equal(simulation.open(got), x >> np.minimum(k, 63))
        declared = shift_right_cost(PROTOCOLS["replicated3"].costs, x.size, k, bound)
        check_cost(simulation, declared)


# Secret divisors.


def check_secret(x: Any, y: Any, bits: int, rounding: str = "probabilistic") -> None:
    x, y = np.asarray(x, np.int64), np.asarray(y, np.int64)
    simulation = Simulation(bits, rounding=rounding)
    got = simulation.run(
        lambda p, a, b: functions.floor_divide(p, a, b, bits), simulation.share(x),
        simulation.share(y),
    )  # fmt: skip
    quotient, remainder = (simulation.open(part) for part in zip(*got, strict=True))
    safe = np.where(y == 0, 1, y)
    np.testing.assert_array_equal(quotient, np.where(y == 0, 0, x // safe))
    np.testing.assert_array_equal(remainder, np.where(y == 0, x, x % safe))
    costs = PROTOCOLS["replicated3"].costs_with(rounding)  # type: ignore[arg-type]
    check_cost(simulation, floor_divide_cost(costs, x.size, bits))


@pytest.mark.parametrize("bits", [8, 16, 32])
def test_secret_divisors(bits: int) -> None:
    rng = np.random.default_rng(bits)
    limit = (1 << bits) - 1
    edges = [
        0,
        1,
        2,
        3,
        5,
        7,
        limit,
        limit - 1,
        limit // 2,
        limit // 2 + 1,
        limit // 3,
    ]
    edges += [-v for v in edges]
    x, y = (m.reshape(-1) for m in np.meshgrid(edges, edges))
    check_secret(x, y, bits)
    many = rng.integers(-limit, limit, 20_000, endpoint=True)
    others = rng.integers(-limit, limit, 20_000, endpoint=True) >> rng.integers(0, bits, 20_000)
    check_secret(many, others, bits)
    quotients = rng.integers(-limit, limit, 20_000) // np.where(others == 0, 1, others)
    check_secret(np.clip(others * quotients, -limit, limit), others, bits)


def test_all_pairs_of_bytes() -> None:
    """Every dividend and divisor of 8 bits, signed and unsigned."""
    x, y = (m.reshape(-1) for m in np.meshgrid(np.arange(-255, 256, 3), np.arange(-255, 256)))
    check_secret(x, y, 8)


def test_the_session_s_rounding_does_not_matter() -> None:
    rng = np.random.default_rng(9)
    x, y = integers(rng, 400, 31), integers(rng, 400, 20)
    for rounding in ("exact", "nearest"):
        check_secret(x, y, 32, rounding)
