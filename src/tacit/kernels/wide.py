"""The kernels over Z_2^128, under the names of :mod:`tacit.kernels.reference`.

Arrays of elements have the dtype :data:`WIDE`, a low and a high word; they become vectors of
words on the way to Rust. What has no name there (streams, bits, levels of the carry tree) is the
same over both rings.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from tacit._native import (
    StreamKey,
    carry_level,
    wide_add_zero_share,
    wide_bits_combine,
    wide_bits_send,
    wide_carry_generate,
    wide_carry_monomials,
    wide_combine,
    wide_cross_terms,
    wide_cumulative_sum,
    wide_from_floats,
    wide_inject_combine,
    wide_inject_send,
    wide_joint_inject,
    wide_joint_terms,
    wide_matmul,
    wide_multiply_share,
    wide_shift_left,
    wide_shift_right,
    wide_sum,
    wide_to_floats,
    wide_truncation_carry_b,
    wide_truncation_carry_c,
    wide_truncation_finish,
    wide_truncation_mask,
    wide_truncation_open,
)
from tacit._native import fill as _fill
from tacit._native import from_planes as _from_planes
from tacit._native import to_planes as _to_planes

__all__ = [
    "WIDE",
    "add",
    "add_zero_share",
    "bits_combine",
    "bits_send",
    "carry_generate",
    "carry_level",
    "carry_monomials",
    "cross_terms",
    "fill",
    "from_planes",
    "inject_combine",
    "inject_send",
    "joint_inject",
    "joint_terms",
    "matmul",
    "multiply_share",
    "to_planes",
    "truncation_carry_b",
    "truncation_carry_c",
    "truncation_finish",
    "truncation_mask",
    "truncation_open",
    "wide_combine",
    "wide_cumulative_sum",
    "wide_from_floats",
    "wide_shift_left",
    "wide_shift_right",
    "wide_sum",
    "wide_to_floats",
    "words",
]

WIDE: Final = np.dtype([("low", np.uint64), ("high", np.uint64)])
"""An element of Z_2^128: 16 bytes, little endian where the machine is."""

_PER_THREAD: Final = 1 << 20
"""Multiplications that pay for one more thread."""

Wide: TypeAlias = npt.NDArray[np.void]
Words: TypeAlias = npt.NDArray[np.uint64]
Field: TypeAlias = npt.NDArray[Any]
Role: TypeAlias = Literal["B", "C"]


def words(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A contiguous array of elements as a vector of words, in place; other arrays as they are."""
    return array.reshape(-1).view(np.uint64) if array.dtype == WIDE else array


def _optional(array: Wide | None) -> Words | None:
    return None if array is None else words(array)


def fill(key: StreamKey, nonce: int, lane: int, out: npt.NDArray[Any], start: int = 0) -> None:
    """As the reference's."""
    _fill(key, nonce, lane, words(out), start)


def add(a: Wide, b: Wide, out: Wide) -> None:
    """As the reference's."""
    wide_combine("add", words(a), words(b), words(out))


def matmul(
    a: Wide, b: Wide, *, out: Wide | None = None, accumulate: bool = False, threads: int = 1
) -> Wide:
    """As the reference's; the rows of large products are spread over up to `threads` threads."""
    batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    shape = (*batch, a.shape[-2], b.shape[-1])
    if a.shape[-1] != b.shape[-2]:
        raise ValueError("the shapes do not fit a matrix product")
    result = np.zeros(shape, WIDE)
    left = np.broadcast_to(a, (*batch, *a.shape[-2:]))
    right = np.broadcast_to(b, (*batch, *b.shape[-2:]))
    for place in np.ndindex(batch):
        _product(
            np.ascontiguousarray(left[place]),
            np.ascontiguousarray(right[place]),
            result[place],
            threads,
        )
    if out is None:
        return result
    if accumulate:
        total = np.empty_like(result)
        add(np.ascontiguousarray(out), result, total)
        result = total
    out[...] = result
    return out


