"""Pitfall: a check that comes later than the messages which depend on what it checks.

Here the second copy's hash comes in the round of the share, and a recipient compares before it
sends anything else. The weakened variant compares one round later and has by then told another
party something that depends on the altered value.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from simulation import NAMES, Simulation

from tacit.encoding.digest import tagged_hash
from tacit.errors import VerificationError
from tacit.rounds import Adversary, Round, Step, Tamper
from tacit.rounds.adversary import add_one

X = np.arange(20)


def and_then_tell(opening: Any) -> Any:
    """Open to party 1, which then sends what it saw to party 2."""

    def step(p: Any, x: Any) -> Step[None]:
        opened = yield from opening(p, x)
        if p.index == 1:
            yield Round(send={2: (opened,)})
        elif p.index == 2:
            yield Round(receive={1: (np.empty(X.size, np.uint64),)})
        else:
            yield Round()

    return step


def real(p: Any, x: Any) -> Step[Any]:
    return (yield from p.reveal(x, (1,)))


def deferred(p: Any, x: Any) -> Step[Any]:
    """The hash comes, and is compared, one round after the share; others go on meanwhile."""
    digest = np.frombuffer(tagged_hash("opening", np.ascontiguousarray(x.next)), np.uint8)
    missing, got = np.empty_like(x.own), np.empty(32, np.uint8)
    if p.index == 0:
        yield Round(send={1: (x.own,)})
        yield Round()
        return None
    if p.index == 2:
        yield Round()
        told = np.empty_like(x.own)
        yield Round(check={1: (digest,)}, receive={1: (told,)})
        return None
    yield Round(receive={0: (missing,)})
    opened = x.own + x.next + missing
    yield Round(send={2: (opened,)}, check_receive={2: (got,)})
    if tagged_hash("opening", missing) != got.tobytes():
        raise VerificationError("too late")
    return opened


def attack(step: Any) -> Adversary:
    driver = Adversary(NAMES, Tamper(add_one(3), sender=0, receiver=1, index=0))
    simulation = Simulation(2, driver)
    with pytest.raises(VerificationError):
        simulation.run(step, simulation.share(X))
    assert driver.failed == 1
    return driver


def test_nothing_depends_on_a_value_before_its_check() -> None:
    driver = attack(and_then_tell(real))
    assert [m for m in driver.sent if m.sender == 1] == []


def test_a_deferred_check_comes_too_late() -> None:
    driver = attack(deferred)
    (told,) = [m for m in driver.sent if m.sender == 1]
    leaked = np.frombuffer(told.payload, np.int64)
    np.testing.assert_array_equal(leaked - X, np.arange(X.size) == 3)


def test_shares_and_hashes_of_an_opening_share_their_round() -> None:
    """Structurally: every round of a reveal that awaits a share awaits its hash as well."""
    simulation = Simulation(2)
    for party, share in zip(simulation.parties, simulation.share(X), strict=True):
        rounds = 0
        step = party.reveal(share, (0, 1, 2))
        current = next(step)
        rounds += 1
        assert bool(current.receive) == bool(current.check_receive)
        assert bool(current.send) == bool(current.check)
        step.close()
        assert rounds == 1
