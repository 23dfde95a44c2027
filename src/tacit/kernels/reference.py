"""What every kernel computes, in NumPy: the definition that the Rust kernels are tested against.

Same names and arguments as :mod:`tacit._native`, no checks, no speed. Outputs are arguments
unless said otherwise; ring elements are ``uint64``, in Z_2^64; a *vector* is one-dimensional and
C-contiguous.

Notation. A, B, C are the roles of the three parties for an item, as in the protocol texts: A
holds the shares ``j`` and ``j+1`` (``own`` and ``next``), B holds ``j+1`` and ``j+2``, C holds
``j+2`` and ``j``; s is the sum of A's two shares and t the share that A lacks. F(key, lane) is
the stream of a key that two parties hold; ``key_ab`` is held by A and B, and so on.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, NoReturn, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

__all__ = [
    "StreamKey",
    "add",
    "add_zero_share",
    "and_share",
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
    "joint_bits",
    "joint_carry",
    "joint_halves",
    "joint_inject",
    "joint_leaves",
    "joint_placed",
    "joint_terms",
    "linear_combination",
    "lookup_combine",
    "lookup_send",
    "matmul",
    "multiply_share",
    "permutation",
    "to_planes",
    "truncation_carry_b",
    "truncation_carry_c",
    "truncation_finish",
    "truncation_mask",
    "truncation_open",
    "xor",
    "xor_zero_share",
]

Ring: TypeAlias = npt.NDArray[np.uint64]
Field: TypeAlias = npt.NDArray[np.unsignedinteger[Any]]
Scalar = TypeVar("Scalar", bound=np.generic)


# Streams -------------------------------------------------------------------------------------


class StreamKey:
    """A 16-byte key of a pseudorandom stream that two parties share."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        if len(key) != 16:
            raise ValueError("a stream key has 16 bytes")
        self._key = bytes(key)

    def __repr__(self) -> str:
        return "StreamKey(...)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("stream keys are not pickled")


def fill(
    key: StreamKey, nonce: int, lane: int, out: npt.NDArray[np.generic], start: int = 0
) -> None:
    """Fill ``out`` with AES-128 in counter mode: F(key, nonce, lane) from block ``start`` on.

    The counter block of 16 bytes, big endian, is nonce (8) | lane (2) | index (6) with
    index = start, start + 1, …; words are read from the key stream in little endian.
    """
    counter = nonce.to_bytes(8, "big") + lane.to_bytes(2, "big") + start.to_bytes(6, "big")
    stream = Cipher(algorithms.AES128(key._key), modes.CTR(counter)).encryptor()
    data = np.frombuffer(stream.update(bytes(out.nbytes)), dtype=out.dtype)
    out[...] = data.reshape(out.shape)


def _stream(
    key: StreamKey, nonce: int, lane: int, like: npt.NDArray[Scalar]
) -> npt.NDArray[Scalar]:
    out = np.empty_like(like)
    fill(key, nonce, lane, out)
    return out


def permutation(key: StreamKey, nonce: int, lane: int, out: Ring) -> None:
    """Fill every row of ``out`` (rows, n) with a uniform permutation of 0 to n - 1.

    Fisher–Yates (Durstenfeld 1964): for i = n - 1 down to 1, exchange i and a uniform j ≤ i. j is
    ⌊w (i + 1) / 2^32⌋ for the next word w of 32 bits, skipping words with
    w (i + 1) mod 2^32 < 2^32 mod (i + 1), so that as many words give each j (Lemire 2019). The
    stream is read in pieces of 1,024 words and goes on from row to row.
    """
    words = _words(key, nonce, lane)
    for row in out:
        row[...] = np.arange(len(row), dtype=np.uint64)
        for i in range(len(row) - 1, 0, -1):
            bound = i + 1
            product = next(words) * bound
            while product % (1 << 32) < (1 << 32) % bound:
                product = next(words) * bound
            j = product >> 32
            row[i], row[j] = row[j], row[i]


def _words(key: StreamKey, nonce: int, lane: int) -> Iterator[int]:
    for start in itertools.count(0, 256):
        piece = np.empty(1024, np.uint32)
        fill(key, nonce, lane, piece, start)
        yield from piece.tolist()


