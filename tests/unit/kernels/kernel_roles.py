"""The kernels of one item put together for the three roles, in one process."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

Ring = npt.NDArray[np.uint64]
NONCE = 77


def keys(kernels: Any) -> tuple[Any, Any, Any]:
    """Keys of A and B, of B and C, of C and A."""
    return tuple(kernels.StreamKey(bytes([i]) * 16) for i in (1, 2, 3))  # type: ignore[return-value]


def share(x: Ring, rng: np.random.Generator) -> tuple[Ring, Ring, Ring]:
    """Shares j, j+1, j+2 with sum ``x``."""
    first, second = rng.integers(0, 1 << 64, (2, x.size), dtype=np.uint64)
    return first, second, x - first - second


def product_truncated(
    k: ModuleType, x: tuple[Ring, ...], y: tuple[Ring, ...], m: int, dtype: type[Any]
) -> tuple[Ring, ...]:
    """Shares of x·y / 2^m, and the checks that the replicated copies agree."""
    ab, bc, ca = keys(k)
    n = x[0].size
    (x0, x1, x2), (y0, y1, y2) = x, y
    words = [np.empty(n, np.uint64) for _ in range(9)]
    message_b, message_c, r_b, r_c, a_own, a_next, message_a, b_own, c_next = words
    field_a, field_b, field_c = (np.empty(n, dtype) for _ in range(3))
    k.truncation_mask("B", x1, x2, y1, y2, None, bc, NONCE, m, message_b, r_b)
    k.truncation_mask("C", x2, x0, y2, y0, None, bc, NONCE, m, message_c, r_c)
    k.truncation_open(
        x0, x1, y0, y1, None, message_b, message_c, ab, ca, NONCE, m, a_own, a_next, message_a,
        field_a,
    )  # fmt: skip
    k.truncation_carry_b(ab, NONCE, m, r_b, b_own, field_b)
    k.truncation_carry_c(message_a, field_a, ca, NONCE, m, r_c, c_next, field_c)
    k.truncation_finish(field_b, field_c, m, r_b)
    k.truncation_finish(field_c, field_b, m, r_c)
    np.testing.assert_array_equal(r_b, r_c)
    np.testing.assert_array_equal(a_next, b_own)
    np.testing.assert_array_equal(a_own, c_next)
    return a_own, a_next, r_b


def sign_bits(k: ModuleType, x: tuple[Ring, ...], width: int) -> Ring:
    """Bit 63 of the shared values as packed words, through monomials and carry tree."""
    ab, bc, ca = keys(k)
    x0, x1, x2 = x
    blocks = -(-x0.size // (64 * width))

    def planes(count: int) -> Ring:
        return np.empty((blocks, count, width), np.uint64)

    message, level = planes(148), [planes(41) for _ in range(3)]
    top = [planes(1) for _ in range(6)]
    out_b, out_c, w_b, w_c = (planes(41) for _ in range(4))
    k.carry_monomials(
        x0, x1, ca, ab, NONCE, width, True, message, level[0], level[1], top[0], top[1]
    )
    k.carry_generate("B", x2, None, ab, NONCE, width, True, out_b, w_b, top[2], top[3])
    k.carry_generate("C", x2, message, ca, NONCE, width, True, out_c, w_c, top[4], top[5])
    np.testing.assert_array_equal(level[1], w_b)
    np.testing.assert_array_equal(level[0], w_c)
    np.testing.assert_array_equal(top[1], top[3])
    np.testing.assert_array_equal(top[0], top[5])
    k.xor(out_b.reshape(-1), out_c.reshape(-1), level[2].reshape(-1))
    tops = [top[0], top[1], top[2]]

    stream_keys = (ca, ab, bc)  # key j belongs to the two parties that hold share j
    state, levels = level, [level]
    for lane in range(5):
        out = [planes(2 * [10, 5, 3, 1, 1][lane] - 1) for _ in range(3)]
        # pairs: 21, 10, 5 and block 20 of level 0, 3, 1 and the last of the three
        tail = (levels[0], 39) if lane == 2 else (levels[3], 3) if lane == 4 else None
        for j in range(3):
            n = (j + 1) % 3
            k.carry_level(
                state[j], state[n],
                tail[0][j] if tail else None, tail[0][n] if tail else None, tail[1] if tail else 0,
                stream_keys[j], stream_keys[n], NONCE, 16 + lane,
                tops[j] if lane == 4 else None, out[j],
            )  # fmt: skip
        state = out
        levels.append(out)
    return (state[0] ^ state[1] ^ state[2]).reshape(-1)


def injected(k: ModuleType, x: tuple[Ring, ...], bits: tuple[Ring, ...]) -> tuple[Ring, ...]:
    """Shares of b·x for shared packed bits b."""
    ab, _, ca = keys(k)
    n = x[0].size
    message = np.empty(2 * n, np.uint64)
    a_own, a_next, out_b, out_c, b_own, c_next, third = (np.empty(n, np.uint64) for _ in range(7))
    k.inject_send(x[0], x[1], bits[0], bits[1], ca, ab, NONCE, message, a_own, a_next)
    k.inject_combine("B", x[2], x[1], bits[2], None, ab, NONCE, out_b, b_own)
    k.inject_combine("C", x[2], x[0], bits[2], message, ca, NONCE, out_c, c_next)
    k.add(out_b, out_c, third)
    np.testing.assert_array_equal(a_next, b_own)
    np.testing.assert_array_equal(a_own, c_next)
    return a_own, a_next, third


def chosen(
    k: ModuleType, a: tuple[Ring, ...], b: tuple[Ring, ...], tables: Ring, n: int
) -> tuple[Ring, ...]:
    """Shares of the tables' values at a + 2b for shared packed bits."""
    ab, _, ca = keys(k)
    message = np.empty(3 * n, np.uint64)
    a_own, a_next, out_b, out_c, b_own, c_next, third = (
        np.empty(tables.size // 4 * n, np.uint64) for _ in range(7)
    )
    k.lookup_send(a[0], a[1], b[0], b[1], ca, ab, NONCE, message, a_own, a_next)
    k.lookup_combine("B", a[2], b[2], None, tables, ab, NONCE, out_b, b_own)
    k.lookup_combine("C", a[2], b[2], message, tables, ca, NONCE, out_c, c_next)
    k.add(out_b, out_c, third)
    np.testing.assert_array_equal(a_next, b_own)
    np.testing.assert_array_equal(a_own, c_next)
    return a_own, a_next, third


def integers(k: ModuleType, bits: tuple[Ring, ...], n: int) -> tuple[Ring, ...]:
    """Shares of the shared packed bits as integers 0 and 1."""
    ab, _, ca = keys(k)
    message, a_own, a_next, out_b, out_c, b_own, c_next, third = (
        np.empty(n, np.uint64) for _ in range(8)
    )
    k.bits_send(bits[0], bits[1], ca, ab, NONCE, message, a_own, a_next)
    k.bits_combine("B", bits[2], None, ab, NONCE, out_b, b_own)
    k.bits_combine("C", bits[2], message, ca, NONCE, out_c, c_next)
    k.add(out_b, out_c, third)
    np.testing.assert_array_equal(a_next, b_own)
    np.testing.assert_array_equal(a_own, c_next)
    return a_own, a_next, third
