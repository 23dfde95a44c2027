"""Two samples of views compared, byte by byte and in combinations.

All runs of a sample at once: one operation of NumPy a combination, whatever the number of runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, product

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]

PAIR_BYTES = 64
MOST_RUNS = 255
"""So that a count fits in one byte."""


def combined(runs: Sequence[Sequence[Bytes]]) -> Bytes:
    """Each run's view itself, then XORs and signed sums of the starts of all pairs and triples.

    `runs` holds for every run the arrays that were received; the result is (runs, positions).
    """
    arrays = [np.stack(copies) for copies in zip(*runs, strict=True)]
    pieces = list(arrays)
    for count, length in ((2, PAIR_BYTES), (3, PAIR_BYTES // 2)):
        for group in combinations(arrays, count):
            size = min(length, *(a.shape[1] for a in group)) // 8 * 8
            words = [a[:, :size].view(np.uint64) for a in group]
            pieces.append(np.bitwise_xor.reduce(words).view(np.uint8))
            for signs in product((1, -1), repeat=count - 1):
                total = words[0].copy()
                for sign, word in zip(signs, words[1:], strict=True):
                    total = total + word if sign > 0 else total - word
                pieces.append(total.view(np.uint8))
    return np.concatenate(pieces, axis=1) if pieces else np.empty((len(runs), 0), np.uint8)


def statistics(first: Bytes, second: Bytes) -> NDArray[np.float64]:
    """Chi-square of two samples (runs, positions) of bytes: (2, positions), a half-byte each."""
    assert max(len(first), len(second)) <= MOST_RUNS
    results = []
    for shift in (0, 4):
        total = np.zeros(first.shape[1])
        a, b = (first >> shift) & 15, (second >> shift) & 15
        for value in range(16):
            n, m = (counts(sample == value) for sample in (a, b))
            total += (n - m) ** 2 / np.maximum(n + m, 1)
        results.append(total)
    return np.array(results)


def counts(found: NDArray[np.bool_]) -> NDArray[np.int64]:
    """In how many runs each position has a value: (runs, positions) to (positions,)."""
    return np.add.reduce(found, axis=0, dtype=np.uint8).astype(np.int64)
