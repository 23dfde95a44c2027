"""Logistic regression on secret arrays, with scikit-learn's face."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression as ClearLogisticRegression

from tacit.arrays import SecretArray
from tacit.arrays.array import applied, applied_all
from tacit.arrays.functions import concatenate, sigmoid, stack
from tacit.errors import ShapeError, TypeMismatchError, UsageError
from tacit.ml.checkpoints import FitCheckpoints
from tacit.ml.checks import batch_rows, batches_of, checked_classes, constant, indicators, opened

__all__ = ["LogisticRegression"]


class LogisticRegression(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Logistic regression by minibatch gradient descent on secret rows and labels.

    Binary by the sigmoid; with more than two `classes` multinomial by softmax.

    Minimises C · Σ log-loss + ½ ‖w‖², as scikit-learn's estimator of the same name, from zero
    weights. Nothing is revealed by fitting: the weights stay secret until :meth:`reveal`.

    Parameters
    ----------
    C : float, default=1.0
        Inverse strength of the L2 penalty; ``float("inf")`` for none.
    fit_intercept : bool, default=True
        Whether to learn an intercept; it is penalised here too, weakly, as one more weight.
    max_iter : int, default=20
        Passes over the rows. There is no tolerance: whether training has converged depends on
        secrets, and stopping early would reveal it.
    random_state : int, default=0
        Public seed of the order of rows.
    warm_start : bool, default=False
        Go on from the weights of the last fit.
    batch_size : int or "auto", default="auto"
        Extension, as in ``MLPClassifier``: rows a step; "auto" is min(200, rows).
    learning_rate_init : float, default=0.5
        Extension, as in ``MLPClassifier``: the step size; features should be standardised.
    shuffle : bool, default=True
        Extension, as in ``MLPClassifier``: a public random order of rows in every pass.
    class_weight : dict, optional
        Weight of each class, 1 for those that are not named; public. Not "balanced": how many rows
        of each class there are is a secret.
    classes : array_like, optional
        Extension: the public labels, 0 and 1 by default. What labels occur is a secret, so it
        cannot be learned from them.

    Attributes
    ----------
    coef_ : SecretArray, (1, d), or (k, d) for k > 2 classes
    intercept_ : SecretArray, (1,) or (k,)
    classes_ : ndarray
    n_features_in_ : int
    n_iter_ : ndarray of int, (1,)

    Notes
    -----
    A step costs 6 rounds and the sigmoid's; see ``functions/logistic.py``. The sigmoid's error is
    at most 1e-3. With more classes or class weights it is ``mlp_step`` without hidden layers, whose
    intercepts are not penalised.

    Examples
    --------
    >>> import numpy as np, tacit
    >>> rows = np.array([[-1.0], [-0.5], [0.5], [1.0]])
    >>> with tacit.local("replicated3") as mpc:
    ...     X = mpc.share(rows, owner="alice")
    ...     y = mpc.share(rows[:, 0] > 0, owner="bob")
    ...     model = tacit.ml.LogisticRegression(max_iter=30).fit(X, y)
    ...     bool(model.reveal(to="all").coef_[0, 0] > 0.5)
    True
    """

    def __init__(
        self,
        *,
        C: float = 1.0,
        fit_intercept: bool = True,
        max_iter: int = 20,
        random_state: int = 0,
        warm_start: bool = False,
        batch_size: int | str = "auto",
        learning_rate_init: float = 0.5,
        shuffle: bool = True,
        class_weight: Mapping[Any, float] | None = None,
        classes: ArrayLike | None = None,
    ) -> None:
        self.C = C
        self.fit_intercept = fit_intercept
        self.max_iter = max_iter
        self.random_state = random_state
        self.warm_start = warm_start
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.shuffle = shuffle
        self.class_weight = class_weight
        self.classes = classes

    def fit(
        self,
        X: SecretArray,
        y: SecretArray,
        *,
        checkpoint: str | None = None,
        every: int = 100,
        resume: bool = False,
    ) -> Self:
        """Fit to secret rows and labels.

        Parameters
        ----------
        X : SecretArray, (n, d), tacit.fixed
        y : SecretArray, (n,)
            Labels: tacit.bool, or numbers that are among the classes.
        checkpoint : str, optional
            Extension: seal the state of training under this name in the session's storage.
        every : int, default=100
            Extension: steps between two checkpoints.
        resume : bool, default=False
            Extension: go on from the newest checkpoint that all parties have, if there is one.

        Returns
        -------
        self

        Raises
        ------
        TypeMismatchError, ShapeError, UsageError
            X or y are not secret, do not fit, or a parameter is out of range.
        """
        self._check_parameters()
        _check_rows(X)
        if not isinstance(y, SecretArray) or y.shape != X.shape[:1]:
            raise ShapeError(
                "The labels are not a secret array with one label a row.",
                next_step=f"share labels of shape {X.shape[:1]}.",
                case=50,
                stage="fit",
            )
        rows, columns = X.shape
        if rows == 0:
            raise ShapeError(
                "There are no rows to fit.", next_step="share at least one row.", case=51
            )
        decay = 0.0 if not np.isfinite(self.C) else 1.0 / (self.C * rows)
        classes = checked_classes(self, self.classes)
        weights = self._weights_of(classes)
        y = indicators(y, classes)
        job = (type(self).__name__, self.get_params(), X.shape, classes.tolist())
        kept = FitCheckpoints(X, checkpoint, every, resume, job)
        if classes.size > 2 or weights:
            self._fit_multinomial(X, y.astype(X.dtype), decay, kept, weights)
        else:
            self._fit_binary(X, y.reshape(rows).astype(X.dtype), decay, kept)
        self.n_features_in_ = columns
        self.classes_ = classes
        self.n_iter_ = np.array([self.max_iter])
        return self

    def _batches(self, rows: int, done: int) -> Iterator[NDArray[np.int64] | slice]:
        """The minibatches of all passes after the first `done` ones."""
        size = batch_rows(self.batch_size, rows)
        order = np.random.default_rng(self.random_state)
        passes = (batches_of(rows, size, self.shuffle, order) for _ in range(self.max_iter))
        return islice(chain.from_iterable(passes), done, None)

    def _fit_binary(
        self, X: SecretArray, y: SecretArray, decay: float, kept: FitCheckpoints
    ) -> None:
        rows, columns = X.shape
        if self.fit_intercept:
            X = concatenate([X, np.ones((rows, 1))], axis=1)
        weights = self._initial(X) if kept.arrays is None else kept.arrays[0]
        for batch in self._batches(rows, kept.step):
            weights = applied(
                "logistic_step",
                X[batch],
                y[batch],
                weights,
                learning_rate=float(self.learning_rate_init),
                decay=decay,
            )
            kept.done([weights])
        self._weights = weights
        self.coef_ = weights[:columns].reshape(1, columns)
        self.intercept_: SecretArray | None = weights[columns:] if self.fit_intercept else None

    def _weights_of(self, classes: NDArray[Any]) -> tuple[float, ...]:
        """The weight of each class, or none."""
        if self.class_weight is None:
            return ()
        given = dict(self.class_weight) if isinstance(self.class_weight, Mapping) else {}
        weights = tuple(float(given.get(label, 1.0)) for label in classes.tolist())
        fine = all(0.001 <= weight <= 1_000 for weight in weights)
        if not given or set(given) - set(classes.tolist()) or not fine:
            raise UsageError(
                "LogisticRegression: class_weight must give classes weights from 0.001 to 1000;"
                ' "balanced" would need their counts, which are secret.',
                next_step="pass for instance class_weight={0: 1, 1: 10}.",
                case=50,
                stage="fit",
            )
        return weights

    def _fit_multinomial(
        self,
        X: SecretArray,
        y: SecretArray,
        decay: float,
        kept: FitCheckpoints,
        class_weights: tuple[float, ...],
    ) -> None:
        (rows, columns), classes = X.shape, y.shape[1]
        previous = getattr(self, "_weights", None)
        zeros = constant(X, np.zeros(classes))
        weights, bias = constant(X, np.zeros((columns, classes))), zeros
        if kept.arrays is not None:
            weights, bias = kept.arrays
        elif self.warm_start and previous is not None and previous.shape == (columns, classes):
            weights = previous
            bias = zeros if self.intercept_ is None else self.intercept_
        for batch in self._batches(rows, kept.step):
            part = X[batch]
            weights, moved = applied_all(
                "mlp_step",
                part,
                y[batch],
                weights,
                bias,
                learning_rate=float(self.learning_rate_init),
                alpha=decay * part.shape[0],
                output="logistic" if classes == 1 else "softmax",
                class_weights=class_weights,
            )
            bias = moved if self.fit_intercept else zeros
            kept.done([weights, bias])
        self._weights = weights
        self.coef_ = weights.T
        self.intercept_ = bias if self.fit_intercept else None

    def _initial(self, X: SecretArray) -> SecretArray:
        previous: SecretArray | None = getattr(self, "_weights", None)
        if self.warm_start and previous is not None and previous.shape == X.shape[1:]:
            return previous
        zero: SecretArray = (X[:1] * 0).reshape(X.shape[1])
        return zero

    def _check_parameters(self) -> None:
        problems = []
        if not self.C > 0:
            problems.append("C must be positive")
        if self.max_iter < 1:
            problems.append("max_iter must be at least 1")
        if not self.learning_rate_init > 0:
            problems.append("learning_rate_init must be positive")
        if self.batch_size != "auto" and (
            not isinstance(self.batch_size, int) or self.batch_size < 1
        ):
            problems.append("batch_size must be 'auto' or at least 1")
        if problems:
            raise UsageError(
                f"LogisticRegression: {'; '.join(problems)}.",
                next_step="see help(tacit.ml.LogisticRegression).",
                case=50,
                stage="fit",
            )

    def decision_function(self, X: SecretArray) -> SecretArray:
        """Secret log-odds of secret rows, (n,), or scores (n, k) for k > 2 classes."""
        self._check_fitted()
        _check_rows(X)
        if self.classes_.size > 2:
            scores: SecretArray = X @ self._weights
        else:
            scores = X @ self.coef_.reshape(self.n_features_in_)
        return scores if self.intercept_ is None else scores + self.intercept_

    def predict_proba(self, X: SecretArray) -> SecretArray:
        """Secret probabilities of all classes, (n, k)."""
        scores = self.decision_function(X)
        if self.classes_.size > 2:
            unit = constant(X, np.eye(self.classes_.size))
            zero = constant(X, np.zeros(self.classes_.size))
            return applied("mlp_forward", scores, unit, zero, output="softmax")
        positive = sigmoid(scores)
        both: SecretArray = stack([1.0 - positive, positive], axis=1)
        return both

    def predict(self, X: SecretArray) -> SecretArray:
        """Secret labels, (n,): tacit.bool for classes 0 and 1, else of the classes' type."""
        scores = self.decision_function(X)
        if self.classes_.size > 2:
            return applied("class_of_largest", scores, self.classes_)
        positive: SecretArray = scores > 0.0
        if np.array_equal(self.classes_, [0, 1]):
            return positive
        return applied("where", positive, self.classes_[1], self.classes_[0])

    def reveal(self, *, to: str | Sequence[str]) -> Any:
        """Open the weights and return a fitted scikit-learn estimator.

        Parameters
        ----------
        to : "all", or one or several party names
            Who learns the weights.

        Returns
        -------
        sklearn.linear_model.LogisticRegression or dict
            The estimator with "all"; otherwise one for each recipient, by name.
        """
        self._check_fitted()
        present = [self.coef_] if self.intercept_ is None else [self.coef_, self.intercept_]
        return opened(present, to, self._clear)

    def _clear(self, values: list[NDArray[Any]]) -> ClearLogisticRegression:
        model = ClearLogisticRegression(C=self.C, fit_intercept=self.fit_intercept)
        model.coef_ = values[0]
        model.intercept_ = values[1] if self.fit_intercept else np.zeros(len(values[0]))
        model.classes_ = self.classes_
        model.n_features_in_ = self.n_features_in_
        model.n_iter_ = self.n_iter_
        return model

    def _check_fitted(self) -> None:
        if not hasattr(self, "_weights"):
            raise UsageError(
                "This LogisticRegression has not been fitted.",
                next_step="call fit(X, y) first.",
                case=51,
            )

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_weights")


def _check_rows(X: Any) -> None:
    if not isinstance(X, SecretArray) or X.ndim != 2 or X.dtype.kind != "fixed":
        raise TypeMismatchError(
            "X is not a secret two-dimensional array of tacit.fixed.",
            next_step="share floats of shape (n, d) with mpc.share(X, owner=...).",
            case=50,
            stage="fit",
        )
