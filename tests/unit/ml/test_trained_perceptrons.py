"""Whole trainings of perceptrons against float64: same initial weights, batches and order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import tacit
from tacit.ml import MLPClassifier, MLPRegressor

Floats = NDArray[np.float64]
RNG = np.random.default_rng(4)
ROWS = np.round(RNG.normal(size=(160, 6)) * 2**16) / 2**16
CLASSES = np.argmax(np.tanh(ROWS @ RNG.normal(size=(6, 3))), axis=1)
NUMBERS = np.sin(ROWS[:, 0]) + ROWS[:, 1] * 0.5

FUNCTIONS: dict[str, Any] = {
    "relu": (lambda z: np.maximum(z, 0.0), lambda a: (a > 0).astype(float)),
    "tanh": (np.tanh, lambda a: 1 - a * a),
    "logistic": (lambda z: 1 / (1 + np.exp(-z)), lambda a: a * (1 - a)),
}


def clear_training(model: Any, start: list[Floats], targets: Floats, output: str) -> list[Floats]:
    """What the estimator does, in float64."""
    act, slope = FUNCTIONS[model.activation]
    values = [a.copy() for a in start]
    first = [np.zeros_like(a) for a in values]
    second = [np.zeros_like(a) for a in values]
    order, step = np.random.default_rng(model.random_state), 0
    for _ in range(model.max_iter):
        index = order.permutation(len(ROWS))
        for at in range(0, len(ROWS), model.batch_size):
            rows = index[at : at + model.batch_size]
            step += 1
            layers = [ROWS[rows]]
            for place in range(0, len(values), 2):
                z = layers[-1] @ values[place] + values[place + 1]
                layers.append(act(z) if place < len(values) - 2 else z)
            result = layers.pop()
            if output == "softmax":
                result = np.exp(result - result.max(1, keepdims=True))
                result /= result.sum(1, keepdims=True)
            delta = result - targets[rows]
            gradients: list[Floats] = []
            for place in range(len(values) - 2, -1, -2):
                below = layers[place // 2]
                decay = model.alpha * values[place]
                gradients[:0] = [(below.T @ delta + decay) / len(rows), delta.sum(0) / len(rows)]
                delta = (delta @ values[place].T) * slope(below)
            for a, g, m, v in zip(values, gradients, first, second, strict=True):
                if model.solver == "sgd":
                    m *= model.momentum
                    m -= model.learning_rate_init * g
                    a += model.momentum * m - model.learning_rate_init * g
                else:
                    m *= model.beta_1
                    m += (1 - model.beta_1) * g
                    v *= model.beta_2
                    v += (1 - model.beta_2) * g * g
                    root = np.sqrt(v / (1 - model.beta_2**step) + model.epsilon**2)
                    a -= model.learning_rate_init * m / (1 - model.beta_1**step) / root
    return values


def initial(model: Any, X: Any, y: Any) -> list[Floats]:
    """The public initial weights, as the estimator draws them."""
    widths = (X.shape[1], *model._hidden(), y.shape[1])
    return [a.reveal(to="all") for a in model._initial(X, widths)]


@pytest.mark.parametrize(
    ("options", "tolerance"),
    [
        ({"solver": "sgd", "learning_rate_init": 0.05, "activation": "relu"}, 0.01),
        ({"solver": "sgd", "learning_rate_init": 0.05, "activation": "tanh"}, 0.01),
        ({"solver": "sgd", "learning_rate_init": 0.1, "activation": "logistic"}, 0.01),
        ({"solver": "adam", "learning_rate_init": 0.01, "activation": "relu"}, 0.02),
        ({"solver": "adam", "learning_rate_init": 0.01, "activation": "tanh"}, 0.02),
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", ["classes", "numbers"])
def test_training_agrees_with_float64(kind: str, options: dict[str, Any], tolerance: float) -> None:
    shared_options = {"max_iter": 5, "batch_size": 40, "random_state": 3, **options}
    with tacit.local() as mpc:
        X = mpc.share(ROWS, owner="alice")
        if kind == "classes":
            model: Any = MLPClassifier((8, 5), classes=[0, 1, 2], **shared_options)
            targets, y = np.eye(3)[CLASSES], mpc.share(CLASSES, owner="bob")
        else:
            model = MLPRegressor((8, 5), **shared_options)
            targets, y = NUMBERS[:, None], mpc.share(NUMBERS, owner="bob")
        start = initial(model, X, targets)
        model.fit(X, y)
        output = "softmax" if kind == "classes" else "identity"
        expected = clear_training(model, start, targets, output)
        found = [a.reveal(to="all") for a in model._parameters()]
        moved = max(float(np.abs(e - s).max()) for e, s in zip(expected, start, strict=True))
        assert moved > 5 * tolerance
        for got, want in zip(found, expected, strict=True):
            np.testing.assert_allclose(got, want, atol=tolerance)
        revealed = model.reveal(to="all")
        guessed = model.predict(X).reveal(to="all")
        if kind == "classes":
            assert (guessed == revealed.predict(ROWS)).mean() > 0.98
            np.testing.assert_allclose(
                model.predict_proba(X).reveal(to="all"), revealed.predict_proba(ROWS), atol=2e-3
            )
        else:
            np.testing.assert_allclose(guessed, revealed.predict(ROWS), atol=2e-3)


def test_learns_in_reasonable_time_and_warm_start_goes_on() -> None:
    with tacit.local() as mpc:
        X, y = mpc.share(ROWS, owner="alice"), mpc.share(CLASSES, owner="bob")
        model = MLPClassifier(
            (16,), learning_rate_init=0.02, max_iter=8, batch_size=40, classes=[0, 1, 2],
            warm_start=True,
        )  # fmt: skip
        first = model.fit(X, y).reveal(to="all").score(ROWS, CLASSES)
        steps = model.t_
        second = model.fit(X, y).reveal(to="all").score(ROWS, CLASSES)
        assert model.t_ == 2 * steps
        assert second >= first - 0.02
        assert second > 0.85


def test_two_classes_and_several_numbers() -> None:
    both = np.stack([NUMBERS, -NUMBERS], axis=1)
    with tacit.local() as mpc:
        X = mpc.share(ROWS, owner="alice")
        options: dict[str, Any] = {"max_iter": 10, "batch_size": 40}
        model = MLPClassifier((8,), solver="sgd", learning_rate_init=0.2, **options)
        y = mpc.share(NUMBERS > 0, owner="bob")
        probabilities = model.fit(X, y).predict_proba(X).reveal(to="all")
        np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, atol=1e-5)
        assert (model.predict(X).reveal(to="all") == (NUMBERS > 0)).mean() > 0.9
        assert model.reveal(to=["carol"])["carol"].score(ROWS, NUMBERS > 0) > 0.9
        regressor = MLPRegressor((8,), learning_rate_init=0.02, **options)
        found = regressor.fit(X, mpc.share(both, owner="bob")).predict(X)
        assert found.shape == (160, 2)
        assert regressor.reveal(to="all").score(ROWS, both) > 0.8
