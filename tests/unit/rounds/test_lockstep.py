"""The lockstep driver: delivers exactly, counts exactly, refuses what was not agreed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tacit.errors import InternalError, MessageError
from tacit.rounds import LockstepDriver, Round, Step

NAMES = ("alice", "bob", "carol")


def ring_exchange(index: int, size: int, check: bool = False) -> Step[Any]:
    """Send my index to the next party, with a hash if asked; return what came."""
    mine = np.full(size, index, np.uint64)
    got = np.empty(size, np.uint64)
    digest = np.full(32, index, np.uint8)
    got_digest = np.empty(32, np.uint8)
    following, previous = (index + 1) % 3, (index - 1) % 3
    yield Round(
        send={following: (mine,)},
        receive={previous: (got,)},
        check={following: (digest,)} if check else {},
        check_receive={previous: (got_digest,)} if check else {},
    )
    return (got, got_digest) if check else got


@pytest.mark.parametrize("size", [0, 1, 1000])
def test_messages_arrive(size: int) -> None:
    results = LockstepDriver(NAMES).run([ring_exchange(i, size) for i in range(3)])
    for i, got in enumerate(results):
        np.testing.assert_array_equal(got, np.full(size, (i - 1) % 3, np.uint64))


def test_check_values_travel_behind_the_payload_and_are_counted_apart() -> None:
    driver = LockstepDriver(NAMES)
    results = driver.run([ring_exchange(i, 5, check=True) for i in range(3)])
    for i, (got, digest) in enumerate(results):
        assert (got == (i - 1) % 3).all()
        assert (digest == (i - 1) % 3).all()
    cost = driver.cost()
    assert cost.rounds == 1
    assert cost.bytes_sent == dict.fromkeys(NAMES, 40)
    assert cost.check_bytes == dict.fromkeys(NAMES, 32)


def test_several_dtypes_and_shapes_share_a_message() -> None:
    def step(index: int) -> Step[Any]:
        a = np.arange(6, dtype=np.uint64).reshape(2, 3) + np.uint64(index)
        b = np.arange(5, dtype=np.uint16)
        c, d = np.empty((2, 3), np.uint64), np.empty(5, np.uint16)
        yield Round(send={(index + 1) % 3: (a, b)}, receive={(index - 1) % 3: (c, d)})
        return c, d

    for i, (c, d) in enumerate(LockstepDriver(NAMES).run([step(i) for i in range(3)])):
        np.testing.assert_array_equal(c.reshape(-1), np.arange(6) + (i - 1) % 3)
        np.testing.assert_array_equal(d, np.arange(5))


def test_what_was_sent_is_a_copy() -> None:
    """A step may reuse its buffers once it is resumed."""

    def step(index: int) -> Step[Any]:
        buffer, got = np.zeros(1, np.uint64), np.empty(1, np.uint64)
        results = []
        for turn in range(3):
            buffer[0] = turn
            yield Round(send={(index + 1) % 3: (buffer,)})
        for _ in range(3):
            yield Round(receive={(index - 1) % 3: (got,)})
            results.append(int(got[0]))
        return results

    assert LockstepDriver(NAMES).run([step(i) for i in range(3)]) == [[0, 1, 2]] * 3


def sender_of(size: int, to: int) -> Step[None]:
    yield Round(send={to: (np.zeros(size, np.uint8),)})


def receiver_of(size: int, peer: int) -> Step[None]:
    yield Round(receive={peer: (np.zeros(size, np.uint8),)})


def silent() -> Step[None]:
    yield Round()


@pytest.mark.parametrize(("sent", "awaited"), [(8, 16), (16, 8), (0, 1), (1, 0)])
def test_a_wrong_length_names_peer_round_and_both_lengths(sent: int, awaited: int) -> None:
    with pytest.raises(MessageError) as caught:
        LockstepDriver(NAMES).run([sender_of(sent, 1), receiver_of(awaited, 0), silent()], "trial")
    text = str(caught.value)
    assert caught.value.parties == ("alice",)
    assert caught.value.code == "TC-5100"
    assert all(
        word in text for word in (f"{sent} bytes", f"expected {awaited}", "round 1", "trial")
    )


def test_a_wrong_length_writes_nothing() -> None:
    target = np.full(16, 7, np.uint8)

    def receiver() -> Step[None]:
        yield Round(receive={0: (target,)})

    with pytest.raises(MessageError):
        LockstepDriver(NAMES).run([sender_of(8, 1), receiver(), silent()])
    assert (target == 7).all()


def test_a_missing_message_names_who_did_not_send() -> None:
    with pytest.raises(MessageError) as caught:
        LockstepDriver(NAMES).run([silent(), receiver_of(8, 0), silent()])
    assert caught.value.code == "TC-5101"
    assert caught.value.parties == ("alice",)
    assert "bob waits for 8 bytes from alice" in str(caught.value)


def test_a_party_that_ends_early_is_missed() -> None:
    def nothing() -> Step[None]:
        return
        yield

    with pytest.raises(MessageError) as caught:
        LockstepDriver(NAMES).run([nothing(), receiver_of(8, 0), silent()])
    assert caught.value.code == "TC-5101"


def test_a_message_that_nobody_awaits_is_an_error() -> None:
    with pytest.raises(MessageError) as caught:
        LockstepDriver(NAMES).run([sender_of(8, 2), silent(), silent()])
    assert caught.value.code == "TC-5102"
    assert caught.value.parties == ("alice",)


def test_steps_are_closed_when_one_party_fails() -> None:
    closed = []

    def patient(name: str) -> Step[None]:
        try:
            while True:
                yield Round()
        finally:
            closed.append(name)

    def failing() -> Step[None]:
        yield Round()
        raise RuntimeError("on purpose")

    with pytest.raises(RuntimeError, match="on purpose"):
        LockstepDriver(NAMES).run([patient("a"), failing(), patient("c")])
    assert sorted(closed) == ["a", "c"]


def test_strided_arrays_are_refused() -> None:
    def step() -> Step[None]:
        yield Round(send={1: (np.zeros((4, 4), np.uint64)[:, ::2],)})

    with pytest.raises(InternalError):
        LockstepDriver(NAMES).run([step(), silent(), silent()])


def test_the_number_of_steps_is_checked() -> None:
    with pytest.raises(InternalError):
        LockstepDriver(NAMES).run([silent()])


def test_rounds_print_sizes_and_no_values() -> None:
    text = repr(Round(send={1: (np.full(3, 123456789, np.uint64),)}))
    assert "24" in text
    assert "123456789" not in text
