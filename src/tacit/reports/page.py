"""The report's page: one self-contained HTML file."""

from __future__ import annotations

import math
from html import escape
from pathlib import Path

from tacit.reports.content import Report
from tacit.reports.drift import drift
from tacit.reports.elements import section
from tacit.reports.formats import count, digits, duration, in_words, percent, size
from tacit.reports.frame import framed, notes, write_page
from tacit.reports.results import best_alone, curves, data, model, scores
from tacit.reports.running import bytes_by_party, cost, incidents
from tacit.reports.terms import disclosures, parameters, security

__all__ = ["render", "write_report"]


def write_report(report: Report, directory: str | Path) -> Path:
    """Write ``index.html`` into `directory`, which is made if absent, and return its path.

    Raises
    ------
    StorageError
        The disk is full or the directory cannot be written.
    """
    return write_page(render(report), directory)


def render(report: Report) -> str:
    """The page as HTML text. It loads nothing: no script, font or image from elsewhere."""
    sections = [
        notes(report),
        _summary(report),
        data(report),
        drift(report),
        scores(report),
        curves(report),
        model(report),
        incidents(report),
        cost(report),
        disclosures(report),
        security(report),
        parameters(report),
    ]
    names = [owner.name for owner in report.owners]
    return framed(report, "joint training report", names, sections)


def _summary(report: Report) -> str:
    rows = report.rows_of([owner.train_rows + owner.test_rows for owner in report.owners])
    seconds = sum(phase.seconds for phase in report.phases)
    heaviest = max(bytes_by_party(report).values(), default=0)
    joint = next(iter(report.of_kind("joint")), None)
    tiles = []
    if joint is not None:
        known = [e.name for e in report.evaluations if e.kind == "alone"]
        alone = "best owner alone" if len(known) != 1 else f"{escape(known[0])} alone"
        best = best_alone(report, lambda e: e.roc_auc)
        against = "on held-out rows" if best is None else f"{alone} {digits(best)}"
        tiles.append(("ROC AUC, joint model", digits(joint.roc_auc), against))
        best = best_alone(report, lambda e: e.recall)
        against = "of all positives" if best is None else f"{alone} {percent(best)}"
        tiles.append(("Found at 1 % false alarms", percent(joint.recall), against))
    rounds = sum(phase.rounds for phase in report.phases)
    tiles.append(("Time", duration(seconds), f"{count(rounds)} rounds of messages"))
    note = f"for {count(rows)} rows, at most"
    if report.peak_memory:
        note += f"; memory {size(max(report.peak_memory.values()))}"
    tiles.append(("Sent per party", size(heaviest), note))
    cells = "".join(
        f'<div><dt>{name}</dt><dd>{value}</dd><dd class="note">{note}</dd></div>'
        for name, value, note in tiles
    )
    return section("Summary", f'<p class="lead">{_lead(report)}</p><dl class="tiles">{cells}</dl>')


def _lead(report: Report) -> str:
    rows = report.rows_of([owner.train_rows for owner in report.owners])
    owners = in_words(len(report.owners)).capitalize()
    what = "one model" if report.network is None else "one neural network"
    text = (
        f"{owners} owners trained {what} for <b>{escape(report.label)}</b> on"
        f" {count(rows)} rows"
        + (", each with its own columns of the same customers" if report.columns else "")
        + ". No owner, and nobody between them, saw another's rows."
    )
    if report.helpers:
        helpers = escape(" and ".join(report.helpers))
        text += f" {helpers} computed with them and held no data."
    joint = next(iter(report.of_kind("joint")), None)
    alone = [e for e in report.of_kind("alone") if not math.isnan(e.roc_auc)]
    if joint is not None and alone and not math.isnan(joint.roc_auc):
        low, high = min(e.roc_auc for e in alone), max(e.roc_auc for e in alone)
        span = digits(high) if len(alone) == 1 else f"{digits(low)} to {digits(high)}"
        text += f" It ranks with a ROC AUC of <b>{digits(joint.roc_auc)}</b>; alone: {span}."
    pooled = next(iter(report.of_kind("pooled")), None)
    if joint is not None and pooled is not None:
        gap = abs(joint.roc_auc - pooled.roc_auc)
        text += " Training on all rows in the clear, the same way, gives"
        text += " the same to four digits." if gap < 5e-5 else f" {digits(pooled.roc_auc, 4)}."
    return text
