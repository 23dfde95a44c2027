"""Joint training with a fault in any message: of any party, at any moment after the inputs.

Over the network in this process: the party crashes at one message, or that message arrives
changed. Every other party gets the same bits as without a fault (exact rounding), a wrongly
dropped honest one included. ``TACIT_FAULTS=200`` tries two hundred of each kind.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
import pytest
from hub import Adversary, Crash, Ground, Hub, Sent, honest
from numpy.typing import NDArray
from simulation import FOUR

from tacit.errors import RecoveryError, UsageError
from tacit.ml.evaluation import ScoreCounts
from tacit.ml.kept import KeptTraining
from tacit.ml.metrics import BINS
from tacit.ml.plan import EarlyStopping, Optimiser, TrainingPlan
from tacit.ml.ways import TrainingJob
from tacit.models import ModelForm
from tacit.protocols import PROTOCOLS
from tacit.sessions import PartySession
from tacit.storage import Place, create_key
from tacit.tables import Column, Schema

FAULTS = int(os.environ.get("TACIT_FAULTS", "6"))

PLAN = TrainingPlan(
    rows=(12, 9),
    columns=2,
    epochs=1,
    batch_size=7,
    learning_rate=0.5,
    loss_every=2,
    loss_to=(0, 1),
)
PLANS = (
    PLAN,
    replace(
        PLAN,
        kind="mlp",
        hidden=(3,),
        epochs=2,
        optimiser=Optimiser(momentum=0.5),
        class_weights=(1.0, 2.0),
        dropout=0.25,
        stopping=EarlyStopping(fraction=0.2),
    ),
)
"""Of even and of odd seeds."""
OWNERS, LEARN = (0, 1), (0, 1, 3)


class Rows:
    def __init__(self, owner: int) -> None:
        rng = np.random.default_rng(owner)
        self.features: NDArray[np.float64] = np.clip(rng.normal(size=(PLAN.rows[owner], 2)), -1, 1)
        self.labels = (self.features.sum(axis=1) > 0.1).astype(np.uint8)

    def take(self, indices: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
        return self.features[indices], self.labels[indices]


def form_of(plan: TrainingPlan) -> ModelForm:
    columns = (Column("a", "boolean"), Column("b", "boolean"), Column("y", "boolean"))
    schema = Schema(label="y", columns=columns)
    return ModelForm(kind=plan.kind, schema=schema, hidden=plan.hidden)


class Phases:
    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        yield

    def reporter(self, phase: str, total: int, unit: str = "steps") -> Any:
        return lambda done: None


class Learned(NamedTuple):
    """What a party's program ends with."""

    model: Any
    losses: list[float]
    counts: Any
    evaluated: tuple[int, ...]
    incidents: list[Any]
    kept: int | str


def counts_of(owner: int) -> ScoreCounts:
    rng = np.random.default_rng(owner)
    return ScoreCounts(rng.integers(0, 9, BINS), rng.integers(0, 9, BINS), float(owner + 1))


def trained(
    adversary: Adversary, corrupt: str | None = None, plan: TrainingPlan = PLAN
) -> tuple[Hub, dict[str, int]]:
    """Run the training at all parties; and where each party's messages were when it began."""
    begun: dict[str, int] = {}

    def program(ground: Ground) -> Learned:
        index, name = FOUR.index(ground.name), ground.name
        own = Rows(index) if index in OWNERS else None
        with TemporaryDirectory() as folder:
            create_key(Path(folder) / "key")
            place = Place(f"{folder}/shares", f"{folder}/key")
            job = TrainingJob(
                plan, b"job", np.array([True, False]), place, every=2, form=form_of(plan)
            )
            session = PartySession.guarded(
                PROTOCOLS["fantastic4"],
                ground,  # type: ignore[arg-type]
                job=b"job",
                rounding="exact",
                threads=1,
            )
            with session:
                session.hold_inputs()
                moments = None
                if own is not None:
                    moments = np.stack([own.features.mean(axis=0), own.features.var(axis=0)])
                way = KeptTraining(session, job, own, moments)
                complete = session.inputs_complete

                def noted() -> None:
                    complete()
                    begun[name] = hub._numbers[name]

                session.inputs_complete = noted  # type: ignore[method-assign]
                way.prepare(Phases())
                losses = way.train(lambda done: None).losses
                try:
                    kept: int | str = way.keep("model")
                except UsageError as error:
                    kept = error.code
                model = way.reveal(LEARN)
                mine = counts_of(index) if index in OWNERS and model is not None else None
                counts, evaluated = way.evaluate(mine, OWNERS, LEARN)
                return Learned(model, losses, counts, evaluated, session.incidents, kept)

    hub = Hub(FOUR, adversary, corrupt)
    hub.run(dict.fromkeys(FOUR, program))
    return hub, begun


