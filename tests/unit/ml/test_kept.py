"""Training on rows that all parties keep: the same model as with rows that stream."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hub import Ground, Hub
from numpy.typing import NDArray
from simulation import FOUR

from tacit.errors import PartyLostError
from tacit.ml import shared_rows
from tacit.ml.evaluation import ScoreCounts
from tacit.ml.kept import KeptTraining
from tacit.ml.metrics import BINS
from tacit.ml.plaintext import pooled_moments, train_plaintext
from tacit.ml.plan import EarlyStopping, Optimiser, TrainingPlan
from tacit.ml.shared_rows import SharedRows
from tacit.ml.streamed import StreamedTraining
from tacit.ml.ways import TrainingJob
from tacit.protocols import PROTOCOLS
from tacit.sessions import PartySession
from tacit.storage import Place, create_key
from tacit.tables import Moments

PLAN = TrainingPlan(
    rows=(70, 45, 61),
    columns=3,
    epochs=2,
    batch_size=64,
    learning_rate=0.5,
    seed=3,
    loss_every=2,
    loss_to=(0, 1, 2),
)
MASK = np.array([True, True, False])


class Rows:
    """An owner's rows in memory."""

    def __init__(self, rng: np.random.Generator, count: int) -> None:
        features = rng.normal(size=(count, 3)) * [0.3, 0.05, 0.5]
        features[:, 2] = features[:, 2] > 0
        self.features: NDArray[np.float64] = np.clip(features, -1, 1)
        self.labels = (features[:, 1] + features[:, 2] / 9 > 0.05).astype(np.uint8)

    def take(self, indices: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
        return self.features[indices], self.labels[indices]

    @property
    def moments(self) -> NDArray[np.float64]:
        return np.stack([self.features.mean(axis=0), self.features.var(axis=0)])


def owners() -> list[Rows]:
    rng = np.random.default_rng(5)
    return [Rows(rng, count) for count in PLAN.rows]


class Phases:
    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        yield

    def reporter(self, phase: str, total: int, unit: str = "steps") -> Any:
        return lambda done: None


class Stopped(Exception):
    """The program ends here."""


def counts_of(party: int) -> ScoreCounts:
    rng = np.random.default_rng(party)
    return ScoreCounts(rng.integers(0, 9, BINS), rng.integers(0, 9, BINS), float(party))


def trained(
    way: Any, folder: Path, plan: TrainingPlan = PLAN, *, resume: bool = False, stop: int = -1
) -> dict[str, Any]:
    """Every party's model, losses and counts; dave holds no rows and learns nothing."""

    def program(ground: Ground) -> Any:
        index = FOUR.index(ground.name)
        own = owners()[index] if index < 3 else None
        place = folder / ground.name
        key = folder / f"{ground.name}.key"
        if not key.exists():
            create_key(key)
        job = TrainingJob(plan, b"job", MASK, Place(str(place), str(key)), 1, resume)
        with ground.connect(FOUR, "fantastic4", b"job", {}) as mesh:
            session = PartySession.over(
                PROTOCOLS["fantastic4"],
                mesh,  # type: ignore[arg-type]
                rounding="exact",
                threads=1,
            )

            def on_step(done: int) -> None:
                if done == stop:
                    raise Stopped

            with session:
                training = way(session, job, own, None if own is None else own.moments)
                training.prepare(Phases())
                try:
                    losses, metrics, _ = training.train(on_step)
                except Stopped:
                    return None
                except PartyLostError:  # where another one stopped first
                    assert stop >= 0
                    return None
                model = training.reveal((0, 1))
                mine = counts_of(index) if index < 2 else None
                joint, whose = training.evaluate(mine, (0, 1), (0, 1))
            assert whose == (0, 1)
            return model, losses, joint, metrics

    hub = Hub(FOUR)
    outcome = hub.run(dict.fromkeys(FOUR, program))
    assert outcome.errors == {}, outcome.errors
    return outcome.results


def test_the_same_model_and_losses_as_with_rows_that_stream(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_rows, "CHUNK_ROWS", 32)
    kept = trained(KeptTraining, tmp_path / "kept")
    streamed = trained(StreamedTraining, tmp_path / "streamed")
    for name in FOUR[:2]:
        model, losses, joint, _ = kept[name]
        expected, expected_losses, expected_joint, _ = streamed[name]
        np.testing.assert_array_equal(model, expected)
        assert losses == expected_losses
        np.testing.assert_array_equal(joint.negatives, expected_joint.negatives)
        np.testing.assert_array_equal(
            joint.positives, counts_of(0).positives + counts_of(1).positives
        )
        assert joint.squared_error == 1.0
    assert kept["carol"][0] is None
    assert kept["carol"][1] == kept["alice"][1]
    assert kept["dave"] == (None, [], None, [])
    parts = [
        Moments(len(r.features), r.features.sum(0), np.square(r.features).sum(0)) for r in owners()
    ]
    weights, bias = train_plaintext(PLAN, owners(), *pooled_moments(parts, MASK))
    clear = [*weights[:, 0], *bias]
    np.testing.assert_allclose(kept["alice"][0], clear, rtol=2e-2, atol=2e-2)


def test_going_on_from_sealed_rows_and_a_checkpoint_gives_the_same_bits(tmp_path: Path) -> None:
    plan = replace(PLAN, epochs=1)
    whole = trained(KeptTraining, tmp_path / "whole", plan)
    trained(KeptTraining, tmp_path / "cut", plan, stop=2)
    resumed = trained(KeptTraining, tmp_path / "cut", plan, resume=True)
    for name in FOUR[:2]:
        model, losses, *_ = resumed[name]
        np.testing.assert_array_equal(model, whole[name][0])
        assert losses == whole[name][1]


@pytest.mark.parametrize("solver", ["momentum", "adam"])
def test_a_perceptron_goes_on_to_the_same_bits_with_all_its_state(
    tmp_path: Path, solver: str
) -> None:
    """Velocities or Adam's means, revealed metrics and the best weights: all of it is sealed."""
    momentum = Optimiser(momentum=0.9, schedule="linear", warm_up=2)
    plan = replace(
        PLAN,
        kind="mlp",
        hidden=(4,),
        loss_every=2 if solver == "momentum" else 0,
        optimiser=momentum if solver == "momentum" else Optimiser(solver="adam"),
        learning_rate=0.2 if solver == "momentum" else 0.02,
        dropout=0.25,
        class_weights=(1.0, 2.0),
        stopping=EarlyStopping(fraction=0.2, patience=2),
    )
    way = KeptTraining if solver == "momentum" else StreamedTraining
    whole = trained(way, tmp_path / "whole", plan)
    # What all know is an epoch's end, and its metric is still to be computed.
    trained(way, tmp_path / "cut", plan, stop=4)
    resumed = trained(way, tmp_path / "cut", plan, resume=True)
    for name in FOUR[:2]:
        np.testing.assert_array_equal(resumed[name][0], whole[name][0])
        assert resumed[name][1] == whole[name][1]
        assert resumed[name][3] == whole[name][3]
    assert whole["dave"][3] == whole["alice"][3] != []


def test_a_batch_finds_its_rows_in_any_chunks() -> None:
    plan = replace(PLAN, rows=(7, 0, 5))
    rows = SharedRows(plan, chunk_rows=3)
    rows._rows = [f"chunk {place}" for place in range(5)]  # type: ignore[misc]
    batch = rows.batch([np.array([0, 2, 6]), np.array([], np.int64), np.array([3, 4])])
    assert batch.references == ("chunk 0", "chunk 2", "chunk 4")  # type: ignore[comparison-overlap]
    assert [index.tolist() for index in batch.indices] == [[0, 2], [0], [0, 1]]
    assert batch.rows == 5


def test_sealed_rows_of_another_job_are_refused(tmp_path: Path) -> None:
    plan = replace(PLAN, epochs=1)
    trained(KeptTraining, tmp_path, plan, stop=1)

    class Other(KeptTraining):
        def __init__(self, session: Any, job: Any, *rest: Any) -> None:
            super().__init__(session, replace(job, digest=b"other"), *rest)

    with pytest.raises(AssertionError, match="of another job"):
        trained(Other, tmp_path, plan, resume=True)
