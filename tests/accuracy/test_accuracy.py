"""Every approximated function keeps its promise, over its whole domain and at its edges."""

from __future__ import annotations

import re

import measured_accuracy
import measured_linear_algebra as linear_algebra
import measured_long_ring as long_ring
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from measured_accuracy import DEFAULT, LIMIT, PAGE, POINTS, RULES, evaluate, measure
from simulation import Simulation

from tacit import functions
from tacit.functions.accuracy import ACCURACY
from tacit.functions.division import quotient_limit_bits
from tacit.functions.exponential import exp_domain

NAMES = sorted(ACCURACY)
UNIT = 2.0**-DEFAULT


@pytest.mark.parametrize("name", NAMES)
def test_bound_holds_for_the_default_encoding(name: str) -> None:
    found = measure(name)
    assert found.points >= POINTS
    assert found.worst <= 1


@pytest.mark.parametrize("fraction_bits", [12, 13, 16, 19, 22, 24])
@pytest.mark.parametrize("name", NAMES)
def test_bound_holds_for_other_encodings(name: str, fraction_bits: int) -> None:
    assert measure(name, fraction_bits, 15_000).worst <= 1


@pytest.mark.parametrize("fraction_bits", [12, 18, 24, 25, 29, 36, 40])
def test_bound_holds_over_128_bits(fraction_bits: int) -> None:
    skipped = set() if fraction_bits > 24 else long_ring.ELSEWHERE
    for name in sorted(set(long_ring.names(fraction_bits)) - skipped):
        found = long_ring.measure(name, fraction_bits, 600)
        assert found.worst <= 1, name


@pytest.mark.parametrize(("name", "fraction_bits"), long_ring.CASES)
def test_the_page_shows_what_is_measured_over_128_bits(name: str, fraction_bits: int) -> None:
    found = long_ring.measure(name, fraction_bits)
    assert found.worst <= 1
    shown = section(PAGE.read_text(), "Over 128 bits")
    cells = long_ring.row(name, fraction_bits, found).split(" | ")
    # Whatever the masks: all but how much of the bound the worst point took.
    pattern = " \\| ".join([*map(re.escape, cells[:-3]), r"\d+%", *map(re.escape, cells[-2:])])
    assert re.search(pattern, shown), "run measured_accuracy.py again"


TO_BEAT = {
    "sigmoid": 9.7e-4,
    "log": 1.4e-5,
    "reciprocal": 6.2e-5,
    "divide": 2.4e-4,
    "sqrt": 4.2e-5,
    "tanh": 4.9e-3,
    "exp": 3.2e-3,
}
"""What a well-known peer's errors are in ``docs/performance.md``; for exp a tenth of it."""


@pytest.mark.parametrize("name", TO_BEAT)
def test_better_than_the_figures_to_beat(name: str) -> None:
    """The error as the bench counts it, relative above 1, but over the whole domain."""
    operands = measured_accuracy.inputs(name, DEFAULT, POINTS, np.random.default_rng(3))
    found, _ = evaluate(name, DEFAULT, *operands)
    expected = RULES[name](*(values * UNIT for values in operands))
    error = np.abs(found - expected) / np.maximum(1, np.abs(expected))
    assert error.max() < TO_BEAT[name]


# Any operands at all, from hypothesis.

RING = st.integers(-(2**LIMIT) + 1, 2**LIMIT - 1)
POSITIVE = st.integers(1, 2**LIMIT - 1)
FRACTION_BITS = st.integers(12, 24)


def holds(name: str, f: int, *operands: int) -> None:
    values = [np.array([operand], np.int64) for operand in operands]
    found, _ = evaluate(name, f, *values)
    expected = RULES[name](*(v * 2.0**-f for v in values))
    assert np.abs(found - expected) <= ACCURACY[name].bound(expected, f)


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "erf", "softplus", "silu", "gelu", "elu"])
@settings(max_examples=40)
@given(x=RING, f=FRACTION_BITS)
def test_bounded_functions_everywhere(name: str, x: int, f: int) -> None:
    holds(name, f, x)


@pytest.mark.parametrize("name", ["log", "log2", "log10", "sqrt", "rsqrt"])
@settings(max_examples=25)
@given(x=POSITIVE, f=FRACTION_BITS)
def test_functions_of_positive_numbers(name: str, x: int, f: int) -> None:
    holds(name, f, x)


@settings(max_examples=25)
@given(x=RING, f=FRACTION_BITS)
def test_reciprocal_of_anything_but_zero(x: int, f: int) -> None:
    if abs(x) >= 1 << max(f - 18, 0):
        holds("reciprocal", f, x)


