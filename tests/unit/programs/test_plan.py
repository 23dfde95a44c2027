"""Plans are what is measured: rounds and bytes of every party, phase by phase."""

from __future__ import annotations

import json
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tacit
from tacit import ArraySpec, Program
from tacit.errors import ProgramError
from tacit.operations import chunks, crossing, operation
from tacit.programs.planning.plan import Plan
from tacit.protocols import PROTOCOLS

X = ArraySpec((4, 3), owner="alice", bounds=(-1, 1))
Y = ArraySpec((3, 2), owner="bob", bounds=(-1, 1))
NAMES = sorted(PROTOCOLS)


def inputs_of(program: Program, public: dict[str, Any]) -> dict[str, Any]:
    return {
        one.name: public.get(one.name, np.zeros(one.type.shape, one.type.dtype.numpy))
        for one in program.inputs
    }


def agree(program: Program, protocol: str = "replicated3", **public: Any) -> Plan:
    """Plan, run, compare; the plan with what was measured."""
    plan = program.plan(protocol, seconds=False, public=public)
    with tacit.local(protocol, seed=2) as mpc:
        mpc.run(program, inputs_of(program, public), plan=plan)
    cost = plan.actual
    assert cost is not None
    assert plan.rounds == cost.rounds
    assert plan.bytes_sent == cost.bytes_sent
    assert plan.check_bytes == cost.check_bytes
    return plan


def mixed(x: Any, y: Any) -> dict[str, Any]:
    functions = tacit.exp(x) + tacit.sigmoid(x) + tacit.log(x + 2)
    return {"product": x @ y, "functions": functions.sum(), "positive": (x > 0.5).sum()}


def rates(x: Any) -> Any:
    """Products by factors that follow from the counter, so that they are cut by other bits."""
    return tacit.fori_loop(0, 9, lambda i, c: [c[0] * (1.0 / (1.0 + i))], [x])[0]


def windows(x: Any) -> Any:
    """A counter that says where a slice begins, and nothing else."""

    def body(i: Any, carry: list[Any]) -> list[Any]:
        row = tacit.dynamic_slice(x, [i, 0], (1, 3))
        return [carry[0] + tacit.sigmoid(row * carry[0])]

    return tacit.fori_loop(0, 4, body, [np.zeros((1, 3))])[0]


def side_by_side(x: Any, y: Any) -> dict[str, Any]:
    """Two loops of different lengths beside each other and beside a sort."""
    (one,) = tacit.fori_loop(0, 5, lambda i, c: [tacit.relu(c[0])], [x])
    (other,) = tacit.fori_loop(0, 3, lambda i, c: [c[0] * c[0]], [y])
    return {"one": one.sum(), "other": other.sum(), "sorted": tacit.sort(x[0])}


def nested(x: Any) -> Any:
    def outer(i: Any, carry: list[Any]) -> list[Any]:
        inner = tacit.fori_loop(0, i, lambda j, c: [c[0] * c[0]], carry)
        halved, positive = lambda v: [v * v * 0.5], lambda v: [tacit.abs(v)]
        return list(tacit.cond(i % 2 == 0, halved, positive, inner[0]))

    return tacit.fori_loop(0, 4, outer, [x])[0]


def until(x: Any) -> Any:
    def body(carry: list[Any]) -> list[Any]:
        return [carry[0] * 2, carry[1] * carry[1]]

    return tacit.while_loop(lambda c: c[0] < 20, body, [np.int64(1), x])[1]


def scanned(x: Any) -> dict[str, Any]:
    carry, rows = tacit.scan(
        lambda c, row: ([c[0] * row[0]], [c[0] > row[0], row[0]]), [np.ones(3)], [x], reverse=True
    )
    return {"carry": carry[0], "rows": rows[0].sum(), "same": rows[1]}


def small_integers(x: Any) -> Any:
    small = (x * 100).astype(tacit.int8)
    return tacit.fori_loop(0, 3, lambda i, c: [c[0] * c[0] + 3], [small])[0] > 5


