"""Which of an owner's rows are held out for testing: fixed by a public seed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tacit.encoding.digest import tagged_hash
from tacit.errors import DataError, UsageError

__all__ = ["public_generator", "split"]


def public_generator(purpose: str, seed: int, *context: str) -> np.random.Generator:
    """A generator that everybody can repeat: seeds nothing secret.

    Parameters
    ----------
    purpose : str
        What for, a constant in the code.
    seed : int
        The public seed, 0 to 2^64 - 1.
    *context : str
        Names that give streams of their own, such as the owner's.
    """
    if not 0 <= seed < 1 << 64:
        raise UsageError(
            "The seed is not within 0 to 2^64 - 1.", next_step="choose another seed.", case=60
        )
    fields = [seed.to_bytes(8, "little"), *(name.encode() for name in context)]
    digest = tagged_hash(f"public generator: {purpose}", *fields)
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest, "little")))


def split(
    rows: int, test_size: float, seed: int, *, owner: str = ""
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Partition an owner's rows into training and test rows.

    Not stratified: how many labels of each class an owner has is private.

    Parameters
    ----------
    rows : int
        How many rows the owner has.
    test_size : float
        The fraction held out, between 0 and 1 (rounded to whole rows, at least one on each
        side).
    seed : int
        The public seed.
    owner : str
        Each owner gets a split of its own.

    Returns
    -------
    train, test : (n,) int64
        Sorted row numbers; every row is in exactly one of them.

    Raises
    ------
    UsageError
        `test_size` is not between 0 and 1.
    DataError
        Fewer than two rows (TC-2110).
    """
    if not 0 < test_size < 1:
        raise UsageError(
            "The test size is not a fraction between 0 and 1.",
            next_step="give for instance 0.2 to hold out a fifth of the rows.",
            case=45,
        )
    if rows < 2:
        raise DataError(
            "There are too few rows to hold some out for testing.",
            next_step="use a file with more rows.",
            case=10,
            parties=(owner,) if owner else (),
        )
    held_out = min(max(round(rows * test_size), 1), rows - 1)
    order = public_generator("train and test", seed, owner).permutation(rows)
    return np.sort(order[held_out:]), np.sort(order[:held_out])
