"""The frame decoder, through the binding, on arbitrary, broken and honest bytes."""

from __future__ import annotations

import struct
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tacit import _native

TAG = 0x1234_5678_9ABC_DEF0
HEADER = struct.Struct("<HBBIQQQQ")
FAULTS = {"version", "kind", "flags", "session", "sequence", "payload", "check", "segment"}

pieces = st.integers(1, 200)
sizes = st.integers(0, 80)
words = st.one_of(st.integers(0, 80), st.integers(0, 2**64 - 1))


def decode(data: bytes, piece: int, payload: int, check: int) -> bytes | None:
    """The message, None when it is incomplete, or a LinkFailure with one of the known words."""
    try:
        message, events, used = _native.FrameDecoder(TAG).read(data, piece, payload, check)
    except _native.LinkFailure as failure:
        if failure.args[0] in FAULTS and failure.args[1] is None:
            raise
        raise AssertionError(f"an unknown report, {failure}") from failure
    assert used <= len(data)
    assert set(events) <= {"heartbeat", "abort", "close"}
    assert message is None or len(message) == payload + check
    return message


@given(st.binary(max_size=400), pieces, sizes, sizes)
def test_arbitrary_bytes(data: bytes, piece: int, payload: int, check: int) -> None:
    with suppress(_native.LinkFailure):
        assert decode(data, piece, payload, check) is None


@given(
    st.integers(0, 5),
    st.integers(0, 2),
    st.one_of(st.integers(0, 80), st.integers(0, 2**32 - 1)),
    st.sampled_from([TAG, 0, 1]),
    st.integers(0, 2),
    words,
    words,
    st.binary(max_size=200),
    pieces,
    sizes,
    sizes,
)
def test_headers_of_all_kinds(
    kind: int,
    flags: int,
    segment: int,
    tag: int,
    sequence: int,
    payload: int,
    check: int,
    body: bytes,
    piece: int,
    wanted: int,
    wanted_check: int,
) -> None:
    data = HEADER.pack(1, kind, flags, segment, tag, sequence, payload, check) + body
    try:
        message = decode(data, piece, wanted, wanted_check)
    except _native.LinkFailure:
        return
    if message is not None:
        assert (kind, flags, tag, sequence) == (0, 0, TAG, 0)
        assert (payload, check, segment) == (wanted, wanted_check, wanted + wanted_check)
        assert body.startswith(message)


@given(st.binary(max_size=80), st.binary(max_size=80), pieces)
def test_honest_frames_in_any_pieces(payload: bytes, check: bytes, piece: int) -> None:
    body = payload + check
    data = HEADER.pack(1, 0, 0, len(body), TAG, 0, len(payload), len(check)) + body
    assert decode(data, piece, len(payload), len(check)) == body


@given(st.integers(0, 39), st.integers(1, 255), pieces)
def test_one_changed_byte_of_the_header(at: int, change: int, piece: int) -> None:
    body = bytes(range(24))
    data = bytearray(HEADER.pack(1, 0, 0, 24, TAG, 0, 16, 8) + body)
    data[at] ^= change
    with suppress(_native.LinkFailure):
        assert decode(bytes(data), piece, 16, 8) is None


def test_lengths_come_with_the_failure() -> None:
    data = HEADER.pack(1, 0, 0, 24, TAG, 0, 16, 8) + bytes(24)
    with pytest.raises(_native.LinkFailure) as caught:
        decode(data, 7, 24, 8)
    word, peer, expected, received, _ = caught.value.args
    assert (word, peer, expected, received) == ("payload", None, 24, 16)
