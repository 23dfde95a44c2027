"""What only someone with all owners' data can compute: pooled and alone, on the same test rows.

For the demos, which own all data, and for ``--compare-pooled`` in tests.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tacit.ml.clear_preparation import ClearPreparation
from tacit.ml.evaluation import ScoreCounts
from tacit.ml.metrics import Metrics, histogram, metrics_from_scores
from tacit.ml.plaintext import pooled_moments, train_alone, train_plaintext
from tacit.ml.records import OwnerResult
from tacit.ml.training import RowSubset
from tacit.models import ClearModel
from tacit.models.clear import ModelRecord, sigmoid
from tacit.tables import Layout, Spool, moments, split, spool, standardised, summaries

__all__ = ["Comparison", "Measured", "compare"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Measured:
    """A model's exact metrics on test rows, and their counts by score for curves."""

    metrics: Metrics
    counts: ScoreCounts


@dataclass(frozen=True, slots=True)
class Comparison:
    """Models by name, each measured on the test rows that the joint model was measured on.

    Attributes
    ----------
    pooled : Measured
        The same training in the clear on all rows.
    alone : dict of str to Measured
        What each owner gets from its own rows.
    base_rates : dict of str to float
        Share of positive rows at each owner.
    coefficient_difference : float or None
        The largest difference between a coefficient (per deviation of its column) of the joint and
        of the pooled model; None for perceptrons, whose weights mean nothing one by one.
    """

    pooled: Measured
    alone: dict[str, Measured]
    base_rates: dict[str, float]
    coefficient_difference: float | None


def compare(
    files: Mapping[str, Path],
    result: OwnerResult,
    test_size: float,
    seed: int,
    start: ModelRecord | None = None,
) -> Comparison:
    """Train pooled and alone in the clear, with the plan of a joint run, and compare.

    Parameters
    ----------
    files : mapping of str to Path
        All owners' files, read here.
    result : OwnerResult
        Of an owner that learned the joint model.
    test_size, seed, start
        As in the joint run.

    Notes
    -----
    All models are measured on the same rows: those that the joint one was measured on.
    """
    begun = None if start is None else ClearModel.of_record(start).parameters
    plan, joint = result.plan, result.clear_model
    assert joint is not None
    mask, layout = standardised(result.schema), Layout.of(result.schema)
    spools = {name: spool(path, result.schema, owner=name) for name, path in files.items()}
    try:
        parts = {n: split(s.rows, test_size, seed, owner=n) for n, s in spools.items()}
        train = {n: RowSubset(spools[n], part[0]) for n, part in parts.items()}
        local = {n: moments(spools[n], part[0]) for n, part in parts.items()}
        if layout.is_plain:
            mean, inverse = pooled_moments(list(local.values()), mask)
            whole, own = None, dict.fromkeys(files)
        else:
            sums = {n: summaries(spools[n], part[0], layout) for n, part in parts.items()}
            whole = ClearPreparation.of(list(sums.values()), layout)
            own = {n: ClearPreparation.of([part], layout) for n, part in sums.items()}
            mean, inverse = whole.mean, whole.inverse
        models = {
            name: ClearModel(
                joint.form,
                train_alone(
                    plan, train[name], local[name], mask, start=begun, preparation=own[name]
                ),
            )
            for name in files
        }
        pooled = ClearModel(
            joint.form,
            train_plaintext(
                plan, list(train.values()), mean, inverse, start=begun, preparation=whole
            ),
        )
        names = list(files)
        measured = [names[index] for index in result.evaluated] or names
        test = [spools[name].take(parts[name][1]) for name in measured]
        rates = {name: _base_rate(spools[name]) for name in files}
    finally:
        for rows in spools.values():
            rows.close()
    features = np.concatenate([part[0] for part in test])
    labels = np.concatenate([part[1] for part in test])

    def measure(model: ClearModel) -> Measured:
        log_odds = model.decision_function(features)
        metrics = metrics_from_scores(sigmoid(log_odds), labels)
        negatives, positives = histogram(log_odds, labels)
        return Measured(metrics, ScoreCounts(negatives, positives, metrics.brier * len(labels)))

    return Comparison(
        measure(pooled),
        {name: measure(model) for name, model in models.items()},
        rates,
        _difference(joint, pooled, inverse)
        if joint.form.kind == "logistic" and layout.is_plain
        else None,
    )


def _difference(joint: ClearModel, pooled: ClearModel, inverse: Floats) -> float:
    difference = np.abs(joint.coefficients - pooled.coefficients) / inverse
    return float(max(difference.max(initial=0.0), abs(joint.intercept - pooled.intercept)))


def _base_rate(rows: Spool) -> float:
    return float(np.mean(rows.labels)) if rows.rows else float("nan")