@lru_cache(maxsize=2)
def whole(plan: TrainingPlan = PLAN) -> tuple[dict[str, Learned], dict[str, int], dict[str, int]]:
    """The results without a fault, and each party's first and last message after the inputs."""
    hub, begun = trained(honest, plan=plan)
    assert hub.outcome.errors == {}, hub.outcome.errors
    assert [hub.outcome.results[name].kept for name in FOUR] == [1, 1, 1, 1]
    last = {
        name: max(m.number for m in hub.sent if m.sender == name and m.kind == "round")
        for name in FOUR
    }
    return hub.outcome.results, begun, last


def check(results: dict[str, Learned], name: str, note: str, plan: TrainingPlan = PLAN) -> None:
    """A party learned what it would have learned without a fault, but for lost owners' counts."""
    found, expected = results[name], whole(plan)[0][name]
    assert (found.model is None) == (expected.model is None), note
    if found.model is not None:
        np.testing.assert_array_equal(found.model, expected.model, note)
        total = sum(counts_of(owner).positives for owner in found.evaluated)
        np.testing.assert_array_equal(found.counts.positives, total, note)
    assert found.losses == expected.losses, note


def draws(kind: str) -> list[tuple[str, int]]:
    """Parties and messages of theirs, drawn from seeds."""
    found = []
    for seed in range(FAULTS):
        _, begun, last = whole(PLANS[seed % 2])
        draw = random.Random(f"{kind} {seed}")
        name = draw.choice(FOUR)
        found.append((name, draw.randint(begun[name], last[name])))
    return found


@pytest.mark.parametrize("seed", range(FAULTS))
def test_a_crash_at_any_message(seed: int) -> None:
    lost, number = draws("crash")[seed]

    def adversary(message: Sent) -> Sequence[bytes]:
        if (message.sender, message.number) == (lost, number):
            raise Crash
        return (message.payload,)

    plan = PLANS[seed % 2]
    hub, _ = trained(adversary, plan=plan)
    note = f"{lost} crashes at its message {number}"
    living = [name for name in FOUR if name != lost]
    assert set(hub.outcome.errors) == {lost}, (note, hub.outcome.errors)
    # The secret model is kept by all four or by none, and all of them know.
    assert len({hub.outcome.results[name].kept for name in living}) == 1, note
    for name in living:
        check(hub.outcome.results, name, note, plan)
        result = hub.outcome.results[name]
        assert result.kept in (1, "TC-1094"), note
        assert [i.party for i in result.incidents] in ([lost], []), note
        owners = tuple(o for o in OWNERS if FOUR[o] != lost)
        assert result.evaluated in (OWNERS, owners), note


@pytest.mark.parametrize("seed", range(FAULTS))
def test_a_changed_message_of_any_party(seed: int) -> None:
    corrupt, number = draws("change")[seed]
    draw = random.Random(f"bit {seed}")

    def adversary(message: Sent) -> Sequence[bytes]:
        if (message.sender, message.number) != (corrupt, number) or not message.payload:
            return (message.payload,)
        changed = bytearray(message.payload)
        changed[draw.randrange(len(changed))] ^= 1 << draw.randrange(8)
        return (bytes(changed),)

    plan = PLANS[seed % 2]
    hub, _ = trained(adversary, corrupt, plan)
    note = f"{corrupt} changes its message {number}"
    for name in FOUR:
        if name == corrupt:
            continue
        assert name not in hub.outcome.errors, (note, hub.outcome.errors)
        check(hub.outcome.results, name, note, plan)


@pytest.mark.parametrize("seed", range(FAULTS))
def test_a_crash_about_the_moment_when_the_inputs_are_complete(seed: int) -> None:
    _, begun, _ = whole()
    draw = random.Random(f"complete {seed}")
    lost = draw.choice(FOUR)
    number = begun[lost] - draw.randint(0, 12)

    def adversary(message: Sent) -> Sequence[bytes]:
        if (message.sender, message.number) == (lost, number):
            raise Crash
        return (message.payload,)

    hub, _ = trained(adversary)
    note = f"{lost} crashes at its message {number}"
    living = [name for name in FOUR if name != lost]
    ended = {name for name in living if name in hub.outcome.errors}
    assert ended in (set(), set(living)), note
    assert all(isinstance(hub.outcome.errors[name], RecoveryError) for name in ended), note
    for name in set(living) - ended:
        check(hub.outcome.results, name, note)


def test_a_loss_before_all_rows_are_sealed_ends_the_job_alike() -> None:
    _, begun, _ = whole()

    def adversary(message: Sent) -> Sequence[bytes]:
        if message.sender == "bob" and message.number == begun["bob"] // 2:
            raise Crash
        return (message.payload,)

    hub, _ = trained(adversary)
    errors = hub.outcome.errors
    assert set(errors) == set(FOUR)
    assert all(isinstance(errors[name], RecoveryError) for name in FOUR if name != "bob")
