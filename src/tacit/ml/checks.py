"""What every estimator checks, and how fitted ones are opened. Nothing here sees a value."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tacit.arrays import SecretArray
from tacit.arrays.array import applied
from tacit.encoding.types import fixed
from tacit.errors import ShapeError, TypeMismatchError, UsageError

__all__ = [
    "batch_rows",
    "batches_of",
    "checked_classes",
    "checked_rows",
    "checked_targets",
    "constant",
    "indicators",
    "is_batch_size",
    "opened",
    "refuse",
    "require_fitted",
]


def refuse(estimator: Any, problems: Mapping[str, bool]) -> None:
    """Refuse parameters: `problems` says which sentence is true.

    Raises
    ------
    UsageError
        With all of them (TC-1083).
    """
    found = [text for text, wrong in problems.items() if wrong]
    if found:
        name = type(estimator).__name__
        raise UsageError(
            f"{name}: {'; '.join(found)}.",
            next_step=f"see help(tacit.ml.{name}).",
            case=83,
            stage="fit",
        )


def require_fitted(estimator: Any) -> None:
    """Refuse to go on before ``fit``. Raises UsageError (TC-1051)."""
    if not hasattr(estimator, "n_features_in_"):
        raise UsageError(
            f"This {type(estimator).__name__} has not been fitted.",
            next_step="call fit first.",
            case=51,
        )


def checked_rows(X: Any, columns: int | None = None) -> SecretArray:
    """Secret rows (n, d) in fixed point; integers and booleans are converted.

    Raises
    ------
    TypeMismatchError
        X is not secret (TC-1282).
    ShapeError
        X does not have two axes and at least one row, or not `columns` columns (TC-1187).
    """
    if not isinstance(X, SecretArray):
        raise TypeMismatchError(
            "X is not a secret array.",
            next_step="share the rows first: mpc.share(X, owner=...).",
            case=82,
            stage="fit",
        )
    wanted = "(n, d)" if columns is None else f"(n, {columns})"
    if X.ndim != 2 or 0 in X.shape or columns not in (None, X.shape[1]):
        raise ShapeError(
            f"X has shape {X.shape}, not {wanted} with at least one row and column.",
            next_step="pass a row for every sample and the columns of the fit.",
            case=87,
            stage="fit",
        )
    return X if X.dtype.kind == "fixed" else X.astype(fixed)


def checked_targets(X: SecretArray, y: Any) -> SecretArray:
    """Secret targets, (n,) or (n, m). Raises TypeMismatchError or ShapeError (TC-1282, TC-1187)."""
    if not isinstance(y, SecretArray):
        raise TypeMismatchError(
            "y is not a secret array.",
            next_step="share the targets first: mpc.share(y, owner=...).",
            case=82,
            stage="fit",
        )
    if y.ndim not in (1, 2) or y.shape[0] != X.shape[0] or 0 in y.shape:
        raise ShapeError(
            f"y has shape {y.shape}, which does not fit {X.shape[0]} rows.",
            next_step="pass one target a row.",
            case=87,
            stage="fit",
        )
    return y


def checked_classes(estimator: Any, classes: ArrayLike | None) -> NDArray[Any]:
    """The public labels, sorted: 0 and 1 if none are given."""
    if classes is None:
        return np.array([0, 1])
    labels = np.asarray(classes)
    wrong = labels.ndim != 1 or labels.size < 2 or labels.dtype.kind not in "iufb"
    refuse(estimator, {"classes must be at least two different numbers": wrong})
    refuse(estimator, {"classes repeat": np.unique(labels).size != labels.size})
    return np.sort(labels)


def indicators(y: SecretArray, classes: NDArray[Any]) -> SecretArray:
    """One column a class: (n, k), or for two classes the second one alone, (n, 1).

    A label that is none of the classes gives a row of zeros. Targets that are columns already
    pass through.
    """
    columns = 1 if classes.size == 2 else classes.size
    if y.ndim == 2:
        if y.shape[1] != columns:
            raise ShapeError(
                f"y has {y.shape[1]} columns, not {columns} for {classes.size} classes.",
                next_step="pass labels (n,), or a column of 0 and 1 for every class.",
                case=87,
                stage="fit",
            )
        return y
    labels = y.reshape(-1, 1)
    if columns == 1:
        if y.dtype.kind == "bool" or np.array_equal(classes, [0, 1]):
            return labels
        return applied("equal", labels, classes[1:])
    return applied("equal", labels, classes[None, :])


def batches_of(
    rows: int, size: int, shuffle: bool, order: np.random.Generator
) -> Sequence[slice | NDArray[np.int64]]:
    """The public minibatches of one pass: index arrays, or slices of rows in their order."""
    index = order.permutation(rows) if shuffle else None
    starts = range(0, rows, size)
    if index is None:
        return [slice(start, start + size) for start in starts]
    return [index[start : start + size] for start in starts]


def batch_rows(batch_size: Any, rows: int) -> int:
    """Rows a batch: "auto" is min(200, rows), as in scikit-learn."""
    return min(200, rows) if batch_size == "auto" else min(int(batch_size), rows)


def is_batch_size(batch_size: Any) -> bool:
    """Whether it is "auto" or a positive integer."""
    return bool(batch_size == "auto" or (isinstance(batch_size, Integral) and int(batch_size) >= 1))


def constant(like: SecretArray, values: NDArray[np.float64]) -> SecretArray:
    """A secret array that begins with public values, in the session and type of another."""
    dtype = like.dtype
    reference = like.session.apply(
        "constant", [values], kind=dtype.kind, fraction_bits=dtype.fraction_bits
    )
    assert not isinstance(reference, tuple)
    return SecretArray(like.session, reference)


def opened(
    arrays: Sequence[SecretArray],
    to: str | Sequence[str],
    build: Callable[[list[NDArray[Any]]], Any],
) -> Any:
    """Open several arrays to the same recipients and build something from them.

    Returns
    -------
    object or dict
        What `build` makes of the plain arrays with "all"; else one for each recipient, by name.
    """
    if to == "all":
        return build([array.reveal(to="all") for array in arrays])
    found = [array.reveal(to=to) for array in arrays]
    return {name: build([values[name] for values in found]) for name in found[0]}
