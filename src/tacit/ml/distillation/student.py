"""The public student: an ordinary model, trained in the clear on public rows and revealed labels.

Nothing here touches an owner's row: whatever is computed from labels that were revealed under a
guarantee keeps it (post-processing).
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tacit.errors import RangeError
from tacit.models import ClearModel, from_sklearn
from tacit.tables import Schema

__all__ = ["Student", "train_student"]

Floats = NDArray[np.float64]

HELD_OUT = 0.2
"""Of the public rows: to compare student and teacher on."""


@dataclass(frozen=True, slots=True)
class Student:
    """A student, and how it compares with its teacher on public rows it was not trained on.

    Attributes
    ----------
    model : ClearModel
    rows, held_out : int
        Public rows that it was trained on, and compared on.
    agreement : float
        Share of the held-out rows on which both say the same; NaN without such rows.
    positive : float
        Share of the public rows that the teacher calls 1.
    """

    model: ClearModel
    rows: int
    held_out: int
    agreement: float
    positive: float


def train_student(
    schema: Schema,
    features: Floats,
    targets: Sequence[float],
    *,
    hidden: tuple[int, ...] = (),
    seed: int = 0,
) -> Student:
    """Train a student on labels, or on probabilities as weights of both labels.

    Parameters
    ----------
    schema : Schema
    features : (k, d) float64
        Public rows within [-1, 1].
    targets : sequence of float
        Within [0, 1].
    hidden : tuple of int
        Units of hidden layers; none for logistic regression.

    Raises
    ------
    RangeError
        All labels are the same, so there is nothing to learn (TC-1390).
    """
    aims = np.asarray(targets, np.float64)
    hard = aims > 0.5
    order = np.random.default_rng([seed, 0x57D]).permutation(len(aims))
    held = order[: int(HELD_OUT * len(aims))]
    used = order[len(held) :]
    weights = np.concatenate([aims[used], 1.0 - aims[used]])
    if not hard.any() or hard.all() or not weights[: len(used)].any():
        raise RangeError(
            f"The teacher gave all {len(aims)} public rows the same label, so a student has"
            " nothing to learn.",
            next_step="give public rows of both kinds, less noise (a larger epsilon, more"
            " teachers), or longer training.",
            case=90,
            stage="student",
        )
    rows = np.concatenate([features[used], features[used]])
    labels = np.repeat([1, 0], len(used))
    kept = weights > 0.0
    model = _fitted(rows[kept], labels[kept], weights[kept], hidden, seed)
    clear = from_sklearn(model, schema, rows="scaled")
    agreement = float("nan")
    if held.size:
        agreement = float(np.mean((clear.decision_function(features[held]) > 0) == hard[held]))
    return Student(clear, len(used), len(held), agreement, float(hard.mean()))


def _fitted(
    rows: Floats, labels: NDArray[np.int64], weights: Floats, hidden: tuple[int, ...], seed: int
) -> Any:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    last: Any = LogisticRegression(max_iter=1_000)
    if hidden:
        last = MLPClassifier(hidden, max_iter=300, random_state=seed, early_stopping=False)
    model = make_pipeline(StandardScaler(), last)
    name = model.steps[-1][0]
    with warnings.catch_warnings():  # a student that could be trained longer is a student too
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(rows, labels, **{f"{name}__sample_weight": weights})
