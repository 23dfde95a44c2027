"""scikit-learn models become clear models, and clear models secret ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    PolynomialFeatures,
    RobustScaler,
    StandardScaler,
)

from tacit.errors import RangeError, TypeMismatchError
from tacit.models import ClearModel, ModelForm, from_sklearn
from tacit.models.sharing import check_range
from tacit.tables.column import Column
from tacit.tables.schema import Schema

SCHEMA = Schema(
    label="y",
    columns=(
        Column("amount", "number", bounds=(0, 1024)),
        Column("y", "boolean"),
        Column("kind", "category", categories=("a", "b")),
        Column("on", "date", bounds=("2020-01-01", "2020-12-31"), parts=("weekday",)),
        Column("new", "boolean"),
    ),
)
RNG = np.random.default_rng(4)
COUNT = 80


def rows() -> tuple[Any, Any, Any]:
    """Features in their own units, the same scaled into [-1, 1], and labels."""
    columns = len(SCHEMA.features)
    raw = (RNG.random((COUNT, columns)) < 0.5).astype(float)
    raw[:, 0] = RNG.uniform(0, 1024, COUNT)
    days = (18262.0, 18628.0)
    raw[:, 3] = RNG.uniform(*days, COUNT)
    scaled = raw.copy()
    scaled[:, 0] = raw[:, 0] / 512 - 1
    scaled[:, 3] = (raw[:, 3] - sum(days) / 2) / (days[1] - days[0]) * 2
    return raw, scaled, (raw[:, 0] / 1024 + raw[:, -1] + RNG.normal(size=COUNT) > 1).astype(int)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    "estimator",
    [
        LogisticRegression(max_iter=20),
        make_pipeline(StandardScaler(), LogisticRegression(fit_intercept=False)),
        make_pipeline(MinMaxScaler(), RobustScaler(), SGDClassifier(loss="log_loss")),
        make_pipeline(MaxAbsScaler(), StandardScaler(with_mean=False), MLPClassifier((5, 3))),
        make_pipeline(StandardScaler(with_std=False), MLPClassifier((4,), activation="tanh")),
    ],
)
def test_scores_are_the_estimator_s(estimator: Any, tmp_path: Path) -> None:
    raw, scaled, labels = rows()
    model = from_sklearn(estimator.fit(raw, labels), SCHEMA)
    again = ClearModel.load(model.save(tmp_path / "model.json"))
    expected = estimator.predict_proba(raw)[:, 1]
    np.testing.assert_allclose(again.probability(scaled), expected, atol=1e-9)
    estimator.fit(scaled, labels)
    model = from_sklearn(estimator, SCHEMA, rows="scaled")
    expected = estimator.predict_proba(scaled)[:, 1]
    np.testing.assert_allclose(model.probability(scaled), expected, atol=1e-9)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_what_cannot_be_converted() -> None:
    raw, _, labels = rows()
    linear = LogisticRegression(max_iter=5)
    for estimator, target in (
        (linear, np.arange(COUNT) % 3),
        (linear, np.where(labels == 1, "yes", "no")),
        (linear, labels + 1),
        (RandomForestClassifier(2), labels),
        (SGDClassifier(loss="hinge"), labels),
        (make_pipeline(MinMaxScaler(clip=True), linear), labels),
        (make_pipeline(PolynomialFeatures(), linear), labels),
    ):
        _refused(estimator.fit(raw, target))
    _refused(LogisticRegression())
    _refused(linear.fit(raw[:, :3], labels))


def _refused(estimator: Any) -> None:
    with pytest.raises(TypeMismatchError) as found:
        from_sklearn(estimator, SCHEMA)
    assert found.value.code == "TC-1274"


@pytest.mark.parametrize("value", [1e5, 1e9, np.nan, -np.inf])
def test_weights_that_fixed_point_cannot_hold(value: float) -> None:
    form = ModelForm(kind="mlp", schema=SCHEMA, hidden=(2,))
    parameters = [np.ones(shape) for shape in form.shapes]
    check_range(ClearModel(form, parameters))
    parameters[0][0, 0] = value
    with pytest.raises(RangeError) as found:
        check_range(ClearModel(form, parameters))
    assert found.value.code == "TC-1376"
