"""Softmax over a few classes in few rounds: the largest by all pairs, then a bounded quotient.

Used by training, where a row has a handful of classes and rounds are what costs:

1. The largest of up to 16 numbers: all pairs compare at once, a class wins if it wins all its
   comparisons (an AND tree over bits), and the winner's number is injected. More numbers: groups
   of 16, then the winners. Ties go to the class that comes first, so there is one winner.
2. exp of what each number is below it: at most 1 (``exponential.py``).
3. The sum lies in [1, k] for k classes: a quotient by a divisor of known size
   (``bounded_division.py``).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tacit.functions.bounded_division import quotients_by_row, quotients_by_row_cost
from tacit.functions.costs import NOTHING, Costs, in_sequence
from tacit.functions.domains import require_fine
from tacit.functions.exponential import exp_nonpositive, exp_nonpositive_cost
from tacit.protocols.interface import Party
from tacit.rounds.contract import Step
from tacit.rounds.cost import Declaration

__all__ = [
    "class_probabilities",
    "class_probabilities_cost",
    "class_winners",
    "class_winners_cost",
    "largest_by_row",
    "largest_by_row_cost",
]

GROUP = 16
"""So many numbers are compared pair by pair."""


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
    Rounds: `largest_by_row`, `exp_nonpositive` and about six truncated products (47 for
    `replicated3` and 10 classes). Nothing is revealed.
    """
    require_fine("class_probabilities", fraction_bits, party.ring.bits)
    rows, classes = scores.shape
    if classes == 1:
        return party.public(np.full(scores.shape, 1 << fraction_bits, np.int64))
    largest = yield from largest_by_row(party, scores)
    below = party.subtract(scores, party.broadcast(largest.reshape(rows, 1), scores.shape))
    powers = yield from exp_nonpositive(party, below, fraction_bits)
    total = party.sum(powers, axis=1)
    return (yield from quotients_by_row(party, powers, total, classes, fraction_bits))


def class_probabilities_cost(
    costs: Costs, rows: int, classes: int, fraction_bits: int = 18
) -> Declaration:
    """Of `class_probabilities`."""
    if classes == 1:
        return NOTHING
    return in_sequence(
        largest_by_row_cost(costs, rows, classes),
        exp_nonpositive_cost(costs, rows * classes, fraction_bits),
        quotients_by_row_cost(costs, rows, classes, classes, fraction_bits),
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
    difference = party.subtract(grouped[first], grouped[second])
    # loses[p]: the first of pair p is below the second.
    loses = yield from party.most_significant_bit(difference)
    wins = yield from _all_won(party, loses, width)
    chosen = yield from party.inject(wins, grouped)
    return party.sum(chosen, axis=0).map(lambda share: share.reshape(rows, count))


def _all_won(party: Party, loses: Any, width: int) -> Step[Any]:
    """For every column whether it won all of its comparisons, (width, n).

    A plane of bits a comparison: which comparisons meet is then a matter of planes, not of bits.
    """
    pairs, rows = loses.shape
    padded = -(-rows // 64) * 64
    if padded > rows:
        loses = loses.map(lambda plain: np.pad(plain, ((0, 0), (0, padded - rows))))
    below = loses.reshape(pairs, padded).rows_as_planes()
    planes = party.stack_planes([below, party.invert(below)])
    left = [planes.plane((side, place)) for side, place in _comparisons(width)]
    while len(left) > 1:
        half = len(left) // 2
        both = yield from party.bitwise_and(
            party.stack_planes(left[:half]), party.stack_planes(left[half : 2 * half])
        )
        left = [*(both.plane(k) for k in range(half)), *left[2 * half :]]
    won = left[0].planes_as_rows()
    return won if padded == rows else won.map(lambda plain: plain[:, :rows])


def _comparisons(width: int) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """For every column its first comparison with another, its second, …: (side, place) each.

    At place k of side 0 stands that the first column of pair k is below the second, so that the
    second wins; on side 1 that it is not, so that the first does.
    """
    first, second = np.triu_indices(width, 1)
    place, side = np.zeros((2, width, width), np.intp)
    place[first, second] = place[second, first] = np.arange(first.size)
    side[first, second] = 1
    others = ~np.eye(width, dtype=np.bool_)
    by_column = (part[others].reshape(width, width - 1).T for part in (side, place))
    return zip(*by_column, strict=True)


def class_winners(party: Party, scores: Any) -> Step[Any]:
    """For every row a 1 at its largest number, the first of several, and 0 elsewhere.

    Parameters
    ----------
    party : Party
    scores : arithmetic sharing, (n, k)
        Numbers of a row differ by less than 2^63 in the ring; k >= 1.

    Returns
    -------
    arithmetic sharing, (n, k)
        Ring integers 0 and 1. Exact.

    Notes
    -----
    Rounds: a sign bit, ceil(log2(k - 1)) ANDs, a bit to arithmetic. Bytes: k (k - 1) / 2 sign
    bits a row, however many classes there are.
    """
    _rows, width = scores.shape
    if width == 1:
        return party.public(np.ones(scores.shape, np.int64))
    first, second = np.triu_indices(width, 1)
    columns = scores.map(lambda share: share.T.copy())
    difference = party.subtract(columns[first], columns[second])
    loses = yield from party.most_significant_bit(difference)
    wins = yield from _all_won(party, loses, width)
    digits = yield from party.bit_to_arithmetic(wins)
    return digits.map(lambda share: share.T)


def class_winners_cost(costs: Costs, rows: int, classes: int) -> Declaration:
    """Of `class_winners`."""
    if classes == 1:
        return NOTHING
    parts = [costs["most_significant_bit"](rows * classes * (classes - 1) // 2)]
    left = classes - 1
    while left > 1:
        parts.append(costs["bitwise_and"](rows, classes * (left // 2)))
        left = left // 2 + left % 2
    return in_sequence(*parts, costs["bit_to_arithmetic"](rows * classes))


def largest_by_row_cost(costs: Costs, rows: int, columns: int) -> Declaration:
    """Of `largest_by_row`."""
    parts = []
    while columns > 1:
        count, width = _groups(columns)
        size = rows * count
        parts.append(costs["most_significant_bit"](size * width * (width - 1) // 2))
        left = width - 1
        while left > 1:
            parts.append(costs["bitwise_and"](size, width * (left // 2)))
            left = left // 2 + left % 2
        parts.append(costs["inject"](size * width))
        columns = count
    return in_sequence(*parts)