def scaled(x: Any, scale: Any) -> Any:
    return x * (scale * 2)


PROGRAMS: dict[str, Program] = {
    name: tacit.trace(function, *specs)
    for name, (function, specs) in {
        "mixed": (mixed, (X, Y)),
        "rates": (rates, (X,)),
        "windows": (windows, (X,)),
        "side_by_side": (side_by_side, (X, Y)),
        "nested": (nested, (X,)),
        "until": (until, (X,)),
        "scanned": (scanned, (X,)),
        "small_integers": (small_integers, (X,)),
    }.items()
}


@pytest.mark.parametrize("protocol", NAMES)
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_plan_is_what_is_measured(name: str, protocol: str) -> None:
    agree(PROGRAMS[name], protocol)


def test_recipients_names_and_booleans() -> None:
    program = tacit.trace(
        lambda x, b: {"sum": x.sum(), "both": b & (x > 0), "kept": x * x},
        x=ArraySpec((70,), owner="bank", bounds=(-1, 1)),
        b=ArraySpec((70,), tacit.bool, owner="shop"),
        to={"sum": "shop", "both": ("bank", "auditor"), "kept": None},
    )
    plan = program.plan("fantastic4", seconds=False)
    assert plan.parties == ("bank", "shop", "auditor", "alice")
    with tacit.local("fantastic4", parties=plan.parties) as mpc, mpc.measure() as cost:
        mpc.run(program, {"x": np.zeros(70), "b": np.zeros(70, bool)})
    assert (plan.rounds, plan.bytes_sent) == (cost.rounds, cost.bytes_sent)
    assert [phase.name for phase in plan.phases] == [
        "share x", "share b", "compute", "reveal sum", "reveal both",
    ]  # fmt: skip


