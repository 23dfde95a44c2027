"""The estimator with scikit-learn's face."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression as ClearLogisticRegression
from sklearn.utils.validation import check_is_fitted

import tacit
from tacit.errors import ShapeError, TypeMismatchError, UsageError
from tacit.ml import LogisticRegression

RNG = np.random.default_rng(1)
ROWS = RNG.normal(size=(300, 4))
LABELS = RNG.random(300) < 1 / (1 + np.exp(-(ROWS @ [1.5, -2.0, 0.5, 0.0] + 0.3)))


def test_fits_what_scikit_learn_fits() -> None:
    with tacit.local() as mpc:
        X, y = mpc.share(ROWS, owner="alice"), mpc.share(LABELS, owner="bob")
        model = LogisticRegression(max_iter=60, batch_size=100).fit(X, y)
        revealed = model.reveal(to="all")
        clear = ClearLogisticRegression(C=1.0).fit(ROWS, LABELS)
        np.testing.assert_allclose(revealed.coef_, clear.coef_, atol=0.08)
        np.testing.assert_allclose(revealed.intercept_, clear.intercept_, atol=0.08)
        assert revealed.score(ROWS, LABELS) == pytest.approx(clear.score(ROWS, LABELS), abs=0.02)
        both = model.predict_proba(X).reveal(to="all")
        np.testing.assert_allclose(both, revealed.predict_proba(ROWS), atol=2e-3)
        agreeing = model.predict(X).reveal(to="all") == revealed.predict(ROWS)
        assert agreeing.mean() > 0.99
        assert set(model.reveal(to=["bob"])) == {"bob"}


def test_label_types_and_no_intercept() -> None:
    with tacit.local() as mpc:
        X = mpc.share(ROWS, owner="alice")
        models = [
            LogisticRegression(max_iter=2, fit_intercept=False, C=float("inf"))
            .fit(X, mpc.share(labels, owner="carol"))
            .reveal(to="all")
            for labels in (LABELS, LABELS.astype(int), LABELS.astype(float))
        ]
    for model in models:
        np.testing.assert_allclose(model.coef_, models[0].coef_, atol=1e-3)
        assert model.intercept_ == 0.0


def test_warm_start_goes_on_from_the_last_weights() -> None:
    with tacit.local() as mpc:
        X, y = mpc.share(ROWS, owner="alice"), mpc.share(LABELS, owner="bob")
        model = LogisticRegression(max_iter=5, warm_start=True, shuffle=False)
        first = model.fit(X, y).reveal(to="all").coef_
        second = model.fit(X, y).reveal(to="all").coef_
        longer = LogisticRegression(max_iter=10, shuffle=False).fit(X, y).reveal(to="all").coef_
    assert np.abs(second - first).max() > 0.01
    np.testing.assert_allclose(second, longer, atol=1e-3)


def test_is_a_scikit_learn_estimator() -> None:
    model = LogisticRegression(C=0.5, max_iter=3)
    assert clone(model).get_params() == model.get_params()
    with pytest.raises(NotFittedError):
        check_is_fitted(model)


@pytest.mark.parametrize(
    "parameters", [{"C": 0}, {"max_iter": 0}, {"learning_rate_init": 0.0}, {"batch_size": 0}]
)
def test_wrong_parameters_are_refused(parameters: dict[str, float]) -> None:
    with tacit.local() as mpc:
        X, y = mpc.share(ROWS, owner="alice"), mpc.share(LABELS, owner="bob")
        with pytest.raises(UsageError, match=next(iter(parameters))):
            LogisticRegression(**parameters).fit(X, y)  # type: ignore[arg-type]


def test_wrong_data_is_refused() -> None:
    with tacit.local() as mpc:
        X, y = mpc.share(ROWS, owner="alice"), mpc.share(LABELS, owner="bob")
        with pytest.raises(TypeMismatchError, match="not a secret"):
            LogisticRegression().fit(ROWS, y)  # type: ignore[arg-type]
        with pytest.raises(ShapeError, match="one label a row"):
            LogisticRegression().fit(X, y[:-1])
        with pytest.raises(ShapeError, match="no rows"):
            LogisticRegression().fit(X[:0], y[:0])
        with pytest.raises(UsageError, match="not been fitted"):
            LogisticRegression().predict(X)
