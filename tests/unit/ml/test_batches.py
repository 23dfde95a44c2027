"""Minibatches of horizontally held rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tacit.ml.batches import batch_count, batches


@given(
    rows=st.lists(st.integers(0, 200), min_size=3, max_size=3),
    size=st.integers(1, 64),
    epoch=st.integers(0, 3),
)
def test_every_row_of_every_owner_comes_once_an_epoch(
    rows: list[int], size: int, epoch: int
) -> None:
    parts = list(batches(rows, size, epoch, seed=7))
    assert len(parts) == batch_count(rows, size)
    for owner, count in enumerate(rows):
        seen = np.concatenate([part[owner] for part in parts] or [np.zeros(0, np.int64)])
        assert sorted(seen) == list(range(count))
    assert all(sum(map(len, part)) <= size for part in parts)
    assert all(sum(map(len, part)) == size for part in parts[:-1])


@pytest.mark.parametrize(("epoch", "seed"), [(1, 0), (0, 1)])
def test_epochs_and_seeds_have_orders_of_their_own(epoch: int, seed: int) -> None:
    first = np.concatenate([p[0] for p in batches([500, 0, 0], 50, 0, 0)])
    other = np.concatenate([p[0] for p in batches([500, 0, 0], 50, epoch, seed)])
    again = np.concatenate([p[0] for p in batches([500, 0, 0], 50, 0, 0)])
    assert (first == again).all()
    assert (first != other).any()
