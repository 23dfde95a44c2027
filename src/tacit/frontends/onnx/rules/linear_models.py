"""Linear models, support vectors, and what is done to columns before them, of ai.onnx.ml."""

from __future__ import annotations

from typing import Any

import numpy as np

from tacit.arrays import functions as tacit
from tacit.arrays.array import SecretArray
from tacit.encoding.types import int64
from tacit.frontends.onnx.registry import ML, Call, operator
from tacit.frontends.onnx.rules.scores import classes_of, labels_at, transformed
from tacit.frontends.onnx.values import joined

__all__: list[str] = []


def _numbers(x: Any) -> Any:
    """Columns as fixed point."""
    return x if x.dtype.kind == "fixed" else x.astype(x.session.fractions)


@operator("LinearRegressor", since=1, domain=ML)
def _regressor(call: Call, x: Any) -> Any:
    targets = call.get("targets", 1)
    weights = np.array(call.get("coefficients"), np.float64).reshape(targets, -1)
    scores = _numbers(x) @ weights.T
    intercepts = call.get("intercepts")
    return transformed(call, scores if not intercepts else scores + np.array(intercepts))


@operator("LinearClassifier", since=1, domain=ML)
def _classifier(call: Call, x: Any) -> Any:
    """The label, and the scores of all classes after their transformation."""
    labels = classes_of(call)
    intercepts = np.array(call.get("intercepts") or [0.0], np.float64)
    coefficients = np.array(call.get("coefficients"), np.float64)
    rows = _numbers(x)
    weights = coefficients.reshape(-1, rows.shape[-1])
    scores = rows @ weights.T + intercepts
    single = weights.shape[0] == 1
    if single and len(labels) == 2:
        return _binary(call, labels, scores)
    found = transformed(call, scores)
    return labels_at(labels, tacit.argmax(scores, axis=-1)), found


def _binary(call: Call, labels: list[Any], scores: Any) -> Any:
    """One score for two classes: its sign decides."""
    positive = (scores[:, 0] > 0).astype(int64)
    transform = call.text("post_transform", "NONE")
    if transform == "LOGISTIC":
        found = tacit.sigmoid(scores)
        both = joined([1 - found, found], 1)
    elif transform == "SOFTMAX":
        both = tacit.softmax(joined([-scores, scores], 1), axis=-1)
    else:
        both = joined([-scores, scores], 1)
    return labels_at(labels, positive), both


# Columns.


@operator("Scaler", since=1, domain=ML)
def _scaler(call: Call, x: Any) -> Any:
    offset = np.array(call.get("offset") or [0.0], np.float64)
    return (_numbers(x) - offset) * np.array(call.get("scale") or [1.0], np.float64)


@operator("Normalizer", since=1, domain=ML)
def _normalizer(call: Call, x: Any) -> Any:
    """Rows over their largest magnitude, their sum of magnitudes or their length."""
    rows = _numbers(x)
    match call.text("norm", "MAX"):
        case "MAX":
            size = tacit.max(tacit.abs(rows), axis=-1, keepdims=True)
        case "L1":
            size = tacit.sum(tacit.abs(rows), axis=-1, keepdims=True)
        case _:
            size = tacit.sqrt(tacit.sum(tacit.square(rows), axis=-1, keepdims=True))
    return rows / (size + (size == 0).astype(size.dtype))


@operator("Binarizer", since=1, domain=ML)
def _binarizer(call: Call, x: Any) -> Any:
    return (x > call.get("threshold", 0.0)).astype(x.dtype)


@operator("Imputer", since=1, domain=ML)
def _imputer(call: Call, x: Any) -> Any:
    """NaN never comes in secret; another number may stand for what is missing."""
    whole = x.dtype.kind == "int"
    name = "int64s" if whole else "floats"
    values = np.array(call.get(f"imputed_value_{name}"), np.int64 if whole else np.float64)
    missing = call.get("replaced_value_int64" if whole else "replaced_value_float", 0)
    if np.isnan(missing):
        return x
    return tacit.where(x == missing, values, x)


@operator("ArrayFeatureExtractor", since=1, domain=ML)
def _extractor(call: Call, x: Any, places: Any) -> Any:
    """Columns at places. Texts at secret places come out as the places themselves."""
    flat = places.reshape((-1,))
    if isinstance(places, SecretArray):
        if x.dtype.kind in "OSU":
            return flat.reshape((1, -1))
        found = tacit.take(x, flat, axis=-1)
    else:
        found = tacit.take(x, flat.astype(np.int64), axis=-1)
    return found.reshape((1, -1)) if x.ndim == 1 else found


@operator("FeatureVectorizer", since=1, domain=ML)
def _vectorizer(call: Call, *columns: Any) -> Any:
    return joined([_numbers(column.reshape((column.shape[0], -1))) for column in columns], 1)


@operator("ZipMap", since=1, domain=ML)
def _zip_map(call: Call, x: Any) -> Any:
    """The scores as they are, one column a class, instead of a mapping for each row."""
    return x


@operator("OneHotEncoder", since=1, domain=ML)
def _one_hot(call: Call, x: Any) -> Any:
    """A column for each public category; others give zeros only."""
    categories = call.get("cats_int64s")
    if not categories:
        raise call.refuse("its categories are texts; encode them as integers before the model")
    found = x.reshape((*x.shape, 1)) == np.array(categories, np.int64)
    return found.astype(x.session.fractions)


