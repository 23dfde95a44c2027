"""The page of a distillation: students, what they keep, who learned what. One HTML file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from tacit.errors import StorageError
from tacit.reports.content import Report
from tacit.reports.elements import heading_cells, section, table
from tacit.reports.running import cost
from tacit.reports.style import STYLE
from tacit.reports.terms import disclosures, parameters, security

__all__ = ["DistillationPage", "StudentLine", "render_distillation", "write_distillation"]


@dataclass(frozen=True, slots=True)
class StudentLine:
    """One student.

    Attributes
    ----------
    when : str
    rows, held_out : int
        Public rows that it was trained on, and compared on.
    positive : float
        Share of the public rows that the teacher calls 1.
    agreement : float or None
        Share of held-out public rows on which it says what the teacher says.
    """

    when: str
    rows: int
    held_out: int
    positive: float
    agreement: float | None


@dataclass(frozen=True, slots=True)
class DistillationPage:
    """Everything on the page.

    Attributes
    ----------
    frame : Report
        Title, parties, costs, disclosures, security, parameters, digests.
    teacher : str
    guarantee : str
        In a sentence.
    students : sequence of StudentLine
    """

    frame: Report
    teacher: str
    guarantee: str
    students: Sequence[StudentLine]


def write_distillation(page: DistillationPage, directory: str | Path) -> Path:
    """Write ``index.html`` into `directory`, which is made if absent, and return its path.

    Raises
    ------
    StorageError
        The disk is full or the directory cannot be written.
    """
    target = Path(directory) / "index.html"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(render_distillation(page), encoding="utf-8")
    except OSError as error:
        raise StorageError(
            f"The report cannot be written to {target}: {error.strerror}.",
            next_step="choose another directory with --out, or free some space.",
            case=2,
        ) from None
    return target


def render_distillation(page: DistillationPage) -> str:
    """The page as HTML text. It loads nothing from elsewhere."""
    frame = page.frame
    sections = [
        _notes(frame),
        _students(page),
        disclosures(frame),
        cost(frame),
        security(frame),
        parameters(frame),
    ]
    names = ", ".join([*(owner.name for owner in frame.owners), *frame.helpers])
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta name="color-scheme" content="light dark">
<title>{escape(frame.title)}</title>
<style>{STYLE}</style>
</head>
<body>
<header><div>
<div class="kicker">tacit · distillation</div>
<h1>{escape(frame.title)}</h1>
<p>{escape(names)} · {escape(frame.created)} · protocol {escape(frame.protocol)}</p>
</div></header>
<main>
{"".join(part for part in sections if part)}
<footer>Made by tacit. This file is complete in itself: it loads nothing from elsewhere.</footer>
</main>
</body>
</html>
"""


def _notes(frame: Report) -> str:
    happened = [f"{i.title}. {i.afterwards}" for i in frame.incidents]
    body = "".join(f"<p>{escape(note)}</p>" for note in (*happened, *frame.notes))
    return f'<section class="notes">{body}</section>' if body else ""


def _students(page: DistillationPage) -> str:
    lead = (
        f'<p class="lead">Public rows were labelled by <b>{escape(page.teacher)}</b> that nobody'
        f" ever saw; a student was trained on the labels in the clear. {escape(page.guarantee)}</p>"
    )
    rows = ""
    for line in page.students:
        agreement = "–" if line.agreement is None else f"{line.agreement:.1%}"
        cells = [f"{line.rows:,}", f"{line.held_out:,}", f"{line.positive:.1%}", agreement]
        shown = "".join(f'<td class="n">{cell}</td>' for cell in cells)
        rows += f'<tr><th scope="row">{escape(line.when)}</th>{shown}</tr>'
    names = ["Student", "trained on", "compared on", "teacher says 1", "agrees"]
    sub = (
        "Compared with the teacher's labels on public rows that the student was not trained on."
        " On secret rows it is measured with tacit evaluate, like any other model."
    )
    body = table(heading_cells(names), rows) if rows else ""
    return section("The student", lead + body, sub if rows else "")