@settings(max_examples=25)
@given(y=RING, x=RING, f=FRACTION_BITS)
def test_quotients_within_the_limit(y: int, x: int, f: int) -> None:
    if x and abs(y / x) < 1 << quotient_limit_bits(f):
        holds("divide", f, y, x)


@settings(max_examples=25)
@given(x=st.floats(-50, 16), f=FRACTION_BITS)
def test_exponential_up_to_its_limit(x: float, f: int) -> None:
    element = round(min(x, exp_domain(f)[1]) * 2.0**f)
    holds("exp", f, min(element, int(exp_domain(f)[1] * 2.0**f)))


# Saturation and what happens outside of a domain.


def results(name: str, *values: int, f: int = DEFAULT) -> list[float]:
    found, _ = evaluate(name, f, np.array(values, np.int64))
    return [float(v) for v in found]


def huge(f: int) -> list[int]:
    """Magnitudes whose powers overflow the ring in every way."""
    return [round(1.5 * 2**k) for k in range(f + 4, LIMIT)] + [2**k for k in range(f + 4, LIMIT)]


@pytest.mark.parametrize("f", [12, 18, 24])
@pytest.mark.parametrize(("name", "low", "high"), [("sigmoid", 0.0, 1.0), ("tanh", -1.0, 1.0)])
def test_saturated_values_are_exact(name: str, low: float, high: float, f: int) -> None:
    values = huge(f)
    assert set(results(name, *values, f=f)) == {high}
    assert set(results(name, *(-v for v in values), f=f)) == {low}


@pytest.mark.parametrize("f", [12, 18, 24])
def test_exp_saturates_at_both_ends(f: int) -> None:
    low, high = exp_domain(f)
    above = [int(high * 2**f) + 2, *huge(f + 2)]
    largest = results("exp", *above, f=f)
    assert len(set(largest)) == 1
    assert largest[0] == pytest.approx(np.exp(high), rel=1e-6)
    below = [int(low * 2**f) - 2, *(-v for v in huge(f + 2))]
    assert set(results("exp", *below, f=f)) == {0.0}


NOT_POSITIVE = [0, -1, -2, -3, -(1 << 18), -(1 << 40) + 1, -(1 << 60), 1 - (1 << LIMIT)]


@pytest.mark.parametrize("name", ["sqrt", "rsqrt"])
def test_roots_of_what_is_not_positive_are_zero(name: str) -> None:
    assert set(results(name, *NOT_POSITIVE)) == {0.0}


@pytest.mark.parametrize("name", ["log", "log1p", "log2", "log10"])
def test_log_of_what_is_not_positive_is_unmistakable(name: str) -> None:
    shift = 1 << DEFAULT if name == "log1p" else 0
    assert max(results(name, *(v - shift for v in NOT_POSITIVE[:-1]))) < -1e6


@pytest.mark.parametrize("f", [12, 18, 24])
def test_relatives_of_exp_saturate(f: int) -> None:
    low, high = exp_domain(f)
    above = [int((high + 0.7) * 2**f) + 2, *huge(f + 2)]
    for name in ("sinh", "cosh", "expm1"):
        largest = results(name, *above, f=f)
        np.testing.assert_allclose(largest, np.exp(high), rtol=1e-6)
    mirrored = [-v for v in above]
    np.testing.assert_allclose(results("sinh", *mirrored, f=f), -np.exp(high), rtol=1e-6)
    np.testing.assert_allclose(results("cosh", *mirrored, f=f), np.exp(high), rtol=1e-6)
    below = [int(low * 2**f) - 2, *(-v for v in huge(f + 2))]
    assert set(results("expm1", *below, f=f)) == {-1.0}


@pytest.mark.parametrize("f", [12, 18, 24])
@pytest.mark.parametrize("name", ["softplus", "silu", "gelu", "elu"])
def test_tails_are_exact(name: str, f: int) -> None:
    values = huge(f)
    assert results(name, *values, f=f) == [v * 2.0**-f for v in values]
    below = -1.0 if name == "elu" else 0.0
    assert set(results(name, *(-v for v in values), f=f)) == {below}


@pytest.mark.parametrize("f", [12, 18, 24])
def test_error_function_saturates(f: int) -> None:
    assert set(results("erf", *huge(f), f=f)) == {1.0}
    assert set(results("erf", *(-v for v in huge(f)), f=f)) == {-1.0}


@pytest.mark.parametrize("f", [12, 18, 24])
def test_arcs_outside_of_their_domain(f: int) -> None:
    above = [(1 << f) + 1, *huge(f)]
    for name, ends in (("asin", (np.pi / 2, -np.pi / 2)), ("acos", (0.0, np.pi))):
        for sign, end in zip((1, -1), ends, strict=True):
            found = results(name, *(sign * v for v in above), f=f)
            assert max(abs(v - end) for v in found) <= 2.0**-f


