"""Powers: by repeated squaring for public integers, by exp(y log x) for everything else.

Repeated squaring (square and multiply) is right for every x, negative ones included. It costs a
product for each bit of the exponent, which runs beside the next squaring. With several
exponents in one array, a public mask decides which element takes which factor.

x^y = exp(y log x) needs x > 0. The logarithm is taken with 24 fractional bits whatever the
encoding, because its error is multiplied by y. Where x <= 0 the chain computes meaningless ring
elements, which a comparison multiplies by an exact 0.
"""

from __future__ import annotations

from math import frexp
from math import log as real_log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tacit.errors import RangeError
from tacit.functions.approximation import scaled_integer
from tacit.functions.coefficients import LOG
from tacit.functions.costs import NOTHING, Costs, in_sequence, side_by_side
from tacit.functions.division import reciprocal, reciprocal_cost
from tacit.functions.domains import require_fraction_bits
from tacit.functions.exponential import exp, exp_cost
from tacit.functions.logarithm import log_cost, logarithm
from tacit.functions.parts import as_part
from tacit.functions.piecewise import threshold_digits, threshold_digits_cost
from tacit.functions.shapes import flat, shaped
from tacit.protocols.interface import Party
from tacit.rounds.combine import together
from tacit.rounds.contract import Step
from tacit.rounds.cost import Declaration

__all__ = [
    "LARGEST_EXPONENT",
    "integer_power",
    "integer_power_cost",
    "power",
    "power_cost",
    "power_of_public",
    "power_of_public_cost",
    "public_power",
    "public_power_cost",
    "require_bases",
    "require_exponents",
    "square",
    "square_cost",
]

LOG_BITS = 24
LARGEST_EXPONENT = 1024
"""Public exponents lie within ± this."""

_EXPONENT_BITS = 31


def square(party: Party, x: Any, fraction_bits: int) -> Step[Any]:
    """x^2: one product. Error at most 1 unit in the last place; x^2 < 2^(62 - 2f).

    Without fractional bits there is no truncation and the square is that of the ring.
    """
    return (yield from _product(party, x, x, fraction_bits))


def square_cost(costs: Costs, size: int, fraction_bits: int = 18) -> Declaration:
    """Of `square`."""
    return _product_cost(costs, size, fraction_bits)


def _product(party: Party, x: Any, y: Any, fraction_bits: int) -> Step[Any]:
    if not fraction_bits:
        return (yield from party.multiply(x, y))
    return (yield from party.multiply_truncate(x, y, fraction_bits))


def _product_cost(costs: Costs, size: int, fraction_bits: int) -> Declaration:
    if not fraction_bits:
        return costs["multiply"](size)
    return costs["multiply_truncate"](size, fraction_bits)


# What is public.


def require_exponents(values: NDArray[Any]) -> None:
    """Refuse public exponents that are too large for any statement about the result.

    Raises
    ------
    RangeError
        Not finite, or beyond ±1024 (TC-1340).
    """
    if values.size and not (np.abs(values) <= LARGEST_EXPONENT).all():
        raise RangeError(
            f"A public exponent is not within ±{LARGEST_EXPONENT}.",
            next_step="compute tacit.exp(y * tacit.log(x)), whose steps state their errors.",
            case=40,
            stage="pow",
        )


def require_bases(values: NDArray[Any]) -> None:
    """Refuse public bases whose logarithm does not exist.

    Raises
    ------
    RangeError
        Not positive and finite (TC-1341).
    """
    if values.size and not (np.isfinite(values) & (values > 0)).all():
        raise RangeError(
            "A public base of a secret exponent is not a positive number.",
            next_step="powers of other numbers need public integer exponents.",
            case=41,
            stage="pow",
        )


# Public integer exponents.


