"""What every kernel over Z_2^128 computes, on Python's integers: as ``reference.py``, no speed.

Same names and arguments as :mod:`tacit.kernels.wide`; streams are those of the reference. Inside a
function elements are arrays of Python's integers, reduced modulo 2^128 when they are written.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any, Final, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from tacit.kernels import reference
from tacit.kernels.reference import StreamKey, carry_level
from tacit.kernels.wide import WIDE, words

__all__ = [
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
]

Wide: TypeAlias = npt.NDArray[Any]
Words: TypeAlias = npt.NDArray[np.uint64]
Field: TypeAlias = npt.NDArray[Any]
Numbers: TypeAlias = npt.NDArray[np.object_]
Role: TypeAlias = Literal["B", "C"]

_WORD: Final = 1 << 64
_MODULUS: Final = 1 << 128
_S, _R, _C1, _U1, _W1, _W0 = range(6)


def _numbers(x: Wide) -> Numbers:
    """Elements, or other words, as Python's integers."""
    if x.dtype != WIDE:
        return np.asarray(x.astype(object))
    return np.asarray(x["low"].astype(object) + x["high"].astype(object) * _WORD, object)


def _signed(x: Numbers) -> Numbers:
    half = _MODULUS >> 1
    return np.asarray((x + half) % _MODULUS - half, object)


