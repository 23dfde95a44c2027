"""Bit times value and bit to integer: each step against the reference, and all together."""

from __future__ import annotations

from typing import Any

import kernel_roles as roles
import numpy as np
import pytest
from hypothesis import given
from kernel_arrays import NEXT, OWN, lengths, nonces, offsets, sources

from tacit.kernels import StreamKey, reference


@given(source=sources, n=lengths, nonce=nonces, offset=offsets)
def test_send(agree: Any, source: Any, n: int, nonce: int, offset: int) -> None:
    bits = [source(-(-n // 64)) for _ in range(2)]
    x = (source(n), source(n))
    keys = (OWN, NEXT, nonce)
    agree("inject_send", *x, *bits, *keys, source(2 * n), source(n), source(n), offset=offset)
    agree("bits_send", *bits, *keys, source(n), source(n), source(n), offset=offset)
    pair = (*bits, source(-(-n // 64)), source(-(-n // 64)))
    for count in (1, 3):
        shares = (source(count * n), source(count * n))
        agree("lookup_send", *pair, *keys, source(3 * n), *shares, offset=offset)


@pytest.mark.parametrize("role", ["B", "C"])
@given(source=sources, n=lengths, nonce=nonces, offset=offsets)
def test_combine(agree: Any, role: str, source: Any, n: int, nonce: int, offset: int) -> None:
    q, x, out = source(-(-n // 64)), (source(n), source(n)), (source(n), source(n))
    message = source(2 * n) if role == "C" else None
    agree("inject_combine", role, *x, q, message, OWN, nonce, *out, offset=offset)
    message = source(n) if role == "C" else None
    agree("bits_combine", role, q, message, OWN, nonce, *out, offset=offset)
    message = source(3 * n) if role == "C" else None
    for count in (1, 3):
        tables, out = source(4 * count), (source(count * n), source(count * n))
        p = source(-(-n // 64))
        agree("lookup_combine", role, p, q, message, tables, OWN, nonce, *out, offset=offset)


def test_a_lookup_has_one_to_eight_tables(native: Any) -> None:
    word, key = np.zeros(1, np.uint64), StreamKey(bytes(16))
    for count in (0, 9):
        out, tables = np.zeros(count, np.uint64), np.zeros(4 * count, np.uint64)
        with pytest.raises(ValueError, match="1 to 8"):
            native.lookup_combine("B", word, word, None, tables, key, 1, out, out.copy())


@pytest.mark.parametrize("which", ["native", "reference"])
@pytest.mark.parametrize("n", [1, 64, 1000, 2000])
def test_the_roles_together_inject(native: Any, which: str, n: int) -> None:
    kernels = native if which == "native" else reference
    rng = np.random.default_rng(n)
    x = rng.integers(0, 1 << 64, n, dtype=np.uint64)
    bits = rng.integers(0, 2, n, dtype=np.uint8)
    packed = np.zeros(8 * -(-n // 64), np.uint8)
    packed[: -(-n // 8)] = np.packbits(bits, bitorder="little")
    first, second = rng.integers(0, 1 << 64, (2, packed.size // 8), dtype=np.uint64)
    shares = (first, second, packed.view(np.uint64) ^ first ^ second)
    product = roles.injected(kernels, roles.share(x, rng), shares)
    np.testing.assert_array_equal(product[0] + product[1] + product[2], x * bits)
    integer = roles.integers(kernels, shares, n)
    np.testing.assert_array_equal(integer[0] + integer[1] + integer[2], bits)


@pytest.mark.parametrize(("role", "sent"), [("B", True), ("C", False)])
def test_only_c_has_a_message(native: Any, role: str, sent: bool) -> None:
    t, q, out, y = (np.zeros(size, np.uint64) for size in (10, 1, 10, 10))
    key, message = native.StreamKey(bytes(16)), np.zeros(20, np.uint64) if sent else None
    with pytest.raises(ValueError, match="role C has a message"):
        native.inject_combine(role, t, t, q, message, key, 0, out, y)


@pytest.mark.parametrize("which", ["native", "reference"])
@pytest.mark.parametrize("n", [1, 64, 1000])
def test_the_roles_together_look_up(native: Any, which: str, n: int) -> None:
    kernels = native if which == "native" else reference
    rng = np.random.default_rng(n)
    bits = rng.integers(0, 2, (2, n), dtype=np.uint8)
    shared = []
    for row in bits:
        packed = np.zeros(8 * -(-n // 64), np.uint8)
        packed[: -(-n // 8)] = np.packbits(row, bitorder="little")
        first, second = rng.integers(0, 1 << 64, (2, packed.size // 8), dtype=np.uint64)
        shared.append((first, second, packed.view(np.uint64) ^ first ^ second))
    tables = rng.integers(0, 1 << 64, (3, 4), dtype=np.uint64)
    shares = roles.chosen(kernels, shared[0], shared[1], tables.reshape(-1), n)
    with np.errstate(over="ignore"):
        found = (shares[0] + shares[1] + shares[2]).reshape(3, n)
    np.testing.assert_array_equal(found, tables[:, bits[0] + 2 * bits[1]])
