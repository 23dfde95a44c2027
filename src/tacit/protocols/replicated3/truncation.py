"""Truncation: dividing by 2^m, alone or fused with a product.

Sources: wrap-free probabilistic truncation of Dalskov, Escudero, Keller (2020, "Secure
evaluation of quantized neural networks", section 4, and "Fantastic Four", 2021); the product
with truncation in one protocol is argued in ``docs/decisions/0005-product-with-truncation.md``.
Passive, t = 1. Values before truncation lie in [-2^(N-2), 2^(N-2)) for the ring Z_2^N; the figures
below are for N = 64.

Roles A, B, C as in ``roles.py``: A knows s = x_j + x_{j+1}, B and C know t = x_{j+2}, x = s + t.

How it works. With c + r = x + 2^62 =: x' mod 2^64 and 0 <= x' < 2^63, and arithmetic shifts,

    x' >> m = (c >> m) + (r >> m) + c_m r_m 2^(64-m)      up to one unit in the last place,

c_m, r_m the top bits: as signed numbers c + r = x' - c_m r_m 2^64, because the carry out of the
top bit is c_m OR r_m when x' has its top bit clear. Only the product of two bits known to
different parties needs communication.

Rounds and bytes (all parties together, an element):

    truncate, probabilistic   2 rounds, 8 + 3w bytes
    truncate, exact, nearest  9 rounds
    product and truncation    3 rounds, 24 + 3w bytes; w = 2, 4, 8 for m <= 16, 32, 62
    the same, exact, nearest  10 rounds: the product in the ring, then the truncation

Known leak. Probabilistic rounding: the result is floor(x / 2^m) + 1 - [x mod 2^m < rho] where
rho = r mod 2^m is known to the parties that know r (and A knows c mod 2^m, which in its place
gives the same result); the functionality gives it to the adversary: the rounding of the last bit
is correlated with what a party knows (Li et al. 2023, ePrint 2023/909). ``exact`` and ``nearest``
have no such correlation, and give the same bits in every run.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from tacit.encoding.ring import Elements, Ring
from tacit.errors import InternalError
from tacit.protocols.interface import Rounding
from tacit.protocols.replicated3 import local, sign
from tacit.protocols.replicated3.arithmetic import (
    as_matrices,
    flat,
    matmul,
    multiply,
    product_terms,
    product_terms_by_row,
    reshare,
)
from tacit.protocols.replicated3.conversion import bit_to_arithmetic
from tacit.protocols.replicated3.roles import RoleNonces, Thirds, length, thirds
from tacit.rounds.combine import together
from tacit.rounds.contract import Round, Step
from tacit.sharing.replicated import Replicated

if TYPE_CHECKING:
    from tacit.protocols.replicated3.party import Replicated3Party

__all__ = [
    "field_type",
    "matmul_truncate",
    "multiply_truncate",
    "sum_products_truncate",
    "truncate",
]

_Operands: TypeAlias = tuple[
    Elements | None, Elements | None, Elements | None, Elements | None, Elements | None
]


@lru_cache(maxsize=256)
def field_type(ring: Ring, bits: int) -> np.dtype[Any]:
    """The smallest word that holds numbers mod 2^bits: the carry is needed mod 2^m only."""
    if not 1 <= bits <= ring.magnitude_bits:
        raise InternalError(f"truncation by {bits} bits; possible are 1 to {ring.magnitude_bits}")
    return next((field for field in _FIELDS if bits <= 8 * field.itemsize), ring.dtype)


_FIELDS = tuple(np.dtype(word) for word in (np.uint16, np.uint32, np.uint64))


def truncate(
    party: Replicated3Party, x: Replicated, bits: int, rounding: Rounding | None = None
) -> Step[Replicated]:
    """x / 2^bits for x in [-2^(N-2), 2^(N-2)).

    Parameters
    ----------
    party : Replicated3Party
    x : Replicated
        Any shape.
    bits : int
        1 to N - 2.
    rounding : {"probabilistic", "nearest", "exact"}, optional
        ``probabilistic``: floor or floor + 1, the latter with probability
        ((x mod 2^bits) + 1) / 2^bits. ``exact``: floor.
        ``nearest``: floor(x / 2^bits + 1/2), for x < 2^(N-2) - 2^(bits-1). The party's by default.
    """
    rounding = rounding or party.rounding
    if rounding == "probabilistic":
        return (yield from _truncate_probabilistic(party, x, bits))
    if rounding == "nearest":
        x = local.add_public(party, x, 1 << (bits - 1))
    return (yield from _truncate_exact(party, x, bits))


def _truncate_probabilistic(
    party: Replicated3Party, x: Replicated, bits: int, unit: int = 1
) -> Step[Replicated]:
    nonces = party.role_nonces()
    ring = party.ring
    x_own, x_next = flat(x.own), flat(x.next)
    parts = thirds(x_own.size, party.index, unit)
    work = _Carry(ring, parts, bits)
    # A: c = s + 2^(N-2). B and C: r = t.
    ring.kernels.truncation_open(
        None,
        None,
        None,
        None,
        x_own[parts.a],
        x_next[parts.a],
        None,
        party.key_next,
        party.key_own,
        nonces.a,
        bits,
        work.own[parts.a],
        work.following[parts.a],
        work.message_a,
        work.field_a,
    )
    ring.shift_right(x_next[parts.b], bits, out=work.following[parts.b])
    ring.shift_right(x_own[parts.c], bits, out=work.own[parts.c])
    yield from _carry_rounds(party, work, nonces)
    return Replicated(work.own.reshape(x.shape), work.following.reshape(x.shape))


class _Carry:
    """The arrays of one truncation at one party, by role."""

    def __init__(self, ring: Ring, parts: Thirds, bits: int) -> None:
        field, element, empty = field_type(ring, bits), ring.dtype, np.empty
        size = parts.bounds[2].stop
        self.parts = parts
        self.bits = bits
        self.own = empty(size, element)
        self.following = empty(size, element)
        a, b, c = length(parts.a), length(parts.b), length(parts.c)
        self.message_a = empty(a, element)
        self.field_a = empty(a, field)
        self.field_b = empty(b, field)
        self.field_c = empty(c, field)
        self.message_at_c = empty(c, element)
        self.field_a_at_c = empty(c, field)
        self.field_b_at_c = empty(c, field)
        self.field_c_at_b = empty(b, field)


def _carry_rounds(party: Replicated3Party, work: _Carry, nonces: RoleNonces) -> Step[None]:
    """The last two rounds of every truncation: share c >> m and the product c_m r_m.

    On entry A's part is done, ``following[b]`` and ``own[c]`` hold r >> m.
    """
    b, c = work.parts.b, work.parts.c
    kernels = party.ring.kernels
    # B: c_1 and w_1 from AB; its additive part of c_m r_m is u_1 r_m, masked with w_1.
    kernels.truncation_carry_b(
        party.key_own, nonces.b, work.bits, work.following[b], work.own[b], work.field_b
    )
    # A to C: (c >> m) - c_1 and c_m - u_1. B to C: u_1 r_m - w_1.
    yield Round(
        send={
            party.previous: (work.message_a, work.field_a),
            party.next: (work.field_b,),
        },
        receive={
            party.next: (work.message_at_c, work.field_a_at_c),
            party.previous: (work.field_b_at_c,),
        },
    )
    # C: its part is (c_m - u_1) r_m, masked with w_0 from CA. C to B.
    kernels.truncation_carry_c(
        work.message_at_c,
        work.field_a_at_c,
        party.key_next,
        nonces.c,
        work.bits,
        work.own[c],
        work.following[c],
        work.field_c,
    )
    yield Round(
        send={party.previous: (work.field_c,)},
        receive={party.next: (work.field_c_at_b,)},
    )
    # B and C: share j+2 is (r >> m) + carry 2^(N-m) - 2^(N-2-m) + 1.
    kernels.truncation_finish(work.field_c, work.field_b_at_c, work.bits, work.own[c])
    kernels.truncation_finish(work.field_b, work.field_c_at_b, work.bits, work.following[b])


def _truncate_exact(party: Replicated3Party, x: Replicated, bits: int) -> Step[Replicated]:
    """floor(x / 2^bits): the probabilistic result with the carry out of the low bits added.

    The probabilistic form computes (c >> m) + (r >> m) + c_m r_m 2^(N-m) + 1 - 2^(N-2-m); what
    it lacks of the floor is the carry of (c mod 2^m) + (r mod 2^m), minus that 1. The carry
    comes from the carry circuit on s and t shifted so that their low m bits end below the top bit
    (2^(N-2) is 0 mod 2^m, so the offset does not matter).
    """
    ring = party.ring
    low = x.map(lambda share: ring.shift_left(share, ring.top_bit - bits))
    # Both need the same split x = s + t, so the roles change at the same elements.
    unit = 64 * sign.block_width(x.size)
    rough, carry = yield from together(
        _truncate_probabilistic(party, x, bits, unit), _carry_bit(party, low)
    )
    return local.add(party, rough, local.add_public(party, carry, -1))


def _carry_bit(party: Replicated3Party, low: Replicated) -> Step[Replicated]:
    carry = yield from sign.carry_into_top(party, low, with_top=False)
    return (yield from bit_to_arithmetic(party, carry))


def multiply_truncate(
    party: Replicated3Party, x: Replicated, y: Replicated, bits: int
) -> Step[Replicated]:
    """x · y / 2^bits, element by element; products in [-2^(N-2), 2^(N-2)). 3 rounds; exact 10."""
    if party.rounding != "probabilistic":
        return (yield from truncate(party, (yield from multiply(party, x, y)), bits))
    operands = (flat(x.own), flat(x.next), flat(y.own), flat(y.next))
    parts = thirds(operands[0].size, party.index)
    result = yield from _product_truncate(party, parts, bits, operands=operands)
    return Replicated(result.own.reshape(x.shape), result.next.reshape(x.shape))


def sum_products_truncate(
    party: Replicated3Party,
    pairs: Sequence[tuple[Replicated, Replicated]],
    bits: int,
    addend: Replicated | None = None,
) -> Step[Replicated]:
    """(Σ x·y + addend) / 2^bits, element by element, one truncation. 3 rounds; exact: 10.

    A party's own share of the addend is its additive part of it.
    """
    shape = pairs[0][0].shape
    ring = party.ring
    start = ring.zeros(pairs[0][0].size) if addend is None else flat(addend.own)
    terms = [(flat(x.own), flat(x.next), flat(y.own), flat(y.next)) for x, y in pairs]
    z = ring.cross_terms(terms, start)
    if party.rounding != "probabilistic":
        total = yield from reshare(party, z.reshape(shape))
        return (yield from truncate(party, total, bits))
    parts = thirds(z.size, party.index)
    result = yield from _product_truncate(party, parts, bits, z=z)
    return Replicated(result.own.reshape(shape), result.next.reshape(shape))


def matmul_truncate(
    party: Replicated3Party, x: Replicated, y: Replicated, bits: int
) -> Step[Replicated]:
    """x @ y / 2^bits; sums of products in [-2^(N-3), 2^(N-3)). 3 rounds, bytes by the result.

    Products of vectors and small matrices have the range of other products, 2^(N-2); with exact
    rounding all have, and take 10 rounds.
    """
    if party.rounding != "probabilistic":
        return (yield from truncate(party, (yield from matmul(party, x, y)), bits))
    x, y, shape = as_matrices(x, y)
    if x.ndim == 2 and y.ndim == 2 and x.shape[0] >= 3:
        result = yield from _matmul_by_rows(party, x, y, bits)
    else:
        z = product_terms(party, x, y).reshape(-1)
        result = yield from _product_truncate(party, thirds(z.size, party.index), bits, z=z)
    return result.reshape(*shape)


def _matmul_by_rows(
    party: Replicated3Party, x: Replicated, y: Replicated, bits: int
) -> Step[Replicated]:
    """Roles rotate over row blocks, so that three or five local products do instead of six."""
    rows, columns = x.shape[0], y.shape[1]
    by_row = thirds(rows, party.index)
    if _is_large(x, y) and _has_room(party.ring, bits):
        z = _doubled_product_terms(party, x, y, by_row)
        bits += 1
    else:
        z = product_terms_by_row(party, x, y, by_row)

    def elements(part: slice) -> slice:
        return slice(part.start * columns, part.stop * columns)

    first, second, third = by_row.bounds
    parts = Thirds(
        elements(by_row.a),
        elements(by_row.b),
        elements(by_row.c),
        (elements(first), elements(second), elements(third)),
    )
    return (yield from _product_truncate(party, parts, bits, z=z.reshape(-1)))


def _doubled_product_terms(
    party: Replicated3Party, x: Replicated, y: Replicated, by_row: Thirds
) -> Elements:
    """Additive parts of 2 (x @ y) in three local products, one a party and row block.

    With x = x_j + x_{j+1} + t, and u for y's shares as t for x's,

        2 x y = -2 (x_j - x_{j+1}) (y_j - y_{j+1})            A
                + (2 x_{j+1} + t) (2 y_{j+1} + u)             B
                + (t + 2 x_j) (u + 2 y_j)                     C

    (``docs/decisions/0010-matrix-product-of-three.md``).
    """
    ring = party.ring
    combination = ring.linear_combination
    z = ring.empty((x.shape[0], y.shape[1]))
    forms = (((-2, 2), (1, -1), by_row.a), ((2, 1), (2, 1), by_row.b), ((1, 2), (1, 2), by_row.c))
    for left, right, block in forms:
        ring.matmul(
            combination((x.own[block], x.next[block]), left),
            combination((y.own, y.next), right),
            out=z[block],
            threads=party.threads,
        )
    return z


def _has_room(ring: Ring, bits: int) -> bool:
    """Whether one more bit can be dropped with the same field, so with the same bytes."""
    return bits < ring.magnitude_bits and field_type(ring, bits) == field_type(ring, bits + 1)


def _is_large(x: Replicated, y: Replicated) -> bool:
    """Whether fewer products are worth the sums that they take: decided by the shapes alone."""
    rows, inner = x.shape
    columns = y.shape[1]
    return rows >= 64 and columns >= 16 and rows * inner * columns >= 1 << 20


def _product_truncate(
    party: Replicated3Party,
    parts: Thirds,
    bits: int,
    *,
    operands: tuple[Elements, Elements, Elements, Elements] | None = None,
    z: Elements | None = None,
) -> Step[Replicated]:
    """Truncate x' = Σ z_i, additive parts known to one party each, or cross terms of operands.

    (1) s, r from BC; B to A: z_B - s; C to A: z_C + s - r. (2) A: c = z_A + both + 2^(N-2), so
    c + r = x'; A learns c only, which r hides. Then the carry rounds.
    """
    nonces = party.role_nonces()
    ring, kernels = party.ring, party.ring.kernels
    work = _Carry(ring, parts, bits)

    def inputs(part: slice) -> _Operands:
        if operands is None:
            assert z is not None
            return (None, None, None, None, z[part])
        x_own, x_next, y_own, y_next = operands
        return (x_own[part], x_next[part], y_own[part], y_next[part], None)

    message_b, message_c = ring.empty(length(parts.b)), ring.empty(length(parts.c))
    kernels.truncation_mask(
        "B",
        *inputs(parts.b),
        party.key_next,
        nonces.b,
        bits,
        message_b,
        work.following[parts.b],
    )
    kernels.truncation_mask(
        "C",
        *inputs(parts.c),
        party.key_own,
        nonces.c,
        bits,
        message_c,
        work.own[parts.c],
    )
    from_b, from_c = ring.empty(length(parts.a)), ring.empty(length(parts.a))
    yield Round(
        send={party.previous: (message_b,), party.next: (message_c,)},
        receive={party.next: (from_b,), party.previous: (from_c,)},
    )
    kernels.truncation_open(
        *inputs(parts.a),
        from_b,
        from_c,
        party.key_next,
        party.key_own,
        nonces.a,
        bits,
        work.own[parts.a],
        work.following[parts.a],
        work.message_a,
        work.field_a,
    )
    yield from _carry_rounds(party, work, nonces)
    return Replicated(work.own, work.following)
