"""Joint standardisation and training against the same computation in the clear."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from simulation import Simulation

from tacit.errors import InputRefusedError, RangeError
from tacit.functions.logistic import quantized_rate
from tacit.ml.evaluation import ScoreCounts, joint_counts
from tacit.ml.folding import fold
from tacit.ml.plaintext import pooled_moments, train_plaintext
from tacit.ml.plan import TrainingPlan
from tacit.ml.standardization import INPUT_BITS, joint_standardization, standardize
from tacit.ml.training import train
from tacit.models.clear import sigmoid
from tacit.tables import Moments

F = 18
PLAN = TrainingPlan(
    rows=(70, 45, 61), columns=5, epochs=3, batch_size=32, learning_rate=0.5, seed=3
)
MASK = np.array([True, True, False, True, True])


class Rows:
    """An owner's rows in memory."""

    def __init__(self, rng: np.random.Generator, count: int, shift: float) -> None:
        scale = np.array([0.3, 0.01, 0.5, 0.05, 0.2])
        features = rng.normal(size=(count, 5)) * scale + shift * 0.1
        features[:, 2] = features[:, 2] > 0
        self.features: NDArray[np.float64] = np.clip(features, -1, 1)
        truth = (self.features - 0.05) @ np.array([3.0, 90.0, 1.0, -12.0, 0.0])
        self.labels = (rng.random(count) < 1 / (1 + np.exp(-truth))).astype(np.uint8)

    def take(self, indices: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
        return self.features[indices], self.labels[indices]

    @property
    def moments(self) -> Moments:
        return Moments(
            len(self.features), self.features.sum(axis=0), np.square(self.features).sum(axis=0)
        )


@pytest.fixture(scope="module")
def owners() -> list[Rows]:
    rng = np.random.default_rng(5)
    return [Rows(rng, count, shift) for shift, count in enumerate(PLAN.rows)]


def local_moments(rows: Rows) -> NDArray[np.float64]:
    return np.stack([rows.features.mean(axis=0), rows.features.var(axis=0)])


def standardization(simulation: Simulation, owners: list[Rows]) -> list[Any]:
    steps = [
        joint_standardization(party, PLAN.rows, local_moments(rows), MASK, F)
        for party, rows in zip(simulation.parties, owners, strict=True)
    ]
    return simulation.driver.run(steps)


def test_joint_mean_and_deviation_are_those_of_the_pooled_rows(owners: list[Rows]) -> None:
    simulation = Simulation()
    parts = standardization(simulation, owners)
    mean = simulation.open([p.mean for p in parts]) / 2.0**INPUT_BITS
    inverse = simulation.open([p.inverse_deviation for p in parts]) / 2.0**F
    expected_mean, expected_inverse = pooled_moments([rows.moments for rows in owners], MASK)
    np.testing.assert_allclose(mean, expected_mean, atol=2**-24)
    np.testing.assert_allclose(inverse, expected_inverse, rtol=2e-3)
    assert mean[2] == 0.0
    assert inverse[2] == 1.0


def test_standardised_rows_have_mean_0_and_deviation_1(owners: list[Rows]) -> None:
    simulation = Simulation()
    by = standardization(simulation, owners)
    rows = np.concatenate([rows.features for rows in owners])
    shared = simulation.share(np.rint(rows * 2.0**INPUT_BITS).astype(np.int64))
    result = simulation.driver.run(
        [standardize(p, shared[i], by[i]) for i, p in enumerate(simulation.parties)]
    )
    opened = simulation.open(result)[:, MASK] / 2.0**F
    np.testing.assert_allclose(opened.mean(axis=0), 0.0, atol=2e-3)
    np.testing.assert_allclose(opened.std(axis=0), 1.0, atol=1e-2)


@pytest.mark.parametrize("decay", [0.0, 0.01])
def test_training_on_shares_gives_the_weights_of_training_in_the_clear(
    owners: list[Rows], decay: float
) -> None:
    simulation = Simulation()
    plan = replace(PLAN, decay=decay)
    by = standardization(simulation, owners)
    steps_seen: list[int] = []
    trained = simulation.driver.run(
        [
            train(party, plan, owners[i], by[i], steps_seen.append if i == 0 else lambda step: None)
            for i, party in enumerate(simulation.parties)
        ]
    )
    assert steps_seen == list(range(1, plan.steps + 1))
    folded = simulation.driver.run(
        [fold(p, trained[i].parameters, by[i], F) for i, p in enumerate(simulation.parties)]
    )
    coefficients = simulation.open([part[0] for part in folded])[:, 0] / 2.0**F
    intercept = simulation.open([part[1] for part in folded])[0] / 2.0**F
    mean, inverse = pooled_moments([rows.moments for rows in owners], MASK)
    weights, bias = train_plaintext(plan, owners, mean, inverse)
    np.testing.assert_allclose(coefficients / inverse, weights[:, 0] / inverse, atol=5e-3)
    rows = np.concatenate([rows.features for rows in owners])
    found = sigmoid(rows @ coefficients + intercept)
    np.testing.assert_allclose(found, sigmoid(rows @ weights + bias)[:, 0], atol=3e-3)


def test_losses_are_revealed_only_when_agreed_and_are_right(owners: list[Rows]) -> None:
    for every in (0, 2):
        simulation = Simulation()
        by = standardization(simulation, owners)
        plan = replace(PLAN, loss_every=every, learning_rate=1e-3, epochs=1)
        trained = simulation.driver.run(
            [train(p, plan, owners[i], by[i]) for i, p in enumerate(simulation.parties)]
        )
        assert trained[0].losses == trained[1].losses == trained[2].losses
        assert len(trained[0].losses) == (0 if every == 0 else 3)
        # From zero weights every prediction is about one half.
        np.testing.assert_allclose(trained[0].losses, 0.25, atol=5e-3)


def test_a_step_that_would_round_to_nothing_is_refused() -> None:
    with pytest.raises(RangeError, match="too small") as caught:
        quantized_rate(1e-9, 1000)
    assert caught.value.code == "TC-1312"


def test_counts_are_summed_and_shown_to_recipients_alone() -> None:
    simulation = Simulation()
    rng = np.random.default_rng(0)
    counts = [
        ScoreCounts(rng.integers(0, 50, 16), rng.integers(0, 9, 16), float(rng.random() * 100))
        for _ in range(3)
    ]
    results = simulation.driver.run(
        [
            joint_counts(party, counts[i] if i != 1 else None, 16, (0, 2), (0,))
            for i, party in enumerate(simulation.parties)
        ]
    )
    assert results[1] is None
    assert results[2] is None
    joint = results[0]
    assert joint is not None
    np.testing.assert_array_equal(joint.negatives, counts[0].negatives + counts[2].negatives)
    np.testing.assert_array_equal(joint.positives, counts[0].positives + counts[2].positives)
    assert joint.squared_error == pytest.approx(
        counts[0].squared_error + counts[2].squared_error, abs=1e-5
    )


def test_where_parties_may_deviate_rows_are_checked_and_give_the_same_model() -> None:
    """An owner whose features leave [-1, 1] is refused by all before its batch is used."""
    rng = np.random.default_rng(6)
    rows = [Rows(rng, count, shift) for shift, count in enumerate(PLAN.rows)]
    plan = replace(PLAN, epochs=1)

    def trained(protocol: str) -> NDArray[Any]:
        simulation = Simulation(protocol=protocol, rounding="exact")
        by = standardization(simulation, rows)
        parts = zip(simulation.parties, rows, by, strict=True)
        models = simulation.driver.run([train(p, plan, own, b) for p, own, b in parts])
        return simulation.open([model.parameters[0] for model in models])

    np.testing.assert_array_equal(trained("replicated3_active"), trained("replicated3"))
    rows[1].features[3, 0] = 1 + 2.0**-20
    trained("replicated3")
    with pytest.raises(InputRefusedError) as caught:
        trained("replicated3_active")
    assert caught.value.parties == ("bob",)
