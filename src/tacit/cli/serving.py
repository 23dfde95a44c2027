"""All parties of a service on this machine, each a process with a kit of its own, for trying."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from tacit.cli.terminal import literal
from tacit.consortium import Kit
from tacit.consortium.authority import AuthorityFolder
from tacit.consortium.sealing import Secret
from tacit.errors import PartyLostError, TransportError, UsageError
from tacit.protocols import protocol_named
from tacit.sessions import checked_parties
from tacit.storage.keys import create_key
from tacit.storage.store import owner_of

__all__ = ["CLIENT", "LocalConsortium", "LocalService", "local_consortium"]

CLIENT = "client"
"""The client that is made for trying, and its kit's folder."""

_START_SECONDS = 120.0
_STOP_SECONDS = 60.0


class LocalConsortium:
    """A consortium whose parties are all here.

    Attributes
    ----------
    names : tuple of str
    protocol : str
    kits : dict of str to Path
    client : Path
        The client's kit.
    """

    def __init__(self, protocol: str, kits: dict[str, Path], client: Path) -> None:
        self.names = tuple(kits)
        self.protocol = protocol
        self.kits = kits
        self.client = client


def local_consortium(
    state: Path, store: Path | None, protocol: str | None, port: int, console: Console
) -> LocalConsortium:
    """Make kits for all parties and a client, or take those that are there.

    Raises
    ------
    UsageError
        The folder has those of other parties (TC-1096).
    """
    found = None
    if store is not None:
        folders = sorted(store.glob("*/"))
        found = next((who for f in folders if (who := owner_of(f)) is not None), None)
        if found is None:
            raise UsageError(
                f"{store} holds no party's shares.",
                next_step="name the folder that `tacit train --store` was given.",
                case=96,
                stage="serving",
            )
    chosen = protocol or (found.protocol if found else "replicated3")
    names = checked_parties(protocol_named(chosen), found.parties if found else None)
    folder, client = state / "consortium", state / CLIENT
    if (folder / "consortium.json").exists():
        kits = {name: folder / "kits" / name for name in names}
        known = (
            Kit.load(next(iter(kits.values()))) if all(k.exists() for k in kits.values()) else None
        )
        if known is None or known.consortium.names != names:
            raise UsageError(
                f"{state} belongs to a service of other parties than {', '.join(names)}.",
                next_step="choose another folder with --state, or remove that one.",
                case=96,
                stage="serving",
            )
        return LocalConsortium(chosen, kits, client)
    key = state / "authority.key"
    state.mkdir(parents=True, exist_ok=True)
    if not key.exists():
        create_key(key)
    secret = Secret.from_surroundings(key)
    assert secret is not None
    parties = {name: f"127.0.0.1:{port + 2 * place}" for place, name in enumerate(names)}
    authority = AuthorityFolder.create(folder, "here", parties, secret, protocol=chosen)
    made = authority.issue(names)
    (given,) = authority.issue([CLIENT], "client")
    with contextlib.suppress(FileExistsError):
        client.symlink_to(given.absolute(), target_is_directory=True)
    console.print(
        f"[green]✓[/] certificates for {escape(', '.join(names))} and a client, in {literal(state)}"
    )
    return LocalConsortium(chosen, dict(zip(names, made, strict=True)), client)


