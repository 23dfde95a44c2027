"""Compiled programs beside the hand-written lines: ``python -m bench.programs``.

An epoch of logistic regression (10,000 x 100, batches of 128) and a step of the perceptron
784-128-128-10 on 128 rows, in three processes over mutual TLS. ``by hand`` are the steps that the
estimators run; ``program`` is the same as `tacit.trace` makes it, with the epoch as one loop.
Repeats are taken in turn; inputs are shared before.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any, Final

from rich.console import Console
from rich.table import Table

import tacit
from bench import workloads
from bench.peers import inputs
from tacit import ArraySpec, Computation, SecretArray
from tacit.arrays.array import applied, applied_all

__all__ = ["main"]

CASES: Final = ("logistic_epoch", "mlp_train_128")


def _epoch(features: SecretArray, labels: SecretArray) -> SecretArray:
    """The lines of `workloads.logistic_epoch`, its loop one node."""
    rows, columns = inputs.LOGISTIC_BATCH, features.shape[1]

    def step(place: Any, carry: list[Any]) -> list[Any]:
        (weights,) = carry
        start = place * rows
        batch = tacit.dynamic_slice(features, [start, 0], (rows, columns))
        truth = tacit.dynamic_slice(labels, [start], (rows,))
        rate = inputs.LOGISTIC_RATE
        return [applied("logistic_step", batch, truth, weights, learning_rate=rate)]

    begin = tacit.zeros_like(features[0])
    (weights,) = tacit.fori_loop(0, inputs.LOGISTIC_STEPS, step, [begin])
    return weights


def _step(pixels: SecretArray, *rest: SecretArray) -> tuple[SecretArray, ...]:
    *parameters, labels = rest
    return applied_all("mlp_step", pixels, labels, *parameters, learning_rate=inputs.MLP_RATE)


def _ways(mpc: Computation, name: str) -> dict[str, Callable[[], Any]]:
    """The same computation, by hand and as a program, on arrays that are shared already."""
    made = inputs.workload(name)
    shared = [mpc.share(array, mpc.parties[0]) for array in made.inputs.values()]
    function = {"logistic_epoch": _epoch, "mlp_train_128": _step}[name]
    program = tacit.trace(function, *(ArraySpec(x.shape, x.dtype) for x in shared), to=None)
    given = {one.name: x for one, x in zip(program.inputs, shared, strict=True)}
    by_hand = workloads.FUNCTIONS[name.removesuffix("_128")]
    return {
        "by hand": lambda: by_hand(mpc, *shared),
        "program": lambda: mpc.run(program, given),
    }


def _seconds(mpc: Computation, way: Callable[[], Any]) -> float:
    before = mpc.total_cost.rounds  # waits for what is still under way
    began = time.perf_counter()
    kept = way()
    after = mpc.total_cost.rounds
    seconds = time.perf_counter() - began
    assert after > before
    del kept
    return seconds


def main() -> None:
    """Measure, and print medians and their ratio."""
    parser = argparse.ArgumentParser(prog="python -m bench.programs", description=__doc__)
    parser.add_argument("--repeats", type=int, default=7)
    arguments = parser.parse_args()
    table = Table(title="Seconds, medians", title_justify="left")
    for heading in ("workload", "by hand", "program", "program / by hand"):
        table.add_column(heading, justify="left" if heading == "workload" else "right")
    with tacit.local("replicated3", processes=True) as mpc:
        for name in CASES:
            ways = _ways(mpc, name)
            found: dict[str, list[float]] = {way: [] for way in ways}
            for repeat in range(arguments.repeats + 1):
                for way, run in ways.items():
                    seconds = _seconds(mpc, run)
                    if repeat:  # the first one warms caches and kernels
                        found[way].append(seconds)
            hand, program = (statistics.median(found[way]) for way in ("by hand", "program"))
            table.add_row(name, f"{hand:.3f}", f"{program:.3f}", f"{program / hand:.2f}")
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
