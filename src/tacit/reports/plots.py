"""The report's plots, as inline SVG made with matplotlib.

Text stays text in the page's own font, so it can be searched and prints sharply.
"""

from __future__ import annotations

import io
import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from tacit.reports.content import Evaluation, Line, Phase, Report
from tacit.reports.formats import duration, size

__all__ = [
    "OWNER_COLOURS",
    "calibration_plot",
    "coefficient_plot",
    "cost_plot",
    "loss_plot",
    "precision_recall_plot",
    "rare",
    "roc_plot",
]

INK: Final = "#1f2933"
MUTED: Final = "#6b7785"
RULE: Final = "#dfe4e9"
JOINT: Final = "#0f5c6e"
JOINT_LINE: Final = "#1a93ad"
POOLED: Final = "#1f2933"
OWNER_COLOURS: Final = ("#c2762a", "#7c5c9c", "#7d8f3a", "#b0506a", "#4f7ab8", "#8a7a66")
"""Owners in order; told apart by readers who do not see red and green."""

_SETTINGS: Final[dict[Any, Any]] = {
    "text.parse_math": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "tacit",
    "font.family": "DejaVu Sans",
    "font.size": 10.5,
    "text.color": INK,
    "axes.edgecolor": "#9aa5b1",
    "axes.linewidth": 0.8,
    "axes.labelcolor": MUTED,
    "axes.labelsize": 10.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": RULE,
    "grid.linewidth": 0.7,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "legend.frameon": False,
    "legend.fontsize": 10,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
}

_PERCENT: Final = FuncFormatter(lambda share, _: f"{100 * share:g} %")

_STEADY_RECALL: Final = 0.01
"""Left of this recall precision rests on a handful of rows: the plot begins here."""


def rare(report: Report) -> bool:
    """Whether positive rows are so rare that calibration needs logarithmic axes."""
    return report.base_rate is not None and report.base_rate < 0.05


def roc_plot(report: Report) -> str:
    """ROC curves, with the line of 1 % false positives."""

    def draw(axes: Axes) -> None:
        axes.plot([0, 1], [0, 1], color="#b8c1ca", linewidth=0.9, linestyle=(0, (2, 3)))
        axes.axvline(0.01, color="#b8c1ca", linewidth=0.9)
        axes.annotate(
            "1 %", (0.01, 0.02), xytext=(4, 0), textcoords="offset points", color=MUTED, size=9
        )
        _lines(axes, report, lambda e: e.roc)
        _unit_axes(axes, "False positives, share of negatives", "Recall")
        axes.legend(loc="lower right")

    return _svg("ROC curves: recall against false positive rate", (4.9, 4.1), draw)


def precision_recall_plot(report: Report) -> str:
    """Precision–recall curves, with the base rate."""

    def draw(axes: Axes) -> None:
        if report.base_rate is not None:
            axes.axhline(report.base_rate, color="#b8c1ca", linewidth=0.9, linestyle=(0, (2, 3)))
        _lines(axes, report, lambda e: _steady(e.precision_recall))
        _unit_axes(axes, "Recall", "Precision")
        axes.legend(loc="upper right" if rare(report) else "lower left")

    return _svg("Precision–recall curves", (4.9, 4.1), draw)


def calibration_plot(report: Report) -> str:
    """Predicted against observed frequency; logarithmic where positives are rare."""
    logarithmic = rare(report)

    def draw(axes: Axes) -> None:
        lowest = 0.0
        if logarithmic:
            lowest = _lowest(report)
            axes.set_xscale("log")
            axes.set_yscale("log")
        axes.plot([lowest, 1], [lowest, 1], color="#b8c1ca", linewidth=0.9, linestyle=(0, (2, 3)))
        _lines(
            axes, report, lambda e: _positive(e.calibration) if logarithmic else e.calibration, "o"
        )
        axes.set_xlim(lowest if logarithmic else -0.02, 1.06)
        axes.set_ylim(lowest if logarithmic else -0.02, 1.06)
        axes.set_xlabel("Predicted probability")
        axes.set_ylabel("Observed frequency")
        axes.xaxis.set_major_formatter(_PERCENT)
        axes.yaxis.set_major_formatter(_PERCENT)
        axes.minorticks_off()
        axes.legend(loc="upper left")

    return _svg("Calibration: observed frequency against prediction", (4.9, 4.1), draw)


