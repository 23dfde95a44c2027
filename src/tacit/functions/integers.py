"""Integers of N bits in a wider ring: the number that a ring element stands for.

Arithmetic on integers of N bits is the ring's own: results are right modulo 2^N, whatever the
upper bits are. What compares, divides or converts needs the number itself, in the range of its
type; :func:`wrapped` brings it there. See ``docs/decisions/0027-small-integers.md``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tacit.encoding.types import MAGNITUDE_BITS, DType
from tacit.functions.costs import Costs, in_sequence
from tacit.functions.normalization import product, product_cost
from tacit.protocols.interface import Party
from tacit.rounds.contract import Step
from tacit.rounds.cost import Declaration

__all__ = [
    "extended",
    "from_planes",
    "from_planes_cost",
    "power_of_two",
    "power_of_two_cost",
    "public_planes",
    "shifted_down",
    "shifted_down_cost",
    "wrapped",
    "wrapped_cost",
]


def wrapped(party: Party, x: Any, dtype: DType, held: tuple[float, float]) -> Step[Any]:
    """x modulo 2^N as a number of its type.

    Parameters
    ----------
    party : Party
    x : arithmetic sharing
        Any shape and any ring elements.
    dtype : DType
        An integer type of N < 64 bits.
    held : (low, high)
        A public interval that x lies in.

    Returns
    -------
    arithmetic sharing
        The number in the type's range that is x modulo 2^N. Exact.

    Notes
    -----
    x - 2^N ⌊x / 2^N⌋ with one exact truncation where the interval lies within ±2^62 (for
    signed types x + 2^(N-1) takes the place of x, and 2^(N-1) is taken off again): 9 rounds for
    `replicated3`. Else the bits of x, of which N are put together again: 10 rounds and more
    bytes.
    """
    bits = dtype.bits
    offset = 1 << (bits - 1) if dtype.signed else 0
    if not _one_truncation(dtype, held, party.ring.magnitude_bits):
        planes = yield from party.to_bits(x)
        return (yield from from_planes(party, planes.plane(slice(0, bits)), dtype))
    moved = party.add_public(x, offset) if offset else x
    above = yield from party.truncate(moved, bits, rounding="exact")
    return party.subtract(x, party.multiply_public(above, 1 << bits))


def _one_truncation(dtype: DType, held: tuple[float, float], magnitude_bits: int) -> bool:
    limit, half = 1 << magnitude_bits, 1 << (dtype.bits - 1)
    return -limit <= held[0] and held[1] + half < limit


def wrapped_cost(
    costs: Costs, size: int, dtype: DType, held: tuple[float, float] = (0, 0)
) -> Declaration:
    """Of `wrapped`."""
    if _one_truncation(dtype, held, MAGNITUDE_BITS):
        return costs["truncate"](size, dtype.bits, rounding="exact")
    return in_sequence(costs["to_bits"](size), from_planes_cost(costs, size, dtype))


def from_planes(party: Party, planes: Any, dtype: DType) -> Step[Any]:
    """The number of a type whose N bits these planes are, least significant first. Exact.

    Notes
    -----
    The top bit of a signed number counts -2^(N-1): with it inverted, the sum of the planes is
    larger by 2^(N-1), which is public. Rounds and bytes of one ``from_bits`` of N planes.
    """
    bits = dtype.bits
    if bits == party.ring.bits or not dtype.signed:
        return (yield from party.from_bits(planes))
    top = party.invert(planes.plane(slice(bits - 1, bits)))
    flipped = party.stack_planes([*(planes.plane(k) for k in range(bits - 1)), top.plane(0)])
    return party.add_public((yield from party.from_bits(flipped)), -(1 << (bits - 1)))


def from_planes_cost(costs: Costs, size: int, dtype: DType) -> Declaration:
    """Of `from_planes`."""
    return costs["from_bits"](size, dtype.bits)


def extended(party: Party, planes: Any, source: DType, target: DType) -> Any:
    """The bit planes of ring elements as those of a wider or equal type.

    Parameters
    ----------
    party : Party
    planes : Boolean sharing, planes (>= N,)
        Least significant first; those beyond the N bits of `source` have no meaning.
    source, target : DType
        Integer types.

    Returns
    -------
    Boolean sharing, planes (bits of `target`,)
        The sign, or 0 for a type without sign, repeated. Local.
    """
    low = [planes.plane(k) for k in range(min(source.bits, target.bits))]
    above = low[-1] if source.signed else party.xor(low[-1], low[-1])
    return party.stack_planes([*low, *[above] * (target.bits - len(low))])


def public_planes(party: Party, values: NDArray[np.int64], bits: int) -> Any:
    """Public integers as a sharing of their bit planes, least significant first. Local."""
    return party.stack_planes([party.public_bits((values >> k) & 1) for k in range(bits)])


_SHIFT_DIGITS = 6


def power_of_two(party: Party, k: Any) -> Step[Any]:
    """2^k in the ring for secret integers 0 <= k < 64. Exact.

    k is read modulo 64, digit by digit: 2^k is the product of 1 + d_i (2^(2^i) - 1).

    Notes
    -----
    Rounds: all bits, a bit to arithmetic and 3 products (13 for `replicated3`).
    """
    planes = yield from party.to_bits(k)
    rows = [planes.plane(i).reshape(1, *k.shape) for i in range(_SHIFT_DIGITS)]
    digits = yield from party.bit_to_arithmetic(party.concatenate_bits(rows))
    factors = [
        party.add_public(party.multiply_public(digits[i], (1 << (1 << i)) - 1), 1)
        for i in range(_SHIFT_DIGITS)
    ]
    return (yield from product(party, factors))


def power_of_two_cost(costs: Costs, size: int) -> Declaration:
    """Of `power_of_two`."""
    return in_sequence(
        costs["to_bits"](size),
        costs["bit_to_arithmetic"](_SHIFT_DIGITS * size),
        product_cost(costs, size, _SHIFT_DIGITS),
    )


def shifted_down(party: Party, planes: Any, k: Any, *, signed: bool) -> Step[Any]:
    """The bit planes of ⌊x / 2^k⌋ for secret integers 0 <= k < 64. Exact.

    A barrel shifter: k is read modulo 64, and its digit i moves all planes by 2^i or not.

    Parameters
    ----------
    party : Party
    planes : Boolean sharing, planes (N,)
        Of x, least significant first, its sign on top if `signed`.
    k : arithmetic sharing
        Of x's shape.
    signed : bool
        Whether what enters at the top is the sign, or 0.

    Notes
    -----
    Rounds: all bits of k, and 6 ANDs (14 for `replicated3`). Bytes: 6 N ANDs an element.
    """
    amounts = yield from party.to_bits(k)
    count = planes.planes[0]
    top = planes.plane(count - 1)
    above = top if signed else party.xor(top, top)
    for digit in range(_SHIFT_DIGITS):
        moved = [planes.plane(j) for j in range(min(1 << digit, count), count)]
        moved += [above] * (count - len(moved))
        change = party.xor(planes, party.stack_planes(moved))
        chosen = party.stack_planes([amounts.plane(digit)] * count)
        planes = party.xor(planes, (yield from party.bitwise_and(change, chosen)))
    return planes


def shifted_down_cost(costs: Costs, size: int, planes: int) -> Declaration:
    """Of `shifted_down` of `size` numbers of so many planes."""
    levels = [costs["bitwise_and"](size, planes)] * _SHIFT_DIGITS
    return in_sequence(costs["to_bits"](size), *levels)