# Ring products -------------------------------------------------------------------------------


def matmul(
    a: Ring, b: Ring, *, out: Ring | None = None, accumulate: bool = False, threads: int = 1
) -> Ring:
    """Product ``(…, m, k) @ (…, k, n)`` mod 2^64, batched with broadcasting; any strides.

    Returns ``out`` (a new array if None); with ``accumulate`` the product is added to ``out``.
    """
    product: Ring = np.matmul(a, b)
    if out is None:
        return product
    if accumulate:
        out += product
    else:
        out[...] = product
    return out


def add(a: Ring, b: Ring, out: Ring) -> None:
    """``out = a + b``."""
    np.add(a, b, out=out)


def xor(a: Ring, b: Ring, out: Ring) -> None:
    """``out = a ^ b``."""
    np.bitwise_xor(a, b, out=out)


def linear_combination(
    terms: Sequence[Ring], factors: Sequence[int], constant: int, out: Ring
) -> None:
    """``out = Σ factor x + constant``; factors and constant are elements, 0 to 2^64 - 1."""
    total = np.full(out.shape, constant, np.uint64)
    for x, factor in zip(terms, factors, strict=True):
        total += x * np.uint64(factor)
    out[...] = total


def cross_terms(
    x_own: Ring, x_next: Ring, y_own: Ring, y_next: Ring, out: Ring, accumulate: bool = False
) -> None:
    """A party's terms of x·y: ``out = x_own y_own + x_own y_next + x_next y_own``.

    With ``accumulate`` they are added to ``out``.
    """
    terms = x_own * y_own + x_own * y_next + x_next * y_own
    out[...] = out + terms if accumulate else terms


def add_zero_share(z: Ring, key_own: StreamKey, key_next: StreamKey, nonce: int, lane: int) -> None:
    """``z += F(key_own) - F(key_next)``: over the three parties these masks sum to zero."""
    z += _stream(key_own, nonce, lane, z) - _stream(key_next, nonce, lane, z)


def multiply_share(
    x_own: Ring,
    x_next: Ring,
    y_own: Ring,
    y_next: Ring,
    key_own: StreamKey,
    key_next: StreamKey,
    nonce: int,
    lane: int,
    out: Ring,
) -> None:
    """Cross terms of x·y plus the share of zero: the message of one multiplication."""
    cross_terms(x_own, x_next, y_own, y_next, out)
    add_zero_share(out, key_own, key_next, nonce, lane)


def xor_zero_share(z: Ring, key_own: StreamKey, key_next: StreamKey, nonce: int, lane: int) -> None:
    """``z ^= F(key_own) ^ F(key_next)``."""
    z ^= _stream(key_own, nonce, lane, z) ^ _stream(key_next, nonce, lane, z)


def and_share(
    x_own: Ring,
    x_next: Ring,
    y_own: Ring,
    y_next: Ring,
    key_own: StreamKey,
    key_next: StreamKey,
    nonce: int,
    lane: int,
    out: Ring,
) -> None:
    """The same product over Z_2, 64 bits to the word: & for ·, ^ for + and -."""
    out[...] = _and_local(x_own, x_next, y_own, y_next)
    xor_zero_share(out, key_own, key_next, nonce, lane)


# Four-party products -------------------------------------------------------------------------
# Party i of four holds the shares and keys of the other three indices, in ascending order. The
# term F_ab = s (x_a + s x_b)(y_a + s y_b), s = -1 where b = a + 2 and +1 elsewhere, is known to
# the two parties outside {a, b}. In INP(S, B, R, O) share R takes a mask from R's key on the
# message's lane, share O the term less that mask, which S sends to R.

JOINT_ROLES = ((0, 1, 3), (1, 2, 0), (2, 3, 1), (3, 0, 2), (0, 2, 3), (1, 3, 2))
"""S, B and R of the messages of a product, by lane."""


