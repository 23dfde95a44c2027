"""How noise of a wanted size is put together, and how far from ideal it is.

A discrete Gaussian of a large deviation is a sum of small ones. With P(x) proportional to
exp(-x² / (2 s²)) for x_1 of deviation s_1 and x_2 of s_2, the sum x_1 + k x_2 has at n a
probability proportional to

    exp(-n² / (2 s²)) · Σ_x exp(-(x - c_n)² / (2 t²))

with s² = s_1² + k² s_2² and 1/t² = k²/s_1² + 1/s_2²,

and by Poisson's summation formula the second factor is the same for all n up to a relative
e = 2 Σ_{m>=1} exp(-2 pi² t² m²): so the sum is a discrete Gaussian of deviation s within a total
variation distance of e / (1 - e). Sources: Peikert 2010; Pöppelmann, Ducas, Güneysu 2014,
section 4.2; Micciancio, Walter 2017, section 4.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Context, Decimal, localcontext
from fractions import Fraction
from functools import lru_cache
from math import isfinite, log2, sqrt

from tacit.errors import RangeError
from tacit.functions.noise.tables import COIN_BITS, INDEX_BITS, AliasTable, gaussian_table

__all__ = [
    "GaussianPlan",
    "LaplacePlan",
    "gaussian_plan",
    "laplace_plan",
    "smoothing_distance",
]

BODY = Fraction(55, 4)
"""Deviation of every part but the uppermost: the cut tails of its table are below 2^-64."""

BODY_SHIFT = 3
"""Each part is worth 2^BODY_SHIFT times the one below it."""

HEADS = {3: Fraction(9, 2), 2: Fraction(2), 0: Fraction(2)}
"""How the uppermost part may stand over the next one, and the least deviation it has then."""

MOST = Fraction(14)
"""The most deviation that it has, and that a single table has: cut tails below 2^-63."""

MOST_PARTS = 16

_PI = Decimal("3.1415926535897932384626433832795028841971693993751")


@dataclass(frozen=True, slots=True)
class GaussianPlan:
    """A discrete Gaussian as a sum of table draws: Σ 2^shift · draw.

    Attributes
    ----------
    variance : Fraction
        Of the sum, as the ideal distribution's parameter s².
    shifts : tuple of int
        Of each part, the lowest first; the first is 0.
    body, head : AliasTable
        The tables of the lower parts (unused if there is one part), and of the uppermost.
    distance : Fraction
        An upper bound on the total variation distance between one draw and the discrete Gaussian
        on all integers.
    """

    variance: Fraction
    shifts: tuple[int, ...]
    body: AliasTable
    head: AliasTable
    distance: Fraction

    @property
    def sigma(self) -> float:
        """The deviation, for people."""
        return sqrt(self.variance)

    @property
    def bits(self) -> int:
        """Bits of the sum of all indices."""
        return (sum(1 << shift for shift in self.shifts) * ((1 << INDEX_BITS) - 1)).bit_length()

    @property
    def offset(self) -> int:
        """What is taken off the sum of the indices."""
        return sum(1 << shift for shift in self.shifts) << (INDEX_BITS - 1)

    @property
    def bound(self) -> int:
        """No draw is larger in magnitude."""
        return self.offset

    def __repr__(self) -> str:
        distance = log2(self.distance)
        return (
            f"GaussianPlan(sigma={self.sigma:.6g}, parts={len(self.shifts)},"
            f" distance=2^{distance:.1f})"
        )


def smoothing_distance(variance: Fraction) -> Fraction:
    """e / (1 - e) with e = 2 Σ_{m>=1} exp(-2 pi² t² m²) for t² = `variance`, rounded up."""
    with localcontext(Context(prec=50)):
        t = Decimal(variance.numerator) / Decimal(variance.denominator)
        first = (-2 * _PI * _PI * t).exp()
        e = 2 * first / (1 - first)  # above the sum, by a geometric series
        return Fraction(e / (1 - e)) * Fraction(1001, 1000)


@lru_cache(maxsize=64)
def gaussian_plan(sigma: float | Fraction) -> GaussianPlan:
    """A plan for a discrete Gaussian of deviation `sigma`: P(x) ~ exp(-x² / (2 sigma²)).

    Parameters
    ----------
    sigma : float or Fraction
        From 1/8 to 2^45. A float is taken as the rational number that it is.

    Raises
    ------
    RangeError
        No such noise (TC-1320).
    """
    if not isfinite(sigma) or not Fraction(1, 8) <= Fraction(sigma) <= 1 << 45:
        raise RangeError(
            f"Noise of deviation {float(sigma):g} cannot be drawn.",
            next_step="ask for a deviation from 0.125 to 2^45, in units of the last place.",
            case=20,
            stage="noise",
        )
    variance = Fraction(sigma) ** 2
    body = gaussian_table(BODY**2)
    if variance <= MOST**2:
        head = gaussian_table(variance)
        return GaussianPlan(variance, (0,), body, head, head.distance)
    for parts in range(2, MOST_PARTS + 1):
        lower = [BODY_SHIFT * place for place in range(parts - 1)]
        below = sum((BODY**2 * 4**shift for shift in lower), Fraction(0))
        for step, least in HEADS.items():
            shift = lower[-1] + step
            rest = (variance - below) / 4**shift
            if least**2 <= rest <= MOST**2:
                shifts = (*lower, shift)
                head = gaussian_table(rest)
                return GaussianPlan(
                    variance, shifts, body, head, _distance(body, head, shifts, rest)
                )
    raise AssertionError("the ranges of the uppermost part leave no gap")


def _distance(
    body: AliasTable, head: AliasTable, shifts: tuple[int, ...], of_head: Fraction
) -> Fraction:
    """All parts' own distances, and each addition's, from the top down."""
    total, above, place = head.distance, of_head, shifts[-1]
    for shift in reversed(shifts[:-1]):
        factor = 4 ** (place - shift)
        smooth = 1 / (factor / BODY**2 + 1 / above)
        total += body.distance + smoothing_distance(smooth)
        above, place = BODY**2 + factor * above, shift
    return total


@dataclass(frozen=True, slots=True)
class LaplacePlan:
    """A discrete Laplace as the difference of two geometric numbers, whose bits are independent.

    Attributes
    ----------
    scale : Fraction
        b in P(x) proportional to exp(-|x| / b).
    thresholds : tuple of int
        For each bit of a geometric number, the lowest first: it is 1 where a uniform integer of
        COIN_BITS bits lies below.
    distance : Fraction
        An upper bound on the total variation distance between one draw and the discrete Laplace.
    """

    scale: Fraction
    thresholds: tuple[int, ...]
    distance: Fraction


@lru_cache(maxsize=64)
def laplace_plan(scale: float | Fraction) -> LaplacePlan:
    """A plan for discrete Laplace noise: P(x) proportional to exp(-|x| / scale).

    The difference of two independent geometric numbers has this distribution, zero included
    once. Bit i of a geometric number is 1 with probability 1 / (1 + exp(2^i / scale)),
    independently of the others (Dwork, Kenthapadi, McSherry, Mironov, Naor 2006, section 3.1;
    the double zero that sign and magnitude have is treated there and in Keller, Möllering,
    Schneider, Tkachenko, Zhao 2023, ePrint 2023/1594).

    Raises
    ------
    RangeError
        No such noise (TC-1320).
    """
    if not isfinite(scale) or not Fraction(1, 32) <= Fraction(scale) <= 1 << 40:
        raise RangeError(
            f"Noise of scale {float(scale):g} cannot be drawn.",
            next_step="ask for a scale from 1/32 to 2^40, in units of the last place.",
            case=20,
            stage="noise",
        )
    exact = Fraction(scale)
    with localcontext(Context(prec=50)):
        inverse = Decimal(exact.denominator) / Decimal(exact.numerator)
        bits, thresholds = 0, []
        # The tail beyond 2^bits, exp(-2^bits / b), is below 2^-68.
        while Decimal(1 << bits) * inverse < 48:
            odds = (Decimal(1 << bits) * inverse).exp()
            thresholds.append(round(Decimal(1 << COIN_BITS) / (1 + odds)))
            bits += 1
        tail = Fraction((-Decimal(1 << bits) * inverse).exp())
    rounding = Fraction(bits, 1 << COIN_BITS)
    return LaplacePlan(exact, tuple(thresholds), 2 * (tail + rounding))
