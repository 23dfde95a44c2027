"""Pitfall: modulo or sort-based permutations are not uniform.

Chi-square over all permutations of 4, of the kernel that each pair draws with and of the whole
protocol; the same test alarms for shuffles that are wrong in the usual ways. Fixed seeds; the limit
is the quantile of 10^-9, so that a right shuffle alarms with that probability when seeds change.
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats
from simulation import Simulation

from tacit import kernels

LIMIT = float(stats.chi2.isf(1e-9, 23))
ROWS = 240_000


def statistic(permutations: NDArray[np.int64]) -> float:
    """Chi-square of the 24 permutations' frequencies, (rows, 4)."""
    codes = permutations @ np.array([64, 16, 4, 1])
    assert (np.sort(permutations, axis=1) == np.arange(4)).all()
    counts = np.unique(codes, return_counts=True)[1]
    counts = np.concatenate([counts, np.zeros(24 - counts.size, np.int64)])
    return float(stats.chisquare(counts).statistic)


@pytest.mark.parametrize("nonce", [1, 2, 3])
def test_each_pairs_permutations_are_uniform(nonce: int) -> None:
    out = np.empty((ROWS, 4), np.uint64)
    kernels.permutation(kernels.StreamKey(bytes(range(16))), nonce, 0, out)
    assert statistic(out.view(np.int64)) < LIMIT


@pytest.mark.parametrize("back", [False, True])
def test_the_product_is_uniform(back: bool) -> None:
    simulation = Simulation(5)
    x = simulation.share(np.broadcast_to(np.arange(4), (ROWS, 4)))
    secret = simulation.local(lambda p: p.permutation(ROWS, 4))
    mixed = simulation.run(lambda p, s, a: p.permute(s, a, back), secret, x)
    assert statistic(simulation.open(mixed)) < LIMIT


@pytest.mark.parametrize("lacking", [0, 1, 2])
def test_the_product_is_uniform_given_two_of_the_three(lacking: int) -> None:
    """What a party that knows two factors can say of the product: nothing."""
    simulation = Simulation(6)
    secret = simulation.local(lambda p: p.permutation(ROWS, 4))
    for party, factors in zip(simulation.parties, secret, strict=True):
        for name, key in (("own", party.index), ("next", party.next)):
            if key != lacking:
                getattr(factors, name)[...] = np.random.default_rng(key).permutation(4)
    x = simulation.share(np.broadcast_to(np.arange(4), (ROWS, 4)))
    mixed = simulation.run(lambda p, s, a: p.permute(s, a), secret, x)
    assert statistic(simulation.open(mixed)) < LIMIT


# Shuffles that are wrong in the usual ways: the test must see them.


def exchanged_with_any(rng: np.random.Generator) -> NDArray[np.int64]:
    """Every place exchanged with any place, instead of one that is not yet settled."""
    out = np.tile(np.arange(4), (ROWS, 1))
    rows = np.arange(ROWS)
    for i in range(4):
        j = rng.integers(0, 4, ROWS)
        kept = out[rows, i].copy()
        out[rows, i] = out[rows, j]
        out[rows, j] = kept
    return out


def remainders_of_short_words(rng: np.random.Generator) -> NDArray[np.int64]:
    """Fisher-Yates with small random words taken modulo the bound."""
    out = np.tile(np.arange(4), (ROWS, 1))
    rows = np.arange(ROWS)
    for i in (3, 2, 1):
        j = rng.integers(0, 16, ROWS) % (i + 1)
        kept = out[rows, i].copy()
        out[rows, i] = out[rows, j]
        out[rows, j] = kept
    return out


def sorted_by_short_keys(rng: np.random.Generator) -> NDArray[np.int64]:
    """Sorted by random keys, where equal keys keep their order."""
    return np.argsort(rng.integers(0, 64, (ROWS, 4)), axis=1, kind="stable")


@pytest.mark.parametrize(
    "wrong", [exchanged_with_any, remainders_of_short_words, sorted_by_short_keys]
)
def test_wrong_shuffles_are_seen(wrong: object) -> None:
    assert statistic(wrong(np.random.default_rng(1))) > LIMIT  # type: ignore[operator]
