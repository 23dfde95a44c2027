"""The noise against OpenDP's sampler of the discrete Gaussian: two samples, one distribution.

Where ``opendp`` is installed (the dependency group ``oracles``); it is large and nothing else
needs it. OpenDP's randomness is the system's: a false alarm comes once in 10,000 runs.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from simulation import Simulation

from tacit.functions.noise import discrete_gaussian, gaussian_plan

dp = pytest.importorskip("opendp.prelude")


@pytest.mark.parametrize("sigma", [2.5, 40.0, 5000.0])
def test_noise_is_distributed_as_opendp_draws_it(sigma: float) -> None:
    count = 20_000
    dp.enable_features("contrib")
    domain = dp.vector_domain(dp.atom_domain(T="i64"), size=count)
    draw = dp.m.make_gaussian(domain, dp.l2_distance(T="f64"), scale=sigma)
    theirs = np.array(draw([0] * count))
    session, plan = Simulation(21), gaussian_plan(sigma)
    ours = session.open(session.run(lambda p: discrete_gaussian(p, (count,), plan)))
    both = [np.asarray(sample, np.int64) for sample in (ours, theirs)]
    if sigma > 100:
        assert stats.ks_2samp(*both).pvalue > 1e-4
        return
    points, places = np.unique(np.concatenate(both), return_inverse=True)
    halves = np.split(places, 2)
    table = np.array([np.bincount(half, minlength=len(points)) for half in halves])
    common = table.sum(axis=0) >= 20
    rare = table[:, ~common].sum(axis=1, keepdims=True)
    assert stats.chi2_contingency(np.hstack([table[:, common], rare])).pvalue > 1e-4
