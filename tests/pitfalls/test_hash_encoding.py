"""Pitfalls: ambiguous encodings of what is hashed, and one hash for two purposes.

Every field is preceded by its length and every purpose is a hash function of its own. The
weakened hashes below collide on the same inputs.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from blake3 import blake3
from hypothesis import assume, given
from hypothesis import strategies as st

from tacit.encoding.digest import DIGEST_BYTES, tagged_hash

FIELDS = st.lists(st.binary(max_size=12), max_size=5)


def joined(purpose: str, *fields: bytes) -> bytes:
    """Weak: fields run into each other."""
    return blake3(purpose.encode() + b"".join(fields)).digest()


def delimited(purpose: str, *fields: bytes) -> bytes:
    """Weak: a delimiter that may occur in a field."""
    return blake3(b"|".join((purpose.encode(), *fields))).digest()


AMBIGUOUS = [
    ((b"ab", b"c"), (b"a", b"bc")),
    ((b"abc",), (b"abc", b"")),
    ((b"", b"abc"), (b"abc", b"")),
    ((), (b"",)),
    ((b"a|b",), (b"a", b"b")),
    ((b"\x01" + bytes(7) + b"x",), (b"x",)),
    ((bytes(8),), (b"", b"")),
]


@pytest.mark.parametrize(("first", "second"), AMBIGUOUS)
def test_lists_that_look_alike_differ(first: Any, second: Any) -> None:
    assert tagged_hash("test", *first) != tagged_hash("test", *second)


def test_the_weak_encodings_collide() -> None:
    assert sum(joined("t", *a) == joined("t", *b) for a, b in AMBIGUOUS) >= 4
    assert sum(delimited("t", *a) == delimited("t", *b) for a, b in AMBIGUOUS) >= 1


@given(FIELDS, FIELDS)
def test_different_lists_differ(first: list[bytes], second: list[bytes]) -> None:
    assume(first != second)
    assert tagged_hash("test", *first) != tagged_hash("test", *second)


@given(FIELDS, st.integers(1, 11))
def test_moving_a_boundary_changes_the_hash(fields: list[bytes], at: int) -> None:
    whole = b"".join(fields)
    assume(0 < at < len(whole))
    assert tagged_hash("test", whole) != tagged_hash("test", whole[:at], whole[at:])


@given(FIELDS)
def test_purposes_are_separate_functions(fields: list[bytes]) -> None:
    digests = {tagged_hash(purpose, *fields) for purpose in ("opening", "session id", "a", "")}
    assert len(digests) == 4
    assert all(len(digest) == DIGEST_BYTES for digest in digests)
    assert joined("opening", *fields) == joined("open", b"ing", *fields), "the weak form has none"


def test_a_purpose_is_not_a_field() -> None:
    assert tagged_hash("ab", b"c") != tagged_hash("a", b"bc")
    assert tagged_hash("a") != tagged_hash("", b"a")


def test_outputs_are_not_plain_hashes_and_cannot_be_extended() -> None:
    """No prefix relation: knowing a digest and a length gives no digest of a longer list."""
    plain = blake3(b"x").digest()
    digest = tagged_hash("test", b"x")
    assert digest != plain
    longer = tagged_hash("test", b"x", b"y")
    assert longer not in {blake3(digest + b"y").digest(), tagged_hash("test", digest, b"y")}


def test_arrays_hash_as_their_bytes_whatever_their_type() -> None:
    array = np.arange(6, dtype=np.uint64).reshape(2, 3)
    assert tagged_hash("t", array) == tagged_hash("t", array.tobytes())
    assert tagged_hash("t", array) == tagged_hash("t", memoryview(array.tobytes()))
    assert tagged_hash("t", np.empty(0, np.uint64)) == tagged_hash("t", b"")


def test_strided_arrays_are_refused_rather_than_hashed_in_another_order() -> None:
    with pytest.raises((TypeError, ValueError, BufferError)):
        tagged_hash("t", np.arange(6, dtype=np.uint64).reshape(2, 3).T)
