"""Private training with a fault in any message after the samples are sealed: it ends all the same.

Noise and samples are kept results: what is made again after a loss adds the same noise, and all who
learn the model learn the same one. ``TACIT_FAULTS=200`` tries two hundred.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hub import Adversary, Crash, Ground, Hub, Sent, honest
from numpy.typing import NDArray
from simulation import FOUR

from tacit.ml.evaluation import ScoreCounts
from tacit.ml.metrics import BINS
from tacit.ml.plan import TrainingPlan
from tacit.ml.privacy.terms import RATE_BITS, PrivateTerms, Spent
from tacit.ml.private import REVEALED, PrivateTraining
from tacit.ml.ways import TrainingJob
from tacit.protocols import PROTOCOLS
from tacit.sessions import PartySession
from tacit.storage import Place, create_key

FAULTS = int(os.environ.get("TACIT_FAULTS", "2"))
LEARN = (0, 1, 3)
PLAN = TrainingPlan(
    rows=(12, 9),
    columns=2,
    epochs=1,
    batch_size=7,
    learning_rate=0.5,
    privacy=PrivateTerms(
        clip=1.0,
        noise_multiplier=0.5,
        delta=1e-6,
        rate=1 << (RATE_BITS - 1),
        slots=(12, 9),
        training=Spent(epsilon=9.0, delta=1e-6, approximation=0.0),
        evaluation_noise=2.0,
    ),
)


class Rows:
    def __init__(self, owner: int) -> None:
        rng = np.random.default_rng(owner)
        self.features: NDArray[np.float64] = rng.uniform(-1, 1, (PLAN.rows[owner], 2))
        self.labels = (self.features[:, 0] > 0).astype(np.uint8)

    def take(self, indices: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
        return self.features[indices], self.labels[indices]


class Phases:
    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        yield

    def reporter(self, phase: str, total: int, unit: str = "steps") -> Any:
        return lambda done: None


def trained(adversary: Adversary, corrupt: str | None = None) -> tuple[Hub, dict[str, int]]:
    """Run it at all parties: the model and whether it was noted as opened but not sealed."""
    begun: dict[str, int] = {}

    def program(ground: Ground) -> Any:
        index, name = FOUR.index(ground.name), ground.name
        with TemporaryDirectory() as folder:
            create_key(Path(folder) / "key")
            place = Place(f"{folder}/shares", f"{folder}/key")
            job = TrainingJob(PLAN, b"job", np.zeros(2, bool), place, every=2)
            session = PartySession.guarded(
                PROTOCOLS["fantastic4"],
                ground,  # type: ignore[arg-type]
                job=b"job",
                rounding="exact",
                threads=1,
            )
            with session:
                session.hold_inputs()
                way = PrivateTraining(session, job, Rows(index) if index < 2 else None)
                way.prepare(Phases())
                begun[name] = hub._numbers[name]
                course = way.train(lambda done: None)
                model = way.reveal(LEARN)
                mine = ScoreCounts(np.full(BINS, 1), np.full(BINS, 2), 5.0) if index < 2 else None
                counts, evaluated = way.evaluate(mine, (0, 1), LEARN)
                assert evaluated in ((0, 1), ())  # of all owners or of none
                assert evaluated or counts is None
                noted = (Path(folder) / "shares" / REVEALED).exists()
                return model, course.steps, noted, list(session.incidents)

    hub = Hub(FOUR, adversary, corrupt)
    hub.run(dict.fromkeys(FOUR, program))
    return hub, begun


def test_all_recipients_learn_one_model_without_a_fault() -> None:
    hub, _ = trained(honest)
    assert hub.outcome.errors == {}
    models = [hub.outcome.results[FOUR[k]][0] for k in LEARN]
    for model in models:
        np.testing.assert_array_equal(model, models[0])
    assert hub.outcome.results["carol"][0] is None
    assert all(result[2] for result in hub.outcome.results.values())


@pytest.mark.parametrize("seed", range(FAULTS))
def test_survivors_learn_one_model_and_note_that_it_was_opened(seed: int) -> None:
    rng = np.random.default_rng(seed)
    culprit = FOUR[int(rng.integers(4))]
    probe, begun = trained(honest)
    at = int(rng.integers(begun[culprit], probe._numbers[culprit] - 20))
    changes = bool(rng.integers(2))

    def adversary(message: Sent, culprit: str, at: int) -> Sequence[Any]:
        if message.sender != culprit or message.number < at:
            return (message.payload,)
        if not changes:
            raise Crash
        if message.number > at or message.kind != "round" or not message.payload:
            return (message.payload,)
        return (bytes([message.payload[0] ^ 1]) + message.payload[1:],)

    hub, _ = trained(partial(adversary, culprit=culprit, at=at), culprit)
    honest_ones = {n: r for n, r in hub.outcome.results.items() if n != culprit}
    assert len(honest_ones) == 3, hub.outcome.errors
    models = [r[0] for n, r in honest_ones.items() if FOUR.index(n) in LEARN]
    for model in models:
        np.testing.assert_array_equal(model, models[0])
        assert np.abs(model).max() < 100
    for _, steps, noted, _incidents in honest_ones.values():
        assert steps == PLAN.steps
        assert noted
