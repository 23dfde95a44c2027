"""The page of a distillation: students, what they keep, who learned what. One HTML file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from tacit.reports.content import Report
from tacit.reports.elements import heading_cells, section, table
from tacit.reports.frame import framed, notes, write_page
from tacit.reports.running import cost
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
    return write_page(render_distillation(page), directory)


def render_distillation(page: DistillationPage) -> str:
    """The page as HTML text. It loads nothing from elsewhere."""
    frame = page.frame
    sections = [
        notes(frame),
        _students(page),
        disclosures(frame),
        cost(frame),
        security(frame),
        parameters(frame),
    ]
    names = [*(owner.name for owner in frame.owners), *frame.helpers]
    return framed(frame, "distillation", names, sections)


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
