"""A scikit-learn model as a :class:`~tacit.models.ClearModel`, which is a JSON file and no pickle.

Its owner runs this in its own Python, on its own estimator; what goes on from there is numbers::

    from tacit.models import from_sklearn
    from_sklearn(estimator, Schema.load("schema.json")).save("model.json")

A model that was trained on columns in their own units is turned into one for rows scaled into
[-1, 1] by the schema's bounds: x = middle + half u, so W' = half W and b' = b + middle W. Scalers
in front of it, which are x -> (x - m) s column by column, fold into the first layer the same way.
"""

from __future__ import annotations

from typing import Any, Literal, NoReturn

import numpy as np
from numpy.typing import NDArray

from tacit.errors import TypeMismatchError
from tacit.models.clear import ClearModel
from tacit.models.form import ModelForm
from tacit.tables import Schema

__all__ = ["from_sklearn"]

Floats = NDArray[np.float64]

_ACTIVATIONS = ("relu", "logistic", "tanh", "identity")


def from_sklearn(
    estimator: Any, schema: Schema, *, rows: Literal["raw", "scaled"] = "raw"
) -> ClearModel:
    """Convert a fitted classifier of two classes.

    Parameters
    ----------
    estimator : LogisticRegression, SGDClassifier, MLPClassifier, or a pipeline that ends with one
        A linear one gives ``coef_`` and ``intercept_`` as log-odds. Steps before it in a pipeline
        are StandardScaler, MinMaxScaler, MaxAbsScaler or RobustScaler.
    schema : Schema
        Of the rows it was trained on: its features in ``schema.features``' order.
    rows : {"raw", "scaled"}
        Whether it was trained on columns in their own units (numbers as in the file, booleans and
        one column for each category 0 and 1), or on rows that ``tacit.tables`` encoded.

    Raises
    ------
    TypeMismatchError
        Another kind of model, other classes, or another number of features (TC-1274).
    """
    steps = [step for _, step in estimator.steps] if hasattr(estimator, "steps") else [estimator]
    *before, last = steps
    parameters, hidden, activation = _layers(last)
    columns = len(schema.features)
    if parameters[0].shape[0] != columns:
        _refuse(f"it takes {parameters[0].shape[0]} features and the schema has {columns}")
    shift, scale = np.zeros(columns), np.ones(columns)
    for step in before:  # z = (x - shift) scale, then (z - m) s
        m, s = _affine(step, columns)
        shift, scale = shift + m / scale, scale * s
    if rows == "raw":  # x = middle + half u
        middle, half = _middle_and_half(schema)
        shift, scale = (shift - middle) / half, scale * half
    weights, bias = parameters[0], parameters[1]
    parameters[0] = weights * scale[:, None]
    parameters[1] = bias - (shift * scale) @ weights
    form = ModelForm(
        kind="mlp" if hidden else "logistic", schema=schema, hidden=hidden, activation=activation
    )
    return ClearModel(form, parameters)


def _layers(model: Any) -> tuple[list[Floats], tuple[int, ...], Any]:
    kind = type(model).__name__
    classes = np.asarray(getattr(model, "classes_", ()))
    if classes.dtype.kind not in "biuf" or classes.tolist() != [0, 1]:
        _refuse(f"the {kind} is not fitted, or its classes are not 0 and 1")
    if hasattr(model, "coefs_"):
        if model.activation not in _ACTIVATIONS or model.out_activation_ != "logistic":
            _refuse(f"its activation {model.activation} is not known")
        pairs = zip(model.coefs_, model.intercepts_, strict=True)
        parameters = [np.array(part, np.float64) for pair in pairs for part in pair]
        return parameters, tuple(b.size for b in parameters[1:-1:2]), model.activation
    if not (hasattr(model, "coef_") and hasattr(model, "intercept_")):
        _refuse(f"{kind} is neither linear nor a multi-layer perceptron")
    if getattr(model, "loss", "log_loss") != "log_loss":
        _refuse(f"its loss {model.loss} gives no log-odds")
    weights = np.array(model.coef_, np.float64).reshape(-1, 1)
    intercept = np.broadcast_to(np.asarray(model.intercept_, np.float64), (1,)).copy()
    return [weights, intercept], (), "relu"


def _affine(step: Any, columns: int) -> tuple[Floats, Floats]:
    """A scaler as (x - m) s."""
    kind = type(step).__name__
    m, s = np.zeros(columns), np.ones(columns)
    if kind == "StandardScaler":
        m = m if step.mean_ is None or not step.with_mean else step.mean_
        s = s if step.scale_ is None else 1.0 / step.scale_
    elif kind == "RobustScaler":
        m = m if not step.with_centering else step.center_
        s = s if not step.with_scaling else 1.0 / step.scale_
    elif kind == "MinMaxScaler" and not step.clip:  # x scale_ + min_
        s = step.scale_
        m = -step.min_ / step.scale_
    elif kind == "MaxAbsScaler":
        s = 1.0 / step.scale_
    else:
        _refuse(f"{kind} is no scaler of single columns")
    return np.asarray(m, np.float64), np.asarray(s, np.float64)


def _middle_and_half(schema: Schema) -> tuple[Floats, Floats]:
    """Of each feature; 0 and 1 for features that are 0 and 1."""
    middle, half = [], []
    for column in schema.inputs:
        for place, _ in enumerate(column.features()):
            limits = column.limits if place == 0 else None
            low, high = (-1.0, 1.0) if limits is None else limits
            middle.append(low / 2 + high / 2)
            half.append(high / 2 - low / 2)
    return np.array(middle), np.array(half)


def _refuse(problem: str) -> NoReturn:
    raise TypeMismatchError(
        f"This model cannot be converted: {problem}.",
        next_step="give a fitted LogisticRegression or MLPClassifier of the classes 0 and 1, or a"
        " pipeline of scalers and one of these, trained on the schema's features in their order.",
        case=74,
        stage="model",
    )
