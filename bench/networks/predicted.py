"""What the driver for virtual time says about the runs of ``measured.py``."""

from __future__ import annotations

from collections.abc import Sequence

from bench.networks.measured import Run
from bench.networks.party import PARTIES, shared
from bench.peers import inputs
from bench.workloads import compute
from tacit import Computation
from tacit.protocols import protocol_named
from tacit.rounds import Network, VirtualTime
from tacit.sessions import LocalSession

__all__ = ["predicted"]


def predicted(runs: Sequence[Run], network: Network, **machine: float) -> list[list[float]]:
    """Run the same workloads in this process, in virtual time; seconds of every repeat of each.

    `machine` are the arguments of the driver that stand for the machine.
    """
    driver = VirtualTime(PARTIES, network, **machine)
    found = []
    with LocalSession(protocol_named("replicated3"), PARTIES, driver=driver) as session:
        mpc = Computation(session)
        for run in runs:
            job = inputs.workload(run.workload, run.size)
            operands = shared(mpc, job, None)
            seconds = []
            for _ in range(run.repeats):
                begin = driver.seconds
                driver.clocks[:] = [begin] * len(PARTIES)
                results = compute(mpc, run.workload, operands)
                seconds.append(driver.seconds - begin)
                for result in results:
                    result.reveal(to="all")
            found.append(seconds)
    return found
