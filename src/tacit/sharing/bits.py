"""Replicated sharings over Z_2 in packed words, and packing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["ReplicatedBits", "pack_bits", "unpack_bits", "without_padding", "word_count"]


def word_count(bits: int) -> int:
    """64-bit words that hold `bits` packed bits."""
    return -(-bits // 64)


def pack_bits(values: NDArray[Any]) -> NDArray[np.uint64]:
    """Pack an array of 0 and 1, flattened in C order: bit v is bit v mod 64 of word v // 64."""
    flat = np.ascontiguousarray(values, dtype=np.uint8).reshape(-1)
    packed = np.zeros(word_count(flat.size) * 8, np.uint8)
    bits = np.packbits(flat, bitorder="little")
    packed[: bits.size] = bits
    return packed.view(np.uint64)


def unpack_bits(words: NDArray[np.uint64], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """The inverse of :func:`pack_bits`: 0 and 1, (*planes, *shape) for words (*planes, words)."""
    raw = np.ascontiguousarray(words).view(np.uint8)
    return np.unpackbits(raw, axis=-1, count=prod(shape), bitorder="little").reshape(
        (*words.shape[:-1], *shape)
    )


def without_padding(words: NDArray[np.uint64], bits: int) -> NDArray[np.uint64]:
    """A C-contiguous copy of words (*planes, words) with 0 behind the last bit of each plane."""
    clean = np.array(words, order="C")
    if bits % 64 and clean.size:
        clean[..., -1] &= np.uint64((1 << (bits % 64)) - 1)
    return clean


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class ReplicatedBits:
    """A party's part of a replicated sharing of bits: two of three XOR shares.

    Attributes
    ----------
    own, next : ndarray of uint64, (*planes, words)
        This party's share and its successor's, packed; words = ceil(prod(shape) / 64). Bits
        beyond prod(shape) in the last word have no meaning.
    shape : tuple of int
        The shape of the secret boolean array. Leading planes (bit positions of an integer) are
        not part of it.
    """

    own: NDArray[np.uint64]
    next: NDArray[np.uint64]
    shape: tuple[int, ...]

    def __repr__(self) -> str:
        planes = self.own.shape[:-1]
        return f"ReplicatedBits(shape={self.shape}, planes={planes})"

    @property
    def planes(self) -> tuple[int, ...]:
        """The leading plane axes, ``()`` for plain bits."""
        return self.own.shape[:-1]

    @property
    def size(self) -> int:
        """Bits in one plane."""
        return prod(self.shape)

    def plane(self, index: Any) -> ReplicatedBits:
        """Select along the first plane axis: an integer, a slice or an index array."""
        return ReplicatedBits(self.own[index], self.next[index], self.shape)

    def joined(self, others: Sequence[ReplicatedBits]) -> ReplicatedBits:
        """These planes and then those of others, along the first plane axis; equal shapes."""
        own = np.concatenate([self.own, *(other.own for other in others)])
        following = np.concatenate([self.next, *(other.next for other in others)])
        return ReplicatedBits(own, following, self.shape)

    def map_words(self, f: Callable[[NDArray[np.uint64]], NDArray[np.uint64]]) -> ReplicatedBits:
        """Apply a local, share-wise linear function on words."""
        return ReplicatedBits(f(self.own), f(self.next), self.shape)

    def map(self, f: Callable[[NDArray[np.uint8]], NDArray[np.uint8]]) -> ReplicatedBits:
        """Apply a rearrangement (indexing, reshape, transpose) to the unpacked plain bits.

        `f` maps an array of ``shape`` to the new array; it must only move bits.
        """
        if self.planes:
            raise ValueError("only plain bits can be rearranged")
        own = f(unpack_bits(self.own, self.shape))
        following = f(unpack_bits(self.next, self.shape))
        return ReplicatedBits(pack_bits(own), pack_bits(following), tuple(own.shape))

    def reshape(self, *shape: int) -> ReplicatedBits:
        """The same bits under another shape of the same size."""
        new = np.empty(self.shape, np.bool_).reshape(*shape).shape
        return ReplicatedBits(self.own, self.next, new)

    def rows_as_planes(self) -> ReplicatedBits:
        """Plain bits (rows, columns), columns a multiple of 64, as a plane of bits a row."""
        rows, columns = self.shape
        assert columns % 64 == 0
        own, following = (words.reshape(rows, columns // 64) for words in (self.own, self.next))
        return ReplicatedBits(own, following, (columns,))

    def planes_as_rows(self) -> ReplicatedBits:
        """The inverse of :meth:`rows_as_planes`: vectors of a multiple of 64 bits."""
        own, following = (words.reshape(-1) for words in (self.own, self.next))
        return ReplicatedBits(own, following, (*self.planes, self.size))

    def section(self, start: int, stop: int) -> ReplicatedBits:
        """Plain bits `start`, a multiple of 64, to `stop` in C order as a vector: a view."""
        words = slice(start // 64, word_count(stop))
        return ReplicatedBits(self.own[words], self.next[words], (stop - start,))

    def blank(self, size: int) -> ReplicatedBits:
        """Room for `size` plain bits in a vector, to be written before it is used."""
        own, following = (np.empty(word_count(size), np.uint64) for _ in range(2))
        return ReplicatedBits(own, following, (size,))

    def write(self, start: int, part: ReplicatedBits) -> None:
        """Overwrite whole words of this vector, from bit `start` on, a multiple of 64."""
        words = slice(start // 64, word_count(start + part.size))
        self.own[words] = part.own
        self.next[words] = part.next
