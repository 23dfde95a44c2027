"""The workloads on MPyC: three parties, Shamir sharing over a prime field, passive security.

Run by MPyC's own interpreter; `serving` describes the command line, `mpyc_party` the functions.
MPyC computes in Python integers, so most workloads run on fewer elements than their names say:
``seconds`` and ``bytes`` are then scaled up by the number of elements (of comparators, for
sorting) and ``scaled_from`` is the number really computed.
"""

from __future__ import annotations

from typing import Any

import inputs
import mpyc
import serving
from party_processes import PartyProcesses, free_ports

PARTIES = 3

SIZES = {
    "multiply_1e6": 20_000,
    "compare_1e6": 5_000,
    "relu_1e6": 5_000,
    "sigmoid_1e5": 2_000,
    "reciprocal_1e5": 2_000,
    "division_1e5": 2_000,
    "sort_1e4": 500,
}
"""Elements really computed, where they are fewer than the workload has."""

SKIPPED = {
    "matmul_1024": "64 times the work of matmul_256, which takes about 20 s",
    "exp_1e5": "MPyC has no exponential of secret numbers",
    "log_1e5": "MPyC has no logarithm of secret numbers",
    "sqrt_1e5": "MPyC has no square root of secret arrays",
    "tanh_1e5": "MPyC has no hyperbolic tangent of secret numbers",
    "mlp_train_128": "MPyC has no softmax of secret numbers",
    "sort_1e5": "at 500 elements a sort takes seconds; 200 times as many are too far to scale to",
}


def scale(workload: str, size: int) -> float:
    """Return how many times the work of this size the full workload is."""
    full = inputs.size_of(workload)
    if workload.startswith("sort"):
        return _comparators(full) / _comparators(size)
    return full / size


def _comparators(n: int) -> float:
    """Comparators in the network that MPyC sorts with (Batcher's), about n/4 log n (log n + 1)."""
    depth = (n - 1).bit_length()
    return n / 4 * depth * (depth + 1)


class MpycSession:
    """Three parties, each a process."""

    def __init__(self) -> None:
        addresses = [f"127.0.0.1:{port}" for port in free_ports(PARTIES)]
        everyone = [argument for address in addresses for argument in ("-P", address)]
        self._parties = PartyProcesses(
            "mpyc_party.py",
            [[*everyone, "-I", str(rank), "--no-log"] for rank in range(PARTIES)],
        )
        self._parties.ask({"workload": "multiply_1e6", "size": 100})

    def measure(self, workload: str) -> dict[str, Any]:
        """Run a workload once; see `serving.Session`. There is no compiler to warm up."""
        if workload in SKIPPED:
            raise serving.Skipped(SKIPPED[workload])
        size = SIZES.get(workload)
        answers = self._parties.ask({"workload": workload, "size": size})
        seconds = max(a["end"] for a in answers) - min(a["start"] for a in answers)
        factor = scale(workload, size) if size else 1.0
        fields = {
            "seconds": seconds * factor,
            "max_error": answers[0]["max_error"],
            "bytes": round(sum(a["bytes"] for a in answers) * factor),
        }
        return {**fields, "scaled_from": size} if size else fields

    def close(self) -> None:
        """End the parties."""
        self._parties.close()


if __name__ == "__main__":
    serving.main("mpyc", mpyc.__version__, inputs.names(), MpycSession)
