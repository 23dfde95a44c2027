"""The estimators against scikit-learn's of the same name, and in its pipelines."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn import linear_model, metrics, preprocessing
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.utils.validation import check_is_fitted

import tacit
from tacit import ml
from tacit.errors import ShapeError, TypeMismatchError, UsageError

RNG = np.random.default_rng(1)
ROWS = RNG.normal(size=(200, 4)) * [1.0, 3.0, 0.2, 5.0] + [0.0, 1.0, -2.0, 10.0]
NUMBERS = ROWS @ [1.0, -0.5, 2.0, 0.1] + 0.3 + RNG.normal(size=200) * 0.1
LABELS = np.array([3, 5, 9])[np.argmax((ROWS - ROWS.mean(0)) @ RNG.normal(size=(4, 3)), axis=1)]


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("columns", [1, 2])
@pytest.mark.parametrize("name", ["LinearRegression", "Ridge"])
def test_least_squares_is_scikit_learn_s(name: str, columns: int, intercept: bool) -> None:
    targets = NUMBERS if columns == 1 else np.stack([NUMBERS, ROWS[:, 0] * 2], axis=1)
    with tacit.local() as mpc:
        X, y = mpc.share(ROWS, owner="alice"), mpc.share(targets, owner="bob")
        model = getattr(ml, name)(fit_intercept=intercept).fit(X, y)
        clear = getattr(linear_model, name)(fit_intercept=intercept).fit(ROWS, targets)
        revealed = model.reveal(to="all")
        np.testing.assert_allclose(revealed.coef_, clear.coef_, atol=2e-4)
        np.testing.assert_allclose(revealed.intercept_, clear.intercept_, atol=2e-3)
        found = model.predict(X).reveal(to="all")
        np.testing.assert_allclose(found, clear.predict(ROWS), atol=2e-3)
        np.testing.assert_allclose(revealed.predict(ROWS), clear.predict(ROWS), atol=2e-3)
        assert set(model.reveal(to=["bob", "carol"])) == {"bob", "carol"}


def test_ridge_takes_columns_that_depend_on_each_other() -> None:
    rows = np.stack([ROWS[:, 0], ROWS[:, 0]], axis=1)
    with tacit.local() as mpc:
        X, y = mpc.share(rows, owner="alice"), mpc.share(NUMBERS, owner="bob")
        found = ml.Ridge(2.0).fit(X, y).reveal(to="all").coef_
    np.testing.assert_allclose(found, linear_model.Ridge(2.0).fit(rows, NUMBERS).coef_, atol=1e-3)


def test_multinomial_logistic_regression() -> None:
    rows = preprocessing.scale(ROWS)
    with tacit.local() as mpc:
        X, y = mpc.share(rows, owner="alice"), mpc.share(LABELS, owner="bob")
        model = ml.LogisticRegression(max_iter=60, batch_size=50, C=0.5, classes=[9, 3, 5])
        model.fit(X, y)
        revealed = model.reveal(to="all")
        clear = linear_model.LogisticRegression(C=0.5).fit(rows, LABELS)
        np.testing.assert_array_equal(revealed.classes_, [3, 5, 9])
        # Softmax leaves a common offset of all classes free; the penalty sets it to 0.
        np.testing.assert_allclose(revealed.coef_, clear.coef_, atol=0.1)
        predicted = model.predict(X).reveal(to="all")
        assert (predicted == revealed.predict(rows)).mean() > 0.99
        probabilities = model.predict_proba(X).reveal(to="all")
        np.testing.assert_allclose(probabilities, revealed.predict_proba(rows), atol=2e-3)
        again = model.set_params(warm_start=True, max_iter=1).fit(X, y).reveal(to="all")
        np.testing.assert_allclose(again.coef_, revealed.coef_, atol=0.1)
        bare = ml.LogisticRegression(fit_intercept=False, max_iter=1, classes=[3, 5, 9])
        assert (bare.fit(X, y).reveal(to="all").intercept_ == 0).all()


def test_two_classes_of_other_labels() -> None:
    labels = np.where(np.median(NUMBERS) < NUMBERS, 7, -1)
    rows = preprocessing.scale(ROWS)
    with tacit.local() as mpc:
        X, y = mpc.share(rows, owner="alice"), mpc.share(labels, owner="bob")
        for model in (
            ml.LogisticRegression(classes=[-1, 7]),
            ml.MLPClassifier((4,), solver="sgd", learning_rate_init=0.3, max_iter=10,
                             batch_size=40, classes=[-1, 7]),
        ):  # fmt: skip
            predicted = model.fit(X, y).predict(X).reveal(to="all")
            assert set(predicted) == {-1, 7}
            assert (predicted == labels).mean() > 0.9


def test_standard_scaler() -> None:
    rows = np.concatenate([ROWS, np.full((200, 1), 4.0)], axis=1)
    clear = preprocessing.StandardScaler().fit(rows)
    with tacit.local() as mpc:
        X = mpc.share(rows, owner="alice")
        scaler = ml.StandardScaler()
        scaled = scaler.fit_transform(X)
        np.testing.assert_allclose(scaled.reveal(to="all"), clear.transform(rows), atol=2e-3)
        back = scaler.inverse_transform(scaled).reveal(to="all")
        np.testing.assert_allclose(back, rows, atol=6e-3)
        revealed = scaler.reveal(to="all")
        np.testing.assert_allclose(revealed.mean_, clear.mean_, atol=1e-4)
        np.testing.assert_allclose(revealed.scale_, clear.scale_, rtol=2e-4)
        plain = ml.StandardScaler(with_std=False).fit(X)
        np.testing.assert_allclose(
            plain.transform(X).reveal(to="all"), rows - rows.mean(0), atol=1e-4
        )
        assert plain.reveal(to="all").scale_ is None


@pytest.mark.parametrize("shuffle", [True, False, "secret"])
def test_split_keeps_rows_together(shuffle: Any) -> None:
    numbers = np.arange(40)
    with tacit.local() as mpc:
        X, y = mpc.share(np.stack([numbers * 1.5, -numbers], 1), "alice"), mpc.share(numbers, "bob")
        parts = ml.train_test_split(X, y, test_size=0.3, shuffle=shuffle)
        a, b, c, d = (part.reveal(to="all") for part in parts)
    assert [len(part) for part in (a, b, c, d)] == [28, 12, 28, 12]
    np.testing.assert_array_equal(a[:, 0], c * 1.5)
    np.testing.assert_array_equal(b[:, 1], -d)
    assert sorted([*c, *d]) == list(range(40))
    assert (list(c) == list(range(28))) == (shuffle is False)


def test_metrics_are_scikit_learn_s() -> None:
    truth = RNG.random(150) < 0.4
    score = np.round(RNG.random(150) * 0.5 + truth * 0.3, 1)  # many ties
    other = RNG.integers(0, 3, 150)
    guess = np.where(RNG.random(150) < 0.7, other, 1)
    probabilities = RNG.dirichlet(np.ones(3), 150)
    guessed = NUMBERS + RNG.normal(size=200)
    with tacit.local() as mpc:
        t, s, o, g, p = (
            mpc.share(v, owner="alice") for v in (truth, score, other, guess, probabilities)
        )
        y, z = mpc.share(NUMBERS, owner="bob"), mpc.share(guessed, owner="carol")
        pairs = [
            (ml.accuracy_score(o, g, to="all"), metrics.accuracy_score(other, guess), 1e-12),
            (ml.accuracy_score(t, s > 0.5, to="all"), (truth == (score > 0.5)).mean(), 1e-12),
            (ml.log_loss(t, s, to="all"), metrics.log_loss(truth, score.clip(1e-12, 1)), 1e-3),
            (ml.log_loss(o, p, to="all"), metrics.log_loss(other, probabilities), 1e-3),
            (ml.mean_squared_error(y, z, to="all"), ((NUMBERS - guessed) ** 2).mean(), 1e-4),
            (ml.r2_score(y, z, to="all"), metrics.r2_score(NUMBERS, guessed), 1e-3),
            (ml.roc_auc_score(t, s, to="all"), metrics.roc_auc_score(truth, score), 5e-4),
        ]
        assert all(isinstance(found, float) for found, _, _ in pairs)
        for found, expected, tolerance in pairs:
            assert found == pytest.approx(expected, abs=tolerance)
        counts = ml.confusion_matrix(o, g, labels=[0, 1, 2], to=["bob"])["bob"]
        np.testing.assert_array_equal(counts, metrics.confusion_matrix(other, guess))


def test_estimators_over_the_larger_ring() -> None:
    rows = preprocessing.scale(ROWS)
    with tacit.local(ring=128) as mpc:
        X, y = mpc.share(rows, owner="alice"), mpc.share(LABELS, owner="bob")
        z = mpc.share(NUMBERS, owner="carol")
        model = ml.MLPClassifier(
            (6,), solver="sgd", learning_rate_init=0.3, max_iter=4, batch_size=40, classes=[3, 5, 9]
        ).fit(ml.StandardScaler().fit_transform(X), y)
        assert ml.accuracy_score(y, model.predict(X), to="all") > 0.85
        assert ml.r2_score(z, ml.LinearRegression().fit(X, z).predict(X), to="all") > 0.99


def test_a_metric_reveals_one_number() -> None:
    with tacit.local() as mpc:
        t, s = mpc.share(np.arange(64) % 2, "alice"), mpc.share(np.arange(64) / 64, "bob")
        opened: list[tuple[int, ...]] = []
        original = type(mpc.session).open

        def watched(session: Any, reference: Any, *rest: Any) -> Any:
            opened.append(reference.shape)
            return original(session, reference, *rest)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(type(mpc.session), "open", watched)
            ml.roc_auc_score(t, s, to="all")
            ml.log_loss(t, s, to="all")
            ml.r2_score(t, s, to="all")
            ml.accuracy_score(t, t, to="all")
    assert opened == [()] * 4


def test_a_pipeline() -> None:
    labels = np.median(NUMBERS) < NUMBERS
    with tacit.local() as mpc:
        X, y = mpc.share(ROWS, owner="alice"), mpc.share(labels, owner="bob")
        for last in (
            ml.LogisticRegression(max_iter=20),
            ml.MLPClassifier((4,), solver="sgd", learning_rate_init=0.3, max_iter=5,
                             batch_size=40),
            ml.Ridge(),
        ):  # fmt: skip
            model = clone(make_pipeline(ml.StandardScaler(), last)).fit(X, y)
            found = model.predict(X)
            assert isinstance(found, tacit.SecretArray)
            opened = found.reveal(to="all")
            assert ((opened > 0.5) == labels).mean() > 0.9


ESTIMATORS = ["LinearRegression", "Ridge", "LogisticRegression", "MLPClassifier", "MLPRegressor",
              "StandardScaler"]  # fmt: skip


@pytest.mark.parametrize("name", ESTIMATORS)
def test_estimators_are_scikit_learn_s(name: str) -> None:
    model = getattr(ml, name)()
    assert clone(model).get_params() == model.get_params()
    with pytest.raises(NotFittedError):
        check_is_fitted(model)
    with tacit.local() as mpc:
        X, y = mpc.share(ROWS, owner="alice"), mpc.share(NUMBERS > 0, owner="bob")
        with pytest.raises(UsageError, match="not been fitted"):
            (model.transform if name == "StandardScaler" else model.predict)(X)
        with pytest.raises(TypeMismatchError, match="not a secret"):
            model.fit(ROWS, y)
        with pytest.raises(ShapeError):
            model.fit(X[:0], y[:0])
        if name != "StandardScaler":
            with pytest.raises(ShapeError):
                model.fit(X, y[:-1])


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("Ridge", {"alpha": -1.0}),
        ("MLPClassifier", {"activation": "gelu"}),
        ("MLPClassifier", {"solver": "lbfgs"}),
        ("MLPClassifier", {"hidden_layer_sizes": (0,)}),
        ("MLPClassifier", {"classes": [1, 1]}),
        ("MLPRegressor", {"momentum": 1.0}),
        ("MLPRegressor", {"epsilon": 1e-8}),
        ("LogisticRegression", {"classes": [1]}),
    ],
)
def test_wrong_parameters_are_refused(name: str, parameters: dict[str, Any]) -> None:
    with tacit.local() as mpc:
        X, y = mpc.share(ROWS, owner="alice"), mpc.share(NUMBERS > 0, owner="bob")
        with pytest.raises(UsageError, match=next(iter(parameters))):
            getattr(ml, name)(**parameters).fit(X, y)


def test_wrong_metrics_and_splits_are_refused() -> None:
    with tacit.local() as mpc:
        y = mpc.share(np.arange(6), owner="alice")
        with pytest.raises(TypeMismatchError):
            ml.accuracy_score(y, np.arange(6), to="all")  # type: ignore[arg-type]
        with pytest.raises(ShapeError):
            ml.accuracy_score(y, y[:-1], to="all")
        with pytest.raises(UsageError):
            ml.train_test_split(y, test_size=1.0)
        with pytest.raises(UsageError):
            ml.train_test_split()
        with pytest.raises(ShapeError):
            ml.train_test_split(y, y[:-1])
