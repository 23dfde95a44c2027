"""Two samples of views compared, byte by byte and in combinations."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]

PAIR_BYTES = 64


def combined(arrays: list[Bytes]) -> Bytes:
    """The view itself, then XORs and signed sums of the starts of all pairs and triples."""
    pieces = list(arrays)
    for count, length in ((2, PAIR_BYTES), (3, PAIR_BYTES // 2)):
        for group in combinations(arrays, count):
            size = min(length, *(a.size for a in group)) // 8 * 8
            words = [a[:size].view(np.uint64) for a in group]
            pieces.append(np.bitwise_xor.reduce(words).view(np.uint8))
            for signs in product((1, -1), repeat=count - 1):
                total = words[0].copy()
                for sign, word in zip(signs, words[1:], strict=True):
                    total = total + word if sign > 0 else total - word
                pieces.append(total.view(np.uint8))
    return np.concatenate(pieces) if pieces else np.empty(0, np.uint8)


def statistics(first: Bytes, second: Bytes) -> NDArray[np.float64]:
    """Chi-square of two samples (runs, positions) of bytes: (2, positions), a half-byte each."""
    results = []
    for shift in (0, 4):
        total = np.zeros(first.shape[1])
        a, b = (first >> shift) & 15, (second >> shift) & 15
        for value in range(16):
            n, m = (a == value).sum(axis=0), (b == value).sum(axis=0)
            total += (n - m) ** 2 / np.maximum(n + m, 1)
        results.append(total)
    return np.array(results)
