"""Private inference as a service: latency and throughput over TLS on loopback.

All parties, and the clients in processes of their own, share this machine's cores. Every client
asks for one row at a time and waits for its score. ``python -m bench.serving`` measures logistic
regression and a perceptron 30-32-16-1 under ``replicated3`` and ``fantastic4`` with 1, 8 and 64
clients; with ``--page`` it renews its table in ``docs/performance.md``.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from bench.peers.comparison import PAGE, write_between_markers
from tacit.cli.serving import LocalService, local_consortium
from tacit.errors import TacitError
from tacit.models import ClearModel, ModelForm
from tacit.serving.client import Client
from tacit.tables.schema import Column, Schema

__all__ = ["main", "measure"]

CLIENTS = (1, 8, 64)
PROTOCOLS = ("replicated3", "fantastic4")
MODELS: dict[str, tuple[int, ...]] = {"logistic": (), "mlp": (32, 16)}
FEATURES = 30
SECONDS = 6.0
WARM_SECONDS = 2.0
PROCESSES = 4


def _model(hidden: tuple[int, ...]) -> ClearModel:
    columns = [Column(f"x{i}", "number", (-1.0, 1.0)) for i in range(FEATURES)]
    schema = Schema(label="y", columns=(*columns, Column("y", "boolean")))
    form = ModelForm(kind="mlp" if hidden else "logistic", schema=schema, hidden=hidden)
    rng = np.random.default_rng(1)
    return ClearModel(form, [rng.normal(size=shape) * 0.3 for shape in form.shapes])


def _ask(kit: str, model: str, threads: int, begin: Any, out: Any, seconds: float) -> None:
    """In a process of its own: so many clients, each in a thread."""
    clear = ClearModel.load(model)
    found: list[float] = []
    wrong: list[str] = []

    def client(place: int) -> None:
        rows = np.random.default_rng(place + os.getpid()).uniform(-1, 1, (1, FEATURES))
        expected = clear.probability(rows)[0]
        with Client(kit, timeout=60) as asking:
            try:
                asking.probability(rows)
                begin.wait()
                start = time.perf_counter()
                while (at := time.perf_counter()) < start + WARM_SECONDS + seconds:
                    score = asking.probability(rows)[0]
                    if at >= start + WARM_SECONDS:
                        found.append(time.perf_counter() - at)
                    if abs(score - expected) > 1e-3:
                        wrong.append("a wrong score")
            except TacitError as error:
                wrong.append(str(error))

    running = [threading.Thread(target=client, args=(i,)) for i in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    out.put((found, wrong))


def measure(kit: Path, model: Path, clients: int, seconds: float) -> dict[str, float]:
    """Latencies (ms) and throughput (rows a second) of so many clients at a time."""
    context = multiprocessing.get_context("spawn")
    processes = min(PROCESSES, clients)
    shares = [clients // processes + (i < clients % processes) for i in range(processes)]
    begin, out = context.Barrier(clients), context.Queue()
    started = [
        context.Process(target=_ask, args=(str(kit), str(model), n, begin, out, seconds))
        for n in shares
    ]
    for process in started:
        process.start()
    results = [out.get(timeout=180) for _ in started]
    for process in started:
        process.join()
    latencies = np.concatenate([np.array(found) for found, _ in results]) * 1e3
    wrong = [error for _, errors in results for error in errors]
    if wrong:
        raise SystemExit(f"{len(wrong)} requests failed: {wrong[0]}")
    return {
        "p50": float(np.percentile(latencies, 50)),
        "p99": float(np.percentile(latencies, 99)),
        "throughput": len(latencies) / seconds,
    }


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1]) // 20 * 20


def _measured(protocol: str, model: str, seconds: float) -> Iterator[tuple[int, dict[str, float]]]:
    with tempfile.TemporaryDirectory() as folder:
        state, file = Path(folder), Path(folder) / "model.json"
        _model(MODELS[model]).save(file)
        console = Console(file=sys.stderr, quiet=True)
        made = local_consortium(state, None, protocol, _free_port(), console)
        options = [str(file), "--owner", made.names[0], "--state", str(state)]
        service = LocalService(made, state, options, 0, console)
        with service.running():
            for count in CLIENTS:
                yield count, measure(made.client, file, count, seconds)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, and renew the page if asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--protocol", choices=PROTOCOLS, action="append")
    parser.add_argument("--model", choices=list(MODELS), action="append")
    parser.add_argument("--page", action="store_true")
    options = parser.parse_args(arguments)
    lines = [
        "| protocol | model | clients | p50 | p99 | rows a second |",
        "|---|---|---|---|---|---|",
    ]
    for protocol in options.protocol or PROTOCOLS:
        for model in options.model or MODELS:
            for clients, found in _measured(protocol, model, options.seconds):
                name = "logistic, 30 features" if model == "logistic" else "MLP 30-32-16-1"
                lines.append(
                    f"| `{protocol}` | {name} | {clients} | {found['p50']:.0f} ms |"
                    f" {found['p99']:.0f} ms | {found['throughput']:.0f} |"
                )
                print(lines[-1], flush=True)
    if options.page:
        write_between_markers(PAGE, "\n".join(lines), "serving")


if __name__ == "__main__":
    main()
