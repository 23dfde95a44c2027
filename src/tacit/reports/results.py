"""The page's first half: the data, alone against together, curves, the model itself."""

from __future__ import annotations

import math
from collections.abc import Callable
from html import escape

from tacit.reports.bars import Bar, Part, bars, legend, signed_bars, tone
from tacit.reports.content import Evaluation, Report, Topology
from tacit.reports.elements import heading_cells, section, table
from tacit.reports.formats import count, digits, percent, shortened

__all__ = ["best_alone", "curves", "data", "model", "scores"]


def data(report: Report) -> str:
    """Who brought how many rows, and how rare the positive ones are, as far as it was revealed."""
    if report.columns:
        return _columns(report)
    most = max((o.train_rows + o.test_rows for o in report.owners), default=0)
    lines = [
        Bar(
            shortened(owner.name),
            [
                Part(owner.train_rows, tone(place), f"{count(owner.train_rows)} to train on"),
                Part(owner.test_rows, f"{tone(place)} pale", f"{count(owner.test_rows)} held out"),
            ],
            count(owner.train_rows + owner.test_rows),
        )
        for place, owner in enumerate(report.owners)
    ]
    head = ["Owner", "To train on", "Held out"]
    known = any(owner.base_rate is not None for owner in report.owners)
    if known:
        head.append(f"{shortened(report.label)}, share of rows")
    rows = ""
    for owner in report.owners:
        rate = f'<td class="n">{percent(owner.base_rate, 2)}</td>' if known else ""
        rows += (
            f'<tr><th scope="row">{escape(owner.name)}</th>'
            f'<td class="n">{count(owner.train_rows)}</td>'
            f'<td class="n">{count(owner.test_rows)}</td>{rate}</tr>'
        )
    sub = "Rows of each owner, to train on and, paler, held out."
    if report.base_rate is not None:
        sub += (
            f" Of the held-out rows that were counted together {percent(report.base_rate, 2)} are"
            f" {escape(report.label)}."
        )
    sub += (
        " The share at each owner is shown because this run owned all data; it is not revealed"
        " otherwise."
        if known
        else " The share at each owner was not revealed."
    )
    owners = f"<div>{table(heading_cells(head), rows)}</div>"
    body = f'<div class="two">{bars("Rows", lines, most)}{owners}</div>'
    return section("The data", body, sub, kind="whole")


def _columns(report: Report) -> str:
    """Who brought which columns of the same rows."""
    first = report.owners[0]
    rows = "".join(
        f'<tr><th scope="row">{escape(owner)}</th><td>{escape(", ".join(names))}</td></tr>'
        for owner, names in report.columns.items()
    )
    sub = (
        f"Different columns of the same {count(first.train_rows + first.test_rows)} customers:"
        f" {count(first.train_rows)} to train on, {count(first.test_rows)} held out."
    )
    if report.base_rate is not None:
        sub += f" Of those held out {percent(report.base_rate, 2)} are {escape(report.label)}."
    head = heading_cells(["Owner", "Columns"], numbers=False)
    return section("The data", table(head, rows, kind="prose"), sub)


def scores(report: Report) -> str:
    """Every model's metrics, as bars and as a table."""
    difference = any(e.coefficient_difference is not None for e in report.evaluations)
    head = ["Model", "ROC AUC", "PR AUC", "Recall at 1 % FP", "Brier score"]
    if difference:
        head.append("Largest coefficient difference")
    body = "".join(_score_row(e, difference) for e in report.evaluations)
    figure = ""
    if len(report.evaluations) > 1:
        figure = (
            '<div class="two">'
            + bars(
                "ROC AUC, from 0.5 (guessing) to 1",
                _score_bars(report, lambda e: e.roc_auc, lambda x: digits(x, 3)),
                most=1.0,
                least=0.5,
            )
            + bars(
                "Found at 1 % false alarms",
                _score_bars(report, lambda e: e.recall, percent),
                most=1.0,
            )
            + "</div>"
        )
    sub = (
        f"Measured on {escape(report.evaluated_on)}. Higher is better, for the Brier score lower;"
        " FP: false positives."
    )
    title = "Alone against together" if len(report.evaluations) > 1 else "Result"
    return section(
        title, figure + table(heading_cells(head), body, kind="scores"), sub, kind="whole"
    )


