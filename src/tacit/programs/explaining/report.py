"""An explanation as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap

from tacit.programs.explaining.explanation import Explanation
from tacit.programs.explaining.finding import SEVERITIES
from tacit.programs.showing.notation import clean

__all__ = ["headline", "plain"]

_WIDTH = 100


def plain(explanation: Explanation) -> str:
    """The explanation in words and tables, at most 100 columns wide where names are short."""
    return "\n".join(map(clean, _lines(explanation)))


def headline(explanation: Explanation) -> str:
    """How many findings there are of which severity, in one line."""
    counts = {
        severity: sum(one.severity == severity for one in explanation.findings)
        for severity in SEVERITIES
    }
    found = [f"{count} {severity}" for severity, count in counts.items() if count]
    return ", ".join(found) or "none"


def _lines(one: Explanation) -> Iterator[str]:
    yield f"Program {one.name or '(no name)'}, digest {one.digest}"
    yield ""
    yield "Who gives what"
    yield from _table(
        ("input", "from", "what", "bounds"),
        [(g.name, g.owner, g.what, g.bounds) for g in one.gives],
    )
    yield ""
    yield "What is computed"
    for step in one.steps:
        lead = "  " * (step.depth + 1) + (f"{step.number} " if step.number else "")
        gives = f" -> {step.gives}" if step.gives else ""
        error = f"  (error: {step.error})" if step.error else ""
        yield from _wrapped(lead, f"{step.what}{gives}{error}")
    yield ""
    yield "Who learns what"
    yield from _table(
        ("output", "to", "what", "over at least", "made of"),
        [(o.name, o.to, o.what, o.over, ", ".join(o.from_inputs) or "-") for o in one.learns],
    )
    yield ""
    yield f"Findings: {headline(one)} (statistics over fewer than {one.minimum} rows count)"
    for finding in one.findings:
        people = f" [{', '.join(finding.recipients)}]" if finding.recipients else ""
        yield from _wrapped(
            f"  {finding.severity.upper():6} ", f"{finding.kind}{people}: {finding.what}"
        )
        yield from _wrapped("         ", f"Why: {finding.why}")
        yield from _wrapped("         ", f"What to do: {finding.advice}")
    yield ""
    yield "Approximate operations"
    for a in one.approximations:
        where = f", for {a.domain}" if a.domain else ""
        outside = f"; elsewhere {a.outside}" if a.outside else ""
        often = f" ({a.times} times)" if a.times > 1 else ""
        yield from _wrapped(
            "  ", f"{a.operation}{often}: {a.computes}: at most {a.error}{where}{outside}"
        )
    if not one.approximations:
        yield "  None; products and means round by one unit in the last place."
    yield ""
    yield "Known to all parties, whoever learns the outputs"
    for text in one.public:
        yield from _wrapped("  - ", text)
    yield ""
    yield "What this does not see"
    for text in one.limits:
        yield from _wrapped("  - ", text)


def _wrapped(lead: str, text: str) -> list[str]:
    space = " " * len(lead)
    return wrap(text, _WIDTH, initial_indent=lead, subsequent_indent=space) or [lead.rstrip()]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(row[k]) for row in [head, *rows]) for k in range(len(head))]
    for row in [head, ["-" * width for width in widths], *rows]:
        yield "  " + "  ".join(f"{c:{w}}" for c, w in zip(row, widths, strict=True)).rstrip()
