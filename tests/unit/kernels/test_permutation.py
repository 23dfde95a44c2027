"""Uniform permutations beside the reference, with rejected words among them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel_arrays import OWN, lanes, nonces, offsets

from tacit.kernels import reference

SHAPES = [(0, 0), (0, 5), (3, 0), (1, 1), (4, 1), (2, 2), (7, 3), (1, 1023), (1, 1026), (5, 700)]


@pytest.mark.parametrize("shape", SHAPES)
def test_shapes(agree: Any, shape: tuple[int, int]) -> None:
    agree("permutation", OWN, 9, 3, np.zeros(shape, np.uint64))


@given(rows=st.integers(1, 6), count=st.integers(0, 300), nonce=nonces, lane=lanes, offset=offsets)
def test_permutation(agree: Any, rows: int, count: int, nonce: int, lane: int, offset: int) -> None:
    agree("permutation", OWN, nonce, lane, np.zeros((rows, count), np.uint64), offset=offset)


def test_rejected_words_are_skipped_alike(native: Any) -> None:
    """Long enough that words are rejected; taking them anyway would change the result."""
    out, expected = (np.zeros((1, 200_000), np.uint64) for _ in range(2))
    read = 0
    words = reference._words

    def counted(*arguments: Any) -> Any:
        nonlocal read
        for word in words(*arguments):
            read += 1
            yield word

    reference._words = counted  # type: ignore[assignment]
    try:
        reference.permutation(reference.StreamKey(OWN.bytes), 1, 0, expected)
    finally:
        reference._words = words
    native.permutation(native.StreamKey(OWN.bytes), 1, 0, out)
    np.testing.assert_array_equal(out, expected)
    assert read > 199_999, "no word was rejected: choose another nonce"


@pytest.mark.parametrize("shape", [(4,), (1, 2, 2), ()])
def test_matrices_alone(native: Any, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="two dimensions"):
        native.permutation(native.StreamKey(bytes(16)), 0, 0, np.zeros(shape, np.uint64))