def _score_bars(
    report: Report, pick: Callable[[Evaluation], float], words: Callable[[float], str]
) -> list[Bar]:
    return [
        Bar(title, [Part(pick(e), colour)], words(pick(e)), e.kind == "joint")
        for (title, colour), e in zip(_colours(report), report.evaluations, strict=True)
    ]


def _colours(report: Report) -> list[tuple[str, str]]:
    """Every model's name and colour: in bars, in curves and in their legend."""
    found, owner = [], 0
    for e in report.evaluations:
        colour = {"joint": "joint", "pooled": "pooled"}.get(e.kind, tone(owner))
        owner += e.kind == "alone"
        found.append((shortened(e.title), colour))
    return found


def _score_row(e: Evaluation, difference: bool) -> str:
    cells = [digits(e.roc_auc, 4), digits(e.pr_auc, 4), percent(e.recall), digits(e.brier, 5)]
    if difference:
        cells.append(digits(e.coefficient_difference, 4))
    values = "".join(f'<td class="n">{cell}</td>' for cell in cells)
    return f'<tr class="{e.kind}"><th scope="row">{escape(e.title)}</th>{values}</tr>'


def curves(report: Report) -> str:
    """The plots, of what there is."""
    # matplotlib takes a second to import: not before there is something to draw.
    from tacit.reports import plots

    rare = plots.rare(report)
    figures = []
    if any(e.roc is not None for e in report.evaluations):
        figures.append(
            (
                "ROC",
                plots.roc_plot(report),
                "How many positives are found for each share of false alarms. Further up and to"
                " the left is better.",
            )
        )
    if any(e.precision_recall is not None for e in report.evaluations):
        figures.append(
            (
                "Precision and recall",
                plots.precision_recall_plot(report),
                "Of the rows that the model flags, how many are positive, for each share of"
                " positives found.",
            )
        )
    if any(e.calibration is not None for e in report.evaluations):
        figures.append(
            (
                "Calibration",
                plots.calibration_plot(report),
                "Where a point lies on the diagonal, the predicted probability is what happens."
                + (" Groups without any positive row are left out." if rare else ""),
            )
        )
    if report.losses:
        figures.append(
            (
                "Loss during training",
                plots.loss_plot(report),
                f"The {escape(report.loss_name)} of training batches, revealed by agreement.",
            )
        )
    if not figures:
        return ""
    body = "".join(
        f"<figure><h3>{name}</h3>{svg}<figcaption>{caption}</figcaption></figure>"
        for name, svg, caption in figures
    )
    sub = f"On {escape(report.evaluated_on)}."
    names = legend(_colours(report))
    return section("How well it separates", f'{names}<div class="plots">{body}</div>', sub)


def model(report: Report) -> str:
    """What was learned: the network's form, or the largest coefficients."""
    if report.network is not None:
        return _network(report.network)
    if not report.coefficients:
        return ""
    shown = min(15, len(report.coefficients))
    ranked = sorted(report.coefficients.items(), key=lambda item: -abs(item[1]))[:shown]
    sub = (
        f"The {shown} largest of {len(report.coefficients)} coefficients of the joint model:"
        f" to the right speaks for {escape(report.label)}, to the left against it."
    )
    figure = signed_bars(
        "Change of log-odds over half the column's bounds (numbers), or where it holds (others)",
        [(shortened(name, 34), value, digits(value, 2)) for name, value in ranked],
    )
    return section("What the model weighs", figure, sub)


def _network(network: Topology) -> str:
    inputs, *hidden, outputs = network.widths
    boxes = [("features", inputs, "")]
    boxes += [("hidden units", width, network.activation) for width in hidden]
    boxes.append(("probability" if outputs == 1 else "outputs", outputs, "logistic"))
    chain = "".join(
        f"<li><b>{count(width)}</b><span>{name}</span><em>{escape(way) or '&nbsp;'}</em></li>"
        for name, width, way in boxes
    )
    sub = (
        f"A neural network of {count(network.parameters)} numbers, learned on shares. Single"
        " weights of hidden layers say nothing to a reader, so they are not plotted."
    )
    return section("The model", f'<ol class="network">{chain}</ol>', sub, kind="whole")


def best_alone(report: Report, pick: Callable[[Evaluation], float]) -> float | None:
    """The best number that an owner alone reaches."""
    found = [pick(e) for e in report.of_kind("alone") if not math.isnan(pick(e))]
    return max(found) if found else None
