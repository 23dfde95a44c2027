"""Parties that run ahead under ``fantastic4``: a corrupt owner waits with its input.

The fourth party is sent nothing of an input. On links where nobody waits for more than its own
messages it would go on to the next opening, in which it is the one that sends to the owner, and the
owner would choose its input by what it learned. The receipts hold it back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from running_ahead import RunningAhead
from simulation import FOUR, Simulation

from tacit.errors import VerificationError
from tacit.protocols.fantastic4 import io
from tacit.rounds import Adversary, Round, Step, Tamper
from tacit.rounds.adversary import flip

ALL = (0, 1, 2, 3)
TARGET = 1000


def values_of(name: str, value: int) -> NDArray[Any]:
    """A ring element, or its ten low bits."""
    if name == "input":
        return np.array([value % 2**64], np.uint64)
    return (value >> np.arange(10) & 1).astype(np.uint8)


def opened(name: str, party: Any, x: Any, y: Any) -> Step[Any]:
    """The sum or the exclusive or, to all."""
    if name == "input":
        return party.reveal(party.add(x, y), ALL)
    return party.reveal_bits(party.xor(x, y), ALL)


def program(name: str, party: Any, other: int, owner: int, secret: int) -> Step[Any]:
    """What honest parties run: an input of each of two parties, then an opening."""
    mine = values_of(name, secret)
    y = yield from getattr(party, name)(other, mine if party.index == other else None, mine.shape)
    x = yield from getattr(party, name)(owner, None, mine.shape)
    return (yield from opened(name, party, x, y))


def waiting(name: str, party: Any, other: int) -> Step[int]:
    """The corrupt owner: it has the opening's message before it shares what suits it."""
    owner, shape = party.index, values_of(name, 0).shape
    y = yield from getattr(party, name)(other, None, shape)
    early = np.empty(1, np.uint64)
    yield Round(receive={(owner + 3) % 4: (early,)})
    # Its own share 'owner' of its input is 0, so the message is that share of y.
    words = [early, *y.shares.values()]
    learnt = sum(int(w[0]) for w in words) % 2**64
    if name == "input_bits":
        learnt = int(np.bitwise_xor.reduce(words)[0]) % 1024
    chosen = TARGET - learnt if name == "input" else TARGET ^ learnt
    x = yield from getattr(party, name)(owner, values_of(name, chosen), shape)
    opening = next(opened(name, party, x, y))
    yield Round(opening.send, {}, opening.check, {})
    return learnt


def attack(name: str, owner: int, other: int, secret: int, seed: int) -> RunningAhead:
    parties = Simulation(seed + 1, protocol="fantastic4").parties
    steps = {p.index: program(name, p, other, owner, secret) for p in parties if p.index != owner}
    driver = RunningAhead({**steps, owner: waiting(name, parties[owner], other)}, seed=seed)
    driver.run()
    return driver


def without_receipts(monkeypatch: pytest.MonkeyPatch) -> None:
    """INSECURE: the input as it would be if the fourth party did not wait."""
    real = io._share

    def insecure(party: Any, owner: int, *rest: Any) -> Step[Mapping[int, Any]]:
        step, last = real(party, owner, *rest), (owner + 3) % 4
        yield next(step)
        second = next(step)
        if party.index == last:
            yield Round()
        else:
            check = {peer: sent for peer, sent in second.check.items() if peer != last}
            yield Round(check=check, check_receive=second.check_receive)
        try:
            next(step)
        except StopIteration as stop:
            return stop.value  # type: ignore[no-any-return]
        raise AssertionError("a third round")

    def unread(party: Any, nonce: int, owner: int, receivers: Sequence[int]) -> Step[None]:
        yield Round()

    monkeypatch.setattr(io, "_share", insecure)
    monkeypatch.setattr(io, "_await_receipts", unread)


@pytest.mark.parametrize("name", ["input", "input_bits"])
@pytest.mark.parametrize("owner", ALL)
def test_an_owner_cannot_wait_for_an_opening(name: str, owner: int) -> None:
    for secret, seed in ((5, 0), (777, 1)):
        for other in (k for k in ALL if k != owner):
            driver = attack(name, owner, other, secret, seed)
            assert driver.results == driver.errors == {}


@pytest.mark.parametrize("name", ["input", "input_bits"])
@pytest.mark.parametrize("owner", ALL)
def test_without_receipts_it_chooses_the_result(
    monkeypatch: pytest.MonkeyPatch, name: str, owner: int
) -> None:
    without_receipts(monkeypatch)
    for secret, seed in ((5, 0), (777, 1)):
        driver = attack(name, owner, (owner + 3) % 4, secret, seed)
        assert driver.results.pop(owner) == secret
        for result in driver.results.values():
            np.testing.assert_array_equal(result, values_of(name, TARGET))
        assert len(driver.results) == 3


def test_honest_parties_that_run_ahead_finish() -> None:
    for seed in range(5):
        parties = Simulation(1, protocol="fantastic4").parties

        def step(p: Any) -> Step[Any]:
            x = yield from p.input(0, values_of("input", 3) if p.index == 0 else None, (1,))
            y = yield from p.input(3, values_of("input", 4) if p.index == 3 else None, (1,))
            return (yield from p.reveal((yield from p.multiply(x, y)), ALL))

        driver = RunningAhead({p.index: step(p) for p in parties}, seed=seed)
        driver.run()
        assert [int(driver.results[i][0]) for i in ALL] == [12] * 4


def test_one_receipt_is_not_enough() -> None:
    """The fourth party starves when either is withheld."""
    for silent in (1, 2):
        parties = Simulation(1, protocol="fantastic4").parties
        steps = {
            p.index: p.input(0, values_of("input", 3) if p.index == 0 else None, (1,))
            for p in parties
        }
        driver = RunningAhead(
            steps, lambda s, r, k, m, silent=silent: None if (s, r) == (silent, 3) else m
        )
        driver.run()
        assert sorted(driver.results) == [0, 1, 2]


@pytest.mark.parametrize("liar", [1, 2])
def test_a_wrong_receipt_names_its_sender(liar: int) -> None:
    simulation = Simulation(1, Adversary(FOUR, Tamper(flip(), liar, 3, 2)), "fantastic4")
    with pytest.raises(VerificationError, match="receipt") as caught:
        simulation.run(lambda p: p.input(0, values_of("input", 3) if p.index == 0 else None, (1,)))
    assert caught.value.code == "TC-5203"
    assert caught.value.parties == (FOUR[liar],)
