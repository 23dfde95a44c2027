"""Models of scikit-learn through skl2onnx give what they give in the clear."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import ModelProto
from onnx.reference import ReferenceEvaluator
from skl2onnx import to_onnx
from sklearn.cluster import KMeans
from sklearn.ensemble import (
    GradientBoostingClassifier,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression, Perceptron, PoissonRegressor, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import KBinsDiscretizer, OneHotEncoder, StandardScaler
from sklearn.svm import SVC, SVR, LinearSVC
from sklearn.tree import DecisionTreeClassifier

import tacit

_RNG = np.random.default_rng(4)
ROWS = _RNG.uniform(-2, 2, (60, 4)).astype(np.float32)
SUMS = ROWS[:, 0] - ROWS[:, 1] * ROWS[:, 2]
CLASSES = np.digitize(SUMS, [-1, 1])
FEW = 6


def found(model: Any, labels: Any, rows: NDArray[Any] = ROWS) -> tuple[list[Any], list[Any]]:
    """What tacit gives for a fitted model, and what it should give, output by output."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(rows, labels)
        proto = to_onnx(model, rows[:1], target_opset={"": 17, "ai.onnx.ml": 3})
    name = proto.graph.input[0].name
    spec = tacit.ArraySpec((FEW, rows.shape[1]), owner="alice")
    program = tacit.from_onnx(proto, inputs={name: spec})
    with tacit.local("replicated3", seed=1) as mpc:
        got = mpc.run(program, {name: rows[:FEW]})
    plain = ReferenceEvaluator(without_mappings(proto))
    wanted = plain.run(None, {name: rows[:FEW]})
    return [got[output.name] for output in proto.graph.output], wanted


def without_mappings(proto: ModelProto) -> ModelProto:
    """The model without ZipMap, which ONNX's reference implementation lacks."""
    plain = ModelProto()
    plain.CopyFrom(proto)
    for node in plain.graph.node:
        if node.op_type == "ZipMap":
            node.op_type, node.domain = "Identity", ""
            del node.attribute[:]
    return plain


MODELS = [
    (LogisticRegression(), CLASSES),
    (make_pipeline(StandardScaler(), LogisticRegression()), CLASSES > 0),
    (LogisticRegression(), np.array([3, 9, 5])[CLASSES]),
    (Ridge(), SUMS),
    (PoissonRegressor(), np.abs(SUMS)),
    (Perceptron(), CLASSES),
    (LinearSVC(), CLASSES),
    (SVC(), CLASSES),
    (SVC(kernel="poly", degree=2), CLASSES > 0),
    (SVR(), SUMS),
    (DecisionTreeClassifier(max_depth=4), CLASSES),
    (RandomForestClassifier(3, max_depth=3, random_state=0), CLASSES > 0),
    (RandomForestRegressor(3, max_depth=3, random_state=0), SUMS),
    (GradientBoostingClassifier(n_estimators=3, random_state=0), CLASSES),
    (GradientBoostingClassifier(n_estimators=3, random_state=0), CLASSES > 1),
    (IsolationForest(n_estimators=3, random_state=0), CLASSES),
    (MLPClassifier((4,), max_iter=30, random_state=0), CLASSES),
    (GaussianNB(), CLASSES),
    (KNeighborsClassifier(3), CLASSES),
    (KMeans(3, n_init=1, random_state=0), CLASSES),
    (KBinsDiscretizer(4, encode="ordinal", quantile_method="averaged_inverted_cdf"), CLASSES),
]


@pytest.mark.parametrize(
    ("model", "labels"), MODELS, ids=lambda x: type(x).__name__ if hasattr(x, "fit") else ""
)
def test_models(model: Any, labels: Any) -> None:
    for got, wanted in zip(*found(model, labels), strict=True):
        exact = np.asarray(wanted)
        assert got.shape == exact.shape
        np.testing.assert_allclose(got, exact.astype(np.float64), atol=2e-3, rtol=2e-3)


def test_labels_that_are_texts_come_out_as_places() -> None:
    names = np.array(["high", "low", "middle"])[CLASSES]
    for model in (RandomForestClassifier(2, max_depth=3, random_state=0), GaussianNB()):
        (label, _), (wanted, _) = found(model, names)
        np.testing.assert_array_equal(np.array(["high", "low", "middle"])[label], wanted)


def test_secret_categories() -> None:
    rows = _RNG.integers(0, 3, (60, 2))
    model = make_pipeline(OneHotEncoder(sparse_output=False), LogisticRegression())
    for got, wanted in zip(*found(model, CLASSES, rows), strict=True):
        np.testing.assert_allclose(got, np.asarray(wanted), atol=2e-3)


def test_the_rows_of_a_tree_are_compared_at_once() -> None:
    model = DecisionTreeClassifier(max_depth=6).fit(ROWS, CLASSES)
    proto = to_onnx(model, ROWS[:1], target_opset={"": 17, "ai.onnx.ml": 3})
    spec = {"X": tacit.ArraySpec((FEW, 4), owner="alice")}
    program = tacit.from_onnx(proto, inputs=spec)
    compared = [n for n in program.main.graph.nodes if n.operation.startswith(("less", "greater"))]
    assert len(compared) == 1
