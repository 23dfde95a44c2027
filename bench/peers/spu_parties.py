"""Three SPU parties as operating-system processes, linked by brpc over loopback.

Protocol ABY3 (passive, honest majority), ring Z_2^64, 18 fraction bits, no TLS: SPU's own
recommended setting for three parties. Each party is a process of its own; the process that starts
them compiles programs, shares inputs and reveals results, and is idle while a timed run goes on.
"""

from __future__ import annotations

import multiprocessing
import re
import tempfile
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

import numpy as np
import spu
from party_processes import free_ports
from spu import libspu

PARTIES = 3
FRACTION_BITS = 18


def runtime_config() -> libspu.RuntimeConfig:
    """Return the setting in which all workloads run."""
    return libspu.RuntimeConfig(
        protocol=libspu.ProtocolKind.ABY3,
        field=libspu.FieldType.FM64,
        fxp_fraction_bits=FRACTION_BITS,
    )


class Parties:
    """The three processes, seen from the one that started them."""

    def __init__(self) -> None:
        spawning = multiprocessing.get_context("spawn")
        addresses = [f"127.0.0.1:{port}" for port in free_ports(PARTIES)]
        self._io = spu.Io(PARTIES, runtime_config())
        self._logs = tempfile.TemporaryDirectory(prefix="spu-bench-")
        self._pipes: list[Connection] = []
        self._processes: list[Any] = []
        for rank in range(PARTIES):
            ours, theirs = spawning.Pipe()
            log = Path(self._logs.name) / f"party{rank}.log"
            process = spawning.Process(
                target=_party, args=(rank, addresses, log, theirs), daemon=True
            )
            process.start()
            theirs.close()
            self._pipes.append(ours)
            self._processes.append(process)

    def load(self, name: str, executable: libspu.Executable, inputs: Sequence[np.ndarray]) -> int:
        """Share the inputs, run the program once to warm up, and return the bytes it sent.

        The bytes are those of all parties together, as counted by SPU's links.
        """
        shared = [self._io.make_shares(x, libspu.Visibility.VIS_SECRET) for x in inputs]
        code = executable.SerializeToString()
        variables = dict(zip(executable.input_names, shared, strict=True))
        for rank, pipe in enumerate(self._pipes):
            mine = {variable: shares[rank] for variable, shares in variables.items()}
            pipe.send(("load", name, code, mine))
        return sum(self._answers())

    def run(self, name: str) -> tuple[float, tuple[np.ndarray, ...]]:
        """Run a loaded program; return its seconds, and its results revealed afterwards.

        The seconds go from the moment when the first party leaves the starting barrier to the
        moment when the last one is done.
        """
        for pipe in self._pipes:
            pipe.send(("run", name))
        starts, ends, outputs = zip(*self._answers(), strict=True)
        results = tuple(self._io.reconstruct(list(shares)) for shares in zip(*outputs, strict=True))
        return max(ends) - min(starts), results

    def close(self) -> None:
        """End the processes."""
        for pipe in self._pipes:
            pipe.close()
        for process in self._processes:
            process.join(timeout=5)
            if process.is_alive():
                process.kill()
                process.join()
        self._logs.cleanup()

    def _answers(self) -> list[Any]:
        """Return one answer of each party; the first failure ends the wait for the others."""
        answers: dict[Connection, Any] = {}
        while len(answers) < PARTIES:
            for pipe in wait([pipe for pipe in self._pipes if pipe not in answers]):
                try:
                    answers[pipe] = pipe.recv()
                except (EOFError, ConnectionError):
                    raise RuntimeError(f"party {self._pipes.index(pipe)} ended") from None
                if isinstance(answers[pipe], Exception):
                    raise answers[pipe]
        return [answers[pipe] for pipe in self._pipes]


def _party(rank: int, addresses: Sequence[str], log: Path, pipe: Connection) -> None:
    """Be one party: answer commands until the pipe is closed."""
    options = libspu.logging.LogOptions()
    options.enable_console_logger = False
    options.system_log_path = str(log)
    libspu.logging.setup_logging(options)

    link_settings = libspu.link.Desc()
    link_settings.recv_timeout_ms = 600_000
    link_settings.http_max_payload_size = 32 << 20
    for other, address in enumerate(addresses):
        link_settings.add_party(f"party{other}", address)
    link = libspu.link.create_brpc(link_settings, rank)
    counting_config = runtime_config()
    counting_config.enable_pphlo_profile = True
    counting, timed = spu.Runtime(link, counting_config), spu.Runtime(link, runtime_config())

    programs: dict[str, libspu.Executable] = {}

    def load(name: str, code: bytes, variables: dict[str, libspu.Share]) -> int:
        programs[name] = libspu.Executable()
        programs[name].ParseFromString(code)
        for runtime in (timed, counting):
            for variable, share in variables.items():
                runtime.set_var(variable, share)
            runtime.run(programs[name])
        for variable in (*variables, *programs[name].output_names):
            counting.del_var(variable)
        return _bytes_sent(log)

    def run(name: str) -> tuple[float, float, list[libspu.Share]]:
        link.barrier()
        start = time.monotonic()
        timed.run(programs[name])
        end = time.monotonic()
        return start, end, [timed.get_var(output) for output in programs[name].output_names]

    commands: dict[str, Callable[..., Any]] = {"load": load, "run": run}
    while True:
        try:
            command, *details = pipe.recv()
        except EOFError:
            return
        try:
            answer = commands[command](*details)
        except Exception as failure:
            answer = RuntimeError(f"party {rank}: {failure}")
        pipe.send(answer)


def _bytes_sent(log: Path) -> int:
    """Read the last run's traffic from SPU's profile, the only place where it tells."""
    return int(re.findall(r"total send bytes (\d+)", log.read_text())[-1])
