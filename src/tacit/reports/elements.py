"""The pieces of HTML that all parts of the page are made of; texts are escaped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape

from tacit.reports.formats import size

__all__ = ["facts", "heading_cells", "items", "section", "sent", "table"]


def section(title: str, body: str, sub: str = "", *, kind: str = "") -> str:
    """A section with a title, a line below it, and what it shows (HTML)."""
    under = f'<p class="sub">{sub}</p>' if sub else ""
    of = f' class="{kind}"' if kind else ""
    return f"<section{of}><h2>{title}</h2>{under}{body}</section>\n"


def table(head: str, body: str, foot: str = "", *, kind: str = "") -> str:
    """A table that scrolls by itself where the screen is narrower."""
    of = f' class="{kind}"' if kind else ""
    end = f"<tfoot>{foot}</tfoot>" if foot else ""
    return (
        f'<div class="scroll" tabindex="0"><table{of}><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody>{end}</table></div>"
    )


def heading_cells(names: Sequence[str], numbers: bool = True) -> str:
    """A table's head; all columns but the first hold numbers, or none does."""
    first = f'<th scope="col">{escape(names[0])}</th>'
    kind = ' class="n"' if numbers else ""
    return first + "".join(f'<th scope="col"{kind}>{escape(name)}</th>' for name in names[1:])


def sent(value: int) -> str:
    """A table's cell with a number of bytes; a dash for none."""
    return f'<td class="n">{size(value) if value else "–"}</td>'


def facts(named: Mapping[str, str], code: bool = False) -> str:
    """Names and what they are, one a line."""
    tag = "code" if code else "span"
    rows = "".join(
        f"<dt>{escape(name)}</dt><dd><{tag}>{escape(value)}</{tag}></dd>"
        for name, value in named.items()
    )
    return f'<dl class="facts">{rows}</dl>'


def items(texts: Iterable[str]) -> str:
    """A list."""
    return "<ul>" + "".join(f"<li>{escape(text)}</li>" for text in texts) + "</ul>"
