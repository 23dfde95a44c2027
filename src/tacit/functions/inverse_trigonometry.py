"""Arc functions: atan through 1 / x or a quotient, asin and acos through a square root.

* atan x for |x| >= 1 is ± pi/2 - atan(1 / x). Which of x and -1/x goes into the one odd
  polynomial on [-1, 1], and which multiple of pi/2 is added, is decided by two comparisons that
  run beside the reciprocal.
* atan2 folds the plane onto |x| >= |y| first (two sign bits), so its quotient is within ±1
  whatever the magnitudes, and needs no reciprocal.
* acos a = sqrt(1 - a) P(a) on [0, 1] (Abramowitz and Stegun 1964, 4.4.45, fitted anew): the
  root has the singularity that a polynomial cannot follow. P(a) and the sign are ready before
  the root is.
"""

from __future__ import annotations

from math import pi
from typing import Any

from tacit.functions import fine_coefficients as fine
from tacit.functions.approximation import scaled_integer
from tacit.functions.comparison import is_negative
from tacit.functions.costs import NOTHING, Costs, in_sequence, side_by_side
from tacit.functions.division import divide, divide_cost, reciprocal, reciprocal_cost
from tacit.functions.domains import is_fine, require_fine, require_fraction_bits
from tacit.functions.elementary_coefficients import ACOS, ATAN
from tacit.functions.odd_polynomials import (
    fine_odd_polynomial,
    fine_odd_polynomial_cost,
    odd_polynomial,
    odd_polynomial_cost,
)
from tacit.functions.piecewise import threshold_digits, threshold_digits_cost
from tacit.functions.polynomials import Scaled, polynomial, polynomial_cost
from tacit.functions.roots import sqrt, sqrt_cost
from tacit.functions.shapes import flat, shaped
from tacit.protocols.interface import Party
from tacit.rounds.combine import together
from tacit.rounds.contract import Step
from tacit.rounds.cost import Declaration

__all__ = [
    "acos",
    "acos_cost",
    "asin",
    "asin_cost",
    "atan",
    "atan2",
    "atan2_cost",
    "atan_cost",
]

LEAST_SCALE = 20
"""Arguments of polynomials have at least this many fractional bits."""

SUM_SCALE = 58
P_SCALE = 22


def atan(party: Party, x: Any, fraction_bits: int) -> Step[Any]:
    """The arc tangent.

    Parameters
    ----------
    party : Party
    x : arithmetic sharing
        Any shape, f = `fraction_bits` fractional bits, every number of the encoding.
    fraction_bits : int
        12 to 24; to 40 in Z_2^128, with the errors of ``accuracy.FINE`` above 24.

    Returns
    -------
    arithmetic sharing
        f fractional bits, within ±pi/2. Absolute error at most 1.5e-4 and 3 units in the last
        place.

    Notes
    -----
    Rounds: a reciprocal, a product, 3 truncated products (40 for `replicated3`).
    """
    require_fine("atan", fraction_bits, party.ring.bits)
    vector = flat(x)
    one = 1 << fraction_bits
    inverse, digits = yield from together(
        reciprocal(party, vector, fraction_bits), threshold_digits(party, vector, [-one, one])
    )
    near = party.subtract(digits[1], digits[0])
    # x where it is near 0, else -1 / x: atan(-1 / x) = atan x ∓ pi/2.
    change = yield from party.multiply(party.add(vector, inverse), near)
    argument = party.subtract(change, inverse)
    result = yield from _atan_near_zero(party, argument, fraction_bits)
    # 1 - [x < 1] - [x < -1] is the sign where |x| >= 1, else 0.
    quarter = scaled_integer(pi / 2, fraction_bits)
    ends = party.multiply_public(party.sum(digits, axis=0), -quarter)
    return shaped(party.add_public(party.add(result, ends), quarter), x.shape)


