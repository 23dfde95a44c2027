"""The workloads on CrypTen: two parties and a trusted dealer, additive sharing, passive security.

Run by CrypTen's own interpreter; `serving` describes the command line, `crypten_party` the
functions. The dealer is a third process, which hands out correlated randomness while the parties
work and must collude with neither: a weaker guarantee than three parties with an honest majority.
CrypTen sends in clear (torch's gloo) and offers no count of bytes that includes the dealer's, so
its lines have none.
"""

from __future__ import annotations

import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import inputs
import serving
from party_processes import PartyProcesses

PARTIES = 2

SKIPPED = {
    "sort_1e4": "CrypTen has no sort",
    "sort_1e5": "CrypTen has no sort",
}


class CryptenSession:
    """Two parties and the dealer, each a process."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="crypten-bench-")
        meeting = f"file://{Path(self._folder.name) / 'rendezvous'}"
        environments = [
            {
                "RANK": str(rank),
                "WORLD_SIZE": str(PARTIES),
                "RENDEZVOUS": meeting,
                "DISTRIBUTED_BACKEND": "gloo",
                "GLOO_SOCKET_IFNAME": "lo",
                "OMP_NUM_THREADS": "1",
            }
            for rank in range(PARTIES + 1)
        ]
        nothing: list[list[str]] = [[]]
        self._parties = PartyProcesses(
            "crypten_party.py", nothing * PARTIES, environments[:PARTIES]
        )
        self._dealer = PartyProcesses("crypten_party.py", nothing, environments[PARTIES:])
        self._warm: set[str] = set()

    def measure(self, workload: str) -> dict[str, Any]:
        """Run a workload once, warm; see `serving.Session`."""
        if workload in SKIPPED:
            raise serving.Skipped(SKIPPED[workload])
        if workload not in self._warm:
            self._parties.ask({"workload": workload})
            self._warm.add(workload)
        answers = self._parties.ask({"workload": workload})
        seconds = max(a["end"] for a in answers) - min(a["start"] for a in answers)
        return {"seconds": seconds, "max_error": answers[0]["max_error"]}

    def close(self) -> None:
        """End the parties and the dealer."""
        self._parties.close()
        self._dealer.close()
        self._folder.cleanup()


if __name__ == "__main__":
    serving.main("crypten", version("crypten"), inputs.names(), CryptenSession)
