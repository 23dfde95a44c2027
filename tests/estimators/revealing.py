"""Adapters that let scikit-learn's checks call the estimators: they share, fit and reveal.

An adapter takes plain arrays, checks them as scikit-learn asks every estimator to, shares them in
a session of its own, fits the estimator of ``tacit.ml`` and reveals its predictions. Classes,
which are public parameters there, come from the plain labels. Sessions round to nearest, so that
equal questions have equal answers.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, TransformerMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

import tacit
from tacit import ml


class Revealing(BaseEstimator):  # type: ignore[misc]
    """Shares plain arrays, reveals results. Subclasses say what estimator."""

    def _secret(self) -> Any:
        raise NotImplementedError

    def _open(self) -> Any:
        return tacit.local("replicated3", seed=1, rounding="nearest")

    def _shared(self, X: Any, *, reset: bool, **kinds: Any) -> Any:
        return validate_data(self, X, reset=reset, dtype=np.float64, **kinds)

    def _again(self, method: str, X: Any) -> Any:
        """Call a method of the fitted estimator on new plain rows."""
        check_is_fitted(self, "model_")
        rows = self._shared(X, reset=False)
        shared = self.computation_.share(rows, owner="alice")
        return getattr(self.model_, method)(shared).reveal(to="all")


class RevealingRegressor(RegressorMixin, Revealing):  # type: ignore[misc]
    """A regressor."""

    def fit(self, X: Any, y: Any) -> Self:
        X, y = validate_data(self, X, y, dtype=np.float64, y_numeric=True)
        self.computation_ = mpc = self._open()
        self.model_ = self._secret().fit(
            mpc.share(X, owner="alice"), mpc.share(np.asarray(y, np.float64), owner="bob")
        )
        if hasattr(self.model_, "n_iter_"):
            self.n_iter_ = self.model_.n_iter_
        return self

    def predict(self, X: Any) -> Any:
        return self._again("predict", X)


class RevealingClassifier(ClassifierMixin, Revealing):  # type: ignore[misc]
    """A classifier; labels of any type become places among the sorted classes."""

    def fit(self, X: Any, y: Any) -> Self:
        X, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        self.classes_, places = np.unique(y, return_inverse=True)
        if self.classes_.size < 2:
            raise ValueError(f"needs 2 classes, got {self.classes_.size} class")
        self.computation_ = mpc = self._open()
        self.model_ = self._secret().set_params(classes=np.arange(self.classes_.size))
        self.model_.fit(mpc.share(X, owner="alice"), mpc.share(places, owner="bob"))
        self.n_iter_ = int(np.max(self.model_.n_iter_))
        return self

    def predict(self, X: Any) -> Any:
        places = self._again("predict", X)
        return self.classes_[np.asarray(places).astype(int)]

    def predict_proba(self, X: Any) -> Any:
        found = np.clip(self._again("predict_proba", X), 0.0, 1.0)
        return found / found.sum(axis=1, keepdims=True)


class RevealingLinearRegression(RevealingRegressor):
    """``tacit.ml.LinearRegression``."""

    def _secret(self) -> Any:
        return ml.LinearRegression()


class RevealingRidge(RevealingRegressor):
    """``tacit.ml.Ridge``."""

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = alpha

    def _secret(self) -> Any:
        return ml.Ridge(self.alpha)


class RevealingMLPRegressor(RevealingRegressor):
    """``tacit.ml.MLPRegressor``."""

    def __init__(self, max_iter: int = 6, random_state: int = 0) -> None:
        self.max_iter = max_iter
        self.random_state = random_state

    def _secret(self) -> Any:
        return ml.MLPRegressor(
            (8,), solver="sgd", learning_rate_init=0.2, batch_size=100, max_iter=self.max_iter,
        )  # fmt: skip


class RevealingLogisticRegression(RevealingClassifier):
    """``tacit.ml.LogisticRegression``."""

    def __init__(self, max_iter: int = 6, random_state: int = 0) -> None:
        self.max_iter = max_iter
        self.random_state = random_state

    def _secret(self) -> Any:
        return ml.LogisticRegression(max_iter=self.max_iter, batch_size=100, learning_rate_init=1.0)


class RevealingMLPClassifier(RevealingClassifier):
    """``tacit.ml.MLPClassifier``."""

    def __init__(self, max_iter: int = 6, random_state: int = 0) -> None:
        self.max_iter = max_iter
        self.random_state = random_state

    def _secret(self) -> Any:
        return ml.MLPClassifier(
            (8,), solver="sgd", learning_rate_init=0.5, batch_size=100, max_iter=self.max_iter,
        )  # fmt: skip


class RevealingStandardScaler(TransformerMixin, Revealing):  # type: ignore[misc]
    """``tacit.ml.StandardScaler``."""

    def _secret(self) -> Any:
        return ml.StandardScaler()

    def fit(self, X: Any, y: Any = None) -> Self:
        X = self._shared(X, reset=True)
        self.computation_ = mpc = self._open()
        self.model_ = self._secret().fit(mpc.share(X, owner="alice"))
        return self

    def transform(self, X: Any) -> Any:
        return self._again("transform", X)
