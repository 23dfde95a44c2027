"""The frame of a drawing: matplotlib's settings, the palette, and SVG that fits into the page.

Text stays text in the page's own font, so it can be searched and prints sharply. Colours become
the style sheet's, so a drawing is readable on a dark page too.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from html import escape
from typing import Any, Final

import matplotlib
import numpy as np
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

__all__ = ["FAINT", "INK", "JOINT", "JOINT_LINE", "MUTED", "OWNER_COLOURS", "POOLED", "drawn"]

INK: Final = "#1f2933"
MUTED: Final = "#5f6c7b"
RULE: Final = "#dfe4e9"
FAINT: Final = "#b8c1ca"
AXIS: Final = "#9aa5b1"
JOINT: Final = "#0f5c6e"
JOINT_LINE: Final = "#1a93ad"
POOLED: Final = "#1f2934"
OWNER_COLOURS: Final = ("#c2762a", "#7c5c9c", "#7d8f3a", "#b0506a", "#4f7ab8", "#8a7a66")
"""Owners in order; told apart by readers who do not see red and green."""

_VARIABLES: Final = {
    INK: "--ink",
    MUTED: "--muted",
    RULE: "--rule",
    FAINT: "--faint",
    AXIS: "--axis",
    JOINT: "--joint",
    JOINT_LINE: "--joint-line",
    POOLED: "--ink",
    **{colour: f"--o{place + 1}" for place, colour in enumerate(OWNER_COLOURS)},
}
"""The style sheet's name of every colour that a drawing uses."""

_SETTINGS: Final[dict[Any, Any]] = {
    "text.parse_math": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "tacit",
    "font.family": "DejaVu Sans",
    "font.size": 11.5,
    "text.color": INK,
    "axes.edgecolor": AXIS,
    "axes.linewidth": 0.8,
    "axes.labelcolor": MUTED,
    "axes.labelsize": 11.5,
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
    "figure.facecolor": "none",
    "axes.facecolor": "none",
}


def drawn(
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
    for colour, name in _VARIABLES.items():
        svg = svg.replace(colour, f"var({name})")
    head, _, rest = svg.partition(">")
    head = re.sub(r' (width|height)="[^"]*"', "", head)
    said = escape(title, quote=True)
    return f'{head} role="img" aria-label="{said}"><title>{said}</title>{rest}'