def _product(left: Wide, right: Wide, result: Wide, threads: int) -> None:
    """One matrix product of C-contiguous operands; the kernel computes without Python's lock."""
    rows, length = left.shape
    work = rows * length * right.shape[1]
    threads = min(threads, rows, work // _PER_THREAD)
    if threads < 2:
        wide_matmul(words(left), words(right), length, words(result))
        return
    factor = words(right)
    ends = [rows * part // threads for part in range(threads + 1)]

    def block(start: int, stop: int) -> None:
        wide_matmul(words(left[start:stop]), factor, length, words(result[start:stop]))

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(block, ends[:-1], ends[1:]))


def cross_terms(x_own: Wide, x_next: Wide, y_own: Wide, y_next: Wide, out: Wide) -> None:
    """As the reference's."""
    wide_cross_terms(*map(words, (x_own, x_next, y_own, y_next, out)))


def add_zero_share(z: Wide, key_own: StreamKey, key_next: StreamKey, nonce: int, lane: int) -> None:
    """As the reference's."""
    wide_add_zero_share(words(z), key_own, key_next, nonce, lane)


def multiply_share(
    x_own: Wide,
    x_next: Wide,
    y_own: Wide,
    y_next: Wide,
    key_own: StreamKey,
    key_next: StreamKey,
    nonce: int,
    lane: int,
    out: Wide,
) -> None:
    """As the reference's."""
    wide_multiply_share(
        words(x_own),
        words(x_next),
        words(y_own),
        words(y_next),
        key_own,
        key_next,
        nonce,
        lane,
        words(out),
    )


def joint_inject(
    product_s: Wide,
    bit_s: Wide,
    x_s: Wide,
    product_t: Wide,
    bit_t: Wide,
    x_t: Wide,
    with_one: bool,
    out: Wide,
) -> None:
    """As the reference's."""
    p_s, b_s, s, p_t, b_t, t = map(words, (product_s, bit_s, x_s, product_t, bit_t, x_t))
    wide_joint_inject(p_s, b_s, s, p_t, b_t, t, with_one, words(out))


def joint_terms(
    party: int,
    factors: Sequence[Wide],
    key_0: StreamKey,
    key_1: StreamKey,
    key_2: StreamKey,
    nonce: int,
    share_0: Wide,
    share_1: Wide,
    share_2: Wide,
    term_0: Wide,
    term_1: Wide,
    term_2: Wide,
) -> None:
    """As the reference's."""
    shares_and_terms = map(words, (share_0, share_1, share_2, term_0, term_1, term_2))
    wide_joint_terms(
        party, [words(x) for x in factors], key_0, key_1, key_2, nonce, *shares_and_terms
    )


def truncation_mask(
    role: Role,
    x_own: Wide | None,
    x_next: Wide | None,
    y_own: Wide | None,
    y_next: Wide | None,
    z: Wide | None,
    key_bc: StreamKey,
    nonce: int,
    m: int,
    message: Wide,
    r_share: Wide,
) -> None:
    """As the reference's."""
    wide_truncation_mask(
        role,
        _optional(x_own),
        _optional(x_next),
        _optional(y_own),
        _optional(y_next),
        _optional(z),
        key_bc,
        nonce,
        m,
        words(message),
        words(r_share),
    )


def truncation_open(
    x_own: Wide | None,
    x_next: Wide | None,
    y_own: Wide | None,
    y_next: Wide | None,
    z: Wide | None,
    from_b: Wide,
    from_c: Wide | None,
    key_ab: StreamKey,
    key_ca: StreamKey,
    nonce: int,
    m: int,
    share_own: Wide,
    share_next: Wide,
    message: Wide,
    field: Field,
) -> None:
    """As the reference's."""
    wide_truncation_open(
        _optional(x_own),
        _optional(x_next),
        _optional(y_own),
        _optional(y_next),
        _optional(z),
        words(from_b),
        _optional(from_c),
        key_ab,
        key_ca,
        nonce,
        m,
        words(share_own),
        words(share_next),
        words(message),
        words(field),
    )


def truncation_carry_b(
    key_ab: StreamKey, nonce: int, m: int, r_share: Wide, share_own: Wide, field: Field
) -> None:
    """As the reference's."""
    wide_truncation_carry_b(key_ab, nonce, m, words(r_share), words(share_own), words(field))


def truncation_carry_c(
    message: Wide,
    field_in: Field,
    key_ca: StreamKey,
    nonce: int,
    m: int,
    r_share: Wide,
    share_next: Wide,
    field: Field,
) -> None:
    """As the reference's."""
    wide_truncation_carry_c(
        words(message),
        words(field_in),
        key_ca,
        nonce,
        m,
        words(r_share),
        words(share_next),
        words(field),
    )


def truncation_finish(field_1: Field, field_2: Field, m: int, r_share: Wide) -> None:
    """As the reference's."""
    wide_truncation_finish(words(field_1), words(field_2), m, words(r_share))


def carry_monomials(
    x_own: Wide,
    x_next: Wide,
    key_ca: StreamKey,
    key_ab: StreamKey,
    nonce: int,
    width: int,
    with_top: bool,
    message: Words,
    level_own: Words,
    level_next: Words,
    top_own: Words,
    top_next: Words,
) -> None:
    """As the reference's."""
    wide_carry_monomials(
        words(x_own),
        words(x_next),
        key_ca,
        key_ab,
        nonce,
        width,
        with_top,
        message,
        level_own,
        level_next,
        top_own,
        top_next,
    )


def carry_generate(
    role: Role,
    t: Wide,
    message: Words | None,
    key: StreamKey,
    nonce: int,
    width: int,
    with_top: bool,
    out: Words,
    level: Words,
    top_t: Words,
    top_s: Words,
) -> None:
    """As the reference's."""
    wide_carry_generate(
        role, words(t), message, key, nonce, width, with_top, out, level, top_t, top_s
    )


def to_planes(x: Wide, out: Words) -> None:
    """As the reference's."""
    _to_planes(np.ascontiguousarray(x["low"]), out[:64])
    _to_planes(np.ascontiguousarray(x["high"]), out[64:])


def from_planes(planes: Words, out: Wide) -> None:
    """As the reference's."""
    half = np.empty(out.shape, np.uint64)
    for word, part in (("low", planes[:64]), ("high", planes[64:])):
        _from_planes(part, half)
        out[word] = half


def inject_send(
    x_own: Wide,
    x_next: Wide,
    b_own: Words,
    b_next: Words,
    key_ca: StreamKey,
    key_ab: StreamKey,
    nonce: int,
    message: Wide,
    y_own: Wide,
    y_next: Wide,
) -> None:
    """As the reference's."""
    wide_inject_send(
        words(x_own),
        words(x_next),
        b_own,
        b_next,
        key_ca,
        key_ab,
        nonce,
        words(message),
        words(y_own),
        words(y_next),
    )


def inject_combine(
    role: Role,
    t: Wide,
    x_side: Wide,
    q: Words,
    message: Wide | None,
    key: StreamKey,
    nonce: int,
    out: Wide,
    y: Wide,
) -> None:
    """As the reference's."""
    values = (words(t), words(x_side), q, _optional(message))
    wide_inject_combine(role, *values, key, nonce, words(out), words(y))


def bits_send(
    b_own: Words,
    b_next: Words,
    key_ca: StreamKey,
    key_ab: StreamKey,
    nonce: int,
    message: Wide,
    y_own: Wide,
    y_next: Wide,
) -> None:
    """As the reference's."""
    wide_bits_send(
        b_own, b_next, key_ca, key_ab, nonce, words(message), words(y_own), words(y_next)
    )


def bits_combine(
    role: Role,
    q: Words,
    message: Wide | None,
    key: StreamKey,
    nonce: int,
    out: Wide,
    y: Wide,
) -> None:
    """As the reference's."""
    wide_bits_combine(role, q, _optional(message), key, nonce, words(out), words(y))
