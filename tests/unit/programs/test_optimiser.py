"""Optimised programs give the same for less, and are programs like any other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import tacit
from tacit import ArraySpec, Computation, Program
from tacit.programs.optimising.difference import Difference

RNG = np.random.default_rng(11)
X, Y = RNG.uniform(-2, 2, (4, 3)), RNG.uniform(-2, 2, (4, 3))
N = RNG.integers(-1000, 1000, (4, 3))
FLOATS = (ArraySpec((4, 3), owner="alice", bounds=(-2, 2)),
          ArraySpec((4, 3), owner="bob", bounds=(-2, 2)))  # fmt: skip
INTEGERS = (ArraySpec((4, 3), tacit.int64, owner="alice", bounds=(-1000, 1000)),
            ArraySpec((4, 3), tacit.int64, owner="bob", bounds=(-1000, 1000)))  # fmt: skip


@pytest.fixture(scope="module")
def mpc() -> Iterator[Computation]:
    with tacit.local(seed=5, rounding="nearest") as computation:
        yield computation


def names(program: Program) -> list[str]:
    return [node.node.operation for graph in program.graphs() for node in graph.nodes]


def same(mpc: Computation, function: Callable[..., Any], specs: Any, atol: float = 1e-4) -> Program:
    """The optimised program, which gives what the other gives in no more rounds."""
    program = tacit.trace(function, *specs)
    better = program.optimize()
    given = {
        one.name: (N if one.type.kind == "int" else X) * (1 if place == 0 else -1)
        for place, one in enumerate(program.inputs)
    }
    with mpc.measure() as before:
        expected = mpc.run(program, given)
    with mpc.measure() as after:
        found = mpc.run(better, given)
    for key, array in expected.items():
        np.testing.assert_allclose(found[key], array, atol=atol)
    assert after.rounds <= before.rounds
    assert sum(after.bytes_sent.values()) <= sum(before.bytes_sent.values())
    assert Program.from_bytes(better.canonical) == better
    assert better.optimize() == better
    return better


def test_what_is_computed_twice_is_computed_once(mpc: Computation) -> None:
    better = same(mpc, lambda x, y: tacit.exp(x) * y + y * tacit.exp(x), FLOATS)
    assert sorted(names(better)) == ["add", "exp", "multiply"]


def test_shuffles_are_not_the_same(mpc: Computation) -> None:
    program = tacit.trace(lambda x: tacit.shuffle(x) - tacit.shuffle(x), FLOATS[0])
    assert names(program.optimize()).count("shuffle") == 2


def test_what_no_output_needs_is_left_out(mpc: Computation) -> None:
    def unused(x: Any, y: Any) -> Any:
        tacit.sort(y)
        return x + 1

    better = same(mpc, unused, FLOATS)
    assert names(better) == ["add"]
    assert [one.name for one in better.inputs] == ["x", "y"]


def test_constants_are_folded(mpc: Computation) -> None:
    def scheduled(x: Any) -> Any:
        def body(i: Any, carry: list[Any]) -> list[Any]:
            return [carry[0] * np.float64(0.5) + i]

        return tacit.fori_loop(0, 2, body, [x * 1 + 0])[0]

    better = same(mpc, scheduled, FLOATS[:1])
    assert names(better).count("multiply") == 1


def test_comparisons_are_shared(mpc: Computation) -> None:
    def sides(x: Any, y: Any) -> dict[str, Any]:
        return {"a": x > y, "b": y < x, "c": y >= x, "d": tacit.maximum(x, y),
                "e": tacit.minimum(x, y), "f": tacit.where(x <= y, x, 0)}  # fmt: skip

    better = same(mpc, sides, FLOATS)
    assert names(better).count("less") == 1
    assert not {"maximum", "minimum", "greater", "less_equal"} & set(names(better))


def test_the_gradient_of_relu_reuses_its_comparison(mpc: Computation) -> None:
    def layer(x: Any, y: Any) -> dict[str, Any]:
        return {"forward": tacit.maximum(x, 0.0), "backward": tacit.where(x > 0, y, 0.0)}

    better = same(mpc, layer, FLOATS)
    assert sorted(names(better)) == ["less", "where", "where"]


def test_what_differentiation_writes_of_ties_is_no_division(mpc: Computation) -> None:
    def tied(x: Any, y: Any) -> dict[str, Any]:
        top = tacit.maximum(x, 0.0)
        ties = tacit.where(top == 0.0, 2.0, 1.0)
        return {"top": top, "slope": y * (tacit.where(x == top, 1.0, 0.0) / ties)}

    better = same(mpc, tied, FLOATS)
    assert not {"divide", "equal", "maximum"} & set(names(better))
    assert names(better).count("less") == 2


def test_sums_of_one_number_are_local(mpc: Computation) -> None:
    better = same(mpc, lambda x: x.reshape(1, 12).sum(axis=0).mean(axis=()), FLOATS[:1])
    assert names(better) == ["reshape"]


def test_public_factors_in_a_row_are_one(mpc: Computation) -> None:
    better = same(mpc, lambda x: -((x * 0.5) / 4.0) * 3.0, FLOATS[:1])
    assert names(better) == ["multiply"]
    # What others use is not computed twice.
    used = same(mpc, lambda x: {"a": x * 0.5, "b": (x * 0.5) * 3.0}, FLOATS[:1])
    assert names(used) == ["multiply", "multiply"]
    # Factors that only together are harmless stay apart.
    tiny = tacit.trace(lambda x: (x * 2.0**-20) * 2.0**-20, FLOATS[0]).optimize()
    assert names(tiny) == ["multiply", "multiply"]


@pytest.mark.parametrize("protocol", ["replicated3", "replicated3_active", "fantastic4"])
def test_bits_stay_bits(protocol: str) -> None:
    def bits(x: Any, y: Any) -> Any:
        return ~((((x & y) << 3) ^ y) >> 2) | (x & 7)

    program = tacit.trace(bits, *INTEGERS)
    better = program.optimize()
    assert names(better) == ["bit_chain"]
    pair = tacit.trace(lambda x, y: (x & y) ^ 5, *INTEGERS)
    with tacit.local(protocol, seed=2) as mpc:
        found = mpc.run(better, {"x": N, "y": N[::-1]})["output"]
        np.testing.assert_array_equal(found, bits(N, N[::-1]))
        costs = []
        for one in (pair, pair.optimize()):
            with mpc.measure() as cost:
                mpc.run(one, {"x": N, "y": N})
            costs.append((cost.rounds, sum(cost.bytes_sent.values())))
    assert costs[1] < costs[0]
    assert costs[1][1] < costs[0][1]
    alone = tacit.trace(lambda x, y: (x & y) << 1, *INTEGERS).optimize()
    assert "bit_chain" not in names(alone)


def test_what_is_the_same_in_every_round_is_computed_before_the_loop(mpc: Computation) -> None:
    def loop(x: Any, y: Any) -> Any:
        return tacit.fori_loop(0, 5, lambda i, c: [c[0] * 0.5 + tacit.exp(y) * 0.1], [x])[0]

    def rows(x: Any, y: Any) -> dict[str, Any]:
        carry, (out,) = tacit.scan(
            lambda c, row: ([c[0] + tacit.exp(y[0]) * row[0]], [tacit.sigmoid(y[1])]), [x[0]], [x]
        )
        return {"carry": carry[0], "rows": out}

    for function in (loop, rows):
        better = same(mpc, function, FLOATS, atol=2e-3)
        body = better.bodies[0]
        assert not {"exp", "sigmoid"} & {node.node.operation for node in body.nodes}
        assert "exp" in [node.node.operation for node in better.main.nodes]


def test_loops_that_may_not_run_keep_what_they_compute(mpc: Computation) -> None:
    program = tacit.trace(
        lambda x, y: tacit.fori_loop(3, 3, lambda i, c: [c[0] + tacit.exp(y)], [x])[0], *FLOATS
    )
    better = program.optimize()
    assert "exp" not in [node.node.operation for node in better.main.nodes]


def test_equal_bodies_are_one_and_unused_ones_go(mpc: Computation) -> None:
    def twice(x: Any, y: Any) -> Any:
        tacit.fori_loop(0, 2, lambda i, c: [tacit.exp(c[0])], [y])
        a = tacit.fori_loop(0, 2, lambda i, c: [c[0] * 0.5], [x])[0]
        b = tacit.fori_loop(0, 3, lambda i, c: [c[0] * 0.5 + 0.0], [y])[0]
        return a + b

    assert len(same(mpc, twice, FLOATS).bodies) == 1


def test_hints_follow_their_nodes() -> None:
    def hinted(x: Any) -> Any:
        y = tacit.relu(x) * 1.0
        with tacit.hint("garbled"):
            z = tacit.sort(y, axis=0) + 0.0
            top = z[-1]
        return top * 2 * 2

    program = tacit.trace(hinted, FLOATS[0])
    better = program.optimize()
    (hint,) = better.form.hints
    nodes = [node.operation for node in better.form.main.nodes]
    assert nodes[hint.first : hint.last + 1] == ["sort", "getitem"]


def test_a_difference_says_what_changed() -> None:
    program = tacit.trace(lambda x, y: tacit.exp(x) * tacit.exp(x) + (y * 2) * 3, *FLOATS)
    better = program.optimize()
    found = better.diff(program)
    assert isinstance(found, Difference)
    assert found.before["exp"] == 2
    assert found.after["exp"] == 1
    assert found.rounds is not None
    assert found.rounds[1] <= found.rounds[0]
    assert "exp" in str(found)
    assert str(program.diff(program)) == "no difference"


OPERATIONS: list[Callable[[Any, Any], Any]] = [
    lambda a, b: a + b,
    lambda a, b: a - b,
    lambda a, b: a * b * 0.25,
    lambda a, b: -a,
    lambda a, b: a * 0.5,
    lambda a, b: a / 4.0,
    lambda a, b: tacit.maximum(a, b),
    lambda a, b: tacit.minimum(a, b),
    lambda a, b: tacit.where(a < b, a, b),
    lambda a, b: tacit.where(a >= b, a, 0.0),
    lambda a, b: tacit.relu(a),
    lambda a, b: tacit.sigmoid(a),
    lambda a, b: a.T.T + 0,
    lambda a, b: a.reshape(-1).reshape(4, 3) * 1.0,
    lambda a, b: a + np.float64(1.5),
    lambda a, b: tacit.fori_loop(0, 2, lambda i, c: [c[0] * 0.5 + b * (i * 0.1)], [a])[0],
    lambda a, b: a * b - b * b,
    lambda a, b: a + (a * b).sum(axis=1, keepdims=True) * 0.1,
    lambda a, b: b - ((a - b) * (a - b)).mean(axis=0),
    lambda a, b: (a @ b.T @ a) * 0.1 + b @ (a.T @ a) * 0.1,
    lambda a, b: tacit.scan(lambda c, r: ([], [tacit.sigmoid(r[0]) @ b.T @ b]), [], [a])[1][0],
    lambda a, b: tacit.scan(
        lambda c, r: ([c[0] * 0.5 + tacit.sigmoid(r[0])], [tacit.relu(r[0]) + c[0]]), [b[0]], [a]
    )[1][0],
    lambda a, b: (a[:, None, :] * b[None, :, :]).sum(axis=1) * 0.125,
]


def random_program(seed: int, length: int) -> Callable[[Any, Any], Any]:
    generator = np.random.default_rng(seed)

    def random(x: Any, y: Any) -> Any:
        values = [x, y]
        for _ in range(length):
            first, second = generator.integers(len(values), size=2)
            chosen = OPERATIONS[int(generator.integers(len(OPERATIONS)))]
            values.append(tacit.clip(chosen(values[first], values[second]), -4, 4))
        return values[-1] + values[-2]

    return random


@pytest.mark.parametrize("seed", range(12))
def test_random_programs_stay_what_they_are(mpc: Computation, seed: int) -> None:
    same(mpc, random_program(seed, 12), FLOATS, atol=2e-3)


@pytest.mark.parametrize("protocol", ["replicated3_active", "fantastic4"])
def test_random_programs_stay_what_they_are_under_every_protocol(protocol: str) -> None:
    with tacit.local(protocol, seed=6) as mpc:
        for seed in range(20, 23):
            same(mpc, random_program(seed, 6), FLOATS, atol=2e-3)
