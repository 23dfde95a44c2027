"""Whole quotients and remainders, exact: ⌊x / d⌋ by public and by secret divisors.

A quotient is estimated by products with an approximate reciprocal and corrected by comparisons:

1. e ≈ y / D from y's upper bits times an integer M ≈ 2^k / D; then y - e D takes y's place, until
   an estimate is off by less than one half (:func:`_plan` chooses the steps from public sizes).
2. The last estimate aims at y / D - 1/2, so the remainder r lies in (-D, 2D) however the
   truncations round: two comparisons correct it.

Estimates are never opened and the comparisons are exact, so the result does not depend on the
rounding of step 1. Source of the method: Granlund and Montgomery 1994, *Division by invariant
integers using multiplication*, section 4, with a correction in place of a wider product; on
shares, Dahl, Ning, Toft 2012, *On secure two-party integer division*.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tacit.functions.approximation import scaled_integer
from tacit.functions.coefficients import RECIPROCAL
from tacit.functions.costs import NOTHING, Costs, in_sequence, side_by_side
from tacit.functions.normalization import (
    SHORT,
    factor_count,
    leading_one,
    leading_one_cost,
    product,
    product_cost,
    unit_interval,
    unit_interval_cost,
)
from tacit.functions.shapes import flat, shaped
from tacit.protocols.interface import Party
from tacit.rounds.combine import together
from tacit.rounds.contract import Step
from tacit.rounds.cost import Declaration

__all__ = [
    "floor_divide",
    "floor_divide_cost",
    "floor_divide_public",
    "floor_divide_public_cost",
    "shift_right",
    "shift_right_cost",
]

_LIMIT = 62
"""Truncations take numbers in [-2^62, 2^62)."""

_FAR = 3 << 61
"""What brings numbers beyond ±2^62 back below ±2^61."""

_EDGE, _BEYOND = 63, 64
"""Classes of divisors: 2^62, where dividends of -2^62 need care, and all larger ones."""


# By public divisors.


@dataclass(frozen=True, slots=True)
class _Estimate:
    """One step: y loses `drop` bits, M has `bits`, the product loses `shift`; is it the last?"""

    drop: int
    bits: int
    shift: int
    last: bool


@lru_cache(maxsize=1024)
def _plan(length: int, bound: int) -> tuple[_Estimate, ...]:
    """The estimates for divisors of `length` bits and dividends up to `bound` in magnitude.

    With |y| <= b: y loses a bits (error 2^a unless a = 0), M < 2^m has a relative error below
    2^-m, and the truncation of the product adds one. The product stays below 2^61.
    """
    steps: list[_Estimate] = []
    least, most = 1 << (length - 1), 1 << length
    if bound < least:
        return ()
    while True:
        errors = {}
        for drop in range(_LIMIT):
            bits = min(61 - max(bound.bit_length() - drop, 0), 48)
            if bits >= 2:
                error = 1.01 * (bound * 2.0**-bits + (2.0**drop if drop else 0))
                errors[drop] = (error / least > 0.49, drop > 0, error, bits)
        drop = min(errors, key=lambda d: (errors[d][0], errors[d][0] or errors[d][1], errors[d][2]))
        more, _, error, bits = errors[drop]
        shift = length - 1 + bits - drop
        last = not more and shift > 0
        steps.append(_Estimate(drop, bits, shift, last))
        if last:
            return tuple(steps)
        bound = ceil(error) + (most if shift > 0 else 0) + 1


def floor_divide_public(
    party: Party, x: Any, divisor: NDArray[np.int64], bound: int | None = None
) -> Step[tuple[Any, Any]]:
    """⌊x / d⌋ and x - d ⌊x / d⌋ for public integers d.

    Parameters
    ----------
    party : Party
    x : arithmetic sharing
        Ring integers, any shape; |x| <= `bound`.
    divisor : ndarray of int64
        d, not 0; broadcast against x.
    bound : int, optional
        At most 2^62; None for any number of 64 bits.

    Returns
    -------
    (arithmetic sharing, arithmetic sharing)
        Quotient and remainder: the remainder has the sign of d, as Python's. Exact for every x.
        (-2^63 divided by -1 wraps to itself.)

    Notes
    -----
    Rounds: for each estimate 2 or 4 (`replicated3`), then a sign bit and a bit to arithmetic; 10
    more without a bound. Divisors of different lengths are estimated side by side.
    """
    vector = flat(x)
    d = np.broadcast_to(divisor, x.shape).reshape(-1)
    negative = (d < 0).astype(np.int64)
    magnitude = np.abs(d).view(np.uint64)
    y, whole = vector, None
    if bound is None:
        y, far = yield from _brought_near(party, vector)
        # 3·2^61 = Q D + R with |R| <= D / 2, and the quotient of x is that of y + R, plus Q.
        q = (np.uint64(_FAR) + magnitude // np.uint64(2)) // magnitude
        rest = np.uint64(_FAR) - q * magnitude
        y = party.add(y, party.multiply_public(far, rest.view(np.int64)))
        whole = party.multiply_public(far, q.view(np.int64))
        bound = 1 << _LIMIT
    groups = _groups(magnitude, bound)
    parts = yield from together(
        *(
            _quotient(party, _taken(y, places), magnitude[places], negative[places], key, bound)
            for key, places in groups
        )
    )
    upper = _put_together(party, parts, [places for _, places in groups], vector)
    if whole is not None:
        upper = party.add(upper, whole)
    quotient = party.multiply_public(upper, 1 - 2 * negative) if negative.any() else upper
    remainder = party.subtract(vector, party.multiply_public(quotient, d))
    return shaped(quotient, x.shape), shaped(remainder, x.shape)


def _groups(
    magnitude: NDArray[np.uint64], bound: int
) -> list[tuple[int, NDArray[np.intp] | slice]]:
    """Places of divisors by their number of bits: all in one slice where it is the same."""
    lengths = np.frexp(magnitude.astype(np.float64))[1]
    # Rounding to float64 may have carried into the next power of two.
    lengths -= (lengths > 1) & (magnitude >> (lengths - 1).clip(0, 63).astype(np.uint64) == 0)
    largest = np.uint64(1 << _LIMIT) if bound >= 1 << _LIMIT else np.uint64((1 << _LIMIT) - 1)
    lengths = np.where(magnitude > largest, _BEYOND, lengths)
    keys = np.unique(lengths)
    if len(keys) == 1:
        return [(int(keys[0]), slice(None))]
    return [(int(key), np.flatnonzero(lengths == key)) for key in keys]


def _taken(x: Any, places: Any) -> Any:
    return x if isinstance(places, slice) else x[places]


def _put_together(party: Party, parts: Sequence[Any], places: Sequence[Any], like: Any) -> Any:
    if not parts:
        return like
    if len(parts) == 1:
        return parts[0]
    order = np.argsort(np.concatenate(places), kind="stable")
    return party.concatenate(list(parts))[order]


def _quotient(
    party: Party,
    y: Any,
    magnitude: NDArray[np.uint64],
    negative: NDArray[np.int64],
    key: int,
    bound: int,
) -> Step[Any]:
    """⌊y / D⌋ for positive divisors, ⌈y / D⌉ for negative ones, D = |d| of `key` bits."""
    if key == 1:
        return y
    signed = magnitude.view(np.int64)
    estimate, r = None, y
    special = key >= _EDGE
    for step in () if special else _plan(key, bound):
        part = yield from _estimate(party, r, magnitude, key, step)
        r = party.subtract(r, party.multiply_public(part, signed))
        estimate = part if estimate is None else party.add(estimate, part)
    # With t = 1 for negative divisors: D ⌊ ⌋ counts [r >= 0] and [r >= D], ⌈ ⌉ counts r > instead.
    edges, start = [negative], negative - 1
    if estimate is not None:
        edges.append(signed + negative)
    elif key == _EDGE:
        edges.append(negative - signed)
        start = start - 1
    below = yield from party.most_significant_bit(
        party.add_public(r.map(lambda part: np.broadcast_to(part, (len(edges), *part.shape))),
                         -np.stack(edges))
    )  # fmt: skip
    digits = yield from party.bit_to_arithmetic(below)
    count = party.sum(digits, axis=0)
    corrected = party.add_public(party.negate(count), start + len(edges))
    return corrected if estimate is None else party.add(corrected, estimate)


def _estimate(
    party: Party, y: Any, magnitude: NDArray[np.uint64], length: int, step: _Estimate
) -> Step[Any]:
    factor = np.rint(np.exp2(length - 1 + step.bits) / magnitude.astype(np.float64))
    if step.drop:
        y = yield from party.truncate(y, step.drop, rounding="probabilistic")
    estimate = party.multiply_public(y, factor.astype(np.int64))
    if step.shift <= 0:
        return party.multiply_public(estimate, 1 << -step.shift)
    if step.last:
        estimate = party.add_public(estimate, -(1 << (step.shift - 1)))
    return (yield from party.truncate(estimate, step.shift, rounding="probabilistic"))


def _brought_near(party: Party, x: Any) -> Step[tuple[Any, Any]]:
    """x = y + 3·2^61 w with w in {-1, 0, 1} and -2^62 <= y < 2^62, for any number of 64 bits.

    x + 2^62 wraps to a negative number of 64 bits if and only if x lies outside; w is then x's
    sign. For w = ±1, |y| <= 2^61. In a longer ring bit 63 is shifted up to the sign.
    """
    moved = party.add_public(
        x.map(lambda part: np.broadcast_to(part, (2, *part.shape))),
        np.array([[1 << _LIMIT], [0]]),
    )
    if party.ring.bits > 64:
        moved = party.multiply_public(moved, 1 << (party.ring.bits - 64))
    bits = yield from party.most_significant_bit(moved)
    outside, negative = bits.map(lambda plain: plain[0]), bits.map(lambda plain: plain[1])
    below = yield from party.bitwise_and(outside, negative)
    rows = [plain.reshape(1, *x.shape) for plain in (outside, below)]
    digits = yield from party.bit_to_arithmetic(party.concatenate_bits(rows))
    w = party.subtract(digits[0], party.multiply_public(digits[1], 2))
    return party.subtract(x, party.multiply_public(w, _FAR)), w


def _brought_near_cost(costs: Costs, size: int) -> Declaration:
    return in_sequence(
        costs["most_significant_bit"](2 * size),
        costs["bitwise_and"](size),
        costs["bit_to_arithmetic"](2 * size),
    )


def floor_divide_public_cost(
    costs: Costs, size: int, divisor: NDArray[np.int64], bound: int | None = None
) -> Declaration:
    """Of `floor_divide_public`; `divisor` is broadcast to `size` elements."""
    magnitude = np.abs(np.broadcast_to(divisor, (size,))).view(np.uint64)
    near = _brought_near_cost(costs, size) if bound is None else NOTHING
    bound = 1 << _LIMIT if bound is None else bound
    groups = [
        _quotient_cost(costs, len(magnitude[places]), key, bound)
        for key, places in _groups(magnitude, bound)
    ]
    return in_sequence(near, side_by_side(*groups))


def _quotient_cost(costs: Costs, size: int, key: int, bound: int) -> Declaration:
    if key == 1:
        return NOTHING
    plan = () if key >= _EDGE else _plan(key, bound)
    truncated = [
        costs["truncate"](size, bits, rounding="probabilistic")
        for step in plan
        for bits in (step.drop, step.shift)
        if bits > 0
    ]
    edges = 2 if plan or key == _EDGE else 1
    return in_sequence(
        *truncated,
        costs["most_significant_bit"](edges * size),
        costs["bit_to_arithmetic"](edges * size),
    )


# Right shifts.


def shift_right(
    party: Party, x: Any, amounts: NDArray[np.int64], bound: int | None = None
) -> Step[Any]:
    """⌊x / 2^k⌋ for public k >= 0. Exact.

    Parameters
    ----------
    party : Party
    x : arithmetic sharing
        Ring integers, any shape; |x| < `bound`.
    amounts : ndarray of int64
        k, at least 0; broadcast against x. Beyond 63 they count as 63.
    bound : int, optional
        At most 2^62; None for any number of 64 bits.

    Notes
    -----
    Rounds: one exact truncation (9 for `replicated3`); without a bound 10 more, and 9 more for
    k > 61. Different amounts run side by side.
    """
    vector = flat(x)
    k = np.broadcast_to(amounts, x.shape).reshape(-1).clip(0, _LIMIT if bound else _LIMIT + 1)
    far = None
    if bound is None and k.any():
        vector, far = yield from _brought_near(party, vector)
    keys = [int(key) for key in np.unique(k)]
    places: list[Any] = [np.flatnonzero(k == key) for key in keys]
    if len(keys) == 1:
        places = [slice(None)]
    steps = [
        _shifted(party, _taken(vector, p), None if far is None else _taken(far, p), key)
        for key, p in zip(keys, places, strict=True)
    ]
    parts = yield from together(*steps)
    return shaped(_put_together(party, parts, places, vector), x.shape)


def _shifted(party: Party, y: Any, far: Any, amount: int) -> Step[Any]:
    first = min(amount, _LIMIT - 1) if far is not None else amount
    if not amount:
        return y if far is None else party.add(y, party.multiply_public(far, _FAR))
    result = yield from party.truncate(y, first, rounding="exact")
    if far is not None:
        result = party.add(result, party.multiply_public(far, _FAR >> first))
    if amount > first:
        result = yield from party.truncate(result, amount - first, rounding="exact")
    return result


def shift_right_cost(
    costs: Costs, size: int, amounts: NDArray[np.int64], bound: int | None = None
) -> Declaration:
    """Of `shift_right`; `amounts` is broadcast to `size` elements."""
    k = np.broadcast_to(amounts, (size,)).clip(0, _LIMIT if bound else _LIMIT + 1)
    keys, counts = np.unique(k, return_counts=True)
    parts = []
    for amount, count in zip(keys.tolist(), counts.tolist(), strict=True):
        first = amount if bound else min(amount, _LIMIT - 1)
        parts.append(
            in_sequence(
                *(
                    costs["truncate"](count, bits, rounding="exact")
                    for bits in (first, amount - first)
                    if bits
                )
            )
        )
    near = _brought_near_cost(costs, size) if bound is None and k.any() else NOTHING
    return in_sequence(near, side_by_side(*parts))


# By secret divisors.

_UP = 29
"""Divisors below 2^32 times 2^29 fill the range of the normalisation."""

_X_SCALE, _R_SCALE, _SLOPE_BITS = 29, 28, 5
_SQUARE_DROPS = 2 * _X_SCALE - (_R_SCALE - _SLOPE_BITS)
_V_BITS = 60


@dataclass(frozen=True, slots=True)
class _SecretPlan:
    """How operands of so many bits are divided: Newton steps, and the scale of each estimate."""

    newton: int
    scales: tuple[int, ...]


_SECRET_PLANS = {8: _SecretPlan(1, (44,)), 16: _SecretPlan(2, (44,)), 32: _SecretPlan(2, (29, 42))}
"""
By N with |x|, |y| < 2^N. The reciprocal is off by 1.2e-4 after one Newton step, by 2^-25 after
two, relatively. One estimate at scale s is off by |x| 2^-s + |x / y| times that: below 0.04 for
N = 8 and 16. For N = 32 the first is off by 8 + 128 + 1, so the rest is below 137 |y|, and the
second by 137 (2^32-42 + 2^-25) < 0.14.
"""


def _secret_plan(bits: int) -> _SecretPlan:
    return _SECRET_PLANS[min(n for n in _SECRET_PLANS if n >= bits)]


def floor_divide(party: Party, x: Any, y: Any, bits: int = 32) -> Step[tuple[Any, Any]]:
    """⌊x / y⌋ and x - y ⌊x / y⌋ for secret integers.

    Parameters
    ----------
    party : Party
    x, y : arithmetic sharing
        Ring integers of equal shape; |x| and |y| below 2^`bits`.
    bits : int
        At most 32.

    Returns
    -------
    (arithmetic sharing, arithmetic sharing)
        Quotient and remainder: the remainder has the sign of y, as Python's. Exact. Where
        y = 0 the quotient is 0 and the remainder x.

    Notes
    -----
    With s the sign of y, ⌊x / y⌋ = ⌊s x / a⌋ for a = abs(y) = y' 2^(32-i), y' in [1/2, 1]
    (``normalization.py``), and 1 / y' from the best quadratic and one or two Newton steps
    (``division.py``), so 2^60 / a = (2^28 / y') 2^i is exact in the ring. Where y = 0, a is
    replaced by 1 and its reciprocal by 0, so all estimates are 0, up to 1.

    Rounds for `replicated3`: 58 for 32 bits, 54 for 16, 48 for 8.
    """
    plan = _secret_plan(bits)
    dividend, y_vector = flat(x), flat(y)
    up = party.multiply_public(y_vector, 1 << _UP)
    leading = yield from leading_one(party, up, signed=True, window=SHORT)
    (sign,) = leading.flags
    unsigned, u, magnitude, nonzero = yield from together(
        product(party, leading.factors[0]),
        party.multiply(dividend, sign),
        party.multiply(y_vector, sign),
        party.multiply(sign, sign),
    )
    magnitude = party.add_public(party.subtract(magnitude, nonzero), 1)
    power = yield from party.multiply(unsigned, sign)
    unit, positive = yield from together(
        unit_interval(party, up, power, _X_SCALE, SHORT), party.multiply(power, sign)
    )
    w = yield from _reciprocal(party, unit, plan.newton)
    v = yield from party.multiply(w, positive)
    scaled = yield from together(
        *(party.truncate(v, _V_BITS - scale, rounding="probabilistic") for scale in plan.scales)
    )
    quotient, r = None, u
    for place, (scale, reciprocal) in enumerate(zip(plan.scales, scaled, strict=True)):
        raw = yield from party.multiply(r, reciprocal)
        if place == len(plan.scales) - 1:
            raw = party.add_public(raw, -(1 << (scale - 1)))
        part = yield from party.truncate(raw, scale, rounding="probabilistic")
        r = party.subtract(r, (yield from party.multiply(part, magnitude)))
        quotient = part if quotient is None else party.add(quotient, part)
    rows = [r.reshape(1, *r.shape), party.subtract(r, magnitude).reshape(1, *r.shape)]
    below = yield from party.most_significant_bit(party.concatenate(rows))
    digits = yield from party.bit_to_arithmetic(below)
    quotient = party.add_public(party.subtract(quotient, party.sum(digits, axis=0)), 1)
    remainder = party.subtract(dividend, (yield from party.multiply(quotient, y_vector)))
    return shaped(quotient, x.shape), shaped(remainder, x.shape)


def _reciprocal(party: Party, unit: Any, newton: int) -> Step[Any]:
    """1 / x' at scale 28 for x' at scale 29 in [1/2, 1]."""
    difference = party.add_public(unit, -scaled_integer(RECIPROCAL.vertex, _X_SCALE))
    square = yield from party.multiply_truncate(difference, difference, _SQUARE_DROPS)
    sloped = party.multiply_public(square, scaled_integer(RECIPROCAL.slope, _SLOPE_BITS))
    r = party.add_public(sloped, scaled_integer(RECIPROCAL.intercept, _R_SCALE))
    for _ in range(newton):
        xr = yield from party.multiply_truncate(unit, r, _X_SCALE)
        rest = party.add_public(party.negate(xr), 2 << _R_SCALE)
        r = yield from party.multiply_truncate(r, rest, _R_SCALE)
    return r


def floor_divide_cost(costs: Costs, size: int, bits: int = 32) -> Declaration:
    """Of `floor_divide`."""
    plan = _secret_plan(bits)
    times, truncated = costs["multiply"](size), costs["truncate"]
    newton = in_sequence(
        costs["multiply_truncate"](size, _X_SCALE), costs["multiply_truncate"](size, _R_SCALE)
    )
    estimates = [
        in_sequence(times, truncated(size, scale, rounding="probabilistic"), times)
        for scale in plan.scales
    ]
    return in_sequence(
        leading_one_cost(costs, size, SHORT),
        side_by_side(product_cost(costs, size, factor_count(costs, SHORT)), times, times, times),
        times,
        side_by_side(unit_interval_cost(costs, size, _X_SCALE, SHORT), times),
        costs["multiply_truncate"](size, _SQUARE_DROPS),
        *[newton] * plan.newton,
        times,
        side_by_side(
            *(truncated(size, _V_BITS - s, rounding="probabilistic") for s in plan.scales)
        ),
        *estimates,
        costs["most_significant_bit"](2 * size),
        costs["bit_to_arithmetic"](2 * size),
        times,
    )