def joint_terms(
    party: int,
    factors: Sequence[Ring],
    key_0: StreamKey,
    key_1: StreamKey,
    key_2: StreamKey,
    nonce: int,
    share_0: Ring,
    share_1: Ring,
    share_2: Ring,
    term_0: Ring,
    term_1: Ring,
    term_2: Ring,
) -> None:
    """A party's terms of a product, masked, and what it knows of the shares.

    ``factors`` are the three shares of x, then those of y: the terms of the pairs (0, 1), (0, 2),
    (1, 2) of places are computed; without factors, ``term_…`` hold them. Afterwards these hold the
    terms less their masks, what the senders send, and ``share_…`` the sum of all parts but those
    that this party is still to receive.
    """
    joint_steps(
        party,
        factors,
        (key_0, key_1, key_2),
        nonce,
        (share_0, share_1, share_2),
        (term_0, term_1, term_2),
        (np.add, np.subtract, np.multiply),
        _stream,
    )


def joint_bits(
    party: int,
    factors: Sequence[Ring],
    key_0: StreamKey,
    key_1: StreamKey,
    key_2: StreamKey,
    nonce: int,
    share_0: Ring,
    share_1: Ring,
    share_2: Ring,
    term_0: Ring,
    term_1: Ring,
    term_2: Ring,
) -> None:
    """The same over Z_2, 64 bits to the word: & for ·, ^ for + and -."""
    joint_steps(
        party,
        factors,
        (key_0, key_1, key_2),
        nonce,
        (share_0, share_1, share_2),
        (term_0, term_1, term_2),
        (np.bitwise_xor, np.bitwise_xor, np.bitwise_and),
        _stream,
    )


Operation: TypeAlias = Callable[[Any, Any], Any]


def joint_steps(
    party: int,
    factors: Sequence[Any],
    keys: Sequence[StreamKey],
    nonce: int,
    shares: Sequence[Any],
    terms: Sequence[Any],
    operations: tuple[Operation, Operation, Operation],
    stream: Callable[[StreamKey, int, int, Any], Any],
) -> None:
    """The steps of :func:`joint_terms` with addition, subtraction and multiplication given."""
    add, subtract, multiply = operations
    held = [index for index in range(4) if index != party]
    term = dict(zip(itertools.combinations(held, 2), terms, strict=True))
    share = dict(zip(held, shares, strict=True))
    if factors:
        x, y = (dict(zip(held, part, strict=True)) for part in (factors[:3], factors[3:]))
        for (a, b), out in term.items():
            if b == a + 2:
                out[...] = multiply(subtract(x[a], x[b]), subtract(y[b], y[a]))
            else:
                out[...] = multiply(add(x[a], x[b]), add(y[a], y[b]))
    for part in shares:
        part[...] = np.zeros((), part.dtype)
    for lane, (sender, backup, receiver) in enumerate(JOINT_ROLES):
        other = 6 - sender - backup - receiver
        if party == receiver:
            continue
        mask = stream(keys[held.index(receiver)], nonce, lane, shares[0])
        share[receiver][...] = add(share[receiver], mask)
        if party == other:
            continue
        rest = term[min(receiver, other), max(receiver, other)]
        rest[...] = subtract(rest, mask)
        share[other][...] = add(share[other], rest)


# Monomials of three bits, (7, blocks, words): a0, a1, a2, a1a0, a2a0, a2a1, a2a1a0.
_GENERATE = ((2, 2), (5, 1), (1, 5), (6, 0), (4, 3), (3, 4), (0, 6))
_PROPAGATE = ((0, 5), (1, 4), (2, 3), (3, 2), (4, 1), (5, 0))


def joint_leaves(a: Ring, b: Ring, blocks: int, lowest: int, out: Ring) -> None:
    """What shares of two numbers' monomials give to the pairs of blocks of three bits.

    ``a`` and ``b`` (7 · blocks · words, flat) are planes of monomials by kind; ``out`` is flat:
    planes of g = Σ a b over the kinds of ``_GENERATE`` for all blocks, then of p over those of
    ``_PROPAGATE`` for the blocks from ``lowest`` on. p lacks a2a1a0 and b2b1b0.
    """
    left, right = (planes.reshape(7, blocks, -1) for planes in (a, b))
    planes = out.reshape(2 * blocks - lowest, -1)
    planes[...] = 0
    for i, j in _GENERATE:
        planes[:blocks] ^= left[i] & right[j]
    for i, j in _PROPAGATE:
        planes[blocks:] ^= left[i, lowest:] & right[j, lowest:]


