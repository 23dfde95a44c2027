"""The leading one, as digits and as a power of two."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from simulation import Simulation

from tacit.encoding import RING64, RING128, Ring
from tacit.functions.normalization import (
    LONG,
    SHORT,
    Window,
    first_one,
    leading_one,
    product,
    unit_interval,
)
from tacit.protocols.interface import Party
from tacit.rounds.contract import Step

CASES = pytest.mark.parametrize(
    ("over", "window"), [(RING64, SHORT), (RING128, LONG), (RING128, SHORT)]
)


def normal(party: Party, x: Any, signed: bool, lowest: int, window: Window) -> Step[Any]:
    weights = [1 << k for k in range(window.digits)]
    leading = yield from leading_one(
        party, x, signed=signed, lowest=lowest, window=window, weights=weights
    )
    flag = yield from product(party, leading.flags)
    power = yield from product(party, [*leading.factors[0], flag])
    unit = yield from unit_interval(party, x, power, 30, window)
    return leading.weighted, flag, power, unit


def normalised(
    values: list[int], over: Ring, window: Window, *, signed: bool, lowest: int = 0
) -> list[NDArray[Any]]:
    """Position, flag, power and x' as Python's integers."""
    simulation = Simulation(8, over=over)
    parts = simulation.run(
        lambda party, x: normal(party, x, signed, lowest, window),
        simulation.share(np.array(values, object)),
    )
    return [simulation.open([part[k] for part in parts]).astype(object) for k in range(4)]


@CASES
@settings(max_examples=30)
@given(data=st.data())
def test_positive_numbers(over: Ring, window: Window, data: st.DataObject) -> None:
    numbers = st.lists(st.integers(0, 2**window.unit - 1), min_size=1, max_size=70)
    exponent = data.draw(st.integers(0, window.unit - 1))
    x = [*data.draw(numbers), 1 << exponent, (2 << exponent) - 1, 0]
    place, flag, power, unit = normalised(x, over, window, signed=False)
    expected = [window.unit - v.bit_length() if v else window.leaves - 1 for v in x]
    assert place.tolist() == expected
    assert flag.tolist() == [int(v > 0) for v in x]
    assert power.tolist() == [(1 << i) * (v > 0) for i, v in zip(expected, x, strict=True)]
    for value, factor, found in zip(x, power, unit, strict=True):
        exact = value * factor
        assert value == 0 or 1 << (window.unit - 1) <= exact < 1 << window.unit
        assert abs((found << (window.unit - 30)) - exact) <= 1 << (window.unit - 30)


@CASES
@settings(max_examples=30)
@given(data=st.data())
def test_signed_numbers(over: Ring, window: Window, data: st.DataObject) -> None:
    most = 2**window.unit - 1
    exponent = data.draw(st.integers(0, window.unit - 1))
    numbers = data.draw(st.lists(st.integers(-most, most), min_size=1, max_size=70))
    x = [*numbers, -(1 << exponent), 1 - (1 << exponent), 0, -1, 1]
    _, flag, power, unit = normalised(x, over, window, signed=True)
    assert flag.tolist() == [(v > 0) - (v < 0) for v in x]
    for value, factor, found in zip(x, power, unit, strict=True):
        exact = value * factor
        assert factor * value >= 0
        assert value == 0 or 1 << (window.unit - 1) <= exact <= 1 << window.unit
        assert abs((found << (window.unit - 30)) - exact) <= 1 << (window.unit - 30)


@CASES
def test_numbers_that_are_not_positive_have_no_flag(over: Ring, window: Window) -> None:
    x = [0, -1, -(1 << 40) - 1, 1 - (1 << window.unit)]
    _, flag, power, unit = normalised(x, over, window, signed=False)
    assert not flag.any()
    assert not power.any()
    assert not unit.any()


@pytest.mark.parametrize(("over", "window"), [(RING64, SHORT), (RING128, LONG)])
@pytest.mark.parametrize("lowest", [1, 6])
def test_small_numbers_can_count_as_zero(lowest: int, over: Ring, window: Window) -> None:
    half = 1 << (lowest - 1)
    small = [0, half - 1, 1 - half]
    assert not normalised(small, over, window, signed=True, lowest=lowest)[2].any()
    enough = [1 << lowest, -(1 << lowest), 5 << lowest]
    power = normalised(enough, over, window, signed=True, lowest=lowest)[2]
    assert (np.array(enough, object) * power >= 1 << (window.unit - 1)).all()


@given(st.integers(0, 2**64 - 1), st.integers(0, 63))
def test_first_one(word: int, low: int) -> None:
    word = word >> low << low
    bits = np.array([[word >> (63 - k) & 1] for k in range(64)], np.uint8)
    simulation = Simulation(9)
    parts = simulation.run(first_one, simulation.share_bits(bits, planes=1))
    *digits, found = [
        int(simulation.open_bits([part[k] for part in parts])[0]) for k in range(SHORT.digits + 1)
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
