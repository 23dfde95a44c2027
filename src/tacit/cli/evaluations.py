"""Every model's metrics and curves, and on whose rows they were measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from tacit.cli.comparison import Comparison
from tacit.ml import metrics
from tacit.ml.evaluation import ScoreCounts
from tacit.ml.measures.findings import Findings
from tacit.ml.metrics import Metrics
from tacit.ml.records import OwnerResult
from tacit.reports import Evaluation, IncidentRecord
from tacit.reports.content import Kind

if TYPE_CHECKING:
    from tacit.cli.training import TrainingRequest

__all__ = ["base_rate", "evaluated_on", "evaluations"]


def evaluations(
    results: Mapping[str, OwnerResult], comparison: Comparison | None
) -> list[Evaluation]:
    """The joint model first, then every owner's own, then the pooled one."""
    found: list[Evaluation] = []
    joint = next((r.joint for r in results.values() if r.joint is not None), None)
    if joint is not None:
        found.append(_evaluation("joint", "joint", joint.counts()))
    on_shares = next((r.findings for r in results.values() if r.findings is not None), None)
    if on_shares is not None:
        found.append(_measured_on_shares(on_shares))
    if comparison is None:
        for name, result in results.items():
            if result.alone is not None:
                found.append(_evaluation(name, "alone", result.alone.counts()))
        return found
    for name, measured in comparison.alone.items():
        found.append(_evaluation(name, "alone", measured.counts, measured.metrics))
    pooled = comparison.pooled
    found.append(
        replace(
            _evaluation("pooled plaintext", "pooled", pooled.counts, pooled.metrics),
            coefficient_difference=comparison.coefficient_difference,
        )
    )
    return found


def _measured_on_shares(found: Findings) -> Evaluation:
    """The joint model where no owner can score a row alone."""

    def value(name: str) -> float:
        number = found.overall.get(name)
        return float("nan") if number is None else number

    bins = found.calibration
    line = (np.array([b.predicted for b in bins]), np.array([b.observed for b in bins]))
    return Evaluation(
        "joint",
        "joint",
        value("auc"),
        float("nan"),
        value("recall@1%"),
        value("brier"),
        calibration=line if bins else None,
    )


def _evaluation(
    name: str, kind: Kind, counts: ScoreCounts, exact: Metrics | None = None
) -> Evaluation:
    negatives, positives = counts.negatives, counts.positives
    measured = exact or metrics.metrics_from_counts(negatives, positives, counts.squared_error)
    plain = Evaluation(
        name, kind, measured.roc_auc, measured.pr_auc, measured.recall, measured.brier
    )
    if not (negatives.sum() and positives.sum()):
        return plain
    roc, precision_recall = metrics.curves(negatives, positives)
    groups = metrics.calibration(negatives, positives)
    return replace(
        plain,
        roc=(roc.x, roc.y),
        precision_recall=(precision_recall.x, precision_recall.y),
        calibration=(groups.predicted, groups.observed),
    )


def evaluated_on(
    request: TrainingRequest,
    evaluated: Sequence[str],
    recipients: Sequence[str],
    incidents: Sequence[IncidentRecord],
    comparison: Comparison | None,
) -> str:
    """On which rows, as a noun."""
    owners = request.owners
    if not recipients and request.reveal_to:
        return f"no rows: the model was for {', '.join(request.reveal_to)} alone"
    if not recipients:
        return "no rows: nobody learned the model"
    lost = {name for incident in incidents for name in incident.dropped}
    missing = [name for name in owners if name in lost and name not in evaluated]
    if len(evaluated) == len(owners):
        rows = "the held-out rows of all owners"
    elif not evaluated and missing and request.privacy is not None:
        rows = f"no rows: {', '.join(missing)} was lost, and counts are of all owners or of none"
    elif not evaluated:
        rows = "no rows: who learned the model holds none"
    elif missing:
        rows = f"the held-out rows of {', '.join(evaluated)}, without {', '.join(missing)}"
    else:
        rows = f"the held-out rows of {', '.join(evaluated)}, who learned the model"
    if comparison is None and request.kit is not None:
        rows += f"; the model of {request.kit.name} alone on its own held-out rows"
    elif comparison is None:
        own = (
            "the model of the labels' owner alone on"
            if request.vertical
            else "each owner's own model on"
        )
        rows += f"; {own} its own held-out {'columns' if request.vertical else 'rows'}"
    elif not evaluated:
        rows = f"the held-out rows of all owners; the joint model on {rows}"
    return rows


def base_rate(reader: OwnerResult) -> float | None:
    """The share of positive rows among those that were counted together."""
    if reader.findings is not None and reader.findings.calibration:
        bins = reader.findings.calibration
        return sum(b.rows * b.observed for b in bins) / sum(b.rows for b in bins)
    if reader.joint is None:
        return None
    positive, negative = sum(reader.joint.positives), sum(reader.joint.negatives)
    return float(positive / max(1, positive + negative))
