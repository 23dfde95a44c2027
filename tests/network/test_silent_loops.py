"""Loops of public numbers, in which nothing travels: time limits hold, and costs stay exact."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from guarded import run
from linked import linked
from simulation import FOUR

import tacit
from tacit import ArraySpec
from tacit.errors import DeadlineError, ProgramError
from tacit.network import Mesh
from tacit.programs.program import Program
from tacit.protocols import protocol_named
from tacit.sessions import PartySession

NAMES = ("alice", "bob", "carol")
X = ArraySpec((2,), owner="alice", bounds=(-1, 1))
VALUES = np.array([0.5, -0.25])


def endless(x: Any) -> Any:
    turned = tacit.while_loop(lambda c: c[0] >= 0, lambda c: [(c[0] + 1) % 1000], [np.int64(0)])
    return x * (turned[0] % 2 + 1)


ENDLESS = tacit.trace(endless, X)


def ran(mesh: Mesh, program: Program, seconds: float | None) -> Any:
    with PartySession.over(protocol_named("replicated3"), mesh, threads=1) as session:
        session.enter_stage("computing", seconds)
        mpc = tacit.Computation(session)
        return mpc.run(program, {"x": VALUES if session.name == "alice" else None})["output"]


def test_a_deadline_ends_a_loop_that_never_communicates() -> None:
    found = linked(NAMES, lambda mesh: ran(mesh, ENDLESS, 0.5))
    assert all("did not finish in time" in str(error) for error in found.values())
    assert any(isinstance(error, DeadlineError) for error in found.values())


def test_whoever_loops_for_ever_hears_that_another_has_ended() -> None:
    """Only carol has a deadline."""
    found = linked(
        NAMES, lambda mesh: ran(mesh, ENDLESS, 0.5 if mesh.names[mesh.index] == "carol" else None)
    )
    assert isinstance(found["carol"], DeadlineError)
    for name in NAMES:
        assert "carol did not finish in time" in str(found[name])


def test_a_deadline_ends_it_in_a_session_that_survives_faults_too() -> None:
    def program(mpc: tacit.Computation, name: str) -> Any:
        mpc.session.enter_stage("computing", 0.3)  # type: ignore[attr-defined]
        return mpc.run(ENDLESS, {"x": VALUES if name == "alice" else None})

    errors = run(program).outcome.errors
    assert set(errors) == set(FOUR)
    assert any(isinstance(error, DeadlineError) for error in errors.values())


def silent_beside_rounds(turns: int) -> Program:
    """A chain of products beside a public loop that a last product waits for."""

    def function(x: Any) -> Any:
        (count,) = tacit.fori_loop(0, turns, lambda i, c: [(c[0] + i) % 7], [np.int64(0)])
        chain = x
        for _ in range(3):
            chain = chain * x
        own = x
        for _ in range(3):
            own = own * (own + count)
        return chain + own

    return tacit.trace(function, X)


def test_looks_are_no_rounds_and_move_none() -> None:
    """Thousands of silent turns cost nothing, and what else runs merges as without them."""
    few, many = silent_beside_rounds(1), silent_beside_rounds(6_000)
    plan = many.plan("replicated3", parties=NAMES, seconds=False)
    assert plan.rounds == few.plan("replicated3", parties=NAMES, seconds=False).rounds
    with tacit.local("replicated3", parties=NAMES) as mpc:
        before = mpc.session.driver.round_number  # type: ignore[attr-defined]
        with mpc.measure() as cost:
            mpc.run(many, {"x": VALUES})
        driven = mpc.session.driver.round_number - before  # type: ignore[attr-defined]
    assert cost.rounds == plan.rounds
    assert cost.bytes_sent == plan.bytes_sent
    assert driven > cost.rounds


def test_loops_that_are_known_to_be_endless_are_refused() -> None:
    def many(x: Any, turns: Any) -> Any:
        return tacit.fori_loop(0, turns, lambda i, c: [c[0]], [x])[0]

    with pytest.raises(ProgramError, match="TC-1506"):
        tacit.trace(lambda x: many(x, 10**12), X)
    with pytest.raises(ProgramError, match="TC-1506"):
        tacit.trace(
            lambda x: tacit.fori_loop(0, 10**6, lambda i, c: [many(c[0], 10**6)], [x])[0], X
        )
    program = tacit.trace(many, X, ArraySpec((), tacit.int64, public=True))
    with tacit.local("replicated3", parties=NAMES) as mpc:
        assert mpc.run(program, {"x": VALUES, "turns": 3})["output"].shape == (2,)
        with pytest.raises(ProgramError, match="TC-1506"):
            mpc.run(program, {"x": VALUES, "turns": 10**12})
