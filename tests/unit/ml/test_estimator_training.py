"""Early stopping, schedules and class weights of estimators."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tacit
from tacit.errors import TacitError
from tacit.ml import LogisticRegression, MLPClassifier, MLPRegressor

RNG = np.random.default_rng(7)
ROWS = RNG.normal(size=(90, 4))
LABELS = (ROWS[:, 0] + 0.5 * RNG.normal(size=90) > 0.8).astype(int)
THREE = np.digitize(ROWS[:, 1], [-0.5, 0.5])


def shared(mpc: Any, labels: Any) -> tuple[Any, Any]:
    return mpc.share(ROWS, owner="alice"), mpc.share(labels, owner="bob")


@pytest.mark.parametrize("kind", ["classes", "labels", "numbers"])
def test_early_stopping_keeps_the_best_and_says_what_it_saw(kind: str) -> None:
    options: dict[str, Any] = {
        "solver": "sgd", "learning_rate_init": 1.5, "batch_size": 30, "early_stopping": True,
        "validation_fraction": 0.3, "n_iter_no_change": 1, "max_iter": 12, "random_state": 1,
    }  # fmt: skip
    model: Any = MLPClassifier((5,), **options)
    targets: Any = LABELS
    if kind == "classes":
        model, targets = MLPClassifier((5,), classes=[0, 1, 2], **options), THREE
    elif kind == "numbers":
        model, targets = MLPRegressor((5,), **{**options, "learning_rate_init": 0.3}), ROWS[:, 2]
    with tacit.local("replicated3") as mpc:
        fitted = model.fit(*shared(mpc, targets))
        clear = fitted.reveal(to="all")
    scores = model.validation_scores_
    assert 1 <= model.n_iter_ == len(scores) <= 12
    assert model.best_validation_score_ == max(scores)
    if model.n_iter_ < 12:
        assert scores[-1] < max(scores) + 1e-4
    # The best weights, not the last: their loss on the rows that were set apart is the best one.
    order = np.random.default_rng([1, 90]).permutation(90)[:27]
    rows, truth = ROWS[order], targets[order]
    if kind == "numbers":
        loss = 0.5 * np.mean((clear.predict(rows) - truth) ** 2)
    else:
        loss = -np.mean(np.log(clear.predict_proba(rows)[np.arange(27), truth]))
    assert loss == pytest.approx(-max(scores), abs=0.02)


def test_early_stopping_goes_on_from_a_checkpoint(tmp_path: Path) -> None:
    model = MLPClassifier(
        (4,), solver="sgd", learning_rate_init=0.5, batch_size=30, early_stopping=True, max_iter=4
    )
    with tacit.local("replicated3", storage=tmp_path, rounding="exact") as mpc:
        X, y = shared(mpc, LABELS)
        whole = [c.reveal(to="all") for c in model.fit(X, y).coefs_]
        expected = model.validation_scores_
        step, made = model._step, []

        def broken(*args: Any) -> Any:
            made.append(1)
            if len(made) == 8:
                raise KeyboardInterrupt
            return step(*args)

        model._step = broken
        with pytest.raises(KeyboardInterrupt):
            model.fit(X, y, checkpoint="fit", every=2)
        del model._step
        model.fit(X, y, checkpoint="fit", every=2, resume=True)
        again = [c.reveal(to="all") for c in model.coefs_]
    assert model.validation_scores_ == expected
    for one, other in zip(whole, again, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_rate_falls_with_the_samples_seen() -> None:
    steps = []
    with tacit.local("replicated3") as mpc:
        model = MLPClassifier(
            (3,), solver="sgd", learning_rate="invscaling", learning_rate_init=0.5,
            batch_size=45, max_iter=3,
        )  # fmt: skip
        step = model._step
        model._step = lambda *args: steps.append(args[-1]) or step(*args)
        model.fit(*shared(mpc, LABELS))
    assert steps == [0, 0, 90, 90, 180, 180]


@pytest.mark.parametrize("three", [False, True])
def test_class_weights_are_rows_counted_so_often(three: bool) -> None:
    """A class of weight 3 is as if each of its rows stood there three times."""
    labels = THREE if three else LABELS
    classes = [0, 1, 2] if three else [0, 1]
    options: dict[str, Any] = {
        "classes": classes, "batch_size": 500, "shuffle": False, "C": np.inf, "max_iter": 25,
    }  # fmt: skip
    weighted = LogisticRegression(class_weight={1: 3.0}, **options)
    with tacit.local("replicated3") as mpc:
        found = weighted.fit(*shared(mpc, labels)).reveal(to="all")
    again = np.concatenate([np.arange(90), *[np.flatnonzero(labels == 1)] * 2])
    rate = 0.5 * len(again) / 90
    weights, bias = np.zeros((4, 3 if three else 1)), np.zeros(3 if three else 1)
    rows, truth = ROWS[again], labels[again]
    targets = np.eye(3)[truth] if three else truth[:, None]
    for _ in range(25):
        z = rows @ weights + bias
        p = np.exp(z) / np.exp(z).sum(1, keepdims=True) if three else 1 / (1 + np.exp(-z))
        weights -= rate * rows.T @ (p - targets) / len(again)
        bias -= rate * (p - targets).mean(axis=0)
    np.testing.assert_allclose(found.coef_, weights.T, atol=0.02)
    np.testing.assert_allclose(found.intercept_, bias, atol=0.02)


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (MLPClassifier(learning_rate="adaptive"), "adaptive"),
        (MLPClassifier(validation_fraction=1.0), "validation_fraction"),
        (MLPClassifier(n_iter_no_change=0), "n_iter_no_change"),
        (LogisticRegression(class_weight="balanced"), "balanced"),
        (LogisticRegression(class_weight={2: 1.0}), "class_weight"),
        (LogisticRegression(class_weight={1: 0.0}), "class_weight"),
    ],
)
def test_what_a_secret_does_not_allow_is_refused(model: Any, words: str) -> None:
    with tacit.local("replicated3") as mpc, pytest.raises(TacitError, match=words):
        model.fit(*shared(mpc, LABELS))