def joint_inject(
    product_s: Ring,
    bit_s: Ring,
    x_s: Ring,
    product_t: Ring,
    bit_t: Ring,
    x_t: Ring,
    with_one: bool,
    out: Ring,
) -> None:
    """A term of a bit times a number: p_s (1 - 2 b_t) + b_s (x_t - 2 p_t) + x_s b_t.

    Vectors, p the product and b the bit of each summand; the 1 is counted only ``with_one``.
    """
    two = np.uint64(2)
    one = np.uint64(with_one)
    out[...] = product_s * (one - two * bit_t) + bit_s * (x_t - two * product_t) + x_s * bit_t


# Product with truncation ---------------------------------------------------------------------
# Lanes: s and r under key_bc; c_1, u_1 and w_1 under key_ab; w_0 under key_ca.
_S, _R, _C1, _U1, _W1, _W0 = range(6)


def _shift(x: Ring, m: int) -> Ring:
    return (x.view(np.int64) >> m).view(np.uint64)


def _place(field: Field, m: int) -> Ring:
    return field.astype(np.uint64) << np.uint64(64 - m)


def _top(x: Ring, like: Field) -> Field:
    return (x >> np.uint64(63)).astype(like.dtype)


def _product(
    x_own: Ring | None, x_next: Ring | None, y_own: Ring | None, y_next: Ring | None, z: Ring | None
) -> Ring:
    if z is not None:
        return z
    if x_own is None or x_next is None or y_own is None or y_next is None:
        raise TypeError("either z or all four shares of the factors are needed")
    z = np.empty_like(x_own)
    cross_terms(x_own, x_next, y_own, y_next, z)
    return z


def truncation_mask(
    role: Literal["B", "C"],
    x_own: Ring | None,
    x_next: Ring | None,
    y_own: Ring | None,
    y_next: Ring | None,
    z: Ring | None,
    key_bc: StreamKey,
    nonce: int,
    m: int,
    message: Ring,
    r_share: Ring,
) -> None:
    """Step 1, B and C: mask the local product ``z`` for A; keep the shifted mask.

    ``message = z - s`` for B and ``z + s - r`` for C; ``r_share = r >> m`` (arithmetic).
    If ``z`` is None it is the cross terms of x and y.
    """
    z = _product(x_own, x_next, y_own, y_next, z)
    s, r = _stream(key_bc, nonce, _S, message), _stream(key_bc, nonce, _R, message)
    message[...] = z - s if role == "B" else z + s - r
    r_share[...] = _shift(r, m)


def truncation_open(
    x_own: Ring | None,
    x_next: Ring | None,
    y_own: Ring | None,
    y_next: Ring | None,
    z: Ring | None,
    from_b: Ring,
    from_c: Ring | None,
    key_ab: StreamKey,
    key_ca: StreamKey,
    nonce: int,
    m: int,
    share_own: Ring,
    share_next: Ring,
    message: Ring,
    field: Field,
) -> None:
    """Step 2, A: open c = x·y + 2^62 - r, share c >> m and its top bit.

    ``share_own = (c >> m) - c_1 + w_0 2^(64-m)``, ``share_next = c_1 + w_1 2^(64-m)``,
    ``message = (c >> m) - c_1``, ``field = c_top - u_1``. ``from_c`` None counts as zero.
    """
    z = _product(x_own, x_next, y_own, y_next, z)
    c = z + from_b + np.uint64(1 << 62)
    if from_c is not None:
        c = c + from_c
    c_1, u_1 = _stream(key_ab, nonce, _C1, message), _stream(key_ab, nonce, _U1, field)
    w_1, w_0 = _stream(key_ab, nonce, _W1, field), _stream(key_ca, nonce, _W0, field)
    message[...] = _shift(c, m) - c_1
    share_own[...] = message + _place(w_0, m)
    share_next[...] = c_1 + _place(w_1, m)
    field[...] = _top(c, field) - u_1


def truncation_carry_b(
    key_ab: StreamKey, nonce: int, m: int, r_share: Ring, share_own: Ring, field: Field
) -> None:
    """Step 3, B: ``share_own = c_1 + w_1 2^(64-m)``, ``field = u_1 r_top - w_1``."""
    c_1, u_1 = _stream(key_ab, nonce, _C1, share_own), _stream(key_ab, nonce, _U1, field)
    w_1 = _stream(key_ab, nonce, _W1, field)
    share_own[...] = c_1 + _place(w_1, m)
    field[...] = u_1 * _top(r_share, field) - w_1


