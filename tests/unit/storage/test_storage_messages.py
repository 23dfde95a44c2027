"""Exchange, confirmation and coin: what they give, what they cost, and who lies is found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from tacit.encoding.digest import tagged_hash
from tacit.errors import MessageError, VerificationError
from tacit.rounds import Adversary, LockstepDriver, Step, Tamper
from tacit.rounds.adversary import flip, replace
from tacit.rounds.cost import Declaration
from tacit.rounds.randomness import SystemRandomness
from tacit.storage import messages
from tacit.storage.messages import confirm, confirm_cost, exchange, exchange_cost, toss, toss_cost

NAMES = ("alice", "bob", "carol", "dave")


@dataclass(frozen=True)
class Member:
    names: tuple[str, ...]
    index: int


def run(
    step: Callable[[Member], Step[Any]], count: int = 3, driver: LockstepDriver | None = None
) -> tuple[list[Any], LockstepDriver]:
    driver = driver or LockstepDriver(NAMES[:count])
    members = [Member(NAMES[:count], index) for index in range(count)]
    return driver.run([step(member) for member in members], "test"), driver


def assert_declared(driver: LockstepDriver, declared: Declaration) -> None:
    assert [c.rounds for c in driver.counters] == [declared.rounds] * len(driver.names)
    assert [c.bytes_sent for c in driver.counters] == list(declared.bytes_sent)
    assert [c.check_bytes for c in driver.counters] == list(declared.check_bytes)


@pytest.mark.parametrize("count", [2, 3, 4])
def test_everybody_gets_everybodys_message(count: int) -> None:
    texts = [b"", b"a", b"bc" * 500, b"d"][:count]
    found, driver = run(lambda m: exchange(m, texts[m.index]), count)
    assert found == [texts] * count
    assert_declared(driver, exchange_cost([len(text) for text in texts]))


def test_a_message_that_is_too_long_is_refused_before_it_is_taken() -> None:
    huge = np.array([1 << 40], np.uint64).tobytes()
    driver = Adversary(NAMES[:3], [Tamper(replace(huge), sender=1, receiver=0, round=1)])
    with pytest.raises(MessageError) as caught:
        run(lambda m: exchange(m, b"hello"), driver=driver)
    assert caught.value.code == "TC-5120"
    assert caught.value.parties == ("bob",)


@pytest.mark.parametrize("count", [2, 3, 4])
def test_equal_digests_are_confirmed(count: int) -> None:
    _, driver = run(lambda m: confirm(m, b"same", "a thing"), count)
    assert_declared(driver, confirm_cost(count))


def test_one_that_differs_is_named_by_all_others() -> None:
    with pytest.raises(VerificationError, match="a thing") as caught:
        run(lambda m: confirm(m, b"same" if m.index else b"other", "a thing"))
    assert caught.value.code == "TC-5210"


def coin(member: Member) -> Step[bytearray]:
    return toss(member, b"session", SystemRandomness())


@pytest.mark.parametrize("count", [2, 3, 4])
def test_a_coin_is_equal_everywhere_and_never_twice_the_same(count: int) -> None:
    seen = set()
    for _ in range(3):
        found, driver = run(coin, count)
        assert len({bytes(value) for value in found}) == 1
        seen.add(bytes(found[0]))
        assert_declared(driver, toss_cost(count))
    assert len(seen) == 3


def test_every_bit_of_a_coin_is_random() -> None:
    coins = np.array([list(run(coin)[0][0]) for _ in range(400)], np.uint8)
    ones = np.unpackbits(coins, axis=1).sum(axis=0, dtype=np.int64)
    assert np.abs(ones - 200).max() < 60  # six standard deviations


@pytest.mark.parametrize("sender", [0, 1, 2])
def test_a_part_that_is_opened_to_something_else_names_its_party(sender: int) -> None:
    driver = Adversary(NAMES[:3], [Tamper(flip(3, 1), sender=sender, round=3)])
    with pytest.raises(VerificationError) as caught:
        run(coin, driver=driver)
    assert caught.value.code == "TC-5212"
    assert caught.value.parties == (NAMES[sender],)


def split_commitment() -> list[Tamper]:
    """Bob commits to one thing with alice and to another with carol, and opens both well."""
    other = bytes(range(32))
    commitment = tagged_hash("coin commitment", b"session", bytes([1]), other)
    return [
        Tamper(replace(commitment), sender=1, receiver=2, round=1),
        Tamper(replace(other), sender=1, receiver=2, round=3),
    ]


def test_different_commitments_for_different_parties_are_found() -> None:
    with pytest.raises(VerificationError) as caught:
        run(coin, driver=Adversary(NAMES[:3], split_commitment()))
    assert caught.value.code == "TC-5211"


def test_without_the_echo_the_parties_would_get_different_coins(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Bites: the echo is a constant."""
    original = messages.tagged_hash
    monkeypatch.setattr(
        messages,
        "tagged_hash",
        lambda purpose, *fields: (
            bytes(32) if purpose == "coin echo" else original(purpose, *fields)
        ),
    )
    found, _ = run(coin, driver=Adversary(NAMES[:3], split_commitment()))
    assert len({bytes(value) for value in found}) == 2


def test_a_commitment_of_another_party_or_session_does_not_pass() -> None:
    """A copied commitment, opened to the same bytes, is another party's."""

    def copy(message: Any, seen: Any) -> list[bytes]:
        return [m.payload for m in seen if (m.sender, m.round) == (0, message.round)][-1:]

    driver = Adversary(NAMES[:3], [Tamper(copy, sender=1)])
    with pytest.raises(VerificationError) as caught:
        run(coin, driver=driver)
    assert caught.value.code in ("TC-5211", "TC-5212")
