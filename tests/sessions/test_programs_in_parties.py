"""Programs in parties that no process controls: one runs them as all do, or nobody goes on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from guarded import guarded, run
from hub import Crash, Hub, Sent
from simulation import FOUR

import tacit
from tacit import ArraySpec
from tacit.errors import HandshakeError

X, Y = np.array([[0.5, -1.0], [2.0, 0.25]]), np.array([[1.5, 1.0], [-0.5, 3.0]])


def products(x: Any, y: Any, scale: Any) -> Any:
    def body(i: Any, carry: list[Any]) -> list[Any]:
        return [tacit.relu(carry[0] @ y) * scale + i]

    return tacit.fori_loop(0, 3, body, [x])[0]


PROGRAM = tacit.trace(
    products,
    ArraySpec((2, 2), owner="alice", bounds=(-4, 4)),
    ArraySpec((2, 2), owner="bob", bounds=(-4, 4)),
    ArraySpec((), public=True),
)


def expected() -> Any:
    value = X
    for i in range(3):
        value = np.maximum(value @ Y, 0) * 0.5 + i
    return value


OTHER = tacit.trace(
    lambda x, y, scale: products(x, y, scale) + 1.0,
    ArraySpec((2, 2), owner="alice", bounds=(-4, 4)),
    ArraySpec((2, 2), owner="bob", bounds=(-4, 4)),
    ArraySpec((), public=True),
)


def at(scale: float, what: tacit.Program = PROGRAM) -> Any:
    def program(mpc: tacit.Computation, name: str) -> Any:
        own = {"alice": X, "bob": Y}
        inputs = {key: own[owner] if name == owner else None for key, owner in OWNERS.items()}
        return mpc.run(what, {**inputs, "scale": scale})["output"]

    return program


def nothing(mpc: tacit.Computation, name: str) -> None:
    """A session in which nobody does anything."""


def sharing(mpc: tacit.Computation, name: str) -> Any:
    """An input is shared already when the program runs."""
    x = mpc.share(X if name == "alice" else None, "alice", dtype=tacit.fixed, shape=(2, 2))
    return mpc.run(PROGRAM, {"x": x, "y": Y if name == "bob" else None, "scale": 0.5})


OWNERS = {"x": "alice", "y": "bob"}


def test_every_party_runs_the_program() -> None:
    found = run(at(0.5)).outcome.results
    for name in FOUR:
        np.testing.assert_allclose(found[name].value, expected(), atol=1e-3)
        assert not found[name].incidents


@pytest.mark.parametrize(
    "other", [at(0.75), at(0.5, OTHER)], ids=["another public input", "another program"]
)
def test_a_party_that_runs_something_else_stops_all_before_an_input_is_sent(other: Any) -> None:
    """The messages of rounds are those of a session in which nobody does anything."""

    def rounds_of(program: Any, of_carol: Any) -> tuple[Hub, int]:
        rounds: list[Sent] = []

        def adversary(message: Sent) -> Sequence[bytes]:
            if message.kind == "round":
                rounds.append(message)
            return (message.payload,)

        hub = run(program, adversary, programs={"carol": guarded(of_carol)})
        return hub, len(rounds)

    hub, sent = rounds_of(at(0.5), other)
    assert set(hub.outcome.errors) == set(FOUR)
    for name, error in hub.outcome.errors.items():
        assert isinstance(error, HandshakeError)
        assert error.code == "TC-3311"
        assert "carol" in error.parties or name == "carol"
    assert sent == rounds_of(nothing, nothing)[1] < rounds_of(at(0.5), at(0.5))[1]


def test_all_parties_must_have_shared_the_same_inputs_before() -> None:
    def not_yet(mpc: tacit.Computation, name: str) -> Any:
        mpc.share(X if name == "alice" else None, "alice", dtype=tacit.fixed, shape=(2, 2))
        return at(0.5)(mpc, name)

    hub = run(sharing, programs={"carol": guarded(not_yet)})
    assert {error.code for error in hub.outcome.errors.values()} == {"TC-3311"}
    assert set(hub.outcome.errors) == set(FOUR)


@pytest.mark.parametrize("number", [70, 90, 110])
def test_a_program_outlives_a_party(number: int) -> None:
    """Lost in the middle of the loop: the others finish it with the same result."""

    def adversary(message: Sent) -> Sequence[bytes]:
        if message.sender == "carol" and message.number == number:
            raise Crash
        return (message.payload,)

    hub = run(at(0.5), adversary)
    assert list(hub.outcome.errors) == ["carol"]
    for name in ("alice", "bob", "dave"):
        seen = hub.outcome.results[name]
        np.testing.assert_allclose(seen.value, expected(), atol=1e-3)
        assert [one.party for one in seen.incidents] == ["carol"]
