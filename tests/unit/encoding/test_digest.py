"""The tagged hash: purposes and lists of fields never collide."""

from __future__ import annotations

import numpy as np
import pytest
from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st

from tacit.encoding.digest import tagged_hash

fields = st.lists(st.binary(max_size=12), max_size=4)


@given(fields, fields)
def test_different_lists_of_fields_differ(one: list[bytes], other: list[bytes]) -> None:
    assert (tagged_hash("test", *one) == tagged_hash("test", *other)) == (one == other)


def test_moving_a_border_changes_the_hash() -> None:
    hashes = {
        tagged_hash("test", *split)
        for split in [(b"ab", b"c"), (b"a", b"bc"), (b"abc",), (b"abc", b""), (b"", b"abc")]
    }
    assert len(hashes) == 5


def test_purposes_are_independent() -> None:
    assert tagged_hash("one", b"x") != tagged_hash("two", b"x")


def test_the_construction_is_derive_key_with_lengths() -> None:
    expected = blake3(derive_key_context="tacit 2026 v1 test")
    expected.update((2).to_bytes(8, "little") + b"ab" + (0).to_bytes(8, "little"))
    assert tagged_hash("test", b"ab", b"") == expected.digest()


def test_arrays_are_their_bytes() -> None:
    array = np.arange(6, dtype=np.uint64).reshape(2, 3)
    assert tagged_hash("test", array) == tagged_hash("test", array.tobytes())
    assert tagged_hash("test", np.empty((0, 3))) == tagged_hash("test", b"")


def test_arrays_that_are_not_contiguous_are_refused() -> None:
    with pytest.raises((TypeError, BufferError, ValueError)):
        tagged_hash("test", np.zeros((4, 4))[:, 1])
