"""expm1, sinh and cosh: the exponential, and a polynomial where it would cancel.

Near 0, e^x - 1 and sinh x are differences of numbers near 1, and the exponential's relative
error would be all that is left of them. For |x| < 1 the result is therefore x plus a polynomial
in x from the second power on: x itself is exact, so the error is relative to the result. Both
ways run side by side with the comparisons that choose between them.

cosh x = e^(x - log 2) + e^(-x - log 2), sinh x is the difference: both exponentials are one
call, and nothing is halved afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log as real_log
from typing import Any

from tacit.functions.approximation import scaled_integer
from tacit.functions.costs import NOTHING, Costs, in_sequence, side_by_side
from tacit.functions.domains import require_fraction_bits
from tacit.functions.elementary_coefficients import EXPM1, SINH
from tacit.functions.exponential import exp, exp_cost
from tacit.functions.piecewise import threshold_digits, threshold_digits_cost
from tacit.functions.polynomials import Scaled, polynomial, polynomial_cost
from tacit.functions.shapes import flat, shaped
from tacit.protocols.interface import Party
from tacit.rounds.combine import together
from tacit.rounds.contract import Step
from tacit.rounds.cost import Declaration

__all__ = ["cosh", "cosh_cost", "expm1", "expm1_cost", "sinh", "sinh_cost"]

U_SCALE = 20
SUM_SCALE = 58


def expm1(party: Party, x: Any, fraction_bits: int) -> Step[Any]:
    """e^x - 1, accurate near 0.

    Parameters
    ----------
    party : Party
    x : arithmetic sharing
        Any shape, f = `fraction_bits` fractional bits, |x| < 2^(62 - f).
    fraction_bits : int
        12 to 24.

    Returns
    -------
    arithmetic sharing
        f fractional bits. Error at most max(8e-4 relative, 2 units in the last place) up to the
        limit of `exp`; saturates above it, and is exactly -1 where `exp` is 0.

    Notes
    -----
    Rounds: those of `exp` and one product (20 for `replicated3`).
    """
    require_fraction_bits("expm1", fraction_bits)
    vector = flat(x)
    power, near, digits = yield from together(
        exp(party, vector, fraction_bits),
        _near_zero(party, vector, EXPM1.coefficients, fraction_bits),
        _unit_digits(party, vector, fraction_bits),
    )
    far = party.add_public(power, -1 << fraction_bits)
    return shaped((yield from _chosen(party, digits, near, far)), x.shape)


def sinh(party: Party, x: Any, fraction_bits: int) -> Step[Any]:
    """The hyperbolic sine.

    Parameters
    ----------
    party : Party
    x : arithmetic sharing
        Any shape, f = `fraction_bits` fractional bits, |x| < 2^(61 - f).
    fraction_bits : int
        12 to 24.

    Returns
    -------
    arithmetic sharing
        f fractional bits. Error at most max(1e-3 relative, 2 units in the last place) for |x|
        up to 0.69 above the limit of `exp`; saturates above it.

    Notes
    -----
    Rounds: those of `exp` and one product (20 for `replicated3`).
    """
    require_fraction_bits("sinh", fraction_bits)
    vector = flat(x)
    halves, near, digits = yield from together(
        _halves(party, vector, fraction_bits),
        _near_zero(party, vector, SINH.coefficients, fraction_bits),
        _unit_digits(party, vector, fraction_bits),
    )
    rising, falling = halves
    far = party.subtract(rising, falling)
    return shaped((yield from _chosen(party, digits, near, far)), x.shape)


def cosh(party: Party, x: Any, fraction_bits: int) -> Step[Any]:
    """The hyperbolic cosine.

    Parameters
    ----------
    party : Party
    x : arithmetic sharing
        Any shape, f = `fraction_bits` fractional bits, |x| < 2^(61 - f).
    fraction_bits : int
        12 to 24.

    Returns
    -------
    arithmetic sharing
        f fractional bits. Error at most max(1e-3 relative, 2 units in the last place) for |x|
        up to 0.69 above the limit of `exp`; saturates above it.

    Notes
    -----
    Rounds: those of `exp`. Bytes: twice those of `exp`.
    """
    require_fraction_bits("cosh", fraction_bits)
    rising, falling = yield from _halves(party, flat(x), fraction_bits)
    return shaped(party.add(rising, falling), x.shape)


def _halves(party: Party, x: Any, fraction_bits: int) -> Step[tuple[Any, Any]]:
    """e^x / 2 and e^-x / 2."""
    half = -scaled_integer(real_log(2.0), fraction_bits)
    both = party.add_public(party.concatenate([x, party.negate(x)]), half)
    powers = yield from exp(party, both, fraction_bits)
    return powers[: x.size], powers[x.size :]


def _unit_digits(party: Party, x: Any, fraction_bits: int) -> Step[Any]:
    one = 1 << fraction_bits
    return (yield from threshold_digits(party, x, [-one, one]))


def _near_zero(
    party: Party, x: Any, coefficients: Sequence[float], fraction_bits: int
) -> Step[Any]:
    """x + Σ c_k x^k for |x| < 1, c_0 = c_1 = 0; elsewhere meaningless ring elements."""
    surplus = fraction_bits - U_SCALE
    if surplus > 0:
        u = yield from party.truncate(x, surplus)
    else:
        u = party.multiply_public(x, 1 << -surplus)
    return (
        yield from polynomial(
            party,
            Scaled(u, U_SCALE),
            coefficients,
            SUM_SCALE,
            fraction_bits,
            offset=party.multiply_public(x, 1 << (SUM_SCALE - fraction_bits)),
        )
    )


def _chosen(party: Party, digits: Any, near: Any, far: Any) -> Step[Any]:
    """`near` where -1 <= x < 1, else `far`: one product with a 0 or 1, exact."""
    inside = party.subtract(digits[1], digits[0])
    change = yield from party.multiply(party.subtract(near, far), inside)
    return party.add(far, change)


def _chosen_cost(
    costs: Costs, size: int, fraction_bits: int, far: Declaration, terms: int
) -> Declaration:
    surplus = fraction_bits - U_SCALE
    near = in_sequence(
        costs["truncate"](size, surplus) if surplus > 0 else NOTHING,
        polynomial_cost(costs, size, U_SCALE, terms, SUM_SCALE - fraction_bits),
    )
    return in_sequence(
        side_by_side(far, near, threshold_digits_cost(costs, size, 2)), costs["multiply"](size)
    )


def expm1_cost(costs: Costs, size: int, fraction_bits: int = 18) -> Declaration:
    """Of `expm1`."""
    far = exp_cost(costs, size, fraction_bits)
    return _chosen_cost(costs, size, fraction_bits, far, len(EXPM1.coefficients))


def sinh_cost(costs: Costs, size: int, fraction_bits: int = 18) -> Declaration:
    """Of `sinh`."""
    far = exp_cost(costs, 2 * size, fraction_bits)
    return _chosen_cost(costs, size, fraction_bits, far, len(SINH.coefficients))


def cosh_cost(costs: Costs, size: int, fraction_bits: int = 18) -> Declaration:
    """Of `cosh`."""
    return exp_cost(costs, 2 * size, fraction_bits)