def _atan_near_zero(party: Party, x: Any, fraction_bits: int) -> Step[Any]:
    if is_fine(fraction_bits):
        return (
            yield from fine_odd_polynomial(
                party, Scaled(x, fraction_bits), fine.ATAN, fraction_bits
            )
        )
    scale = max(fraction_bits, LEAST_SCALE)
    u = Scaled(party.multiply_public(x, 1 << (scale - fraction_bits)), scale)
    return (yield from odd_polynomial(party, u, ATAN, fraction_bits))


def _atan_near_zero_cost(costs: Costs, size: int, fraction_bits: int) -> Declaration:
    if is_fine(fraction_bits):
        coefficients = len(fine.ATAN.coefficients)
        return fine_odd_polynomial_cost(costs, size, fraction_bits, coefficients, fraction_bits)
    return odd_polynomial_cost(costs, size, max(fraction_bits, LEAST_SCALE), fraction_bits)


def atan2(party: Party, y: Any, x: Any, fraction_bits: int) -> Step[Any]:
    """The angle of the point (x, y), in (-pi, pi].

    Parameters
    ----------
    party : Party
    y, x : arithmetic sharing
        Equal shapes, f = `fraction_bits` fractional bits, magnitudes below 2^(60 - f).
    fraction_bits : int
        12 to 24; to 40 in Z_2^128, with the errors of ``accuracy.FINE`` above 24.

    Returns
    -------
    arithmetic sharing
        f fractional bits. Absolute error at most 3e-4 and 3 units in the last place. 0 for
        (0, 0), up to one unit.

    Notes
    -----
    Rounds: a sign bit, an injection, `divide`, 3 truncated products (48 for `replicated3`).
    """
    require_fine("atan2", fraction_bits, party.ring.bits)
    above, along = flat(y), flat(x)
    less, more = party.subtract(above, along), party.add(above, along)
    stacked = [party.add_public(less, -1), more, along, above]
    size = above.size
    signs = yield from is_negative(party, party.concatenate(stacked).reshape(4, size))
    below, under, left, down = (signs.map(lambda bits, row=k: bits[row]) for k in range(4))
    # |y| > |x| exactly if y > x and y >= -x, or y <= x and y < -x.
    steep = party.invert(party.xor(below, under))
    # Steep: -x / y and a right angle; else y / x and, left of the y axis, a straight one.
    both = party.concatenate_bits([steep.reshape(1, size), steep.reshape(1, size)])
    changes = party.concatenate([party.negate(more), less]).reshape(2, size)
    moved = yield from party.inject(both, changes)
    quotient, angle = yield from together(
        divide(party, party.add(above, moved[0]), party.add(along, moved[1]), fraction_bits),
        _offset(party, steep, left, down, fraction_bits),
    )
    result = yield from _atan_near_zero(party, quotient, fraction_bits)
    return shaped(party.add(result, angle), y.shape)


def _offset(party: Party, steep: Any, left: Any, down: Any, fraction_bits: int) -> Step[Any]:
    """± pi/2 where steep, else ± pi where left, else 0; negative where down."""
    size = steep.size
    behind = yield from party.bitwise_and(party.invert(steep), left)
    either = party.concatenate_bits([steep.reshape(1, size), behind.reshape(1, size)])
    downs = party.concatenate_bits([down.reshape(1, size), down.reshape(1, size)])
    negative = yield from party.bitwise_and(either, downs)
    digits = yield from party.bit_to_arithmetic(party.concatenate_bits([either, negative]))
    right, straight = (scaled_integer(angle, fraction_bits) for angle in (pi / 2, pi))
    terms = [
        party.multiply_public(digits[k], factor)
        for k, factor in enumerate((right, straight, -2 * right, -2 * straight))
    ]
    return party.add(party.add(terms[0], terms[1]), party.add(terms[2], terms[3]))


def asin(party: Party, x: Any, fraction_bits: int) -> Step[Any]:
    """The arc sine: sign(x) (pi/2 - acos |x|).

    Parameters
    ----------
    party : Party
    x : arithmetic sharing
        Any shape, f = `fraction_bits` fractional bits, |x| <= 1.
    fraction_bits : int
        12 to 24.

    Returns
    -------
    arithmetic sharing
        f fractional bits. Absolute error at most 1e-4 and 4 units in the last place; outside of
        [-1, 1] the value at its end.

    Notes
    -----
    Rounds: a sign bit, an injection, `sqrt`, a truncated product (42 for `replicated3`).
    """
    require_fraction_bits("asin", fraction_bits)
    sign, rest = yield from _signed_acos(party, flat(x), fraction_bits)
    quarter = scaled_integer(pi / 2, fraction_bits)
    return shaped(party.subtract(party.multiply_public(sign, quarter), rest), x.shape)


