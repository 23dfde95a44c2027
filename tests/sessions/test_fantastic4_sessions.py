"""``fantastic4`` in sessions of every kind: the set-up runs by itself, disputes reach the user."""

from __future__ import annotations

import json

import numpy as np
import pytest

import tacit
from tacit.errors import DisputeError, TacitError, UsageError, VerificationError
from tacit.protocols import protocol_named
from tacit.protocols.fantastic4.keys import SET_UP_COST
from tacit.rounds import Adversary, LockstepDriver, Tamper
from tacit.rounds.adversary import flip
from tacit.rounds.randomness import SeededRandomness
from tacit.sessions import LocalSession

NAMES = ("alice", "bob", "carol", "dave")
FANTASTIC4 = protocol_named("fantastic4")
X = np.linspace(-2, 2, 12).reshape(3, 4)


def test_four_parties_have_the_usual_names() -> None:
    with tacit.local("fantastic4") as mpc:
        assert mpc.parties == NAMES
        x, y = mpc.share(X, owner="dave"), mpc.share(X.T, owner="alice")
        np.testing.assert_allclose((x @ y).reveal(to="all"), X @ X.T, atol=1e-4)
        assert list((x > 0).reveal(to=["dave"])) == ["dave"]


def test_the_set_up_comes_first_and_is_counted() -> None:
    driver = LockstepDriver(NAMES)
    with LocalSession(FANTASTIC4, NAMES, SeededRandomness(1), driver) as session:
        cost = session.total_cost
        assert cost.rounds == SET_UP_COST.rounds
        assert tuple(cost.check_bytes.values()) == tuple(SET_UP_COST.check_bytes)
        assert not any(cost.bytes_sent.values())


def test_keys_are_fresh_in_every_session() -> None:
    def element(seed: int | None) -> float:
        with tacit.local("fantastic4", seed=seed) as mpc:
            (party, *_) = mpc.session.members  # type: ignore[attr-defined]
            return float(party.random((1,)).shares[1][0])

    assert element(None) != element(None)
    assert element(5) == element(5)


def test_a_split_set_up_opens_no_session() -> None:
    with pytest.raises(VerificationError, match="TC-5201"):
        LocalSession(FANTASTIC4, NAMES, None, Adversary(NAMES, Tamper(flip(), 2, 1, 3)))


def test_a_dispute_ends_the_session() -> None:
    driver = Adversary(NAMES)
    session = LocalSession(FANTASTIC4, NAMES, SeededRandomness(1), driver)
    x = session.share(X, "bob")
    driver.tampers = (Tamper(flip(), sender=1),)
    with pytest.raises(DisputeError) as caught:
        session.apply("multiply", (x, x))
    assert caught.value.dispute is not None
    assert "bob" in caught.value.dispute.suspects
    with pytest.raises(UsageError, match="DisputeError"):
        session.reveal(x, "all")


def test_a_dispute_travels_between_processes_as_data() -> None:
    driver = Adversary(NAMES)
    session = LocalSession(FANTASTIC4, NAMES, SeededRandomness(1), driver)
    x = session.share(X, "bob")
    driver.tampers = (Tamper(flip(), sender=1),)
    with pytest.raises(DisputeError) as caught:
        session.apply("multiply", (x, x))
    data = json.loads(json.dumps(caught.value.as_dict()))
    again = TacitError.from_dict(data)
    assert isinstance(again, DisputeError)
    assert again.dispute == caught.value.dispute


@pytest.mark.processes
def test_one_process_each() -> None:
    with tacit.local("fantastic4", processes=True) as mpc:
        x = mpc.share(X, owner="carol")
        opened = tacit.sigmoid(x @ x.T).reveal(to="all")
        np.testing.assert_allclose(opened, 1 / (1 + np.exp(-(X @ X.T))), atol=1e-3)
        order = tacit.sort(x.reshape(12)).reveal(to=["dave"])
        np.testing.assert_allclose(order["dave"], np.sort(X.reshape(12)), atol=1e-5)
        cost = mpc.total_cost
        assert cost.rounds > SET_UP_COST.rounds
        assert all(cost.check_bytes[name] > SET_UP_COST.check_bytes[0] for name in NAMES)
