"""Every command of the user guide, as a reader would run them: page after page, in one folder.

Of a page the fenced `console` blocks are run: a line that begins with ``$`` is a command (with
the lines that it continues on), the others are what it prints, in this order, with ``…`` for
anything. Where they show an error the command must fail, else succeed. Commands run in this
process, which saves their imports; parties and what is in the background have their own.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from command_line import COMMAND
from commands import tacit_here
from consortia import free_block

pytestmark = pytest.mark.processes

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = ("guide/first-hour", "guide/your-files", "programs")
_BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
_FAILS = re.compile(r"^Error TC-|not a boolean", re.MULTILINE)


@dataclass
class Command:
    """A command of a page, and the lines that the page shows of its output."""

    text: str
    shown: list[str] = field(default_factory=list)

    @property
    def fails(self) -> bool:
        return _FAILS.search("\n".join(self.shown)) is not None


def commands(page: str) -> list[Command]:
    """In the order of the page."""
    found: list[Command] = []
    for block in _BLOCK.findall((DOCS / f"{page}.md").read_text()):
        assert block.startswith("$ "), block
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append(Command(line[2:]))
            elif found[-1].text.endswith("\\"):
                found[-1].text += f"\n{line}"
            else:
                found[-1].shown.append(line)
    assert found, page
    return found


def _free_ports() -> str:
    """Options of a service that tests beside this one do not run into."""
    return f"--port {free_block(8)} --metrics-port 0"


class Reader:
    """Somebody with a terminal."""

    def __init__(self, folder: Path) -> None:
        (folder / "examples").symlink_to(ROOT / "examples")
        programs = folder / ".programs"
        programs.mkdir()
        for name, words in {"tacit": COMMAND, "python": [sys.executable]}.items():
            (programs / name).write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
            (programs / name).chmod(0o755)
        self._environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}
        self._log = folder / ".background"
        self._background: subprocess.Popen[bytes] | None = None

    def run(self, command: Command) -> tuple[int, str]:
        """Exit status and output."""
        words = shlex.split(command.text.replace("\\\n", ""))
        if words[-1] == "&":
            return self._begin(command)
        if words[0] == "kill":
            return self._end(signal.SIGINT), self._log.read_text()
        if words[0] == "tacit" and ">" not in words:
            done = tacit_here(*words[1:])
            return done.returncode, done.stdout + done.stderr
        ran = subprocess.run(
            ["bash", "-c", command.text],
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        return ran.returncode, ran.stdout

    def _begin(self, command: Command) -> tuple[int, str]:
        with self._log.open("wb") as log:
            self._background = subprocess.Popen(
                ["bash", "-c", f"exec {command.text.rstrip('& ')} {_free_ports()}"],
                env=self._environment,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + 240
        while missing(self._log.read_text(), command.shown):
            assert self._background.poll() is None, self._log.read_text()
            assert time.monotonic() < deadline, self._log.read_text()
            time.sleep(0.1)
        return 0, self._log.read_text()

    def _end(self, number: int) -> int:
        if self._background is None:
            return 0
        process, self._background = self._background, None
        process.send_signal(number)
        return process.wait(timeout=240)

    def close(self) -> None:
        """Leave nothing running."""
        self._end(signal.SIGTERM)


def missing(output: str, shown: list[str]) -> str | None:
    """The first of the lines shown that is not in the output, after those before it."""
    text = " ".join(output.split())
    for line in shown:
        parts = [re.escape(" ".join(part.split())) for part in line.split("…")]
        found = re.search(".*?".join(parts), text)
        if found is None:
            return line
        text = text[found.end() :]
    return None


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reader]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    found = Reader(tmp_path)
    yield found
    found.close()


def test_commands_of_the_guide(reader: Reader) -> None:
    for page in PAGES:
        for command in commands(page):
            status, output = reader.run(command)
            assert (status != 0) == command.fails, f"{page}: {command.text}\n{output}"
            assert missing(output, command.shown) is None, (
                f"{page}: {command.text}\n{missing(output, command.shown)}\nnot in\n{output}"
            )


def test_every_page_with_commands_is_run() -> None:
    pages = [*DOCS.glob("guide/*.md"), DOCS / "programs.md"]
    with_commands = {p for p in pages if "```console" in p.read_text()}
    assert with_commands == {DOCS / f"{page}.md" for page in PAGES}


def test_what_is_not_printed_is_missed() -> None:
    assert missing("a  1\nb 2", ["a …", "b 2"]) is None
    assert missing("b 2\na 1", ["a …", "b 2"]) == "b 2"
