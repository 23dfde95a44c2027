"""Running party processes on a delay line, and taking their times."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bench.networks.party import PARTIES
from bench.networks.relay import HOST
from bench.networks.tunnels import Tunnels
from tacit.network import Address, Authority
from tacit.rounds import Network

__all__ = ["LOOPBACK", "Run", "measured"]

LOOPBACK = Network(latency_seconds=0.0, bits_per_second=1e15)
"""No line at all: the parties' own addresses."""

_SECONDS = 300.0


@dataclass(frozen=True)
class Run:
    """A workload to run, how often."""

    workload: str
    size: int | None = None
    repeats: int = 3

    @property
    def name(self) -> str:
        """For tables."""
        return self.workload if self.size is None else f"{self.workload} ({self.size:,})"


class _Line(Protocol):
    def addresses(self, ports: dict[str, int]) -> Mapping[str, Mapping[str, Address]]: ...


class _Direct:
    """Loopback without a delay."""

    def addresses(self, ports: dict[str, int]) -> dict[str, dict[str, Address]]:
        book = {name: Address(HOST, port) for name, port in ports.items()}
        return dict.fromkeys(PARTIES, book)


def measured(
    runs: Sequence[Run],
    network: Network = LOOPBACK,
    line: _Line | None = None,
    *,
    threads: int = 1,
) -> list[list[float]]:
    """Run workloads in three processes over TLS; the seconds of every repeat of each.

    Parameters
    ----------
    runs : sequence of Run
        What to run, one after the other in one session.
    network : Network
        What the line gives; for the time that messages about the start take.
    line : Relay or Tunnels, optional
        Through which the parties talk; loopback without a line by default.
    threads : int
        Of each party, for matrix products.

    Returns
    -------
    list of list of float
        From the moment at which all begin to the moment at which the last is done.
    """
    line = line or _Direct()
    with (
        tempfile.TemporaryDirectory(prefix="tacit-networks-") as folder,
        _parties(line, Path(folder)) as processes,
    ):
        ports = {name: int(_line(process)) for name, process in processes.items()}
        books = line.addresses(ports)
        for name, process in processes.items():
            assert process.stdin is not None
            told = {
                "addresses": {k: (a.host, a.port) for k, a in books[name].items()},
                "latency": network.latency_seconds,
                "threads": threads,
                "runs": [(run.workload, run.size, run.repeats) for run in runs],
            }
            process.stdin.write(json.dumps(told) + "\n")
            process.stdin.flush()
        found = [json.loads(_line(process)) for process in processes.values()]
    return [
        [max(end for _, end in repeat) - repeat[0][0] for repeat in zip(*of_run, strict=True)]
        for of_run in zip(*found, strict=True)
    ]


@contextmanager
def _parties(line: _Line, folder: Path) -> Iterator[dict[str, subprocess.Popen[str]]]:
    authority = Authority()
    processes: dict[str, subprocess.Popen[str]] = {}
    try:
        for name in PARTIES:
            authority.issue(name).save(folder / name)
            before = line.command(name) if isinstance(line, Tunnels) else []
            host = line.host(name) if isinstance(line, Tunnels) else HOST
            processes[name] = subprocess.Popen(
                [*before, sys.executable, "-m", "bench.networks.party", name, host,
                 str(folder / name)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                cwd=Path(__file__).parents[2],
                env=dict(os.environ),
            )  # fmt: skip
        yield processes
    finally:
        for process in processes.values():
            process.kill()
        for process in processes.values():
            process.communicate()


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise RuntimeError(f"a party ended with status {process.wait(_SECONDS)}")
    return line
