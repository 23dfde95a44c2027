"""Softmax over a few classes in few rounds: the largest by all pairs, then a bounded quotient.

Used by training, where a row has a handful of classes and rounds are what costs:

1. The largest of up to 16 numbers: all pairs compare at once, a class wins if it wins all its
   comparisons (an AND tree over bits), and the winner's number is injected. More numbers: groups
   of 16, then the winners. Ties go to the class that comes first, so there is one winner.
2. exp of what each number is below it: at most 1 (``exponential.py``).
3. The sum s lies in [1, k], which is public: no normalisation by the leading bit. The best
   quadratic for 1/s there, with relative error e_0 = 1 / T_3((k + 1) / (k - 1)) (T_3 Chebyshev's
   polynomial), starts Goldschmidt's iteration (Goldschmidt 1964), whose first product is already
   the numerator's: N (1 + e) (1 + e^2) (1 + e^4) … with e = 1 - s r_0.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import acosh, cosh, floor, log2
from typing import Any

import numpy as np

from tacit.functions.approximation import scaled_integer
from tacit.functions.costs import NOTHING, Costs, in_sequence, side_by_side
from tacit.functions.division import divide, divide_cost
from tacit.functions.domains import require_fraction_bits
from tacit.functions.exponential import exp, exp_cost
from tacit.functions.polynomials import sum_truncate
from tacit.protocols.interface import Party
from tacit.rounds.combine import together
from tacit.rounds.contract import Step
from tacit.rounds.cost import Declaration

__all__ = [
    "class_probabilities",
    "class_probabilities_cost",
    "largest_by_row",
    "largest_by_row_cost",
]

GROUP = 16
"""So many numbers are compared pair by pair."""

SCALE = 24
"""Fractional bits inside the quotient."""

START_SCALE = 18
"""Fractional bits of the sum where the iteration starts."""

MOST_CLASSES = 128
"""More classes than this take a division by any secret: their sum is no small number."""

QUOTIENT_ERROR = 2.0**-17
"""The iteration goes on until the quotient's relative error is below this."""


def class_probabilities(party: Party, scores: Any, fraction_bits: int) -> Step[Any]:
    """exp(z_c) / Σ exp(z_j) in every row.

    Parameters
    ----------
    party : Party
    scores : arithmetic sharing, (n, k)
        f = `fraction_bits` fractional bits; scores of a row differ by less than 2^(61 - f).
    fraction_bits : int
        12 to 24.

    Returns
    -------
    arithmetic sharing, (n, k)
        f fractional bits. Absolute error at most 6e-4 and 3 units in the last place.

    Notes
    -----
    Rounds: `largest_by_row`, `exp` and about five truncated products (47 for `replicated3` and
    10 classes). Nothing is revealed.
    """
    require_fraction_bits("class_probabilities", fraction_bits)
    rows, classes = scores.shape
    if classes == 1:
        return party.public(np.full(scores.shape, 1 << fraction_bits, np.int64))
    largest = yield from largest_by_row(party, scores)
    below = party.subtract(scores, party.broadcast(largest.reshape(rows, 1), scores.shape))
    powers = yield from exp(party, below, fraction_bits)
    return (yield from _normalised(party, powers, fraction_bits))


def class_probabilities_cost(
    costs: Costs, rows: int, classes: int, fraction_bits: int = 18
) -> Declaration:
    """Of `class_probabilities`."""
    if classes == 1:
        return NOTHING
    return in_sequence(
        largest_by_row_cost(costs, rows, classes),
        exp_cost(costs, rows * classes, fraction_bits),
        _normalised_cost(costs, rows, classes, fraction_bits),
    )


# Step 1.


def largest_by_row(party: Party, x: Any) -> Step[Any]:
    """The largest number of every row, exact.

    Parameters
    ----------
    party : Party
    x : arithmetic sharing, (n, k)
        Numbers of a row differ by less than 2^63 in the ring; k >= 1.

    Returns
    -------
    arithmetic sharing, (n,)

    Notes
    -----
    Rounds for k <= 16: a sign bit, ceil(log2(k - 1)) ANDs, an injection (13 for `replicated3`
    and 10 classes). Bytes: k (k - 1) / 2 sign bits, about k^2 ANDs and k injections a row.
    """
    while x.shape[1] > 1:
        x = yield from _round_of_groups(party, x)
    return x.map(lambda share: share[:, 0])


