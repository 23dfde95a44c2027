"""Programs in parties that no process controls: one runs them as all do, or nobody goes on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from guarded import guarded, run
from hub import Crash, Sent
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


def at(scale: float) -> Any:
    def program(mpc: tacit.Computation, name: str) -> Any:
        own = {"alice": X, "bob": Y}
        inputs = {key: own[owner] if name == owner else None for key, owner in OWNERS.items()}
        return mpc.run(PROGRAM, {**inputs, "scale": scale})["output"]

    return program


OWNERS = {"x": "alice", "y": "bob"}


def test_every_party_runs_the_program() -> None:
    found = run(at(0.5)).outcome.results
    for name in FOUR:
        np.testing.assert_allclose(found[name].value, expected(), atol=1e-3)
        assert not found[name].incidents


def test_a_party_with_other_public_inputs_stops_all_before_anything_is_computed() -> None:
    hub = run(at(0.5), programs={"carol": guarded(at(0.75))})
    assert set(hub.outcome.errors) == set(FOUR)
    for name, error in hub.outcome.errors.items():
        assert isinstance(error, HandshakeError)
        assert error.code == "TC-3311"
        assert "carol" in error.parties or name == "carol"


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
