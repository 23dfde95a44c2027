"""Truncation: dividing by 2^m, alone or after a product.

Dalskov, Escudero, Keller 2021 (ePrint 2020/1330), section 3.3 (probabilistic truncation), in the
form that is argued in ``docs/decisions/0038-four-party-truncation.md``. Active, t = 1, abort with
two suspects. Values before truncation lie in [-2^(N-2), 2^(N-2)) for the ring Z_2^N; the figures
below are for N = 64.

How it works. Parties 2 and 3 know c = s + 2^62, parties 0 and 1 know t, and c + t = x + 2^62 =: x'
with 0 <= x' < 2^63. With arithmetic shifts,

    x' >> m = (c >> m) + (t >> m) + c_m t_m 2^(64-m)      up to one unit in the last place,

c_m, t_m the top bits. The pairs share c >> m, t >> m, and c_m, t_m in a field of w bytes, as the
product of the bits counts modulo 2^m only; then the product, in four messages.

Rounds and bytes (all parties together, an element):

    truncate, probabilistic   2 rounds, 16 + 6w bytes; w = 2, 4, 8 for m <= 16, 32, 62
    truncate, exact, nearest  9 rounds
    product and truncation    3 rounds, 64 + 6w bytes; exact, nearest 10 rounds
    of large matrices         3 rounds, 48 + 6w bytes (``large_products.py``)

Deviation from the paper (12 elements, 3 rounds): no mask is opened, because the sharing itself
splits x into two summands that a pair knows each; and the bits' product lives in the small field.

Known leak. Probabilistic rounding: the result is floor(x / 2^m) + 1 - [x mod 2^m < rho] with
rho = t mod 2^m, which parties 0 and 1 know (parties 2 and 3 know c mod 2^m, which in its place
gives the same result). ``exact`` and ``nearest`` have no such correlation.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tacit.protocols.fantastic4 import large_products, local, sign
from tacit.protocols.fantastic4.arithmetic import (
    add_terms,
    flat,
    matmul,
    multiply,
    product_terms,
    reshare,
)
from tacit.protocols.fantastic4.conversion import bit_to_arithmetic
from tacit.protocols.fantastic4.pairs import knows_s
from tacit.protocols.fantastic4.shifting import shifted
from tacit.protocols.interface import Rounding
from tacit.rounds.combine import together
from tacit.rounds.contract import Step
from tacit.sharing.replicated4 import Replicated4

if TYPE_CHECKING:
    from tacit.protocols.fantastic4.party import Fantastic4Party

__all__ = [
    "matmul_truncate",
    "multiply_truncate",
    "sum_products_truncate",
    "truncate",
]


def truncate(
    party: Fantastic4Party, x: Replicated4, bits: int, rounding: Rounding | None = None
) -> Step[Replicated4]:
    """x / 2^bits for x in [-2^(N-2), 2^(N-2)).

    Parameters
    ----------
    party : Fantastic4Party
    x : Replicated4
        Any shape.
    bits : int
        1 to N - 2.
    rounding : {"probabilistic", "nearest", "exact"}, optional
        ``probabilistic``: floor or floor + 1, the latter with probability
        ((x mod 2^bits) + 1) / 2^bits if x_2 + x_3 mod 2^bits is uniform (after a product with an
        even public constant it is not; the error stays within one unit). ``exact``: floor.
        ``nearest``: floor(x / 2^bits + 1/2), for x < 2^(N-2) - 2^(bits-1). The party's by default.
    """
    rounding = rounding or party.rounding
    if rounding == "probabilistic":
        return (yield from _truncate_probabilistic(party, x, bits))
    if rounding == "nearest":
        x = local.add_public(party, x, 1 << (bits - 1))
    return (yield from _truncate_exact(party, x, bits))


def _truncate_probabilistic(party: Fantastic4Party, x: Replicated4, bits: int) -> Step[Replicated4]:
    first, second = (flat(x.shares[j]) for j in ((0, 1) if knows_s(party) else (2, 3)))
    shares = yield from shifted(party, first, second, bits)
    return Replicated4({j: share.reshape(x.shape) for j, share in shares.items()})


def _truncate_exact(party: Fantastic4Party, x: Replicated4, bits: int) -> Step[Replicated4]:
    """floor(x / 2^bits): the probabilistic result with the carry out of the low bits added.

    What the probabilistic form lacks of the floor is the carry of (c mod 2^m) + (t mod 2^m),
    minus its 1. It comes from the carry circuit on s and t shifted so that their low m bits end
    below the top bit (2^(N-2) is 0 mod 2^m, so the offset does not matter).
    """
    ring = party.ring
    low = x.map(lambda share: ring.shift_left(share, ring.top_bit - bits))
    rough, carry = yield from together(
        _truncate_probabilistic(party, x, bits), _carry_bit(party, low)
    )
    return local.add(party, rough, local.add_public(party, carry, -1))


def _carry_bit(party: Fantastic4Party, low: Replicated4) -> Step[Replicated4]:
    carry = yield from sign.carry_into_top(party, low, with_top=False)
    return (yield from bit_to_arithmetic(party, carry))


def multiply_truncate(
    party: Fantastic4Party, x: Replicated4, y: Replicated4, bits: int
) -> Step[Replicated4]:
    """x · y / 2^bits, element by element; products in [-2^(N-2), 2^(N-2)). 3 rounds; exact 10."""
    return (yield from truncate(party, (yield from multiply(party, x, y)), bits))


def matmul_truncate(
    party: Fantastic4Party, x: Replicated4, y: Replicated4, bits: int
) -> Step[Replicated4]:
    """x @ y / 2^bits. 3 rounds, bytes by the result; exact 10.

    Sums of products in [-2^(N-2), 2^(N-2)); of large matrices with probabilistic rounding, whose
    products take another way (``large_products.py``), in [-2^(N-3), 2^(N-3)).
    """
    opened = party.rounding == "probabilistic" and not party.evidence
    if opened and large_products.is_large(party.ring, x.shape, y.shape, bits):
        return (yield from large_products.matmul_truncate(party, x, y, bits))
    return (yield from truncate(party, (yield from matmul(party, x, y)), bits))


def sum_products_truncate(
    party: Fantastic4Party,
    pairs: Sequence[tuple[Replicated4, Replicated4]],
    bits: int,
    addend: Replicated4 | None = None,
) -> Step[Replicated4]:
    """(Σ x·y + addend) / 2^bits, element by element, one truncation. 3 rounds; exact: 10."""
    terms = [product_terms(party, x, y, party.ring.multiply) for x, y in pairs]
    value = yield from reshare(party, add_terms(party, terms))
    if addend is not None:
        value = local.add(party, value, addend)
    return (yield from truncate(party, value, bits))
