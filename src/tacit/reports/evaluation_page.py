"""The page of an evaluation: metrics by group, calibration, who learned what. One HTML file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from matplotlib.axes import Axes

from tacit.reports.bars import Bar, Part, bars
from tacit.reports.content import Report
from tacit.reports.elements import heading_cells, section, table
from tacit.reports.figures import FAINT, JOINT, drawn
from tacit.reports.formats import count
from tacit.reports.frame import framed, notes, write_page
from tacit.reports.running import cost
from tacit.reports.terms import disclosures, parameters, security

__all__ = ["BinLine", "EvaluationPage", "MetricLine", "render_evaluation", "write_evaluation"]

_LOGARITHMIC = 0.02
"""Where half of the bins observe less than this, the plot has logarithmic axes."""


@dataclass(frozen=True, slots=True)
class MetricLine:
    """A metric of all rows and of each group.

    Attributes
    ----------
    title : str
    texts : sequence of str
        As shown.
    values : sequence of float or None
        None where it is held back.
    share : bool
        Whether it lies within 0 and 1, so that bars can show it.
    """

    title: str
    texts: Sequence[str]
    values: Sequence[float | None]
    share: bool = True


@dataclass(frozen=True, slots=True)
class BinLine:
    """Rows of similar predictions: how many, predicted and observed."""

    rows: int
    predicted: float
    observed: float


@dataclass(frozen=True, slots=True)
class EvaluationPage:
    """Everything on the page.

    Attributes
    ----------
    frame : Report
        Title, parties, costs, disclosures, security, parameters, digests.
    lead : str
    groups : sequence of str
        ``"all rows"``, then the groups' names.
    metrics : sequence of MetricLine
    bins : sequence of BinLine
    minimum : int
        The smallest group that is shown.
    """

    frame: Report
    lead: str
    groups: Sequence[str]
    metrics: Sequence[MetricLine]
    bins: Sequence[BinLine]
    minimum: int


def write_evaluation(page: EvaluationPage, directory: str | Path) -> Path:
    """Write ``index.html`` into `directory`, which is made if absent, and return its path.

    Raises
    ------
    StorageError
        The disk is full or the directory cannot be written.
    """
    return write_page(render_evaluation(page), directory)


def render_evaluation(page: EvaluationPage) -> str:
    """The page as HTML text. It loads nothing from elsewhere."""
    frame = page.frame
    sections = [
        notes(frame),
        _metrics(page),
        _groups(page),
        _calibration(page),
        disclosures(frame),
        cost(frame),
        security(frame),
        parameters(frame),
    ]
    names = [owner.name for owner in frame.owners]
    return framed(frame, "private evaluation", names, sections)


def _metrics(page: EvaluationPage) -> str:
    rows = ""
    for line in page.metrics:
        cells = "".join(f'<td class="n">{escape(text)}</td>' for text in line.texts)
        rows += f'<tr><th scope="row">{escape(line.title)}</th>{cells}</tr>'
    body = table(heading_cells(["Metric", *page.groups]), rows)
    sub = ""
    if any(None in line.values for line in page.metrics):
        sub = (
            f"–: held back. Groups of fewer than {page.minimum} rows, or of fewer rows of a class"
            " where a metric needs both, are not shown, nor is one that would tell such a group by"
            " difference. It was decided on shares: nobody knows their numbers."
        )
    lead = f'<p class="lead">{page.lead}</p>'
    return section("How good the model is", lead + body, sub)


def _groups(page: EvaluationPage) -> str:
    if len(page.groups) < 2:
        return ""
    figures = []
    for line in page.metrics:
        shown = [value for value in line.values if value is not None]
        if not line.share or not shown:
            continue
        lines = [
            Bar(
                group,
                [] if value is None else [Part(value, "joint" if place == 0 else "o5")],
                text,
                strong=place == 0,
            )
            for place, (group, value, text) in enumerate(
                zip(page.groups, line.values, line.texts, strict=True)
            )
        ]
        figures.append(bars(line.title, lines, max([*shown, 1e-9])))
    if not figures:
        return ""
    sub = (
        "Groups are measured at the cut of all rows; the ROC AUC is each group's own. Bars of one"
        " metric have one scale."
    )
    return section("By group", f'<div class="plots">{"".join(figures)}</div>', sub)


def _calibration(page: EvaluationPage) -> str:
    if not page.bins:
        return ""
    rows = "".join(
        f'<tr><td class="n">{count(one.rows)}</td><td class="n">{one.predicted:.4f}</td>'
        f'<td class="n">{one.observed:.4f}</td></tr>'
        for one in page.bins
    )
    head = "".join(f'<th scope="col" class="n">{n}</th>' for n in ("Rows", "Predicted", "Observed"))
    body = (
        f'<div class="two"><figure>{calibration_plot(page.bins)}<figcaption>Where a point lies on'
        " the diagonal, the predicted probability is what happens.</figcaption></figure>"
        f"{table(head, rows)}</div>"
    )
    return section("Calibration", body, "Rows in bins of equal size, from the lowest prediction.")


def calibration_plot(bins: Sequence[BinLine]) -> str:
    """Observed against predicted; logarithmic axes where most bins observe little."""
    observed = sorted(one.observed for one in bins)
    logarithmic = observed[len(observed) // 2] < _LOGARITHMIC and observed[-1] > 0
    points = [(b.predicted, b.observed) for b in bins]
    if logarithmic:
        points = [(p, o) for p, o in points if p > 0 and o > 0]
    largest = max(max(point) for point in points) * 1.1
    least = min(min(point) for point in points) / 1.5 if logarithmic else 0.0

    def draw(axes: Axes) -> None:
        if logarithmic:
            axes.set_xscale("log")
            axes.set_yscale("log")
        axes.plot([least, largest], [least, largest], color=FAINT, linewidth=0.9)
        axes.plot([p for p, _ in points], [o for _, o in points], "o-", color=JOINT, markersize=5)
        axes.set_xlim(least, largest)
        axes.set_ylim(least, largest)
        axes.set_xlabel("Predicted probability")
        axes.set_ylabel("Observed frequency")
        axes.minorticks_off()

    return drawn("Calibration: observed frequency against prediction", (4.9, 4.1), draw)
