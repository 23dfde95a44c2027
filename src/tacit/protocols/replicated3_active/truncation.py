"""Truncation: dividing by 2^m, alone or behind a product.

The shares of x' = x + 2^62 + o, read as numbers below 2^64, add up to x' + w 2^64 with
w in {0, 1, 2}, and each is known to two parties, so each can be shifted without communication:

    floor(x' / 2^m) = Σ (x'_i >> m) + κ - w 2^(64-m),    κ = floor(Σ (x'_i mod 2^m) / 2^m)

κ and w are carries of a sum of three numbers whose bits are Boolean sharings without
communication (``summands.py``): circuits of ANDs, four bits made ring elements by products.
Wrap-free as in Dalskov, Escudero, Keller 2020, for three summands: see
``docs/decisions/0042-active-security-of-three.md``. Active, t = 1, abort.

* w needs the top three bits of each share: T = Σ floor(x'_i / 2^61) is in {8w - 2, …, 8w + 5}
  for 0 <= x' < 2^63 + 2^62, so w = floor((T + 2) / 8).
* probabilistic: κ from the top three of the m bits of each share. What is cut off is
  e' in [0, 3 (2^(m-3) - 1)], and with o = 10/16 2^m the result is floor((x + o - e') / 2^m):
  floor(x / 2^m) or one more, at most 10/16 of a unit from x / 2^m. If low bits are uniform, it is
  1.5 / 2^m units above on average (o makes up for 3/16 in e' and 7/16 in a floor of eighths).
  For any two shares it is floor((x + o - d) / 2^m), d the sum of their low m - 3 bits.
* exact: o = 0; nearest: o = 2^(m-1); κ from all m bits.

Rounds: probabilistic 3 + 2 + 4, exact and nearest 2 + log2(m - 1) + 2 + 4 where that is more;
a product before it 1 more. Values before truncation lie in [-2^62, 2^62); in
[-2^63, -2^62) w, and so the highest m bits of the result, depend on the shares in every mode.

Known leak. Probabilistic rounding depends on the shares, two of which each party knows: the
functionality gives them to the adversary, who chooses e' through what it knew before. ``exact``
and ``nearest`` depend on x alone, for x in their range.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from tacit.errors import InternalError
from tacit.protocols.interface import Rounding
from tacit.protocols.replicated3 import boolean, local
from tacit.protocols.replicated3_active.arithmetic import product_of_matrices, sum_of_products
from tacit.protocols.replicated3_active.boolean import and_words
from tacit.protocols.replicated3_active.conversion import weighted_digits
from tacit.protocols.replicated3_active.sign import carry_out, majority
from tacit.protocols.replicated3_active.summands import SharePlanes, share_planes
from tacit.protocols.replicated3_active.verification import Unproved, prove
from tacit.rounds.combine import together
from tacit.rounds.contract import Step
from tacit.sharing.bits import ReplicatedBits
from tacit.sharing.replicated import Replicated

if TYPE_CHECKING:
    from tacit.protocols.replicated3_active.party import Replicated3ActiveParty

__all__ = [
    "matmul_truncate",
    "multiply_truncate",
    "sum_products_truncate",
    "truncate",
]


def truncate(
    party: Replicated3ActiveParty, x: Replicated, bits: int, rounding: Rounding | None = None
) -> Step[Replicated]:
    """x / 2^bits for x in [-2^62, 2^62), proved.

    Parameters
    ----------
    party : Replicated3ActiveParty
    x : Replicated
        Any shape.
    bits : int
        1 to 62.
    rounding : {"probabilistic", "nearest", "exact"}, optional
        ``probabilistic``: floor or floor + 1, on average x / 2^bits + 1.5 / 2^bits. ``exact``:
        floor. ``nearest``: floor(x / 2^bits + 1/2). The party's by default.
    """
    unproved = Unproved()
    result = yield from _truncated(party, unproved, x, bits, rounding or party.rounding)
    yield from prove(party, unproved)
    return result


def multiply_truncate(
    party: Replicated3ActiveParty, x: Replicated, y: Replicated, bits: int
) -> Step[Replicated]:
    """x · y / 2^bits, element by element, proved; products in [-2^62, 2^62)."""
    return (yield from sum_products_truncate(party, [(x, y)], bits))


def sum_products_truncate(
    party: Replicated3ActiveParty,
    pairs: Sequence[tuple[Replicated, Replicated]],
    bits: int,
    addend: Replicated | None = None,
) -> Step[Replicated]:
    """(Σ x·y + addend) / 2^bits, element by element, one truncation, proved."""
    unproved = Unproved()
    z = yield from sum_of_products(party, unproved, pairs)
    if addend is not None:
        z = local.add(party, z, addend)
    result = yield from _truncated(party, unproved, z, bits, party.rounding)
    yield from prove(party, unproved)
    return result


def matmul_truncate(
    party: Replicated3ActiveParty, x: Replicated, y: Replicated, bits: int
) -> Step[Replicated]:
    """x @ y / 2^bits, proved; sums of products in [-2^62, 2^62)."""
    unproved = Unproved()
    z = yield from product_of_matrices(party, unproved, x, y)
    result = yield from _truncated(party, unproved, z, bits, party.rounding)
    yield from prove(party, unproved)
    return result


def _truncated(
    party: Replicated3ActiveParty, unproved: Unproved, x: Replicated, bits: int, rounding: Rounding
) -> Step[Replicated]:
    magnitude, modulus = party.ring.magnitude_bits, party.ring.bits
    if not 1 <= bits <= magnitude:
        raise InternalError(f"truncation by {bits} bits; possible are 1 to {magnitude}")
    raised = local.add_public(party, x, (1 << magnitude) + _offset(bits, rounding))
    planes = share_planes(party, raised)
    if rounding == "probabilistic":
        low: list[int | None] = [place if place >= 0 else None for place in range(bits - 3, bits)]
        top = planes.select([*range(modulus - 3, modulus)])
        carries = yield from _sums_of_three_bits(party, unproved, top, planes.select(low))
    else:
        carries = yield from _exact_carries(party, unproved, planes, bits)
    # Four planes: w is the sum of the first two, κ that of the last two.
    wrap = -(1 << (modulus - bits))
    carry = yield from weighted_digits(party, unproved, carries, [wrap, wrap, 1, 1])
    shifted = raised.map(lambda share: np.asarray(share >> np.uint64(bits)).reshape(x.shape))
    return local.linear_combination(party, [shifted, carry], [1, 1], -(1 << (magnitude - bits)))


def _offset(bits: int, rounding: Rounding) -> int:
    """o: what is added before the floor."""
    if rounding == "exact":
        return 0
    if rounding == "nearest" or bits < 4:
        return 1 << (bits - 1)
    return 10 << (bits - 4)


def _sums_of_three_bits(
    party: Replicated3ActiveParty, unproved: Unproved, top: SharePlanes, low: SharePlanes | None
) -> Step[ReplicatedBits]:
    """Two bits with the sum floor((T + 2) / 8), and two with floor(T' / 8). 3 rounds, 10 ANDs.

    T, T' are the sums of three shares' numbers of three bits 4h + 2l + k. With maj and xor over
    the three shares, floor(T / 8) = maj(h) + maj(xor(h), maj(l), xor(l) maj(k)); for T + 2,
    an OR stands for the last AND.
    """
    groups = [top] if low is None else [top, low]
    planes = SharePlanes(
        party,
        np.concatenate([g.sum.own for g in groups]),
        np.concatenate([g.sum.next for g in groups]),
        top.sum.shape,
    )
    majorities = yield from majority(party, unproved, planes)
    places = np.arange(len(groups)) * 3
    xor_l, xor_h = planes.sum.plane(places + 1), planes.sum.plane(places + 2)
    maj_k, maj_l, maj_h = (majorities.plane(places + k) for k in range(3))
    # u OR v = NOT (NOT u AND NOT v), in the first group only.
    flip = np.zeros((len(groups), 1), np.uint64)
    flip[0] = np.uint64(0xFFFF_FFFF_FFFF_FFFF)
    both = yield from and_words(
        party, unproved, _flipped(party, xor_l, flip), _flipped(party, maj_k, flip)
    )
    last = _flipped(party, both, flip)
    # maj(u, v, w) = u XOR (u XOR v)(u XOR w).
    second = yield from and_words(
        party, unproved, boolean.xor(party, xor_h, maj_l), boolean.xor(party, xor_h, last)
    )
    second = boolean.xor(party, xor_h, second)
    return ReplicatedBits(
        np.stack([maj_h.own, second.own], 1).reshape(2 * len(groups), maj_h.own.shape[-1]),
        np.stack([maj_h.next, second.next], 1).reshape(2 * len(groups), maj_h.next.shape[-1]),
        top.sum.shape,
    )


def _flipped(party: Replicated3ActiveParty, a: ReplicatedBits, flip: np.ndarray) -> ReplicatedBits:
    """a XOR a public word for each plane."""
    return ReplicatedBits(
        a.own ^ flip if party.index == 0 else a.own,
        a.next ^ flip if party.index == 2 else a.next,
        a.shape,
    )


def _exact_carries(
    party: Replicated3ActiveParty, unproved: Unproved, planes: SharePlanes, bits: int
) -> Step[ReplicatedBits]:
    """Two bits with the sum w, and two with κ, the carries of all `bits` low bits."""
    top = planes.select([*range(party.ring.bits - 3, party.ring.bits)])
    w, kappa = yield from together(
        _sums_of_three_bits(party, unproved, top, None),
        _low_carries(party, unproved, planes.select([*range(bits)]), bits),
    )
    return ReplicatedBits(
        np.concatenate([w.own, kappa.own]), np.concatenate([w.next, kappa.next]), w.shape
    )


def _low_carries(
    party: Replicated3ActiveParty, unproved: Unproved, low: SharePlanes, bits: int
) -> Step[ReplicatedBits]:
    """Two bits with the sum floor(Σ low / 2^bits): the sum of the shares is S + 2 M."""
    carries = yield from majority(party, unproved, low)
    highest = carries.plane(slice(bits - 1, bits))
    if bits == 1:
        second = ReplicatedBits(
            highest.own * np.uint64(0), highest.next * np.uint64(0), low.sum.shape
        )
    else:
        s, m = low.sum.plane(slice(1, bits)), carries.plane(slice(0, bits - 1))
        carry = yield from carry_out(party, unproved, s, m)
        second = ReplicatedBits(carry.own[None], carry.next[None], carry.shape)
    return ReplicatedBits(
        np.concatenate([highest.own, second.own]),
        np.concatenate([highest.next, second.next]),
        low.sum.shape,
    )
