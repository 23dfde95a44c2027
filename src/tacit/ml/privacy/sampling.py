"""Each owner's secret sample of its own rows, one for every step.

Poisson sampling: every row is in a step's sample with the same public probability, independently
of all else, by coins that the owner alone tosses. The sample, and its size, are unknown to
everybody else: the owner shares a public number of rows a step, its sample and then blank rows,
with a secret bit that says which are real. Why the owner may toss its own coins is argued in
``docs/decisions/0067-private-training.md``.
"""

from __future__ import annotations

from math import exp, log, log1p

import numpy as np
from numpy.typing import NDArray

from tacit import kernels
from tacit.ml.privacy.terms import RATE_BITS
from tacit.rounds.randomness import SEED_BYTES, Randomness

__all__ = ["TAIL_BITS", "PoissonSampler", "sampling_rate", "slots_for", "tail_bound"]

TAIL_BITS = 46
"""A sample is larger than its slots with probability at most 2^-46."""


def sampling_rate(batch_size: int, rows: int) -> int:
    """The rate with batches of the wanted size on average, in units of 2^-RATE_BITS."""
    full = 1 << RATE_BITS
    return max(1, min(full, round(batch_size * full / max(rows, 1))))


def tail_bound(rows: int, rate: int, slots: int) -> float:
    """An upper bound on the probability that a sample has more rows than slots (Chernoff)."""
    if slots >= rows:
        return 0.0
    p, a = rate / float(1 << RATE_BITS), (slots + 1) / rows
    if a <= p:
        return 1.0
    rest = (1 - a) * (log1p(-a) - log1p(-p)) if a < 1 else 0.0
    return exp(-rows * (a * log(a / p) + rest))


def slots_for(rows: int, rate: int) -> int:
    """The least number of slots whose tail is at most 2^-TAIL_BITS."""
    low, high = 0, rows
    while low < high:
        middle = (low + high) // 2
        if tail_bound(rows, rate, middle) <= 2.0**-TAIL_BITS:
            high = middle
        else:
            low = middle + 1
    return low


class PoissonSampler:
    """An owner's samples, from its own coins.

    Parameters
    ----------
    rows : int
        How many training rows it has.
    rate : int
        In units of 2^-RATE_BITS.
    slots : int
    randomness : Randomness
        The owner's own; nobody else may know it.

    Notes
    -----
    A row's coin is 32 bits of AES in counter mode under a key that is drawn here and forgotten.
    """

    def __init__(self, rows: int, rate: int, slots: int, randomness: Randomness) -> None:
        self._rate = rate
        self._slots = slots
        self._key = kernels.StreamKey(randomness.token(SEED_BYTES))
        self._coins = np.empty(rows + rows % 2, np.uint32)
        self._rows = rows
        self._step = 0

    def __repr__(self) -> str:
        return f"PoissonSampler(rows={self._rows}, slots={self._slots})"

    def sample(self) -> NDArray[np.int64]:
        """The rows of the next step, at most as many as there are slots."""
        self._step += 1
        kernels.fill(self._key, self._step, 0, self._coins.view(np.uint64))
        coins = self._coins[: self._rows].astype(np.int64)
        return np.flatnonzero(coins < self._rate)[: self._slots]
