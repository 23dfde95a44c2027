"""Random numbers in NumPy are JAX's, bit by bit."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from tacit.frontends.jax import keys
from tacit.frontends.jax.public import from_jax_value, to_jax_value


def _same(ours: keys.Keys, theirs: jax.Array) -> None:
    np.testing.assert_array_equal(ours.words, np.asarray(jax.random.key_data(theirs)))


def test_keys() -> None:
    theirs = jax.random.key(12345)
    ours = keys.seeded(np.int32(12345))
    _same(ours, theirs)
    _same(keys.seeded(np.int32(-7)), jax.random.key(np.int32(-7)))
    _same(keys.split(ours, (3, 2)), jax.random.split(theirs, (3, 2)))
    _same(keys.folded(ours, np.int32(9)), jax.random.fold_in(theirs, 9))
    assert keys.is_threefry(theirs.dtype)
    assert not keys.is_threefry(jax.random.key(0, impl="rbg").dtype)
    _same(from_jax_value(to_jax_value(ours)), theirs)


@pytest.mark.parametrize("bits", [8, 16, 32])
def test_bits(bits: int) -> None:
    many = jax.random.split(jax.random.key(3), 2)
    ours = keys.drawn(from_jax_value(many), bits, (5,))
    for row, key in zip(ours, many, strict=True):
        np.testing.assert_array_equal(row, jax.random.bits(key, (5,), f"uint{bits}"))
