"""What every page has: head, title, notes, footer; and how it gets to the disk."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from html import escape
from pathlib import Path

from tacit.errors import StorageError
from tacit.reports.content import Report
from tacit.reports.plain import plain
from tacit.reports.style import STYLE

__all__ = ["framed", "notes", "write_page"]


def framed(report: Report, kicker: str, names: Iterable[str], sections: Iterable[str]) -> str:
    """A page as HTML text. It loads nothing: no script, font or image from elsewhere.

    Parameters
    ----------
    report : Report
        Title, date and protocol.
    kicker : str
        What kind of page it is.
    names : iterable of str
        Whose it is.
    sections : iterable of str
        HTML; empty ones are left out.
    """
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta name="color-scheme" content="light dark">
<title>{escape(report.title)}</title>
<style>{STYLE}</style>
</head>
<body>
<header><div>
<div class="kicker">tacit · {kicker}</div>
<h1>{escape(report.title)}</h1>
<p>{escape(", ".join(names))} · {escape(report.created)} · protocol {escape(report.protocol)}</p>
</div></header>
<main>
{"".join(section for section in sections if section)}
<footer>Made by tacit. This file is complete in itself: it loads nothing from elsewhere.</footer>
</main>
</body>
</html>
"""


def notes(report: Report) -> str:
    """What happened on the way, and warnings."""
    happened = [f"{i.title}. {i.afterwards}" for i in report.incidents]
    body = "".join(f"<p>{escape(note)}</p>" for note in (*happened, *report.notes))
    return f'<section class="notes">{body}</section>' if body else ""


def write_page(text: str, directory: str | Path) -> Path:
    """Write ``index.html`` into `directory`, which is made if absent, and return its path.

    Raises
    ------
    StorageError
        The disk is full or the directory cannot be written (TC-2302).
    """
    target = Path(directory) / "index.html"
    part = target.with_name(".index.html.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(plain(text), encoding="utf-8")
        part.replace(target)  # whole, or what was there before
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink()
        raise StorageError(
            f"The report cannot be written to {target}: {error.strerror}.",
            next_step="choose another directory with --out, or free some space.",
            case=2,
        ) from None
    return target
