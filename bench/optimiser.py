"""What optimising a program saves: rounds and bytes of what is written naively in JAX.

``python -m bench.optimiser`` prints, for an epoch of logistic regression and of a perceptron, what
the nodes cost one by one, what the program costs as it was traced, with the rounds of independent
nodes merged, and what it costs optimised. Rounds and bytes are counted in a run, not planned; they
are the same on every machine.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import tacit
from tacit import ArraySpec, Program
from tacit.programs.calling import scheduled
from tacit.programs.running import Manner, graph_step

__all__ = ["TRAININGS", "Row", "measured"]


@dataclass(frozen=True)
class Row:
    """A training: rounds and megabytes of all parties one by one, traced and optimised."""

    name: str
    one_by_one: int
    traced: int
    optimised: int
    megabytes: tuple[float, float]

    @property
    def fewer(self) -> float:
        """How many times fewer rounds the optimised program has than its nodes one by one."""
        return self.one_by_one / self.optimised


class _Counting(Manner):
    """Runs a graph, and counts each operation's rounds as if it ran alone."""

    def __init__(self) -> None:
        self.rounds = 0

    def operation(self, party: Any, node: Any, operands: Any) -> Any:
        """An operation, its rounds counted at one party."""
        step = node.operation.evaluate(party, operands, node.attributes)
        rounds = 0
        try:
            while True:
                one = next(step)
                rounds += one.depth
                yield one
        except StopIteration as stop:
            self.rounds += rounds if party.index == 0 else 0
            return stop.value


