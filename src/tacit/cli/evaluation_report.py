"""What the report of an evaluation says."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from tacit.cli.phase_costs import phases_of
from tacit.ml.measures import Findings, parse_measures
from tacit.protocols import protocol_named
from tacit.reports import Disclosure, Owner, Report
from tacit.reports.evaluation_page import BinLine, EvaluationPage, MetricLine

if TYPE_CHECKING:
    from tacit.cli.evaluating import EvaluationOutcome

__all__ = ["report_of"]


def report_of(outcome: EvaluationOutcome) -> EvaluationPage:
    """The page of an outcome."""
    request, reader, found = outcome.request, outcome.reader, outcome.findings
    model = request.model_owner or f"the store ({request.stored})"
    owners = [Owner(request.model_owner, 0, 0)] if request.model_owner else []
    owners += [Owner(name, 0, rows) for name, rows in reader.rows.items()]
    frame = Report(
        title=f"The model of {model} on the rows of {', '.join(request.data)}",
        created=f"{outcome.created:%Y-%m-%d %H:%M %Z}",
        label=request.label,
        owners=owners,
        evaluations=[],
        evaluated_on="",
        phases=phases_of(outcome.results),
        disclosures=_disclosures(outcome),
        protocol=request.protocol,
        security=protocol_named(request.protocol).security,
        parameters={
            "model": reader.model,
            "features": str(reader.features),
            "metrics": request.metrics,
            "groups": "none" if request.by is None else request.by.column,
            "smallest group": str(request.minimum),
            "decimal places": str(request.digits),
        },
        digests={
            "session": reader.session_id.hex(),
            "schema": reader.schema_digest.hex(),
            "model form": reader.model_digest.hex(),
        },
        helpers=[name for name in request.parties if name not in request.owners],
        incidents=outcome.incidents,
        peak_memory={name: result.peak_memory for name, result in outcome.results.items()},
        notes=() if found is not None else ("The metrics went to parties that are lost.",),
    )
    counts = reader.rows.values()
    rows = max(counts) if request.vertical else sum(counts)
    lead = (
        f"The {escape(reader.model)} of {escape(model)} was measured on <b>{rows:,}</b> rows of"
        f" {escape(', '.join(request.data))}. Neither side saw the other's: model, rows, labels"
        " and scores existed as shares alone."
    )
    if found is None:
        return EvaluationPage(frame, lead, ["all rows"], [], [], request.minimum)
    return EvaluationPage(
        frame,
        lead,
        ["all rows", *found.groups],
        _lines(found, request.metrics, request.digits),
        [BinLine(b.rows, b.predicted, b.observed) for b in found.calibration],
        request.minimum,
    )


def _lines(found: Findings, metrics: str, digits: int) -> list[MetricLine]:
    lines = []
    for measure in parse_measures(metrics):
        key = str(measure)
        if key in found.overall:
            values = [found.overall[key], *(group[key] for group in found.groups.values())]
            texts = [measure.text(value, digits) for value in values]
            share = measure.name not in ("rows", "log_loss")
            lines.append(MetricLine(measure.title, texts, values, share))
    return lines


def _disclosures(outcome: EvaluationOutcome) -> list[Disclosure]:
    request, to = outcome.request, ", ".join(outcome.recipients)
    found = [
        Disclosure(
            request.metrics.replace(",", ", "),
            to,
            f"Rounded to {request.digits} decimal places on shares, then opened once; nothing"
            " finer, no count and no score.",
        )
    ]
    if request.by is not None:
        found.append(
            Disclosure(
                f"which groups of {request.by.column} are held back",
                to,
                f"Those of fewer than {request.minimum} rows (or rows of a class), and the smallest"
                " other one where the difference would tell.",
            )
        )
    found += [
        Disclosure(
            "the model's columns, bounds, categories and layers; how many rows each owner has",
            "all parties",
            "Public among the parties before anything is shared.",
        ),
        Disclosure(
            "the model's parameters, rows, labels, groups, scores, their order, the cuts",
            "nobody",
            "They exist as shares alone.",
        ),
    ]
    return found
