"""Many logistic regressions side by side: each as if it were alone, and at the declared cost."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from simulation import Simulation

from tacit.functions.ensembles import (
    ensemble_step,
    ensemble_step_cost,
    ensemble_votes,
    ensemble_votes_cost,
)
from tacit.protocols import PROTOCOLS

F, MODELS, ROWS, COLUMNS = 18, 5, 7, 4


def fixed(values: Any) -> Any:
    return np.round(np.asarray(values) * 2**F).astype(np.int64)


@pytest.mark.parametrize("protocol", ["replicated3", "replicated3_active", "fantastic4"])
def test_every_model_steps_as_if_it_were_alone(protocol: str) -> None:
    rng = np.random.default_rng(1)
    x = rng.uniform(-1, 1, (MODELS, ROWS, COLUMNS))
    y = rng.integers(0, 2, (MODELS, ROWS)).astype(float)
    x[2, 3:] = y[2, 3:] = 0.0  # rows of zeros teach nothing
    weights = rng.normal(size=(MODELS, COLUMNS))
    simulation = Simulation(protocol=protocol)

    def step(party: Any, x: Any, y: Any, weights: Any) -> Any:
        return ensemble_step(party, x, y, weights, F, learning_rate=0.7)

    parts = simulation.run(step, *(simulation.share(fixed(a)) for a in (x, y, weights)))
    found = simulation.open(parts) / 2**F
    for model in range(MODELS):
        p = 1 / (1 + np.exp(-x[model] @ weights[model]))
        move = 0.7 / ROWS * x[model].T @ (p - y[model])
        np.testing.assert_allclose(found[model], weights[model] - move, atol=1e-4)
    few = slice(0, 3)
    p = 1 / (1 + np.exp(-x[2, few] @ weights[2]))
    move = 0.7 / ROWS * x[2, few].T @ (p - y[2, few])
    np.testing.assert_allclose(found[2], weights[2] - move, atol=1e-4)
    if protocol != "replicated3_active":
        cost = simulation.driver.cost()
        declared = ensemble_step_cost(PROTOCOLS[protocol].costs, (MODELS, ROWS, COLUMNS), F)
        assert cost.rounds == declared.rounds
        assert [cost.bytes_sent[n] for n in simulation.names] == list(declared.bytes_sent)


@pytest.mark.parametrize("protocol", ["replicated3", "replicated3_active", "fantastic4"])
def test_votes_are_counted_by_row(protocol: str) -> None:
    rng = np.random.default_rng(2)
    weights = rng.normal(size=(MODELS, COLUMNS))
    rows = rng.uniform(-1, 1, (9, COLUMNS))
    rows[0] = 0.0  # a score of 0 is a vote for 1
    simulation = Simulation(protocol=protocol)

    def votes(party: Any, weights: Any) -> Any:
        return ensemble_votes(party, weights, fixed(rows))

    found = simulation.open(simulation.run(votes, simulation.share(fixed(weights))))
    positive = (rows @ weights.T >= 0).sum(axis=1)
    np.testing.assert_array_equal(found, np.stack([MODELS - positive, positive], axis=1))
    assert positive[1:].min() > 0 or positive[1:].max() < MODELS
    if protocol != "replicated3_active":
        cost = simulation.driver.cost()
        declared = ensemble_votes_cost(PROTOCOLS[protocol].costs, 9, MODELS)
        assert cost.rounds == declared.rounds
        assert [cost.bytes_sent[n] for n in simulation.names] == list(declared.bytes_sent)
