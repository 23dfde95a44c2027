"""A program as a picture: an SVG that needs nothing else, and holds no script."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from itertools import pairwise
from pathlib import Path
from typing import Final

from tacit.programs.program import Program
from tacit.programs.showing.boxes import Box, Picture, pictured
from tacit.programs.showing.layout import Placed
from tacit.programs.showing.notation import clean

__all__ = ["Drawing", "drawn"]

_OWNERS: Final = (
    ("#d8ecff", "#2b6cb0"),
    ("#ffe3c7", "#b45309"),
    ("#d9f5dd", "#2f7d3b"),
    ("#fbdcea", "#b0336e"),
    ("#e5e0fa", "#5b45b0"),
    ("#d5f3f1", "#157a75"),
    ("#f4efc4", "#857310"),
    ("#e9ddd2", "#7a5230"),
)
"""Fill and line of owners, in order of appearance."""

_KINDS: Final = {
    "secret": ("#ffffff", "#4a5568"),
    "public": ("#eceff3", "#9aa5b1"),
    "constant": ("#eceff3", "#9aa5b1"),
    "input": ("#f7f7f7", "#6b7280"),
    "output": ("#fff4bf", "#a07800"),
    "port": ("#fafbfc", "#b6bfca"),
    "loop": ("#f6f4ff", "#6d5bd0"),
    "more": ("#ffffff", "#b6bfca"),
}
_MARGIN: Final = 20.0


class Drawing:
    """An SVG picture.

    Attributes
    ----------
    svg : str
    """

    def __init__(self, svg: str) -> None:
        self.svg = svg

    def __str__(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        return f"Drawing({len(self.svg):,} characters of SVG)"

    def _repr_svg_(self) -> str:
        return self.svg

    def save(self, path: Path | str) -> None:
        """Write it to a file, whole or not at all."""
        target = Path(path)
        draft = target.with_name(target.name + ".part")
        draft.write_text(self.svg, "utf-8")
        draft.replace(target)


def drawn(program: Program) -> Drawing:
    """A picture of a program."""
    picture = pictured(program)
    people = list(program.owners)
    people += [to for o in program.outputs for to in o.to if to != "all" and to not in people]
    people = list(dict.fromkeys(people))
    colours = {name: _OWNERS[k % len(_OWNERS)] for k, name in enumerate(people)}
    head = 34.0
    legend = list(_legend(people, colours))
    wide = max(picture.layout.width + 2 * _MARGIN, 420.0)
    rows, x = 1, _MARGIN
    placed: list[tuple[float, int, str, tuple[str, str], bool]] = []
    for label, colour, dashed in legend:
        width = 30 + len(label) * 6.2
        if x + width > wide - _MARGIN and x > _MARGIN:
            rows, x = rows + 1, _MARGIN
        placed.append((x, rows - 1, label, colour, dashed))
        x += width
    tall = head + picture.layout.height + 2 * _MARGIN + rows * 20
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide:.0f}" height="{tall:.0f}"'
        f' viewBox="0 0 {wide:.1f} {tall:.1f}" font-family="Helvetica, Arial, sans-serif"'
        ' role="img">',
        f"<title>{escape(clean(_title(program)))}</title>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7"'
        ' markerHeight="7" orient="auto"><path d="M0 0.8 L7.4 4 L0 7.2 Z" fill="#6b7280"/>'
        "</marker></defs>",
        f'<rect width="{wide:.1f}" height="{tall:.1f}" fill="#ffffff"/>',
        f'<text x="{_MARGIN}" y="24" font-size="15" font-weight="bold" fill="#1f2937">'
        f"{escape(clean(_title(program)))}</text>",
    ]
    left = (wide - picture.layout.width) / 2
    lines += _graph(picture, left, head + _MARGIN / 2, colours)
    base = head + picture.layout.height + 1.6 * _MARGIN
    for x, row, label, (fill, line), dashed in placed:
        y = base + row * 20
        dash = ' stroke-dasharray="3 2"' if dashed else ""
        lines.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="13" height="13" rx="3" fill="{fill}"'
            f' stroke="{line}"{dash}/>'
        )
        lines.append(
            f'<text x="{x + 18:.1f}" y="{y + 10.5:.1f}" font-size="11" fill="#374151">'
            f"{escape(clean(label))}</text>"
        )
    lines.append("</svg>")
    return Drawing("\n".join(lines))


def _title(program: Program) -> str:
    name = clean(program.name)[:60] or "program"
    return f"{name}  {program.short_digest}"


def _legend(
    people: Sequence[str], colours: dict[str, tuple[str, str]]
) -> Iterator[tuple[str, tuple[str, str], bool]]:
    for name in people[:8]:
        yield f"{clean(name)[:24]}'s", colours[name], False
    yield "learned by all or several", _KINDS["output"], False
    yield "secret", _KINDS["secret"], False
    yield "public", _KINDS["public"], True
    yield "loop or branch", _KINDS["loop"], False


def _graph(
    picture: Picture, left: float, top: float, colours: dict[str, tuple[str, str]]
) -> Iterator[str]:
    if picture.title:
        yield (
            f'<text x="{left:.1f}" y="{top + 11:.1f}" font-size="11" fill="#6d5bd0">'
            f"{escape(clean(picture.title))}</text>"
        )
        top += 18
    for (_, _, secret), points in zip(picture.edges, picture.layout.lines, strict=True):
        style = "" if secret else ' stroke-dasharray="4 3"'
        yield (
            f'<path d="{_path(points, left, top)}" fill="none" stroke="#8a94a3"'
            f' stroke-width="1.1"{style} marker-end="url(#tip)"/>'
        )
    for box, place in zip(picture.boxes, picture.layout.boxes, strict=True):
        yield from _box(box, place, left, top, colours)


def _path(points: Sequence[tuple[float, float]], left: float, top: float) -> str:
    moved = [(x + left, y + top) for x, y in points]
    found = [f"M{moved[0][0]:.1f} {moved[0][1]:.1f}"]
    for (x0, y0), (x1, y1) in pairwise(moved):
        if abs(x0 - x1) < 0.5:
            found.append(f"L{x1:.1f} {y1:.1f}")
        else:
            half = (y0 + y1) / 2
            found.append(f"C{x0:.1f} {half:.1f} {x1:.1f} {half:.1f} {x1:.1f} {y1:.1f}")
    return " ".join(found)


def _box(
    box: Box, place: Placed, left: float, top: float, colours: dict[str, tuple[str, str]]
) -> Iterator[str]:
    fill, line = colours.get(box.owner, _KINDS[box.kind])
    x, y = left + place.x, top + place.y
    round_ = 12 if box.kind in ("input", "output", "port") else 4
    dash = ' stroke-dasharray="4 3"' if box.kind in ("public", "constant") else ""
    thick = 2 if box.kind in ("input", "output") else 1.2
    yield (
        f'<g><title>{escape(clean(box.title))}</title><rect x="{x:.1f}" y="{y:.1f}"'
        f' width="{place.width:.1f}" height="{place.height:.1f}" rx="{round_}" fill="{fill}"'
        f' stroke="{line}" stroke-width="{thick}"{dash}/>'
    )
    middle = x + place.width / 2
    for number, text in enumerate(box.lines):
        small = number > 0 and (box.kind not in ("secret", "public") or number == 1)
        size = 10 if small else 11.5
        weight = ' font-weight="bold"' if number == 0 and box.kind != "secret" else ""
        colour = "#6b7280" if small else "#1f2937"
        yield (
            f'<text x="{middle:.1f}" y="{y + 16 + 15 * number:.1f}" font-size="{size}"'
            f' text-anchor="middle" fill="{colour}"{weight}>{escape(clean(text))}</text>'
        )
    yield "</g>"
    inside = x + 14
    for picture in box.inner:
        yield from _graph(picture, inside, y + 15 * len(box.lines) + 14, colours)
        inside += picture.layout.width + 28
