"""Epsilon and delta of private training and of votes, by privacy loss distributions.

The neighbouring data sets: one row of one owner is replaced by a blank one, which teaches nothing
(row counts are public). For Poisson sampled Gaussian noise that is the relation "add or remove
one" of the accountant, dp-accounting (Google), which computes with pessimistic roundings (Koskela,
Jälkö, Honkela 2020; Doroshenko, Ghazi, Kamath, Kumar, Manurangsi 2022).

The noise here is a discrete Gaussian of deviation s on the integers, in each of D coordinates. It
is at least as private as a continuous one of deviation sqrt(s² - t²): rounding a continuous
Gaussian at random, by a discrete Gaussian of deviation t around it, gives the discrete one, within
the distance that Poisson's formula says (Peikert 2010, theorem 3.1; ``functions/noise/plans.py``),
and whatever is computed from a private result is as private. So the accountant is asked about
sqrt(s² - t²), and the distance goes into delta.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from math import exp, inf, isfinite, lgamma, log, log1p, sqrt

import numpy as np

from tacit.errors import RangeError
from tacit.functions.clipping import ClippingPlan
from tacit.functions.noise.plans import GaussianPlan, gaussian_plan, smoothing_distance
from tacit.ml.privacy.sampling import tail_bound
from tacit.ml.privacy.terms import RATE_BITS, Spent

__all__ = [
    "checked_budget",
    "epsilon_of_votes",
    "fitting_noise",
    "noise_of",
    "plain_noise",
    "spent",
    "vote_noise",
]

ROUNDING = Fraction(8, 5)
"""t, the deviation of the rounding in the argument above."""

STEPS_OF_NOISE = 1000
"""Noise multipliers are multiples of 1 / 1000."""

MOST_NOISE = 1000 * STEPS_OF_NOISE

FINER = 1 << 24
"""No number of an evaluation has a finer grid than 2^-24."""

MOST_EPSILON = 50.0
"""An epsilon above promises nothing."""


def noise_of(plan: ClippingPlan, multiplier: float) -> GaussianPlan:
    """The noise on a sum of clipped gradients: multiplier · sensitivity."""
    return gaussian_plan(multiplier * plan.sensitivity)


def _distance(draws: int, noise: GaussianPlan) -> Fraction:
    """How far so many draws are from ideal, and from a rounded continuous Gaussian, together."""
    return draws * (noise.distance + 2 * smoothing_distance(ROUNDING**2))


def _effective(noise: GaussianPlan, sensitivity: float) -> float:
    """The multiplier of the continuous noise that it is at least as private as."""
    rest = noise.variance - ROUNDING**2
    if rest <= 0:
        raise RangeError(
            "The noise is too small for its grid.",
            next_step="use more noise: a smaller epsilon, or a larger clip.",
            case=23,
            stage="privacy",
        )
    return sqrt(rest) / sensitivity * (1 - 2.0**-40)


@lru_cache(maxsize=64)
def _accountant(rate: float, steps: int, multiplier: float) -> Callable[[float], float]:
    """Epsilon by delta of Poisson sampled Gaussian noise."""
    import dp_accounting
    from dp_accounting import pld

    if rate >= 1.0:  # exactly one step of less noise (Dong, Roth, Su 2022; Balle, Wang 2018)
        once = multiplier / sqrt(steps)
        return lambda delta: float(dp_accounting.get_epsilon_gaussian(once, delta))
    gaussian = dp_accounting.GaussianDpEvent(multiplier)
    event = dp_accounting.PoissonSampledDpEvent(rate, gaussian)
    accountant = pld.PLDAccountant(dp_accounting.NeighboringRelation.ADD_OR_REMOVE_ONE)
    accountant.compose(dp_accounting.SelfComposedDpEvent(event, steps))
    return lambda delta: float(accountant.get_epsilon(delta))


def _with_approximation(
    rate: float, steps: int, multiplier: float, delta: float, distance: Fraction
) -> Spent:
    """Epsilon for `delta` in all: (1 + e^epsilon) · distance of it pays for approximations.

    An epsilon that promises nothing is infinite. Raises RangeError (TC-1324) where delta does not
    even pay for these.
    """
    part = float(distance) * 2.0
    if _moments_epsilon(rate, steps, multiplier, delta) > 2 * MOST_EPSILON:
        # Far from any promise: distributions of such losses would take minutes.
        return Spent(epsilon=inf, delta=delta, approximation=part)
    epsilon_of = _accountant(rate, steps, multiplier)
    for trial in range(20):
        if part >= delta / 2 and trial:
            return Spent(epsilon=inf, delta=delta, approximation=part)
        if part >= delta / 2:
            raise RangeError(
                f"A delta of {delta:g} is too small: {part:.1g} of it goes for samples cut at"
                " their public size and noise from finite tables.",
                next_step="use a larger --delta, fewer steps or a larger epsilon's worth of noise.",
                case=24,
                stage="privacy",
            )
        epsilon = epsilon_of(delta - part)
        if epsilon > MOST_EPSILON:
            return Spent(epsilon=inf, delta=delta, approximation=part)
        needed = float(distance) * (1.0 + exp(epsilon)) * (1 + 1e-9)
        if needed <= part:
            return Spent(epsilon=epsilon, delta=delta, approximation=part)
        part = needed * 1.001
    raise AssertionError("epsilon does not settle")


def spent(
    plan: ClippingPlan,
    multiplier: float,
    *,
    rate: int,
    rows: tuple[int, ...],
    slots: tuple[int, ...],
    steps: int,
    delta: float,
) -> Spent:
    """What a training row spends.

    Parameters
    ----------
    plan : ClippingPlan
    multiplier : float
        Of the noise, by the sensitivity with roundings.
    rate : int
        In units of 2^-RATE_BITS.
    rows, slots : tuple of int
        Of each owner.
    steps : int
        All of the training.
    delta : float
        In all.
    """
    noise = noise_of(plan, multiplier)
    tails = sum(
        Fraction(tail_bound(count, rate, slot)) for count, slot in zip(rows, slots, strict=True)
    )
    distance = _distance(steps * plan.size, noise) + steps * tails
    effective = _effective(noise, plan.sensitivity)
    return _with_approximation(rate / (1 << RATE_BITS), steps, effective, delta, distance)


def checked_budget(epsilon: float, delta: float) -> None:
    """Raises RangeError (TC-1325) for an epsilon or delta that promises nothing."""
    if not (isfinite(epsilon) and 0.0 < epsilon <= MOST_EPSILON) or not 1e-12 <= delta <= 1e-2:
        raise RangeError(
            f"({epsilon:g}, {delta:g}) is no budget for differential privacy.",
            next_step="choose an epsilon of about 0.5 to 8, and a delta far below one over the"
            " number of rows, such as 1e-6.",
            case=25,
            stage="privacy",
        )


def fitting_noise(
    plan: ClippingPlan,
    epsilon: float,
    *,
    rate: int,
    rows: tuple[int, ...],
    slots: tuple[int, ...],
    steps: int,
    delta: float,
) -> float:
    """The least noise multiplier, in thousandths, with which training spends at most `epsilon`.

    Raises
    ------
    RangeError
        No noise up to 1000 times the sensitivity is enough (TC-1326).
    """
    checked_budget(epsilon, delta)

    def of(thousandths: int) -> float:
        return spent(
            plan,
            thousandths / STEPS_OF_NOISE,
            rate=rate,
            rows=rows,
            slots=slots,
            steps=steps,
            delta=delta,
        ).epsilon

    # Moments are quick and find a little too much noise; distributions then find the least.
    probability = rate / (1 << RATE_BITS)

    def surely(thousandths: int) -> bool:
        multiplier = thousandths / STEPS_OF_NOISE
        return _moments_epsilon(probability, steps, multiplier, 0.9 * delta) <= epsilon

    high = _least(surely, epsilon, delta)
    return _least(lambda thousandths: of(thousandths) <= epsilon, epsilon, delta, high)


def _moments_epsilon(rate: float, steps: int, multiplier: float, delta: float) -> float:
    """Epsilon by Renyi divergences of whole orders (Mironov, Talwar, Zhang 2019)."""
    best = inf
    for order in (*range(2, 33), 40, 48, 64, 96, 128, 192, 256):
        k = np.arange(order + 1)
        choices = np.array([lgamma(order + 1) - lgamma(i + 1) - lgamma(order - i + 1) for i in k])
        if rate < 1.0:
            logs = choices + k * log(rate) + (order - k) * log1p(-rate)
            logs += (k * k - k) / (2 * multiplier**2)
            moment = float(np.logaddexp.reduce(logs))
        else:
            moment = (order * order - order) / (2 * multiplier**2)
        best = min(best, (steps * moment - log(delta)) / (order - 1))
    return best


def _least(
    enough: Callable[[int], bool], epsilon: float, delta: float, at_most: float = 0.0
) -> float:
    """The least multiplier that is enough, up to a percent more; `at_most` may be known to be."""
    high = round(at_most * STEPS_OF_NOISE)
    if high and not enough(high):
        high = 0
    if not high:
        high = 600
        while not enough(high):
            high *= 2
            if high > MOST_NOISE:
                raise RangeError(
                    f"No noise is enough for ({epsilon:g}, {delta:g}) over so many steps.",
                    next_step="use a larger epsilon, fewer epochs, or a smaller batch.",
                    case=26,
                    stage="privacy",
                )
        low = 300 if high == 600 else high // 2
    else:
        low = high * 7 // 10
    while high - low > max(1, high // 100):
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high / STEPS_OF_NOISE


def plain_noise(epsilon: float, delta: float, draws: int, parts: int) -> tuple[float, Spent]:
    """Noise for numbers that one row moves by at most 1 in each of `parts` groups, once revealed.

    Some of them may have more fractional bits, and so noise of a larger deviation on a finer grid.

    Parameters
    ----------
    epsilon, delta : float
    draws : int
        How many numbers there are.
    parts : int

    Returns
    -------
    float
        The deviation, in thousandths.
    Spent
    """

    def of(thousandths: int) -> Spent:
        noise = gaussian_plan(thousandths / STEPS_OF_NOISE)
        effective = _effective(noise, sqrt(parts))
        finer = gaussian_plan(thousandths / STEPS_OF_NOISE * FINER)
        return _with_approximation(1.0, 1, effective, delta, _distance(draws, finer))

    def enough(thousandths: int) -> bool:
        return thousandths > 1700 and of(thousandths).epsilon <= epsilon

    deviation = _least(enough, epsilon, delta)
    return deviation, of(round(deviation * STEPS_OF_NOISE))


def epsilon_of_votes(sigma: float, classes: int, labels: int, delta: float) -> Spent:
    """What revealing `labels` noisy labels spends for one teacher's whole data: data independent.

    A teacher that changes its vote moves two counts by one: the sensitivity is sqrt(2), and the
    label is computed from the noisy counts (GNMax: Papernot, Song, Mironov, Raghunathan, Talwar,
    Erlingsson 2018). Nothing of the actual votes enters, so the number may be published.

    Parameters
    ----------
    sigma : float
        Deviation of the noise on each count, in votes.
    classes : int
    labels : int
        How many labels are revealed in all.
    delta : float
        In all.
    """
    noise = gaussian_plan(sigma)
    effective = _effective(noise, sqrt(2.0))
    return _with_approximation(1.0, labels, effective, delta, _distance(labels * classes, noise))


def vote_noise(epsilon: float, delta: float, classes: int, labels: int) -> float:
    """The least deviation, in thousandths of a vote, with which labels spend at most `epsilon`."""
    checked_budget(epsilon, delta)

    def enough(thousandths: int) -> bool:
        if thousandths <= 1700:
            return False
        found = epsilon_of_votes(thousandths / STEPS_OF_NOISE, classes, labels, delta)
        return found.epsilon <= epsilon

    return _least(enough, epsilon, delta)
