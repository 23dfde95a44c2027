"""NumPy's own time for a matrix product in float64, on the same cores and in the same run."""

from __future__ import annotations

import time
from typing import Any

from bench.peers import inputs

__all__ = ["is_measured", "measure"]

SETTLE_SECONDS = 0.2
"""The threads of a product go on looking for work for tens of milliseconds afterwards."""


def is_measured(workload: str) -> bool:
    """Whether a workload is a matrix product."""
    return workload.startswith("matmul")


def measure(workload: str, size: int | None = None) -> dict[str, Any]:
    """Compute a workload in the clear once, warm, and wait until the cores are free again.

    Returns
    -------
    dict
        ``seconds``.
    """
    job = inputs.workload(workload, size)
    job.in_the_clear()
    start = time.perf_counter()
    job.in_the_clear()
    seconds = time.perf_counter() - start
    time.sleep(SETTLE_SECONDS)
    return {"seconds": seconds}
