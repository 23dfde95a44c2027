"""Plans are what is measured: rounds and bytes of every party, phase by phase."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tacit
from tacit import ArraySpec, Program
from tacit.errors import ProgramError
from tacit.protocols import PROTOCOLS

X = ArraySpec((4, 3), owner="alice", bounds=(-1, 1))
Y = ArraySpec((3, 2), owner="bob", bounds=(-1, 1))
NAMES = sorted(PROTOCOLS)


def zeros(program: Program) -> dict[str, Any]:
    return {one.name: np.zeros(one.type.shape, one.type.dtype.numpy) + 0 for one in program.inputs}


def agree(program: Program, protocol: str, inputs: dict[str, Any] | None = None) -> None:
    """Plan, run, compare."""
    given = zeros(program) if inputs is None else inputs
    public = {one.name: given[one.name] for one in program.inputs if one.type.public}
    plan = program.plan(protocol, seconds=False, public=public)
    with tacit.local(protocol, seed=2) as mpc, mpc.measure() as cost:
        mpc.run(program, given)
    assert plan.rounds == cost.rounds
    assert plan.bytes_sent == cost.bytes_sent
    assert plan.check_bytes == cost.check_bytes


def mixed(x: Any, y: Any) -> dict[str, Any]:
    functions = tacit.exp(x) + tacit.sigmoid(x) + tacit.log(x + 2)
    return {"product": x @ y, "functions": functions.sum(), "positive": (x > 0.5).sum()}


@pytest.mark.parametrize("protocol", NAMES)
def test_independent_operations(protocol: str) -> None:
    agree(tacit.trace(mixed, X, Y, to={"product": "all", "functions": "bob", "positive": None}),
          protocol)  # fmt: skip


def test_links_add_up() -> None:
    plan = tacit.trace(mixed, X, Y).plan("replicated3", tacit.WAN)
    for party in plan.parties:
        of_links = sum(count for (sender, _), count in plan.links.items() if sender == party)
        assert of_links == plan.bytes_sent[party] + plan.check_bytes[party]
    assert plan.seconds > plan.rounds * 0.04 * 0.9


def test_what_does_not_fit_is_refused() -> None:
    program = tacit.trace(mixed, X, Y)
    wrong: list[tuple[Callable[[], Any], str]] = [
        (lambda: program.plan("replicated3", "moon"), "TC-1560"),
        (lambda: program.plan("replicated3", parties=["alice", "carol", "dave"]), "TC-1561"),
        (lambda: program.plan("replicated3_active", ring=128), "TC-1562"),
        (lambda: program.plan(parties=["alice", "bob"]), "TC-1564"),
        (lambda: program.plan(adversary="nosy"), "TC-1565"),
    ]
    for plan, code in wrong:
        with pytest.raises(ProgramError) as caught:
            plan()
        assert caught.value.code == code
