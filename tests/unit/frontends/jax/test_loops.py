"""Loops of JAX give what JAX gives, and stay loops; their public side by NumPy and by JAX alike."""

from __future__ import annotations

from typing import Any

import jax
import pytest

import tacit
from tacit.frontends.jax import varying
from tacit.frontends.jax.importing import imported
from tacit.frontends.jax.interpreter import evaluated
from tests.thinning import EVERYTHING
from tests.unit.frontends.jax.loop_cases import LOOPS
from tests.unit.frontends.jax.primitive_cases import Case
from tests.unit.frontends.jax.test_jax_primitives import agrees, opened

AT_ONCE = LOOPS if EVERYTHING else LOOPS[::4]
BY_JAX = LOOPS if EVERYTHING else [c for c in LOOPS if c.name in ("switch in scan", "rows added")]


@pytest.fixture(scope="module")
def expected() -> dict[str, list[Any]]:
    together = jax.jit(lambda given: [c.function(*a) for c, a in zip(LOOPS, given, strict=True)])
    results = together([case.arguments for case in LOOPS])
    return {case.name: jax.tree.leaves(r) for case, r in zip(LOOPS, results, strict=True)}


@pytest.fixture(scope="module")
def mpc() -> Any:
    with tacit.local("replicated3", seed=8) as computation:
        yield computation


@pytest.mark.parametrize("case", LOOPS, ids=lambda case: case.name)
def test_traced(case: Case, mpc: Any, expected: dict[str, list[Any]]) -> None:
    (value,) = case.arguments
    program = tacit.from_jax(case.function, tacit.ArraySpec(value.shape, owner="alice", name="x"))
    agrees(case, list(mpc.run(program, {"x": value}).values()), expected[case.name])


@pytest.mark.parametrize("case", AT_ONCE, ids=lambda case: case.name)
def test_at_once(case: Case, mpc: Any, expected: dict[str, list[Any]]) -> None:
    (value,) = case.arguments
    body = imported(case.function, [jax.ShapeDtypeStruct(value.shape, value.dtype)], [True]).body
    agrees(case, opened(evaluated(body, [mpc.share(value, owner="bob")])), expected[case.name])


@pytest.mark.parametrize("case", BY_JAX, ids=lambda case: case.name)
def test_public_side_by_jax(
    case: Case, mpc: Any, expected: dict[str, list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(varying, "_effort", lambda body: (10**9, 0, 0))
    (value,) = case.arguments
    program = tacit.from_jax(case.function, tacit.ArraySpec(value.shape, owner="alice", name="x"))
    agrees(case, list(mpc.run(program, {"x": value}).values()), expected[case.name])


def test_a_loop_stays_a_loop() -> None:
    """A hundred times the iterations: one more row of constants each, and not one node more."""

    def repeated(times: int) -> Any:
        return lambda x: jax.lax.fori_loop(0, times, lambda i, c: c * 0.5 + i * x, x)

    spec = tacit.ArraySpec((3,), owner="alice")
    short, long = (tacit.from_jax(repeated(n), spec) for n in (3, 300))
    counts = [sum(len(g.nodes) for g in program.graphs()) for program in (short, long)]
    assert counts[0] == counts[1] < 8
    assert len(long.canonical) - len(short.canonical) < 300 * 16


def test_what_is_public_is_no_part_of_the_program() -> None:
    """Keys, orders and schedules leave constants, no operations on public arrays."""

    def shuffled(x: Any) -> Any:
        def step(carry: Any, key: Any) -> Any:
            return carry + x[jax.random.permutation(key, 3)], None

        return jax.lax.scan(step, x, jax.random.split(jax.random.key(0), 4))[0]

    program = tacit.from_jax(shuffled, tacit.ArraySpec((3, 2), owner="alice"))
    assert program.operations <= {"scan", "take", "add"}
    assert [one.name for one in program.inputs] == ["x"]
