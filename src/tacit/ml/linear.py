"""Linear least squares on secret arrays, with scikit-learn's face."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.linear_model import LinearRegression as ClearLinearRegression
from sklearn.linear_model import Ridge as ClearRidge

from tacit.arrays import SecretArray
from tacit.arrays.array import applied
from tacit.ml.checks import checked_rows, checked_targets, opened, refuse, require_fitted

__all__ = ["LinearRegression", "Ridge"]


class _Linear(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Centred columns, normal equations, secret coefficients."""

    fit_intercept: bool

    def _fit(self, X: Any, y: Any, penalty: float) -> Self:
        X = checked_rows(X)
        targets = checked_targets(X, y)
        if targets.dtype != X.dtype:
            targets = targets.astype(X.dtype)
        rows, target = X, targets
        if self.fit_intercept:
            means, target_mean = X.mean(axis=0), targets.mean(axis=0)
            rows, target = X - means, targets - target_mean
        weights = applied("lstsq", rows, target, penalty=penalty)
        self._weights = weights
        self.n_features_in_ = X.shape[1]
        self.coef_ = weights if targets.ndim == 1 else weights.T
        self.intercept_: Any = 0.0
        if self.fit_intercept:
            self.intercept_ = target_mean - means @ weights
        return self

    def predict(self, X: SecretArray) -> SecretArray:
        """Secret predictions, (n,) or (n, m) as the targets were."""
        require_fitted(self)
        found: SecretArray = checked_rows(X, self.n_features_in_) @ self._weights
        return found + self.intercept_ if self.fit_intercept else found

    def _reveal(self, model: Any, to: str | Sequence[str]) -> Any:
        require_fitted(self)
        arrays = [self.coef_, self.intercept_] if self.fit_intercept else [self.coef_]

        def build(values: list[NDArray[Any]]) -> Any:
            from sklearn.base import clone

            fitted = clone(model)
            fitted.coef_ = values[0]
            fitted.intercept_ = values[1] if self.fit_intercept else 0.0
            fitted.n_features_in_ = self.n_features_in_
            return fitted

        return opened(arrays, to, build)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_weights")


class LinearRegression(_Linear):
    """Ordinary least squares on secret rows and targets, by the normal equations.

    Parameters
    ----------
    fit_intercept : bool, default=True
        Whether to learn an intercept: columns and targets are centred first.

    Attributes
    ----------
    coef_ : SecretArray, (d,) or (m, d)
    intercept_ : SecretArray, () or (m,); 0.0 without intercept
    n_features_in_ : int

    Notes
    -----
    Domain and accuracy are those of ``tacit.linalg.lstsq``: the correlation matrix of the columns
    has eigenvalues of at least 2^-10, and their variances lie between 2^-11 and 2^13. Columns that
    depend on each other give meaningless coefficients; take :class:`Ridge` then. About 120
    rounds, whatever the number of rows.

    Examples
    --------
    >>> import numpy as np, tacit
    >>> rows = np.random.default_rng(0).normal(size=(100, 2))
    >>> with tacit.local("replicated3") as mpc:
    ...     X = mpc.share(rows, owner="alice")
    ...     y = mpc.share(rows @ [2.0, -1.0] + 0.5, owner="bob")
    ...     tacit.ml.LinearRegression().fit(X, y).reveal(to="all").coef_.round(3)
    array([ 2., -1.])
    """

    def __init__(self, *, fit_intercept: bool = True) -> None:
        self.fit_intercept = fit_intercept

    def fit(self, X: SecretArray, y: SecretArray) -> Self:
        """Fit to secret rows (n, d) and targets (n,) or (n, m)."""
        return self._fit(X, y, 0.0)

    def reveal(self, *, to: str | Sequence[str]) -> Any:
        """Open the coefficients and return a fitted scikit-learn estimator, or one a recipient."""
        return self._reveal(ClearLinearRegression(fit_intercept=self.fit_intercept), to)


class Ridge(_Linear):
    """Least squares with an L2 penalty on secret rows and targets, by the normal equations.

    Parameters
    ----------
    alpha : float, default=1.0
        The penalty alpha ‖w‖²; the intercept is not penalised.
    fit_intercept : bool, default=True

    Attributes
    ----------
    coef_ : SecretArray, (d,) or (m, d)
    intercept_ : SecretArray, () or (m,); 0.0 without intercept
    n_features_in_ : int

    Notes
    -----
    As :class:`LinearRegression`; a penalty of a thousandth of Σ x² puts any rows into the domain.
    """

    def __init__(self, alpha: float = 1.0, *, fit_intercept: bool = True) -> None:
        self.alpha = alpha
        self.fit_intercept = fit_intercept

    def fit(self, X: SecretArray, y: SecretArray) -> Self:
        """Fit to secret rows (n, d) and targets (n,) or (n, m)."""
        refuse(
            self,
            {
                "alpha must be a number of 0 or more": not (
                    np.isfinite(self.alpha) and self.alpha >= 0
                )
            },
        )
        return self._fit(X, y, float(self.alpha))

    def reveal(self, *, to: str | Sequence[str]) -> Any:
        """Open the coefficients and return a fitted scikit-learn estimator, or one a recipient."""
        return self._reveal(ClearRidge(alpha=self.alpha, fit_intercept=self.fit_intercept), to)
