"""The attack of ePrint 2026/234 on deferred checks: it succeeds there, and fails against ours.

The circuit is c = a · b; e = c · d, with d secret. Corrupt party 2 adds 1 to its message to party 1
in the first product, INP(2, 3, 1, 0), so that party 1 holds share c_0 + 1. In the second product
party 1 sends party 2 its F_02(c, d) - s in INP(1, 3, 2, 0), now off by d_2 - d_0, while the digest
of party 3, who holds the right c_0, is of the right one. Party 2 lacks d_2, but it knows d_0, d_1
and d_3: each guess of d gives a payload, and the digest tells which is right.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from insecure_deferred import insecure_exchange, settle
from simulation import FOUR, Simulation

from tacit.encoding import RING64
from tacit.errors import DisputeError
from tacit.protocols.fantastic4 import arithmetic
from tacit.protocols.fantastic4.groups import elements_of
from tacit.protocols.fantastic4.joint import digest_of
from tacit.rounds import Adversary, Step, Tamper
from tacit.rounds.adversary import add_one

CORRUPT = 2
SECRET = 1234
GUESSES = range(2000)


def circuit(p: Any, a: Any, b: Any, d: Any) -> Step[Any]:
    c = yield from p.multiply(a, b)
    return (yield from p.multiply(c, d))


def and_settle(p: Any, a: Any, b: Any, d: Any) -> Step[Any]:
    e = yield from circuit(p, a, b, d)
    settle(p)
    return e


def run(step: Any, tamper: Any) -> tuple[Simulation, Adversary, Any, bool]:
    """The simulation, its wire, the parts of d, and whether somebody noticed in the end."""
    driver = Adversary(FOUR, tamper)
    simulation = Simulation(4, driver, "fantastic4")
    a, b, d = (simulation.share([value]) for value in (5, 7, SECRET))
    try:
        simulation.run(step, a, b, d)
    except DisputeError:
        return simulation, driver, d, True
    return simulation, driver, d, False


def guessed(simulation: Simulation, driver: Adversary, d: Any) -> list[int]:
    """What party 2 finds, from what it received in round 2, its keys and its shares alone."""
    received = {m.sender: m for m in driver.delivered if m.round == 2 and m.receiver == CORRUPT}
    if not received:
        return []
    party, shares = simulation.parties[CORRUPT], d[CORRUPT].shares
    roles = (1, 3, 2, 0)
    payload = np.frombuffer(received[1].payload[:8], np.uint64)
    vouchers = received[3].payload
    nonce = 2
    found = []
    for guess in GUESSES:
        d_2 = np.uint64(guess) - shares[0] - shares[1] - shares[3]
        right = payload - (d_2 - shares[0])
        digest = digest_of(party, nonce, roles, 0, [right])
        if digest in vouchers:
            found.append(guess)
    return found


def weaken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let products send their messages one by one, through the weakened copy."""
    slow = replace(elements_of(RING64), joint=None)
    monkeypatch.setattr(arithmetic, "elements_of", lambda ring: slow)
    monkeypatch.setattr(arithmetic, "exchange", insecure_exchange)


TAMPERED = Tamper(add_one(), sender=CORRUPT, receiver=1, round=1)


def test_deferred_checks_give_the_secret_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """The attack works, although the comparisons at the end notice that something was wrong."""
    weaken(monkeypatch)
    simulation, driver, d, noticed = run(and_settle, TAMPERED)
    assert noticed
    assert guessed(simulation, driver, d) == [SECRET]


def test_the_attack_needs_the_tampering(monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: from an honest run's second round nothing follows, with or without deferral."""
    simulation, driver, d, noticed = run(circuit, None)
    assert not noticed
    assert guessed(simulation, driver, d) == []
    weaken(monkeypatch)
    simulation, driver, d, noticed = run(and_settle, None)
    assert not noticed
    assert guessed(simulation, driver, d) == []


def test_ours_stops_before_the_second_product() -> None:
    simulation, driver, d, noticed = run(circuit, TAMPERED)
    assert noticed
    assert driver.failed == 1
    assert {m.round for m in driver.sent} == {1}
    assert guessed(simulation, driver, d) == []


@pytest.mark.parametrize("corrupt", range(4), ids=FOUR)
def test_every_message_of_the_first_product_stops_it(corrupt: int) -> None:
    """The same from every corrupt party, to every receiver: nobody sends anything in round 2."""
    _, honest, _, _ = run(circuit, None)
    hit = [m for m in honest.sent if m.round == 1 and m.sender == corrupt]
    assert hit
    for message in hit:
        driver = Adversary(FOUR, Tamper(add_one(), corrupt, message.receiver, 1))
        simulation = Simulation(4, driver, "fantastic4")
        shared = [simulation.share([value]) for value in (5, 7, SECRET)]
        with pytest.raises(DisputeError) as caught:
            simulation.run(circuit, *shared)
        assert FOUR[corrupt] in caught.value.parties
        assert driver.failed == message.receiver
        assert {m.round for m in driver.sent} == {1}


def test_the_package_does_not_import_the_weakened_copy() -> None:
    import tacit

    assert not any("insecure_deferred" in name for name in vars(tacit))
