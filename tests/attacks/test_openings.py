"""Openings: an altered share or hash is an error, and its recipient gets nothing.

Bites: ``reveal_without_second_copy`` and ``reveal_without_context`` below are the same opening
with the defence taken out, and the same attacks succeed on them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from simulation import NAMES, Simulation

from tacit.encoding import RING64, RING128, Ring
from tacit.encoding.digest import tagged_hash
from tacit.errors import MessageError, VerificationError
from tacit.rounds import Adversary, Message, Round, Step, Tamper
from tacit.rounds.adversary import add_one, flip, replace, replay
from tacit.sharing import Replicated

X = np.arange(-40, 40) * 123_456_789


def opening(
    tamper: Any,
    to: Sequence[int] = (0, 1, 2),
    bits: bool = False,
    step: Any = None,
    over: Ring = RING64,
) -> tuple[list[Any], Adversary]:
    driver = Adversary(NAMES, tamper)
    simulation = Simulation(8, driver, over=over)
    shared = simulation.share_bits(X % 2) if bits else simulation.share(X)
    if step is None:
        step = (lambda p, a: p.reveal_bits(a, to)) if bits else (lambda p, a: p.reveal(a, to))
    return simulation.run(step, shared, stage="opening"), driver


def share_messages(recipient: int) -> tuple[int, int]:
    """Who sends the missing share and who the hash of its second copy."""
    return (recipient - 1) % 3, (recipient + 1) % 3


RECIPIENTS = pytest.mark.parametrize("recipient", [0, 1, 2], ids=NAMES)
KINDS = pytest.mark.parametrize("bits", [False, True], ids=["numbers", "bits"])


@KINDS
@RECIPIENTS
def test_messages_carry_a_share_and_a_hash(recipient: int, bits: bool) -> None:
    """What goes where: otherwise the attacks below might hit the wrong message."""
    _, driver = opening(None, (recipient,), bits)
    holder, second = share_messages(recipient)
    kinds = {(m.sender, m.receiver): (len(m.payload), m.check_bytes) for m in driver.sent}
    size = 16 if bits else 8 * X.size
    assert kinds == {(holder, recipient): (size, 0), (second, recipient): (32, 32)}


RINGS = pytest.mark.parametrize("over", [RING64, RING128], ids=repr)


@RINGS
@KINDS
@RECIPIENTS
@pytest.mark.parametrize("position", [0, 7, 9, 15])
def test_an_altered_share_is_detected(
    recipient: int, bits: bool, position: int, over: Ring
) -> None:
    holder, second = share_messages(recipient)
    driver = Adversary(NAMES, Tamper(flip(position), sender=holder, receiver=recipient))
    simulation = Simulation(8, driver, over=over)
    shared = simulation.share_bits(X % 2) if bits else simulation.share(X)
    with pytest.raises(VerificationError) as caught:
        simulation.run(lambda p, a: (p.reveal_bits if bits else p.reveal)(a, (0, 1, 2)), shared)
    assert caught.value.code == "TC-5200"
    assert set(caught.value.parties) == {NAMES[holder], NAMES[second]}
    assert caught.value.stage == "reveal"
    # Nothing was opened to that party, and the error holds no value.
    assert driver.failed == recipient
    assert recipient not in driver.returned
    assert not any(str(v) in str(caught.value) for v in X if abs(v) > 1000)


@KINDS
@RECIPIENTS
@pytest.mark.parametrize("position", range(0, 32, 5))
def test_an_altered_hash_is_detected(recipient: int, bits: bool, position: int) -> None:
    holder, second = share_messages(recipient)
    with pytest.raises(VerificationError) as caught:
        opening(Tamper(flip(position - 32), sender=second, receiver=recipient), (recipient,), bits)
    assert set(caught.value.parties) == {NAMES[holder], NAMES[second]}


@RINGS
@RECIPIENTS
def test_every_single_word_is_covered(recipient: int, over: Ring) -> None:
    """In the longer ring, both words of every element."""
    holder, _ = share_messages(recipient)
    for word in range(X.size * over.bits // 64):
        with pytest.raises(VerificationError):
            tamper = Tamper(add_one(word), sender=holder, receiver=recipient)
            opening(tamper, (recipient,), over=over)


@RECIPIENTS
def test_a_rushing_sender_gains_nothing_from_the_hash(recipient: int) -> None:
    """It sees the hash before it speaks; whatever else it sends still has another hash."""
    holder, second = share_messages(recipient)

    def after_the_hash(message: Message, seen: Sequence[Message]) -> Sequence[bytes]:
        (digest,) = [m for m in seen if m.sender == second and m.receiver == recipient]
        start = bytes(a ^ b for a, b in zip(message.payload, digest.payload[-32:], strict=False))
        return (start + message.payload[len(start) :],)

    with pytest.raises(VerificationError):
        opening(Tamper(after_the_hash, sender=holder, receiver=recipient), (recipient,))


def test_the_hash_travels_in_the_round_of_the_share() -> None:
    """Not later: nothing that depends on the opened value can be sent before the comparison."""
    _, driver = opening(None)
    assert {m.round for m in driver.sent} == {1}
    assert driver.cost().rounds == 1


def two_openings(p: Any, a: Any) -> Step[Any]:
    first = yield from p.reveal(a, (0, 1, 2))
    second = yield from p.reveal(a, (0, 1, 2))
    return first, second


@RECIPIENTS
def test_a_hash_of_an_earlier_opening_is_refused(recipient: int) -> None:
    """The same value opened twice: even then the first opening's hash does not pass again."""
    _, second = share_messages(recipient)
    with pytest.raises(VerificationError):
        opening(
            Tamper(
                lambda m, seen: (m.payload[:-32] + first_hash(m, seen),),
                sender=second,
                receiver=recipient,
                index=1,
            ),
            step=two_openings,
        )


