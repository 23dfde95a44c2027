"""Private training: samples, terms, steps, what is sealed, and what must not happen twice."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hub import Ground, Hub
from msgspec import structs
from numpy.typing import NDArray
from scipy import stats
from simulation import FOUR, Simulation

from tacit.errors import PartyLostError, RangeError, SchemaError, UsageError
from tacit.functions.clipping import clipping_plan
from tacit.functions.noise import gaussian_plan
from tacit.ml import private
from tacit.ml.drift import Drift
from tacit.ml.evaluation import ScoreCounts
from tacit.ml.job import run_party
from tacit.ml.learners.private import LARGEST_WEIGHT, PrivateLearner
from tacit.ml.metrics import BINS
from tacit.ml.plan import EarlyStopping, Optimiser, TrainingPlan
from tacit.ml.privacy import accounting
from tacit.ml.privacy.agreement import check_choice, check_schema, private_plan
from tacit.ml.privacy.sampling import (
    RATE_BITS,
    TAIL_BITS,
    PoissonSampler,
    sampling_rate,
    slots_for,
    tail_bound,
)
from tacit.ml.privacy.terms import NOISY_BINS, Privacy, PrivateTerms, Spent, spent_of
from tacit.ml.private import PrivateTraining
from tacit.ml.records import TrainingSettings
from tacit.ml.start import Start
from tacit.ml.ways import TrainingJob
from tacit.protocols import PROTOCOLS
from tacit.rounds.randomness import SeededRandomness
from tacit.sessions import PartySession
from tacit.sessions.context import PartyContext
from tacit.storage import Place, create_key
from tacit.tables import Column, Schema

ONE = 1 << 18
PLAN = TrainingPlan(
    rows=(70, 45, 61), columns=3, epochs=2, batch_size=40, learning_rate=1.0, seed=3
)


def terms(plan: TrainingPlan, noise: float = 1.0, clip: float = 1.0, **more: Any) -> TrainingPlan:
    rate = sampling_rate(plan.batch_size, sum(plan.rows))
    return replace(
        plan,
        privacy=PrivateTerms(
            clip=clip,
            noise_multiplier=noise,
            delta=1e-6,
            rate=rate,
            slots=tuple(slots_for(n, rate) for n in plan.rows),
            training=Spent(epsilon=1.0, delta=1e-6, approximation=0.0),
            **more,
        ),
    )


# Sampling.


def test_samples_are_poisson() -> None:
    rows, rate = 200, sampling_rate(20, 100)
    sampler = PoissonSampler(rows, rate, rows, SeededRandomness(1))
    found = np.zeros((400, rows), bool)
    for step in range(400):
        found[step, sampler.sample()] = True
    assert stats.binomtest(int(found.sum()), found.size, 0.2).pvalue > 1e-4
    sizes = found.sum(axis=1)
    assert (
        stats.chisquare(
            np.bincount(np.digitize(sizes, [34, 38, 42, 46]), minlength=5),
            np.diff(np.r_[0, stats.binom.cdf([33, 37, 41, 45], rows, 0.2), 1]) * 400,
        ).pvalue
        > 1e-4
    )
    pairs = (found[:, ::2] & found[:, 1::2]).sum()  # rows are in on their own
    assert stats.binomtest(int(pairs), found.size // 2, 0.04).pvalue > 1e-4
    other = PoissonSampler(rows, rate, rows, SeededRandomness(2))
    assert not np.array_equal(other.sample(), np.flatnonzero(found[0]))


def test_slots_hold_all_but_one_sample_in_2_to_the_46() -> None:
    for rows, batch, total in ((133_333, 1024, 400_000), (50, 10, 100), (7, 100, 100), (0, 5, 10)):
        rate = sampling_rate(batch, total)
        slots, p = slots_for(rows, rate), rate / 2**RATE_BITS
        exact = float(stats.binom.sf(slots, rows, p))
        assert exact <= tail_bound(rows, rate, slots) <= 2.0**-TAIL_BITS
        assert slots <= rows
        assert not slots or tail_bound(rows, rate, slots - 1) > 2.0**-TAIL_BITS


# Accounting.


def test_epsilon_against_moments_by_hand() -> None:
    """Renyi divergence of whole orders is an upper bound that holds for discrete noise, too."""
    plan = clipping_plan((10, 1), 1.0, 400)
    rate = 1 << (RATE_BITS - 6)
    arguments = {"rate": rate, "rows": (10_000,), "slots": (400,), "steps": 300, "delta": 1e-6}
    found = accounting.spent(plan, 1.0, **arguments)  # type: ignore[arg-type]
    q, best = 1 / 64, np.inf
    for order in range(2, 64):
        k = np.arange(order + 1)
        logs = stats.binom.logpmf(k, order, q) + (k * k - k) / 2
        moment = 300 * np.logaddexp.reduce(logs) / (order - 1)
        best = min(best, moment + np.log(1e6) / (order - 1))
    assert 0.5 * best < found.epsilon < best
    assert 0 < found.approximation < 1e-9
    assert accounting.spent(plan, 2.0, **arguments).epsilon < found.epsilon  # type: ignore[arg-type]


def test_the_least_noise_that_keeps_epsilon() -> None:
    plan = clipping_plan((10, 1), 1.0, 400)
    arguments = {"rate": 1 << 26, "rows": (10_000,), "slots": (400,), "steps": 40, "delta": 1e-6}
    noise = accounting.fitting_noise(plan, 1.5, **arguments)  # type: ignore[arg-type]
    assert accounting.spent(plan, noise, **arguments).epsilon <= 1.5  # type: ignore[arg-type]
    assert accounting.spent(plan, 0.96 * noise, **arguments).epsilon > 1.5  # type: ignore[arg-type]


def test_votes_spend_as_the_gaussian_mechanism_does() -> None:
    found = accounting.epsilon_of_votes(40.0, 2, 100, 1e-6)
    z = 40 / np.sqrt(2 * 100)
    low, high = 0.0, 50.0
    while high - low > 1e-9:  # Balle, Wang 2018
        e = (low + high) / 2
        delta = stats.norm.cdf(0.5 / z - e * z) - np.exp(e) * stats.norm.cdf(-0.5 / z - e * z)
        low, high = (e, high) if delta > 1e-6 else (low, e)
    assert found.epsilon == pytest.approx(high, rel=2e-3)
    sigma = accounting.vote_noise(2.0, 1e-6, 2, 100)
    assert accounting.epsilon_of_votes(sigma, 2, 100, 1e-6).epsilon <= 2.0


@pytest.mark.parametrize(
    ("epsilon", "delta"), [(0.0, 1e-6), (-1, 1e-6), (99, 1e-6), (1, 0.5), (1, 0)]
)
def test_budgets_that_promise_nothing_are_refused(epsilon: float, delta: float) -> None:
    with pytest.raises(RangeError, match="TC-1325"):
        accounting.checked_budget(epsilon, delta)


def test_a_delta_that_does_not_pay_for_approximations_is_refused() -> None:
    plan = clipping_plan((10, 1), 1.0, 400)
    with pytest.raises(RangeError, match="TC-1324"):
        accounting.spent(
            plan, 2.0, rate=1 << 26, rows=(10_000,), slots=(200,), steps=300, delta=1e-12
        )


# What is refused.


def test_what_would_tell_of_rows_without_noise_is_refused() -> None:
    fine = TrainingSettings(file=None, label="y", schema="schema.json")
    check_choice(fine)
    for changed in (
        {"schema": None},
        {"reveal_loss": True},
        {"start": Start(name="fraud")},
        {"stopping": EarlyStopping()},
        {"vertical": True},
        {"drift": Drift()},
        {"optimiser": Optimiser(solver="adam")},
        {"class_weights": (1.0, 3.0)},
        {"dropout": 0.2},
        {"hidden": (4,), "activation": "tanh"},
    ):
        with pytest.raises(UsageError, match="TC-1047"):
            check_choice(structs.replace(fine, **changed))


def test_columns_that_are_prepared_from_other_rows_are_refused() -> None:
    label = Column("y", "boolean")
    x = Column("x", "number", (0.0, 1.0))
    check_schema(Schema(columns=(x, label), label="y"))
    for changed in ({"missing": "mean"}, {"clip": (0.01, 0.99)}):
        with pytest.raises(SchemaError, match="TC-2240"):
            check_schema(Schema(columns=(structs.replace(x, **changed), label), label="y"))


def test_terms_say_what_is_spent_before_anything_is_trained() -> None:
    asked = Privacy(noise_multiplier=1.0, delta=1e-5, clip=0.5)
    plan = replace(PLAN, rows=(7000, 4500, 6100), epochs=1, batch_size=800)
    found = private_plan(plan, asked, evaluated=True).privacy
    assert found is not None
    assert 1.0 < found.training.epsilon < 3.0
    assert found.held_out is not None
    assert found.held_out.epsilon <= found.training.epsilon
    assert found.evaluation_noise > 1.7
    assert 800 < found.examples < 1400
    explicit = private_plan(plan, Privacy(noise_multiplier=2.0, delta=1e-5), evaluated=False)
    assert explicit.privacy is not None
    assert explicit.privacy.noise_multiplier == 2.0
    assert explicit.privacy.held_out is None
    for wrong in ({"noise_multiplier": 0.05}, {"epsilon": 2.0, "delta": 0.3}, {"epsilon": -1.0}):
        with pytest.raises(RangeError, match="TC-132"):
            private_plan(plan, structs.replace(Privacy(), **wrong), evaluated=False)


def test_steps_so_long_that_weights_could_overflow_are_refused() -> None:
    with pytest.raises(RangeError, match="TC-1327"):
        PrivateLearner(terms(replace(PLAN, learning_rate=16.0, batch_size=1), noise=50.0)).check()


@pytest.mark.parametrize(
    ("rate", "decay", "momentum", "fine"),
    [
        (4.0, 1.0, 0.0, False),
        (1.0, 0.25, 0.0, True),
        (1.0, 0.2, 0.9, False),
        (1.0, 0.02, 0.9, True),
    ],
)
def test_a_penalty_that_makes_weights_grow_is_refused(
    rate: float, decay: float, momentum: float, fine: bool
) -> None:
    plan = terms(
        replace(PLAN, learning_rate=rate, decay=decay, optimiser=Optimiser(momentum=momentum))
    )
    learner = PrivateLearner(plan)
    if not fine:
        with pytest.raises(RangeError, match="TC-1327"):
            learner.check()
        return
    learner.check()
    # The same on one weight, with steps that push outwards as far as rows and noise can.
    total = plan.privacy.examples * learner.clipping.clip  # type: ignore[union-attr]
    total += learner.noise.bound / (1 << learner.clipping.grid_bits)
    weight, velocity, largest = learner.clipping.weight_norm, 0.0, 0.0
    for _ in range(500):
        push = -np.sign(weight) * rate * total / plan.batch_size
        velocity = push + rate * decay * weight + momentum * velocity
        half = weight / 2 if abs(weight) > learner.clipping.weight_norm else 0.0
        weight -= half + velocity
        largest = max(largest, abs(weight))
    assert largest < LARGEST_WEIGHT


def test_a_refused_penalty_would_have_made_weights_grow() -> None:
    plan = terms(replace(PLAN, learning_rate=4.0, decay=1.0))
    x, y = data()
    values = [np.full(s, 8.0) for s in plan.shapes]
    sizes = []
    for _ in range(3):
        values = one_step(plan, values, x, y, np.zeros(60), np.zeros(4))
        sizes.append(np.abs(np.concatenate([v.reshape(-1) for v in values])).max())
    assert 8.0 < sizes[0] < sizes[1] < sizes[2]


# One step.


def data(seed: int = 5, rows: int = 60) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    rng = np.random.default_rng(seed)
    x = np.rint(rng.uniform(-1, 1, (rows, 3)) * ONE) / ONE
    return x, (x[:, 0] > 0.2).astype(float)


def in_the_clear(
    plan: TrainingPlan, values: list[Any], x: Any, y: Any, taken: Any, noise: Any
) -> list[Any]:
    """The same step with NumPy's floats: DP-SGD by the book, a row at a time."""
    assert plan.privacy is not None
    w = values
    total = np.zeros(sum(a.size for a in w))
    for row in np.flatnonzero(taken):
        a, acts = x[row], [x[row]]
        for k in range(0, len(w) - 2, 2):
            a = np.maximum(a @ w[k] + w[k + 1], 0)
            acts.append(a)
        p = 1 / (1 + np.exp(-(a @ w[-2] + w[-1])))
        delta, parts = p - y[row], []
        for k in range(len(w) - 2, -1, -2):
            under = acts[k // 2]
            parts[:0] = [np.outer(under, delta).reshape(-1), delta]
            delta = (w[k] @ delta) * (under > 0)
        g = np.concatenate(parts)
        total += g * min(1.0, plan.privacy.clip / max(np.linalg.norm(g), 1e-12))
    change = (total + noise) * plan.learning_rate / plan.batch_size
    flat = np.concatenate([a.reshape(-1) for a in w])
    change += plan.learning_rate * plan.decay * flat
    flat = flat - change
    found, start = [], 0
    for a in w:
        found.append(flat[start : start + a.size].reshape(a.shape))
        start += a.size
    return found


def one_step(
    plan: TrainingPlan, values: list[Any], x: Any, y: Any, taken: Any, noise: Any, **more: Any
) -> list[Any]:
    session = Simulation(**more)
    learner = PrivateLearner(plan)
    grid = 1 << learner.clipping.grid_bits
    encoded = [np.rint(a * ONE).astype(np.int64) for a in (*values, x, y)]
    shared = [session.share(a) for a in encoded]
    bits = session.share_bits(np.asarray(taken, np.uint8))
    drawn = session.share(np.rint(np.asarray(noise) * grid).astype(np.int64))

    def step(party: Any, *parts: Any) -> Any:
        *w, x, y, t, n = parts
        return learner.private_step(party, tuple(w), x, y, t, n, 0)

    found = session.run(step, *shared, bits, drawn)
    return [
        session.open([part[k] for part in found]).astype(np.int64) / ONE for k in range(len(values))
    ]


@pytest.mark.parametrize(
    ("hidden", "protocol"),
    [
        ((), "replicated3"),
        ((4,), "fantastic4"),
        ((5, 3), "replicated3"),
        ((4,), "replicated3_active"),
    ],
)
def test_a_step_is_private_gradient_descent(hidden: tuple[int, ...], protocol: str) -> None:
    plan = terms(
        replace(PLAN, kind="mlp" if hidden else "logistic", hidden=hidden, decay=0.01), clip=0.4
    )
    rng = np.random.default_rng(1)
    values = [np.rint(rng.normal(0, 0.5, s) * ONE) / ONE for s in plan.shapes]
    x, y = data()
    taken = rng.integers(0, 2, 60)
    noise = rng.normal(0, 0.5, sum(a.size for a in values))
    found = one_step(plan, values, x, y, taken, noise, protocol=protocol)
    expected = in_the_clear(plan, values, x, y, taken, noise)
    for one, other, before in zip(found, expected, values, strict=True):
        # Factors come in steps of 12 %: clipped rows may count that much less.
        np.testing.assert_allclose(one, other, atol=0.12 * 0.4 * 60 / 40)
        assert np.abs(one - before).max() > 1e-4
    unclipped = terms(replace(plan, privacy=None), clip=16.0)
    found = one_step(unclipped, values, x, y, taken, noise)
    expected = in_the_clear(unclipped, values, x, y, taken, noise)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=3e-3)


