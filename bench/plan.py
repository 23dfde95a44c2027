"""Predicted against actual: ``python -m bench.plan``.

Each workload becomes a program. It is planned, which times every operation on this machine; then
it runs, and what was predicted is divided by what it took: in this process with all parties in
turn (processor seconds, one thread), and in virtual time on a LAN and a WAN (``python -m
bench.networks`` compares virtual time with real lines). With ``--processes`` the parties are
processes of this machine over TLS, links and processors are measured right before and after the
runs (``mpc.calibrate()``), and what the largest party's memory grew by is compared as well. Rounds
and bytes are compared in both.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

import numpy as np

import tacit
from bench.peers import inputs
from bench.processes import peak_memory, resident_memory
from bench.workloads import compute
from tacit import ArraySpec, Program
from tacit.programs.planning import Phase, Plan
from tacit.sessions import ProcessSession
from tacit.sessions.memory import keep_freed_memory

__all__ = ["WORKLOADS", "Outcome", "compared", "compared_in_processes", "program_of"]

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

SMALLER = {
    "matmul_256": 128,
    "matmul_1024": 256,
    **dict.fromkeys(("multiply_1e6", "compare_1e6", "relu_1e6"), 100_000),
    **dict.fromkeys([name for name in WORKLOADS if name.endswith("_1e5")], 20_000),
    "sort_1e4": 2_000,
}
"""Sizes under ``replicated3_active``, where a product costs thirty times as much."""

RUNS, MOST_RUNS = 3, 15

SECONDS = 1.0
"""Runs in processes go on for so long, up to the most; long ones may be fewer than `RUNS`."""


PROTOCOLS = ("replicated3", "replicated3_active", "fantastic4")


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
    memory : (int, int), optional
        Bytes that a party holds at most, predicted and actual.
    """

    workload: str
    protocol: str
    exact: bool
    planning: float
    seconds: dict[str, tuple[float, float]]
    memory: tuple[int, int] | None = None


def program_of(workload: str, size: int | None = None) -> tuple[Program, dict[str, Any]]:
    """A workload as a program, and its inputs."""
    job = inputs.workload(workload, size)
    owners = ("alice", "bob", "carol") * len(job.inputs)
    specs: dict[str, Any] = {
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
    computing = _computing(plan)
    exact = _agrees(computing, measured)
    seconds["one process"] = computing.in_process, measured.seconds
    for name, network in NETWORKS.items():
        expected = program.plan(
            protocol, network, pace={"message_seconds": 0.0, "byte_seconds": 0.0}
        )
        actual = _run(program, arrays, protocol, network)
        seconds[name] = _computing(expected).seconds, actual.seconds
    return Outcome(workload, protocol, exact, planning, seconds)


def compared_in_processes(workload: str, protocol: str, size: int | None = None) -> Outcome:
    """Measure links and processors, run a workload in processes, and plan it for them."""
    program, arrays = program_of(workload, size)
    with tacit.local(protocol, processes=True) as mpc:
        assert isinstance(mpc.session, ProcessSession)
        parties = mpc.session.processes.identifiers.values()
        mpc.share(np.zeros(8), mpc.parties[0]).reveal(to="all")
        before = max(map(resident_memory, parties))
        operands: list[Any] = [
            mpc.share(arrays[one.name], one.owner)._reference for one in program.inputs
        ]
        mpc.session.run_program(program, operands)  # warm
        _ = mpc.total_cost  # waits until the parties are idle
        memory = max(map(peak_memory, parties)) - before
        networks = [mpc.calibrate()]
        costs: list[tacit.Cost] = []
        until = time.perf_counter() + SECONDS
        while not costs or (len(costs) < MOST_RUNS and time.perf_counter() < until):
            with mpc.measure() as cost:
                mpc.session.run_program(program, operands)
            costs.append(cost)
        networks.append(mpc.calibrate())
    started = time.perf_counter()
    plans = [program.plan(protocol, network) for network in networks]
    planning = (time.perf_counter() - started) / len(plans)
    expected = [_computing(plan) for plan in plans]
    predicted = sum(one.seconds for one in expected) / len(expected)
    exact = all(_agrees(expected[0], cost) for cost in costs)
    actual = median(cost.seconds for cost in costs)
    return Outcome(
        workload,
        protocol,
        exact,
        planning,
        {"processes": (predicted, actual)},
        (plans[0].memory_peak, memory),
    )


def _computing(plan: Plan) -> Phase:
    return next(phase for phase in plan.phases if phase.name == "compute")


def _agrees(expected: Phase, cost: tacit.Cost) -> bool:
    """Whether rounds are as planned and bytes too, or, where a sort draws an order, at most so."""
    if cost.rounds != expected.rounds:
        return False
    sent = {party: cost.bytes_sent[party] + cost.check_bytes[party] for party in cost.bytes_sent}
    if sum(expected.bytes_at_most.values()) > sum(expected.bytes_sent.values()) + sum(
        expected.check_bytes.values()
    ):
        return all(sent[party] <= expected.bytes_at_most[party] for party in sent)
    return (cost.bytes_sent, cost.check_bytes) == (expected.bytes_sent, expected.check_bytes)


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
    parser.add_argument("--protocol", nargs="*", default=PROTOCOLS, choices=PROTOCOLS)
    parser.add_argument("--only", nargs="*", default=WORKLOADS)
    parser.add_argument("--processes", action="store_true", help="processes over TLS")
    chosen = parser.parse_args()
    keep_freed_memory()  # as in a party's own process; large arrays take longer without
    compare = compared_in_processes if chosen.processes else compared
    for protocol in chosen.protocol:
        ratios: dict[str, list[float]] = {}
        for workload in chosen.only:
            size = SMALLER.get(workload) if protocol == "replicated3_active" else None
            found = compare(workload, protocol, size)
            print(_line(found), flush=True)
            for name, (predicted, actual) in found.seconds.items():
                ratios.setdefault(name, []).append(predicted / actual)
            if found.memory is not None:
                ratios.setdefault("memory", []).append(found.memory[0] / found.memory[1])
        for name, of_name in ratios.items():
            inside = sum(0.8 <= ratio <= 1.2 for ratio in of_name)
            print(
                f"{protocol} {name}: {min(of_name):.2f} to {max(of_name):.2f}, median"
                f" {median(of_name):.2f}; {inside} of {len(of_name)} within 20 %",
                flush=True,
            )


def _line(found: Outcome) -> str:
    line = f"{found.protocol:18} {found.workload:14} {'exact' if found.exact else 'DIFFERS':7}"
    line += f" plan {found.planning * 1e3:5.0f} ms"
    for name, (predicted, actual) in found.seconds.items():
        line += f" | {name} {predicted * 1e3:8.1f} / {actual * 1e3:8.1f} ms"
        line += f" = {predicted / actual:4.2f}"
    if found.memory is not None:
        predicted, actual = found.memory
        line += f" | memory {predicted / 1e6:6.1f} / {actual / 1e6:6.1f} MB"
        line += f" = {predicted / actual:4.2f}"
    return line


if __name__ == "__main__":
    main()