@operator("LabelEncoder", since=1, domain=ML)
def _encoder(call: Call, x: Any) -> Any:
    """Public keys become public values: one comparison with each."""
    keys = _listed(call, "keys")
    values = _listed(call, "values")
    if keys is None or keys.dtype.kind in "OSU":
        raise call.refuse("its keys are texts; encode them as integers before the model")
    if values is None or values.dtype.kind in "OSU":
        values = np.arange(keys.size)
        default: Any = -1
    elif values.dtype.kind == "f":
        default = _default(call, "default_float", 0.0)
    else:
        default = _default(call, "default_int64", -1)
    found = x.reshape((*x.shape, 1)) == keys
    kind = x.session.fractions if values.dtype.kind == "f" else int64
    numbers = found.astype(kind)
    total = tacit.sum(numbers * (values - default), axis=-1) + default
    return total if total.dtype == kind else total.astype(kind)


def _default(call: Call, name: str, default: Any) -> Any:
    tensor = call.get("default_tensor")
    return call.get(name, default) if tensor is None else np.ravel(tensor)[0]


def _listed(call: Call, name: str) -> Any:
    for suffix, kind in (("int64s", np.int64), ("floats", np.float64)):
        if call.get(f"{name}_{suffix}"):
            return np.array(call.get(f"{name}_{suffix}"), kind)
    if call.get(f"{name}_tensor") is not None:
        return np.ravel(call.get(f"{name}_tensor"))
    texts = call.get(f"{name}_strings")
    return np.array(texts) if texts else None


# Support vectors.


def _kernel(call: Call, x: Any, vectors: Any) -> Any:
    """(rows, vectors): how near each row is to each support vector."""
    parameters = [*(call.get("kernel_params") or ()), 0.0, 0.0, 3.0]
    gamma, constant, degree = parameters[:3]
    match call.text("kernel_type", "LINEAR"):
        case "LINEAR":
            return x @ vectors.T
        case "POLY":
            return tacit.pow(gamma * (x @ vectors.T) + constant, int(degree))
        case "RBF":
            own = tacit.sum(tacit.square(x), axis=-1, keepdims=True)
            apart = own - 2 * (x @ vectors.T) + (vectors**2).sum(axis=1)
            return tacit.exp(tacit.relu(apart) * -gamma)
        case "SIGMOID":
            return tacit.tanh(gamma * (x @ vectors.T) + constant)
        case other:
            raise call.refuse(f"its kernel {other!r} is not supported")


@operator("SVMRegressor", since=1, domain=ML)
def _svm_regressor(call: Call, x: Any) -> Any:
    rows = _numbers(x)
    coefficients = np.array(call.get("coefficients"), np.float64)
    count = call.get("n_supports", 0)
    rho = np.array(call.get("rho"), np.float64)
    if count:
        vectors = np.array(call.get("support_vectors"), np.float64).reshape(count, -1)
        scores = _kernel(call, rows, vectors) @ coefficients.reshape(-1, 1) + rho[0]
    else:
        scores = rows @ coefficients.reshape(-1, 1) + rho[0]
    if call.get("one_class", 0):
        return tacit.where(scores > 0, 1, -1).astype(rows.dtype)
    return transformed(call, scores)


@operator("SVMClassifier", since=1, domain=ML)
def _svm_classifier(call: Call, x: Any) -> Any:
    """Votes of all pairs of classes; the scores are those of the pairs."""
    labels = classes_of(call)
    counts = call.get("vectors_per_class")
    if not counts or call.get("prob_a"):
        raise call.refuse(
            "it gives probabilities fitted to votes, or is linear without support vectors;"
            " train without probability=True, or use LinearSVC"
        )
    rows = _numbers(x)
    vectors = np.array(call.get("support_vectors"), np.float64).reshape(sum(counts), -1)
    coefficients = np.array(call.get("coefficients"), np.float64).reshape(len(counts) - 1, -1)
    rho = call.get("rho")
    kernel = _kernel(call, rows, vectors)
    first = np.concatenate([[0], np.cumsum(counts)])
    mixing = np.zeros((len(vectors), len(rho)))
    wins: list[tuple[int, int]] = []
    for i in range(len(counts)):
        for j in range(i + 1, len(counts)):
            pair = len(wins)
            own, other = slice(first[i], first[i + 1]), slice(first[j], first[j + 1])
            mixing[own, pair] = coefficients[j - 1, own]
            mixing[other, pair] = coefficients[i, other]
            wins.append((i, j))
    scores = kernel @ mixing + np.array(rho)
    won = (scores > 0).astype(int64)
    votes = np.zeros((len(wins), len(counts)), np.int64)
    base = np.zeros(len(counts), np.int64)
    for pair, (i, j) in enumerate(wins):
        votes[pair, i], votes[pair, j] = 1, -1
        base[j] += 1
    place = tacit.argmax(won @ votes + base, axis=-1)
    if len(counts) == 2:
        return labels_at(labels, place), transformed(call, joined([-scores, scores], 1))
    return labels_at(labels, place), transformed(call, scores)
