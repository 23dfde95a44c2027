"""Reciprocal and division by a secret: one quadratic and one Newton step, then the exponent.

|x| = x' 2^(61 - i) in the ring, x' in [1/2, 1] (``normalization.py``); 125 in place of 61 in
Z_2^128.

1. r_0 = a (x' - b)^2 + c, the best quadratic for 1/x' with a = 83/32: one product, relative
   error 0.0103. (Every quadratic is such a square, so x' meets no rounded coefficient.)
2. e = 1 - x' r_0, and r_0 (1 + e) has the relative error -e^2 (Newton; Goldschmidt 1964). The
   public 0.0103^2 / 2 added to e centres it: 5.4e-5.
   For more than 24 fractional bits e is squared twice more and B multiplied by 1 + e^2 and
   1 + e^4 instead: 1.3e-16.
3. The numerator joins before the Newton step, so the last product is already the result:
   B = s r_0 beside e, then B + B e. Here s carries the exponent: 2^i for the reciprocal,
   y 2^i for the quotient.

Catrina and Saxena 2010, section 3.4 (normalise, approximate, iterate); the quadratic and the
merged numerator save two levels of products against theirs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tacit.functions.approximation import scaled_integer
from tacit.functions.coefficients import RECIPROCAL
from tacit.functions.costs import Costs, in_sequence, side_by_side
from tacit.functions.domains import is_fine, require_fine
from tacit.functions.normalization import (
    LONG,
    SHORT,
    Window,
    factor_count,
    flag_count,
    leading_one,
    leading_one_cost,
    product,
    product_cost,
    unit_interval,
    unit_interval_cost,
    window_of,
    window_of_costs,
)
from tacit.functions.polynomials import sum_truncate
from tacit.functions.shapes import flat, shaped
from tacit.protocols.interface import Party
from tacit.rounds.combine import together
from tacit.rounds.contract import Step
from tacit.rounds.cost import Declaration

__all__ = [
    "divide",
    "divide_cost",
    "least_divisor",
    "quotient_limit_bits",
    "reciprocal",
    "reciprocal_cost",
]


@dataclass(frozen=True, slots=True)
class Precision:
    """How closely a quotient is computed.

    Attributes
    ----------
    x_scale, most_scale : int
        The scale of x', and the most that r_0 and e get.
    squarings : int
        How often e is squared: the relative error is 0.0103^(2^(1 + squarings)).
    guard_bits : int
        Fractional bits, in units of the last place, that B keeps.
    """

    x_scale: int
    most_scale: int
    squarings: int
    guard_bits: int

    @property
    def one(self) -> float:
        """What x' r_0 is taken from: a little more than 1 where that centres the last error."""
        return 1.0 if self.squarings else 1.0 + RECIPROCAL.error**2 / 2


COARSE = Precision(29, 28, 0, 2)
FINE = Precision(46, 46, 2, 3)


def precision_of(fraction_bits: int) -> Precision:
    """That of quotients with so many fractional bits."""
    return FINE if is_fine(fraction_bits) else COARSE


FINEST = 18
"""Divisors below 2^-18 count as 0 where the encoding has more fractional bits than 18."""

SLOPE_BITS = 5
_RECIPROCAL_EXTRA = 2
_QUOTIENT_EXTRA = 3
"""Bits below the last place of what is divided by x'."""


def reciprocal(party: Party, x: Any, fraction_bits: int) -> Step[Any]:
    """1 / x.

    Parameters
    ----------
    party : Party
    x : arithmetic sharing
        Any shape, f = `fraction_bits` fractional bits, |x| < 2^(61 - f) and |x| >= 2^-min(f, 18):
        for f <= 18 every number but 0. In Z_2^128 |x| < 2^(125 - f), every number but 0.
    fraction_bits : int
        12 to 24; to 40 in Z_2^128, with the errors of ``accuracy.FINE`` above 24.

    Returns
    -------
    arithmetic sharing
        f fractional bits. Error at most max(2e-4 relative, 2 units in the last place). Exactly
        0 for x = 0, which has no reciprocal; for f > 18 numbers below 2^-18 in magnitude may
        count as 0 in Z_2^64.

    Notes
    -----
    Rounds: `leading_one`, 2 products, 4 truncated products (30 for `replicated3`).
    """
    require_fine("reciprocal", fraction_bits, party.ring.bits)
    vector = flat(x)
    lowest = _lowest(fraction_bits, window_of(party))
    leading = yield from leading_one(party, vector, signed=True, lowest=lowest)
    unit = leading.window.unit
    power = yield from product(party, [*leading.factors[0], *leading.flags])
    # 2^f / x = (1/x') 2^(2f - unit + i) in units of the last place; two bits more are kept.
    numerator = party.truncate(power, unit - 2 * fraction_bits - _RECIPROCAL_EXTRA)
    result = yield from _over(
        party,
        vector,
        power,
        numerator,
        extra=_RECIPROCAL_EXTRA,
        largest=2 * fraction_bits - lowest,
        precision=precision_of(fraction_bits),
    )
    return shaped(result, x.shape)


