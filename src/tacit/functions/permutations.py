"""Secret permutations given by secret positions: applied, inverted, composed.

A sharing of positions p, each of 0 to n - 1 once in a row, is shuffled and opened: what is opened
is p in a uniform order, which says nothing of p (Asharov, Hamada, Ikarashi, Kikuchi, Nof, Pinkas,
Takahashi, Tomida 2022, section 4.1, after Laur, Willemson, Zhang 2011). The positions must be a
permutation by construction; otherwise their multiset is opened.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tacit.functions.costs import Costs, in_sequence
from tacit.protocols.interface import Party
from tacit.rounds.contract import Step
from tacit.rounds.cost import Declaration

__all__ = [
    "columns_of",
    "gathered",
    "gathered_cost",
    "positions",
    "scattered",
    "scattered_cost",
    "stacked",
]


def stacked(party: Party, columns: Sequence[Any]) -> Any:
    """Columns (rows, count) side by side, (rows, count, columns): they travel together."""
    return party.concatenate([c.reshape(*c.shape, 1) for c in columns], 2)


def columns_of(table: Any) -> list[Any]:
    """The columns of a table made by :func:`stacked`."""
    return [table[..., k] for k in range(table.shape[2])]


def positions(party: Party, rows: int, count: int) -> Any:
    """0 to count - 1 in every row, as a sharing. Local."""
    return party.public(np.tile(np.arange(count), (rows, 1)))


def scattered(party: Party, destination: Any, columns: Sequence[Any]) -> Step[list[Any]]:
    """y with y[destination[i]] = x[i] for each column x, row by row.

    Parameters
    ----------
    party : Party
    destination : arithmetic sharing, (rows, count)
        A permutation of 0 to count - 1 in every row.
    columns : sequence of arithmetic sharing, (rows, count)

    Returns
    -------
    list of arithmetic sharing
        With the positions themselves as a column this is the inverse permutation.

    Notes
    -----
    One permutation of the columns and the destination, one opening.
    """
    rows, count = destination.shape
    secret = party.permutation(rows, count)
    table = yield from party.permute(secret, stacked(party, [destination, *columns]))
    mixed, *rest = columns_of(table)
    opened = yield from _opened(party, mixed)
    order = np.argsort(opened, axis=1)
    return [_taken(party, column, order) for column in rest]


def gathered(party: Party, source: Any, columns: Sequence[Any]) -> Step[list[Any]]:
    """y with y[i] = x[source[i]] for each column x, row by row.

    Parameters
    ----------
    party : Party
    source : arithmetic sharing, (rows, count)
        A permutation of 0 to count - 1 in every row.
    columns : sequence of arithmetic sharing, (rows, count)

    Returns
    -------
    list of arithmetic sharing
        With a permutation as a column this is the composition.

    Notes
    -----
    One permutation of the source, one opening, one permutation back of the columns.
    """
    rows, count = source.shape
    secret = party.permutation(rows, count)
    mixed = yield from party.permute(secret, source)
    opened = yield from _opened(party, mixed)
    taken = [_taken(party, column, opened) for column in columns]
    table = yield from party.permute(secret, stacked(party, taken), inverse=True)
    return columns_of(table)


def _opened(party: Party, x: Any) -> Step[Any]:
    elements = yield from party.reveal(x, tuple(range(party.size)))
    assert elements is not None
    return party.ring.integers(np.ascontiguousarray(elements)).astype(np.int64).reshape(x.shape)


def _taken(party: Party, column: Any, order: Any) -> Any:
    """Every row's elements at public positions, which need not be valid where they are wrong."""
    places = np.clip(order, 0, max(column.shape[1] - 1, 0))
    return column.map(lambda share: np.take_along_axis(share, places, 1))


def scattered_cost(costs: Costs, size: int, columns: int, parties: int = 3) -> Declaration:
    """Of `scattered`: `size` elements a column."""
    return in_sequence(
        costs["permute"]((1 + columns) * size), costs["reveal"](size, tuple(range(parties)))
    )


def gathered_cost(costs: Costs, size: int, columns: int, parties: int = 3) -> Declaration:
    """Of `gathered`: `size` elements a column."""
    return in_sequence(
        costs["permute"](size),
        costs["reveal"](size, tuple(range(parties))),
        costs["permute"](columns * size),
    )
