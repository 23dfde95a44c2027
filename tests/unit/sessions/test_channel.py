"""Frames between a controlling process and a party's process."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tacit.errors import MessageError
from tacit.sessions.channel import Channel, ChannelClosed, byte_view
from tacit.sessions.messages import Apply, Command, Input, PublicOperand, Start, encode


@pytest.fixture
def ends() -> Iterator[tuple[Channel, Channel]]:
    here, there = (Channel(end) for end in socket.socketpair())
    yield here, there
    here.close()
    there.close()


Frame = tuple[bytes, list[bytes]]


@given(st.lists(st.tuples(st.binary(max_size=50), st.lists(st.binary(max_size=50), max_size=3))))
def test_frames_arrive_in_order_however_they_are_cut(frames: list[Frame]) -> None:
    here, there = (Channel(end) for end in socket.socketpair())
    for header, buffers in frames:
        here.send(header, [np.frombuffer(buffer, np.uint8) for buffer in buffers])
    for header, buffers in frames:
        found, arrived = there.receive()
        assert found == header
        assert [buffer.tobytes() for buffer in arrived] == buffers
    assert not there.buffered
    here.close()
    there.close()


def test_large_frames(ends: tuple[Channel, Channel]) -> None:
    here, there = ends
    large = np.random.default_rng(0).integers(0, 256, 3_000_001, np.uint8)
    header = large[:200_000].tobytes()
    sender = threading.Thread(target=here.send, args=(header, [large, large[:0], large[:7]]))
    sender.start()
    found, buffers = there.receive()
    sender.join()
    assert found == header
    assert [buffer.size for buffer in buffers] == [large.size, 0, 7]
    np.testing.assert_array_equal(buffers[0], large)


def test_a_closed_end(ends: tuple[Channel, Channel]) -> None:
    here, there = ends
    there.send(b"last words")
    there.close()
    assert here.receive() == (b"last words", [])
    with pytest.raises(ChannelClosed):
        here.receive()
    with pytest.raises(ChannelClosed):
        here.send(b"too late")


def test_bytes_that_are_no_frame() -> None:
    raw, other = socket.socketpair()
    channel = Channel(other)
    raw.sendall(b"GET / HTTP/1.1\r\n\r\n")
    with pytest.raises(MessageError) as caught:
        channel.receive()
    assert caught.value.code == "TC-5110"
    raw.close()
    channel.close()


def test_views_of_any_array() -> None:
    for array in (np.arange(6).reshape(2, 3).T, np.array(1.5), np.empty((0, 3)), np.array([True])):
        view = byte_view(array)
        assert view.nbytes == array.nbytes
        copy = np.frombuffer(view.tobytes(), array.dtype).reshape(array.shape)
        np.testing.assert_array_equal(copy, array)


def test_commands_survive_the_wire() -> None:
    decode = msgspec.msgpack.Decoder(Command).decode
    for command in (
        Input((), 1, 2, "fixed", 18, 64, True, (3, 0), ("-5", "5")),
        Apply((4, 5), "multiply", (1, PublicOperand("<f8", ())), msgspec.Raw(b"\x80"), (6,)),
    ):
        again = decode(encode(command))
        assert encode(again) == encode(command)
    with pytest.raises(msgspec.DecodeError):
        decode(msgspec.msgpack.encode(["input", [], "not a number"]))


def test_the_first_frame_never_shows_its_key() -> None:
    start = Start(
        "alice", ("alice",), "p", "m", msgspec.Raw(b"\x80"), b"", {}, b"", b"", b"SECRET KEY", {}, 1
    )
    assert "SECRET" not in repr(start)
