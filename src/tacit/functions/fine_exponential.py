"""The exponential with more than 24 fractional bits (Z_2^128): a polynomial and five squarings.

exp(x) = 2^j exp(t)^32 with t = (x - j log 2) / 32 within ±1.04, where a polynomial of degree 14
follows it. The squarings make relative errors 32 times larger; all scales are as large as the ring
allows. Results reach from half a unit in the last place to 2^(118 - 2f).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import exp as real_exp
from math import floor
from math import log as real_log
from typing import Any

from tacit.functions import fine_coefficients as fine
from tacit.functions.approximation import scaled_integer
from tacit.functions.costs import NOTHING, Costs, in_sequence
from tacit.functions.polynomials import Scaled, polynomial, polynomial_cost
from tacit.protocols.interface import Party
from tacit.rounds.contract import Step
from tacit.rounds.cost import Declaration

__all__ = ["FineChain", "fine_power", "fine_power_cost"]

FINE_SQUARINGS = 5
FINE_U, FINE_TOTAL, FINE_MOST = 41, 123, 46
"""Scales of t, of the polynomial's sum, and the most that its value and squares get."""


@dataclass(frozen=True, slots=True)
class FineChain:
    """The squarings of more than 24 fractional bits: e^x = 2^shift (e^t)^(2^5)."""

    fraction_bits: int

    @property
    def most(self) -> int:
        """Results are at most 2^this."""
        return 118 - 2 * self.fraction_bits

    @property
    def shift(self) -> int:
        """In the middle between the exponents of the least and the largest result."""
        return (self.most - self.fraction_bits - 1) // 2

    @property
    def centre(self) -> int:
        """shift log 2 as x has it."""
        return scaled_integer(self.shift * real_log(2.0), self.fraction_bits)

    @property
    def coefficients(self) -> list[float]:
        """Of the polynomial, with a factor that makes up for how the centre was rounded."""
        rest = self.centre * 2.0**-self.fraction_bits - self.shift * real_log(2.0)
        return [real_exp(rest / 2**FINE_SQUARINGS) * c for c in fine.EXP.coefficients]

    @property
    def scales(self) -> list[int]:
        """Of e^t and of each square but the last, which must not overflow before truncation."""
        reach = self.most - self.shift
        exponents = [reach / 2**k for k in range(FINE_SQUARINGS, 0, -1)]
        return [min(FINE_MOST, floor(62.7 - exponent)) for exponent in exponents]

    @property
    def drops(self) -> list[int]:
        """What each squaring's truncation drops."""
        scales = self.scales
        middle = [2 * before - after for before, after in pairwise(scales)]
        return [*middle, 2 * scales[-1] - self.fraction_bits - self.shift]

    @property
    def surplus(self) -> int:
        """By how much t = (x - shift log 2) / 32 is finer than the polynomial wants it."""
        return self.fraction_bits + FINE_SQUARINGS - FINE_U


def fine_power(party: Party, x: Any, chain: FineChain) -> Step[Any]:
    """e^x where it fits, else meaningless ring elements."""
    t = party.add_public(x, -chain.centre)
    if chain.surplus > 0:
        t = yield from party.truncate(t, chain.surplus)
    else:
        t = party.multiply_public(t, 1 << -chain.surplus)
    w = yield from polynomial(
        party, Scaled(t, FINE_U), chain.coefficients, FINE_TOTAL, chain.scales[0]
    )
    for drops in chain.drops:
        w = yield from party.multiply_truncate(w, w, drops)
    return w


def fine_power_cost(costs: Costs, size: int, chain: FineChain) -> Declaration:
    """Of `fine_power`."""
    terms = len(fine.EXP.coefficients)
    return in_sequence(
        costs["truncate"](size, chain.surplus) if chain.surplus > 0 else NOTHING,
        polynomial_cost(costs, size, FINE_U, terms, FINE_TOTAL - chain.scales[0]),
        *(costs["multiply_truncate"](size, drops) for drops in chain.drops),
    )
