"""``replicated3_active``: no owner learns anything that depends on its input before it has chosen.

The attack of a corrupt owner on a sharing that only one honest party hears of: it withholds its
message, the other honest party runs ahead into the opening and sends its share, and the owner
inputs what makes the result what it likes. It succeeds against a copy whose inputs are not
acknowledged (here, not in the package).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from running_ahead import RunningAhead
from simulation import NAMES, Simulation

from tacit.errors import VerificationError
from tacit.protocols.replicated3_active import io
from tacit.rounds import Round, Step

SECRET, TARGET = 123_456, 1000
CORRUPT = pytest.mark.parametrize("corrupt", [0, 1, 2], ids=NAMES)


def word(value: int) -> Any:
    return np.array([value], np.uint64)


def program(p: Any, corrupt: int) -> Step[Any]:
    """The secret of the party behind the corrupt one, plus the corrupt one's number, to all."""
    owner = (corrupt + 2) % 3
    secret = yield from p.input(owner, word(SECRET) if p.index == owner else None, (1,))
    chosen = yield from p.input(corrupt, word(7) if p.index == corrupt else None, (1,))
    return (yield from p.reveal(p.add(secret, chosen), (0, 1, 2)))


def late(p: Any) -> Step[Any]:
    """The corrupt party: first reads the opening, then inputs."""
    owner, share = p.previous, np.empty(1, np.uint64)
    secret = yield from p.input(owner, None, (1,))
    yield Round(receive={owner: (share,)})
    learned = secret.own + secret.next + share
    chosen = yield from p.input(p.index, word(TARGET) - learned, (1,))
    opening = next(p.reveal(p.add(secret, chosen), (0, 1, 2)))
    yield Round(send=opening.send, check=opening.check)
    return learned


def attack(corrupt: int, seed: int) -> RunningAhead:
    parties = Simulation(protocol="replicated3_active").parties
    steps = {p.index: late(p) if p.index == corrupt else program(p, corrupt) for p in parties}
    driver = RunningAhead(steps, seed=seed)
    driver.run()
    return driver


def unacknowledged(party: Any, owner: int) -> Step[None]:
    """The weakened copy. Insecure; it exists only here."""
    return
    yield


@CORRUPT
@pytest.mark.parametrize("seed", range(5))
def test_an_owner_that_waits_sees_nothing(corrupt: int, seed: int) -> None:
    driver = attack(corrupt, seed)
    assert not driver.results
    assert not driver.errors
    assert driver.take((corrupt + 2) % 3, corrupt) is None


@CORRUPT
def test_without_acknowledgement_the_owner_chooses_the_result(
    corrupt: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(io, "acknowledge", unacknowledged)
    driver = attack(corrupt, seed=1)
    assert driver.results.pop(corrupt) == SECRET
    assert [int(opened[0]) for opened in driver.results.values()] == [TARGET, TARGET]


@pytest.mark.parametrize("seed", range(5))
def test_honest_parties_that_run_ahead_get_the_result(seed: int) -> None:
    parties = Simulation(protocol="replicated3_active").parties
    driver = RunningAhead({p.index: program(p, 1) for p in parties}, seed=seed)
    driver.run()
    assert [int(driver.results[i][0]) for i in range(3)] == [SECRET + 7] * 3


def one_input(p: Any, kind: str, owner: int) -> Step[Any]:
    values = word(1) if kind == "input" else np.ones(1, np.uint8)
    return (yield from getattr(p, kind)(owner, values if p.index == owner else None, (1,)))


@CORRUPT
@pytest.mark.parametrize("kind", ["input", "input_bits"])
@pytest.mark.parametrize("held", [0, 1], ids=["input", "acknowledgement"])
def test_no_honest_party_ends_an_input_that_is_not_fixed(
    corrupt: int, kind: str, held: int
) -> None:
    """Nor without the message that says so."""
    holder, third = (corrupt + 1) % 3, (corrupt + 2) % 3
    silent = [(corrupt, holder), (holder, third)][held]

    def carry(sender: int, receiver: int, index: int, payload: bytes) -> bytes | None:
        return None if (sender, receiver) == silent else payload

    parties = Simulation(protocol="replicated3_active").parties
    driver = RunningAhead({p.index: one_input(p, kind, corrupt) for p in parties}, carry)
    driver.run()
    assert third not in driver.results
    assert (holder in driver.results) == bool(held)
    assert not driver.errors


def test_the_acknowledgement_of_another_input_is_none() -> None:
    kept: list[bytes] = []

    def replay(sender: int, receiver: int, index: int, payload: bytes) -> bytes:
        if (sender, receiver) != (1, 2):
            return payload
        kept.append(payload)
        return kept[0]

    def twice(p: Any) -> Step[None]:
        yield from one_input(p, "input", 0)
        yield from one_input(p, "input", 0)

    parties = Simulation(protocol="replicated3_active").parties
    driver = RunningAhead({p.index: twice(p) for p in parties}, replay)
    driver.run()
    assert set(driver.errors) == {2}
    error = driver.errors[2]
    assert isinstance(error, VerificationError)
    assert (error.code, error.parties) == ("TC-5200", (NAMES[1],))