def _logistic(rows: int, batch: int) -> tuple[Callable[..., Any], Sequence[ArraySpec]]:
    import jax
    import jax.numpy as jnp

    def loss(params: Any, x: Any, y: Any) -> Any:
        w, b = params
        p = 1 / (1 + jnp.exp(-(x @ w + b)))
        return -jnp.mean(y * jnp.log(p) + (1 - y) * jnp.log(1 - p))

    def train(x: Any, y: Any, w: Any, b: Any) -> Any:
        def step(i: Any, params: Any) -> Any:
            xs = jax.lax.dynamic_slice(x, (i * batch, 0), (batch, x.shape[1]))
            ys = jax.lax.dynamic_slice(y, (i * batch,), (batch,))
            slope = jax.grad(loss)(params, xs, ys)
            return jax.tree.map(lambda p, g: p - 0.1 * g, params, slope)

        return jax.lax.fori_loop(0, rows // batch, step, (w, b))

    return train, _specs((rows, 20), (rows,), (20,), ())


def _perceptron(rows: int, batch: int) -> tuple[Callable[..., Any], Sequence[ArraySpec]]:
    import jax
    import jax.numpy as jnp

    def loss(params: Any, x: Any, y: Any) -> Any:
        w1, b1, w2, b2, w3, b3 = params
        h = jnp.maximum(jnp.maximum(x @ w1 + b1, 0) @ w2 + b2, 0)
        return -jnp.mean(jnp.sum(y * jax.nn.log_softmax(h @ w3 + b3), -1))

    def train(x: Any, y: Any, *params: Any) -> Any:
        def step(i: Any, params: Any) -> Any:
            xs = jax.lax.dynamic_slice(x, (i * batch, 0), (batch, x.shape[1]))
            ys = jax.lax.dynamic_slice(y, (i * batch, 0), (batch, y.shape[1]))
            slope = jax.grad(loss)(params, xs, ys)
            return jax.tree.map(lambda p, g: p - 0.1 * g, params, slope)

        return jax.lax.fori_loop(0, rows // batch, step, params)

    shapes = ((rows, 64), (rows, 10), (64, 32), (32,), (32, 32), (32,), (32, 10), (10,))
    return train, _specs(*shapes)


def _second_moments(rows: int, batch: int) -> tuple[Callable[..., Any], Sequence[ArraySpec]]:
    return lambda x: (x[:, :, None] * x[:, None, :]).mean(axis=0), _specs(
        (rows, 10), bounds=(-4, 4)
    )


def _distances(rows: int, batch: int) -> tuple[Callable[..., Any], Sequence[ArraySpec]]:
    def squared(x: Any, centres: Any) -> Any:
        return ((x[:, None, :] - centres[None, :, :]) ** 2).sum(axis=-1)

    return squared, _specs((rows, 10), (5, 10), bounds=(-4, 4))


def _recurrent(rows: int, batch: int) -> tuple[Callable[..., Any], Sequence[ArraySpec]]:
    def step(x: Any, h: Any, wx: Any, wh: Any, gate: Any) -> Any:
        new = x @ wx + h @ wh
        return gate * h + (1 - gate) * new

    shapes = ((rows, 20), (rows, 16), (20, 16), (16, 16), (rows, 16))
    return step, _specs(*shapes, bounds=(-2, 2))


def _row_by_row(rows: int, batch: int) -> tuple[Callable[..., Any], Sequence[ArraySpec]]:
    import jax
    import jax.numpy as jnp

    def inference(x: Any, w1: Any, b1: Any, w2: Any) -> Any:
        return jax.lax.map(lambda row: jax.nn.softmax(jnp.maximum(row @ w1 + b1, 0) @ w2), x)

    return inference, _specs((rows, 20), (20, 16), (16,), (16, 3), bounds=(-2, 2))


def _sequence(rows: int, batch: int) -> tuple[Callable[..., Any], Sequence[ArraySpec]]:
    import jax
    import jax.numpy as jnp

    def run(x: Any, h: Any, wx: Any, wh: Any, wo: Any) -> Any:
        def step(h: Any, row: Any) -> Any:
            h = jnp.tanh(row @ wx + h @ wh)
            return h, jax.nn.softmax(h @ wo)

        return jax.lax.scan(step, h, x)[1]

    return run, _specs((32, 20), (16,), (20, 16), (16, 16), (16, 3), bounds=(-1, 1))


def _specs(*shapes: tuple[int, ...], bounds: Any = None) -> list[ArraySpec]:
    return [ArraySpec(shape, owner="alice", bounds=bounds) for shape in shapes]


TRAININGS = {"logistic regression": _logistic, "perceptron": _perceptron}

OTHERS = {
    "second moments": _second_moments,
    "squared distances": _distances,
    "recurrent step": _recurrent,
    "row by row (lax.map)": _row_by_row,
    "sequence (lax.scan)": _sequence,
}
"""Not trainings: sums of products, and loops over rows, of inputs with bounds."""


def measured(name: str, rows: int = 512, batch: int = 128) -> Row:
    """Count one of :data:`TRAININGS` or :data:`OTHERS`."""
    function, specs = {**TRAININGS, **OTHERS}[name](rows, batch)
    program = tacit.from_jax(function, *specs)
    better = program.optimize()
    generator = np.random.default_rng(0)
    values = {one.name: 0.1 * generator.normal(size=one.type.shape) for one in program.inputs}
    counts = [_run(one, values) for one in (program, better)]
    counting = _Counting()
    with tacit.local(seed=1) as mpc:
        _, schedule = scheduled(program.canonical)
        shared: list[Any] = [mpc.share(value, "alice").reference for value in values.values()]
        session: Any = mpc.session
        session._run(
            lambda party: graph_step(
                party, schedule, [one.parts[party.index] for one in shared], counting
            ),
            "count",
        )
    inputs_and_outputs = len(program.inputs) + len(program.outputs)
    return Row(
        name,
        counting.rounds + inputs_and_outputs,
        counts[0][0],
        counts[1][0],
        (counts[0][1], counts[1][1]),
    )


def _run(program: Program, values: dict[str, Any]) -> tuple[int, float]:
    with tacit.local(seed=1) as mpc:
        mpc.run(program, values)
        cost = mpc.total_cost
    return cost.rounds, sum(cost.bytes_sent.values()) / 1e6


def main() -> int:
    """Print the table."""
    print(f"{'program':<22}{'one by one':>12}{'traced':>9}{'optimised':>11}{'fewer':>8}{'MB':>20}")
    for name in (*TRAININGS, *OTHERS):
        row = measured(name)
        sent = f"{row.megabytes[0]:.2f} -> {row.megabytes[1]:.2f}"
        print(
            f"{row.name:<22}{row.one_by_one:>12,}{row.traced:>9,}{row.optimised:>11,}"
            f"{row.fewer:>7.2f}x{sent:>20}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
