"""Training that was cut short goes on to the result it would have had."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_training import PLAN, Rows

import tacit
from tacit import Computation
from tacit.errors import UsageError
from tacit.ml.checkpoints import FitCheckpoints, job_digest, resume_training, save_training
from tacit.ml.plan import TrainingPlan
from tacit.ml.preparing import Prepared
from tacit.ml.standardization import Standardization
from tacit.ml.state import TrainingState
from tacit.ml.training import train
from tacit.rounds.contract import Step
from tacit.sessions import LocalSession
from tacit.sessions.storage_steps import Keeper
from tacit.storage import listing, store

NAMES = ("alice", "bob", "carol")


class Crash(Exception):
    """The end of a run before its time."""


# Joint training, as in ``tacit train``.


def plan_with(losses: int) -> TrainingPlan:
    from dataclasses import replace

    return replace(PLAN, epochs=2, loss_every=losses)


def run(
    folder: Path,
    plan: TrainingPlan,
    owners: list[Rows],
    *,
    stop: int = 0,
    every: int = 2,
    job: bytes | None = None,
) -> tuple[Any, list[float], int]:
    """Train until the end or until `stop`, from the newest checkpoint; what came of it."""
    digest = job_digest(b"schema", plan) if job is None else job
    begun = -1

    def step(keeper: Keeper) -> Step[Any]:
        nonlocal begun
        party = keeper.party
        found = yield from resume_training(keeper, digest)
        if found is None:
            zeros = party.public(np.zeros(plan.columns, np.int64))
            ones = party.public(np.full(plan.columns, 1 << plan.fraction_bits))
            by, state = Standardization(zeros, ones), None
        else:
            by, state = found[0].by, found[1]
        begun = 0 if state is None else state.step

        def count(done: int) -> None:
            if done == stop:
                raise Crash

        def keep(state: TrainingState) -> Step[object]:
            return save_training(keeper, digest, plan, Prepared(by), state)

        own = owners[party.index]
        trained = yield from train(party, plan, own, by, count, start=state, every=every, keep=keep)
        flat = party.concatenate([p.reshape(p.size) for p in trained.parameters])
        opened = yield from party.reveal(flat, (0, 1, 2))
        return opened, trained.losses

    mpc = tacit.local("replicated3", storage=folder, rounding="exact")
    session: Any = mpc.session
    assert isinstance(session, LocalSession)
    try:
        weights, losses = session._keep(step)[0]
    finally:
        mpc.close()
    return weights, losses, begun


@pytest.fixture(scope="module")
def owners() -> list[Rows]:
    rng = np.random.default_rng(5)
    return [Rows(rng, count, shift) for shift, count in enumerate(PLAN.rows)]


@pytest.mark.parametrize("losses", [0, 3])
def test_joint_training_goes_on_to_the_same_bits(
    tmp_path: Path, owners: list[Rows], losses: int
) -> None:
    plan = plan_with(losses)
    expected, expected_losses, begun = run(tmp_path / "whole", plan, owners)
    assert begun == 0
    folder = tmp_path / "cut"
    with pytest.raises(Crash):
        run(folder, plan, owners, stop=5)
    with pytest.raises(Crash):
        run(folder, plan, owners, stop=8)
    weights, found, begun = run(folder, plan, owners)
    assert begun == 6
    np.testing.assert_array_equal(weights, expected)
    assert found == expected_losses
    assert plan.steps == 12
    for name in NAMES:
        versions = [h.version for h in listing(folder / name)]
        assert len(versions) == 2, "two generations"
    weights, _, begun = run(folder, plan, owners)  # nothing is left to do
    assert begun == 12
    np.testing.assert_array_equal(weights, expected)


def test_a_damaged_checkpoint_is_passed_over_by_all(tmp_path: Path, owners: list[Rows]) -> None:
    plan = plan_with(0)
    expected, _, _ = run(tmp_path / "whole", plan, owners)
    folder = tmp_path / "cut"
    with pytest.raises(Crash):
        run(folder, plan, owners, stop=7)
    newest = max((folder / "bob" / "entries").glob("*.sealed"), key=lambda p: p.stat().st_mtime_ns)
    data = bytearray(newest.read_bytes())
    data[-1] ^= 1
    newest.write_bytes(data)
    weights, _, begun = run(folder, plan, owners)
    assert begun == 4
    np.testing.assert_array_equal(weights, expected)


def test_a_checkpoint_of_another_job_is_refused(tmp_path: Path, owners: list[Rows]) -> None:
    plan = plan_with(0)
    with pytest.raises(Crash):
        run(tmp_path, plan, owners, stop=3)
    with pytest.raises(UsageError) as caught:
        run(tmp_path, plan, owners, job=b"another")
    assert caught.value.code == "TC-1078"


def test_going_on_refreshes_all_generations(tmp_path: Path, owners: list[Rows]) -> None:
    """Else the shares of an older generation stay those that were copied before."""
    plan = plan_with(0)
    with pytest.raises(Crash):
        run(tmp_path, plan, owners, stop=5)
    before = {name: [h.epoch for h in listing(tmp_path / name)] for name in NAMES}
    with pytest.raises(Crash):
        run(tmp_path, plan, owners, stop=5, every=100)
    after = {name: [h.epoch for h in listing(tmp_path / name)] for name in NAMES}
    assert before == {name: [0, 0] for name in NAMES}
    assert after == {name: [1, 1] for name in NAMES}


# Fit functions.

MODELS: dict[str, Callable[[], Any]] = {
    "binary": lambda: tacit.ml.LogisticRegression(max_iter=3, batch_size=8),
    "three classes": lambda: tacit.ml.LogisticRegression(
        max_iter=3, batch_size=8, classes=[0, 1, 2]
    ),
    "adam": lambda: tacit.ml.MLPClassifier((3,), max_iter=3, batch_size=8, shuffle=False),
    "momentum": lambda: tacit.ml.MLPRegressor((2,), solver="sgd", max_iter=3, batch_size=8),
}


def fit(mpc: Computation, name: str, **options: Any) -> Any:
    rng = np.random.default_rng(2)
    rows = rng.normal(size=(24, 2))
    labels = (rows[:, 0] > 0).astype(np.int64) + (name == "three classes") * (rows[:, 1] > 0)
    X, y = mpc.share(rows, owner="alice"), mpc.share(labels, owner="bob")
    model = MODELS[name]().fit(X, y if name != "momentum" else y.astype(tacit.fixed), **options)
    arrays = model._values if hasattr(model, "_values") else [model._weights]
    return [array.reveal(to="all") for array in arrays]


def opened(folder: Path) -> Computation:
    return tacit.local("replicated3", storage=folder, rounding="exact")


@pytest.mark.parametrize("name", MODELS)
def test_a_fit_goes_on_to_the_same_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    with opened(tmp_path / "none") as mpc:
        expected = fit(mpc, name)
        assert mpc.stored() == []
    done = FitCheckpoints.done
    begun = []

    def stopping(self: FitCheckpoints, *args: Any) -> None:
        begun.append(self.step)
        done(self, *args)
        if self.step == 5:
            raise Crash

    monkeypatch.setattr(FitCheckpoints, "done", stopping)
    with opened(tmp_path) as mpc, pytest.raises(Crash):
        fit(mpc, name, checkpoint="fit", every=2)
    assert begun[0] == 0
    begun.clear()
    monkeypatch.setattr(
        FitCheckpoints, "done", lambda self, *a: (begun.append(self.step), done(self, *a))[1]
    )
    with opened(tmp_path) as mpc:
        found = fit(mpc, name, checkpoint="fit", every=2, resume=True)
        assert begun == [4, 5, 6, 7, 8]
        assert {h.purpose for h in mpc.stored()} == {"checkpoint"}
        assert mpc.delete("fit", purpose="checkpoint") == 2
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_fit_that_begins_anew_forgets_older_checkpoints(tmp_path: Path) -> None:
    with opened(tmp_path) as mpc:
        fit(mpc, "binary", checkpoint="fit", every=4)
        assert sorted(h.version for h in mpc.stored()) == [1, 2]
        fit(mpc, "binary", checkpoint="fit", every=9)
        assert [h.version for h in mpc.stored()] == [3]
        with pytest.raises(UsageError) as caught:
            fit(mpc, "adam", checkpoint="fit", resume=True)
        assert caught.value.code == "TC-1078"
        for options in ({"resume": True}, {"checkpoint": "x", "every": 0}):
            with pytest.raises(UsageError) as caught:
                fit(mpc, "binary", **options)
            assert caught.value.code == "TC-1079"


def test_checkpoints_without_storage_are_refused_before_the_first_step() -> None:
    with tacit.local("replicated3") as mpc:
        with pytest.raises(UsageError) as caught:
            fit(mpc, "binary", checkpoint="fit", every=1000)
        assert caught.value.code == "TC-1088"


def test_checkpoints_are_not_named_arrays(tmp_path: Path) -> None:
    with opened(tmp_path) as mpc:
        fit(mpc, "binary", checkpoint="fit", every=4)
        with pytest.raises(UsageError, match="not stored"):
            mpc.load("fit")
    assert store.listing(tmp_path / "bob")[0].purpose == "checkpoint"