def _write(out: Wide, values: Any) -> None:
    values = np.asarray(values, object)
    if out.dtype != WIDE:
        out[...] = (values % (1 << 8 * out.itemsize)).astype(out.dtype)
        return
    out["low"] = (values % _WORD).astype(np.uint64)
    out["high"] = (values // _WORD % _WORD).astype(np.uint64)


def fill(key: StreamKey, nonce: int, lane: int, out: npt.NDArray[Any], start: int = 0) -> None:
    """The stream in words, two of which are an element, the low one first."""
    reference.fill(key, nonce, lane, words(out), start)


def _stream(key: StreamKey, nonce: int, lane: int, like: Wide) -> Numbers:
    out = np.empty_like(like)
    fill(key, nonce, lane, out)
    return _numbers(out)


def add(a: Wide, b: Wide, out: Wide) -> None:
    """``out = a + b``."""
    _write(out, _numbers(a) + _numbers(b))


def matmul(
    a: Wide, b: Wide, *, out: Wide | None = None, accumulate: bool = False, threads: int = 1
) -> Wide:
    """Product ``(…, m, k) @ (…, k, n)``, batched with broadcasting; any strides."""
    x, y = _numbers(a), _numbers(b)
    product = (x[..., :, :, None] * y[..., None, :, :]).sum(axis=-2)
    if out is None:
        out = np.empty(product.shape, WIDE)
    _write(out, _numbers(out) + product if accumulate else product)
    return out


def _local(x_own: Numbers, x_next: Numbers, y_own: Numbers, y_next: Numbers) -> Numbers:
    return np.asarray(x_own * y_own + x_own * y_next + x_next * y_own, object)


def cross_terms(x_own: Wide, x_next: Wide, y_own: Wide, y_next: Wide, out: Wide) -> None:
    """A party's terms of x·y."""
    _write(out, _local(*map(_numbers, (x_own, x_next, y_own, y_next))))


def add_zero_share(z: Wide, key_own: StreamKey, key_next: StreamKey, nonce: int, lane: int) -> None:
    """``z += F(key_own) - F(key_next)``."""
    masks = _stream(key_own, nonce, lane, z) - _stream(key_next, nonce, lane, z)
    _write(z, _numbers(z) + masks)


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
    """Cross terms of x·y plus the share of zero."""
    cross_terms(x_own, x_next, y_own, y_next, out)
    add_zero_share(out, key_own, key_next, nonce, lane)


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
    """A term of a bit times a number."""
    p_s, b_s, s, p_t, b_t, t = map(_numbers, (product_s, bit_s, x_s, product_t, bit_t, x_t))
    _write(out, p_s * (int(with_one) - 2 * b_t) + b_s * (t - 2 * p_t) + s * b_t)


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
    """A party's terms of a four-party product, masked, and what it knows of the shares."""

    def over_integers(operation: Callable[[Numbers, Numbers], Numbers]) -> reference.Operation:
        def apply(a: Wide, b: Wide) -> Wide:
            out = np.empty_like(a)
            _write(out, operation(_numbers(a), _numbers(b)))
            return out

        return apply

    def stream(key: StreamKey, nonce: int, lane: int, like: Wide) -> Wide:
        out = np.empty_like(like)
        fill(key, nonce, lane, out)
        return out

    reference.joint_steps(
        party,
        factors,
        (key_0, key_1, key_2),
        nonce,
        (share_0, share_1, share_2),
        (term_0, term_1, term_2),
        (over_integers(operator.add), over_integers(operator.sub), over_integers(operator.mul)),
        stream,
    )


# Product with truncation: the steps and lanes of ``reference.py`` for 128 bits -------------------


def _shift(x: Numbers, m: int) -> Numbers:
    return np.asarray(_signed(x) >> m, object)


def _product(shares: tuple[Wide | None, ...], z: Wide | None) -> Numbers:
    if z is not None:
        return _numbers(z)
    return _local(*(_numbers(share) for share in shares if share is not None))


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
    """``message = z - s`` for B and ``z + s - r`` for C; ``r_share = r >> m``."""
    product = _product((x_own, x_next, y_own, y_next), z)
    s, r = _stream(key_bc, nonce, _S, message), _stream(key_bc, nonce, _R, message)
    _write(message, product - s if role == "B" else product + s - r)
    _write(r_share, _shift(r, m))


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
    """A: c = x·y + 2^126 - r; shares and messages as in ``reference.py``."""
    c = _product((x_own, x_next, y_own, y_next), z) + _numbers(from_b) + (1 << 126)
    c = (c if from_c is None else c + _numbers(from_c)) % _MODULUS
    c_1, u_1 = _stream(key_ab, nonce, _C1, message), _stream(key_ab, nonce, _U1, field)
    w_1, w_0 = _stream(key_ab, nonce, _W1, field), _stream(key_ca, nonce, _W0, field)
    sent = _shift(c, m) - c_1
    _write(message, sent)
    _write(share_own, sent + (w_0 << (128 - m)))
    _write(share_next, c_1 + (w_1 << (128 - m)))
    _write(field, (c >> 127) - u_1)


def truncation_carry_b(
    key_ab: StreamKey, nonce: int, m: int, r_share: Wide, share_own: Wide, field: Field
) -> None:
    """B: ``share_own = c_1 + w_1 2^(128-m)``, ``field = u_1 r_top - w_1``."""
    c_1, u_1 = _stream(key_ab, nonce, _C1, share_own), _stream(key_ab, nonce, _U1, field)
    w_1 = _stream(key_ab, nonce, _W1, field)
    _write(share_own, c_1 + (w_1 << (128 - m)))
    _write(field, u_1 * (_numbers(r_share) >> 127) - w_1)


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
    """C: ``share_next = message + w_0 2^(128-m)``, ``field = field_in r_top - w_0``."""
    w_0 = _stream(key_ca, nonce, _W0, field)
    _write(share_next, _numbers(message) + (w_0 << (128 - m)))
    _write(field, _numbers(field_in) * (_numbers(r_share) >> 127) - w_0)


def truncation_finish(field_1: Field, field_2: Field, m: int, r_share: Wide) -> None:
    """``r_share += (field_1 + field_2) 2^(128-m) - 2^(126-m) + 1``."""
    carry = (_numbers(field_1) + _numbers(field_2)) << (128 - m)
    _write(r_share, _numbers(r_share) + carry - (1 << (126 - m)) + 1)


# Carry into bit 127: bit 0 alone, then 42 blocks of three ----------------------------------------
_MONOMIALS = 1 + 7 * 42


def _sliced(x: Numbers, blocks: int, width: int) -> list[Words]:
    """Bit planes padded with zeros: 128 arrays of shape (blocks, width)."""
    padded = np.zeros(blocks * width * 64, WIDE)
    _write(padded[: x.size], x)
    planes = np.empty((128, blocks * width), np.uint64)
    to_planes(padded, planes)
    return list(planes.reshape(128, blocks, width))


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
    """A: a0 of bit 0, then the seven monomials of each block, then bit 127 if ``with_top``."""
    bits = _sliced(_numbers(x_own) + _numbers(x_next), message.shape[0], width)
    mask = np.empty_like(message)
    fill(key_ab, nonce, 0, mask)
    message[:, 0] = bits[0]
    for q in range(42):
        a0, a1, a2 = bits[3 * q + 1 : 3 * q + 4]
        monomials = (a0, a1, a2, a1 & a0, a2 & a0, a2 & a1, a2 & a1 & a0)
        message[:, 7 * q + 1 : 7 * q + 8] = np.stack(monomials, axis=1)
    if with_top:
        message[:, _MONOMIALS] = bits[127]
    message ^= mask
    fill(key_ca, nonce, 1, level_own)
    fill(key_ab, nonce, 1, level_next)
    top_own[...] = message[:, _MONOMIALS:] if with_top else 0
    top_next[...] = mask[:, _MONOMIALS:] if with_top else 0


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
    """B and C: shares of g of bit 0 and of (g, p) of each block, masked with ``level``."""
    bits = _sliced(_numbers(t), out.shape[0], width)
    if message is None:
        message = np.empty((out.shape[0], _MONOMIALS + with_top, width), np.uint64)
        fill(key, nonce, 0, message)
    fill(key, nonce, 1, level)
    out[:, 0] = message[:, 0] & bits[0]
    for q in range(42):
        t0, t1, t2 = bits[3 * q + 1 : 3 * q + 4]
        m0, m1, m2, m10, m20, m21, m210 = np.moveaxis(message[:, 7 * q + 1 : 7 * q + 8], 1, 0)
        g = (m2 & t2) ^ (m21 & t1) ^ (t0 & (m210 ^ (t1 & m20)))
        g ^= t2 & ((m1 & t1) ^ (t0 & (m10 ^ (t1 & m0))))
        constant = m0 if role == "C" else m0 ^ t0
        p = m210 ^ (t0 & m21) ^ (t1 & (m20 ^ (t0 & m2)))
        p ^= t2 & (m10 ^ (t0 & m1) ^ (t1 & constant))
        out[:, 2 * q + 1], out[:, 2 * q + 2] = g, p
    out ^= level
    top_t[:, 0] = bits[127] if with_top else 0
    top_s[...] = message[:, _MONOMIALS:] if with_top else 0


def to_planes(x: Wide, out: Words) -> None:
    """Bit planes of the low words, then of the high ones."""
    reference.to_planes(x["low"], out[:64])
    reference.to_planes(x["high"], out[64:])


def from_planes(planes: Words, out: Wide) -> None:
    """The inverse of `to_planes`."""
    for word, part in (("low", planes[:64]), ("high", planes[64:])):
        half = np.empty(out.shape, np.uint64)
        reference.from_planes(np.ascontiguousarray(part), half)
        out[word] = half


# Bit times value ---------------------------------------------------------------------------------


def _bits(packed: Words, count: int) -> Numbers:
    plain = np.unpackbits(packed.view(np.uint8), bitorder="little")[:count]
    return np.asarray(plain.astype(object))


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
    """A: beta·s and beta, masked with lanes 0 and 1 of ``key_ab``; shares are lane 2."""
    n = x_own.size
    beta = _bits(b_own ^ b_next, n)
    product = beta * ((_numbers(x_own) + _numbers(x_next)) % _MODULUS)
    _write(message[:n], product - _stream(key_ab, nonce, 0, x_own))
    _write(message[n:], beta - _stream(key_ab, nonce, 1, x_own))
    fill(key_ca, nonce, 2, y_own)
    fill(key_ab, nonce, 2, y_next)


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
    """B and C: the share of (beta ^ q) x, minus ``y`` = lane 2."""
    n = t.size
    if message is None:
        m_0, m_1 = _stream(key, nonce, 0, t), _stream(key, nonce, 1, t)
    else:
        m_0, m_1 = _numbers(message[:n]), _numbers(message[n:])
    v = m_0 + m_1 * _numbers(t)
    side = _numbers(x_side) if role == "C" else _numbers(x_side) + _numbers(t)
    fill(key, nonce, 2, y)
    chosen = _bits(q, n)
    _write(out, chosen * (side - v) + (1 - chosen) * v - _numbers(y))


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
    """A: beta as an element, masked with lane 0 of ``key_ab``; shares are lane 1."""
    _write(message, _bits(b_own ^ b_next, message.size) - _stream(key_ab, nonce, 0, message))
    fill(key_ca, nonce, 1, y_own)
    fill(key_ab, nonce, 1, y_next)


def bits_combine(
    role: Role,
    q: Words,
    message: Wide | None,
    key: StreamKey,
    nonce: int,
    out: Wide,
    y: Wide,
) -> None:
    """B and C: the share of beta ^ q, minus ``y`` = lane 1."""
    bits = _bits(q, out.size)
    share = _stream(key, nonce, 0, out) if message is None else _numbers(message)
    fill(key, nonce, 1, y)
    _write(out, share * (1 - 2 * bits) + (bits if role == "C" else 0) - _numbers(y))
