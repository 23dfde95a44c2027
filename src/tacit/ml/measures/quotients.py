"""Quotients of secret counts, rounded to decimal places before they are opened.

Long division in base ten: each digit is how many of d, 2 d, …, 9 d the rest reaches, all compared
at once; exact for counts of up to 2^58. What is opened is the rounded quotient and nothing finer,
so a recipient does not find numerator and denominator by reducing a long fraction.
"""

from __future__ import annotations

import numpy as np

import tacit.arrays.functions as F
from tacit.arrays import SecretArray
from tacit.encoding.types import int64

__all__ = ["quotients", "unbounded"]

_TIMES = np.arange(1, 10)


def quotients(numerators: SecretArray, denominators: SecretArray, digits: int) -> SecretArray:
    """numerator / denominator in units of 10^-digits, rounded half up.

    Parameters
    ----------
    numerators, denominators : SecretArray of integers, (…,)
        0 <= numerator < 10 denominator < 2^58.
    digits : int
        Decimal places.

    Returns
    -------
    SecretArray of integers, (…,)

    Notes
    -----
    Rounds: a comparison, a bit to arithmetic and a product for each digit, and for one more.
    """
    rest, divisor = unbounded(numerators), unbounded(denominators)
    multiples = divisor.reshape(*divisor.shape, 1) * _TIMES
    found = None
    for place in range(digits + 1):
        reached = rest.reshape(*rest.shape, 1) >= multiples
        digit = F.sum(reached.astype(int64), axis=-1)
        found = digit if found is None else found * 10 + digit
        rest = unbounded(rest - digit * divisor)
        if place < digits:
            rest = rest * 10
    assert found is not None
    return unbounded(found) + (rest * 2 >= divisor).astype(int64)


def unbounded(x: SecretArray) -> SecretArray:
    """The same numbers without what is known of their range.

    Interval arithmetic does not see that a rest is below its divisor: the bounds would grow with
    every digit until the division is refused.
    """
    copy = x + 0
    copy.reference.bounds, copy.reference.declared = None, False
    return copy
