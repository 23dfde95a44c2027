"""Which rows of which owner make each minibatch: public, reproducible, the same everywhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from tacit.encoding.digest import tagged_hash

__all__ = ["batch_count", "batches"]

Rows = NDArray[np.int64]


def batch_count(rows: Sequence[int], batch_size: int) -> int:
    """Minibatches in an epoch; the last one may be smaller."""
    return -(-sum(rows) // batch_size)


def batches(
    rows: Sequence[int], batch_size: int, epoch: int, seed: int
) -> Iterator[tuple[Rows, ...]]:
    """The minibatches of one epoch over horizontally held rows.

    All rows of all owners are permuted together and cut into batches, so a batch holds rows of
    every owner in proportion to what it has, up to chance. The order depends on public numbers
    alone; nothing is credited to its randomness.

    Parameters
    ----------
    rows : sequence of int
        Training rows of each owner; public.
    batch_size : int
        Rows a batch.
    epoch, seed : int
        Make the permutation: NumPy's PCG64 seeded with a hash of both.

    Yields
    ------
    tuple of ndarray of int64
        For each owner, the indices of its rows in this batch.
    """
    digest = tagged_hash("batches", seed.to_bytes(16, "little", signed=True), b"%d" % epoch)
    order = np.random.default_rng(int.from_bytes(digest, "little")).permutation(sum(rows))
    edges = np.cumsum([0, *rows])
    for start in range(0, len(order), batch_size):
        batch = np.sort(order[start : start + batch_size])
        cuts = np.searchsorted(batch, edges)
        yield tuple(
            (batch[cuts[i] : cuts[i + 1]] - edges[i]).astype(np.int64) for i in range(len(rows))
        )
