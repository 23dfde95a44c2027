"""Joint evaluation on held-out rows: owners' counts are summed on shares, the sums revealed.

Each owner that knows the model scores its own held-out rows in the clear and counts them by
score bin and label; only the owners' total counts are opened, to the model's recipients.
What a recipient learns: the joint counts a bin and label, and so, by taking its own away, the
others' together (``docs/decisions/0009-what-evaluation-reveals.md``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tacit.encoding.limits import Limits
from tacit.functions.inputs import checked_rows
from tacit.protocols.interface import Party
from tacit.rounds.combine import together
from tacit.rounds.contract import Step

__all__ = [
    "COUNTS",
    "ERROR_BITS",
    "JointCounts",
    "ScoreCounts",
    "counts_of",
    "encoded_counts",
    "joint_counts",
]

ERROR_BITS = 20
"""Fractional bits of summed squared errors."""

COUNTS: Limits = (0, 1 << 60)
"""What an owner's counts and errors lie within, so that the owners' sums do not wrap."""


@dataclass(frozen=True, slots=True)
class ScoreCounts:
    """One owner's held-out rows, counted.

    Attributes
    ----------
    negatives, positives : ndarray of int64, (bins,)
        Rows with label 0 and 1 in each bin of the score.
    squared_error : float
        Σ (score - label)².
    """

    negatives: NDArray[np.int64]
    positives: NDArray[np.int64]
    squared_error: float


JointCounts = ScoreCounts
"""The same over all owners."""


def joint_counts(
    party: Party, own: ScoreCounts | None, bins: int, owners: Sequence[int], to: Sequence[int]
) -> Step[JointCounts | None]:
    """Sum the owners' counts on shares and open the totals. 2 rounds; more with checked inputs.

    Parameters
    ----------
    own : ScoreCounts or None
        This party's, None if it is not among `owners`.
    bins : int
        Bins of the score; public.
    owners : sequence of int
        Parties that contribute.
    to : sequence of int
        Parties that learn the totals.

    Returns
    -------
    JointCounts or None
        The totals at parties in `to`.

    Raises
    ------
    InputRefusedError
        An owner's counts are out of range, as all parties found on shares (TC-5400).
    """
    shape = (1, 2 * bins + 1)
    vector = None if own is None else encoded_counts(own).reshape(shape)
    shared = yield from together(
        *(
            checked_rows(party, owner, vector if owner == party.index else None, shape, (COUNTS,))
            for owner in owners
        )
    )
    total = shared[0]
    for part in shared[1:]:
        total = party.add(total, part)
    opened = yield from party.reveal(total, tuple(to))
    return None if opened is None else counts_of(opened.reshape(-1).view(np.int64), bins)


def encoded_counts(counts: ScoreCounts) -> NDArray[np.uint64]:
    """What an owner inputs, (2 bins + 1,): both counts and the squared error."""
    error = round(counts.squared_error * (1 << ERROR_BITS))
    vector = np.concatenate([counts.negatives, counts.positives, [error]]).astype(np.int64)
    return vector.view(np.uint64)


def counts_of(opened: NDArray[np.int64], bins: int) -> JointCounts:
    """The sums of what owners input."""
    return ScoreCounts(
        opened[:bins].copy(),
        opened[bins : 2 * bins].copy(),
        float(opened[-1]) / (1 << ERROR_BITS),
    )