def truncation_carry_c(
    message: Ring,
    field_in: Field,
    key_ca: StreamKey,
    nonce: int,
    m: int,
    r_share: Ring,
    share_next: Ring,
    field: Field,
) -> None:
    """Step 3, C: ``share_next = message + w_0 2^(64-m)``, ``field = field_in r_top - w_0``."""
    w_0 = _stream(key_ca, nonce, _W0, field)
    share_next[...] = message + _place(w_0, m)
    field[...] = field_in * _top(r_share, field) - w_0


def truncation_finish(field_1: Field, field_2: Field, m: int, r_share: Ring) -> None:
    """Step 4, B and C: ``r_share += (field_1 + field_2) 2^(64-m) - 2^(62-m) + 1``."""
    carry = (field_1 + field_2).astype(field_1.dtype)
    r_share += _place(carry, m) - np.uint64(1 << (62 - m)) + np.uint64(1)


# Truncation among four: both pairs share what they know of x = s + t, shifted, and its top bit;
# then products of the shares of the two bits, in the field.


def joint_halves(
    first: Ring,
    second: Ring | None,
    offset: int,
    m: int,
    key: StreamKey,
    nonce: int,
    lanes: tuple[int, int],
    mask: Ring,
    rest: Ring,
    field_mask: Field,
    field_rest: Field,
) -> None:
    """``rest = (k >> m) - mask``, ``field_rest = k_top - field_mask``, k = first + second + offset.

    The masks are streams of `key` on the two lanes; ``second`` None counts as zero.
    """
    known = first + np.uint64(offset)
    if second is not None:
        known = known + second
    mask[...] = _stream(key, nonce, lanes[0], mask)
    field_mask[...] = _stream(key, nonce, lanes[1], field_mask)
    rest[...] = _shift(known, m) - mask
    field_rest[...] = _top(known, field_rest) - field_mask


def joint_carry(
    a: Field,
    b: Field,
    key: StreamKey,
    nonce: int,
    lane: int,
    m: int,
    offset: int,
    share_mask: Ring,
    share_rest: Ring,
    rest: Field,
) -> None:
    """``rest = a b - mask``; both times 2^(64-m) are added to the shares, the mask's + offset."""
    mask = _stream(key, nonce, lane, rest)
    rest[...] = a * b - mask
    share_mask += _place(mask, m) + np.uint64(offset)
    share_rest += _place(rest, m)


def joint_placed(field: Field, m: int, offset: int, share: Ring) -> None:
    """``share += field 2^(64-m) + offset``."""
    share += _place(field, m) + np.uint64(offset)


# Carry into bit 63, bit-sliced -----------------------------------------------------------------
# Bits 0..62 are 21 blocks of three; 7 monomials for each, then the top bit; level 0 of the tree
# has (g, p) for every block but block 0, which needs no p.
_MONOMIALS, _LEVEL_0 = 147, 41


def _sliced(x: Ring, blocks: int, width: int) -> list[Ring]:
    """Bit planes of ``x``, padded with zeros: 64 arrays of shape (blocks, width)."""
    padded = np.zeros(blocks * width * 64, np.uint64)
    padded[: x.size] = x
    planes = np.empty((64, blocks * width), np.uint64)
    to_planes(padded, planes)
    return list(planes.reshape(64, blocks, width))


def _pair(planes: Ring, q: int) -> tuple[Ring, Ring]:
    """Planes of g and p of pair ``q`` (p of pair 0 does not exist: its g stands in)."""
    return planes[:, max(2 * q - 1, 0)], planes[:, 2 * q]


def carry_monomials(
    x_own: Ring,
    x_next: Ring,
    key_ca: StreamKey,
    key_ab: StreamKey,
    nonce: int,
    width: int,
    with_top: bool,
    message: Ring,
    level_own: Ring,
    level_next: Ring,
    top_own: Ring,
    top_next: Ring,
) -> None:
    """A: share the monomials of the 3-bit blocks of ``s = x_own + x_next`` between B and C.

    ``message`` (blocks, 147 or 148, width): a0, a1, a2, a1a0, a2a0, a2a1, a2a1a0 of block q at
    planes 7q…7q+6, then bit 63 if ``with_top``, all masked with lane 0 of ``key_ab``.
    ``level_own`` and ``level_next`` (blocks, 41, width) are A's shares of the (g, p) pairs: lane
    1 of ``key_ca`` and of ``key_ab``. ``top_own``, ``top_next`` (blocks, 1, width): A's shares
    of bit 63 of s, or zeros.
    """
    bits = _sliced(x_own + x_next, message.shape[0], width)
    mask = _stream(key_ab, nonce, 0, message)
    for q in range(21):
        a0, a1, a2 = bits[3 * q : 3 * q + 3]
        monomials = (a0, a1, a2, a1 & a0, a2 & a0, a2 & a1, a2 & a1 & a0)
        message[:, 7 * q : 7 * q + 7] = np.stack(monomials, axis=1)
    if with_top:
        message[:, _MONOMIALS] = bits[63]
    message ^= mask
    fill(key_ca, nonce, 1, level_own)
    fill(key_ab, nonce, 1, level_next)
    top_own[...] = message[:, _MONOMIALS:] if with_top else 0
    top_next[...] = mask[:, _MONOMIALS:] if with_top else 0


def carry_generate(
    role: Literal["B", "C"],
    t: Ring,
    message: Ring | None,
    key: StreamKey,
    nonce: int,
    width: int,
    with_top: bool,
    out: Ring,
    level: Ring,
    top_t: Ring,
    top_s: Ring,
) -> None:
    """B and C: shares of the (g, p) pairs of s + t from shares of the monomials of s.

    B's monomial shares are lane 0 of ``key`` (``key_ab``, ``message`` None); C's are ``message``
    (and ``key`` is ``key_ca``). ``level`` is lane 1 of ``key`` and ``out`` the local shares of
    (g, p) ^ ``level``: what B and C exchange. ``top_t`` is bit 63 of t and ``top_s`` this
    party's share of bit 63 of s, or zeros.
    """
    bits = _sliced(t, out.shape[0], width)
    if message is None:
        message = np.empty((out.shape[0], _MONOMIALS + with_top, width), np.uint64)
        fill(key, nonce, 0, message)
    fill(key, nonce, 1, level)
    for q in range(21):
        t0, t1, t2 = bits[3 * q : 3 * q + 3]
        m0, m1, m2, m10, m20, m21, m210 = np.moveaxis(message[:, 7 * q : 7 * q + 7], 1, 0)
        g = (m2 & t2) ^ (m21 & t1) ^ (t0 & (m210 ^ (t1 & m20)))
        g ^= t2 & ((m1 & t1) ^ (t0 & (m10 ^ (t1 & m0))))
        # p = (a0 ^ t0)(a1 ^ t1)(a2 ^ t2): B alone adds the constant t2 t1 t0.
        constant = m0 if role == "C" else m0 ^ t0
        p = m210 ^ (t0 & m21) ^ (t1 & (m20 ^ (t0 & m2)))
        p ^= t2 & (m10 ^ (t0 & m1) ^ (t1 & constant))
        if q > 0:
            out[:, 2 * q - 1], out[:, 2 * q] = g, p
        else:
            out[:, 0] = g
    out ^= level
    top_t[:, 0] = bits[63] if with_top else 0
    top_s[...] = message[:, _MONOMIALS:] if with_top else 0


def _and_local(a_own: Ring, a_next: Ring, b_own: Ring, b_next: Ring) -> Ring:
    """A party's terms of a & b; the next party has those of ``a_next`` and ``b_next``."""
    terms: Ring = (a_own & (b_own ^ b_next)) ^ (a_next & b_own)
    return terms


def carry_level(
    own: Ring,
    next: Ring,
    tail_own: Ring | None,
    tail_next: Ring | None,
    tail_plane: int,
    key_own: StreamKey,
    key_next: StreamKey,
    nonce: int,
    lane: int,
    extra: Ring | None,
    out: Ring,
) -> None:
    """One level of the carry tree: pairs 2i and 2i+1 become pair i, masked for the reshare.

    ``own`` and ``next`` are (blocks, 2k-1, width) shares of k pairs; an optional tail appends
    the pair at planes ``tail_plane``, ``tail_plane + 1`` of other arrays. ``out`` is (blocks,
    2h-1, width), h = half the number of pairs rounded down. g = g_hi ^ p_hi g_lo; p = p_hi p_lo.
    ``extra`` (blocks, 1, width) is added to the g of the last level, where h = 1.
    """
    own_pairs = [_pair(own, q) for q in range((own.shape[1] + 1) // 2)]
    next_pairs = [_pair(next, q) for q in range((own.shape[1] + 1) // 2)]
    if tail_own is not None and tail_next is not None:
        own_pairs.append((tail_own[:, tail_plane], tail_own[:, tail_plane + 1]))
        next_pairs.append((tail_next[:, tail_plane], tail_next[:, tail_plane + 1]))
    for i in range(len(own_pairs) // 2):
        (g_low, p_low), (g_high, p_high) = own_pairs[2 * i : 2 * i + 2]
        (g_low_next, p_low_next), (_, p_high_next) = next_pairs[2 * i : 2 * i + 2]
        g = g_high ^ _and_local(p_high, p_high_next, g_low, g_low_next)
        out[:, max(2 * i - 1, 0)] = g
        if i > 0:
            out[:, 2 * i] = _and_local(p_high, p_high_next, p_low, p_low_next)
    if extra is not None:
        out ^= extra
    xor_zero_share(out, key_own, key_next, nonce, lane)


def to_planes(x: Ring, out: Ring) -> None:
    """Bit planes: bit v of word w of ``out[j]`` is bit j of ``x[64 w + v]``; padded with 0."""
    padded = np.zeros(out.shape[1] * 64, np.uint64)
    padded[: x.size] = x
    bits = (padded >> np.arange(64, dtype=np.uint64)[:, None]).astype(np.uint8) & 1
    out[...] = np.packbits(bits, axis=1, bitorder="little").view(np.uint64)


def from_planes(planes: Ring, out: Ring) -> None:
    """The values whose bit planes are ``planes`` (64, words): the inverse of `to_planes`."""
    bits = np.unpackbits(planes.view(np.uint8), axis=1, bitorder="little")[:, : out.size]
    out[...] = (bits.astype(np.uint64) << np.arange(64, dtype=np.uint64)[:, None]).sum(
        axis=0, dtype=np.uint64
    )


# Bit times value -------------------------------------------------------------------------------


def _unpack(words: Ring, count: int) -> Ring:
    return np.unpackbits(words.view(np.uint8), bitorder="little")[:count].astype(np.uint64)


def inject_send(
    x_own: Ring,
    x_next: Ring,
    b_own: Ring,
    b_next: Ring,
    key_ca: StreamKey,
    key_ab: StreamKey,
    nonce: int,
    message: Ring,
    y_own: Ring,
    y_next: Ring,
) -> None:
    """A: share beta·s and beta (2n values in ``message``), beta the bits ``b_own ^ b_next``.

    Masked with lanes 0 and 1 of ``key_ab``; A's shares of the result are lane 2 of both keys.
    """
    n = x_own.size
    beta = _unpack(b_own ^ b_next, n)
    message[:n] = beta * (x_own + x_next) - _stream(key_ab, nonce, 0, x_own)
    message[n:] = beta - _stream(key_ab, nonce, 1, x_own)
    fill(key_ca, nonce, 2, y_own)
    fill(key_ab, nonce, 2, y_next)


def inject_combine(
    role: Literal["B", "C"],
    t: Ring,
    x_side: Ring,
    q: Ring,
    message: Ring | None,
    key: StreamKey,
    nonce: int,
    out: Ring,
    y: Ring,
) -> None:
    """B and C: ``out`` = this party's additive share of (beta ^ q) x, minus ``y`` = lane 2.

    v = M_0 + M_1 t is the share of beta·x; where q is set it becomes (share of x) - v, with the
    share x_side (C, that of A and C) or x_side + t (B). ``message`` is what A sent (C) or None.
    """
    n = t.size
    if message is None:
        m_0, m_1 = _stream(key, nonce, 0, t), _stream(key, nonce, 1, t)
    else:
        m_0, m_1 = message[:n], message[n:]
    v = m_0 + m_1 * t
    side = x_side if role == "C" else x_side + t
    fill(key, nonce, 2, y)
    out[...] = np.where(_unpack(q, n) == 1, side - v, v) - y


def bits_send(
    b_own: Ring,
    b_next: Ring,
    key_ca: StreamKey,
    key_ab: StreamKey,
    nonce: int,
    message: Ring,
    y_own: Ring,
    y_next: Ring,
) -> None:
    """A: share the bits beta = ``b_own ^ b_next`` as ring integers (lane 0 of ``key_ab``).

    A's shares of the result are lane 1 of both keys.
    """
    message[...] = _unpack(b_own ^ b_next, message.size) - _stream(key_ab, nonce, 0, message)
    fill(key_ca, nonce, 1, y_own)
    fill(key_ab, nonce, 1, y_next)


def bits_combine(
    role: Literal["B", "C"],
    q: Ring,
    message: Ring | None,
    key: StreamKey,
    nonce: int,
    out: Ring,
    y: Ring,
) -> None:
    """B and C: ``out`` = this party's share of beta ^ q as an integer, minus ``y`` = lane 1."""
    bits = _unpack(q, out.size)
    share = _stream(key, nonce, 0, out) if message is None else message
    v = share * (np.uint64(1) - np.uint64(2) * bits)
    fill(key, nonce, 1, y)
    out[...] = v + (bits if role == "C" else np.uint64(0)) - y


def lookup_send(
    a_own: Ring,
    a_next: Ring,
    b_own: Ring,
    b_next: Ring,
    key_ca: StreamKey,
    key_ab: StreamKey,
    nonce: int,
    message: Ring,
    y_own: Ring,
    y_next: Ring,
) -> None:
    """A: share alpha = ``a_own ^ a_next``, beta likewise and alpha·beta as ring integers.

    The message holds n of each, masked with lanes 0, 1 and 2 of ``key_ab``. A's shares of result
    o, n elements each, are lane 3 + o of both keys.
    """
    n = message.size // 3
    alpha, beta = _unpack(a_own ^ a_next, n), _unpack(b_own ^ b_next, n)
    for lane, values in enumerate((alpha, beta, alpha * beta)):
        part = message[lane * n : (lane + 1) * n]
        part[...] = values - _stream(key_ab, nonce, lane, part)
    for key, y in ((key_ca, y_own), (key_ab, y_next)):
        for o in range(y.size // n if n else 0):
            fill(key, nonce, 3 + o, y[o * n : (o + 1) * n])


def lookup_combine(
    role: Literal["B", "C"],
    p: Ring,
    q: Ring,
    message: Ring | None,
    tables: Ring,
    key: StreamKey,
    nonce: int,
    out: Ring,
    y: Ring,
) -> None:
    """B and C: shares of the tables' values at a + 2b, a = alpha ^ p and b = beta ^ q, minus ``y``.

    A table f is f(p, q) + c_1 alpha + c_2 beta + c_3 alpha·beta, with coefficients that p and q
    decide; C adds f(p, q). ``y`` is lane 3 + o for result o.
    """
    table = tables.reshape(-1, 4)
    n = out.size // len(table)
    if message is None:
        shares = [_stream(key, nonce, lane, out[:n]) for lane in range(3)]
    else:
        shares = list(message.reshape(3, n))
    place_p, place_q = _unpack(p, n).astype(np.intp), _unpack(q, n).astype(np.intp)
    for o, (f, part, mask) in enumerate(
        zip(table, out.reshape(len(table), n), y.reshape(len(table), n), strict=True)
    ):
        at = {
            (x, z): f[(place_p ^ x) + 2 * (place_q ^ z)] for x in (0, 1) for z in (0, 1)
        }  # the value where alpha = x and beta = z
        c_1, c_2 = at[1, 0] - at[0, 0], at[0, 1] - at[0, 0]
        c_3 = at[1, 1] - at[0, 0] - c_1 - c_2
        fill(key, nonce, 3 + o, mask)
        v = c_1 * shares[0] + c_2 * shares[1] + c_3 * shares[2]
        part[...] = v + (at[0, 0] if role == "C" else np.uint64(0)) - mask
