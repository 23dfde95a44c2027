"""A running ``tacit train``: its parties' processes, its log, and blows against them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

__all__ = ["MOST_SECONDS", "Blow", "Command"]

COMMAND: Final = (sys.executable, "-c", "from tacit.cli import main; main()")
MOST_SECONDS: Final = 240.0


@dataclass(frozen=True, slots=True)
class Blow:
    """That one party's process was killed.

    Attributes
    ----------
    party : str
        Whose; empty if there was none to kill.
    seconds : float
        When, after the start.
    complete : frozenset of str
        The parties of which the log said by then that they know all inputs to be complete.
    """

    party: str
    seconds: float
    complete: frozenset[str]

    def __str__(self) -> str:
        known = ", ".join(sorted(self.complete)) or "nobody"
        return f"{self.party or 'nobody'} at {self.seconds:.2f} s, inputs complete at {known}"


class Command:
    """One run of ``tacit``. A context manager: leaving it ends all its processes.

    Parameters
    ----------
    arguments : sequence of str
    parties : sequence of str
        Their names, by index.
    out : Path
        The folder of its report and log.

    Attributes
    ----------
    code : int
        Its exit status, after :meth:`wait`.
    said : str
        What it wrote to standard error, then.
    """

    def __init__(self, arguments: Sequence[str], parties: Sequence[str], out: Path) -> None:
        self.code = -1
        self.said = ""
        self._parties = tuple(parties)
        self._log = out / "log.jsonl"
        self._log.unlink(missing_ok=True)  # of a run before this one
        self._start = time.monotonic()
        self._process = subprocess.Popen(
            [*COMMAND, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )

    def wait(self) -> None:
        """Until its end.

        Raises
        ------
        subprocess.TimeoutExpired
            There is none.
        """
        _, self.said = self._process.communicate(timeout=MOST_SECONDS)
        self.code = self._process.returncode

    # What it says of itself.

    def events(self) -> list[dict[str, Any]]:
        """The log so far."""
        try:
            text = self._log.read_text(encoding="utf-8")
        except FileNotFoundError:
            return []
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]

    def complete(self) -> frozenset[str]:
        """The parties that know all inputs to be complete at all parties."""
        return frozenset(e["party"] for e in self.events() if e["event"] == "inputs complete")

    def failure(self) -> tuple[str, list[str]]:
        """The number of the error that ended it, and whom that names; empty if there was none."""
        for event in self.events():
            if event["event"] == "training failed":
                return event["code"], event["parties"]
        return "", []

    # Blows.

    def kill_one(self, index: int) -> Blow:
        """Kill a party's process; nobody's if there is none (any more)."""
        parties = self._running()
        complete, seconds = self.complete(), time.monotonic() - self._start
        if not parties:
            return Blow("", seconds, complete)
        number = list(parties)[index % len(parties)]
        _kill(number)
        return Blow(parties[number], seconds, complete)

    def kill_all(self) -> None:
        """Kill all parties' processes and the one that started them."""
        for number in [*self._children(), self._process.pid]:
            _kill(number)

    def _running(self) -> dict[int, str]:
        """The parties' processes, and whose they are: the log says it when all are there."""
        found = self._children()
        known = dict(zip(found, self._parties, strict=False))  # in the order of their start
        for event in self.events():
            if event["event"] == "parties connected":
                known = {number: party for party, number in event["processes"].items()}
        return {number: known[number] for number in found if number in known}

    def _children(self) -> list[int]:
        number = self._process.pid
        try:
            text = Path(f"/proc/{number}/task/{number}/children").read_text()
        except FileNotFoundError:
            return []
        return [int(child) for child in text.split()]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process.poll() is None:
            self.kill_all()
            self._process.communicate()


def _kill(number: int) -> None:
    try:
        os.kill(number, signal.SIGKILL)
    except ProcessLookupError:
        return
