"""Training with clipped and target-encoded columns: both ways, in the clear, after a stop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hub import Ground, Hub
from preparations import LAYOUT, SCHEMA, owners_of
from simulation import FOUR
from test_kept import Phases

from tacit.errors import InputRefusedError
from tacit.ml.clear_preparation import ClearPreparation
from tacit.ml.expanding import expanded_form
from tacit.ml.kept import KeptTraining
from tacit.ml.plaintext import train_plaintext
from tacit.ml.plan import TrainingPlan
from tacit.ml.preparing import Preparation
from tacit.ml.streamed import StreamedTraining
from tacit.ml.ways import TrainingJob
from tacit.models import ClearModel, ModelForm
from tacit.protocols import PROTOCOLS
from tacit.sessions import PartySession
from tacit.storage import Place, create_key
from tacit.tables import Summaries

COUNTS = (40, 25, 31)
PLAN = TrainingPlan(
    rows=COUNTS, columns=LAYOUT.width, epochs=1, batch_size=48, learning_rate=0.5, seed=3
)
FORM = expanded_form(ModelForm(kind="logistic", schema=SCHEMA), LAYOUT)


class Stopped(Exception):
    """The program ends here."""


def trained(
    way: Any,
    folder: Path,
    *,
    resume: bool = False,
    stop: int = -1,
    lie: Callable[[Summaries], Summaries] = lambda honest: honest,
) -> Any:
    """Every party's model, or what the run ended with."""
    rows = owners_of(COUNTS)

    def program(ground: Ground) -> Any:
        index = FOUR.index(ground.name)
        own = rows[index] if index < 3 else None
        place, key = folder / ground.name, folder / f"{ground.name}.key"
        if not key.exists():
            create_key(key)
        job = TrainingJob(
            PLAN,
            b"job",
            LAYOUT.scaled,
            Place(str(place), str(key)),
            1,
            resume,
            FORM,
            preparation=Preparation(LAYOUT, COUNTS),
        )
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
                mine = None if own is None else own.summaries()
                if mine is not None and index == 1:
                    mine = lie(mine)
                training = way(session, job, own, None, mine)
                training.prepare(Phases())
                try:
                    training.train(on_step)
                except Stopped:
                    return None
                return training.reveal((0, 1))

    outcome = Hub(FOUR).run(dict.fromkeys(FOUR, program))
    return outcome.errors or outcome.results


def test_both_ways_and_training_in_the_clear_agree(tmp_path: Path) -> None:
    kept = trained(KeptTraining, tmp_path / "kept")
    streamed = trained(StreamedTraining, tmp_path / "streamed")
    np.testing.assert_array_equal(kept["alice"], streamed["bob"])
    assert kept["carol"] is None
    rows = owners_of(COUNTS)
    clear = ClearPreparation.of([own.summaries() for own in rows], LAYOUT)
    expected = ClearModel(
        FORM, train_plaintext(PLAN, rows, clear.mean, clear.inverse, preparation=clear)
    )
    features = np.concatenate([own.features for own in rows])
    joint = ClearModel.of_flat(FORM, kept["alice"])
    np.testing.assert_allclose(
        joint.decision_function(features), expected.decision_function(features), atol=3e-2
    )


@pytest.mark.parametrize("way", [KeptTraining, StreamedTraining])
def test_limits_and_codes_are_part_of_what_training_goes_on_from(tmp_path: Path, way: Any) -> None:
    whole = trained(way, tmp_path / "whole")
    trained(way, tmp_path / "cut", stop=1)
    resumed = trained(way, tmp_path / "cut", resume=True)
    np.testing.assert_array_equal(resumed["alice"], whole["alice"])


def more_values(honest: Summaries) -> Summaries:
    counts = honest.counts.copy()
    counts[0, 7] += 1
    return replace(honest, counts=counts)


def wide_bins(honest: Summaries) -> Summaries:
    return replace(honest, sums=honest.sums + 1.0)


def great_squares(honest: Summaries) -> Summaries:
    return replace(honest, squares=honest.squares + 1.0)


def more_positives(honest: Summaries) -> Summaries:
    positives = honest.positives.copy()
    positives[2, 1] += 3
    return replace(honest, positives=positives)


@pytest.mark.parametrize("lie", [more_values, wide_bins, great_squares, more_positives])
def test_summaries_that_do_not_fit_together_are_refused(tmp_path: Path, lie: Any) -> None:
    errors = trained(StreamedTraining, tmp_path, lie=lie)
    assert set(errors) == set(FOUR)
    for error in errors.values():
        assert isinstance(error, InputRefusedError)
        assert error.parties[0] == "bob"


def test_without_the_check_such_summaries_would_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The weakened copy: what keeps sums within the ring is the check alone."""
    monkeypatch.setattr(Preparation, "_check", lambda self, session, inputs: None)
    assert trained(StreamedTraining, tmp_path, lie=more_values)["alice"] is not None
