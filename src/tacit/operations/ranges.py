"""Did numbers leave their range? Tests on shares, for checked mode.

With m = 62 (126 in the ring of 128 bits), each gives an arithmetic sharing of how many elements
failed. None misses what it is for; within 2 % of a limit there may be a false alarm. Arguments:
``docs/decisions/0029-bounds-and-checked-mode.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from tacit.encoding.ring import Integers
from tacit.functions.comparison import below_public
from tacit.protocols.interface import Party
from tacit.rounds.combine import together
from tacit.rounds.contract import Step

__all__ = [
    "Count",
    "counted",
    "factors_beyond",
    "in_range",
    "matrix_products_beyond",
    "nothing",
    "outside",
    "products_beyond",
    "sums_beyond",
]

Count: TypeAlias = Any
"""An arithmetic sharing of how many elements failed, without axes beyond one of length one."""

_GUARD = 10
"""Products are seen in units of 2^(m - 10)."""

_TERMS = 1 << 18
"""Terms of a sum of products that are looked at together: products of limbs stay below 2^44."""


def nothing(party: Party) -> Count:
    """No failure."""
    return party.public(np.zeros(1, np.int64))


def in_range(party: Party, x: Any) -> Step[Count]:
    """How many elements lie outside [-2^m, 2^m): x + 2^m wraps to a negative number."""
    m = party.ring.magnitude_bits
    beyond = yield from party.most_significant_bit(party.add_public(x, 1 << m))
    return (yield from counted(party, beyond))


def counted(party: Party, bits: Any) -> Step[Count]:
    """How many bits are 1."""
    digits = yield from party.bit_to_arithmetic(bits)
    return party.sum(digits.map(lambda part: part.reshape(1, -1)), axis=1)


def outside(party: Party, x: Any, low: int, high: int) -> Step[Count]:
    """How many elements are not in [low, high); x and both limits differ by less than 2^(m+1)."""
    below = yield from below_public(party, x, [low, high])
    # What is not below `high` counts, so flip the second row.
    flips = np.zeros(below.shape, np.uint8)
    flips[1] = 1
    return (yield from counted(party, party.xor_public(below, flips)))


def _limbs(party: Party, x: Any) -> Step[tuple[Any, Any, Any]]:
    """x = x_2 4^w + x_1 2^w + x_0 with w = (m + 1) / 3; all below 2^w, x_2 below 2^(m - 2w)."""
    w = (party.ring.magnitude_bits + 1) // 3
    high = yield from party.truncate(x, 2 * w, rounding="probabilistic")
    rest = party.subtract(x, party.multiply_public(high, 1 << (2 * w)))
    middle = yield from party.truncate(rest, w, rounding="probabilistic")
    return high, middle, party.subtract(rest, party.multiply_public(middle, 1 << w))


def products_beyond(
    party: Party,
    pairs: Sequence[tuple[Any, Any]],
    times: Callable[[Any, Any], Step[Any]],
    spare: int = 0,
    addend: Any = None,
) -> Step[Count]:
    """How many sums of products (over the pairs, by `times`) reach 2^(m - spare) in magnitude.

    With an addend within ±2^m that belongs to each sum. For p pairs an alarm means that the sum is
    at least 2^(m - spare) - p 2^(m - 7), or that terms beyond 2^100 cancel.
    """
    parts = yield from together(*(_seen(party, x, y, times) for x, y in pairs))
    failed, seen = parts[0]
    for also, other in parts[1:]:
        failed, seen = party.add(failed, also), party.add(seen, other)
    near = (1 << (_GUARD - spare)) - 4 * len(parts)
    if addend is not None:
        unit = party.ring.magnitude_bits - _GUARD
        rounded = yield from party.truncate(addend, unit, rounding="probabilistic")
        seen, near = party.add(seen, rounded), near - 1
    return party.add(failed, (yield from outside(party, seen, 1 - near, near)))


def _seen(
    party: Party, x: Any, y: Any, times: Callable[[Any, Any], Step[Any]]
) -> Step[tuple[Count, Any]]:
    """T = x·y in units of 2^(m - 10), off by less than 4, and how many are far outside.

    In limbs of w bits T = C_4 2^4w + C_3 2^3w + C_2 2^2w + C_1 2^w + C_0, none of which wraps.
    Where C_4 or C_3 alone is 2^(m - 2) units or more, T is far outside (or two such terms cancel:
    a false alarm). Else the units are summed without a wrap: C_4 and C_3 exactly, the others by
    truncations.
    """
    m = party.ring.magnitude_bits
    w, unit = (m + 1) // 3, m - _GUARD
    (x2, x1, x0), (y2, y1, y0) = yield from together(_limbs(party, x), _limbs(party, y))
    parts = yield from together(*(times(a, b) for a in (x2, x1, x0) for b in (y2, y1, y0)))
    (p22, p21, p20, p12, p11, p10, p02, p01, c0) = parts
    c4, c3 = p22, party.add(p21, p12)
    c2, c1 = party.add(party.add(p20, p02), p11), party.add(p10, p01)
    up4, up3 = 4 * w - unit, 3 * w - unit
    t2, t1, t0, beyond4, beyond3 = yield from together(
        party.truncate(c2, unit - 2 * w, rounding="probabilistic"),
        party.truncate(c1, unit - w, rounding="probabilistic"),
        party.truncate(c0, unit, rounding="probabilistic"),
        outside(party, c4, 1 - (1 << (m - 2 - up4)), 1 << (m - 2 - up4)),
        outside(party, c3, 1 - (1 << (m - 2 - up3)), 1 << (m - 2 - up3)),
    )
    high = party.add(party.multiply_public(c4, 1 << up4), party.multiply_public(c3, 1 << up3))
    seen = party.add(party.add(high, t2), party.add(t1, t0))
    return party.add(beyond4, beyond3), seen


def matrix_products_beyond(party: Party, x: Any, y: Any, spare: int = 0) -> Step[Count]:
    """How many elements of x @ y reach 2^(m - spare) in magnitude; vectors as NumPy has them."""
    left = x.map(lambda part: part[None, :]) if x.ndim == 1 else x
    right = y.map(lambda part: part[:, None]) if y.ndim == 1 else y
    cuts = range(0, left.shape[-1], _TERMS)
    pairs = [(left[..., k : k + _TERMS], right[..., k : k + _TERMS, :]) for k in cuts]
    return (yield from products_beyond(party, pairs, party.matmul, spare))


def factors_beyond(party: Party, x: Any, factors: Integers) -> Step[Count]:
    """How many products with public ring integers reach 2^m in magnitude, by 1 % of it or less."""
    ring = party.ring
    magnitudes = np.maximum(np.abs(ring.to_floats(ring.elements(factors))), 1.0)
    limits = np.floor(2.0**ring.magnitude_bits / magnitudes * (1 - 2.0**-40))
    limits = ring.from_floats(np.broadcast_to(limits, x.shape))
    rows = [party.add_public(x, limits), party.add_public(party.negate(x), limits)]
    joined = party.concatenate([row.reshape(1, *row.shape) for row in rows])
    return (yield from counted(party, (yield from party.most_significant_bit(joined))))


def sums_beyond(party: Party, x: Any, count: int, add: Callable[[Any], Any]) -> Step[Count]:
    """How many sums of up to `count` terms wrap: of terms rounded by k bits, 2^k > n, none does."""
    k = max(count, 1).bit_length()
    rounded = yield from party.truncate(x, k, rounding="probabilistic")
    limit = (1 << (party.ring.magnitude_bits - k)) - count - 1
    return (yield from outside(party, add(rounded), 1 - limit, limit))
