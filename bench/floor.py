"""What a workload costs at least on this machine with this protocol, whatever the rest does.

The floor has three parts, each from measurements of the same run:

kernels
    Processor time inside the native kernels, of all three parties together, counted while all
    run in one process without links; divided by the cores, of which three parties fill three at
    the most.
bytes
    The bytes that all parties send, over the largest throughput of three parties in a ring over
    TLS on loopback.
rounds
    The rounds, times the time of a round of 64 bytes.

Work of Python between the kernels is what lies between the floor and a measurement, with waiting
for each other and what several processes on few cores do to each other's caches.
"""

from __future__ import annotations

import cProfile
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import tacit
from bench.peers import inputs
from bench.workloads import compute
from tacit.sessions.memory import keep_freed_memory

__all__ = ["Floor", "Links", "floor_of", "kernel_seconds", "links_from"]

PARTIES = 3


@dataclass(frozen=True)
class Links:
    """What the links of this machine do.

    Attributes
    ----------
    round_seconds : float
        A round of three parties with small messages.
    bytes_per_second : float
        All three parties together, large messages.
    """

    round_seconds: float
    bytes_per_second: float


@dataclass(frozen=True)
class Floor:
    """The three parts, in seconds."""

    kernels: float
    bytes: float
    rounds: float

    @property
    def seconds(self) -> float:
        """All of it."""
        return self.kernels + self.bytes + self.rounds


def links_from(rows: Sequence[Mapping[str, Any]]) -> Links:
    """What the rows of ``bench.links`` say: the fastest of everything, since it is for floors."""
    smallest = min(rows, key=lambda row: row["bytes"])
    return Links(
        round_seconds=smallest["fastest"],
        bytes_per_second=max(3 * row["bytes"] / row["fastest"] for row in rows),
    )


KERNELS = ("tacit._native.", "openssl.aead", "blake3")
"""What the functions of kernels, tags and hashes have in their names."""


def kernel_seconds(
    workload: str, size: int | None = None, repeats: int = 3, protocol: str = "replicated3"
) -> float:
    """Processor time inside the kernels, of all parties together: the best of the repeats.

    Like the parties' processes this one keeps the memory of arrays that are freed, or the kernels'
    time would be that in which the system hands out pages.
    """
    keep_freed_memory()
    job = inputs.workload(workload, size)
    with tacit.local(protocol) as mpc:
        owners = mpc.parties * len(job.inputs)
        shared = [
            mpc.share(array, owner)
            for array, owner in zip(job.inputs.values(), owners, strict=False)
        ]
        compute(mpc, workload, shared)
        found = []
        for _ in range(repeats):
            profile = cProfile.Profile(time.thread_time)
            profile.runcall(compute, mpc, workload, shared)
            found.append(
                sum(
                    entry.inlinetime
                    for entry in profile.getstats()
                    if isinstance(entry.code, str) and any(kind in entry.code for kind in KERNELS)
                )
            )
    return min(found)


def floor_of(row: Mapping[str, Any], kernels: float, links: Links) -> Floor:
    """The floor of a measured workload.

    Parameters
    ----------
    row : mapping
        With its ``bytes`` and ``rounds``.
    kernels : float
        From `kernel_seconds`.
    links : Links
        From `links_from`.
    """
    return Floor(
        kernels=kernels / min(PARTIES, len(os.sched_getaffinity(0))),
        bytes=row["bytes"] / links.bytes_per_second,
        rounds=row["rounds"] * links.round_seconds,
    )
