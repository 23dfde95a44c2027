"""Every message of every primitive: dropped, cut, lengthened, doubled, delayed, held from one.

Each is an error that names the sender, and the party it concerns gets no result. On real links
the frames' numbers and TLS catch what a third party does; here the sender itself deviates.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from simulation import NAMES
from steps import ALL, at, attempt, messages, run

from tacit.encoding import RING64, RING128, Ring
from tacit.errors import MessageError, PeerFaultError
from tacit.rounds import Message, Tamper
from tacit.rounds.adversary import Rewrite, cut, delay, drop, flip, lengthen, replace

DEVIATIONS: dict[str, Callable[[], Rewrite]] = {
    "dropped": drop,
    "empty": lambda: replace(b""),
    "one byte short": lambda: cut(1),
    "one word short": lambda: cut(8),
    "one byte long": lambda: lengthen(b"\x00"),
    "one word long": lambda: lengthen(bytes(8)),
    "twice as long": lambda: lambda message, seen: (message.payload * 2,),
    "delayed": lambda: delay(1),
}


def sent_twice(message: Message, seen: Sequence[Message]) -> Sequence[bytes]:
    return (message.payload, message.payload)


RINGS = pytest.mark.parametrize("over", [RING64, RING128], ids=repr)


@RINGS
@pytest.mark.parametrize("deviation", DEVIATIONS)
@pytest.mark.parametrize("name", ALL)
def test_a_message_of_the_wrong_length_is_an_error(name: str, deviation: str, over: Ring) -> None:
    honest = messages(name, over)
    assert honest
    for message in honest:
        with pytest.raises(MessageError) as caught:
            run(name, at(message, DEVIATIONS[deviation]()), over=over)
        assert caught.value.parties == (NAMES[message.sender],)
        assert caught.value.stage == name
        assert NAMES[message.receiver] in str(caught.value)


@pytest.mark.parametrize("name", ALL)
def test_a_message_sent_twice_is_an_error(name: str) -> None:
    """The second copy stands where the next message belongs, or is left over at the end."""
    for message in messages(name):
        with pytest.raises((MessageError, PeerFaultError)):
            run(name, at(message, sent_twice))


@pytest.mark.parametrize("name", ALL)
def test_who_misses_a_message_returns_nothing(name: str) -> None:
    for message in messages(name):
        results, driver, error = attempt(name, at(message, drop()))
        assert results is None
        assert isinstance(error, MessageError)
        assert message.receiver not in driver.returned


@pytest.mark.parametrize("sender", [0, 1, 2])
@pytest.mark.parametrize("name", ALL)
def test_silent_to_one_and_not_to_another(name: str, sender: int) -> None:
    receivers = {m.receiver for m in messages(name) if m.sender == sender}
    for receiver in receivers:
        with pytest.raises(MessageError) as caught:
            run(name, Tamper(drop(), sender=sender, receiver=receiver))
        assert caught.value.parties == (NAMES[sender],)
        assert f"{NAMES[receiver]} waits" in str(caught.value)


@pytest.mark.parametrize("name", ALL)
def test_messages_in_the_wrong_order_are_an_error_where_lengths_differ(name: str) -> None:
    """Two messages of one link exchanged: caught by length; of equal length by nobody here.

    On the wire a frame carries its number, so an exchange by a third party is caught there; a
    sender that exchanges its own messages alters them, see ``test_passive.py``.
    """
    honest = messages(name)
    pairs = [
        (a, b)
        for a in honest
        for b in honest
        if (a.sender, a.receiver) == (b.sender, b.receiver) and a.index + 1 == b.index
    ]
    for first, second in pairs:
        if len(first.payload) == len(second.payload):
            continue
        tampers = [at(first, replace(second.payload)), at(second, replace(first.payload))]
        with pytest.raises(MessageError):
            run(name, tampers)


@RINGS
@pytest.mark.parametrize("name", ALL)
def test_altered_messages_never_raise_anything_but_peer_faults(name: str, over: Ring) -> None:
    """All-ones, zeros or flipped bytes: a wrong result or a named fault, never a crash."""
    for message in messages(name, over):
        size = len(message.payload)
        for rewrite in (replace(b"\xff" * size), replace(bytes(size)), flip(-1, 0x80)):
            _, _, error = attempt(name, at(message, rewrite), over=over)
            assert error is None or NAMES[message.sender] in error.parties
