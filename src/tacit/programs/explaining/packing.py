"""Several small numbers packed into one: x + 10 y tells both digits.

A weighted sum of whole numbers within bounds can be cut between two weights if what stands below
cannot reach the greatest common divisor of the weights above: the rest of a division by it is the
lower part, and what is left the upper one. Weights that grow faster than they can add up (a
superincreasing sequence), fields of 2^k and digits of any base are cut everywhere; a person in
high digits over a sum in low ones is found, too. Other weights may be taken apart as well, by
search; that is not looked for.
"""

from __future__ import annotations

from math import gcd

import numpy as np
from numpy.typing import NDArray

__all__ = ["segments_of"]

_TINY = 1e-9
_EXACT = 2.0**62


def segments_of(
    weights: NDArray[np.float64],
    units: NDArray[np.float64],
    ranges: NDArray[np.float64],
    least: float = 0.0,
) -> list[NDArray[np.int64]]:
    """The parts that a weighted sum can be taken apart into; one if it cannot be.

    Parameters
    ----------
    weights : ndarray
        Not zero.
    units : ndarray
        What each number is a multiple of.
    ranges : ndarray
        How far apart two values of each number can be; infinite if that is not known.
    least : float
        What the sum itself is rounded to: smaller steps are lost in it.

    Returns
    -------
    list of ndarray
        Places of the weights, the smallest weights first.
    """
    steps, reaches = np.abs(weights) * units, np.abs(weights) * ranges
    order = np.argsort(steps, kind="stable")
    found: list[NDArray[np.int64]] = []
    parts = [(0, order.size)]
    while parts:
        first, end = parts.pop()
        cut = _cut(steps[order[first:end]], reaches[order[first:end]], least)
        if cut:
            parts += [(first + cut, end), (first, first + cut)]
        else:
            found.append(order[first:end])
    return found


def _cut(steps: NDArray[np.float64], reaches: NDArray[np.float64], least: float) -> int:
    """The highest place where ascending weights can be cut; 0 if there is none."""
    below = np.cumsum(reaches)
    common = 0.0
    for place in range(steps.size - 1, 0, -1):
        common = _common(common, float(steps[place]))
        if not common or steps[place] < least:
            return 0
        if common > below[place - 1] * (1 + _TINY):
            return place
    return 0


def _common(one: float, other: float) -> float:
    """The greatest common divisor of two numbers; 0 if none is seen."""
    if not one:
        return other
    large, small = max(one, other), min(one, other)
    if not small:
        return 0.0
    ratio = large / small
    if abs(ratio - round(ratio)) <= _TINY * ratio:
        return small
    if one.is_integer() and other.is_integer() and large < _EXACT:
        return float(gcd(int(one), int(other)))
    return 0.0
