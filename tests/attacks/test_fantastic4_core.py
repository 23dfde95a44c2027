"""Every message of ``fantastic4``'s core altered in turn: the receiver stops, and names the sender.

After each primitive comes a product of what it gave, so that a check which came later would be
seen: in no case does anybody send anything in the rounds after the one that was tampered with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from simulation import FOUR, Simulation

from tacit.errors import DisputeError, MessageError, PeerFaultError, TacitError
from tacit.rounds import Adversary, Message, Step, Tamper
from tacit.rounds.adversary import Rewrite, cut, delay, drop, flip, lengthen, replace

SIZE = 70
ALL = (0, 1, 2, 3)
X = np.arange(SIZE) * 1000 - 30_000
BITS = np.arange(SIZE, dtype=np.uint8) % 2


def owned(name: str, owner: int) -> Callable[..., Any]:
    values = X.astype(np.uint64) if name == "input" else BITS
    return lambda p, x, a: getattr(p, name)(owner, values if p.index == owner else None, (SIZE,))


STEPS: dict[str, Callable[..., Any]] = {
    "multiply": lambda p, x, a: p.multiply(x, x),
    "matmul": lambda p, x, a: p.matmul(x.reshape(7, 10), x.reshape(10, 7)),
    "bitwise_and": lambda p, x, a: p.bitwise_and(a, a),
    "reveal": lambda p, x, a: p.reveal(x, ALL),
    "reveal to one": lambda p, x, a: p.reveal(x, (2,)),
    "reveal_bits": lambda p, x, a: p.reveal_bits(a, ALL),
    **{f"{name} {owner}": owned(name, owner) for name in ("input", "input_bits") for owner in ALL},
}
NAMES = list(STEPS)


def with_sequel(name: str) -> Callable[..., Any]:
    """The step, then a round in which everybody sends; where it can, what depends on its result."""

    def step(p: Any, x: Any, a: Any) -> Step[Any]:
        result = yield from STEPS[name](p, x, a)
        if name.startswith("reveal"):
            yield from p.multiply(x, x)
        elif hasattr(result, "planes"):
            yield from p.bitwise_and(result, result)
        else:
            yield from p.multiply(result, result)
        return result

    return step


def run(
    name: str, tamper: Any = None, alter: Callable[[Any], None] | None = None
) -> tuple[Any, Adversary, TacitError | None]:
    """Results, the wire, and the fault that ended it."""
    driver = Adversary(FOUR, tamper)
    simulation = Simulation(3, driver, "fantastic4")
    shared = simulation.share(X), simulation.share_bits(BITS)
    if alter is not None:
        alter(shared)
    try:
        return simulation.run(with_sequel(name), *shared, stage=name), driver, None
    except PeerFaultError as error:
        return None, driver, error


def honest(name: str) -> list[Message]:
    """The messages of the step alone, without those of its sequel."""
    _, driver, error = run(name)
    assert error is None
    last = max(m.round for m in driver.sent)
    return [m for m in driver.sent if m.round < last]


def is_receipt(name: str, message: Message) -> bool:
    """To the fourth party of an input, which gets nothing else."""
    return "input" in name and message.receiver == (int(name[-1]) + 3) % 4


def at(message: Message, rewrite: Rewrite) -> Tamper:
    return Tamper(rewrite, message.sender, message.receiver, message.round)


def stopped(name: str, message: Message, rewrite: Rewrite) -> TacitError:
    """Run with one message rewritten; check what must hold after any detected deviation."""
    results, driver, error = run(name, at(message, rewrite))
    assert results is None
    assert error is not None
    assert FOUR[message.sender] in error.parties
    if "input" in name and message.check_bytes == 0 and isinstance(error, DisputeError):
        # Both that hold the residual compare, in a round of digests alone; either may be first.
        owner = message.sender
        assert driver.failed in ((owner + 1) % 4, (owner + 2) % 4)
        assert max(m.round for m in driver.sent) == 2
    else:
        assert driver.failed is None or driver.failed == message.receiver
        assert max(m.round for m in driver.sent) == message.round
    assert message.receiver not in driver.returned
    return error


def places(message: Message, rng: np.random.Generator) -> Iterator[tuple[int, int]]:
    """Bits to flip: all of the first two bytes, and some anywhere."""
    size = len(message.payload)
    for position in range(min(2, size)):
        for bit in range(8):
            yield position, 1 << bit
    for position in rng.integers(0, size, 12):
        yield int(position), 1 << int(rng.integers(8))


@pytest.mark.parametrize("name", NAMES)
def test_every_altered_message_stops_its_receiver(name: str) -> None:
    rng = np.random.default_rng(1)
    messages = honest(name)
    assert messages
    for message in messages:
        for position, mask in places(message, rng):
            error = stopped(name, message, flip(position, mask))
            assert error.code == ("TC-5203" if is_receipt(name, message) else "TC-5300")


def test_who_is_named() -> None:
    """The pair of the dispute, its receiver and the fourth party, as data and without a value."""
    for message in honest("multiply"):
        error = stopped("multiply", message, flip())
        assert isinstance(error, DisputeError)
        dispute = error.dispute
        assert dispute is not None
        assert set(error.parties) == set(dispute.suspects)
        assert FOUR[message.sender] in dispute.suspects
        assert dispute.receiver == FOUR[message.receiver]
        assert {*dispute.suspects, dispute.receiver, dispute.other} == set(FOUR)
        assert dispute.nonce == 1
        again = TacitError.from_dict(error.as_dict())
        assert isinstance(again, DisputeError)
        assert again.dispute == dispute
        assert not any(str(v) in str(error) for v in X if abs(v) > 1000)


LENGTHS: dict[str, Callable[[], Rewrite]] = {
    "dropped": drop,
    "empty": lambda: replace(b""),
    "one byte short": lambda: cut(1),
    "one byte long": lambda: lengthen(b"\x00"),
    "twice as long": lambda: lambda message, seen: (message.payload * 2,),
    "delayed": lambda: delay(1),
}


@pytest.mark.parametrize("deviation", LENGTHS)
@pytest.mark.parametrize("name", NAMES)
def test_a_message_of_the_wrong_length_is_an_error(name: str, deviation: str) -> None:
    for message in honest(name):
        error = stopped(name, message, LENGTHS[deviation]())
        assert isinstance(error, MessageError)
        assert error.parties == (FOUR[message.sender],)


@pytest.mark.parametrize("name", NAMES)
def test_zeros_ones_and_the_message_of_another_are_refused(name: str) -> None:
    messages = honest(name)
    for message in messages:
        size = len(message.payload)
        others = [
            m.payload for m in messages if len(m.payload) == size and m.payload != message.payload
        ]
        for payload in (bytes(size), b"\xff" * size, *others):
            stopped(name, message, replace(payload))


@pytest.mark.parametrize("name", ["multiply", "bitwise_and", "reveal"])
def test_a_message_of_an_earlier_exchange_is_refused(name: str) -> None:
    """The same operands twice: neither payloads nor digests of the first pass in the second."""

    def twice(p: Any, x: Any, a: Any) -> Step[Any]:
        yield from STEPS[name](p, x, a)
        return (yield from STEPS[name](p, x, a))

    def first(part: slice) -> Rewrite:
        def rewrite(message: Message, seen: Sequence[Message]) -> Sequence[bytes]:
            (earlier,) = [
                m
                for m in seen
                if (m.sender, m.receiver, m.round) == (message.sender, message.receiver, 1)
            ]
            changed = bytearray(message.payload)
            changed[part] = earlier.payload[part]
            return (bytes(changed),)

        return rewrite

    for message in honest(name):
        parts = [slice(None)] if message.check_bytes == 0 else [slice(None), slice(-32, None)]
        for part in parts:
            driver = Adversary(FOUR, Tamper(first(part), message.sender, message.receiver, 2))
            simulation = Simulation(3, driver, "fantastic4")
            shared = simulation.share(X), simulation.share_bits(BITS)
            if name == "reveal" and message.check_bytes == 0:
                # An opened share has no mask: the same payload again is the right one.
                simulation.run(twice, *shared)
                continue
            with pytest.raises(DisputeError) as caught:
                simulation.run(twice, *shared)
            assert FOUR[message.sender] in caught.value.parties


@pytest.mark.parametrize("name", ["multiply", "matmul", "bitwise_and", "reveal", "reveal_bits"])
@pytest.mark.parametrize("liar", ALL)
def test_a_lie_about_a_local_share_is_found(name: str, liar: int) -> None:
    """A party that computes on a share of its own that it altered, consistently everywhere."""
    for index in (j for j in ALL if j != liar):

        def alter(shared: Any, index: int = index) -> None:
            x, a = shared
            x[liar] = x[liar].map(np.array)
            a[liar] = a[liar].map_words(np.array)
            x[liar].shares[index][3] += np.uint64(1)
            a[liar].shares[index][0] ^= np.uint64(2)

        results, driver, error = run(name, alter=alter)
        assert results is None
        assert isinstance(error, DisputeError)
        assert FOUR[liar] in error.parties
        if name.startswith("reveal") and index == (liar + 2) % 4:
            # Of this share it sends nothing in an opening; the product that follows finds it.
            assert max(m.round for m in driver.sent) == 2
        else:
            assert max(m.round for m in driver.sent) == 1


def test_a_rushing_sender_gains_nothing_from_the_digest() -> None:
    """It sees what the backup says before it speaks; whatever else it sends does not fit."""

    def after_the_digest(message: Message, seen: Sequence[Message]) -> Sequence[bytes]:
        digests = b"".join(m.payload for m in seen if m.receiver == message.receiver)
        start = bytes(a ^ b for a, b in zip(message.payload, digests, strict=False))
        return (start + message.payload[len(start) :],)

    for message in honest("multiply"):
        assert isinstance(stopped("multiply", message, after_the_digest), DisputeError)


@pytest.mark.parametrize("owner", ALL)
def test_an_owner_that_shares_two_different_values_is_found(owner: int) -> None:
    """Before anybody sends what depends on it; both that got the value say so."""
    first, second = (owner + 1) % 4, (owner + 2) % 4
    for receiver in (first, second):
        _, driver, error = run(f"input {owner}", Tamper(flip(), owner, receiver, 1))
        assert isinstance(error, DisputeError)
        assert FOUR[owner] in error.parties
        assert driver.failed in (first, second)
        assert {m.round for m in driver.sent} == {1, 2}
        assert all(m.check_bytes == 32 for m in driver.sent if m.round == 2)


@pytest.mark.parametrize("liar", ALL)
def test_a_false_complaint_names_the_complainer_or_its_peer(liar: int) -> None:
    """A backup whose digest is wrong: the receiver cannot tell, and names both."""
    for message in honest("multiply"):
        if message.sender == liar and message.check_bytes:
            error = stopped("multiply", message, flip(-1))
            assert isinstance(error, DisputeError)
            assert error.dispute is not None
            assert error.dispute.backup == FOUR[liar]