def integer_power(
    party: Party, x: Any, exponents: NDArray[np.int64], fraction_bits: int
) -> Step[Any]:
    """x^n for public integers n.

    Parameters
    ----------
    party : Party
    x : arithmetic sharing
        Any shape, f = `fraction_bits` fractional bits (0 for integers).
    exponents : ndarray of int64
        Of x's shape or broadcast to it. Negative ones need 12 <= f <= 24 and take the power of
        the reciprocal.
    fraction_bits : int

    Returns
    -------
    arithmetic sharing
        f fractional bits; 1 for n = 0. For n > 0 and M = max(1, |x|) the error is at most
        n - 1 units in the last place times M^(n-1), and all powers up to n must stay below
        2^(62 - 2f). Integers are exact in the ring. For n < 0 the reciprocal's error counts n
        times, and 0 gives 0.

    Notes
    -----
    Rounds: a product for each bit of the largest |n|; before them the reciprocal's if any n is
    negative.
    """
    vector = flat(x)
    exponents = np.broadcast_to(exponents, x.shape).reshape(-1)
    negative = exponents < 0
    if negative.any():
        inverse = yield from reciprocal(as_part(party), vector, fraction_bits)
        vector = _masked(party, inverse, vector, negative)
    one = 1 << fraction_bits
    result: Any = None
    magnitudes = np.abs(exponents)
    for bit in range(int(magnitudes.max(initial=0)).bit_length()):
        wanted = (magnitudes >> bit & 1).astype(np.bool_)
        factor = vector
        if not wanted.all():
            constant = np.where(wanted, 0, one)
            factor = party.add_public(
                party.multiply_public(vector, wanted.astype(np.int64)), constant
            )
        steps = []
        if wanted.any() and result is not None:
            steps.append(_product(party, result, factor, fraction_bits))
        if (magnitudes >> bit).max() > 1:
            steps.append(_product(party, vector, vector, fraction_bits))
        products = yield from together(*steps)
        if wanted.any():
            result = factor if result is None else products[0]
        if products:
            vector = products[-1]
    if result is None:
        result = party.public(np.full(vector.shape, one, np.int64))
    return shaped(result, x.shape)


def _masked(party: Party, x: Any, y: Any, mask: NDArray[np.bool_]) -> Any:
    """x where a public mask is true, else y. Local."""
    difference = party.multiply_public(party.subtract(x, y), mask.astype(np.int64))
    return party.add(y, difference)


def integer_power_cost(
    costs: Costs, size: int, exponents: NDArray[np.int64], fraction_bits: int = 18
) -> Declaration:
    """Of `integer_power`."""
    magnitudes = np.abs(exponents)
    one = _product_cost(costs, size, fraction_bits)
    steps = [
        reciprocal_cost(costs, size, fraction_bits) if (exponents < 0).any() else NOTHING,
    ]
    started = False
    for bit in range(int(magnitudes.max(initial=0)).bit_length()):
        wanted = bool((magnitudes >> bit & 1).any())
        level = [one] * (started and wanted) + [one] * bool((magnitudes >> bit).max() > 1)
        steps.append(side_by_side(*level))
        started = started or wanted
    return in_sequence(*steps)


# Everything else.


def power(party: Party, x: Any, y: Any, fraction_bits: int) -> Step[Any]:
    """x^y for secret x > 0 and secret y.

    Parameters
    ----------
    party : Party
    x, y : arithmetic sharing
        Equal shapes, f = `fraction_bits` fractional bits, 0 < x < 2^(61 - f), |y| <= 32 and
        y log x within the domain of `exp`.
    fraction_bits : int
        12 to 24.

    Returns
    -------
    arithmetic sharing
        f fractional bits. Error at most max(1.2e-3 relative, 2 units in the last place);
        exactly 0 for x <= 0. Larger |y| add 1.2e-5 |y| to the relative error, and where
        |y log x| is 2^(38 - f) or more the exponent wraps.

    Notes
    -----
    Rounds: a logarithm, a truncated product, an exponential, a product (53 for `replicated3`).
    """
    require_fraction_bits("power", fraction_bits)
    logarithms, positive = yield from _logarithm(party, x, fraction_bits)
    exponent = yield from party.multiply_truncate(flat(y), logarithms, LOG_BITS)
    return shaped((yield from _raised(party, exponent, positive, fraction_bits)), x.shape)


