"""Sorting by secret keys: stable, by several keys, along rows; selection of some ranks.

Rows are shuffled together with their positions; then the order of the shuffled rows is found by
opened comparisons (``ordering.py``), and the rest is local. Ties between equal keys are broken by
the secret original position, which makes the sort stable and, above all, makes the keys distinct:
what is opened is then a uniform permutation (``docs/decisions/0021-sorting.md``).

Sources: Hamada, Kikuchi, Ikarashi, Chida, Takahashi (2012) for comparison sorts after a shuffle;
Asharov et al. (2022) for the stable partition by one bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tacit.functions.costs import Costs, in_sequence
from tacit.functions.ordering import comparisons_cost, opened_order
from tacit.functions.permutations import (
    columns_of,
    positions,
    scattered,
    scattered_cost,
    stacked,
)
from tacit.protocols.interface import Party
from tacit.rounds.contract import Step
from tacit.rounds.cost import Declaration

__all__ = [
    "Key",
    "Sorted",
    "partitioned",
    "partitioned_cost",
    "shuffled",
    "sorted_bits",
    "sorted_bits_cost",
    "sorted_by",
    "sorted_by_cost",
    "words_of",
]


@dataclass(frozen=True, slots=True, eq=False)
class Key:
    """A column to sort by, ascending.

    Attributes
    ----------
    share : arithmetic sharing, (rows, count)
        Magnitudes below 2^62, or 2^(ring bits - 2).
    bits : int, optional
        Where every magnitude is below 2^bits by its type: narrow keys are compared together with
        what follows them, in one comparison instead of three.
    """

    share: Any
    bits: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Sorted:
    """What a sort gives.

    Attributes
    ----------
    columns : list of arithmetic sharing, (rows, wanted)
        The columns asked for, in ascending order of the keys.
    index : arithmetic sharing, (rows, wanted)
        Where in its row each element stood; None where not asked for.
    comparisons : tuple of int
        How many comparisons each batch held: public, and decided by the uniform order alone.
    """

    columns: list[Any]
    index: Any
    comparisons: tuple[int, ...]


def sorted_by(
    party: Party,
    keys: Sequence[Key],
    columns: Sequence[Any],
    *,
    with_index: bool = False,
    wanted: NDArray[np.bool_] | None = None,
) -> Step[Sorted]:
    """Every row's columns in the ascending order of its keys, stably.

    Parameters
    ----------
    party : Party
    keys : sequence of Key
        At least one, of equal shapes (rows, count); the first is the most significant.
    columns : sequence of arithmetic sharing, (rows, count)
        What is put in order; keys that are wanted in order are named here too.
    with_index : bool
        Also give each element's original position.
    wanted : ndarray of bool, (count,), optional
        The ranks asked for, all by default; others are found only as far as these need it.

    Returns
    -------
    Sorted

    Notes
    -----
    Every party learns the order of the shuffled rows, a uniform permutation, and nothing else.
    Keys of larger magnitude than stated compare wrongly, and the bits that are opened then depend
    on them.

    Rounds: 2, and for each level of ``plan_of`` those of a sign bit and an opening, one more for
    each word of the key but the last. Bytes: see :func:`sorted_by_cost`.
    """
    rows, count = keys[0].share.shape
    wanted = np.ones(count, np.bool_) if wanted is None else wanted
    index = positions(party, rows, count)
    words = words_of(party, keys, index)
    travelling = _distinct([*words, *columns, *([index] if with_index else [])])
    secret = party.permutation(rows, count)
    table = yield from party.permute(secret, stacked(party, travelling))
    mixed = {id(before): after for before, after in zip(travelling, columns_of(table), strict=True)}
    flat = [mixed[id(word)].map(lambda s: np.ascontiguousarray(s).reshape(-1)) for word in words]
    places, comparisons = yield from opened_order(party, flat, (rows, count), wanted)

    def in_order(column: Any) -> Any:
        return mixed[id(column)].map(lambda share: share.reshape(-1)[places])

    return Sorted(
        [in_order(column) for column in columns],
        in_order(index) if with_index else None,
        comparisons,
    )


def words_of(party: Party, keys: Sequence[Key], index: Any) -> list[Any]:
    """The keys and the position as few words that compare lexicographically. Local.

    Narrow keys are put above what follows them while the word stays below 2^(ring bits - 2).
    """
    room = party.ring.bits - 2
    words: list[Any] = []
    word, width = index, max(index.shape[1] - 1, 0).bit_length()
    for key in reversed(keys):
        if key.bits is not None and key.bits + 1 + width <= room:
            word = party.add(party.multiply_public(key.share, 1 << width), word)
            width += key.bits + 1
        else:
            words.insert(0, word)
            word, width = key.share, room if key.bits is None else key.bits + 1
    return [word, *words]


def _distinct(columns: Sequence[Any]) -> list[Any]:
    """Each sharing once."""
    return list({id(column): column for column in columns}.values())


def sorted_by_cost(
    costs: Costs, size: int, travelling: int, words: int, comparisons: Sequence[int]
) -> Declaration:
    """Of `sorted_by`.

    Parameters
    ----------
    costs : Costs
    size : int
        Rows times count.
    travelling : int
        Different columns: words of the key, columns, and the position if asked for.
    words : int
        Words of the key: one more than there are wide keys.
    comparisons : sequence of int
        As the sort reports them. How many there are follows from rows and count alone
        (``plan_of``), unless a batch is so large that it is cut.
    """
    return in_sequence(
        costs["permute"](size * travelling), comparisons_cost(costs, comparisons, words)
    )


def partitioned(
    party: Party, bits: Any, columns: Sequence[Any], *, with_index: bool = False
) -> Step[Sorted]:
    """Every row's columns in the order of one secret bit, zeros first, stably.

    The destination of element i is z_1 + … + z_i - 1 for a zero and (zeros in all) + b_1 + … + b_i
    - 1 for a one, with z = 1 - b (Asharov et al. 2022, protocol 4.2): prefix sums are local.

    Parameters
    ----------
    party : Party
    bits : Boolean sharing, (rows, count)
    columns : sequence of arithmetic sharing, (rows, count)
    with_index : bool
        Also give each element's original position.

    Notes
    -----
    Rounds: a bit to arithmetic, an injection, a permutation and an opening.
    """
    rows, count = bits.shape
    ones = yield from party.bit_to_arithmetic(bits)
    ring = party.ring
    up_to = ones.map(lambda share: ring.cumulative_sum(share, 1))
    among_zeros = party.subtract(positions(party, rows, count), up_to)
    zeros = party.add_public(party.negate(party.sum(ones, 1, keepdims=True)), count)
    among_ones = party.add_public(party.add(party.broadcast(zeros, up_to.shape), up_to), -1)
    moved = yield from party.inject(bits, party.subtract(among_ones, among_zeros))
    destination = party.add(among_zeros, moved)
    if with_index:
        columns = [*columns, positions(party, rows, count)]
    found = yield from scattered(party, destination, columns)
    index = found.pop() if with_index else None
    return Sorted(found, index, ())


def partitioned_cost(costs: Costs, size: int, columns: int) -> Declaration:
    """Of `partitioned`: `columns` with the position if asked for."""
    return in_sequence(
        costs["bit_to_arithmetic"](size),
        costs["inject"](size),
        scattered_cost(costs, size, columns),
    )


def sorted_bits(party: Party, bits: Any) -> Step[Any]:
    """Every row's bits, zeros first: place j holds a one where ones + j - count >= 0.

    Rounds: a bit to arithmetic and a sign bit.
    """
    rows, count = bits.shape
    ones = yield from party.bit_to_arithmetic(bits)
    total = party.broadcast(party.sum(ones, 1, keepdims=True), (rows, count))
    reach = party.add_public(total, np.arange(count) - count)
    return party.invert((yield from party.most_significant_bit(reach)))


def sorted_bits_cost(costs: Costs, size: int) -> Declaration:
    """Of `sorted_bits`."""
    return in_sequence(costs["bit_to_arithmetic"](size), costs["most_significant_bit"](size))


def shuffled(party: Party, x: Any) -> Step[Any]:
    """Every row of (rows, count, …) in an order that nobody knows. One permutation."""
    rows, count = x.shape[:2]
    return (yield from party.permute(party.permutation(rows, count), x))
