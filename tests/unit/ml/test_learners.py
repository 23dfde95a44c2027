"""Every learner and optimiser on shares, against the same training in the clear."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from simulation import Simulation
from test_training import MASK, Rows, local_moments

from tacit.errors import RangeError
from tacit.ml.folding import fold, unfold
from tacit.ml.learners import learner_of
from tacit.ml.learners.perceptron import dropped, glorot
from tacit.ml.plaintext import pooled_moments, train_plaintext
from tacit.ml.plan import DEFAULT_RATES, EarlyStopping, Optimiser, TrainingPlan, schedule
from tacit.ml.privacy.terms import PrivateTerms, Spent
from tacit.ml.standardization import joint_standardization
from tacit.ml.stopping import Stopper
from tacit.ml.training import train

F = 18
MLP = TrainingPlan(
    rows=(70, 45, 61),
    columns=5,
    epochs=2,
    batch_size=32,
    learning_rate=0.3,
    seed=3,
    kind="mlp",
    hidden=(6, 4),
)
LINEAR = replace(MLP, kind="logistic", hidden=())
MOMENTUM = Optimiser(momentum=0.9)
ADAM = Optimiser(solver="adam")
PLANS = {
    "plain": MLP,
    "tanh": replace(MLP, activation="tanh", decay=0.05),
    "nesterov": replace(MLP, optimiser=Optimiser(momentum=0.9, nesterov=True), learning_rate=0.1),
    "adam": replace(MLP, optimiser=ADAM, learning_rate=0.02),
    "dropout": replace(MLP, dropout=0.25, hidden=(8,), optimiser=MOMENTUM, learning_rate=0.1),
    "dropped logistic units": replace(MLP, dropout=0.25, activation="logistic", decay=0.01),
    "weights": replace(MLP, class_weights=(0.5, 3.25), learning_rate=0.1),
    "cosine": replace(MLP, optimiser=Optimiser(schedule="cosine", warm_up=3)),
    "linear model": replace(LINEAR, optimiser=MOMENTUM, decay=0.01),
    "linear model, adam": replace(LINEAR, optimiser=ADAM, learning_rate=0.05),
    "stopping": replace(
        MLP, epochs=9, learning_rate=2.0, stopping=EarlyStopping(fraction=0.3, patience=1)
    ),
}


@pytest.fixture(scope="module")
def owners() -> list[Rows]:
    rng = np.random.default_rng(5)
    return [Rows(rng, count, shift) for shift, count in enumerate(MLP.rows)]


def moments(own: Rows | None) -> Any:
    return None if own is None else local_moments(own)


def learned(plan: TrainingPlan, owners: list[Rows], **options: Any) -> tuple[list[Any], Any]:
    """The folded parameters of a training on shares, and what was revealed on the way."""
    simulation = Simulation(**options)
    parties = list(zip(simulation.parties, owners, strict=True))
    by = simulation.driver.run(
        [joint_standardization(p, plan.rows, moments(own), MASK, F) for p, own in parties]
    )
    trained = simulation.driver.run(
        [train(p, plan, own, b) for (p, own), b in zip(parties, by, strict=True)]
    )
    folded = simulation.driver.run(
        [
            fold(p, t.parameters, b, F)
            for p, t, b in zip(simulation.parties, trained, by, strict=True)
        ]
    )
    found = [simulation.open(list(parts)) / 2.0**F for parts in zip(*folded, strict=True)]
    return found, trained[0]


def decisions(plan: TrainingPlan, parameters: list[Any], rows: NDArray[np.float64]) -> Any:
    from tacit.models.clear import activated

    a = rows
    for place in range(0, len(parameters), 2):
        a = a @ parameters[place] + parameters[place + 1]
        a = a if place == len(parameters) - 2 else activated(plan.activation, a)
    return a[:, 0]


@pytest.mark.parametrize("name", PLANS)
def test_a_training_on_shares_is_the_one_in_the_clear(name: str, owners: list[Rows]) -> None:
    plan = PLANS[name]
    found, trained = learned(plan, owners)
    mean, inverse = pooled_moments([rows.moments for rows in owners], MASK)
    losses: list[int] = []
    expected = train_plaintext(plan, owners, mean, inverse, losses.append)
    rows = np.concatenate([own.features for own in owners])
    difference = decisions(plan, found, rows) - decisions(plan, expected, rows)
    assert np.abs(difference).max() < 0.03
    assert trained.steps == len(losses)
    begun = [*glorot(plan)]
    moved = decisions(plan, expected, (rows - mean) * inverse) - decisions(plan, begun, rows)
    assert np.abs(moved).max() > 0.3
    if plan.stopping is not None:
        assert len(trained.metrics) == trained.steps // plan.steps_an_epoch < plan.epochs
        assert trained.metrics[-1] > min(trained.metrics)  # the last is not the best
    else:
        assert trained.metrics == []


@pytest.mark.parametrize("plan", [LINEAR, MLP])
def test_what_private_training_is_compared_to_takes_usual_steps(
    plan: TrainingPlan, owners: list[Rows]
) -> None:
    """Its columns are standardised: the long steps that scaled ones need would throw it about."""
    rate = DEFAULT_RATES[plan.kind, "sgd"]
    usual = replace(plan, learning_rate=rate)
    terms = PrivateTerms(
        clip=1.0,
        noise_multiplier=1.0,
        delta=1e-6,
        rate=1,
        slots=(1, 1, 1),
        training=Spent(epsilon=1.0, delta=1e-6, approximation=0.0),
    )
    mean, inverse = pooled_moments([rows.moments for rows in owners], MASK)
    expected = train_plaintext(usual, owners, mean, inverse)
    for given in (8.0, rate):
        private = replace(usual, learning_rate=given, privacy=terms)
        for found, wanted in zip(
            train_plaintext(private, owners, mean, inverse), expected, strict=True
        ):
            np.testing.assert_array_equal(found, wanted)


def test_four_parties_that_may_deviate_learn_the_same(owners: list[Rows]) -> None:
    plan = replace(PLANS["weights"], epochs=1)
    four = learned(plan, [*owners, None], protocol="fantastic4")[0]  # type: ignore[list-item]
    three = learned(plan, owners)[0]
    for one, other in zip(four, three, strict=True):
        np.testing.assert_allclose(one, other, atol=5e-3, rtol=5e-3)


def test_folding_comes_out_again(owners: list[Rows]) -> None:
    simulation = Simulation()
    by = simulation.driver.run(
        [
            joint_standardization(p, MLP.rows, local_moments(own), MASK, F, deviation=True)
            for p, own in zip(simulation.parties, owners, strict=True)
        ]
    )
    parameters = [simulation.share(np.rint(a * 2**F).astype(np.int64)) for a in glorot(MLP)]

    def there_and_back(party: Any, by: Any, *values: Any) -> Any:
        folded = yield from fold(party, values, by, F)
        return (yield from unfold(party, folded, by, by.deviation))

    found = simulation.run(there_and_back, by, *parameters)
    for place, expected in enumerate(glorot(MLP)):
        opened = simulation.open([part[place] for part in found]) / 2.0**F
        np.testing.assert_allclose(opened, expected, atol=2e-3)


def test_public_draws_repeat_and_differ() -> None:
    plan = PLANS["dropout"]
    one, other = dropped(plan, 3, 400)[0], dropped(plan, 4, 400)[0]
    assert (one == dropped(plan, 3, 400)[0]).all()
    assert (one != other).any()
    assert one.mean() == pytest.approx(0.75, abs=0.05)
    again = replace(plan, seed=4)
    assert not np.array_equal(glorot(plan)[0], glorot(again)[0])


def test_rows_set_apart_are_in_no_step() -> None:
    plan = PLANS["stopping"]
    apart = plan.validation
    assert [len(rows) for rows in apart] == [21, 14, 18]  # 13.5 rounds to even
    seen: list[set[int]] = [set(), set(), set()]
    for batch in schedule(replace(plan, epochs=1)):
        for owner, rows in enumerate(batch):
            assert not seen[owner] & set(rows.tolist())
            seen[owner] |= set(rows.tolist())
    for owner, count in enumerate(plan.rows):
        assert seen[owner] | set(apart[owner].tolist()) == set(range(count))
        assert not seen[owner] & set(apart[owner].tolist())


def test_few_rows_are_set_apart_too() -> None:
    plan = replace(MLP, rows=(3, 1, 0), stopping=EarlyStopping(fraction=0.1))
    assert [len(rows) for rows in plan.validation] == [1, 0, 0]
    assert plan.fit_rows == (2, 1, 0)
    nothing = replace(plan, rows=(1, 1))
    assert not Stopper(nothing).due(nothing.steps_an_epoch)


def test_the_best_epoch_and_patience() -> None:
    plan = replace(MLP, stopping=EarlyStopping(patience=2, tolerance=0.01))
    stopper = Stopper(plan)
    assert stopper.due(plan.steps_an_epoch)
    assert not stopper.due(plan.steps_an_epoch - 1)
    assert [stopper.add(m) for m in (0.5, 0.495, 0.4)] == [True, False, True]
    assert not stopper.over
    assert not stopper.add(0.41)
    assert not stopper.over
    assert not Stopper(plan, stopper.metrics).add(0.3999)  # too little to be better
    stopper.add(0.45)
    assert stopper.over
    assert not Stopper(MLP).due(10)


@pytest.mark.parametrize(
    ("how", "factors"),
    [
        (Optimiser(), [1, 1, 1]),
        (Optimiser(schedule="linear"), [1, 0.5, 0.01]),
        (Optimiser(schedule="cosine"), [1, 0.5, 0.01]),
        (Optimiser(schedule="step", drop=0.5), [1, 0.03125, 0.01]),
        (Optimiser(schedule="step", drop=0.5, drop_every=4), [1, 0.5, 0.25]),
        (Optimiser(warm_up=4), [0.2, 1, 1]),
    ],
)
def test_schedules(how: Optimiser, factors: list[float]) -> None:
    steps = [how.factor(step, 100, 10) for step in (0, 50, 99)]
    assert steps == pytest.approx(factors, abs=0.02)


def test_rates_that_no_step_can_hold_are_refused_before_the_first() -> None:
    for plan in (
        replace(MLP, learning_rate=1e-10),
        replace(LINEAR, learning_rate=1e-10),
        replace(MLP, learning_rate=1e-9, optimiser=Optimiser(schedule="cosine")),
    ):
        with pytest.raises(RangeError):
            learner_of(plan).check()
    learner_of(replace(MLP, optimiser=Optimiser(schedule="cosine", warm_up=9))).check()


@pytest.mark.parametrize("how", [MOMENTUM, ADAM])
def test_sums_over_large_batches_and_weights_do_not_wrap(how: Optimiser) -> None:
    """A gradient's factor has fewer bits then; with all of them these sums would be 2^28."""
    rng = np.random.default_rng(8)
    rows, labels = rng.normal(size=(40_000, 5)), np.ones(40_000)
    plan = replace(
        LINEAR,
        rows=(40_000,),
        batch_size=40_000,
        epochs=1,
        optimiser=how,
        learning_rate=0.1,
        class_weights=(1.0, 100.0) if how is MOMENTUM else (1.0, 8.0),
    )
    rows[:, 0] = 1.5
    learner, simulation = learner_of(plan), Simulation()
    x, y = (simulation.share(np.rint(a * 2**F).astype(np.int64)) for a in (rows, labels))

    def steps(party: Any, x: Any, y: Any) -> Any:
        values = learner.initial(party)
        for number in range(3):
            values, _ = yield from learner.step(party, values, x, y, number)
        return values

    moved = simulation.run(steps, x, y)
    weights = simulation.open([values[0] for values in moved])[:, 0] / 2.0**F
    assert weights[0] > 0.1
    assert np.abs(weights[1:]).max() < 0.4 * weights[0]