def loss_plot(report: Report) -> str:
    """The loss curve, if it was revealed."""

    def draw(axes: Axes) -> None:
        losses = np.asarray(report.losses, np.float64)
        axes.plot(np.linspace(0, 1, len(losses)), losses, color=JOINT, linewidth=1.8)
        axes.set_xlim(0, 1)
        axes.set_ylim(bottom=0)
        axes.xaxis.set_major_formatter(_PERCENT)
        axes.set_xlabel("Training done")
        axes.set_ylabel(report.loss_name.capitalize())

    return _svg("Loss during training", (4.9, 4.1), draw)


def coefficient_plot(coefficients: Mapping[str, float], most: int = 15) -> str:
    """The largest coefficients as bars."""
    ranked = sorted(coefficients.items(), key=lambda item: -abs(item[1]))[:most][::-1]

    def draw(axes: Axes) -> None:
        values = [value for _, value in ranked]
        colours = [JOINT if value >= 0 else "#b9694a" for value in values]
        axes.barh(range(len(ranked)), values, color=colours, height=0.62)
        axes.axvline(0, color="#9aa5b1", linewidth=0.8)
        axes.set_yticks(range(len(ranked)), [_label(name) for name, _ in ranked], color=INK)
        axes.set_ylim(-0.6, len(ranked) - 0.4)
        axes.spines["left"].set_visible(False)
        axes.grid(axis="y", visible=False)
        axes.set_xlabel(
            "Change of log-odds over half the column's bounds (numbers), or where it holds (others)"
        )

    return _svg("The model's largest coefficients", (10, 0.9 + 0.27 * len(ranked)), draw)


def cost_plot(phases: Sequence[Phase], parties: Sequence[str]) -> str:
    """Seconds and bytes of each phase."""
    ordered = list(phases)[::-1]
    places = list(range(len(ordered)))

    def draw(seconds_axes: Axes, bytes_axes: Axes) -> None:
        values = [phase.seconds for phase in ordered]
        seconds_axes.barh(places, values, color=JOINT, height=0.6)
        for place, value in zip(places, values, strict=True):
            _beside(seconds_axes, value, place, duration(value))
        seconds_axes.set_xlabel("Seconds at the slowest party")
        left = np.zeros(len(ordered))
        for index, party in enumerate(parties):
            part = np.array([phase.bytes_sent.get(party, 0) / 1e6 for phase in ordered])
            colour = OWNER_COLOURS[index % len(OWNER_COLOURS)]
            bytes_axes.barh(places, part, left=left, color=colour, height=0.6, label=party)
            left += part
        for place, phase in zip(places, ordered, strict=True):
            text = size(phase.total_bytes) if phase.total_bytes else "–"
            _beside(bytes_axes, phase.total_bytes / 1e6, place, text)
        bytes_axes.set_xlabel("Megabytes sent, all parties")
        bytes_axes.legend(loc="lower right")
        for axes in (seconds_axes, bytes_axes):
            axes.set_yticks(places, [phase.name for phase in ordered], color=INK)
            axes.set_ylim(-0.6, len(ordered) - 0.4)
            axes.set_xlim(0, max(axes.get_xlim()[1], 1e-3) * 1.16)
            axes.xaxis.set_major_locator(MaxNLocator(5))
            axes.spines["left"].set_visible(False)
            axes.grid(axis="y", visible=False)
        bytes_axes.set_yticklabels([])

    return _svg("Cost of each phase", (10, 1.0 + 0.36 * len(ordered)), draw, columns=2)


