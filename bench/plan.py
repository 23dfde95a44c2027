"""Predicted against actual: ``python -m bench.plan``.

Each workload becomes a program. It is planned, which times every primitive once on this machine;
then it runs, and what was predicted is divided by what it took: in this process with all parties
in turn (processor seconds, one thread), and in virtual time on a LAN and a WAN
(``python -m bench.networks`` compares virtual time with real lines). Rounds and bytes are
compared, too.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

import tacit
from bench.peers import inputs
from bench.workloads import compute
from tacit import ArraySpec, Program
from tacit.sessions.memory import keep_freed_memory

__all__ = ["WORKLOADS", "Outcome", "compared", "program_of"]

WORKLOADS = (
    "matmul_256",
    "matmul_1024",
    "multiply_1e6",
    "compare_1e6",
    "relu_1e6",
    "sigmoid_1e5",
    "exp_1e5",
    "log_1e5",
    "reciprocal_1e5",
    "division_1e5",
    "sqrt_1e5",
    "tanh_1e5",
    "logistic_epoch",
    "mlp_train_128",
    "mlp_infer_128",
    "mlp_infer_1",
    "sort_1e4",
)
"""W1 to W7, sorting 10^5 apart."""

NETWORKS = {"lan": tacit.LAN, "wan": tacit.WAN}

RUNS = 3


@dataclass(frozen=True)
class Outcome:
    """One workload under one protocol.

    Attributes
    ----------
    workload, protocol : str
    exact : bool
        Whether rounds, and bytes unless a sort decides them, are what was planned.
    planning : float
        Seconds to plan.
    seconds : dict of str to (float, float)
        Predicted and actual, by setting.
    """

    workload: str
    protocol: str
    exact: bool
    planning: float
    seconds: dict[str, tuple[float, float]]


def program_of(workload: str, size: int | None = None) -> tuple[Program, dict[str, Any]]:
    """A workload as a program, and its inputs."""
    job = inputs.workload(workload, size)
    owners = ("alice", "bob", "carol") * len(job.inputs)
    specs = {
        name: ArraySpec(array.shape, owner=owner)
        for (name, array), owner in zip(job.inputs.items(), owners, strict=False)
    }

    def function(**arrays: Any) -> dict[str, Any]:
        first = next(iter(arrays.values()))
        found = compute(_Tracing(first), workload, list(arrays.values()))  # type: ignore[arg-type]
        return {f"result_{place}": one for place, one in enumerate(found)}

    return tacit.trace(function, **specs), dict(job.inputs)


class _Tracing:
    """What the workloads ask of a computation."""

    def __init__(self, like: Any) -> None:
        self._like = like

    def constant(self, values: Any, dtype: Any) -> Any:
        return tacit.asarray(values, dtype=dtype, device=self._like.device)


def compared(workload: str, protocol: str, size: int | None = None) -> Outcome:
    """Plan a workload and run it."""
    program, arrays = program_of(workload, size)
    seconds: dict[str, tuple[float, float]] = {}
    started = time.perf_counter()
    plan = program.plan(protocol, "lan")
    planning = time.perf_counter() - started
    measured = _run(program, arrays, protocol, None)
    computing = next(phase for phase in plan.phases if phase.name == "compute")
    exact = measured.rounds == computing.rounds and (
        measured.bytes_sent == computing.bytes_sent or any("sorts" in note for note in plan.notes)
    )
    seconds["one process"] = computing.in_process, measured.seconds
    for name, network in NETWORKS.items():
        expected = program.plan(
            protocol, network, pace={"message_seconds": 0.0, "byte_seconds": 0.0}
        )
        of_phase = next(phase for phase in expected.phases if phase.name == "compute")
        seconds[name] = of_phase.seconds, _run(program, arrays, protocol, network).seconds
    return Outcome(workload, protocol, exact, planning, seconds)


def _run(program: Program, arrays: dict[str, Any], protocol: str, network: Any) -> tacit.Cost:
    """The computation, inputs and outputs apart: the median of several runs.

    In virtual time each run has new connections, as a plan has.
    """

    def shared(mpc: tacit.Computation) -> list[Any]:
        return [mpc.share(arrays[one.name], one.owner)._reference for one in program.inputs]

    costs = []
    if network is None:
        with tacit.local(protocol, threads=1) as mpc:
            operands = shared(mpc)
            mpc.session.run_program(program, operands)  # warm
            for _ in range(RUNS):
                start = time.process_time()  # others work on this machine, too
                with mpc.measure() as cost:
                    mpc.session.run_program(program, operands)
                costs.append(replace(cost, seconds=time.process_time() - start))
    else:
        for _ in range(RUNS):
            with tacit.local(protocol, network=network) as mpc:
                operands = shared(mpc)
                with mpc.measure() as cost:
                    mpc.session.run_program(program, operands)
                costs.append(cost)
    chosen = median(cost.seconds for cost in costs)
    return min(costs, key=lambda cost: abs(cost.seconds - chosen))


def main() -> None:
    """Compare, and print a line a workload."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--protocol", default="replicated3")
    parser.add_argument("--only", nargs="*", default=WORKLOADS)
    chosen = parser.parse_args()
    keep_freed_memory()  # as in a party's own process; large arrays take longer without
    ratios: dict[str, list[float]] = {}
    for workload in chosen.only:
        found = compared(workload, chosen.protocol)
        line = f"{workload:16} {'exact' if found.exact else 'DIFFERS':8}"
        line += f" plan {found.planning * 1e3:6.0f} ms "
        for name, (predicted, actual) in found.seconds.items():
            ratios.setdefault(name, []).append(predicted / actual)
            line += f" | {name} {predicted * 1e3:8.1f} / {actual * 1e3:8.1f} ms"
            line += f" = {predicted / actual:4.2f}"
        print(line, flush=True)
    for name, found_ratios in ratios.items():
        print(f"{name}: {min(found_ratios):.2f} to {max(found_ratios):.2f}")


if __name__ == "__main__":
    main()
