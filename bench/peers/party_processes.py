"""Parties as child processes that answer JSON lines, for peers whose parties are scripts.

Every party is sent the same line and answers with one; each runs its share of the job in between.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


class PartyProcesses:
    """One child process a party, each running the same script.

    Parameters
    ----------
    script : str
        A file in this folder, run by this interpreter.
    arguments : sequence of sequences of str
        The arguments of each party's process.
    environments : sequence of mappings, optional
        Environment variables of each party's process, on top of this one's.
    """

    def __init__(
        self,
        script: str,
        arguments: Sequence[Sequence[str]],
        environments: Sequence[Mapping[str, str]] | None = None,
    ) -> None:
        path = Path(__file__).with_name(script)
        self._processes = [
            subprocess.Popen(
                [sys.executable, str(path), *arguments[index]],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env={**os.environ, **(environments[index] if environments else {})},
            )
            for index in range(len(arguments))
        ]

    def ask(self, message: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Send a line to all parties and return their answers, in the order of the parties.

        Raises
        ------
        RuntimeError
            If a party ended; what it wrote to standard error says why.
        """
        for process in self._processes:
            process.stdin.write(json.dumps(message) + "\n")
            process.stdin.flush()
        answers: dict[int, dict[str, Any]] = {}
        with selectors.DefaultSelector() as selector:
            for index, process in enumerate(self._processes):
                selector.register(process.stdout, selectors.EVENT_READ, index)
            while len(answers) < len(self._processes):
                for key, _events in selector.select():
                    line = key.fileobj.readline()
                    if not line:
                        raise RuntimeError(f"party {key.data} ended; its last words are above")
                    answers[key.data] = json.loads(line)
                    selector.unregister(key.fileobj)
        return [answers[index] for index in range(len(answers))]

    def close(self) -> None:
        """End the parties: their standard input is closed, and who stays is killed."""
        for process in self._processes:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
        for process in self._processes:
            try:
                process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            process.stdout.close()


def free_ports(count: int) -> list[int]:
    """Return that many ports of the loopback interface that nobody listens on just now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [opened.getsockname()[1] for opened in sockets]
    for opened in sockets:
        opened.close()
    return ports
