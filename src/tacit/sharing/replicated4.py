"""Replicated secret sharing among four parties, over a ring Z_2^k and over Z_2.

x = x_0 + x_1 + x_2 + x_3 mod 2^k; party i holds every share but x_i, so each share has three
holders. Any two parties reconstruct, one learns nothing (Ito, Saito, Nishizeki 1989; Dalskov,
Escudero, Keller 2021, section 2.2). Over Z_2 the same with XOR, 64 bits a word as in ``bits.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tacit.encoding.ring import RING64, Elements, Ring
from tacit.sharing.additive import AdditiveForm, Parts
from tacit.sharing.bits import pack_bits, unpack_bits, word_count

__all__ = [
    "REPLICATED4_FORM",
    "Replicated4",
    "Replicated4Bits",
    "reconstruct4",
    "reconstruct4_bits",
    "split4",
    "split4_bits",
]

PARTIES = range(4)


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Replicated4:
    """A party's part of a four-party replicated sharing over a ring: three additive shares.

    Attributes
    ----------
    shares : mapping of int to ndarray of ring.dtype
        x_j under its index j, for every j but the holder's own; the shape is the secret's.
    """

    shares: Mapping[int, Elements]

    def __repr__(self) -> str:
        return f"Replicated4(shape={self.shape})"

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the secret array."""
        return self._any.shape

    @property
    def size(self) -> int:
        """The number of elements."""
        return self._any.size

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self._any.ndim

    @property
    def _any(self) -> Elements:
        return next(iter(self.shares.values()))

    def map(self, f: Callable[[Elements], Elements]) -> Replicated4:
        """Apply a local linear function (indexing, reshape, sum, …) to all three shares."""
        return Replicated4({j: f(share) for j, share in self.shares.items()})

    def reshape(self, *shape: int) -> Replicated4:
        """The same elements under another shape."""
        return self.map(lambda share: share.reshape(shape))

    def __getitem__(self, index: Any) -> Replicated4:
        return self.map(lambda share: np.asarray(share[index]))

    def section(self, start: int, stop: int) -> Replicated4:
        """Elements `start` to `stop` in C order as a vector; a view where strides allow it."""
        return self.map(lambda share: _section(share, start, stop))

    def blank(self, size: int) -> Replicated4:
        """Room for a sharing of `size` elements in a vector, to be written before it is used."""
        return self.map(lambda share: np.empty(size, share.dtype))

    def write(self, start: int, part: Replicated4) -> None:
        """Overwrite elements of this vector, from `start` on. Only for one made by `blank`."""
        for j, share in self.shares.items():
            share[start : start + part.size] = part.shares[j].reshape(-1)


