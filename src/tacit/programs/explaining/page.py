"""An explanation as HTML, for notebooks."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape as escaped

from tacit.programs.explaining.explanation import Explanation
from tacit.programs.explaining.report import headline
from tacit.programs.showing.notation import clean

__all__ = ["html"]

_COLOURS = {"high": "#b3261e", "medium": "#b26a00", "low": "#5f6b1c", "note": "#4a5568"}


def html(one: Explanation) -> str:
    """Tables of what the explanation says; every name is escaped."""
    findings = [
        (f.severity, f.kind, ", ".join(f.recipients), f.what, f.why, f.advice) for f in one.findings
    ]
    steps = [("\u2003" * s.depth + s.number, s.what, s.gives, s.error) for s in one.steps]
    parts = [
        f"<h3>Program {escape(one.name or '(no name)')}</h3>",
        f"<p><code>{escape(one.digest)}</code></p>",
        _table(
            "Who gives what", ("input", "from", "what", "bounds"),
            [(g.name, g.owner, g.what, g.bounds) for g in one.gives],
        ),
        _table(
            "Who learns what", ("output", "to", "what", "over at least", "made of"),
            [(o.name, o.to, o.what, o.over, ", ".join(o.from_inputs)) for o in one.learns],
        ),
        _table(
            f"Findings: {headline(one)}",
            ("severity", "kind", "who", "what", "why", "what to do"), findings,
        ),
        _table("What is computed", ("step", "what", "gives", "error"), steps, closed=True),
        _table(
            "Approximate operations", ("operation", "times", "computes", "largest error", "for"),
            [
                (a.operation, str(a.times), a.computes, a.error, a.domain)
                for a in one.approximations
            ],
            closed=True,
        ),
        _list("Known to all parties", one.public),
        _list("What this does not see", one.limits),
    ]  # fmt: skip
    return f'<div class="tacit-explanation">{"".join(parts)}</div>'


def escape(text: str) -> str:
    """Text as HTML shows it, control characters written out."""
    return escaped(clean(text))


def _table(
    title: str, head: Sequence[str], rows: Sequence[Sequence[str]], *, closed: bool = False
) -> str:
    top = "".join(f'<th style="text-align:left">{escape(cell)}</th>' for cell in head)
    body = "".join(
        "<tr>"
        + "".join(f'<td style="text-align:left">{_cell(cell)}</td>' for cell in row)
        + "</tr>"
        for row in rows
    )
    table = f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"
    return (
        f"<details{'' if closed else ' open'}><summary>{escape(title)}</summary>{table}</details>"
    )


def _cell(text: str) -> str:
    colour = _COLOURS.get(text)
    return f'<b style="color:{colour}">{escape(text)}</b>' if colour else escape(text)


def _list(title: str, items: Sequence[str]) -> str:
    rows = "".join(f"<li>{escape(item)}</li>" for item in items)
    return f"<details><summary>{escape(title)}</summary><ul>{rows}</ul></details>"
