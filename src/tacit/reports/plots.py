"""The report's curves. Who is who says the page's own legend, once for all of them."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator

from tacit.reports.content import Evaluation, Line, Report
from tacit.reports.figures import (
    FAINT,
    JOINT,
    JOINT_LINE,
    MUTED,
    OWNER_COLOURS,
    POOLED,
    drawn,
)

__all__ = [
    "calibration_plot",
    "loss_plot",
    "precision_recall_plot",
    "rare",
    "roc_plot",
]

_PERCENT: Final = FuncFormatter(lambda share, _: f"{100 * share:g} %")

_STEADY_RECALL: Final = 0.01
"""Left of this recall precision rests on a handful of rows: the plot begins here."""


_STEEP: Final = 8.0
"""Losses that fall by more than this are drawn on a logarithmic axis."""


def rare(report: Report) -> bool:
    """Whether positive rows are so rare that calibration needs logarithmic axes."""
    return report.base_rate is not None and report.base_rate < 0.05


def roc_plot(report: Report) -> str:
    """ROC curves, with the line of 1 % false positives."""

    def draw(axes: Axes) -> None:
        axes.plot([0, 1], [0, 1], color=FAINT, linewidth=0.9, linestyle=(0, (2, 3)))
        axes.axvline(0.01, color=FAINT, linewidth=0.9)
        axes.annotate(
            "1 %", (0.01, 0.02), xytext=(4, 0), textcoords="offset points", color=MUTED, size=9
        )
        _lines(axes, report, lambda e: e.roc)
        _unit_axes(axes, "False positives, share of negatives", "Recall")

    return drawn("ROC curves: recall against false positive rate", (4.9, 4.1), draw)


def precision_recall_plot(report: Report) -> str:
    """Precision–recall curves, with the base rate."""

    def draw(axes: Axes) -> None:
        if report.base_rate is not None:
            axes.axhline(report.base_rate, color=FAINT, linewidth=0.9, linestyle=(0, (2, 3)))
        _lines(axes, report, lambda e: _steady(e.precision_recall))
        _unit_axes(axes, "Recall", "Precision")

    return drawn("Precision–recall curves", (4.9, 4.1), draw)


def calibration_plot(report: Report) -> str:
    """Predicted against observed frequency; logarithmic where positives are rare."""
    logarithmic = rare(report)

    def draw(axes: Axes) -> None:
        lowest = 0.0
        if logarithmic:
            lowest = _lowest(report)
            axes.set_xscale("log")
            axes.set_yscale("log")
        axes.plot([lowest, 1], [lowest, 1], color=FAINT, linewidth=0.9, linestyle=(0, (2, 3)))
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
        axes.tick_params(axis="x", pad=7)

    return drawn("Calibration: observed frequency against prediction", (4.9, 4.1), draw)


def loss_plot(report: Report) -> str:
    """The loss curve, if it was revealed."""

    def draw(axes: Axes) -> None:
        losses = np.asarray(report.losses, np.float64)
        axes.plot(np.linspace(0, 1, len(losses)), losses, color=JOINT, linewidth=1.8)
        axes.set_xlim(0, 1)
        falls = losses.min() > 0 and losses.max() > _STEEP * losses.min()
        if falls:
            axes.set_yscale("log")
            axes.yaxis.set_major_formatter(FuncFormatter(lambda loss, _: f"{loss:g}"))
            axes.yaxis.set_minor_formatter(FuncFormatter(lambda loss, _: f"{loss:g}"))
            axes.yaxis.set_minor_locator(LogLocator(subs=(2.0, 5.0)))
        else:
            axes.set_ylim(bottom=0)
        axes.xaxis.set_major_formatter(_PERCENT)
        axes.set_xlabel("Training done")
        axes.set_ylabel(report.loss_name.capitalize())

    return drawn("Loss during training", (4.9, 4.1), draw)


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
            axes.plot(line[0], line[1], **style)


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
