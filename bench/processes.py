"""What the operating system knows of the parties' processes: memory and processor time."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

__all__ = ["forget_peak_memory", "peak_memory", "processor_seconds", "resident_memory"]

_TICKS = os.sysconf("SC_CLK_TCK")


def peak_memory(process: int) -> int:
    """The most memory a process has had resident, in bytes (``VmHWM``)."""
    return _of_status(process, "VmHWM")


def resident_memory(process: int) -> int:
    """The memory that a process has resident now, in bytes (``VmRSS``)."""
    return _of_status(process, "VmRSS")


def _of_status(process: int, name: str) -> int:
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise OSError(f"/proc/{process}/status has no {name}")


def forget_peak_memory(process: int) -> None:
    """Let the peak begin anew at what is resident now, where the system allows it."""
    with contextlib.suppress(OSError):
        Path(f"/proc/{process}/clear_refs").write_text("5")


def processor_seconds(processes: Iterable[int]) -> float:
    """Processor time that the processes have used so far, all threads, user and system.

    In steps of the system's clock tick (10 ms) where it counts no finer.
    """
    return sum(map(_processor_seconds, processes))


def _processor_seconds(process: int) -> float:
    threads = list(Path(f"/proc/{process}/task").glob("*/schedstat"))
    if threads:
        return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS
