"""Conversions between arithmetic and Boolean sharings, and bit injection.

Roles A, B, C as in ``roles.py``. Passive, t = 1. A bit b = beta ^ q with beta = b_j ^ b_{j+1}
known to A and q = b_{j+2} known to B and C.

* Bit to arithmetic: b = beta + q - 2 beta q (Damgard, Escudero, Frederiksen, Keller, Scholl,
  Volgushev 2019; Mohassel, Rindal 2018). A inputs beta; B and C form additive parts of
  beta (1 - 2q) + q and input them. 2 rounds, 3 ring elements (24 bytes in Z_2^64), all together.
* Bit times value: A inputs beta s and beta; the parts of beta x are M_0 + M_1 t; where q = 1
  the part becomes (part of x) minus it (``docs/decisions/0007-bit-injection.md``). 2 rounds,
  4 ring elements (32 bytes).
* A public table at two bits: A inputs alpha, beta and alpha beta; the value is linear in these
  with coefficients that B and C know (``docs/decisions/0012-tables-at-two-bits.md``). 2 rounds,
  3 ring elements and 2 more for each table.
* Arithmetic to Boolean: A inputs the bits of s, t is a local sharing, one adder (Demmler,
  Schneider, Zohner 2015; Mohassel, Rindal 2018 for three parties). 8 rounds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from tacit import kernels
from tacit.encoding.ring import Elements
from tacit.errors import InternalError
from tacit.protocols.replicated3 import boolean, local
from tacit.protocols.replicated3.arithmetic import flat
from tacit.protocols.replicated3.roles import Thirds, length, thirds
from tacit.rounds.contract import Round, Step
from tacit.sharing.bits import ReplicatedBits, word_count
from tacit.sharing.replicated import Replicated

if TYPE_CHECKING:
    from tacit.protocols.replicated3.party import Replicated3Party

__all__ = ["bit_to_arithmetic", "from_bits", "inject", "lookup", "select", "to_bits"]


def _word_slice(part: slice) -> slice:
    return slice(part.start // 64, word_count(part.stop))


def bit_to_arithmetic(party: Replicated3Party, a: ReplicatedBits) -> Step[Replicated]:
    """Plain bits as ring elements 0 and 1. 2 rounds, 24 bytes an element in all."""
    nonces = party.role_nonces()
    parts = thirds(a.size, party.index, unit=64)
    wa, wb, wc = _word_slice(parts.a), _word_slice(parts.b), _word_slice(parts.c)
    ring, kernels = party.ring, party.ring.kernels
    own, following = ring.empty(a.size), ring.empty(a.size)
    message = ring.empty(length(parts.a))
    # A: share j and j+1 of the result are streams of CA and AB.
    kernels.bits_send(
        a.own[wa],
        a.next[wa],
        party.key_own,
        party.key_next,
        nonces.a,
        message,
        own[parts.a],
        following[parts.a],
    )
    from_b = ring.empty(length(parts.b))
    kernels.bits_combine("B", a.next[wb], None, party.key_own, nonces.b, from_b, own[parts.b])

    def c_part(message_at_c: Elements, out: Elements) -> None:
        kernels.bits_combine(
            "C", a.own[wc], message_at_c, party.key_next, nonces.c, out, following[parts.c]
        )

    message_at_c = ring.empty(length(parts.c))
    yield from _exchange_parts(
        party, parts, (message,), (message_at_c,), from_b, c_part, own, following
    )
    return Replicated(own.reshape(a.shape), following.reshape(a.shape))


def inject(party: Replicated3Party, a: ReplicatedBits, x: Replicated) -> Step[Replicated]:
    """a · x for plain bits of x's shape. 2 rounds, 32 bytes an element in all."""
    nonces = party.role_nonces()
    parts = thirds(a.size, party.index, unit=64)
    wa, wb, wc = _word_slice(parts.a), _word_slice(parts.b), _word_slice(parts.c)
    x_own, x_next = flat(x.own), flat(x.next)
    ring, kernels = party.ring, party.ring.kernels
    own, following = ring.empty(a.size), ring.empty(a.size)
    message = ring.empty(2 * length(parts.a))
    kernels.inject_send(
        x_own[parts.a],
        x_next[parts.a],
        a.own[wa],
        a.next[wa],
        party.key_own,
        party.key_next,
        nonces.a,
        message,
        own[parts.a],
        following[parts.a],
    )
    from_b = ring.empty(length(parts.b))
    kernels.inject_combine(
        "B",
        x_next[parts.b],
        x_own[parts.b],
        a.next[wb],
        None,
        party.key_own,
        nonces.b,
        from_b,
        own[parts.b],
    )

    def c_part(message_at_c: Elements, out: Elements) -> None:
        kernels.inject_combine(
            "C",
            x_own[parts.c],
            x_next[parts.c],
            a.own[wc],
            message_at_c,
            party.key_next,
            nonces.c,
            out,
            following[parts.c],
        )

    message_at_c = ring.empty(2 * length(parts.c))
    yield from _exchange_parts(
        party, parts, (message,), (message_at_c,), from_b, c_part, own, following
    )
    return Replicated(own.reshape(x.shape), following.reshape(x.shape))


def lookup(
    party: Replicated3Party, a: ReplicatedBits, b: ReplicatedBits, tables: Sequence[Sequence[int]]
) -> Step[list[Replicated]]:
    """For each public table of four integers its value at a + 2b, for plain bits of one shape.

    2 rounds, 24 bytes an element and 16 more for each table, all together. Over Z_2^64, up to 8
    tables.
    """
    # A protocol that builds on this one must not inherit a step that is only passively secure.
    if "lookup" not in party.costs or party.ring.bits != 64:
        raise InternalError("tables at two bits are for replicated3 over Z_2^64 only")
    nonces = party.role_nonces()
    parts = thirds(a.size, party.index, unit=64)
    wa, wb, wc = _word_slice(parts.a), _word_slice(parts.b), _word_slice(parts.c)
    count, values = len(tables), party.ring.elements(np.array(tables, object)).reshape(-1)
    na, nb, nc = (length(part) for part in (parts.a, parts.b, parts.c))
    own, following = (np.empty((count, a.size), np.uint64) for _ in range(2))
    message, message_at_c = np.empty(3 * na, np.uint64), np.empty(3 * nc, np.uint64)
    a_own, a_next = (np.empty((count, na), np.uint64) for _ in range(2))
    kernels.lookup_send(
        a.own[wa],
        a.next[wa],
        b.own[wa],
        b.next[wa],
        party.key_own,
        party.key_next,
        nonces.a,
        message,
        a_own.reshape(-1),
        a_next.reshape(-1),
    )
    own[:, parts.a], following[:, parts.a] = a_own, a_next
    from_b, share_b = (np.empty((count, nb), np.uint64) for _ in range(2))
    kernels.lookup_combine(
        "B",
        a.next[wb],
        b.next[wb],
        None,
        values,
        party.key_own,
        nonces.b,
        from_b.reshape(-1),
        share_b.reshape(-1),
    )
    own[:, parts.b] = share_b
    yield Round(send={party.previous: (message,)}, receive={party.next: (message_at_c,)})
    from_c, share_c = (np.empty((count, nc), np.uint64) for _ in range(2))
    kernels.lookup_combine(
        "C",
        a.own[wc],
        b.own[wc],
        message_at_c,
        values,
        party.key_next,
        nonces.c,
        from_c.reshape(-1),
        share_c.reshape(-1),
    )
    following[:, parts.c] = share_c
    b_at_c, c_at_b = np.empty_like(from_c), np.empty_like(from_b)
    yield Round(
        send={party.next: (from_b,), party.previous: (from_c,)},
        receive={party.previous: (b_at_c,), party.next: (c_at_b,)},
    )
    np.add(from_c, b_at_c, out=own[:, parts.c])
    np.add(from_b, c_at_b, out=following[:, parts.b])
    return [
        Replicated(x.reshape(a.shape), y.reshape(a.shape))
        for x, y in zip(own, following, strict=True)
    ]


def _exchange_parts(
    party: Replicated3Party,
    parts: Thirds,
    message: tuple[Elements, ...],
    message_at_c: tuple[Elements, ...],
    from_b: Elements,
    c_part: Callable[[Elements, Elements], None],
    own: Elements,
    following: Elements,
) -> Step[None]:
    """A's input to C, then the parts of B and C meet as share j+2."""
    yield Round(send={party.previous: message}, receive={party.next: message_at_c})
    from_c = party.ring.empty(length(parts.c))
    c_part(message_at_c[0], from_c)
    b_at_c, c_at_b = np.empty_like(from_c), np.empty_like(from_b)
    yield Round(
        send={party.next: (from_b,), party.previous: (from_c,)},
        receive={party.previous: (b_at_c,), party.next: (c_at_b,)},
    )
    add = party.ring.kernels.add
    add(from_c, b_at_c, own[parts.c])
    add(from_b, c_at_b, following[parts.b])


def select(
    party: Replicated3Party, a: ReplicatedBits, x: Replicated, y: Replicated
) -> Step[Replicated]:
    """x where a is 1, else y: y + a (x - y). 2 rounds, 32 bytes an element in all."""
    chosen = yield from inject(party, a, local.subtract(party, x, y))
    return local.add(party, y, chosen)


def from_bits(party: Replicated3Party, a: ReplicatedBits) -> Step[Replicated]:
    """Σ 2^i a_i for planes a_i, least significant first. 2 rounds, 24 bytes a bit in all."""
    planes = a.own.shape[0]
    words = a.own.shape[-1]
    as_plain = ReplicatedBits(a.own.reshape(-1), a.next.reshape(-1), (planes, words * 64))
    digits = yield from bit_to_arithmetic(party, as_plain)
    weights = party.ring.powers_of_two(planes)[:, None]
    value = local.sum_(party, local.multiply_public(party, digits, weights), axis=0)
    return value.map(lambda share: share[: a.size].reshape(a.shape))


def to_bits(party: Replicated3Party, x: Replicated) -> Step[ReplicatedBits]:
    """All bits of x as planes, least significant first. 8 rounds; 9 in Z_2^128."""
    s, t = yield from _summands(party, x)
    # s + t: generate s AND t, propagate s XOR t, carries by a parallel prefix network.
    g = yield from boolean.bitwise_and(party, s, t)
    total = boolean.xor(party, s, t)
    carry = yield from _prefix_carries(party, g, total)
    for sums, carries in ((total.own, carry.own), (total.next, carry.next)):
        sums[1:] ^= carries[:-1]
    return total


def _summands(
    party: Replicated3Party, x: Replicated
) -> Step[tuple[ReplicatedBits, ReplicatedBits]]:
    """Boolean sharings of s (A inputs its bits, 1 round) and of t (0, 0, t; local)."""
    nonces = party.role_nonces()
    ring, kernels = party.ring, party.ring.kernels
    parts = thirds(x.size, party.index, unit=64)
    x_own, x_next = flat(x.own), flat(x.next)
    words = word_count(x.size)
    wa, wb, wc = _word_slice(parts.a), _word_slice(parts.b), _word_slice(parts.c)
    s_own, s_next, t_own, t_next = (np.zeros((ring.bits, words), np.uint64) for _ in range(4))
    # A: s ^ r to C, r from AB. Sharing of s: (s ^ r, r, 0).
    mask = np.empty((ring.bits, wa.stop - wa.start), np.uint64)
    kernels.fill(party.key_next, nonces.a, 0, mask)
    message = np.empty_like(mask)
    kernels.to_planes(ring.add(x_own[parts.a], x_next[parts.a]), message)
    message ^= mask
    s_own[:, wa], s_next[:, wa] = message, mask
    # B: r from AB as its own share; t is its next share.
    mask_b = np.empty((ring.bits, wb.stop - wb.start), np.uint64)
    kernels.fill(party.key_own, nonces.b, 0, mask_b)
    s_own[:, wb] = mask_b
    planes_b = np.empty_like(mask_b)
    kernels.to_planes(x_next[parts.b], planes_b)
    t_next[:, wb] = planes_b
    # C: t is its own share; what A sends is its next share.
    planes_c = np.empty((ring.bits, wc.stop - wc.start), np.uint64)
    kernels.to_planes(x_own[parts.c], planes_c)
    t_own[:, wc] = planes_c
    message_at_c = np.empty_like(planes_c)
    yield Round(send={party.previous: (message,)}, receive={party.next: (message_at_c,)})
    s_next[:, wc] = message_at_c
    return (
        ReplicatedBits(s_own, s_next, x.shape),
        ReplicatedBits(t_own, t_next, x.shape),
    )


def _prefix_carries(
    party: Replicated3Party, g: ReplicatedBits, p: ReplicatedBits
) -> Step[ReplicatedBits]:
    """Carry out of every position: log2 of the planes rounds. Writes over g.

    Sklansky's network (``circuits/prefix.py``): for blocks of twice `span` planes the upper ones
    combine with the highest of the lower ones, g_high ^= p_high g_low; and p_high = p_high p_low,
    but for the lowest block, whose p nothing asks for.
    """
    planes, words = g.own.shape
    shares = ((g.own, p.own.copy()), (g.next, p.next.copy()))
    span = 1
    while span < planes:
        blocks = planes // (2 * span)
        upper, inner = (blocks, span, words), (blocks - 1, span, words)
        count = blocks * span
        operands = np.empty((2, 2, 2 * count - span, words), np.uint64)
        by_block = [[a.reshape(blocks, 2, span, words) for a in pair] for pair in shares]
        for (g_, p_), (left, right) in zip(by_block, operands, strict=True):
            left[:count].reshape(upper)[...] = p_[:, 1]
            left[count:].reshape(inner)[...] = p_[1:, 1]
            right[:count].reshape(upper)[...] = g_[:, 0, -1:]
            right[count:].reshape(inner)[...] = p_[1:, 0, -1:]
        product = yield from boolean.bitwise_and(
            party,
            ReplicatedBits(operands[0, 0], operands[1, 0], g.shape),
            ReplicatedBits(operands[0, 1], operands[1, 1], g.shape),
        )
        for (g_, p_), share in zip(by_block, (product.own, product.next), strict=True):
            g_[:, 1] ^= share[:count].reshape(upper)
            p_[1:, 1] = share[count:].reshape(inner)
        span *= 2
    return g