def acos(party: Party, x: Any, fraction_bits: int) -> Step[Any]:
    """The arc cosine: acos |x| for x >= 0, pi - acos |x| below; see `asin`."""
    require_fraction_bits("acos", fraction_bits)
    sign, rest = yield from _signed_acos(party, flat(x), fraction_bits)
    quarter = scaled_integer(pi / 2, fraction_bits)
    mirrored = party.add_public(party.multiply_public(sign, -quarter), quarter)
    return shaped(party.add(rest, mirrored), x.shape)


def _signed_acos(party: Party, x: Any, fraction_bits: int) -> Step[tuple[Any, Any]]:
    """The sign of x, 1 or -1, and sign(x) acos |x|."""
    negative = yield from is_negative(party, x)
    digit, masked = yield from together(
        party.bit_to_arithmetic(negative), party.inject(negative, x)
    )
    sign = party.add_public(party.multiply_public(digit, -2), 1)
    size = party.subtract(x, party.multiply_public(masked, 2))
    gap = party.add_public(party.negate(size), 1 << fraction_bits)
    root, factor = yield from together(
        sqrt(party, gap, fraction_bits), _signed_factor(party, size, sign, fraction_bits)
    )
    return sign, (yield from party.multiply_truncate(root, factor, P_SCALE))


def _signed_factor(party: Party, size: Any, sign: Any, fraction_bits: int) -> Step[Any]:
    """sign · acos(a) / sqrt(1 - a); for a > 1, where the root is 0, ring elements."""
    surplus = fraction_bits - LEAST_SCALE
    if surplus > 0:
        size = yield from party.truncate(size, surplus)
    else:
        size = party.multiply_public(size, 1 << -surplus)
    value = yield from polynomial(
        party, Scaled(size, LEAST_SCALE), ACOS.coefficients, SUM_SCALE, P_SCALE
    )
    return (yield from party.multiply(value, sign))


def atan_cost(costs: Costs, size: int, fraction_bits: int = 18) -> Declaration:
    """Of `atan`."""
    return in_sequence(
        side_by_side(
            reciprocal_cost(costs, size, fraction_bits), threshold_digits_cost(costs, size, 2)
        ),
        costs["multiply"](size),
        _atan_near_zero_cost(costs, size, fraction_bits),
    )


def atan2_cost(costs: Costs, size: int, fraction_bits: int = 18) -> Declaration:
    """Of `atan2`."""
    offset = in_sequence(
        costs["bitwise_and"](size),
        costs["bitwise_and"](2 * size),
        costs["bit_to_arithmetic"](4 * size),
    )
    return in_sequence(
        costs["most_significant_bit"](4 * size),
        costs["inject"](2 * size),
        side_by_side(divide_cost(costs, size, fraction_bits), offset),
        _atan_near_zero_cost(costs, size, fraction_bits),
    )


def asin_cost(costs: Costs, size: int, fraction_bits: int = 18) -> Declaration:
    """Of `asin` and `acos`."""
    surplus = fraction_bits - LEAST_SCALE
    factor = in_sequence(
        costs["truncate"](size, surplus) if surplus > 0 else NOTHING,
        polynomial_cost(costs, size, LEAST_SCALE, len(ACOS.coefficients), SUM_SCALE - P_SCALE),
        costs["multiply"](size),
    )
    return in_sequence(
        costs["most_significant_bit"](size),
        side_by_side(costs["bit_to_arithmetic"](size), costs["inject"](size)),
        side_by_side(sqrt_cost(costs, size, fraction_bits), factor),
        costs["multiply_truncate"](size, P_SCALE),
    )


acos_cost = asin_cost