def divide(party: Party, y: Any, x: Any, fraction_bits: int) -> Step[Any]:
    """y / x for secret y and x.

    Parameters
    ----------
    party : Party
    y, x : arithmetic sharing
        Equal shapes, f = `fraction_bits` fractional bits. |y| and |x| below 2^(61 - f), x not
        0, and |y / x| < 2^(29 - f/2) rounded down (2^20 for f = 18). In Z_2^128 2^(125 - f) and
        2^(61 - f/2) (2^52 for f = 18).
    fraction_bits : int
        12 to 24; to 40 in Z_2^128, with the errors of ``accuracy.FINE`` above 24.

    Returns
    -------
    arithmetic sharing
        f fractional bits. Error at most max(2e-4 relative, 2 units in the last place).
        Exactly 0 where x = 0 (up to 1 unit); quotients beyond the limit wrap.

    Notes
    -----
    y 2^i has to be formed where 2^i may be large and y small or the other way round. With
    2^i = L 2^s + R, where L is the truncation of 2^i (whichever way it rounds) and R what is
    left, |R| <= 2^s,

        y 2^(i-s) = y L + (y / 2^s) R,

    and the truncation of y costs at most 2^s units there, a quarter of a unit in the last place
    of the quotient. So x and y may be any numbers of the encoding.

    Rounds: `leading_one`, 2 products, 4 truncated products (30 for `replicated3`).
    """
    require_fine("divide", fraction_bits, party.ring.bits)
    vector = flat(x)
    above = flat(y)
    limit = quotient_limit_bits(fraction_bits, party.ring.bits)
    leading = yield from leading_one(party, vector, signed=True)
    power, shifted = yield from together(
        product(party, [*leading.factors[0], *leading.flags]),
        party.truncate(above, limit),
    )
    result = yield from _over(
        party,
        vector,
        power,
        _shifted_numerator(party, above, shifted, power, fraction_bits),
        extra=_QUOTIENT_EXTRA,
        largest=limit + fraction_bits,
        precision=precision_of(fraction_bits),
    )
    return shaped(result, x.shape)


def quotient_limit_bits(fraction_bits: int, ring_bits: int = 64) -> int:
    """s: quotients of `divide` lie within ±2^s."""
    return (ring_bits - 4 - fraction_bits) // 2 - 1


def least_divisor(fraction_bits: int, ring_bits: int = 64) -> int:
    """Ring integers below this may count as 0 in `reciprocal`: 1 / x has to leave room."""
    return 1 << _lowest(fraction_bits, SHORT if ring_bits == 64 else LONG)


def _lowest(fraction_bits: int, window: Window) -> int:
    return max(fraction_bits - FINEST, 0) if window == SHORT else 0


def _shifted_numerator(
    party: Party, y: Any, shifted: Any, power: Any, fraction_bits: int
) -> Step[Any]:
    """y 2^i in units of the last place, with 3 bits more."""
    s = quotient_limit_bits(fraction_bits, party.ring.bits)
    high = yield from party.truncate(power, s)
    low = party.subtract(power, party.multiply_public(high, 1 << s))
    return (
        yield from party.sum_products_truncate(
            [(y, high), (shifted, low)], _numerator_drops(fraction_bits, window_of(party), s)
        )
    )


def _numerator_drops(fraction_bits: int, window: Window, s: int) -> int:
    return window.unit - s - fraction_bits - _QUOTIENT_EXTRA


def _over(
    party: Party,
    x: Any,
    power: Any,
    numerator: Step[Any],
    *,
    extra: int,
    largest: int,
    precision: Precision,
) -> Step[Any]:
    """s / x' by steps 1 to 3, in units of the last place.

    Parameters
    ----------
    party : Party
    x, power : arithmetic sharing
        The divisor and 2^i with its sign (0 where x = 0).
    numerator : step
        Gives s · 2^extra; its rounds run beside step 1.
    extra : int
        Bits of s below the unit.
    largest : int
        |s| <= 2^largest.
    precision : Precision
    """
    scales = _newton_scales(extra, largest, window_of(party).unit - 1, precision)
    (unit, r), s = yield from together(_initial(party, x, power, scales[0], precision), numerator)
    b = party.multiply_truncate(s, r, scales[0] + extra - precision.guard_bits)
    return (yield from refined(party, unit, r, b, scales, precision))


def refined(
    party: Party,
    unit: Any,
    r: Any,
    beginning: Step[Any],
    scales: tuple[int, int],
    precision: Precision,
) -> Step[Any]:
    """Steps 2 and 3 from x' and r_0: s / x', in units of the last place.

    Further factors 1 + e^2, 1 + e^4, … of 1 / (1 - e) make it more precise (Goldschmidt 1964).

    Parameters
    ----------
    party : Party
    unit, r : arithmetic sharing
    beginning : step
        Gives B = s r_0 with the guard bits.
    scales : (int, int)
        Of r_0 and e.
    precision : Precision
    """
    r_scale, e_scale = scales
    # Step 2, beside the first product of step 3.
    xr, b = yield from together(
        party.multiply_truncate(unit, r, precision.x_scale + r_scale - e_scale), beginning
    )
    e = party.add_public(party.negate(xr), scaled_integer(precision.one, e_scale))
    for _ in range(precision.squarings):
        linear = party.multiply_public(b, 1 << e_scale)
        b, e = yield from together(
            sum_truncate(party, [(b, e)], linear, e_scale),
            party.multiply_truncate(e, e, e_scale),
        )
    # Step 3: b + b e.
    linear = party.multiply_public(b, 1 << e_scale)
    return (yield from sum_truncate(party, [(b, e)], linear, e_scale + precision.guard_bits))


