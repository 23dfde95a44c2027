"""A system under measurement as a process of its own that answers JSON lines (see ``serving``)."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bench.peers.setup import PEERS

__all__ = ["Contestant", "contestants", "installed"]

ROOT = Path(__file__).resolve().parents[2]
ANSWER_SECONDS = 900.0
"""An answer that takes longer is given up."""

_CLOSE_SECONDS = 3.0


def installed() -> tuple[str, ...]:
    """The peers whose environments are there."""
    return tuple(peer.name for peer in PEERS if (peer.folder / "installed").exists())


def contestants(peers: Iterable[str], logs: Path) -> list[Contestant]:
    """tacit, and the named peers. What they write to standard error goes to ``logs``."""
    chosen = [Contestant("tacit", [sys.executable, "-m", "bench.tacit_workloads"], logs)]
    for peer in PEERS:
        if peer.name in peers:
            script = Path(__file__).with_name(f"{peer.name}_workloads.py")
            chosen.append(Contestant(peer.name, [str(peer.interpreter), str(script)], logs))
    return chosen


class Contestant:
    """One system; its process is started when it is first asked, and anew if it died.

    Parameters
    ----------
    name : str
        What it is called.
    command : list of str
        Its script, without options.
    logs : Path
        A folder for its standard error.
    """

    def __init__(self, name: str, command: list[str], logs: Path) -> None:
        self.name = name
        self.version = ""
        self._command = [*command, "--serve"]
        self._log = logs / f"{name}.log"
        self._process: subprocess.Popen[str] | None = None

    def measure(self, workload: str) -> dict[str, Any]:
        """Have it run a workload once, warm.

        Raises
        ------
        RuntimeError
            If it ends, or does not answer in time.
        """
        process = self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps({"workload": workload}) + "\n")
            process.stdin.flush()
            line = self._line(process)
        except BaseException:
            self.close()
            raise
        answer: dict[str, Any] = json.loads(line)
        self.version = answer.pop("version")
        for known in ("peer", "workload"):
            del answer[known]
        return answer

    def close(self) -> None:
        """End it and all its parties: by its standard input, by an interrupt, by force."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        assert process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        for number in (signal.SIGINT, signal.SIGKILL):
            try:
                process.wait(_CLOSE_SECONDS)
                break
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, number)
        process.wait()
        process.stdout.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # parties that outlived it

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None:
            with self._log.open("a") as log:
                self._process = subprocess.Popen(
                    self._command,
                    cwd=ROOT,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    text=True,
                    start_new_session=True,  # Ctrl-C reaches this process alone, which ends it
                )
        return self._process

    def _line(self, process: subprocess.Popen[str]) -> str:
        assert process.stdout is not None
        until = time.monotonic() + ANSWER_SECONDS
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            if not selector.select(until - time.monotonic()):
                raise RuntimeError(f"{self.name} gave no answer in {ANSWER_SECONDS:.0f} s")
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} ended; its last words are in {self._log}")
        return line
