"""The leading one, as digits and as a power of two."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from simulation import Simulation

from tacit.functions.normalization import (
    DIGITS,
    SHIFT,
    TOP,
    UNIT,
    first_one,
    leading_one,
    product,
    unit_interval,
)
from tacit.protocols.interface import Party
from tacit.rounds.contract import Step


def normal(party: Party, x: Any, signed: bool, lowest: int) -> Step[tuple[Any, ...]]:
    leading = yield from leading_one(party, x, signed=signed, lowest=lowest)
    power = yield from product(party, [*leading.factors(party, SHIFT), leading.flag])
    unit = yield from unit_interval(party, x, power, 30)
    return leading.digits, leading.flag, power, unit


def normalised(
    values: NDArray[np.int64], *, signed: bool, lowest: int = 0
) -> list[NDArray[np.int64]]:
    simulation = Simulation(8)
    parts = simulation.run(
        lambda party, x: normal(party, x, signed, lowest), simulation.share(values)
    )
    return [simulation.open([part[k] for part in parts]) for k in range(4)]


@given(
    st.lists(st.integers(0, 2**UNIT - 1), min_size=1, max_size=70),
    st.integers(0, TOP),
)
def test_positive_numbers(values: list[int], exponent: int) -> None:
    x = np.array([*values, 1 << exponent, (2 << exponent) - 1, 0], np.int64)
    digits, flag, power, unit = normalised(x, signed=False)
    place = digits.T @ (1 << np.arange(DIGITS))
    expected = [UNIT - int(v).bit_length() if v else 63 for v in x]
    np.testing.assert_array_equal(place, expected)
    np.testing.assert_array_equal(flag, x > 0)
    np.testing.assert_array_equal(
        power, [(1 << i) * int(v > 0) for i, v in zip(expected, x, strict=True)]
    )
    product_of = x * power
    assert (np.abs(unit / 2.0**30 - product_of / 2.0**UNIT) <= 2.0**-30).all()
    assert ((product_of[x > 0] >= 1 << TOP) & (product_of[x > 0] < 1 << UNIT)).all()


@given(
    st.lists(st.integers(1 - 2**UNIT, 2**UNIT - 1), min_size=1, max_size=70),
    st.integers(0, TOP),
)
def test_signed_numbers(values: list[int], exponent: int) -> None:
    x = np.array([*values, -(1 << exponent), 1 - (1 << exponent), 0, -1, 1], np.int64)
    _, flag, power, unit = normalised(x, signed=True)
    np.testing.assert_array_equal(flag, np.sign(x))
    np.testing.assert_array_equal(np.sign(power), np.sign(x))
    exact = np.array([int(a) * int(b) for a, b in zip(x, power, strict=True)]) / 2.0**UNIT
    assert ((exact[x != 0] >= 0.5) & (exact[x != 0] <= 1)).all()
    assert (np.abs(unit / 2.0**30 - exact) <= 2.0**-30).all()


def test_numbers_that_are_not_positive_have_no_flag() -> None:
    x = np.array([0, -1, -(1 << 40) - 1, 1 - (1 << UNIT)], np.int64)
    _, flag, power, unit = normalised(x, signed=False)
    assert not flag.any()
    assert not power.any()
    assert not unit.any()


@pytest.mark.parametrize("lowest", [1, 6])
def test_small_numbers_can_count_as_zero(lowest: int) -> None:
    half = 1 << (lowest - 1)
    small = np.array([0, half - 1, 1 - half], np.int64)
    assert not normalised(small, signed=True, lowest=lowest)[2].any()
    enough = np.array([1 << lowest, -(1 << lowest), 5 << lowest], np.int64)
    power = normalised(enough, signed=True, lowest=lowest)[2]
    assert (enough * power >= 1 << TOP).all()


@given(st.integers(0, 2**64 - 1), st.integers(0, 63))
def test_first_one(word: int, low: int) -> None:
    word = word >> low << low
    bits = np.array([[word >> (63 - k) & 1] for k in range(64)], np.uint8)
    simulation = Simulation(9)
    parts = simulation.run(first_one, simulation.share_bits(bits, planes=1))
    *digits, found = [
        int(simulation.open_bits([part[k] for part in parts])[0]) for k in range(DIGITS + 1)
    ]
    assert found == (word != 0)
    place = sum(digit << k for k, digit in enumerate(digits))
    assert place == (64 - word.bit_length() if word else 63)


@pytest.mark.parametrize("count", range(1, 9))
def test_product(count: int) -> None:
    rng = np.random.default_rng(count)
    values = rng.integers(-(2**63), 2**63 - 1, (count, 5))
    simulation = Simulation(10)
    parts = simulation.run(
        lambda party, *shares: product(party, shares), *(simulation.share(v) for v in values)
    )
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(simulation.open(parts), np.prod(values, axis=0))
    assert simulation.driver.cost().rounds == (count - 1).bit_length()