def public_power(
    party: Party, x: Any, exponents: NDArray[np.float64], fraction_bits: int
) -> Step[Any]:
    """x^c for secret x > 0 and public real c; see `power`.

    `exponents` broadcast to x's shape; the truncated product of `power` becomes a truncation
    (52 rounds for `replicated3`).
    """
    require_fraction_bits("power", fraction_bits)
    exponents = np.broadcast_to(exponents, x.shape).reshape(-1)
    bits = _exponent_scale(exponents)
    factor = np.rint(exponents * 2.0**bits).astype(np.int64)
    logarithms, positive = yield from _logarithm(party, x, fraction_bits)
    exponent = yield from party.truncate(
        party.multiply_public(logarithms, factor), LOG_BITS + bits - fraction_bits
    )
    return shaped((yield from _raised(party, exponent, positive, fraction_bits)), x.shape)


def _exponent_scale(exponents: NDArray[np.float64]) -> int:
    """Fractional bits with which exponents fit 31 bits; logarithms are below 2^30."""
    return _EXPONENT_BITS - max(frexp(float(np.abs(exponents).max(initial=0.0)))[1], 0)


def power_of_public(
    party: Party, bases: NDArray[np.float64], y: Any, fraction_bits: int
) -> Step[Any]:
    """b^y for public b > 0 and secret y: exp(y log b).

    Parameters
    ----------
    party : Party
    bases : ndarray of float64
        Positive; broadcast to y's shape.
    y : arithmetic sharing
        f = `fraction_bits` fractional bits, y log b within the domain of `exp`.
    fraction_bits : int
        12 to 24.

    Returns
    -------
    arithmetic sharing
        f fractional bits. Error: that of `exp`, and 2^-f relative.

    Notes
    -----
    Rounds: a truncation and an exponential (21 for `replicated3`).
    """
    require_fraction_bits("power", fraction_bits)
    require_bases(bases)
    factor = np.rint(np.log(bases) * 2.0**LOG_BITS).astype(np.int64)
    exponent = yield from party.truncate(party.multiply_public(y, factor), LOG_BITS)
    return (yield from exp(party, exponent, fraction_bits))


def _logarithm(party: Party, x: Any, fraction_bits: int) -> Step[tuple[Any, Any]]:
    """log x at 24 bits, |log x| < 2^6, and [x > 0] as 0 or 1."""
    vector = flat(x)
    logarithms, digits = yield from together(
        logarithm(party, vector, LOG_BITS, LOG, real_log(2.0)),
        threshold_digits(party, vector, [1]),
    )
    shift = scaled_integer((LOG_BITS - fraction_bits) * real_log(2.0), LOG_BITS)
    return party.add_public(logarithms, shift), party.add_public(party.negate(digits[0]), 1)


def _raised(party: Party, exponent: Any, positive: Any, fraction_bits: int) -> Step[Any]:
    value = yield from exp(party, exponent, fraction_bits)
    return (yield from party.multiply(value, positive))


def _power_cost(costs: Costs, size: int, fraction_bits: int, middle: Declaration) -> Declaration:
    return in_sequence(
        side_by_side(
            log_cost(costs, size, LOG_BITS),
            threshold_digits_cost(costs, size, 1),
        ),
        middle,
        exp_cost(costs, size, fraction_bits),
        costs["multiply"](size),
    )


def power_cost(costs: Costs, size: int, fraction_bits: int = 18) -> Declaration:
    """Of `power`."""
    return _power_cost(costs, size, fraction_bits, costs["multiply_truncate"](size, LOG_BITS))


def public_power_cost(
    costs: Costs, size: int, exponents: NDArray[np.float64], fraction_bits: int = 18
) -> Declaration:
    """Of `public_power`."""
    bits = LOG_BITS + _exponent_scale(exponents) - fraction_bits
    return _power_cost(costs, size, fraction_bits, costs["truncate"](size, bits))


def power_of_public_cost(costs: Costs, size: int, fraction_bits: int = 18) -> Declaration:
    """Of `power_of_public`."""
    return in_sequence(costs["truncate"](size, LOG_BITS), exp_cost(costs, size, fraction_bits))
