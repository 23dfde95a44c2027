"""Pitfall: truncating shares locally is wrong by 2^(k-m) with probability |x| / 2^k per value.

The default is wrap-free (10^7 values in ``tests/laws/test_truncation_laws.py``). The local form,
kept here as the weakened variant, is ruined by the same values.
"""

from __future__ import annotations

import numpy as np
import pytest
from simulation import Simulation, integers

BITS = 18


def local_truncation(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """ABY3's first form: x_0 >> m and (x_1 + x_2) >> m, no communication about the carry."""
    first = rng.integers(0, 1 << 64, x.size, dtype=np.uint64)
    second = x.view(np.uint64) - first
    return (first.view(np.int64) >> BITS) + (second.view(np.int64) >> BITS)


@pytest.mark.parametrize(("magnitude", "probability"), [(62, 1 / 8), (60, 1 / 32), (56, 1 / 512)])
def test_ours_never_wraps_where_the_local_form_does(magnitude: int, probability: float) -> None:
    rng = np.random.default_rng(magnitude)
    x = integers(rng, 200_000, magnitude)
    simulation = Simulation(magnitude)
    got = simulation.run(lambda p, a: p.truncate(a, BITS), simulation.share(x))
    assert np.isin(simulation.open(got) - (x >> BITS), (0, 1)).all()
    wrong = np.abs(local_truncation(x, rng) - (x >> BITS))
    assert (wrong[wrong > 1] >= (1 << (64 - BITS)) - 2).all()
    # The mean of |x| / 2^64 over uniform values of this magnitude.
    assert (wrong > 1).mean() == pytest.approx(probability, rel=0.15)