def test_angles_of_the_axes() -> None:
    y = np.array([0, 0, 5, -5, 0, 1 << 59, 1 - (1 << 59)], np.int64)
    x = np.array([0, 7, 0, 0, -7, 0, 0], np.int64)
    found, _ = evaluate("atan2", DEFAULT, y, x)
    np.testing.assert_allclose(
        found, [0, 0, np.pi / 2, -np.pi / 2, np.pi, np.pi / 2, -np.pi / 2], rtol=0, atol=4 * UNIT
    )


@pytest.mark.parametrize("rounding", ["exact", "nearest"])
def test_sine_near_the_ends_of_a_quarter_turn(rounding: str) -> None:
    """Where the folded angle fills the domain of a truncation, whatever the rounding."""
    x = measured_accuracy.quarter_turns(24)
    simulation = Simulation(9, rounding=rounding)
    parts = simulation.run(lambda party, s: functions.sin(party, s, 24), simulation.share(x))
    found = simulation.open(parts) * 2.0**-24
    assert np.abs(found - np.sin(x * 2.0**-24)).max() <= 2.2e-6


@pytest.mark.parametrize("f", [12, 18, 24])
def test_powers_of_what_is_not_positive_are_zero(f: int) -> None:
    x = np.repeat(np.array(NOT_POSITIVE, np.int64), 4)
    y = np.tile(np.array([0, 1 << f, -3 << f, 5 << (f - 2)], np.int64), len(NOT_POSITIVE))
    assert not evaluate("power", f, x, y)[0].any()


def test_reciprocal_of_zero_is_zero() -> None:
    assert set(results("reciprocal", *[0] * 50)) == {0.0}
    assert abs(results("reciprocal", 1 << 3, f=24)[0]) in (0.0, pytest.approx(2.0**21, rel=1e-3))


def test_quotient_by_zero_is_zero() -> None:
    y = np.array([0, 1, -1, 1 << 20, 1 << 60, -(1 << 60)], np.int64)
    found, _ = evaluate("divide", DEFAULT, y, np.zeros_like(y))
    assert np.abs(found).max() <= UNIT


def test_square_root_of_zero_is_zero() -> None:
    assert results("sqrt", 0) == [0.0]


@pytest.mark.parametrize("name", [name for name in NAMES if not ACCURACY[name].rows])
@pytest.mark.parametrize("shape", [(), (0,), (1,), (3, 0), (2, 3, 1)])
def test_shapes_are_kept(name: str, shape: tuple[int, ...]) -> None:
    operands = [np.full(shape, 1 << DEFAULT, np.int64)] * ACCURACY[name].operands
    found, _ = evaluate(name, DEFAULT, *operands)
    assert found.shape == shape
    np.testing.assert_allclose(found, RULES[name](*(np.ones(shape) for _ in operands)), atol=3e-4)


# The page.


def section(text: str, title: str) -> str:
    return text.split(f"## {title}\n")[1].split("\n## ")[0]


def test_the_page_states_what_the_code_promises() -> None:
    assert measured_accuracy.bounds_table() in PAGE.read_text()
    assert PAGE.read_text().startswith(measured_accuracy.HEAD)
    assert PAGE.read_text().endswith(measured_accuracy.TAIL)


@pytest.mark.parametrize("name", NAMES)
def test_the_page_shows_what_is_measured(name: str) -> None:
    """Rounds and bytes exactly; errors within a fifth, as they depend on the masks."""
    (line,) = re.findall(rf"^\| `{name}` \|.*$", section(PAGE.read_text(), "Measured"), re.M)
    shown = [cell.strip() for cell in line.strip("|").split("|")]
    fresh = measured_accuracy.measured_row(name, measure(name)).strip("|\n").split("|")
    assert [cell.strip() for cell in fresh[4:]] == shown[4:], "run measured_accuracy.py again"
    error, now = (float(cell.split()[0]) for cell in (shown[1], fresh[1]))
    assert now == pytest.approx(error, rel=0.2), "run measured_accuracy.py again"


@pytest.mark.parametrize(("name", "size"), linear_algebra.cases())
def test_the_page_shows_what_is_measured_of_linear_algebra(name: str, size: int) -> None:
    found = linear_algebra.measure(name, size)
    assert found.share <= 1.0
    shown = section(PAGE.read_text(), "Linear algebra")
    cells = linear_algebra.row(name, size, found).split(" | ")
    pattern = " \\| ".join([*map(re.escape, cells[:3]), r"\d+%", *map(re.escape, cells[4:])])
    assert re.search(pattern, shown), "run measured_accuracy.py again"
