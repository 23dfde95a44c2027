"""An owner's secret assignment of its rows to the teachers' shards.

PATE's guarantee (Papernot, Abadi, Erlingsson, Goodfellow, Talwar 2017) needs that one privacy unit
touches one teacher. An owner assigns its own units, by coins of its own; all rows of a unit go to
one shard. A shard has a public number of the owner's rows: what it has too many is left out, and
what it lacks is filled with more of its own rows, so that blanks are not needed. Whatever an owner
does wrong here weakens the guarantee of its own units alone.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tacit.errors import DataError

__all__ = ["assigned", "rows_a_shard"]

Indices = NDArray[np.int64]


def rows_a_shard(rows: int, teachers: int, most: int) -> int:
    """How many rows of an owner each shard has; public."""
    return min(most, rows // teachers)


def assigned(
    labels: NDArray[np.uint8],
    units: NDArray[np.int64] | None,
    teachers: int,
    size: int,
    *,
    balance: bool,
    owner: str,
    rng: np.random.Generator,
) -> Indices:
    """Which rows each shard has.

    Parameters
    ----------
    labels : (n,) uint8
    units : (n,) int64 or None
        The number of each row's unit; None: every row is one.
    teachers : int
    size : int
        Rows of a shard.
    balance : bool
        Whether a shard that has rows of both labels gets as many of either, some of them twice.
    owner : str
        For errors.
    rng : Generator
        Seeded by what nobody else knows.

    Returns
    -------
    (teachers, size) int64
        Row numbers; no unit in two shards.

    Raises
    ------
    DataError
        There are fewer units than teachers (TC-2121).
    """
    units = np.arange(len(labels)) if units is None else units
    _, number, counts = np.unique(units, return_inverse=True, return_counts=True)
    if len(counts) < teachers or size < 1:
        raise DataError(
            f"The file of {owner} has fewer privacy units than there are teachers, so its rows"
            " cannot be divided among them.",
            next_step="use fewer teachers, or a column with more values as --unit.",
            case=21,
            parties=[owner],
            stage="shards",
        )
    shard_of = _shards_of_units(counts, teachers, rng)[number]
    order = rng.permutation(len(labels))
    order = order[np.argsort(shard_of[order], kind="stable")]
    edges = np.searchsorted(shard_of[order], np.arange(teachers + 1))
    found = np.empty((teachers, size), np.int64)
    for shard in range(teachers):
        own = order[edges[shard] : edges[shard + 1]]
        found[shard] = _filled(own, labels[own], size, balance)
    return found


def _shards_of_units(counts: Indices, teachers: int, rng: np.random.Generator) -> Indices:
    """The shard of each unit: in random order to shards in turn, so that none is empty."""
    shards = np.empty(len(counts), np.int64)
    shards[rng.permutation(len(counts))] = np.arange(len(counts)) % teachers
    return shards


def _filled(own: Indices, labels: NDArray[np.uint8], size: int, balance: bool) -> Indices:
    """`size` rows of a shard's own, which come in random order."""
    positive, negative = own[labels == 1], own[labels == 0]
    if balance and positive.size and negative.size:
        half = size // 2
        return np.concatenate([np.resize(positive, half), np.resize(negative, size - half)])
    return np.resize(own, size)
