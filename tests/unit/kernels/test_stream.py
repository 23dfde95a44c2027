"""The stream against AES-CTR of pyca/cryptography and FIPS 197."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st
from kernel_arrays import OWN, lanes, nonces, offsets


def ctr(key: bytes, counter: bytes, size: int) -> bytes:
    return Cipher(algorithms.AES128(key), modes.CTR(counter)).encryptor().update(bytes(size))


def test_fips_197_appendix_b(native: Any) -> None:
    key = bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c")
    # the plaintext 3243f6a8 885a308d 313198a2 e0370734 as nonce, lane and index
    out = np.empty(16, np.uint8)
    native.fill(native.StreamKey(key), 0x3243F6A8885A308D, 0x3131, out, start=0x98A2E0370734)
    assert out.tobytes().hex() == "3925841d02dc09fbdc118597196a0b32"


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 1023, 1024, 1025, 8192, 100_001])
def test_counter_layout(native: Any, size: int) -> None:
    """Counter block: nonce (8) | lane (2) | index (6), big endian."""
    out = np.empty(size, np.uint8)
    native.fill(native.StreamKey(bytes(range(16))), 0x0102030405060708, 0x090A, out, start=0x0B)
    counter = bytes.fromhex("0102030405060708 090a 00000000000b")
    assert out.tobytes() == ctr(bytes(range(16)), counter, size)


@given(
    size=st.integers(0, 3000),
    dtype=st.sampled_from([np.uint8, np.int8, np.uint16, np.uint32, np.uint64, np.int64]),
    nonce=nonces,
    lane=lanes,
    start=st.one_of(st.integers(0, 200), st.integers(0, 2**48 - 2000)),
    offset=offsets,
)
def test_fill(
    agree: Any, size: int, dtype: Any, nonce: int, lane: int, start: int, offset: int
) -> None:
    agree("fill", OWN, nonce, lane, np.zeros(size, dtype), start, offset=offset)


def test_fill_takes_any_contiguous_shape(agree: Any) -> None:
    agree("fill", OWN, 3, 4, np.zeros((3, 5, 7), np.uint16))
    agree("fill", OWN, 3, 4, np.zeros((), np.uint64))


def test_the_stream_ends_at_its_last_index(native: Any) -> None:
    key, out = native.StreamKey(bytes(16)), np.empty(4, np.uint64)
    native.fill(key, 0, 0, out, start=2**48 - 2)
    with pytest.raises(ValueError, match="ends at block"):
        native.fill(key, 0, 0, out, start=2**48 - 1)
    with pytest.raises(ValueError, match=r"0 to 2\^48"):
        native.fill(key, 0, 0, out, start=2**48)


@pytest.mark.parametrize("size", [0, 15, 17, 32])
def test_keys_have_sixteen_bytes(native: Any, size: int) -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        native.StreamKey(bytes(size))


def test_keys_show_and_leave_nothing(native: Any) -> None:
    key = native.StreamKey(b"sixteen secret b")
    assert repr(key) == str(key) == "StreamKey(...)"
    with pytest.raises(TypeError):
        pickle.dumps(key)
    with pytest.raises(TypeError):
        copy.copy(key)
    with pytest.raises(AttributeError):
        key.anything = 1
