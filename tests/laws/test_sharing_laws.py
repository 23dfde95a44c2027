"""Laws of sharings: sharing and reconstructing, linearity, rearranging, packing."""

from __future__ import annotations

import secrets
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats
from simulation import EDGES, Simulation, ring

from tacit.sharing import (
    Replicated,
    ReplicatedBits,
    pack_bits,
    reconstruct,
    reconstruct_bits,
    split,
    split_bits,
    unpack_bits,
    word_count,
)
from tacit.sharing.replicated4 import reconstruct4_bits, split4_bits

SHAPES = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=9)
WORD = st.one_of(
    st.integers(0, (1 << 64) - 1), st.sampled_from([int(v) % (1 << 64) for v in EDGES])
)
WORDS = hnp.arrays(np.uint64, SHAPES, elements=WORD)
BITS = hnp.arrays(np.uint8, SHAPES, elements=st.integers(0, 1))
SCALARS = st.integers(-(1 << 63), (1 << 63) - 1)


@given(WORDS)
def test_reconstructing_a_sharing_gives_the_secret(x: Any) -> None:
    parts = split(x, secrets.token_bytes)
    np.testing.assert_array_equal(reconstruct(parts), x)
    assert all(p.shape == x.shape and p.size == x.size and p.ndim == x.ndim for p in parts)


@given(WORDS)
def test_any_two_parties_reconstruct(x: Any) -> None:
    parts = split(x, secrets.token_bytes)
    for i in range(3):
        two = [parts[i], parts[(i + 1) % 3]]
        np.testing.assert_array_equal(reconstruct(two), x)
        np.testing.assert_array_equal(parts[i].next, parts[(i + 1) % 3].own)


@given(BITS)
def test_bits_reconstruct(bits: Any) -> None:
    parts = split_bits(bits, secrets.token_bytes)
    np.testing.assert_array_equal(reconstruct_bits(parts), bits)
    np.testing.assert_array_equal(reconstruct_bits([parts[1], parts[2]]), bits)
    assert all(p.shape == bits.shape and p.size == bits.size and p.planes == () for p in parts)


def test_one_part_says_nothing() -> None:
    """Both shares of each party are uniform whatever the secret: 64 · 6 bit positions a secret.

    False alarms: below 1e-6 for the whole test (Bonferroni over 768 positions).
    """
    count = 4000
    rng = np.random.default_rng(5)
    limit = stats.norm.isf(1e-6 / 768 / 2) * np.sqrt(count) / 2
    for secret in (0, (1 << 64) - 1):
        x = np.full(count, secret, np.uint64)
        for part in split(x, rng.bytes):
            for share in (part.own, part.next):
                ones = [int(((share >> np.uint64(k)) & np.uint64(1)).sum()) for k in range(64)]
                assert np.abs(np.array(ones) - count / 2).max() < limit


@given(WORDS, st.data())
def test_sharings_are_linear(x: Any, data: st.DataObject) -> None:
    y = data.draw(hnp.arrays(np.uint64, x.shape, elements=WORD))
    a, b = data.draw(SCALARS), data.draw(SCALARS)
    simulation = Simulation()
    parts = simulation.local(
        lambda p, s, t: p.add_public(
            p.subtract(p.multiply_public(s, a), p.multiply_public(p.negate(t), b)), 7
        ),
        split(x, secrets.token_bytes),
        split(y, secrets.token_bytes),
    )
    words = [np.array(v % (1 << 64), np.uint64) for v in (a, b)]
    with np.errstate(over="ignore"):
        expected = x * words[0] + y * words[1] + np.uint64(7)
    np.testing.assert_array_equal(reconstruct(parts), expected)


@given(WORDS)
def test_rearranging_commutes_with_reconstructing(x: Any) -> None:
    parts = split(x, secrets.token_bytes)
    np.testing.assert_array_equal(
        reconstruct([p.map(np.transpose) for p in parts]), np.transpose(x)
    )
    np.testing.assert_array_equal(reconstruct([p.reshape(-1) for p in parts]), x.reshape(-1))
    if x.ndim:
        np.testing.assert_array_equal(reconstruct([p[::-1] for p in parts]), x[::-1])


@given(BITS)
def test_packing_round_trips(bits: Any) -> None:
    words = pack_bits(bits)
    assert words.shape == (word_count(bits.size),)
    assert words.dtype == np.uint64
    np.testing.assert_array_equal(unpack_bits(words, bits.shape), bits)


@given(st.integers(0, 200))
def test_bit_v_is_bit_v_mod_64_of_word_v_over_64(v: int) -> None:
    bits = np.zeros(201, np.uint8)
    bits[v] = 1
    words = pack_bits(bits)
    assert int(words[v // 64]) == 1 << (v % 64)
    assert np.count_nonzero(words) == 1


@given(BITS, st.data())
def test_bits_are_linear_and_rearrange(a: Any, data: st.DataObject) -> None:
    b = data.draw(hnp.arrays(np.uint8, a.shape, elements=st.integers(0, 1)))
    simulation = Simulation()
    x, y = split_bits(a, secrets.token_bytes), split_bits(b, secrets.token_bytes)
    both = simulation.local(lambda p, s, t: p.invert(p.xor(s, t)), x, y)
    np.testing.assert_array_equal(reconstruct_bits(both), 1 ^ a ^ b)
    turned = [part.map(np.transpose) for part in x]
    np.testing.assert_array_equal(reconstruct_bits(turned), np.transpose(a))
    flat = [part.reshape(-1) for part in x]
    np.testing.assert_array_equal(reconstruct_bits(flat), a.reshape(-1))


@given(
    hnp.arrays(
        np.uint8, st.tuples(st.integers(1, 5), st.integers(0, 90)), elements=st.integers(0, 1)
    )
)
def test_planes_keep_their_places(rows: Any) -> None:
    simulation = Simulation()
    parts = simulation.local(
        lambda p, *x: p.stack_planes(x), *[split_bits(row, secrets.token_bytes) for row in rows]
    )
    np.testing.assert_array_equal(reconstruct_bits(parts), rows)
    for k in range(len(rows)):
        np.testing.assert_array_equal(reconstruct_bits([part.plane(k) for part in parts]), rows[k])


def test_sharings_print_no_values() -> None:
    big = ring(np.full((2, 3), 1234567891011))
    text = repr(Replicated(big, big)) + repr(ReplicatedBits(big, big, (3, 64)))
    assert "1234567891011" not in text
    assert "(2, 3)" in text


@given(st.integers(0, 5), st.integers(0, 3), st.randoms(use_true_random=False))
def test_rows_become_planes_and_planes_rows(rows: int, words: int, random: Any) -> None:
    bits = np.array([random.getrandbits(1) for _ in range(rows * 64 * words)], np.uint8)
    bits = bits.reshape(rows, 64 * words)
    parts = split_bits(bits, secrets.token_bytes)
    planes = [part.rows_as_planes() for part in parts]
    assert planes[0].shape == (64 * words,)
    np.testing.assert_array_equal(reconstruct_bits(planes), bits)
    np.testing.assert_array_equal(reconstruct_bits([p.planes_as_rows() for p in planes]), bits)
    four = [part.rows_as_planes() for part in split4_bits(bits, secrets.token_bytes)]
    np.testing.assert_array_equal(reconstruct4_bits(four), bits)
    np.testing.assert_array_equal(reconstruct4_bits([p.planes_as_rows() for p in four]), bits)
