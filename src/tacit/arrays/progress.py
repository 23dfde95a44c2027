"""How far a program is: a bar on a terminal, or a function of the user's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bars

from tacit.sessions.watching import OnRounds

__all__ = ["Progress", "told_rounds"]

Progress: TypeAlias = bool | Callable[[int, int | None, str], None]
"""Whether to show a bar, or ``progress(done, total, words)``."""

_WORDS = "computing"


@contextmanager
def told_rounds(progress: Progress) -> Iterator[OnRounds | None]:
    """What a session tells of its rounds; None where nobody wants to know."""
    if callable(progress):
        listener = progress
        yield lambda done, total: listener(done, total, _WORDS)
        return
    console = Console(stderr=True)
    if not progress or not console.is_terminal:
        yield None
        return
    bars = Bars(
        TextColumn(_WORDS),
        BarColumn(bar_width=32),
        MofNCompleteColumn(),
        TextColumn("rounds"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(compact=True),
        console=console,
    )
    with bars:
        task = bars.add_task(_WORDS, total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total)
