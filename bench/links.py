"""Links: three processes in a ring over mutual TLS, from 64 bytes to 8 MiB a message.

Each round every party sends one message to the previous party and receives one from the next.
Seconds are medians over repeats of the mean of a block of rounds; throughput counts the messages
of all three parties. Run alone: ``python -m bench.links [--quick]``.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from tacit.network import (
    Address,
    Agreement,
    Authority,
    Credentials,
    Listener,
    Mesh,
    connect,
)
from tacit.rounds.contract import Round, Step

NAMES = ("alice", "bob", "carol")
SIZES = (64, 1 << 10, 4 << 10, 64 << 10, 1 << 20, 8 << 20)


def _ring(mesh: Mesh, size: int, rounds: int) -> Step[None]:
    previous, following = (mesh.index + 2) % 3, (mesh.index + 1) % 3
    sent = np.full(size, mesh.index, dtype=np.uint8)
    received = np.zeros(size, dtype=np.uint8)
    for _ in range(rounds):
        yield Round(send={previous: (sent,)}, receive={following: (received,)})


def _rounds(size: int, quick: bool) -> int:
    budget = 0.1 if quick else 0.5
    return max(3, int(budget / (40e-6 + size * 3 / 2e9)))


def _party(name: str, directory: Path, quick: bool) -> None:
    """One of the three processes: address book in, timings of its rounds out."""
    listener = Listener(Address("127.0.0.1", 0))
    print(listener.address.port, flush=True)
    ports = json.loads(sys.stdin.readline())
    addresses = {party: Address("127.0.0.1", port) for party, port in ports.items()}
    agreement = Agreement(NAMES, "ring", bytes(32))
    results: dict[int, list[tuple[float, float]]] = {size: [] for size in SIZES}
    with connect(name, agreement, Credentials.load(directory), addresses, listener) as mesh:
        for _ in range(2 if quick else 5):
            for size in SIZES:
                rounds = _rounds(size, quick)
                mesh.driver.run(_ring(mesh, size, 3), stage="warm up")
                start, busy = time.perf_counter(), time.process_time()
                mesh.driver.run(_ring(mesh, size, rounds), stage="ring")
                elapsed, worked = time.perf_counter() - start, time.process_time() - busy
                results[size].append((elapsed / rounds, worked / rounds))
    print(json.dumps(results), flush=True)


def run(quick: bool = False) -> list[dict[str, Any]]:
    """Measure; one row a message size.

    Parameters
    ----------
    quick : bool
        Fewer repeats.

    Returns
    -------
    list of dict
        ``name``, ``bytes``, ``seconds`` (a round), ``fastest`` (of the repeats),
        ``processor_seconds`` (a round, all three parties), ``gigabytes_per_second`` (three
        parties).
    """
    authority = Authority()
    with tempfile.TemporaryDirectory(prefix="tacit-bench-") as temporary:
        processes = []
        for name in NAMES:
            directory = Path(temporary) / name
            authority.issue(name).save(directory)
            arguments = [sys.executable, "-m", "bench.links", "--party", name, str(directory)]
            processes.append(
                subprocess.Popen(
                    arguments + (["--quick"] if quick else []),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                    cwd=Path(__file__).parent.parent,
                    env=dict(os.environ),
                )
            )
        try:
            ports = {}
            for name, process in zip(NAMES, processes, strict=True):
                assert process.stdout is not None
                ports[name] = int(process.stdout.readline())
            outputs = []
            for process in processes:
                assert process.stdin is not None
                process.stdin.write(json.dumps(ports) + "\n")
                process.stdin.flush()
            for process in processes:
                outputs.append(json.loads(process.communicate(timeout=300)[0]))
        finally:
            for process in processes:
                process.kill()
                process.wait()
    rows = []
    for size in SIZES:
        blocks = [output[str(size)] for output in outputs]
        every = [elapsed for block in blocks for elapsed, _ in block]
        seconds = statistics.median(every)
        worked = sum(statistics.median(worked for _, worked in block) for block in blocks)
        rows.append(
            {
                "name": f"ring of three, {size} bytes",
                "bytes": size,
                "seconds": seconds,
                "fastest": min(every),
                "processor_seconds": worked,
                "gigabytes_per_second": 3 * size / seconds / 1e9,
            }
        )
    return rows


def main() -> None:
    """Print the table, or be one of the parties."""
    quick = "--quick" in sys.argv
    if "--party" in sys.argv:
        at = sys.argv.index("--party")
        _party(sys.argv[at + 1], Path(sys.argv[at + 2]), quick)
        return
    for row in run(quick):
        print(
            f"{row['bytes']:>9} B {row['seconds'] * 1e6:>10.1f} µs a round,"
            f" {row['processor_seconds'] * 1e6:>10.1f} µs of processors,"
            f" {row['gigabytes_per_second']:>7.3f} GB/s"
        )


if __name__ == "__main__":
    main()
