"""The kernels of four-party products against the reference."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel_arrays import Key, lengths, nonces, offsets, sources

from tacit.kernels import StreamKey, reference, wide, wide_reference

KEYS = Key(1), Key(2), Key(3)
PARTIES = pytest.mark.parametrize("party", range(4))


def listed(names: Any, module: Any, party: int, factors: Any, arrays: Any, key: Any) -> Any:
    keys = [key(k.bytes) for k in KEYS]
    copies = [a.copy() for a in arrays]
    getattr(module, names)(party, factors, *keys, 7, *copies)
    return copies


@PARTIES
@pytest.mark.parametrize("name", ["joint_terms", "joint_bits"])
@given(source=sources, n=lengths, nonce=nonces, offset=offsets, given_terms=st.booleans())
def test_joint(
    native: Any, name: str, party: int, source: Any, n: int, nonce: int, offset: int,
    given_terms: bool,
) -> None:  # fmt: skip
    factors = [] if given_terms else [source(n) for _ in range(6)]
    arrays = [source(n) for _ in range(6)]
    expected = [a.copy() for a in arrays]
    keys = [reference.StreamKey(k.bytes) for k in KEYS]
    getattr(reference, name)(party, factors, *keys, nonce, *expected)
    buffers = [np.concatenate([source(offset), a, source(3)]) for a in arrays]
    before = [b.copy() for b in buffers]
    inside = [b[offset : offset + n] for b in buffers]
    keys = [native.StreamKey(k.bytes) for k in KEYS]
    getattr(native, name)(party, factors, *keys, nonce, *inside)
    for got, wanted, buffer, old in zip(inside, expected, buffers, before, strict=True):
        np.testing.assert_array_equal(got, wanted)
        np.testing.assert_array_equal(buffer[:offset], old[:offset])
        np.testing.assert_array_equal(buffer[offset + n :], old[offset + n :])


@PARTIES
@given(
    source=sources, n=st.sampled_from([0, 1, 2, 255, 511, 512, 513, 600]), given_terms=st.booleans()
)
def test_joint_over_128_bits(
    native: Any, party: int, source: Any, n: int, given_terms: bool
) -> None:
    factors = [] if given_terms else [source(2 * n).view(wide.WIDE) for _ in range(6)]
    arrays = [source(2 * n).view(wide.WIDE) for _ in range(6)]
    expected = listed("joint_terms", wide_reference, party, factors, arrays, reference.StreamKey)
    found = listed("joint_terms", wide, party, factors, arrays, StreamKey)
    for got, wanted in zip(found, expected, strict=True):
        np.testing.assert_array_equal(got, wanted)


def test_arguments_are_checked(native: Any) -> None:
    keys = [native.StreamKey(bytes(16))] * 3
    arrays = [np.zeros(8, np.uint64) for _ in range(6)]
    for factors, outputs, party, text in (
        ([arrays[0]], arrays, 0, "six arrays"),
        ([np.zeros(7, np.uint64)] * 6, arrays, 0, "length"),
        ([], [*arrays[:5], np.zeros(9, np.uint64)], 0, "length"),
        ([arrays[0]] * 6, arrays, 0, "overlaps"),
        ([], [*arrays[:5], arrays[0]], 0, "overlaps"),
        ([], arrays, 4, "party"),
    ):
        with pytest.raises(ValueError, match=text):
            native.joint_terms(party, factors, *keys, 1, *outputs)


@pytest.mark.parametrize(("blocks", "lowest"), [(1, 0), (1, 1), (21, 1), (42, 0)])
@given(source=sources, words=st.integers(0, 40))
def test_joint_leaves(native: Any, blocks: int, lowest: int, source: Any, words: int) -> None:
    a, b = source(7 * blocks * words), source(7 * blocks * words)
    expected, found = (source((2 * blocks - lowest) * words) for _ in range(2))
    reference.joint_leaves(a, b, blocks, lowest, expected)
    native.joint_leaves(a, b, blocks, lowest, found)
    np.testing.assert_array_equal(found, expected)


@given(source=sources, n=lengths, with_one=st.booleans())
def test_joint_inject(native: Any, source: Any, n: int, with_one: bool) -> None:
    inputs = [source(n) for _ in range(6)]
    expected, found = source(n), source(n)
    reference.joint_inject(*inputs, with_one, expected)
    native.joint_inject(*inputs, with_one, found)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("with_one", [False, True])
def test_wide_joint_inject(with_one: bool) -> None:
    rng = np.random.default_rng(3)
    inputs = [np.frombuffer(rng.bytes(16 * 70), wide.WIDE) for _ in range(6)]
    expected, found = (np.empty(70, wide.WIDE) for _ in range(2))
    wide_reference.joint_inject(*inputs, with_one, expected)
    wide.joint_inject(*inputs, with_one, found)
    assert found.tobytes() == expected.tobytes()


def test_shapes_that_do_not_fit_are_refused(native: Any) -> None:
    words = np.zeros(14, np.uint64)
    for blocks, lowest, out in ((2, 0, 8), (1, 0, 3), (1, 2, 2), (0, 0, 0)):
        with pytest.raises(ValueError, match="must be"):
            native.joint_leaves(words, words, blocks, lowest, np.zeros(out, np.uint64))
    with pytest.raises(ValueError, match="differ in length"):
        native.joint_inject(*[words] * 5, words[:3], True, np.zeros(14, np.uint64))