@pytest.mark.parametrize("protocol", NAMES)
def test_long_arrays_in_chunks(protocol: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (chunks, operation):
        monkeypatch.setattr(module, "LARGEST_WHOLE", 500)
    for module in (chunks, crossing):
        monkeypatch.setattr(module, "CHUNK_SIZE", 128)
    program = tacit.trace(
        lambda x: {"a": (x > 0).sum(), "b": (x * x).sum(), "c": tacit.exp(x[:2])},
        x=ArraySpec((900,), owner="alice", bounds=(-1, 1)),
    )
    agree(program, protocol)


def test_public_inputs() -> None:
    program = tacit.trace(scaled, X, ArraySpec((), public=True))
    for scale in (0.001, 1.0, 2.5):
        assert not agree(program, scale=scale).notes
    assert any("scale" in note for note in program.plan("replicated3", seconds=False).notes)
    with pytest.raises(ProgramError, match="TC-1563"):
        program.plan("replicated3", public={"scale": np.zeros(3)})


def test_a_condition_on_what_is_not_given_is_said_to_be() -> None:
    program = tacit.trace(
        lambda x, end: tacit.while_loop(
            lambda c: c[0] < end, lambda c: [c[0] + 1, c[1] * c[1]], [np.int64(0), x]
        )[1],
        X,
        ArraySpec((), tacit.int64, public=True),
    )
    notes = program.plan("replicated3", seconds=False).notes
    assert any("one round" in note for note in notes)
    agree(program, end=np.int64(5))


@pytest.mark.parametrize("protocol", NAMES)
def test_links_add_up(protocol: str) -> None:
    plan = PROGRAMS["mixed"].plan(protocol, tacit.WAN)
    for party in plan.parties:
        of_links = sum(count for (sender, _), count in plan.links.items() if sender == party)
        assert of_links == plan.bytes_sent[party] + plan.check_bytes[party]
    assert plan.seconds > plan.rounds * 0.04 * 0.9
    assert f"{plan.rounds:,}" in str(plan)
    assert json.loads(json.dumps(plan.as_dict()))["rounds"] == plan.rounds


def test_protocols_that_fit_are_compared() -> None:
    program = PROGRAMS["mixed"]
    plans = program.plan(network="wan")
    assert {plan.protocol for plan in plans.plans} == set(PROTOCOLS)
    assert plans.recommended.protocol == "replicated3"
    assert "fantastic4" in plans.why
    strict = program.plan(network="wan", adversary="active", outcome="guaranteed")
    assert strict.recommended.protocol == "fantastic4"
    assert set(strict.refused) == {"replicated3", "replicated3_active"}
    assert "Not replicated3: it holds against passive parties only." in str(strict)
    three = program.plan(adversary="active", parties=["alice", "bob", "carol"], seconds=False)
    assert three.recommended.protocol == "replicated3_active"


def test_what_does_not_fit_is_refused() -> None:
    program = PROGRAMS["mixed"]
    other = PROGRAMS["until"].plan("replicated3", seconds=False)

    def another() -> None:
        with tacit.local() as mpc:
            mpc.run(program, {"x": np.zeros((4, 3)), "y": np.zeros((3, 2))}, plan=other)

    wrong: list[tuple[Callable[[], Any], str]] = [
        (lambda: program.plan("replicated3", "moon"), "TC-1560"),
        (lambda: program.plan("replicated3", "rtt=20,bandwidth=1"), "TC-1560"),
        (lambda: program.plan("replicated3", parties=["alice", "carol", "dave"]), "TC-1561"),
        (lambda: program.plan("replicated3_active", ring=128), "TC-1562"),
        (lambda: program.plan(parties=["alice", "bob"]), "TC-1564"),
        (lambda: program.plan(adversary="nosy"), "TC-1565"),
        (another, "TC-1566"),
    ]
    for plan, code in wrong:
        with pytest.raises(ProgramError) as caught:
            plan()
        assert caught.value.code == code


@pytest.mark.parametrize("protocol", NAMES)
def test_memory_is_about_what_is_needed(protocol: str) -> None:
    size = 20_000
    program = tacit.trace(
        lambda x, y: {"sum": (x * y).sum(), "less": (x < y).sum(), "relu": tacit.relu(x)},
        x=ArraySpec((size,), owner="alice", bounds=(-1, 1)),
        y=ArraySpec((size,), owner="bob", bounds=(-1, 1)),
    )
    plan = program.plan(protocol, seconds=False)
    given = inputs_of(program, {})
    with tacit.local(protocol) as mpc:
        tracemalloc.start()
        mpc.run(program, given, plan=plan)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert 0.6 < plan.memory_peak / (peak / len(plan.parties)) < 1.5


def test_a_long_loop_is_planned_by_its_first_round() -> None:
    program = tacit.trace(
        lambda x: tacit.fori_loop(0, 20_000, lambda i, c: [tacit.sigmoid(c[0])], [x])[0], X
    )
    one = tacit.trace(
        lambda x: tacit.fori_loop(0, 1, lambda i, c: [tacit.sigmoid(c[0])], [x])[0], X
    )
    started = time.process_time()
    plan = program.plan("replicated3", seconds=False)
    assert time.process_time() - started < 5
    of_one = one.plan("replicated3", seconds=False)
    outside = of_one.rounds - one_body(of_one)
    assert plan.rounds == outside + 20_000 * one_body(of_one)


def one_body(plan: Plan) -> int:
    return next(phase.rounds for phase in plan.phases if phase.name == "compute")


def test_a_plan_of_endless_loops_ends() -> None:
    def nested(x: Any, depth: int) -> Any:
        if not depth:
            return x * 0.5
        return tacit.fori_loop(0, 20, lambda i, c: [nested(c[0], depth - 1)], [x])[0]

    program = tacit.trace(lambda x: nested(x, 7), X, to="all")
    with pytest.raises(ProgramError) as caught:
        program.plan("replicated3", seconds=False)
    assert caught.value.code == "TC-1567"
