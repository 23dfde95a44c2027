"""Progress bars: one a phase, with rate and time left, fed by all parties' messages."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

__all__ = ["PhaseBars", "PhaseMessage"]


class PhaseMessage(Protocol):
    """What a party's process says of its progress."""

    @property
    def phase(self) -> str: ...
    @property
    def done(self) -> float: ...
    @property
    def total(self) -> float: ...
    @property
    def unit(self) -> str: ...
    @property
    def note(self) -> str: ...


class _Rate(ProgressColumn):
    """Units a second."""

    def render(self, task: Task) -> Text:
        unit = task.fields.get("unit", "")
        if unit in ("", "%") or not task.speed:
            return Text("")
        return Text(f"{task.speed:,.0f} {unit}/s", style="cyan")


class PhaseBars:
    """A context manager that shows one bar a phase; the slowest party sets its length.

    Parameters
    ----------
    parties : sequence of str
        Whose messages come.
    console : Console
        Where to draw. Nothing is drawn if it is no terminal.
    """

    def __init__(self, parties: tuple[str, ...], console: Console) -> None:
        self._parties = list(parties)
        self._done: dict[str, dict[str, float]] = {}
        self._bars: dict[str, TaskID] = {}
        self._progress = Progress(
            SpinnerColumn(finished_text="[green]✓"),
            TextColumn("{task.description:<16}"),
            BarColumn(bar_width=32),
            TextColumn("{task.percentage:>4.0f} %"),
            _Rate(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(compact=True),
            TextColumn("[cyan]{task.fields[note]}"),
            console=console,
            disable=not console.is_terminal,
        )

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def tell(self, line: str) -> None:
        """Print a line above the bars."""
        self._progress.console.print(line, soft_wrap=True)

    def lost(self, party: str) -> None:
        """Wait for this party no more."""
        if party in self._parties:
            self._parties.remove(party)
        for phase, done in self._done.items():
            done.pop(party, None)
            self._complete(phase)

    def _complete(self, phase: str) -> None:
        if all(done == float("inf") for done in self._done[phase].values()):
            bar = self._bars[phase]
            total = self._progress.tasks[bar].total or 1
            self._progress.update(bar, total=total, completed=total)

    def __call__(self, party: str, message: PhaseMessage) -> None:
        """Take a message of one party."""
        phase = message.phase
        if party not in self._parties:
            return
        if phase not in self._bars:
            self._bars[phase] = self._progress.add_task(
                phase, total=None, unit=message.unit, note=""
            )
            self._done[phase] = dict.fromkeys(self._parties, 0.0)
        bar = self._bars[phase]
        if message.total == 1 and message.done == 1 and not message.unit:
            self._done[phase][party] = float("inf")
            self._complete(phase)
            return
        if message.total:
            self._done[phase][party] = message.done
            slowest = min(min(self._done[phase].values()), message.total)
            self._progress.update(bar, total=message.total, completed=slowest, unit=message.unit)
        if message.note:
            self._progress.update(bar, note=message.note)
