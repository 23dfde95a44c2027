"""Bars in HTML and CSS: their text keeps its size on a phone, where a drawing would shrink."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

__all__ = ["Bar", "Part", "bars", "legend", "signed_bars", "tone"]


def tone(index: int) -> str:
    """The style-sheet's name for the colour of the owner or party at a position."""
    return f"o{index % 6 + 1}"


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a bar: how long, in which colour of the style sheet, and what a reader hears."""

    value: float
    tone: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Bar:
    """One line: a name, pieces laid end to end, and the number as text."""

    name: str
    parts: Sequence[Part]
    text: str
    strong: bool = False


def bars(title: str, lines: Sequence[Bar], most: float, least: float = 0.0) -> str:
    """Bars below each other, on a scale from `least` to `most`."""
    body = ""
    span = max(most - least, 1e-12)
    for line in lines:
        pieces, left = "", most - least
        for place, part in enumerate(line.parts):
            length = part.value - (0.0 if place else least)
            length = 0.0 if math.isnan(length) else min(max(length, 0.0), left)
            left -= length
            hint = f' title="{escape(part.name)}"' if part.name else ""
            pieces += f'<i class="{part.tone}" style="width:{100 * length / span:.2f}%"{hint}></i>'
        kind = ' class="strong"' if line.strong else ""
        body += (
            f"<div{kind}><dt>{escape(line.name)}</dt>"
            f"<dd><span>{pieces}</span><b>{escape(line.text)}</b></dd></div>"
        )
    return f'<figure class="bars"><h3>{escape(title)}</h3><dl>{body}</dl></figure>'


def signed_bars(title: str, lines: Sequence[tuple[str, float, str]]) -> str:
    """Bars to the right for positive numbers, to the left for negative ones."""
    most = max((abs(value) for _, value, _ in lines), default=1.0) or 1.0
    body = ""
    for name, value, text in lines:
        width = 50 * abs(value) / most
        left = 50.0 if value >= 0 else 50 - width
        kind = "joint" if value >= 0 else "against"
        body += (
            f"<div><dt>{escape(name)}</dt><dd><span>"
            f'<i class="{kind}" style="margin-left:{left:.2f}%;width:{width:.2f}%"></i></span>'
            f"<b>{escape(text)}</b></dd></div>"
        )
    return f'<figure class="bars signed"><h3>{escape(title)}</h3><dl>{body}</dl></figure>'


def legend(names: Sequence[tuple[str, str]]) -> str:
    """Names and their colours."""
    body = "".join(f'<li><i class="{kind}"></i>{escape(name)}</li>' for name, kind in names)
    return f'<ul class="legend">{body}</ul>'
