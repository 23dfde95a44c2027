"""The adversarial driver does to messages what it is told, to those messages alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from tacit.errors import MessageError
from tacit.rounds import Adversary, LockstepDriver, Message, Round, Step, Tamper
from tacit.rounds.adversary import (
    Rewrite,
    add_one,
    cut,
    delay,
    drop,
    flip,
    lengthen,
    replace,
    replay,
)

NAMES = ("alice", "bob", "carol")


def broadcast(index: int, rounds: int = 3) -> Step[list[tuple[int, int]]]:
    """In each round tell both peers 10 · round + index; return what both said."""
    heard = []
    peers = [p for p in range(3) if p != index]
    for turn in range(rounds):
        mine = np.array([10 * turn + index], np.uint64)
        boxes = {p: np.empty(1, np.uint64) for p in peers}
        yield Round(send=dict.fromkeys(peers, (mine,)), receive={p: (boxes[p],) for p in peers})
        heard.append(tuple(int(boxes[p][0]) for p in peers))
    return heard


def run(tamper: Tamper | Sequence[Tamper] | None) -> tuple[list[Any], Adversary]:
    driver = Adversary(NAMES, tamper)
    return driver.run([broadcast(i) for i in range(3)]), driver


HONEST = LockstepDriver(NAMES).run([broadcast(i) for i in range(3)])


def test_without_tampering_nothing_changes_and_all_is_heard() -> None:
    results, driver = run(None)
    assert results == HONEST
    assert len(driver.sent) == len(driver.delivered) == 18
    assert [m.payload for m in driver.sent] == [m.payload for m in driver.delivered]
    assert driver.cost().bytes_sent == dict.fromkeys(NAMES, 48)
    assert driver.view(2) == b"".join(
        value.to_bytes(8, "little") for turn in range(3) for value in (10 * turn, 10 * turn + 1)
    )


def test_a_message_is_altered_at_its_receiver_alone() -> None:
    results, _ = run(Tamper(add_one(), sender=0, receiver=1, round=2))
    assert results[1] == [(0, 2), (11, 12), (20, 22)]
    assert results[2] == HONEST[2]
    assert results[0] == HONEST[0]


def test_keys_are_sender_receiver_round_and_index() -> None:
    tamper = Tamper(replace(bytes(8)), sender=2, index=1)
    results, _ = run(tamper)
    assert results[0] == [(1, 2), (11, 0), (21, 22)]
    assert results[1] == [(0, 2), (10, 0), (20, 22)]


def test_the_first_match_applies() -> None:
    results, _ = run(
        [Tamper(flip(0, 0x80), sender=0, round=1), Tamper(replace(bytes(8)), sender=0)]
    )
    assert results[1] == [(128, 2), (0, 12), (0, 22)]


@pytest.mark.parametrize(
    ("rewrite", "words"),
    [
        (drop(), "nothing came"),
        (cut(1), "7 bytes in round 2"),
        (cut(100), "0 bytes in round 2"),
        (lengthen(b"xy"), "10 bytes in round 2"),
    ],
)
def test_missing_and_wrong_lengths_end_the_run(rewrite: Rewrite, words: str) -> None:
    with pytest.raises(MessageError, match=words) as caught:
        run(Tamper(rewrite, sender=0, receiver=2, round=2))
    assert caught.value.parties == ("alice",)


def test_dropped_for_one_and_sent_to_the_other() -> None:
    driver = Adversary(NAMES, Tamper(drop(), sender=0, receiver=2, round=1))
    with pytest.raises(MessageError, match="carol waits for 8 bytes from alice"):
        driver.run([broadcast(i) for i in range(3)])
    assert [m for m in driver.delivered if (m.sender, m.receiver) == (0, 1)]


def test_an_earlier_message_is_replayed() -> None:
    results, _ = run(Tamper(replay(0), sender=1, receiver=0, round=3))
    assert results[0] == [(1, 2), (11, 12), (1, 22)]


def test_a_delayed_message_takes_the_place_of_a_later_one() -> None:
    results, _ = run([Tamper(delay(1, filler=b"\xff" * 8), sender=1, receiver=0)])
    assert results[0] == [(2**64 - 1, 2), (1, 12), (11, 22)]


def test_a_delayed_message_without_filler_is_missed() -> None:
    with pytest.raises(MessageError, match="nothing came"):
        run(Tamper(delay(1), sender=1, receiver=0, round=1))


def test_two_messages_for_one_leave_one_over() -> None:
    def twice(message: Message, seen: Sequence[Message]) -> Sequence[bytes]:
        return (message.payload, message.payload)

    with pytest.raises(MessageError, match="nobody awaited"):
        run(Tamper(twice, sender=1, receiver=0, round=3))


def test_an_adaptive_party_speaks_last() -> None:
    """Bob, who speaks before Carol in lockstep, copies what she says in the same round."""

    def copy_carol(message: Message, seen: Sequence[Message]) -> Sequence[bytes]:
        carols = [m for m in seen if m.sender == 2 and m.round == message.round]
        assert {m.receiver for m in carols} == {0, 1}
        assert not [m for m in seen if m.sender == 1 and m.round == message.round]
        return (carols[0].payload,)

    results, _ = run(Tamper(copy_carol, sender=1, receiver=0))
    assert results[0] == [(2, 2), (12, 12), (22, 22)]


def test_messages_know_their_check_bytes_and_print_no_payload() -> None:
    def step(index: int) -> Step[None]:
        if index == 0:
            yield Round(
                send={1: (np.full(4, 0x41, np.uint8),)}, check={1: (np.zeros(32, np.uint8),)}
            )
        elif index == 1:
            yield Round(
                receive={0: (np.zeros(4, np.uint8),)}, check_receive={0: (np.zeros(32, np.uint8),)}
            )
        else:
            yield Round()

    driver = Adversary(NAMES)
    driver.run([step(i) for i in range(3)])
    (message,) = driver.sent
    assert message.check_bytes == 32
    assert len(message.payload) == 36
    assert "AAAA" not in repr(message)
    assert "36 bytes" in repr(message)


def test_who_failed_and_who_had_returned_is_known() -> None:
    def step(index: int) -> Step[str]:
        yield Round()
        if index == 1:
            raise RuntimeError("on purpose")
        return "done"

    driver = Adversary(NAMES)
    with pytest.raises(RuntimeError):
        driver.run([step(i) for i in range(3)])
    assert driver.failed == 1
    assert driver.returned == {0: "done"}