class LocalService:
    """The parties' processes.

    Parameters
    ----------
    consortium : LocalConsortium
    state : Path
        Where their logs go.
    options : sequence of str
        Of ``tacit serve``, the model first.
    metrics_port : int
        The first party's; 0 for none.
    console : Console
    """

    def __init__(
        self,
        consortium: LocalConsortium,
        state: Path,
        options: Sequence[str],
        metrics_port: int,
        console: Console,
    ) -> None:
        self._consortium = consortium
        self._state = state
        self._options = list(options)
        self._metrics_port = metrics_port
        self._console = console
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def run(self) -> None:
        """Start all, and wait until they end; Ctrl-C ends them.

        Raises
        ------
        PartyLostError, TransportError
            A party ended before all served, or too many did later.
        """
        try:
            with self.running():
                self._tell()
                self._watch()
        except KeyboardInterrupt:
            self._console.print("Ended: requests that had begun were answered.")

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """All parties serve as long as this context is entered."""
        try:
            for place, name in enumerate(self._consortium.names):
                self.processes[name] = self._started(place, name)
            self._await_start()
            yield
        finally:
            self._stop()

    def _log(self, name: str) -> Path:
        return self._state / name / "serve.log"

    def _started(self, place: int, name: str) -> subprocess.Popen[bytes]:
        log = self._log(name)
        log.parent.mkdir(parents=True, exist_ok=True)
        port = self._metrics_port + place if self._metrics_port else 0
        command = [
            *(sys.executable, "-c", "from tacit.cli import main; main()", "serve"),
            *self._options,
            *("--as", name, "--kit", str(self._consortium.kits[name])),
            *("--metrics-port", str(port), "--protocol", self._consortium.protocol),
            "--with-parent",
        ]
        with log.open("wb") as file:
            return subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=file,
                stderr=file,
                start_new_session=True,  # Ctrl-C reaches this process alone, which ends them
                env={**os.environ, "COLUMNS": "200"},
            )

    def _await_start(self) -> None:
        until = time.monotonic() + _START_SECONDS
        waiting = set(self._consortium.names)
        while waiting:
            for name in sorted(waiting):
                if _said(self._log(name), "serving"):
                    waiting.discard(name)
                elif self.processes[name].poll() is not None:
                    raise self._lost(name)
            if time.monotonic() > until:
                raise TransportError(
                    f"{', '.join(sorted(waiting))} did not begin to serve in time.",
                    next_step=f"see {self._log(min(waiting))}.",
                    case=5,
                    stage="serving",
                )
            time.sleep(0.05)

    def _tell(self) -> None:
        kit = Kit.load(self._consortium.kits[self._consortium.names[0]])
        self._console.print(
            f"[green]✓[/] serving with {literal(self._consortium.protocol)}; clients reach "
            + ", ".join(f"{escape(name)} at {literal(at)}" for name, at in kit.services.items())
        )
        if self._metrics_port:
            last = self._metrics_port + len(self._consortium.names) - 1
            self._console.print(
                f"  metrics: http://127.0.0.1:{self._metrics_port}/metrics … {literal(last)};"
                f" logs: {literal(self._state)}/NAME/serve.log"
            )
        self._console.print(f"  try: tacit query row.csv --kit {literal(self._consortium.client)}")

    def _watch(self) -> None:
        guaranteed = (
            protocol_named(self._consortium.protocol).security.outcome == "guaranteed output"
        )
        gone: set[str] = set()
        while True:
            for name, process in self.processes.items():
                if name in gone or process.poll() is None:
                    continue
                gone.add(name)
                if len(gone) > (1 if guaranteed else 0):
                    raise self._lost(name)
                self._console.print(
                    f"[yellow]![/] {escape(name)} is gone; the other parties go on."
                )
            time.sleep(0.1)

    def _lost(self, name: str) -> PartyLostError:
        lines = self._log(name).read_text(errors="replace").strip().splitlines()
        said = [line for line in lines if not line.startswith("{")]
        errors = [place for place, line in enumerate(said) if line.startswith("Error TC-")]
        said = said[errors[-1] :] if errors else said[-6:]
        return PartyLostError(
            f"{name} ended: {' '.join(said) or 'it said nothing'}",
            next_step=f"see {self._log(name)}; then start the service again.",
            case=10,
            parties=[name],
            stage="serving",
        )

    def _stop(self) -> None:
        for process in self.processes.values():
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        until = time.monotonic() + _STOP_SECONDS
        for process in self.processes.values():
            try:
                process.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdin is not None:
                process.stdin.close()


def _said(log: Path, event: str) -> bool:
    """Whether a log has an event."""
    for line in log.read_bytes().splitlines():
        with contextlib.suppress(ValueError):
            if json.loads(line).get("event") == event:
                return True
    return False
