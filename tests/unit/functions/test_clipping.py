"""Clipped gradients on shares: the norm holds for every example, in exact integers."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from simulation import Simulation

from tacit.errors import RangeError
from tacit.functions.clipping import (
    DELTA_BITS,
    SUM_BITS,
    ClippingPlan,
    bounds_of,
    clipped_sums,
    clipping_plan,
    weights_within,
)
from tacit.functions.perceptron import Layer, mlp_derivatives
from tacit.protocols import PROTOCOLS

F = 18
ONE = 1 << F
WIDTHS = (3, 4, 1)
PROTOCOL = pytest.mark.parametrize("protocol", sorted(PROTOCOLS))


def arrays(rng: np.random.Generator, rows: int, scale: float = 1.0) -> tuple[list[Any], list[Any]]:
    below = [rng.uniform(-1, 1, (rows, w)) * ONE for w in WIDTHS[:-1]]
    deltas = [rng.normal(0, scale, (rows, w)) * ONE for w in WIDTHS[1:]]
    whole = [[np.rint(a).astype(np.int64) for a in side] for side in (below, deltas)]
    return whole[0], whole[1]


def sums(
    session: Simulation, below: Any, deltas: Any, taken: Any, plan: ClippingPlan, within: int = 1
) -> NDArray[np.float64]:
    shared = [session.share(a) for a in (*below, *deltas)]
    count = len(below)
    bits, ok = session.share_bits(taken), session.share_bits([within])

    def step(party: Any, *parts: Any) -> Any:
        *numbers, t, w = parts
        return clipped_sums(party, numbers[:count], numbers[count:], t, w, plan)

    opened = session.open(session.run(step, *shared, bits, ok))
    return opened.astype(np.int64) / float(1 << plan.grid_bits)


def gradient(below: Any, deltas: Any, row: int) -> NDArray[np.float64]:
    parts = []
    for a, delta in zip(below, deltas, strict=True):
        parts += [np.outer(a[row], delta[row]).reshape(-1) / ONE**2, delta[row] / ONE]
    return np.concatenate(parts)


@PROTOCOL
def test_small_gradients_are_summed_as_they_are(protocol: str) -> None:
    session = Simulation(protocol=protocol)
    below, deltas = arrays(np.random.default_rng(1), 6, 0.1)
    plan = clipping_plan(WIDTHS, 4.0, 8)
    taken = np.array([1, 0, 1, 1, 0, 1])
    found = sums(session, below, deltas, taken, plan)
    expected = sum(gradient(below, deltas, row) for row in np.flatnonzero(taken))
    np.testing.assert_allclose(found, expected, atol=1.01 / (1 << plan.grid_bits))


@PROTOCOL
def test_gradients_far_above_are_clipped_below_the_norm(protocol: str) -> None:
    session = Simulation(protocol=protocol)
    below, deltas = arrays(np.random.default_rng(2), 1, 3.0)
    plan = clipping_plan(WIDTHS, 0.5, 8)
    found = sums(session, below, deltas, [1], plan)
    norm = np.linalg.norm(found)
    assert 0.44 < norm < 0.5 + 1e-3
    whole = gradient(below, deltas, 0)
    np.testing.assert_allclose(found / norm, whole / np.linalg.norm(whole), atol=2e-3)


@pytest.mark.parametrize("scale", [2.0**k for k in range(-12, 12)] + [1e5, 1e9])
def test_no_scale_breaks_the_norm(scale: float) -> None:
    """From gradients that vanish to such as wrap around: with and without the example."""
    session = Simulation(protocol="replicated3")
    rng = np.random.default_rng(int(scale * 4096) % 1000)
    below, deltas = arrays(rng, 40, 1.0)
    deltas = [np.rint(np.clip(d * scale, -(2.0**62), 2.0**62)).astype(np.int64) for d in deltas]
    plan = clipping_plan(WIDTHS, 1.0, 64)
    for row in range(6):  # neighbours: with this example, and without it
        with_it = np.zeros(40, np.uint8)
        with_it[row] = 1
        found = sums(session, below, deltas, with_it, plan)
        bound = plan.sensitivity / (1 << plan.grid_bits)
        if scale <= 64:  # what the bounds of the layers allow
            assert np.linalg.norm(found) <= bound


def test_every_factor_keeps_the_norm_in_integers() -> None:
    """r² t <= C² for all of the list, without floating point; unclipped is exactly 1."""
    for clip in (0.02, 0.1, 0.3333333, 1.0, 2.5, 7.0, 64.0):
        plan = clipping_plan((30, 32, 16, 1), clip, 1500)
        n, d = clip.as_integer_ratio()
        scale = 1 << (SUM_BITS + DELTA_BITS)
        assert plan.factors[0] == 1 << plan.factor_bits
        assert list(plan.thresholds) == sorted(set(plan.thresholds))
        assert list(plan.factors) == sorted(plan.factors, reverse=True)
        for threshold, factor in zip(plan.thresholds, plan.factors, strict=True):
            assert (factor * d) ** 2 * threshold <= n * n * scale << (2 * plan.factor_bits)


def test_neighbours_exhaustively() -> None:
    """All examples of a tiny model over a grid of values, wide integers: no truncation hides it."""
    session = Simulation()
    plan = clipping_plan((1, 1), 0.25, 8)
    exact = replace(plan, grid_bits=2 * F + plan.factor_bits - 1)
    grid = [(a, d) for a in (-1, -0.5, 0, 2**-17, 0.3, 1) for d in (-1, -0.4, -(2**-18), 0, 0.1, 1)]
    for a, d in grid:
        below, deltas = np.array([[round(a * ONE)]]), np.array([[round(d * ONE)]])
        found = sums(session, [below], [deltas], [1], exact)
        assert np.linalg.norm(found) <= 0.25 + 2.0 ** (2 - exact.grid_bits)


def test_the_weak_way_of_clipping_after_rounding_to_zero_is_caught() -> None:
    """Without rounding up, a list that is one step too generous breaks the norm: the test bites."""
    session = Simulation()
    plan = clipping_plan(WIDTHS, 0.5, 8)
    generous = replace(plan, factors=(*plan.factors[:1], *plan.factors[:-1]))
    below, deltas = arrays(np.random.default_rng(3), 12, 1.0)
    norms = []
    for row in range(12):
        taken = np.eye(12, dtype=np.uint8)[row]
        norms.append(np.linalg.norm(sums(session, below, deltas, taken, generous)))
    assert max(norms) > 0.5 + 2e-3


def test_rows_that_are_not_taken_add_exactly_nothing() -> None:
    session = Simulation()
    below, deltas = arrays(np.random.default_rng(4), 9, 5.0)
    plan = clipping_plan(WIDTHS, 1.0, 16)
    exact = replace(plan, grid_bits=2 * F + plan.factor_bits - 1)
    assert np.abs(sums(session, below, deltas, np.zeros(9, int), exact)).max() <= 2.0**-40
    assert np.abs(sums(session, below, deltas, np.ones(9, int), exact, within=0)).max() <= 2.0**-40


def test_weights_above_their_norm_are_found() -> None:
    session = Simulation()
    plan = clipping_plan(WIDTHS, 1.0, 16)
    for factor, expected in ((0.5, 1), (0.99, 1), (1.01, 0), (30.0, 0)):
        parameters = []
        for a, b in pairwise(WIDTHS):
            layer = np.random.default_rng(5).normal(0, 1, (a + 1, b))
            layer *= factor * plan.weight_norm / np.linalg.norm(layer)
            parameters += [np.rint(layer[:-1] * ONE), np.rint(layer[-1] * ONE)]
        shared = [session.share(p.astype(np.int64)) for p in parameters]
        found = session.run(lambda p, *a: weights_within(p, a, plan), *shared)
        assert session.open_bits(found)[0] == expected


def test_within_their_norms_nothing_can_wrap() -> None:
    """The worst rows and weights, each layer one large unit: sums of squares stay below 2^25."""
    for widths in ((30, 32, 16, 1), (3, 4, 1), (500, 64, 1), (10, 8, 8, 8, 1)):
        norm = bounds_of(widths)
        a = np.sqrt(widths[0])
        for _ in widths[1:-1]:
            a = norm * np.sqrt(a * a + 1)
        assert a * a < 1 << 25
        assert (norm ** (len(widths) - 2)) ** 2 < 1 << 25


def test_plans_that_cannot_be_are_refused() -> None:
    for clip in (0.0, -1.0, float("nan"), float("inf"), 1e-3, 100.0):
        with pytest.raises(RangeError, match="TC-1321"):
            clipping_plan(WIDTHS, clip, 8)
    for widths, rows in (((10, 64, 64, 64, 64, 64, 1), 8), (WIDTHS, 1 << 22)):
        with pytest.raises(RangeError, match="TC-1322"):
            clipping_plan(widths, 1.0, rows)


def test_derivatives_are_those_of_the_network() -> None:
    session, rng = Simulation(), np.random.default_rng(6)
    x, y = rng.uniform(-1, 1, (5, 3)), rng.integers(0, 2, (5, 1))
    w = [rng.normal(0, 0.5, s) for s in ((3, 4), (4,), (4, 1), (1,))]
    shared = [session.share(np.rint(a * ONE).astype(np.int64)) for a in (x, y, *w)]

    def step(party: Any, x: Any, y: Any, *w: Any) -> Any:
        layers = [Layer(w[0], w[1]), Layer(w[2], w[3])]
        return mlp_derivatives(party, x, y, layers, F, activation="relu", output="logistic")

    found = session.run(step, *shared)
    z = x @ w[0] + w[1]
    p = 1 / (1 + np.exp(-(np.maximum(z, 0) @ w[2] + w[3])))
    for side, place, expected in (
        (0, 1, np.maximum(z, 0)),
        (1, 1, p - y),
        (1, 0, ((p - y) @ w[2].T) * (z > 0)),
    ):
        opened = session.open([part[side][place] for part in found]).astype(np.int64) / ONE
        np.testing.assert_allclose(opened, expected, atol=2e-3)
