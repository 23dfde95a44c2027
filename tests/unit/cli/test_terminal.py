"""Texts of files and of others are printed, not obeyed."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from tacit.cli.terminal import Terminal
from tacit.reports.frame import write_page

HOSTILE = "a\x1b[2Jb\x9b31mc\rd\x07e\u202ef\x00g"


@pytest.mark.parametrize("tty", [True, False])
def test_nothing_in_a_text_is_obeyed(tty: bool) -> None:
    out = io.StringIO()
    terminal = Terminal(file=out, force_terminal=tty, width=80)
    terminal.print(HOSTILE, markup=False, soft_wrap=True)
    terminal.print(f"[bold]{escape(HOSTILE)}[/]")
    table = Table(title=HOSTILE)
    table.add_column(HOSTILE)
    table.add_row(HOSTILE)
    terminal.print(table)
    terminal.rule(HOSTILE)
    text = out.getvalue()
    for obeyed in ("\x1b[2J", "\x9b", "\r", "\x07", "\u202e", "\x00"):
        assert obeyed not in text
    assert text.count("\N{REPLACEMENT CHARACTER}[2Jb") == 6
    assert ("\x1b[1m" in text) == tty  # what the command itself painted


def test_bars_still_move() -> None:
    out = io.StringIO()
    with Progress(console=Terminal(file=out, force_terminal=True, width=80)) as bars:
        bars.add_task(HOSTILE, total=1)
        bars.refresh()
    assert "\x1b[2K" in out.getvalue()
    assert "\x1b[2J" not in out.getvalue()


def test_reports_hold_no_control_characters(tmp_path: Path) -> None:
    text = write_page(f"<p>{HOSTILE}</p>\n", tmp_path).read_text()
    assert "\x1b" not in text
    assert text.startswith("<p>a\N{REPLACEMENT CHARACTER}[2Jb")
    assert text.endswith("</p>\n")
