"""Bytes that follow from an order which is drawn when a program runs: expected, and at most.

Sorts open the order of shuffled elements (``functions/ordering.py``), a uniform permutation, and
how many comparisons their later steps take follows from it. So such a program is counted for
several orders. Their mean is what to expect. At most is what `DEVIATIONS` standard deviations
above it are: Cantelli's inequality, P(X >= mean + k sigma) <= 1 / (1 + k^2), holds whatever the
distribution is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tacit.programs.planning.phases import Counted
from tacit.programs.planning.tally import Tally

__all__ = ["DEVIATIONS", "Bytes", "bytes_of", "bytes_of_draws"]

DEVIATIONS: Final = 10.0
"""Less than one of a hundred runs sends more; of real sorts hardly any."""

LEAST, MOST = 16, 128
"""How many orders are counted."""

PRECISION: Final = 0.004
"""Standard error of the mean, relative, at which there are enough."""

LARGE: Final = 10**9
"""From so many bytes on a quarter of the least is enough: long sorts hardly vary."""


@dataclass(frozen=True, slots=True)
class Bytes:
    """What every party sends in a phase.

    Attributes
    ----------
    sent, checks : tuple of int
        Payload and check bytes by party, expected.
    most : tuple of int
        Payload and check bytes together, at most.
    """

    sent: tuple[int, ...]
    checks: tuple[int, ...]
    most: tuple[int, ...]


def bytes_of(tally: Tally, parties: int) -> Bytes:
    """Of a phase whose bytes are the same in every run."""
    sent = tuple(tally.sent(party) for party in range(parties))
    checks = tuple(tally.checked(party) for party in range(parties))
    return Bytes(sent, checks, tuple(map(sum, zip(sent, checks, strict=True))))


def bytes_of_draws(first: Counted, again: Callable[[int], Counted], parties: int) -> list[Bytes]:
    """Of every phase of a program in which orders are drawn.

    Parameters
    ----------
    first : Counted
        The program counted for one order.
    again : callable
        ``again(seed)`` counts it for another.
    parties : int
    """
    counts = [_counts(first, parties)]
    least = LEAST if np.sum(counts) < LARGE else LEAST // 4
    while len(counts) < least or (len(counts) < MOST and not _precise(counts)):
        counts.append(_counts(again(len(counts)), parties))
    found = np.array(counts, np.float64)  # draws, phases, parties, payload and checks
    mean = np.rint(found.mean(axis=0)).astype(int)
    whole = found.sum(axis=-1)
    above = DEVIATIONS * whole.std(axis=0, ddof=1)
    most = np.ceil(np.maximum(whole.mean(axis=0) + above, whole.max(axis=0))).astype(int)
    return [
        Bytes(tuple(both[:, 0].tolist()), tuple(both[:, 1].tolist()), tuple(one.tolist()))
        for both, one in zip(mean, most, strict=True)
    ]


def _precise(counts: Sequence[Sequence[Sequence[tuple[int, int]]]]) -> bool:
    """Whether the mean of what is sent in all has settled; looked at now and then."""
    if len(counts) & (len(counts) - 1):
        return False
    whole = np.array(counts, np.float64).sum(axis=(1, 2, 3))
    return bool(whole.std(ddof=1) <= PRECISION * whole.mean() * len(counts) ** 0.5)


def _counts(counted: Counted, parties: int) -> Sequence[Sequence[tuple[int, int]]]:
    return [
        [(tally.sent(party), tally.checked(party)) for party in range(parties)]
        for _, tally in counted.phases
    ]
