"""The natural logarithm: log x = log x' + (e + 1) log 2 with x' in [1/2, 1].

The integer part is a public linear combination of the digits of e (``normalization.py``), so
it is free; log x' is a polynomial of degree 6. Both are added before the one truncation.
Where x is near 1 the two cancel; the fit is relative to log x there, so that the error near 1
stays within 2 units in the last place. Source of the method: Aly and Smart 2019, section 5.4.
"""

from __future__ import annotations

from math import log as real_log
from typing import Any

import numpy as np

from tacit.functions.approximation import scaled_integer
from tacit.functions.coefficients import LOG
from tacit.functions.costs import Costs, in_sequence
from tacit.functions.domains import require_fraction_bits
from tacit.functions.normalization import (
    DIGITS,
    SHIFT,
    UNIT,
    LeadingOne,
    centred,
    leading_one,
    leading_one_cost,
    product,
    product_cost,
    unit_interval,
    unit_interval_cost,
)
from tacit.functions.piecewise import combine_bits
from tacit.functions.polynomials import Scaled, polynomial, polynomial_cost
from tacit.functions.shapes import flat, shaped
from tacit.protocols.interface import Party
from tacit.rounds.contract import Step
from tacit.rounds.cost import Declaration

__all__ = ["LOG_OF_NOTHING", "log", "log_cost"]

V_SCALE = 19
SUM_SCALE = 56
"""log x lies within ±43, below 2^6."""

LOG_OF_NOTHING = -(1 << 20)
"""What stands for minus infinity, the logarithm of x <= 0, give or take 64."""


def log(party: Party, x: Any, fraction_bits: int) -> Step[Any]:
    """The natural logarithm.

    Parameters
    ----------
    party : Party
    x : arithmetic sharing
        Any shape, f = `fraction_bits` fractional bits, 0 < x < 2^(61 - f): every positive
        number that the encoding holds, from 2^-f on.
    fraction_bits : int
        12 to 24.

    Returns
    -------
    arithmetic sharing
        f fractional bits. Error at most max(5e-5 relative, 2 units in the last place), also
        close to 1, and 1.5e-6 (which matters for f > 18). For x <= 0 a number below
        -10^6 that stands for minus infinity.

    Notes
    -----
    Rounds: `leading_one`, 3 products, 4 truncated products (31 for `replicated3`).
    """
    require_fraction_bits("log", fraction_bits)
    vector = flat(x)
    leading = yield from leading_one(party, vector, signed=False)
    power = yield from product(party, [*leading.factors(party, SHIFT), leading.flag])
    unit = yield from unit_interval(party, vector, power, V_SCALE + 2)
    result = yield from polynomial(
        party,
        Scaled(centred(party, unit, V_SCALE + 2), V_SCALE),
        LOG.coefficients,
        SUM_SCALE,
        fraction_bits,
        offset=_whole_part(party, leading, fraction_bits),
    )
    # flag - 1 is -1 for x <= 0, else 0.
    missing = party.multiply_public(
        party.add_public(leading.flag, -1), -LOG_OF_NOTHING << fraction_bits
    )
    return shaped(party.add(result, missing), x.shape)


def _whole_part(party: Party, leading: LeadingOne, fraction_bits: int) -> Any:
    """(61 - f - i) log 2 at the sum's scale: x = x' 2^(61 - f - i). Local."""
    weights = [scaled_integer(-(1 << k) * real_log(2.0), SUM_SCALE) for k in range(DIGITS)]
    constant = scaled_integer((UNIT - fraction_bits) * real_log(2.0), SUM_SCALE)
    return combine_bits(party, leading.digits, np.array([weights]), np.array([constant]))[0]


def log_cost(costs: Costs, size: int, fraction_bits: int = 18) -> Declaration:
    """Of `log`."""
    return in_sequence(
        leading_one_cost(costs, size),
        product_cost(costs, size, DIGITS + 1),
        unit_interval_cost(costs, size, V_SCALE + 2),
        polynomial_cost(costs, size, V_SCALE, len(LOG.coefficients), SUM_SCALE - fraction_bits),
    )
