"""Multilayer perceptrons on secret arrays, with scikit-learn's face."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.neural_network import MLPClassifier as ClearClassifier
from sklearn.neural_network import MLPRegressor as ClearRegressor
from sklearn.preprocessing import LabelBinarizer

from tacit.arrays import SecretArray
from tacit.arrays.array import applied
from tacit.arrays.functions import concat
from tacit.ml.checks import (
    checked_classes,
    checked_rows,
    checked_targets,
    indicators,
    opened,
    require_fitted,
)
from tacit.ml.perceptron_fit import PerceptronFit

__all__ = ["MLPClassifier", "MLPRegressor"]


class MLPClassifier(ClassifierMixin, PerceptronFit):  # type: ignore[misc]
    """A perceptron that classifies, trained on secret rows and labels.

    Minimises the mean cross-entropy plus alpha / (2 n) ‖W‖² by minibatch steps, as scikit-learn's
    estimator of the same name: logistic output for two classes, softmax for more. Every step is
    one operation (``functions/perceptron.py``), and nothing is revealed: the weights stay secret
    until :meth:`reveal`.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int, default=(100,)
    activation : {"identity", "logistic", "tanh", "relu"}, default="relu"
    solver : {"sgd", "adam"}, default="adam"
        Adam in a rescaled form (decision 0030), which costs several times an SGD step.
    alpha : float, default=1e-4
        L2 penalty of the weights.
    batch_size : int or "auto", default="auto"
        "auto" is min(200, n).
    learning_rate : {"constant", "invscaling"}, default="constant"
        Of SGD: constant, or ``learning_rate_init / (samples + 1)^power_t`` by the samples of all
        passes before.
    learning_rate_init : float, default=1e-3
    power_t : float, default=0.5
    max_iter : int, default=200
        Passes over the rows; fewer with `early_stopping` alone, because whether training has
        converged is a secret.
    early_stopping : bool, default=False
        Set `validation_fraction` of the rows apart by a public order, **reveal their mean loss to
        all parties** after every pass, and end when it has not become better by `tol` in
        `n_iter_no_change` passes. The best weights are kept. Nothing else is revealed.
    validation_fraction, n_iter_no_change, tol : default=0.1, 10, 1e-4
    shuffle : bool, default=True
        A public random order of rows in every pass.
    random_state : int, default=0
        Public: makes initial weights and orders.
    warm_start : bool, default=False
        Go on from the weights and the optimiser's state of the last fit.
    momentum : float, default=0.9
    nesterovs_momentum : bool, default=True
    beta_1, beta_2 : float, default=0.9, 0.999
    epsilon : float, default=2**-16
        Larger than scikit-learn's 1e-8, which fixed point does not hold.
    classes : array_like, optional
        Extension: the public labels. By default 0 and 1. Labels that none of them equals are
        of no class.

    Attributes
    ----------
    coefs_, intercepts_ : list of SecretArray
    classes_ : ndarray
    n_features_in_, n_layers_, n_outputs_, n_iter_, t_ : int
    out_activation_ : str
    validation_scores_, best_validation_score_ : list of float, float
        With `early_stopping`: minus the revealed losses (scikit-learn's are accuracies).

    Examples
    --------
    >>> import numpy as np, tacit
    >>> rows = np.array([[-1.0, 0.0], [-0.5, 0.5], [0.5, -0.5], [1.0, 0.0]] * 4)
    >>> with tacit.local("replicated3") as mpc:
    ...     X = mpc.share(rows, owner="alice")
    ...     y = mpc.share(rows[:, 0] > 0, owner="bob")
    ...     model = tacit.ml.MLPClassifier((4,), solver="sgd", learning_rate_init=0.5, max_iter=20)
    ...     float(tacit.ml.accuracy_score(y, model.fit(X, y).predict(X), to="all"))
    1.0
    """

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (100,),
        activation: str = "relu",
        *,
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: int | str = "auto",
        learning_rate_init: float = 0.001,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: int = 0,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 2.0**-16,
        learning_rate: str = "constant",
        power_t: float = 0.5,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        tol: float = 1e-4,
        classes: ArrayLike | None = None,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.learning_rate = learning_rate
        self.power_t = power_t
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
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
        X : SecretArray, (n, d)
        y : SecretArray, (n,) or (n, k)
            Labels; booleans for two classes; or a column of 0 and 1 for every class.
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
        X = checked_rows(X)
        self.classes_ = checked_classes(self, self.classes)
        targets = indicators(checked_targets(X, y), self.classes_).astype(X.dtype)
        self._output = "logistic" if self.classes_.size == 2 else "softmax"
        self._fit(X, targets, checkpoint, every, resume)
        return self

    def predict_proba(self, X: SecretArray) -> SecretArray:
        """Secret probabilities of all classes, (n, k)."""
        require_fitted(self)
        found = self._forward(X, self._output)
        return found if self.n_outputs_ > 1 else concat([1.0 - found, found], axis=1)

    def predict(self, X: SecretArray) -> SecretArray:
        """Secret labels, (n,): tacit.bool for classes 0 and 1, else of the classes' type."""
        require_fitted(self)
        scores = self._forward(X, "identity")
        if self.n_outputs_ > 1:
            return applied("class_of_largest", scores, self.classes_)
        positive = scores.reshape(-1) > 0.0
        if np.array_equal(self.classes_, [0, 1]):
            return positive
        return applied("where", positive, self.classes_[1], self.classes_[0])

    def reveal(self, *, to: str | Sequence[str]) -> Any:
        """Open the weights and return a fitted scikit-learn estimator, or one a recipient."""

        def build(parameters: list[NDArray[Any]]) -> ClearClassifier:
            model = self._fill(ClearClassifier(**self._clear_parameters()), parameters)
            model.classes_ = self.classes_
            model._label_binarizer = LabelBinarizer().fit(self.classes_)
            return model

        return opened(self._parameters(), to, build)


class MLPRegressor(RegressorMixin, PerceptronFit):  # type: ignore[misc]
    """A perceptron for numbers, trained on secret rows and targets.

    Minimises half the mean squared error plus alpha / (2 n) ‖W‖². Parameters and attributes are
    those of :class:`MLPClassifier` without classes; the output is the identity.
    """

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (100,),
        activation: str = "relu",
        *,
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: int | str = "auto",
        learning_rate_init: float = 0.001,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: int = 0,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 2.0**-16,
        learning_rate: str = "constant",
        power_t: float = 0.5,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        tol: float = 1e-4,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.learning_rate = learning_rate
        self.power_t = power_t
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol

    def fit(
        self,
        X: SecretArray,
        y: SecretArray,
        *,
        checkpoint: str | None = None,
        every: int = 100,
        resume: bool = False,
    ) -> Self:
        """Fit to secret rows (n, d) and targets (n,) or (n, m); see :class:`MLPClassifier`."""
        self._check_parameters()
        X = checked_rows(X)
        targets = checked_targets(X, y)
        self._flat = targets.ndim == 1
        rows = targets.reshape(X.shape[0], -1).astype(X.dtype)
        self._output = "identity"
        self._fit(X, rows, checkpoint, every, resume)
        return self

    def predict(self, X: SecretArray) -> SecretArray:
        """Secret predictions, (n,) or (n, m) as the targets were."""
        require_fitted(self)
        found = self._forward(X, "identity")
        return found.reshape(-1) if self._flat else found

    def reveal(self, *, to: str | Sequence[str]) -> Any:
        """Open the weights and return a fitted scikit-learn estimator, or one a recipient."""

        def build(parameters: list[NDArray[Any]]) -> ClearRegressor:
            return self._fill(ClearRegressor(**self._clear_parameters()), parameters)

        return opened(self._parameters(), to, build)