def _section(share: Elements, start: int, stop: int) -> Elements:
    if share.flags.c_contiguous:
        return share.reshape(-1)[start:stop]
    return np.asarray(share.flat[start:stop])


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Replicated4Bits:
    """A party's part of a four-party replicated sharing of bits: three of four XOR shares.

    Attributes
    ----------
    shares : mapping of int to ndarray of uint64, (*planes, words)
        x_j under its index j, for every j but the holder's own, packed; words =
        ceil(prod(shape) / 64). Bits beyond prod(shape) in the last word have no meaning, but
        they are the same at all holders of a share.
    shape : tuple of int
        The shape of the secret boolean array. Leading planes (bit positions of an integer) are
        not part of it.
    """

    shares: Mapping[int, NDArray[np.uint64]]
    shape: tuple[int, ...]

    def __repr__(self) -> str:
        return f"Replicated4Bits(shape={self.shape}, planes={self.planes})"

    @property
    def _any(self) -> NDArray[np.uint64]:
        return next(iter(self.shares.values()))

    @property
    def planes(self) -> tuple[int, ...]:
        """The leading plane axes, ``()`` for plain bits."""
        return self._any.shape[:-1]

    @property
    def size(self) -> int:
        """Bits in one plane."""
        return prod(self.shape)

    def plane(self, index: Any) -> Replicated4Bits:
        """Select along the first plane axis: an integer, a slice or an index array."""
        return self.map_words(lambda words: words[index])

    def joined(self, others: Sequence[Replicated4Bits]) -> Replicated4Bits:
        """These planes and then those of others, along the first plane axis; equal shapes."""
        shares = {
            j: np.concatenate([share, *(other.shares[j] for other in others)])
            for j, share in self.shares.items()
        }
        return Replicated4Bits(shares, self.shape)

    def map_words(self, f: Callable[[NDArray[np.uint64]], NDArray[np.uint64]]) -> Replicated4Bits:
        """Apply a local, share-wise linear function on words."""
        return Replicated4Bits({j: f(words) for j, words in self.shares.items()}, self.shape)

    def map(self, f: Callable[[NDArray[np.uint8]], NDArray[np.uint8]]) -> Replicated4Bits:
        """Apply a rearrangement (indexing, reshape, transpose) to the unpacked plain bits.

        `f` maps an array of ``shape`` to the new array; it must only move bits.
        """
        if self.planes:
            raise ValueError("only plain bits can be rearranged")
        moved = {j: f(unpack_bits(words, self.shape)) for j, words in self.shares.items()}
        shape = next(iter(moved.values())).shape
        return Replicated4Bits({j: pack_bits(bits) for j, bits in moved.items()}, tuple(shape))

    def reshape(self, *shape: int) -> Replicated4Bits:
        """The same bits under another shape of the same size."""
        new = np.empty(self.shape, np.bool_).reshape(*shape).shape
        return Replicated4Bits(self.shares, new)

    def rows_as_planes(self) -> Replicated4Bits:
        """Plain bits (rows, columns), columns a multiple of 64, as a plane of bits a row."""
        rows, columns = self.shape
        assert columns % 64 == 0
        words = {j: share.reshape(rows, columns // 64) for j, share in self.shares.items()}
        return Replicated4Bits(words, (columns,))

    def planes_as_rows(self) -> Replicated4Bits:
        """The inverse of :meth:`rows_as_planes`: vectors of a multiple of 64 bits."""
        words = {j: share.reshape(-1) for j, share in self.shares.items()}
        return Replicated4Bits(words, (*self.planes, self.size))

    def section(self, start: int, stop: int) -> Replicated4Bits:
        """Plain bits `start`, a multiple of 64, to `stop` in C order as a vector: a view."""
        words = slice(start // 64, word_count(stop))
        return Replicated4Bits({j: s[words] for j, s in self.shares.items()}, (stop - start,))

    def blank(self, size: int) -> Replicated4Bits:
        """Room for `size` plain bits in a vector, to be written before it is used."""
        words = word_count(size)
        return Replicated4Bits({j: np.empty(words, np.uint64) for j in self.shares}, (size,))

    def write(self, start: int, part: Replicated4Bits) -> None:
        """Overwrite whole words of this vector, from bit `start` on, a multiple of 64."""
        words = slice(start // 64, word_count(start + part.size))
        for j, share in self.shares.items():
            share[words] = part.shares[j]


def split4(
    values: Elements, randomness: Callable[[int], bytes], ring: Ring = RING64
) -> list[Replicated4]:
    """All parties' parts of a fresh sharing; for tests and for clients that share from outside.

    Parameters
    ----------
    values : ndarray of ring.dtype
        The secret.
    randomness : callable
        Gives n random bytes.
    ring : Ring
        What the shares are elements of.
    """
    x = [
        np.frombuffer(randomness(values.nbytes), ring.dtype).reshape(values.shape) for _ in range(3)
    ]
    x.append(reduce(ring.subtract, x, values))
    return [Replicated4({j: x[j] for j in PARTIES if j != i}) for i in PARTIES]


def split4_bits(values: NDArray[Any], randomness: Callable[[int], bytes]) -> list[Replicated4Bits]:
    """All parties' parts of a fresh sharing of an array of 0 and 1."""
    words = pack_bits(values)
    x = [np.frombuffer(randomness(words.nbytes), np.uint64) for _ in range(3)]
    x.append(reduce(np.bitwise_xor, x, words))
    shape = tuple(values.shape)
    return [Replicated4Bits({j: x[j] for j in PARTIES if j != i}, shape) for i in PARTIES]


def reconstruct4(parts: Sequence[Replicated4], ring: Ring = RING64) -> Elements:
    """The secret, from all four parties' parts (or the first two)."""
    shares = {**parts[0].shares, 0: parts[1].shares[0]}
    return reduce(ring.add, (shares[j] for j in PARTIES))


def reconstruct4_bits(parts: Sequence[Replicated4Bits]) -> NDArray[np.uint8]:
    """The secret bits, (*planes, *shape), from all four parties' parts (or the first two)."""
    shares = {**parts[0].shares, 0: parts[1].shares[0]}
    return unpack_bits(reduce(np.bitwise_xor, (shares[j] for j in PARTIES)), parts[0].shape)


def _held(index: int) -> tuple[int, ...]:
    return tuple(j for j in PARTIES if j != index)


def _parts(index: int, share: Replicated4 | Replicated4Bits) -> Parts:
    return share.shares


def _numbers(index: int, parts: Parts) -> Replicated4:
    return Replicated4({j: parts[j] for j in _held(index)})


def _bits(index: int, parts: Parts, shape: tuple[int, ...]) -> Replicated4Bits:
    return Replicated4Bits({j: parts[j] for j in _held(index)}, shape)


REPLICATED4_FORM = AdditiveForm(4, _held, _parts, _numbers, _bits)
"""x = x_0 + x_1 + x_2 + x_3; party i holds every part but x_i."""
