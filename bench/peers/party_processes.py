"""Parties as child processes that answer JSON lines, for peers whose parties are scripts.

Every party is sent the same line and answers with one; each runs its share of the job in between.
"""

from __future__ import annotations

import json
import os
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
            If a party ended, or answered with an error.
        """
        for process in self._processes:
            process.stdin.write(json.dumps(message) + "\n")
            process.stdin.flush()
        answers = []
        for index, process in enumerate(self._processes):
            line = process.stdout.readline()
            answer = json.loads(line) if line else {"error": "it ended"}
            if "error" in answer:
                raise RuntimeError(f"party {index}: {answer['error']}")
            answers.append(answer)
        return answers

    def close(self) -> None:
        """End the parties: their standard input is closed, and who stays is killed."""
        for process in self._processes:
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
