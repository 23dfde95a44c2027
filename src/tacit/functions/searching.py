"""Extremes of rows, places among edges, and elements at secret positions.

Nothing is opened here; the number of rounds follows from the sizes. Extremes are tournaments of
log2 n levels; the rest compares every element with every edge at once.

Sources: tournaments and comparisons as in Catrina, de Hoogh (2010); a secret choice as a sum over
comparison bits, which is the usual linear scan, by parts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tacit.functions.comparison import (
    is_zero,
    is_zero_cost,
    less,
    less_cost,
    less_far,
    less_far_cost,
)
from tacit.functions.costs import Costs, in_sequence
from tacit.functions.permutations import positions
from tacit.protocols.interface import Party
from tacit.rounds.contract import Step
from tacit.rounds.cost import Declaration

__all__ = [
    "all_true",
    "all_true_cost",
    "among_edges",
    "among_edges_cost",
    "chosen_rows",
    "chosen_rows_cost",
    "equal_to_any",
    "equal_to_any_cost",
    "extremum",
    "extremum_cost",
    "one_hot",
    "one_hot_cost",
    "piece_of",
]

PIECE = 1 << 19
"""Comparisons under way at a time; more are made one piece after the other."""


def piece_of(lines: int, width: int) -> int:
    """How many lines of `width` comparisons are under way at a time."""
    return max(1, min(lines, PIECE // max(width, 1)))


# Extremes.


def extremum(
    party: Party, x: Any, *, largest: bool, with_index: bool = False
) -> Step[tuple[Any, Any]]:
    """The largest or smallest element of every row, and where it stands first.

    Parameters
    ----------
    party : Party
    x : arithmetic sharing, (rows, count)
        count >= 1; differences below 2^63.
    largest : bool
    with_index : bool
        Also give the position; of equal elements the first one's.

    Returns
    -------
    (arithmetic sharing, arithmetic sharing or None)
        (rows,) each. Exact.

    Notes
    -----
    Neighbours meet, the right one wins only if it is strictly better, and winners keep their
    order, so the first of equal elements wins. Rounds: ceil(log2 count) times a sign bit and an
    injection. Bytes: (count - 1) of each a row, two injections with the position.
    """
    value = x
    index: Any = positions(party, *x.shape) if with_index else None
    while value.shape[1] > 1:
        pairs = value.shape[1] // 2
        sides = [value[:, ::2][:, :pairs], value[:, 1::2]]
        change = party.subtract(sides[1], sides[0])
        better = yield from party.most_significant_bit(party.negate(change) if largest else change)
        kept, bits, changes = [sides[0]], [better], [change]
        if with_index:
            places = [index[:, ::2][:, :pairs], index[:, 1::2]]
            kept.append(places[0])
            bits.append(better)
            changes.append(party.subtract(places[1], places[0]))
        moved = yield from party.inject(
            party.concatenate_bits(bits) if with_index else better, party.concatenate(changes)
        )
        winners = party.add(party.concatenate(kept), moved)
        rows = x.shape[0]
        odd = value.shape[1] % 2
        value = _with_tail(party, winners[:rows], value, odd)
        if with_index:
            index = _with_tail(party, winners[rows:], index, odd)
    return value[:, 0], index[:, 0] if with_index else None


def _with_tail(party: Party, winners: Any, before: Any, odd: int) -> Any:
    return party.concatenate([winners, before[:, -1:]], 1) if odd else winners


def extremum_cost(costs: Costs, rows: int, count: int, *, with_index: bool = False) -> Declaration:
    """Of `extremum`."""
    parts: list[Declaration] = []
    while count > 1:
        size = rows * (count // 2)
        parts.append(costs["most_significant_bit"](size))
        parts.append(costs["inject"](size * (2 if with_index else 1)))
        count = (count + 1) // 2
    return in_sequence(*parts)


def all_true(party: Party, bits: Any) -> Step[Any]:
    """Whether all bits of every row are 1: (rows, count) to (rows,); 1 for empty rows.

    Rounds: ceil(log2 count). Bytes: count - 1 ANDs a row, packed.
    """
    rows, count = bits.shape
    if count == 0:
        return party.public_bits(np.ones(rows, np.uint8))
    while bits.shape[1] > 1:
        half = bits.shape[1] // 2
        left, right = _columns(bits, 0, half), _columns(bits, half, 2 * half)
        joined = yield from party.bitwise_and(left, right)
        if bits.shape[1] % 2:
            joined = party.concatenate_bits([joined, _columns(bits, 2 * half, 2 * half + 1)], 1)
        bits = joined
    return bits.map(lambda plain: plain[:, 0])


def _columns(bits: Any, start: int, stop: int) -> Any:
    return bits.map(lambda plain: plain[:, start:stop])


def all_true_cost(costs: Costs, rows: int, count: int) -> Declaration:
    """Of `all_true`."""
    parts: list[Declaration] = []
    while count > 1:
        parts.append(costs["bitwise_and"](rows * (count // 2)))
        count = (count + 1) // 2
    return in_sequence(*parts)


# Edges.


def among_edges(party: Party, edges: Any, x: Any, *, right: bool) -> Step[Any]:
    """How many edges lie below each element, or at it too if `right`.

    Parameters
    ----------
    party : Party
    edges : arithmetic sharing, or ndarray of ring elements, (m,)
        Need not be in order for the count to be right.
    x : arithmetic sharing, or ndarray of ring elements, (n,)
        One of them is a sharing.
    right : bool
        Count edges <= x instead of edges < x.

    Returns
    -------
    arithmetic sharing, (n,)
        Ring integers, exact for differences below 2^63; where one of them is public, always.

    Notes
    -----
    Rounds: a sign bit and a bit to arithmetic, again for every `PIECE` comparisons. Bytes: one
    of each for each of the m · n pairs. With public ring elements the sign bit is `less_far`.
    """
    far = isinstance(edges, np.ndarray) or isinstance(x, np.ndarray)
    m, n = edges.size, x.size
    total = party.public(np.zeros(n, np.int64))
    step = piece_of(m, n)
    for start in range(0, m, step):
        column = edges[start : start + step].reshape(-1, 1)
        shape = (column.size, n)
        spread = _broadcast(party, column, shape), _broadcast(party, x.reshape(1, n), shape)
        low, high = spread if not right else spread[::-1]
        below = yield from (less_far if far else less)(party, low, high)
        digits = yield from party.bit_to_arithmetic(party.invert(below) if right else below)
        total = party.add(total, party.sum(digits, 0))
    return total


def _broadcast(party: Party, x: Any, shape: tuple[int, ...]) -> Any:
    return np.broadcast_to(x, shape) if isinstance(x, np.ndarray) else party.broadcast(x, shape)


def among_edges_cost(costs: Costs, edges: int, size: int, *, far: bool = False) -> Declaration:
    """Of `among_edges`; `far` where one side is given as public ring elements."""
    step = piece_of(edges, size)
    parts: list[Declaration] = []
    for start in range(0, edges, step):
        pairs = min(step, edges - start) * size
        below = (less_far_cost if far else less_cost)(costs, pairs)
        parts += [below, costs["bit_to_arithmetic"](pairs)]
    return in_sequence(*parts)


def equal_to_any(party: Party, x: Any, values: Sequence[int]) -> Step[Any]:
    """Whether each element equals one of several *different* public ring integers.

    At most one equality holds, so their XOR is their OR. Rounds: those of one equality. Bytes:
    one equality an element and value.
    """
    n, m = x.size, len(values)
    column = party.ring.negate(party.ring.elements(list(values))).reshape(-1, 1)
    shifted = party.add_public(party.broadcast(x.reshape(1, n), (m, n)), column)
    equal = yield from is_zero(party, shifted)
    return equal.map(lambda plain: np.bitwise_xor.reduce(plain, axis=0))


def equal_to_any_cost(costs: Costs, size: int, values: int) -> Declaration:
    """Of `equal_to_any`."""
    return is_zero_cost(costs, size * values)


# Secret positions.


def one_hot(party: Party, x: Any, classes: int) -> Step[Any]:
    """For each of n integers one bit a class, (classes, n): all 0 outside 0 to classes - 1.

    [x = j] = [x < j + 1] XOR [x < j], so one step of classes + 1 sign bits an element gives all.
    Rounds: those of a sign bit.
    """
    thresholds = -np.arange(classes + 1).reshape(-1, 1)
    shifted = party.add_public(
        party.broadcast(x.reshape(1, x.size), (classes + 1, x.size)), thresholds
    )
    below = yield from party.most_significant_bit(shifted)
    return party.xor(below.map(lambda plain: plain[1:]), below.map(lambda plain: plain[:-1]))


def one_hot_cost(costs: Costs, size: int, classes: int) -> Declaration:
    """Of `one_hot`."""
    return costs["most_significant_bit"](size * (classes + 1))


def chosen_rows(party: Party, table: Any, index: Any) -> Step[Any]:
    """Rows of a table at secret positions, which are limited to its rows.

    By parts, with c_j = [index < j]: row(index) = row(m - 1) + Σ_j c_j (row(j - 1) - row(j)) for
    j = 1 … m - 1. Below 0 all c_j are 1, from m - 1 on all are 0.

    Parameters
    ----------
    party : Party
    table : arithmetic sharing or ndarray of ring elements, (m, width)
        Secret or public; m >= 1.
    index : arithmetic sharing, (n,)
        Ring integers below 2^62 in magnitude.

    Returns
    -------
    arithmetic sharing, (n, width)
        Exact.

    Notes
    -----
    Rounds: a sign bit, a bit to arithmetic, and a product where the table is secret; again for
    every `PIECE` comparisons. Bytes: n (m - 1) of the former two, n · width of the latter.
    """
    secret = not isinstance(table, np.ndarray)
    m, width = table.shape
    n = index.size
    if secret:
        last = party.broadcast(table[m - 1 :], (n, width))
        steps = party.subtract(table[: m - 1], table[1:])
    else:
        last = party.public(np.broadcast_to(table[m - 1], (n, width)))
        steps = party.ring.subtract(table[:-1], table[1:])
    if m == 1 or n == 0:
        return last
    found: list[Any] = []
    piece = piece_of(n, m - 1)
    for start in range(0, n, piece):
        rows = index[start : start + piece].reshape(-1, 1)
        shifted = party.add_public(party.broadcast(rows, (rows.size, m - 1)), -np.arange(1, m))
        below = yield from party.most_significant_bit(shifted)
        chosen = yield from party.bit_to_arithmetic(below)
        if secret:
            found.append((yield from party.matmul(chosen, steps)))
        else:
            found.append(chosen.map(lambda share: party.ring.matmul(share, steps)))
    return party.add(last, party.concatenate(found))


def chosen_rows_cost(
    costs: Costs, rows: int, width: int, size: int, *, secret: bool = True
) -> Declaration:
    """Of `chosen_rows`: `rows` of the table, `size` positions."""
    parts: list[Declaration] = []
    piece = piece_of(size, rows - 1)
    for start in range(0, size if rows > 1 else 0, piece):
        count = min(piece, size - start)
        pairs = count * (rows - 1)
        parts += [costs["most_significant_bit"](pairs), costs["bit_to_arithmetic"](pairs)]
        if secret:
            parts.append(costs["matmul"]((count, rows - 1), (rows - 1, width)))
    return in_sequence(*parts)