def _newton_scales(extra: int, largest: int, room: int, precision: Precision) -> tuple[int, int]:
    """Scales of r_0 and e: s r_0, b (1 + e), x' r_0 stay below 2^(room + 2), as r_0 < 2.03."""
    most = precision.most_scale
    return min(room - largest - extra, most), min(room - largest - precision.guard_bits, most)


def _initial(
    party: Party, x: Any, power: Any, r_scale: int, precision: Precision
) -> Step[tuple[Any, Any]]:
    """x' at its scale, and step 1: r_0 at its own."""
    unit = yield from unit_interval(party, x, power, precision.x_scale)
    return unit, (yield from first_reciprocal(party, unit, r_scale, precision))


def first_reciprocal(party: Party, unit: Any, r_scale: int, precision: Precision) -> Step[Any]:
    """Step 1: r_0 from x' in [1/2, 1]."""
    vertex = scaled_integer(RECIPROCAL.vertex, precision.x_scale)
    difference = party.add_public(unit, -vertex)
    drops = _square_drops(r_scale, precision)
    square = yield from party.multiply_truncate(difference, difference, drops)
    sloped = party.multiply_public(square, scaled_integer(RECIPROCAL.slope, SLOPE_BITS))
    return party.add_public(sloped, scaled_integer(RECIPROCAL.intercept, r_scale))


def _square_drops(r_scale: int, precision: Precision) -> int:
    return 2 * precision.x_scale - (r_scale - SLOPE_BITS)


def reciprocal_cost(costs: Costs, size: int, fraction_bits: int = 18) -> Declaration:
    """Of `reciprocal`."""
    window = window_of_costs(costs)
    lowest = _lowest(fraction_bits, window)
    numerator = costs["truncate"](size, window.unit - 2 * fraction_bits - _RECIPROCAL_EXTRA)
    return in_sequence(
        leading_one_cost(costs, size),
        product_cost(costs, size, factor_count(costs) + flag_count(costs, lowest)),
        _over_cost(
            costs,
            size,
            numerator,
            _RECIPROCAL_EXTRA,
            2 * fraction_bits - lowest,
            precision_of(fraction_bits),
        ),
    )


def divide_cost(costs: Costs, size: int, fraction_bits: int = 18) -> Declaration:
    """Of `divide`."""
    window = window_of_costs(costs)
    s = quotient_limit_bits(fraction_bits, window.unit + 3)
    truncated = costs["truncate"](size, s)
    dropped = _numerator_drops(fraction_bits, window, s)
    numerator = in_sequence(truncated, costs["sum_products_truncate"](size, dropped, 2))
    return in_sequence(
        leading_one_cost(costs, size),
        side_by_side(product_cost(costs, size, factor_count(costs) + 1), truncated),
        _over_cost(
            costs,
            size,
            numerator,
            _QUOTIENT_EXTRA,
            s + fraction_bits,
            precision_of(fraction_bits),
        ),
    )


def _over_cost(
    costs: Costs,
    size: int,
    numerator: Declaration,
    extra: int,
    largest: int,
    precision: Precision,
) -> Declaration:
    scales = _newton_scales(extra, largest, window_of_costs(costs).unit - 1, precision)
    initial = in_sequence(
        unit_interval_cost(costs, size, precision.x_scale),
        first_reciprocal_cost(costs, size, scales[0], precision),
    )
    beginning = costs["multiply_truncate"](size, scales[0] + extra - precision.guard_bits)
    return in_sequence(
        side_by_side(initial, numerator), refined_cost(costs, size, beginning, scales, precision)
    )


def first_reciprocal_cost(
    costs: Costs, size: int, r_scale: int, precision: Precision
) -> Declaration:
    """Of `first_reciprocal`."""
    return costs["multiply_truncate"](size, _square_drops(r_scale, precision))


def refined_cost(
    costs: Costs,
    size: int,
    beginning: Declaration,
    scales: tuple[int, int],
    precision: Precision,
) -> Declaration:
    """Of `refined`, its beginning included."""
    r_scale, e_scale = scales
    product_of, sum_of = costs["multiply_truncate"], costs["sum_products_truncate"]
    newton = side_by_side(product_of(size, precision.x_scale + r_scale - e_scale), beginning)
    squaring = side_by_side(sum_of(size, e_scale), product_of(size, e_scale))
    last = sum_of(size, e_scale + precision.guard_bits)
    return in_sequence(newton, *[squaring] * precision.squarings, last)