def first_hash(message: Message, seen: Sequence[Message]) -> bytes:
    (earlier,) = [
        m for m in seen if (m.sender, m.receiver, m.index) == (message.sender, message.receiver, 0)
    ]
    return earlier.payload[-32:]


@RECIPIENTS
def test_an_opening_replayed_from_another_value_is_refused(recipient: int) -> None:
    def step(p: Any, a: Any) -> Step[Any]:
        yield from p.reveal(p.add_public(a, 1 << 40), (0, 1, 2))
        return (yield from p.reveal(p.add(a, a), (0, 1, 2)))

    holder, _ = share_messages(recipient)
    with pytest.raises(VerificationError):
        opening(Tamper(replay(0), sender=holder, receiver=recipient, index=1), step=step)


def test_sharings_with_two_different_copies_do_not_open() -> None:
    simulation = Simulation(8)
    shared = simulation.share(X)
    other = shared[1].own.copy()
    other[3] += np.uint64(1)
    shared[1] = Replicated(other, shared[1].next)
    with pytest.raises(VerificationError):
        simulation.run(lambda p, a: p.reveal(a, (0, 1, 2)), shared)


def test_lengths_in_openings() -> None:
    for sender, receiver in ((0, 1), (2, 1)):
        with pytest.raises(MessageError) as caught:
            opening(Tamper(replace(b"abc"), sender=sender, receiver=receiver), (1,))
        assert caught.value.parties == (NAMES[sender],)


# The same openings with the defence taken out: the attacks above succeed.


def reveal_without_second_copy(party: Any, x: Any) -> Step[Any]:
    """Opens with the share alone."""
    missing = np.empty_like(x.own)
    yield Round(send={party.next: (x.own,)}, receive={party.previous: (missing,)})
    return x.own + x.next + missing


def reveal_without_context(party: Any, x: Any) -> Step[Any]:
    """Opens twice; the hash covers the share and nothing that tells openings apart."""

    def digest(words: Any) -> Any:
        return np.frombuffer(tagged_hash("opening", words), np.uint8)

    for _ in range(2):
        missing, got = np.empty_like(x.own), np.empty(32, np.uint8)
        yield Round(
            send={party.next: (x.own,)},
            receive={party.previous: (missing,)},
            check={party.previous: (digest(x.next),)},
            check_receive={party.next: (got,)},
        )
        if not np.array_equal(digest(missing), got):
            raise VerificationError("differs")
    return x.own + x.next + missing


@RECIPIENTS
def test_without_the_second_copy_a_wrong_value_is_opened(recipient: int) -> None:
    holder, _ = share_messages(recipient)
    results, _ = opening(
        Tamper(add_one(5), sender=holder, receiver=recipient), step=reveal_without_second_copy
    )
    wrong = results[recipient].view(np.int64) - X
    assert wrong[5] == 1
    assert np.count_nonzero(wrong) == 1


@RECIPIENTS
def test_without_context_an_old_hash_passes(recipient: int) -> None:
    _, second = share_messages(recipient)
    results, _ = opening(
        Tamper(
            lambda m, seen: (m.payload[:-32] + first_hash(m, seen),),
            sender=second,
            receiver=recipient,
            index=1,
        ),
        step=reveal_without_context,
    )
    np.testing.assert_array_equal(results[recipient].view(np.int64), X)
