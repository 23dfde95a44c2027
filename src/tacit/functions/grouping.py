"""Counts and sums by group: public intervals, or groups that are as secret as their number.

Public groups compare every element with every threshold at once. Secret groups are sorted, summed
up to each group's end by prefix sums, and the ends are put in front by a stable partition, as in
Asharov, Hamada, Ikarashi, Kikuchi, Nof, Pinkas, Takahashi, Tomida (2022), section 5.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tacit.functions.comparison import (
    below_public,
    below_public_cost,
    is_zero,
    is_zero_cost,
)
from tacit.functions.costs import Costs, in_sequence, side_by_side
from tacit.functions.permutations import positions
from tacit.functions.searching import all_true, all_true_cost, piece_of
from tacit.functions.sorting import (
    Key,
    partitioned,
    partitioned_cost,
    sorted_bits,
    sorted_bits_cost,
    sorted_by,
    sorted_by_cost,
)
from tacit.protocols.interface import Party
from tacit.rounds.combine import together
from tacit.rounds.contract import Step
from tacit.rounds.cost import Declaration

__all__ = ["Groups", "grouped", "grouped_cost", "totals_between", "totals_between_cost"]


def totals_between(
    party: Party, x: Any, thresholds: Sequence[int], weights: Any = None
) -> Step[Any]:
    """How many elements, or how much weight, lies between each two thresholds.

    Parameters
    ----------
    party : Party
    x : arithmetic sharing, (n,)
        |x - t| < 2^63 for every threshold t, unless one is beyond 2^62.
    thresholds : sequence of int
        k + 1 ring integers in ascending order.
    weights : arithmetic sharing, (n, width), optional

    Returns
    -------
    arithmetic sharing, (k,) or (k, width)
        Σ over t_j <= x < t_(j+1) of 1, or of the weights. Exact in the ring.

    Notes
    -----
    Rounds: a sign bit, a bit to arithmetic, and a product with weights; again for every ``PIECE``
    comparisons. Bytes: (k + 1) n of the former two, (k + 1) width of the latter.
    """
    n, k = x.size, len(thresholds) - 1
    shape = (k + 1,) if weights is None else (k + 1, weights.shape[1])
    below = party.public(np.zeros(shape, np.int64))
    step = piece_of(n, k + 1)
    for start in range(0, n, step):
        part = x[start : start + step]
        signs = yield from below_public(party, part, thresholds)
        digits = yield from party.bit_to_arithmetic(signs)
        if weights is None:
            total = party.sum(digits, 1)
        else:
            total = yield from party.matmul(digits, weights[start : start + step])
        below = party.add(below, total)
    return party.subtract(below[1:], below[:-1])


def totals_between_cost(
    costs: Costs, size: int, intervals: int, width: int | None = None, *, far: bool = False
) -> Declaration:
    """Of `totals_between`; `width` of the weights, None without; `far` as in `below_public`."""
    step = piece_of(size, intervals + 1)
    parts: list[Declaration] = []
    for start in range(0, size, step):
        count = min(step, size - start)
        parts.append(below_public_cost(costs, count, intervals + 1, far=far))
        parts.append(costs["bit_to_arithmetic"](count * (intervals + 1)))
        if width is not None:
            parts.append(costs["matmul"]((intervals + 1, count), (count, width)))
    return in_sequence(*parts)


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """One place for each group, ascending, and zeros in the places that are left.

    Attributes
    ----------
    keys, sums : list of arithmetic sharing, (n,)
    counts : arithmetic sharing, (n,)
    valid : Boolean sharing, (n,)
        1 in the places of groups.
    comparisons : tuple of int
        As the sort reports them.
    """

    keys: list[Any]
    sums: list[Any]
    counts: Any
    valid: Any
    comparisons: tuple[int, ...]


def grouped(party: Party, keys: Sequence[Key], values: Sequence[Any]) -> Step[Groups]:
    """Count and sum by secret keys; also how many groups there are stays secret.

    Parameters
    ----------
    party : Party
    keys : sequence of Key
        (1, n), n >= 1; equal where all are equal.
    values : sequence of arithmetic sharing, (1, n)

    Notes
    -----
    1. Sort by the keys. 2. A group ends where a key differs from the next row's. 3. Prefix sums
    of ones and values. 4. Ends first, stably: neighbours' differences are the groups' totals.
    5. Zero where there is no group. Exact in the ring. Rounds: those of the sort, an
    equality, ceil(log2 keys), a partition beside a sort of bits, an injection.
    """
    count = keys[0].share.shape[1]
    shares = [key.share for key in keys]
    found = yield from sorted_by(party, keys, [*shares, *values])
    sorted_keys, sorted_values = found.columns[: len(keys)], found.columns[len(keys) :]
    ends = yield from _ends(party, sorted_keys)
    ring = party.ring
    up_to = [value.map(lambda share: ring.cumulative_sum(share, 1)) for value in sorted_values]
    place = party.add_public(positions(party, 1, count), 1)
    inside = party.invert(ends)
    front, later = yield from together(
        partitioned(party, inside, [*sorted_keys, place, *up_to]), sorted_bits(party, inside)
    )
    valid = party.invert(later)
    columns = [
        *front.columns[: len(keys)],
        *(_differences(party, column) for column in front.columns[len(keys) :]),
    ]
    kept = yield from party.inject(
        party.concatenate_bits([valid] * len(columns)), party.concatenate(columns)
    )
    rows = [kept[k] for k in range(len(columns))]
    return Groups(
        rows[: len(keys)],
        rows[len(keys) + 1 :],
        rows[len(keys)],
        valid.map(lambda plain: plain[0]),
        found.comparisons,
    )


def _ends(party: Party, keys: Sequence[Any]) -> Step[Any]:
    """Whether the next row has another key, (1, n); 1 for the last row."""
    count = keys[0].shape[1]
    change = party.concatenate([party.subtract(key[:, 1:], key[:, :-1]) for key in keys])
    same = yield from is_zero(party, change)
    same = yield from all_true(party, same.map(np.transpose))
    last = party.public_bits(np.ones(1, np.uint8))
    ends = party.concatenate_bits([party.invert(same), last])
    return ends.reshape(1, count)


def _differences(party: Party, column: Any) -> Any:
    first, rest = column[:, :1], party.subtract(column[:, 1:], column[:, :-1])
    return party.concatenate([first, rest], 1)


def grouped_cost(
    costs: Costs, count: int, keys: int, values: int, words: int, comparisons: Sequence[int]
) -> Declaration:
    """Of `grouped` by `keys` wide keys (`words` of the sort is then keys + 1)."""
    columns = keys + 1 + values
    return in_sequence(
        sorted_by_cost(costs, count, words + values, words, comparisons),
        is_zero_cost(costs, keys * (count - 1)),
        all_true_cost(costs, count - 1, keys),
        side_by_side(partitioned_cost(costs, count, columns), sorted_bits_cost(costs, count)),
        costs["inject"](columns * count),
    )
