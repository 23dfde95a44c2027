"""One party on a slow network: ``python -m bench.networks.party NAME HOST DIRECTORY``.

Prints its port, reads everybody's addresses and what to run as one line of JSON, connects and
prints, for each run of a workload, when it began and ended by the machine's monotonic clock.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import Struct

import tacit
from bench.peers import inputs
from bench.workloads import compute
from tacit import Computation, SecretArray
from tacit.network import Address, Agreement, Credentials, Listener, connect
from tacit.protocols import protocol_named
from tacit.sessions.memory import keep_freed_memory
from tacit.sessions.party import PartySession

__all__ = ["PARTIES", "shared"]

PARTIES = ("alice", "bob", "carol")
MARGIN = 0.02
"""Seconds beyond the longest latency after which all parties begin at one moment."""


class _Moment(Struct, frozen=True):
    """When this party proposes to begin."""

    seconds: float


def shared(mpc: Computation, job: inputs.Workload, name: str | None) -> list[SecretArray]:
    """Inputs of a workload, each by another owner; given here by `name`, or by everybody."""
    owners = mpc.parties * len(job.inputs)
    return [
        mpc.share(
            array if name in (owner, None) else None, owner, dtype=tacit.fixed, shape=array.shape
        )
        for array, owner in zip(job.inputs.values(), owners, strict=False)
    ]


def _run(name: str, host: str, directory: Path) -> None:
    keep_freed_memory()
    listener = Listener(Address(host, 0))
    print(listener.address.port, flush=True)
    told: dict[str, Any] = json.loads(sys.stdin.readline())
    addresses = {party: Address(*address) for party, address in told["addresses"].items()}
    agreement = Agreement(PARTIES, "replicated3", bytes(32))
    found: list[list[tuple[float, float]]] = []
    with connect(name, agreement, Credentials.load(directory), addresses, listener) as mesh:
        session = PartySession.over(protocol_named("replicated3"), mesh, threads=told["threads"])
        mpc = Computation(session)
        for workload, size, repeats in told["runs"]:
            job = inputs.workload(workload, size)
            operands = shared(mpc, job, name)
            times = []
            for _ in range(repeats):
                proposed = _Moment(time.monotonic() + told["latency"] + MARGIN)
                proposals = mesh.gather(proposed, _Moment, stage="start").values()
                begin = max(proposal.seconds for proposal in proposals)
                time.sleep(max(0.0, begin - time.monotonic()))
                results = compute(mpc, workload, operands)
                times.append((begin, time.monotonic()))
                error = job.error(tuple(result.reveal(to="all") for result in results))
                if not error < 1e-2:
                    raise ValueError(f"{workload} is wrong by {error}")
            found.append(times)
    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    np.seterr(all="raise")
    _run(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
