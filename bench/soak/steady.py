"""Sessions that live as long as the run: whether their memory and open files grow."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Final

import numpy as np

import tacit
from bench.soak.cases import PROTOCOLS, SETTINGS
from bench.soak.faults import Disturbance
from bench.soak.programs import PROGRAMS, judged
from tacit.sessions import ProcessSession

__all__ = ["Growth", "Steady", "grown"]

PAUSE: Final = 0.3
FEWEST: Final = 24
"""Samples below which nothing is said about growth."""

PAGE: Final = os.sysconf("SC_PAGE_SIZE")


class Growth:
    """Samples of one process."""

    def __init__(self, name: str, process: int) -> None:
        self.name = name
        self.process = process
        self.memory: list[int] = []
        self.files: list[int] = []

    def sample(self) -> None:
        """Note its resident memory in bytes and its open files."""
        root = Path(f"/proc/{self.process}")
        self.memory.append(int((root / "statm").read_text().split()[1]) * PAGE)
        self.files.append(len(os.listdir(root / "fd")))

    def problem(self) -> str:
        """What has grown; empty if nothing has, or if there are few samples."""
        if len(self.memory) < FEWEST:
            return ""
        memory, files = grown(self.memory), grown(self.files)
        if memory > max(16 << 20, 0.08 * self.memory[0]):
            return f"{self.name}: memory grew by {memory / (1 << 20):.0f} MiB"
        if files > 0:
            return f"{self.name}: {files:.0f} more open files"
        return ""


def grown(samples: Sequence[int]) -> float:
    """The median of the last quarter less that of the second one, when caches are filled."""
    quarter = len(samples) // 4
    return median(samples[-quarter:]) - median(samples[quarter : 2 * quarter])


class Steady:
    """One session of each protocol, with short pauses of its parties and nothing else wrong."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng([seed, 1 << 20])
        self._sessions = {
            protocol: tacit.local(protocol, processes=True, settings=SETTINGS, threads=1)
            for protocol in PROTOCOLS
        }
        self.growths = [Growth("the soak itself", os.getpid())]
        self._numbers: dict[str, list[int]] = {}
        for protocol, mpc in self._sessions.items():
            assert isinstance(mpc.session, ProcessSession)
            identifiers = mpc.session.processes.identifiers
            self._numbers[protocol] = list(identifiers.values())
            self.growths += [Growth(f"{protocol}, {n}", p) for n, p in identifiers.items()]
        self.programs = 0

    def beat(self) -> str:
        """A program in every session, with a pause; what is wrong."""
        for protocol, mpc in self._sessions.items():
            seed = int(self._rng.integers(1 << 30))
            name = sorted(PROGRAMS)[self._rng.integers(len(PROGRAMS))]
            victim = self._numbers[protocol][self._rng.integers(len(self._numbers[protocol]))]
            pause = Disturbance(victim, "pause", 0.1 * self._rng.random(), PAUSE)
            try:
                problem = judged(name, seed, PROGRAMS[name][0](mpc, seed, ""))
            finally:
                pause.end()
            self.programs += 1
            if problem:
                return f"{name} with seed {seed} in the steady session of {protocol}: {problem}"
        for growth in self.growths:
            growth.sample()
        return ""

    def problems(self) -> list[str]:
        """What has grown."""
        return [problem for growth in self.growths if (problem := growth.problem())]

    def most(self) -> tuple[float, int]:
        """The largest growth of memory in MiB and of open files, of any process."""
        if len(self.growths[0].memory) < 4:
            return 0.0, 0
        memory = max(grown(growth.memory) for growth in self.growths)
        return memory / (1 << 20), int(max(grown(growth.files) for growth in self.growths))

    def close(self) -> None:
        """End the sessions."""
        for mpc in self._sessions.values():
            mpc.close()