def test_a_batch_of_blank_rows_is_noise_alone_and_doubled_rows_count_twice() -> None:
    plan = terms(PLAN, clip=1.0)
    values = [np.zeros(s) for s in plan.shapes]
    x, y = data()
    noise = np.linspace(-1, 1, 4)
    nothing = one_step(plan, values, x, y, np.zeros(60), noise)
    np.testing.assert_allclose(
        np.concatenate([a.reshape(-1) for a in nothing]), -noise / 40, atol=1e-4
    )
    once = one_step(plan, values, x[:1], y[:1], [1], 0 * noise)
    twice = one_step(plan, values, x[[0, 0]], y[[0, 0]], [1, 1], 0 * noise)
    for a, b in zip(once, twice, strict=True):
        np.testing.assert_allclose(2 * a, b, atol=2e-4)


def test_huge_weights_teach_nothing_and_come_back() -> None:
    plan = terms(replace(PLAN, kind="mlp", hidden=(4,)))
    values = [np.full(s, 900.0) for s in plan.shapes]
    x, y = data()
    noise = np.zeros(sum(a.size for a in values))
    found = one_step(plan, values, x, y, np.ones(60), noise)
    for one in found:
        np.testing.assert_allclose(one, 450.0, atol=1e-3)


def test_neighbours_differ_by_at_most_the_sensitivity() -> None:
    """Every row in turn, with it and without it; gradients far above the clip."""
    plan = terms(replace(PLAN, kind="mlp", hidden=(4,)), clip=0.3)
    learner, session = PrivateLearner(plan), Simulation(rounding="exact")
    rng = np.random.default_rng(2)
    values = [np.rint(rng.normal(0, 4.0, s) * ONE).astype(np.int64) for s in plan.shapes]
    x, y = data(rows=12)
    shared = [session.share(a) for a in values]
    shared += [session.share(np.rint(a * ONE).astype(np.int64)) for a in (x, y)]
    size = learner.clipping.size

    def sums(taken: NDArray[np.uint8]) -> NDArray[np.float64]:
        def step(party: Any, *parts: Any) -> Any:
            *w, x, y, t, n = parts
            return learner.private_step(party, tuple(w), x, y, t, n, 0)

        bits = session.share_bits(taken)
        found = session.run(step, *shared, bits, session.share(np.zeros(size, np.int64)))
        parts = [
            session.open([p[k] for p in found]).astype(np.int64).reshape(-1)
            for k in range(len(values))
        ]
        return np.concatenate(parts) / ONE * plan.batch_size / plan.learning_rate

    everyone = np.ones(12, np.uint8)
    whole = sums(everyone)
    bound = learner.clipping.sensitivity / (1 << learner.clipping.grid_bits)
    moved = []
    for row in range(12):
        without = everyone.copy()
        without[row] = 0
        moved.append(np.linalg.norm(whole - sums(without)))
    assert max(moved) <= bound + 1e-3
    assert max(moved) > 0.2  # and the rows do teach


# The whole training.


class Rows:
    """An owner's rows in memory."""

    def __init__(self, seed: int, count: int) -> None:
        rng = np.random.default_rng(seed)
        self.features = rng.uniform(-1, 1, (count, 3))
        self.labels = (self.features[:, 1] > 0.1).astype(np.uint8)

    def take(self, indices: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
        return self.features[indices], self.labels[indices]


class Phases:
    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        yield

    def reporter(self, phase: str, total: int, unit: str = "steps") -> Any:
        return lambda done: None


class Stopped(Exception):
    """The program ends here."""


def trained(
    folder: Path | None,
    plan: TrainingPlan,
    *,
    protocol: str = "fantastic4",
    resume: bool = False,
    stop: int = -1,
    seed: int = 1,
    way: Any = PrivateTraining,
) -> dict[str, Any]:
    names = FOUR[: PROTOCOLS[protocol].security.parties]

    def program(ground: Ground) -> Any:
        index = names.index(ground.name)
        own = Rows(index, plan.rows[index]) if index < 3 else None
        place = None
        if folder is not None:
            key = folder / f"{ground.name}.key"
            if not key.exists():
                create_key(key)
            place = Place(str(folder / ground.name), str(key))
        mask = np.zeros(3, bool)
        job = TrainingJob(plan, b"job", mask, place, 1 if folder else 0, resume)
        with ground.connect(names, protocol, b"job", {}) as mesh:
            session = PartySession.over(
                PROTOCOLS[protocol],
                mesh,  # type: ignore[arg-type]
                rounding="exact",
                threads=1,
            )

            def on_step(done: int) -> None:
                if done == stop:
                    raise Stopped

            with session:
                training = way(session, job, own, randomness=SeededRandomness(100 * seed + index))
                training.prepare(Phases())
                try:
                    course = training.train(on_step)
                except Stopped:
                    return None
                except PartyLostError:  # where another one stopped first
                    assert stop >= 0
                    return None
                model = training.reveal((0, 1))
                counts = ScoreCounts(np.full(BINS, 3), np.full(BINS, 2), 5.0) if index < 2 else None
                joint, whose = training.evaluate(counts, (0, 1), (0, 1))
            assert course.losses == []
            return model, joint, whose

    hub = Hub(names, seed=seed)
    outcome = hub.run(dict.fromkeys(names, program))
    assert outcome.errors == {}, outcome.errors
    return outcome.results


@lru_cache
def quiet() -> TrainingPlan:
    return terms(replace(PLAN, epochs=1, batch_size=90), noise=0.2, evaluation_noise=4.0)


@pytest.mark.parametrize("protocol", ["replicated3", "fantastic4"])
def test_training_learns_and_only_recipients_know(protocol: str, tmp_path: Path) -> None:
    found = trained(
        tmp_path, terms(replace(PLAN, epochs=1, learning_rate=8.0), noise=0.05), protocol=protocol
    )
    model, joint, whose = found["alice"]
    weights, bias = model[:3], model[3]
    assert weights[1] > 1.0 > abs(weights[0])
    assert bias < 0.3
    assert found["carol"][0] is None
    assert joint is None
    assert whose == ()


def test_noise_is_on_everything_that_is_revealed(tmp_path: Path) -> None:
    """Without data the model is noise of the right deviation; counts have theirs."""
    plan = terms(
        replace(PLAN, rows=(0, 0, 0), epochs=1, columns=3), noise=3.0, evaluation_noise=4.0
    )
    plan = replace(plan, rows=(1, 1, 1), batch_size=1)
    assert plan.privacy is not None
    models, counts = [], []
    for seed in range(6):
        found = trained(None, plan, protocol="replicated3", seed=seed)
        models.append(found["alice"][0])
        joint = found["alice"][1]
        assert joint.negatives.shape == (NOISY_BINS,)
        assert joint.negatives.min() >= 0
        counts.append(np.r_[joint.negatives - 192, joint.positives - 128])
    deviation = np.std(np.concatenate(counts))
    assert 3.6 < deviation < 4.4
    spread = np.std(np.concatenate(models))
    assert 3.0 < spread < 9.0  # three steps of rate 1, noise 3, and what three rows teach


def went_on(folder: Path, name: str, way: Any = PrivateTraining) -> NDArray[np.float64]:
    """The model of a run that goes on from a copy of what another one left, with other keys."""
    copy = folder.parent / name
    shutil.copytree(folder, copy)
    found = trained(copy, quiet(), resume=True, seed=len(name), way=way)
    model: NDArray[np.float64] = found["alice"][0]
    if way is PrivateTraining:  # once more, from what is there now: nothing is computed any more
        again, counts, _ = trained(copy, quiet(), resume=True, seed=7)["alice"]
        np.testing.assert_array_equal(model, again)
        np.testing.assert_array_equal(counts.positives, found["alice"][1].positives)
        assert counts.squared_error == found["alice"][1].squared_error
    return model


class Redrawing(PrivateTraining):
    """The weakened way: noise is drawn when a run goes on, not sealed with the samples."""

    def _load_chunks(self) -> bool:
        found = super()._load_chunks()
        self._chunks = [(*c[:-1], self._draw(k)) for k, c in enumerate(self._chunks)]
        return found


def test_going_on_draws_no_noise_and_no_sample_anew(tmp_path: Path) -> None:
    cut = tmp_path / "cut"
    cut.mkdir()
    trained(cut, quiet(), stop=1)
    model = went_on(cut, "one")
    np.testing.assert_array_equal(model, went_on(cut, "two!"))  # exact rounding
    assert not np.array_equal(model, went_on(cut, "weak!", Redrawing))


def test_a_model_that_was_opened_unsealed_is_not_opened_again(tmp_path: Path) -> None:
    trained(tmp_path, quiet(), stop=1)
    for name in FOUR:
        (tmp_path / name / private.REVEALED).write_bytes(b"job")
    with pytest.raises(AssertionError, match="may have been opened"):
        trained(tmp_path, quiet(), resume=True)


def test_only_the_joint_model_says_that_it_is_private(tmp_path: Path) -> None:
    """What an owner trained on its own rows, in the clear and without noise, must not say so."""
    names, rng = FOUR[:3], np.random.default_rng(4)
    schema = Schema(
        columns=(Column("x", "number", bounds=(-1, 1)), Column("y", "boolean")), label="y"
    )
    place = str(schema.save(tmp_path / "schema.json"))
    for name in names:
        # All of bob's labels are the same: whether they are is told to nobody, by going on.
        rows = [f"{x},{int(x > 0 or name == 'bob')}" for x in rng.uniform(-1, 1, 60)]
        (tmp_path / f"{name}.csv").write_text("\n".join(["x,y", *rows]) + "\n")

    def program(ground: Ground) -> Any:
        settings = TrainingSettings(
            file=str(tmp_path / f"{ground.name}.csv"),
            label="y",
            schema=place,
            epochs=1,
            privacy=Privacy(noise_multiplier=2.0, delta=1e-3),
            reveal_to=names[:1],
        )
        encoded = msgspec.msgpack.encode(settings)
        with ground.connect(names, "replicated3", b"job", {}) as mesh:
            session = PartySession.over(PROTOCOLS["replicated3"], mesh, threads=1)  # type: ignore[arg-type]
            with session:
                context = PartyContext(ground.name, encoded, session, lambda message: None)
                return run_party(context)

    outcome = Hub(names, seed=1).run(dict.fromkeys(names, program))
    assert outcome.errors == {}
    found = outcome.results["alice"]
    assert spent_of(found.model.form.notes) == found.plan.privacy.training
    assert spent_of(found.alone_model.form.notes) is None


def test_quantiles_of_a_private_column_are_in_no_revealed_model(tmp_path: Path) -> None:
    """All parties refuse alike, and read no file: there is none."""
    clipped = Column("x", "number", bounds=(-1, 1), clip=(0.1, 0.9), private=True)
    schema = Schema(columns=(clipped, Column("y", "boolean")), label="y")
    place, names = str(schema.save(tmp_path / "schema.json")), FOUR[:3]

    def program(ground: Ground) -> Any:
        file = str(tmp_path / "gone.csv")
        settings = TrainingSettings(file=file, label="y", schema=place, reveal_to=names[:1])
        encoded = msgspec.msgpack.encode(settings)
        with ground.connect(names, "replicated3", b"job", {}) as mesh:
            session = PartySession.over(PROTOCOLS["replicated3"], mesh, threads=1)  # type: ignore[arg-type]
            with session:
                run_party(PartyContext(ground.name, encoded, session, lambda message: None))

    errors = Hub(names, seed=1).run(dict.fromkeys(names, program)).errors
    assert {name: error.code for name, error in errors.items()} == dict.fromkeys(names, "TC-2217")


class Unnoted(PrivateTraining):
    """The weakened way: no note where all parties sealed the end."""

    def _mark(self) -> None:
        pass


@pytest.mark.parametrize("way", [PrivateTraining, Unnoted])
def test_a_party_that_hides_the_last_checkpoint_gets_no_second_model(
    tmp_path: Path, way: type[PrivateTraining]
) -> None:
    first = trained(tmp_path, quiet(), protocol="replicated3", way=way)["alice"][0]
    newest = max((tmp_path / "carol" / "entries").glob("training.*.sealed"))
    newest.unlink()
    if way is Unnoted:  # the attack: the last steps once more, with other noise
        again = trained(tmp_path, quiet(), protocol="replicated3", resume=True, seed=2, way=way)
        assert not np.array_equal(first, again["alice"][0])
        return
    with pytest.raises(AssertionError, match="may have been opened"):
        trained(tmp_path, quiet(), protocol="replicated3", resume=True, seed=2, way=way)


def test_streams_have_no_names_for_noise_in_reprs() -> None:
    plan = gaussian_plan(3.0)
    assert "thresholds" not in repr(plan)
    assert "key" not in repr(PoissonSampler(3, 1, 3, SeededRandomness(1))).lower()
