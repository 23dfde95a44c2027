"""Where randomness comes from: an argument, never a global."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Protocol

import blake3

__all__ = ["Randomness", "SeededRandomness", "SystemRandomness", "deal_pairwise_seeds"]

SEED_BYTES = 16
"""Bytes of a pairwise seed: an AES-128 key."""


class Randomness(Protocol):
    """A source of random bytes."""

    def token(self, size: int) -> bytes:
        """`size` fresh random bytes."""


class SystemRandomness:
    """The operating system's randomness: what every real run uses."""

    def token(self, size: int) -> bytes:
        """`size` fresh random bytes."""
        return os.urandom(size)


class SeededRandomness:
    """Reproducible bytes for tests and examples in one process; never secure.

    Parameters
    ----------
    seed : int
        Any integer of up to 256 bits.

    Notes
    -----
    A type of its own, so that sessions between processes can refuse it.
    """

    def __init__(self, seed: int) -> None:
        self._key = blake3.blake3(b"tacit insecure seed").digest()
        self._seed = seed.to_bytes(33, "little", signed=True)
        self._drawn = 0

    def token(self, size: int) -> bytes:
        """The next `size` bytes of the reproducible sequence."""
        hasher = blake3.blake3(self._seed + self._drawn.to_bytes(8, "little"), key=self._key)
        self._drawn += 1
        return hasher.digest(length=size)

    def __repr__(self) -> str:
        return "SeededRandomness(insecure)"


def deal_pairwise_seeds(names: Sequence[str], randomness: Randomness) -> list[Mapping[int, bytes]]:
    """Seeds for parties that live in one process: for each party, a seed per peer.

    Parties in different processes agree on theirs with ``network.seeds``.
    """
    size = len(names)
    seeds: list[dict[int, bytes]] = [{} for _ in range(size)]
    for i in range(size):
        for j in range(i + 1, size):
            seeds[i][j] = seeds[j][i] = randomness.token(SEED_BYTES)
    return list(seeds)
