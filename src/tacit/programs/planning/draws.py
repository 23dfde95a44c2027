"""What follows from an order which is drawn when a program runs: expected, and at most.

Sorts open the order of shuffled elements (``functions/ordering.py``), a uniform permutation, and
how many comparisons their later steps take follows from it. So such a program is counted for
several orders. Their mean is what to expect.

At most is as far above the mean again as the largest of them is. Of `ENOUGH` draws and a run, all
alike, the run exceeds even the largest draw with a probability of 1 / (ENOUGH + 1). Where that
takes too long, it is `DEVIATIONS` standard deviations above the mean, by Cantelli's inequality:
P(X >= mean + k sigma) <= 1 / (1 + k^2) whatever the distribution is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tacit.programs.planning.phases import Counted
from tacit.programs.planning.tally import Tally

__all__ = ["DEVIATIONS", "Bytes", "Draws", "bytes_of", "draws_of"]

DEVIATIONS: Final = 10.0
"""Less than one of a hundred runs sends more; of real sorts hardly any."""

LEAST, SOME, ENOUGH = 4, 16, 128
"""How many orders are counted: at least, where that takes long, and where it does not."""

SHORT: Final = 20_000_000
"""Up to so many bytes it takes milliseconds to count one."""

PRECISION: Final = 0.004
"""Standard error of the mean, relative, at which there are enough of long ones."""


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


@dataclass(frozen=True, slots=True)
class Draws:
    """What was found in several orders.

    Attributes
    ----------
    sent : list of Bytes
        Of every phase.
    rounds : (int, int)
        Of all phases together, the fewest and the most.
    count : int
        How many orders were drawn.
    """

    sent: list[Bytes]
    rounds: tuple[int, int]
    count: int


def bytes_of(tally: Tally, parties: int) -> Bytes:
    """Of a phase whose bytes are the same in every run."""
    sent = tuple(tally.sent(party) for party in range(parties))
    checks = tuple(tally.checked(party) for party in range(parties))
    return Bytes(sent, checks, tuple(map(sum, zip(sent, checks, strict=True))))


def draws_of(first: Counted, again: Callable[[int], Counted], parties: int) -> Draws:
    """Of a program in which orders are drawn.

    Parameters
    ----------
    first : Counted
        The program counted for one order.
    again : callable
        ``again(seed)`` counts it for another.
    parties : int
    """
    counts, rounds = [_counts(first, parties)], [_rounds(first)]
    most_draws = ENOUGH if np.sum(counts) <= SHORT else SOME
    while len(counts) < most_draws:
        if most_draws < ENOUGH and len(counts) >= LEAST and _precise(counts):
            break
        one = again(len(counts))
        counts.append(_counts(one, parties))
        rounds.append(_rounds(one))
    found = np.array(counts, np.float64)  # draws, phases, parties, payload and checks
    mean = np.rint(found.mean(axis=0)).astype(int)
    whole = found.sum(axis=-1)
    middle, largest = whole.mean(axis=0), whole.max(axis=0)
    if len(counts) < ENOUGH:
        above = np.maximum(DEVIATIONS * whole.std(axis=0, ddof=1), largest - middle)
    else:
        above = 2 * (largest - middle)
    most = np.ceil(middle + above).astype(int)
    sent = [
        Bytes(tuple(both[:, 0].tolist()), tuple(both[:, 1].tolist()), tuple(one.tolist()))
        for both, one in zip(mean, most, strict=True)
    ]
    return Draws(sent, (min(rounds), max(rounds)), len(counts))


def _precise(counts: Sequence[Sequence[Sequence[tuple[int, int]]]]) -> bool:
    """Whether the mean of what is sent in all has settled."""
    whole = np.array(counts, np.float64).sum(axis=(1, 2, 3))
    return bool(whole.std(ddof=1) <= PRECISION * whole.mean() * len(counts) ** 0.5)


def _rounds(counted: Counted) -> int:
    return sum(tally.rounds for _, tally in counted.phases)


def _counts(counted: Counted, parties: int) -> Sequence[Sequence[tuple[int, int]]]:
    return [
        [(tally.sent(party), tally.checked(party)) for party in range(parties)]
        for _, tally in counted.phases
    ]
