"""Scaling secret columns, and splitting secret rows, with scikit-learn's face."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.preprocessing import StandardScaler as ClearStandardScaler

from tacit.arrays import SecretArray
from tacit.arrays.array import applied
from tacit.arrays.functions import sort_by, where
from tacit.errors import ShapeError, UsageError
from tacit.ml.checks import checked_rows, opened, require_fitted

__all__ = ["StandardScaler", "train_test_split"]


class StandardScaler(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Secret columns minus their mean, over their standard deviation; both stay secret.

    Parameters
    ----------
    with_mean, with_std : bool, default=True

    Attributes
    ----------
    mean_, var_, scale_ : SecretArray, (d,), or None
        As in scikit-learn the scale of a constant column is 1.
    n_features_in_, n_samples_seen_ : int

    Notes
    -----
    Variances below 2^-16 may count as 0, and values are scaled by an inverse that is good to 2e-4.
    """

    def __init__(self, *, with_mean: bool = True, with_std: bool = True) -> None:
        self.with_mean = with_mean
        self.with_std = with_std

    def fit(self, X: SecretArray, y: Any = None) -> Self:
        """Learn the secret mean and deviation of secret columns (n, d)."""
        X = checked_rows(X)
        self.n_features_in_ = X.shape[1]
        self.n_samples_seen_ = X.shape[0]
        mean = X.mean(axis=0)
        self.mean_ = mean if self.with_mean or self.with_std else None
        self.var_ = self.scale_ = self._inverse = None
        if self.with_std:
            centred = X - mean
            self.var_ = (centred * centred).mean(axis=0)
            constant_column = self.var_ <= 2.0**-17
            positive = where(constant_column, 1.0, self.var_)
            self.scale_ = applied("sqrt", positive)
            self._inverse = applied("rsqrt", positive)
        return self

    def transform(self, X: SecretArray) -> SecretArray:
        """Secret standardised rows."""
        require_fitted(self)
        X = checked_rows(X, self.n_features_in_)
        if self.with_mean:
            X = X - self.mean_
        return X * self._inverse if self._inverse is not None else X

    def inverse_transform(self, X: SecretArray) -> SecretArray:
        """Secret rows in their own units."""
        require_fitted(self)
        X = checked_rows(X, self.n_features_in_)
        if self.scale_ is not None:
            X = X * self.scale_
        return X + self.mean_ if self.with_mean else X

    def reveal(self, *, to: str | Sequence[str]) -> Any:
        """Open mean and variance and return a fitted scikit-learn scaler, or one a recipient."""
        require_fitted(self)
        present = [a for a in (self.mean_, self.var_, self.scale_) if a is not None]

        def build(values: list[NDArray[Any]]) -> ClearStandardScaler:
            scaler = ClearStandardScaler(with_mean=self.with_mean, with_std=self.with_std)
            scaler.n_features_in_, scaler.n_samples_seen_ = (
                self.n_features_in_,
                self.n_samples_seen_,
            )
            scaler.mean_ = values[0] if self.mean_ is not None else None
            scaler.var_, scaler.scale_ = values[1:] if self.with_std else (None, None)
            return scaler

        return opened(present, to, build) if present else build([])

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "n_features_in_")


def train_test_split(
    *arrays: SecretArray,
    test_size: float | int = 0.25,
    random_state: int = 0,
    shuffle: bool | str = True,
) -> list[SecretArray]:
    """Split the rows of secret arrays into a training and a test part.

    Parameters
    ----------
    *arrays : SecretArray
        Of equal length.
    test_size : float or int
        Share of the rows, or their number.
    random_state : int
        Public seed of the public order.
    shuffle : bool or "secret"
        True: by a public random order, which everybody can compute, so everybody knows which rows
        are in which part. "secret" (extension): in an order that nobody knows, by a
        secret shuffle and one sort. False: the last rows are the test part.

    Returns
    -------
    list of SecretArray
        Training and test part of each array, in turn.

    Raises
    ------
    UsageError, ShapeError
        No arrays, a size that leaves a part empty, or unequal lengths.
    """
    if not arrays or shuffle not in (True, False, "secret"):
        raise UsageError(
            "train_test_split needs secret arrays, and shuffle is True, False or 'secret'.",
            next_step="call train_test_split(X, y, test_size=0.25).",
            case=84,
            stage="train_test_split",
        )
    rows = arrays[0].shape[0] if arrays[0].ndim else 0
    if any(not array.ndim or array.shape[0] != rows for array in arrays):
        raise ShapeError(
            f"Arrays of shapes {', '.join(str(a.shape) for a in arrays)} are not equally long.",
            next_step="pass arrays with one row a sample.",
            case=87,
            stage="train_test_split",
        )
    whole = isinstance(test_size, int | np.integer)
    test = int(test_size) if whole else int(np.ceil(test_size * rows))
    if not 0 < test < rows:
        raise UsageError(
            f"A test part of {test} of {rows} rows leaves one part empty.",
            next_step="choose test_size between 0 and 1, or a number of rows.",
            case=84,
            stage="train_test_split",
        )
    parts = list(arrays)
    if shuffle == "secret":
        places = applied("shuffle", _places(arrays[0], rows))
        ordered = sort_by(parts, places)
        parts = list(ordered) if isinstance(ordered, tuple | list) else [ordered]
    elif shuffle:
        order = np.random.default_rng(random_state).permutation(rows)
        parts = [part[order] for part in parts]
    cut = rows - test
    return [half for part in parts for half in (part[:cut], part[cut:])]


def _places(like: SecretArray, rows: int) -> SecretArray:
    """0, 1, …, rows - 1 as a secret array of the same session."""
    reference = like.session.apply("constant", [np.arange(rows)])
    assert not isinstance(reference, tuple)
    return SecretArray(like.session, reference)
