"""Parties linked over the loopback: in threads of this process, or as processes of their own."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tacit.network import (
    Address,
    Agreement,
    Authority,
    Credentials,
    Listener,
    Mesh,
    NetworkSettings,
    connect,
)

JOB = bytes(range(32))
LOOPBACK = "127.0.0.1"
QUICK = NetworkSettings(
    heartbeat_timeout=10.0, start_deadline=60.0, handshake_timeout=20.0, close_timeout=2.0
)
"""Far from what any party needs, however busy the machine; a test that waits until a limit expires
sets that one."""

Outcome = Any
"""What a party's function returned, or the exception it raised."""


def agreement(*names: str, **changes: Any) -> Agreement:
    """What test parties agree on, with changes."""
    fields: dict[str, Any] = {
        "participants": names,
        "protocol": "replicated3",
        "job": JOB,
        "parameters": {"fraction": "18"},
    }
    return Agreement(**{**fields, **changes})


def in_threads(functions: Mapping[str, Callable[[], Any]]) -> dict[str, Outcome]:
    """Run one function a party side by side; each one's result or exception."""
    outcomes: dict[str, Outcome] = {}

    def run(name: str, function: Callable[[], Any]) -> None:
        try:
            outcomes[name] = function()
        except BaseException as error:
            outcomes[name] = error

    threads = [threading.Thread(target=run, args=item) for item in functions.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def linked(
    names: tuple[str, ...],
    body: Callable[[Mesh], Any],
    *,
    agreements: Mapping[str, Agreement] | None = None,
    credentials: Mapping[str, Credentials] | None = None,
    settings: Mapping[str, NetworkSettings] | None = None,
) -> dict[str, Outcome]:
    """Connect all parties in threads and let each run `body` with its mesh."""
    authority = Authority()
    listeners = {name: Listener(Address(LOOPBACK, 0)) for name in names}
    addresses = {name: listener.address for name, listener in listeners.items()}

    def party(name: str) -> Callable[[], Any]:
        def run() -> Any:
            mesh = connect(
                name,
                (agreements or {}).get(name, agreement(*names)),
                (credentials or {}).get(name) or authority.issue(name),
                addresses,
                listeners[name],
                settings=(settings or {}).get(name, QUICK),
            )
            with mesh:
                return body(mesh)

        return run

    return in_threads({name: party(name) for name in names})


def synchronously(seconds: float, run: Callable[[float], None]) -> None:
    """Run with a bound on what honest parties take; if that fails, with four and sixteen times it.

    What sessions promise about those who are late holds where all others keep the bound: the
    synchronous model. A short one is not that bound on a busy machine.
    """
    for factor in (1, 4):
        try:
            return run(seconds * factor)
        except AssertionError:
            continue
    return run(seconds * 16)


class Processes:
    """Parties as processes of their own, each running a scenario of ``party.py``.

    Parameters
    ----------
    directory : Path
        For credentials.
    scenario : str
        A function of ``party.py``.
    arguments : mapping
        Passed to it as keyword arguments, to every party.
    settings : NetworkSettings
        Time limits.
    """

    names: tuple[str, ...] = ("alice", "bob", "carol")

    def __init__(
        self,
        directory: Path,
        scenario: str,
        arguments: Mapping[str, Any] | None = None,
        settings: NetworkSettings = QUICK,
    ) -> None:
        self._start(directory, "party.py", [scenario, json.dumps(dict(arguments or {}))], settings)

    def _start(
        self, directory: Path, script: str, arguments: list[str], settings: NetworkSettings
    ) -> None:
        limits = {field: getattr(settings, field) for field in settings.__dataclass_fields__}
        authority = Authority()
        self.processes: dict[str, subprocess.Popen[str]] = {}
        for name in self.names:
            authority.issue(name).save(directory / name)
            self.processes[name] = subprocess.Popen(
                [
                    sys.executable,
                    str(Path(__file__).with_name(script)),
                    name,
                    str(directory / name),
                    *arguments,
                    json.dumps(limits),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )

    def __enter__(self) -> Self:
        ports = {name: self.hear(name)["port"] for name in self.names}
        for name in self.names:
            self.tell(name, ports)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process in self.processes.values():
            process.kill()
            process.communicate()

    def hear(self, name: str) -> dict[str, Any]:
        """The next line of a party."""
        stdout = self.processes[name].stdout
        assert stdout is not None
        line = stdout.readline()
        assert line, f"{name} ended without a word"
        message: dict[str, Any] = json.loads(line)
        return message

    def tell(self, name: str, message: Any) -> None:
        """Write a line to a party."""
        stdin = self.processes[name].stdin
        assert stdin is not None
        stdin.write(json.dumps(message) + "\n")
        stdin.flush()

    def until(self, name: str, key: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """Read a party's lines until one has this key: that line, and those before it."""
        before: list[dict[str, Any]] = []
        while True:
            line = self.hear(name)
            if key in line:
                return line, before
            before.append(line)

    def ended(self, name: str) -> int:
        """Wait for a party's process; its exit status."""
        return self.processes[name].wait(timeout=120)


class Grounds(Processes):
    """Four parties as processes that run ``ground_party.py``."""

    names: tuple[str, ...] = ("alice", "bob", "carol", "dave")

    def __init__(
        self, directory: Path, arguments: Mapping[str, Any], settings: NetworkSettings = QUICK
    ) -> None:
        self._start(directory, "ground_party.py", [json.dumps(dict(arguments))], settings)