def _groups(columns: int) -> tuple[int, int]:
    """How many groups of how many columns, the last one filled up with its last column."""
    count = -(-columns // GROUP)
    return count, -(-columns // count)


def _round_of_groups(party: Party, x: Any) -> Step[Any]:
    rows, columns = x.shape
    count, width = _groups(columns)
    index = np.minimum(np.arange(count * width), columns - 1)
    grouped = x.map(lambda share: share[:, index].reshape(rows * count, width).T.copy())
    first, second = np.triu_indices(width, 1)
    difference = grouped.map(lambda share: share[first] - share[second])
    # loses[p]: the first of pair p is below the second.
    loses = yield from party.most_significant_bit(difference)
    wins = yield from _all_won(party, loses, width)
    chosen = yield from party.inject(wins, grouped)
    return party.sum(chosen, axis=0).map(lambda share: share.reshape(rows, count))


def _all_won(party: Party, loses: Any, width: int) -> Step[Any]:
    """For every column whether it won all of its comparisons, (width, n)."""
    first, second = np.triu_indices(width, 1)
    place = np.zeros((width, width), np.intp)
    flip = np.zeros((width, width - 1), np.uint8)
    place[first, second] = place[second, first] = np.arange(first.size)
    order = np.array([[place[c, o] for o in range(width) if o != c] for c in range(width)])
    for column in range(width):
        flip[column, column:] = 1  # against later columns it is the first of the pair
    size = loses.shape[1]
    bits = loses.map(lambda plain: plain[order])
    bits = party.xor_public(bits, np.broadcast_to(flip[:, :, None], (width, width - 1, size)))
    left = width - 1
    while left > 1:
        half = left // 2
        low = bits.map(lambda plain, half=half: plain[:, :half])
        high = bits.map(lambda plain, half=half: plain[:, half : 2 * half])
        both = yield from party.bitwise_and(low, high)
        if left % 2:
            rest = bits.map(lambda plain, left=left: plain[:, left - 1 :])
            both = party.concatenate_bits([both, rest], axis=1)
        bits, left = both, half + left % 2
    return bits.reshape(width, size)


def largest_by_row_cost(costs: Costs, rows: int, columns: int) -> Declaration:
    """Of `largest_by_row`."""
    parts = []
    while columns > 1:
        count, width = _groups(columns)
        size = rows * count
        parts.append(costs["most_significant_bit"](size * width * (width - 1) // 2))
        left = width - 1
        while left > 1:
            parts.append(costs["bitwise_and"](size * width * (left // 2)))
            left = left // 2 + left % 2
        parts.append(costs["inject"](size * width))
        columns = count
    return in_sequence(*parts)


# Step 3.


@dataclass(frozen=True, slots=True)
class _Start:
    """r_0 = slope (s - vertex)^2 + intercept on [1, k], and how often to iterate."""

    vertex: float
    slope: float
    intercept: float
    steps: int


def _start(classes: int) -> _Start:
    """1 - s r_0(s) = T_3(y) / T_3(y_0) with y = (2s - k - 1) / (k - 1) and y_0 its value at 0."""
    middle, half = (classes + 1) / 2, (classes - 1) / 2
    top = cosh(3 * acosh(middle / half))
    # T_3(y) = 4 y^3 - 3 y, y = (s - m) / h, and -T_3(y_0) = top:
    # r_0 = (1 + T_3(y) / top) / s = (4 s^2 - 12 m s + 12 m^2 - 3 h^2) / (h^3 top).
    unit = half**3 * top
    steps, error = 1, 1 / top**2
    while error > QUOTIENT_ERROR:
        steps, error = steps + 1, error**2
    return _Start(1.5 * middle, 4 / unit, (3 * middle**2 - 3 * half**2) / unit, steps)


def _slope_bits(slope: float) -> int:
    """Fractional bits of the slope, which is at most 0.33: about twelve significant ones.

    slope (s - vertex)^2 is below 2, so the product fits with 2 · 18 + 24 bits.
    """
    return min(24, 12 - floor(log2(slope)))


def _normalised(party: Party, powers: Any, fraction_bits: int) -> Step[Any]:
    """Numbers of a row over their sum, which lies in [1, k] up to rounding."""
    rows, classes = powers.shape
    total = party.sum(powers, axis=1)
    if classes > MOST_CLASSES:
        every = party.broadcast(total.reshape(rows, 1), powers.shape)
        return (yield from divide(party, powers, every, fraction_bits))
    start = _start(classes)
    bits = _slope_bits(start.slope)
    rough = total
    if fraction_bits > START_SCALE:
        rough = yield from party.truncate(total, fraction_bits - START_SCALE)
    elif fraction_bits < START_SCALE:
        rough = party.multiply_public(total, 1 << (START_SCALE - fraction_bits))
    difference = party.add_public(rough, -scaled_integer(start.vertex, START_SCALE))
    sloped = party.multiply_public(difference, scaled_integer(start.slope, bits))
    square = yield from party.multiply_truncate(difference, sloped, 2 * START_SCALE + bits - SCALE)
    reciprocal = party.add_public(square, scaled_integer(start.intercept, SCALE))
    wide = party.broadcast(reciprocal.reshape(rows, 1), powers.shape)
    product, quotient = yield from together(
        party.multiply_truncate(total, reciprocal, fraction_bits),
        party.multiply_truncate(powers, wide, fraction_bits),
    )
    error = party.add_public(party.negate(product), 1 << SCALE)
    for step in range(start.steps):
        factor = party.broadcast(error.reshape(rows, 1), powers.shape)
        linear = party.multiply_public(quotient, 1 << SCALE)
        last = step == start.steps - 1
        drops = 2 * SCALE - fraction_bits if last else SCALE
        grown = sum_truncate(party, [(quotient, factor)], linear, drops)
        if last:
            return (yield from grown)
        quotient, error = yield from together(grown, party.multiply_truncate(error, error, SCALE))
    raise AssertionError("at least one step")


def _normalised_cost(costs: Costs, rows: int, classes: int, fraction_bits: int) -> Declaration:
    size = rows * classes
    if classes > MOST_CLASSES:
        return divide_cost(costs, size, fraction_bits)
    start = _start(classes)
    product = costs["multiply_truncate"]
    parts = [
        product(rows, 2 * START_SCALE + _slope_bits(start.slope) - SCALE),
        side_by_side(product(rows, fraction_bits), product(size, fraction_bits)),
    ]
    if fraction_bits > START_SCALE:
        parts.insert(0, costs["truncate"](rows, fraction_bits - START_SCALE))
    between = side_by_side(costs["sum_products_truncate"](size, SCALE), product(rows, SCALE))
    parts += [between] * (start.steps - 1)
    parts.append(costs["sum_products_truncate"](size, 2 * SCALE - fraction_bits))
    return in_sequence(*parts)
