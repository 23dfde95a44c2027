"""Noise inside the computation: its circuits exactly, its distribution, its cost, its secrecy."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from scipy import stats
from simulation import NAMES, Listener, Simulation

from tacit.functions.noise import (
    discrete_gaussian,
    discrete_gaussian_cost,
    discrete_laplace,
    discrete_laplace_cost,
    gaussian,
    gaussian_plan,
    laplace_plan,
    noisy_argmax,
    noisy_argmax_cost,
)
from tacit.functions.noise.addition import add_shifted
from tacit.functions.noise.coins import below, below_public_thresholds, monomials
from tacit.functions.noise.tables import COIN_BITS, INDEX_BITS, OFFSET, gaussian_table
from tacit.protocols import PROTOCOLS
from tacit.rounds.randomness import SeededRandomness, deal_pairwise_seeds

PROTOCOL = pytest.mark.parametrize("protocol", sorted(PROTOCOLS))


def planes_of(values: Any, count: int) -> np.ndarray[Any, Any]:
    return np.array([[int(v) >> k & 1 for v in values] for k in range(count)], np.uint8)


# The circuits, exhaustively.


def test_monomials() -> None:
    session = Simulation()
    bits = planes_of(np.resize(np.arange(16), 64), 4)
    found = session.open_bits(session.run(monomials, session.share_bits(bits, planes=1)))
    for m in range(16):
        chosen = [bits[k] for k in range(4) if m >> k & 1]
        np.testing.assert_array_equal(found[m], np.prod(chosen, axis=0, dtype=np.uint8))


def test_below() -> None:
    session = Simulation()
    pairs = np.array(list(product(range(16), repeat=2)))
    x, y = (session.share_bits(planes_of(pairs[:, k], 4), planes=1) for k in (0, 1))
    found = session.open_bits(session.run(below, x, y))
    np.testing.assert_array_equal(found[0], pairs[:, 0] < pairs[:, 1])


def test_below_public_thresholds() -> None:
    session = Simulation()
    numbers = np.resize(np.arange(16), 64)
    thresholds = list(range(16))
    bits = session.share_bits(np.tile(planes_of(numbers, 4), (16, 1)), planes=1)
    found = session.open_bits(
        session.run(lambda p, b: below_public_thresholds(p, b, thresholds, 4), bits)
    )
    np.testing.assert_array_equal(found, numbers < np.array(thresholds)[:, None])


@pytest.mark.parametrize("shifts", [(0,), (0, 3), (0, 3, 6, 9), (0, 3, 3), (0, 3, 6, 6), (0, 3, 5)])
def test_addition(shifts: tuple[int, ...]) -> None:
    session, rng = Simulation(), np.random.default_rng(5)
    numbers = rng.integers(0, 256, (len(shifts), 128))
    numbers[:, 0], numbers[:, 1] = 255, 0
    expected = sum(n << s for n, s in zip(numbers, shifts, strict=True))
    width = (sum(255 << s for s in shifts)).bit_length()
    parts = [session.share_bits(planes_of(n, 8), planes=1) for n in numbers]
    found = session.run(lambda p, *a: add_shifted(p, a, shifts, width), *parts)
    np.testing.assert_array_equal(session.open_bits(found), planes_of(expected, width))


def test_a_draw_follows_its_table_at_every_index_and_threshold(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every index with the coins next to its threshold, on either side."""
    table = gaussian_table(gaussian_plan(3.0).variance)
    cases, expected = [], []
    for index in range(1 << INDEX_BITS):
        threshold = table.thresholds[index]
        for coin in {0, max(threshold - 1, 0), threshold, (1 << COIN_BITS) - 1}:
            cases.append((index, coin))
            expected.append(index if coin < threshold else table.aliases[index])
    size = -(-len(cases) // 64) * 64
    cases += [(0, 0)] * (size - len(cases))
    given = {
        INDEX_BITS: planes_of([c[0] for c in cases], INDEX_BITS),
        COIN_BITS: planes_of([c[1] for c in cases], COIN_BITS),
    }

    def chosen(party: Any, planes: int, size: int) -> Any:
        return party.public_bits(given[planes].reshape(-1)).reshape(planes, size).rows_as_planes()

    monkeypatch.setattr(gaussian, "uniform_planes", chosen)
    session = Simulation()
    found = session.run(lambda p: discrete_gaussian(p, (len(expected),), gaussian_plan(3.0)))
    np.testing.assert_array_equal(session.open(found).astype(int), np.array(expected) - OFFSET)


# The distribution.


def chi_square(values: np.ndarray[Any, Any], masses: dict[int, float]) -> float:
    """The p-value of integers under a distribution; rare ones together."""
    points = sorted(masses)
    expected = np.array([masses[p] for p in points]) * len(values)
    observed = np.array([(values == p).sum() for p in points], float)
    common = expected >= 8
    f_exp = np.append(expected[common], len(values) - expected[common].sum())
    f_obs = np.append(observed[common], len(values) - observed[common].sum())
    return float(stats.chisquare(f_obs, f_exp).pvalue)


@PROTOCOL
@pytest.mark.parametrize("sigma", [2.5, 21.0])
def test_goodness_of_fit_of_the_gaussian(protocol: str, sigma: float) -> None:
    session = Simulation(7, protocol=protocol)
    plan = gaussian_plan(sigma)
    found = session.open(session.run(lambda p: discrete_gaussian(p, (20, 500), plan)))
    reach = np.arange(-12 * int(sigma), 12 * int(sigma) + 1)
    raw = np.exp(-(reach**2) / (2 * sigma**2))
    masses = dict(zip(reach.tolist(), (raw / raw.sum()).tolist(), strict=True))
    assert found.shape == (20, 500)
    assert chi_square(found.reshape(-1).astype(int), masses) > 1e-4
    wrong = np.exp(-(reach**2) / (2 * (1.12 * sigma) ** 2))  # the test can fail
    others = dict(zip(reach.tolist(), (wrong / wrong.sum()).tolist(), strict=True))
    assert chi_square(found.reshape(-1).astype(int), others) < 1e-4


def test_a_large_gaussian_fits_by_kolmogorov_and_smirnov() -> None:
    session = Simulation(8)
    plan = gaussian_plan(2.0**20)
    found = session.open(session.run(lambda p: discrete_gaussian(p, (20_000,), plan)))
    assert stats.kstest(found.astype(float) / 2.0**20, "norm").pvalue > 1e-3
    # The low bits are uniform: no part of the sum shows.
    low = np.bincount(found.astype(np.int64) & 63, minlength=64)
    assert stats.chisquare(low).pvalue > 1e-4


@PROTOCOL
def test_goodness_of_fit_of_the_laplace(protocol: str) -> None:
    session = Simulation(9, protocol=protocol)
    plan = laplace_plan(3.0)
    found = session.open(session.run(lambda p: discrete_laplace(p, (8000,), plan)))
    reach = np.arange(-150, 151)
    raw = np.exp(-np.abs(reach) / 3.0)
    masses = dict(zip(reach.tolist(), (raw / raw.sum()).tolist(), strict=True))
    assert chi_square(found.astype(int), masses) > 1e-4
    masses[0] *= 2  # a zero counted twice would show
    total = sum(masses.values())
    doubled = {x: p / total for x, p in masses.items()}
    assert chi_square(found.astype(int), doubled) < 1e-4


# Cost.


@PROTOCOL
def test_cost_is_as_declared(protocol: str) -> None:
    session = Simulation(protocol=protocol)
    costs = PROTOCOLS[protocol].costs_with()
    large, small, laplace = gaussian_plan(1000.0), gaussian_plan(2.0), laplace_plan(2.0)
    votes = session.share(np.zeros((5, 3), np.int64))
    cases = [
        (lambda p: discrete_gaussian(p, (200,), large), discrete_gaussian_cost(costs, 200, large)),
        (lambda p: discrete_gaussian(p, (7,), small), discrete_gaussian_cost(costs, 7, small)),
        (lambda p: discrete_gaussian(p, (0,), small), discrete_gaussian_cost(costs, 0, small)),
        (lambda p: discrete_laplace(p, (70,), laplace), discrete_laplace_cost(costs, 70, laplace)),
        (
            lambda p: noisy_argmax(p, votes[p.index], small),
            noisy_argmax_cost(costs, (5, 3), small),
        ),
    ]
    for step, declared in cases:
        before = session.driver.cost()
        session.run(step)
        spent = session.driver.cost() - before
        assert spent.rounds == declared.rounds
        if spent.rounds:
            assert tuple(spent.bytes_sent.values()) == tuple(declared.bytes_sent)
            assert tuple(spent.check_bytes.values()) == tuple(declared.check_bytes)


# Secrecy.


def draws_for(protocol: str, observer: int, runs: int) -> np.ndarray[Any, Any]:
    """One party's seeds fixed, those that it does not hold drawn anew: the noise of each run."""
    record = PROTOCOLS[protocol]
    found = []
    for run in range(runs):
        session = Simulation(3, protocol=protocol)
        names = session.names
        fixed = deal_pairwise_seeds(names, SeededRandomness(3))
        fresh = deal_pairwise_seeds(names, SeededRandomness(1000 + run))
        session.parties = [
            record.party(
                names,
                i,
                {j: (fixed if observer in (i, j) else fresh)[i][j] for j in fixed[i]},
                session_id=b"",
            )
            for i in range(len(names))
        ]
        found.append(session.open(session.run(lambda p: discrete_gaussian(p, (64,), PLAN))))
    return np.array(found).astype(int)


PLAN = gaussian_plan(2.5)


@pytest.mark.parametrize("observer", [0, 1, 2])
def test_a_party_does_not_know_the_noise(observer: int) -> None:
    """With all that it holds fixed, the noise still has its whole distribution at every place."""
    found = draws_for("replicated3", observer, 60)
    assert found.shape == (60, 64)
    assert found.std(axis=0).min() > 1.5
    reach = np.arange(-40, 41)
    raw = np.exp(-(reach**2) / 12.5)
    masses = dict(zip(reach.tolist(), (raw / raw.sum()).tolist(), strict=True))
    assert chi_square(found.reshape(-1), masses) > 1e-4


def test_noise_from_a_key_that_a_party_holds_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The weakened way: bits that the observer's own key alone makes. It knows its noise."""

    def known(party: Any, planes: int, size: int) -> Any:
        bits = party.random_bits((planes, size)).rows_as_planes()
        # Shares 0 and 1 are what party 0 holds; the third is left out.
        zero = bits.map_words(np.zeros_like)
        if party.index == 0:
            return bits
        own = (bits.own, zero.next) if party.index == 1 else (zero.own, bits.next)
        return type(bits)(*own, bits.shape)

    monkeypatch.setattr(gaussian, "uniform_planes", known)
    found = draws_for("replicated3", 0, 5)
    assert (found == found[0]).all()


@pytest.mark.parametrize("observer", [0, 2])
def test_what_a_party_hears_does_not_move_with_the_noise(observer: int) -> None:
    """Messages of runs with large and with small noise at one place look alike."""
    record, heard, values = PROTOCOLS["replicated3"], [], []
    for run in range(160):
        listener = Listener(observer)
        fixed = deal_pairwise_seeds(NAMES, SeededRandomness(3))
        fresh = deal_pairwise_seeds(NAMES, SeededRandomness(5000 + run))
        parties = [
            record.party(
                NAMES, i, {j: (fixed if observer in (i, j) else fresh)[i][j] for j in fixed[i]}
            )
            for i in range(3)
        ]
        session = Simulation(3)
        parts = listener.run([discrete_gaussian(p, (64,), PLAN) for p in parties])
        values.append(int(session.open(parts)[0]))
        heard.append(np.concatenate(listener.heard))
    bits = np.unpackbits(np.array(heard), axis=1).astype(float)
    large = np.abs(np.array(values)) >= 2
    n, m = large.sum(), (~large).sum()
    a, b = bits[large].mean(axis=0), bits[~large].mean(axis=0)
    mean = bits.mean(axis=0)
    spread = np.sqrt(np.maximum(mean * (1 - mean), 1e-9) * (1 / n + 1 / m))
    z = np.abs(a - b)[spread > 1e-3] / spread[spread > 1e-3]
    limit = float(stats.norm.isf(1e-6 / z.size))
    assert z.size > 10_000
    assert z.max() < limit


def test_votes_far_apart_survive_noise_and_ties_do_not_hide_it() -> None:
    session = Simulation(11)
    votes = np.tile([3, 90, 20], (40, 1))
    plan = gaussian_plan(5.0)
    found = session.open(session.run(lambda p, v: noisy_argmax(p, v, plan), session.share(votes)))
    np.testing.assert_array_equal(found.astype(int), 1)
    even = session.share(np.full((400, 2), 7))
    counts = np.bincount(
        session.open(session.run(lambda p, v: noisy_argmax(p, v, plan), even)).astype(int)
    )
    assert stats.binomtest(int(counts[1]), 400).pvalue > 1e-4