def _beside(axes: Axes, value: float, place: float, text: str) -> None:
    axes.annotate(
        text,
        (value, place),
        xytext=(5, 0),
        textcoords="offset points",
        va="center",
        color=MUTED,
        size=9.5,
    )


def _lines(
    axes: Axes, report: Report, pick: Callable[[Evaluation], Line | None], marker: str | None = None
) -> None:
    """One line an evaluation: owners thin, pooled dashed, joint on top."""
    colours = itertools.cycle(OWNER_COLOURS)
    for evaluation in report.evaluations:
        style: dict[str, Any] = {"color": JOINT_LINE, "linewidth": 3.2, "zorder": 5}
        if evaluation.kind == "pooled":
            style = {"color": POOLED, "linewidth": 1.1, "zorder": 6, "linestyle": (0, (5, 3))}
        elif evaluation.kind == "alone":
            style = {"color": next(colours), "linewidth": 1.4, "zorder": 4}
        if marker is not None:
            style |= {"marker": marker, "markersize": 3.5 if evaluation.kind == "pooled" else 5}
        line = pick(evaluation)
        if line is not None:
            axes.plot(line[0], line[1], label=evaluation.title, **style)


def _steady(line: Line | None) -> Line | None:
    if line is None:
        return None
    shown = line[0] >= _STEADY_RECALL
    return line[0][shown], line[1][shown]


def _positive(line: Line | None) -> Line | None:
    """The points that logarithmic axes can show."""
    if line is None:
        return None
    shown = (line[0] > 0) & (line[1] > 0)
    return line[0][shown], line[1][shown]


def _lowest(report: Report) -> float:
    """Where logarithmic axes begin: below every positive point, at a power of ten."""
    points = [
        value
        for evaluation in report.evaluations
        if evaluation.calibration is not None
        for values in evaluation.calibration
        for value in np.asarray(values).tolist()
        if value > 1e-5
    ]
    return float(10 ** np.floor(np.log10(min(points, default=1e-3))))


def _unit_axes(axes: Axes, x: str, y: str) -> None:
    axes.set_xlim(-0.01, 1.01)
    axes.set_ylim(-0.01, 1.02)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.xaxis.set_major_formatter(_PERCENT)
    axes.yaxis.set_major_formatter(_PERCENT)


def _label(feature: str) -> str:
    return feature if len(feature) <= 34 else feature[:33] + "…"


def _svg(
    title: str, inches: tuple[float, float], draw: Callable[..., None], columns: int = 1
) -> str:
    """Draw with the report's settings and return SVG that fits into a page."""
    with matplotlib.rc_context(_SETTINGS):
        figure = Figure(figsize=inches, layout="constrained")
        FigureCanvasSVG(figure)
        draw(*np.atleast_1d(figure.subplots(1, columns)))
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return _embeddable(buffer.getvalue(), title)


def _embeddable(document: str, title: str) -> str:
    """An SVG document as an element: no prolog, ids of its own, the page's font, a title."""
    svg = document[document.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'<g id="[^"]*">', "<g>", svg)
    prefix = re.sub(r"\W+", "-", title.lower())[:24]
    svg = re.sub(r'\bid="', f'id="{prefix}-', svg)
    svg = re.sub(r"url\(#", f"url(#{prefix}-", svg)
    svg = re.sub(r'xlink:href="#', f'xlink:href="#{prefix}-', svg)
    # No font family: the page's font applies.
    svg = re.sub(r"font-family: [^;\"]*;? ?", "", svg)
    svg = re.sub(r"font: (?:\w+ )?([\d.]+px)[^;\"]*", r"font-size: \1", svg)
    head, _, rest = svg.partition(">")
    head = re.sub(r' (width|height)="[^"]*"', "", head)
    return f'{head} role="img" aria-label="{title}"><title>{title}</title>{rest}'
