"""Loops over rows that do not wait for each other: all rows at once, or as many as have room."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tacit
from tacit import ArraySpec, Program
from tacit.programs.control import Over
from tacit.programs.optimising.blocking import rows_of_blocks

RNG = np.random.default_rng(8)
X, W = RNG.uniform(-1, 1, (6, 4)), RNG.uniform(-1, 1, (4, 3))
SPECS = (
    ArraySpec((6, 4), owner="alice", bounds=(-1, 1)),
    ArraySpec((4, 3), owner="bob", bounds=(-1, 1)),
)
PROTOCOLS = ["replicated3", "replicated3_active", "fantastic4"]


def names(program: Program) -> list[str]:
    return [node.node.operation for graph in program.graphs() for node in graph.nodes]


def mapped(row: Callable[..., Any]) -> Callable[[Any, Any], Any]:
    """A function of a row and w, for all rows, one after the other."""

    def function(x: Any, w: Any) -> Any:
        return tacit.scan(lambda c, rows: ([], [row(rows[0], w)]), [], [x])[1][0]

    return function


def largest(r: Any) -> Any:
    return tacit.astype(tacit.argmax(r), tacit.fixed)


ROWS: dict[str, Callable[[Any, Any], Any]] = {
    "element by element": lambda r, w: tacit.sigmoid(r) * r + w[:, 0] - 2.5,
    "a vector and a matrix": lambda r, w: tacit.relu(r @ w),
    "a matrix and a vector": lambda r, w: w.T @ r,
    "matrices of rows": lambda r, w: r.reshape(2, 2) @ r.reshape(2, 2) + r[0],
    "a matrix and matrices": lambda r, w: w.T @ r[:, None] @ r[None, :],
    "a vector and matrices": lambda r, w: w[:2, 0] @ r.reshape(2, 2),
    "vectors": lambda r, w: r @ r + r @ w[:, 1],
    "outer axes": lambda r, w: (w * r[:, None]).sum(axis=0, keepdims=True),
    "reductions": lambda r, w: r.sum() + tacit.max(r) - r.mean(axis=0) + tacit.min(w @ w.T @ r),
    "along an axis": lambda r, w: tacit.cumulative_sum(tacit.softmax(r)) + tacit.diff(r).sum(),
    "sorted": lambda r, w: tacit.sort(r, descending=True)[:2] + largest(r),
    "rearranged": lambda r, w: tacit.concat([tacit.roll(r, 1), tacit.repeat(r, 2)[1:3]])[::-1],
    "tiled and padded": lambda r, w: tacit.tile(tacit.pad(r, (1, 2)), (2, 1)).T,
    "triangles": lambda r, w: tacit.tril(r[:, None] * r) + tacit.diagonal(w[:3] * r[0])[0],
    "stacked": lambda r, w: tacit.stack([r, w[:, 0]], axis=1),
    "compared": lambda r, w: tacit.where(r < w[:, 2], r, tacit.maximum(r, 0.25)),
}


@pytest.mark.parametrize("name", ROWS)
def test_rows_are_computed_at_once(name: str) -> None:
    program = tacit.trace(mapped(ROWS[name]), *SPECS)
    better = program.optimize()
    assert "scan" not in names(better)
    assert better.optimize() == better
    given = {"x": X, "w": W}
    for protocol in PROTOCOLS if name in ("a vector and a matrix", "compared") else PROTOCOLS[:1]:
        with tacit.local(protocol, seed=4, rounding="nearest") as mpc:
            with mpc.measure() as before:
                expected = mpc.run(program, given)["output"]
            with mpc.measure() as after:
                found = mpc.run(better, given)["output"]
        np.testing.assert_allclose(found, expected, atol=1e-4)
        assert after.rounds <= before.rounds
        assert sum(after.bytes_sent.values()) <= sum(before.bytes_sent.values())
        if before.rounds > 20:
            assert 3 * after.rounds < before.rounds + 20


def test_positions_that_count_rows_are_taken_at_once() -> None:
    def row(i: Any, x: Any) -> Any:
        part = tacit.dynamic_slice(x, [i, 1], (2, 2))
        return tacit.exp(part) + tacit.take(x, np.array([5, 0]), axis=0)[:, :2]

    def function(x: Any) -> Any:
        return tacit.scan(lambda c, i: ([], [row(i[0], x)]), [], [np.arange(6)])[1][0]

    program = tacit.trace(function, SPECS[0])
    better = program.optimize()
    assert "scan" not in names(better)
    with tacit.local(seed=2, rounding="nearest") as mpc:
        found = [mpc.run(one, {"x": X})["output"] for one in (program, better)]
    np.testing.assert_allclose(found[0], found[1], atol=1e-4)


def recurrent(x: Any, w: Any) -> dict[str, Any]:
    def step(carry: list[Any], rows: list[Any]) -> Any:
        (row,) = rows
        h = carry[0] * 0.5 + tacit.sigmoid(row @ w)
        return [h], [tacit.exp(h * 0.25) + row[0], h]

    carry, outputs = tacit.scan(step, [w[0]], [x], reverse=True)
    return {"carry": carry[0], "outputs": outputs[0], "states": outputs[1]}


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_what_no_round_waits_for_is_done_before_or_after_the_loop(protocol: str) -> None:
    program = tacit.trace(recurrent, *SPECS)
    better = program.optimize()
    inside = {node.node.operation for body in better.bodies for node in body.nodes}
    assert inside == {"multiply", "add"}
    assert {"sigmoid", "exp", "matmul", "scan"} <= {n.operation for n in better.form.main.nodes}
    assert better.optimize() == better
    with tacit.local(protocol, seed=3, rounding="nearest") as mpc:
        with mpc.measure() as before:
            expected = mpc.run(program, {"x": X, "w": W})
        with mpc.measure() as after:
            found = mpc.run(better, {"x": X, "w": W})
    for key, array in expected.items():
        np.testing.assert_allclose(found[key], array, atol=1e-4)
    assert 3 * after.rounds < before.rounds


def test_what_a_loop_carries_in_every_step_stays_in_it() -> None:
    def function(x: Any, w: Any) -> Any:
        return tacit.scan(lambda c, rows: ([tacit.sigmoid(c[0] + rows[0])], []), [w[:, 0]], [x])[0][
            0
        ]

    better = tacit.trace(function, *SPECS).optimize()
    assert [node.node.operation for node in better.bodies[0].nodes] == ["add", "sigmoid"]


def test_loops_in_loops_are_hoisted_and_spread_from_the_inside() -> None:
    def function(x: Any, w: Any) -> Any:
        def outer(carry: list[Any], rows: list[Any]) -> Any:
            def inner(i: Any, c: list[Any]) -> list[Any]:
                return [c[0] * 0.5 + tacit.sigmoid(rows[0]) + tacit.exp(w[:, 0])]

            return tacit.fori_loop(0, 3, inner, carry), []

        return tacit.scan(outer, [w[:, 1]], [x])[0][0]

    program = tacit.trace(function, *SPECS)
    better = program.optimize()
    assert not {"exp", "sigmoid"} & {n.node.operation for b in better.bodies for n in b.nodes}
    with tacit.local(seed=3, rounding="nearest") as mpc:
        with mpc.measure() as before:
            expected = mpc.run(program, {"x": X, "w": W})["output"]
        with mpc.measure() as after:
            found = mpc.run(better, {"x": X, "w": W})["output"]
    np.testing.assert_allclose(found, expected, atol=2e-4)
    assert 2 * after.rounds < before.rounds


def test_random_steps_are_not_moved() -> None:
    program = tacit.trace(mapped(lambda r, w: tacit.shuffle(r)), *SPECS)
    assert "scan" in names(program.optimize())


@pytest.mark.parametrize("rows", [96, 101])
@pytest.mark.parametrize("memory", [200_000, 60_000])
def test_rows_go_through_in_batches_that_the_memory_allows(rows: int, memory: int) -> None:
    spec = ArraySpec((rows, 32), owner="alice", bounds=(-1, 1))
    weights = ArraySpec((32, 3), owner="bob", bounds=(-1, 1))
    program = tacit.trace(
        mapped(lambda r, w: tacit.sigmoid(r @ w) + tacit.exp(r)[:3]), spec, weights
    )
    whole, better = program.optimize(), program.optimize(memory=memory)
    plans = [one.plan("replicated3", seconds=False) for one in (program, better, whole)]
    assert plans[1].memory_peak <= max(memory, plans[0].memory_peak)
    assert plans[2].memory_peak > memory
    assert plans[2].rounds < plans[1].rounds <= plans[0].rounds
    if memory > plans[0].memory_peak:
        assert plans[1].rounds < plans[0].rounds
    x, w = RNG.uniform(-1, 1, (rows, 32)), RNG.uniform(-1, 1, (32, 3))
    with tacit.local(seed=3, rounding="nearest") as mpc:
        found = [mpc.run(one, {"x": x, "w": w})["output"] for one in (better, whole)]
    np.testing.assert_allclose(found[0], found[1], atol=1e-4)


def test_blocks_divide_loops_with_carries() -> None:
    assert rows_of_blocks(Over(0, 1, 1, 96), 40) == 32
    assert rows_of_blocks(Over(0, 1, 1, 97), 40) == 1
    assert rows_of_blocks(Over(0, 0, 1, 97), 40) == 40
    assert rows_of_blocks(Over(0, 0, 1, 96), 90) == 48


STEPS: list[Callable[[Any, Any, Any], Any]] = [
    lambda r, c, w: r * c * 0.25,
    lambda r, c, w: tacit.relu(r),
    lambda r, c, w: r @ w @ w.T * 0.2,
    lambda r, c, w: tacit.sigmoid(r) - 0.5,
    lambda r, c, w: tacit.where(r < 0.1, r, c * 0.5),
    lambda r, c, w: tacit.softmax(r),
    lambda r, c, w: r - r.mean(),
    lambda r, c, w: tacit.concat([r[2:], r[:2]]),
    lambda r, c, w: (r[:, None] * w).sum(axis=1) * 0.3,
]


def random_loops(seed: int) -> Callable[[Any, Any], dict[str, Any]]:
    def function(x: Any, w: Any) -> dict[str, Any]:
        generator = np.random.default_rng(seed)

        def body(carry: list[Any], rows: list[Any]) -> Any:
            values = [rows[0]]
            for _ in range(5):
                step = STEPS[int(generator.integers(len(STEPS)))]
                one = values[int(generator.integers(len(values)))]
                values.append(tacit.clip(step(one, carry[0], w), -2, 2))
            kept = values[int(generator.integers(len(values)))]
            if generator.integers(2):
                carry = [tacit.clip(carry[0] * 0.5 + kept * 0.5, -2, 2)]
            return carry, [values[-1], values[-2] + carry[0]]

        first = tacit.scan(body, [w[:, 0]], [x], reverse=bool(generator.integers(2)))[0]
        return dict(zip("abc", [*first, *tacit.scan(body, [w[:, 1]], [x])[1]], strict=True))

    return function


@pytest.mark.parametrize("seed", range(4))
def test_random_loops_stay_what_they_are(seed: int) -> None:
    program = tacit.trace(random_loops(seed), *SPECS)
    better = program.optimize(memory=20_000 if seed % 2 else None)
    with tacit.local(
        "fantastic4" if seed == 3 else "replicated3", seed=1, rounding="nearest"
    ) as mpc:
        with mpc.measure() as before:
            expected = mpc.run(program, {"x": X, "w": W})
        with mpc.measure() as after:
            found = mpc.run(better, {"x": X, "w": W})
    for key, array in expected.items():
        np.testing.assert_allclose(found[key], array, atol=5e-3)
    assert after.rounds <= before.rounds
