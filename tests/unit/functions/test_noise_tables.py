"""Tables and plans of noise: exact integers against exact distributions."""

from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction
from math import comb, log2

import numpy as np
import pytest

from tacit.errors import RangeError
from tacit.functions.noise import gaussian_plan, laplace_plan
from tacit.functions.noise.plans import smoothing_distance
from tacit.functions.noise.tables import (
    COIN_BITS,
    INDEX_BITS,
    OFFSET,
    alias_table,
    gaussian_table,
)

TOTAL = 1 << (INDEX_BITS + COIN_BITS)


def masses(variance: Fraction, reach: int) -> list[Decimal]:
    """Normalised over [-reach, reach], in decimals of 60 digits."""
    with localcontext() as context:
        context.prec = 60
        twice = 2 * Decimal(variance.numerator) / Decimal(variance.denominator)
        raw = [(-Decimal(x * x) / twice).exp() for x in range(-reach, reach + 1)]
        total = sum(raw, Decimal(0))
        return [value / total for value in raw]


def test_a_table_holds_its_weights_exactly() -> None:
    rng = np.random.default_rng(1)
    draws = rng.integers(0, 1 << 60, 1 << INDEX_BITS).tolist()
    for weights in (draws, [0] * 255 + [1], [1] * 256, [0, 5] * 128):
        scaled = [w * TOTAL // max(sum(weights), 1) for w in weights]
        scaled[np.argmax(scaled)] += TOTAL - sum(scaled)
        table = alias_table(scaled, Fraction(0))
        assert table.weights() == scaled
        assert all(0 <= t < 1 << COIN_BITS for t in table.thresholds)


@pytest.mark.parametrize("sigma", [Fraction(1, 8), Fraction(3), Fraction(55, 4), Fraction(14)])
def test_a_gaussian_table_is_as_near_as_it_says(sigma: Fraction) -> None:
    table = gaussian_table(sigma**2)
    ideal = masses(sigma**2, 400)
    found = dict(zip(range(-OFFSET, OFFSET), table.weights(), strict=True))
    with localcontext() as context:
        context.prec = 60
        distance = (
            sum(
                abs(Decimal(found.get(x, 0)) / Decimal(TOTAL) - p)
                for x, p in zip(range(-400, 401), ideal, strict=True)
            )
            / 2
        )
    assert Fraction(distance) <= table.distance
    assert table.distance < Fraction(1, 1 << 62)


def test_the_smoothing_bound_holds_for_sums_of_two() -> None:
    """x_1 + k x_2 against the discrete Gaussian, in decimals; a small deviation fails visibly."""
    for one, two, k in ((2, 2, 2), (3, 2, 3), (2, 3, 1)):
        first, second = masses(Fraction(one) ** 2, 60), masses(Fraction(two) ** 2, 60)
        variance = Fraction(one) ** 2 + k * k * Fraction(two) ** 2
        ideal = masses(variance, 60 * (k + 1))
        with localcontext() as context:
            context.prec = 60
            summed = [Decimal(0)] * len(ideal)
            for x, p in enumerate(first, -60):
                for y, q in enumerate(second, -60):
                    summed[x + k * y + 60 * (k + 1)] += p * q
            distance = sum(abs(a - b) for a, b in zip(summed, ideal, strict=True)) / 2
        bound = smoothing_distance(1 / (Fraction(k * k, one * one) + Fraction(1, two * two)))
        assert Fraction(distance) <= bound
        assert bound < 100 * Fraction(distance)  # and is no wild guess


def test_every_deviation_has_a_plan() -> None:
    for place in range(60):
        sigma = 2 ** (place * 47 / 60 - 2.5)
        plan = gaussian_plan(sigma)
        assert plan.variance == Fraction(sigma) ** 2
        assert plan.distance < Fraction(1, 1 << 59)
        assert plan.bits <= 62
        assert plan.bound >= 6 * sigma


@pytest.mark.parametrize("sigma", [0.0, -1.0, float("nan"), float("inf"), 2.0**46])
def test_impossible_noise_is_refused(sigma: float) -> None:
    with pytest.raises(RangeError, match="TC-1320"):
        gaussian_plan(sigma)
    with pytest.raises(RangeError, match="TC-1320"):
        laplace_plan(sigma)


def test_geometric_bits_make_the_discrete_laplace() -> None:
    """The difference of two numbers with these independent bits, exactly."""
    plan = laplace_plan(2.0)
    bits = len(plan.thresholds)
    geometric = np.ones(1, object) * Fraction(1)
    for place, threshold in enumerate(plan.thresholds[:6]):
        p = Fraction(threshold, 1 << COIN_BITS)
        geometric = np.concatenate([geometric * (1 - p), geometric * p])
        assert len(geometric) == 2 << place
    ratio = float(np.exp(-0.5))
    np.testing.assert_allclose(
        [float(p) for p in geometric[:20]], [(1 - ratio) * ratio**k for k in range(20)], rtol=1e-6
    )
    assert bits == 7
    assert log2(plan.distance) < -57


def test_a_sum_of_coins_is_not_taken_for_gaussian() -> None:
    """The weakened way, counting coins, is far from ideal: the distance tells them apart."""
    n = 64
    counted = [Fraction(comb(n, k), 1 << n) for k in range(n + 1)]
    ideal = masses(Fraction(n, 4), n // 2)
    distance = sum(abs(Fraction(p) - q) for p, q in zip(ideal, counted, strict=True)) / 2
    assert distance > Fraction(1, 1 << 10)
