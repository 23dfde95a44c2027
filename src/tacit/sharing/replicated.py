"""Replicated secret sharing among three parties over a ring Z_2^k.

x = x_0 + x_1 + x_2 mod 2^k; party i holds x_i (``own``) and x_{i+1} (``next``). Any two
parties reconstruct, one learns nothing (Araki, Furukawa, Lindell, Nof, Ohara 2016, section 2;
Ito, Saito, Nishizeki 1989). Over Z_2 the same with XOR: see ``bits.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tacit.encoding.ring import RING64, Elements, Ring
from tacit.sharing.additive import AdditiveForm, Parts
from tacit.sharing.bits import ReplicatedBits, pack_bits, unpack_bits

__all__ = [
    "REPLICATED_FORM",
    "Replicated",
    "reconstruct",
    "reconstruct_bits",
    "split",
    "split_bits",
]


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Replicated:
    """A party's part of a replicated sharing over a ring: two of three additive shares.

    Attributes
    ----------
    own, next : ndarray of ring.dtype
        This party's share x_i and its successor's x_{i+1}; the shape is the secret's.
    """

    own: Elements
    next: Elements

    def __repr__(self) -> str:
        return f"Replicated(shape={self.own.shape})"

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the secret array."""
        return self.own.shape

    @property
    def size(self) -> int:
        """The number of elements."""
        return self.own.size

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self.own.ndim

    def map(self, f: Callable[[Elements], Elements]) -> Replicated:
        """Apply a local linear function (indexing, reshape, sum, …) to both shares."""
        return Replicated(f(self.own), f(self.next))

    def reshape(self, *shape: int) -> Replicated:
        """The same elements under another shape."""
        return Replicated(self.own.reshape(shape), self.next.reshape(shape))

    def __getitem__(self, index: Any) -> Replicated:
        return Replicated(np.asarray(self.own[index]), np.asarray(self.next[index]))

    def section(self, start: int, stop: int) -> Replicated:
        """Elements `start` to `stop` in C order as a vector; a view where strides allow it."""
        return self.map(lambda share: _section(share, start, stop))

    def blank(self, size: int) -> Replicated:
        """Room for a sharing of `size` elements in a vector, to be written before it is used."""
        return self.map(lambda share: np.empty(size, share.dtype))

    def write(self, start: int, part: Replicated) -> None:
        """Overwrite elements of this vector, from `start` on. Only for one made by `blank`."""
        stop = start + part.size
        self.own[start:stop] = part.own.reshape(-1)
        self.next[start:stop] = part.next.reshape(-1)


def _section(share: Elements, start: int, stop: int) -> Elements:
    if share.flags.c_contiguous:
        return share.reshape(-1)[start:stop]
    return np.asarray(share.flat[start:stop])


def split(
    values: Elements, randomness: Callable[[int], bytes], ring: Ring = RING64
) -> list[Replicated]:
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
    shape = values.shape
    x_0, x_1 = (
        np.frombuffer(randomness(values.nbytes), ring.dtype).reshape(shape) for _ in range(2)
    )
    x_2 = ring.subtract(ring.subtract(values, x_0), x_1)
    shares = [x_0, x_1, x_2]
    return [Replicated(shares[i], shares[(i + 1) % 3]) for i in range(3)]


def split_bits(values: NDArray[Any], randomness: Callable[[int], bytes]) -> list[ReplicatedBits]:
    """All parties' parts of a fresh sharing of an array of 0 and 1."""
    words = pack_bits(values)
    x_0, x_1 = (np.frombuffer(randomness(words.nbytes), np.uint64) for _ in range(2))
    shares = [x_0, x_1, words ^ x_0 ^ x_1]
    return [ReplicatedBits(shares[i], shares[(i + 1) % 3], tuple(values.shape)) for i in range(3)]


def reconstruct(parts: Sequence[Replicated], ring: Ring = RING64) -> Elements:
    """The secret, from all three parties' parts (or the first two)."""
    return ring.add(ring.add(parts[0].own, parts[0].next), parts[1].next)


def reconstruct_bits(parts: Sequence[ReplicatedBits]) -> NDArray[np.uint8]:
    """The secret bits, (*planes, *shape), from all three parties' parts (or the first two)."""
    words = parts[0].own ^ parts[0].next ^ parts[1].next
    return unpack_bits(words, parts[0].shape)


def _held(index: int) -> tuple[int, int]:
    return index, (index + 1) % 3


def _parts(index: int, share: Replicated | ReplicatedBits) -> Parts:
    return {index: share.own, (index + 1) % 3: share.next}


def _numbers(index: int, parts: Parts) -> Replicated:
    return Replicated(parts[index], parts[(index + 1) % 3])


def _bits(index: int, parts: Parts, shape: tuple[int, ...]) -> ReplicatedBits:
    return ReplicatedBits(parts[index], parts[(index + 1) % 3], shape)


REPLICATED_FORM = AdditiveForm(3, _held, _parts, _numbers, _bits)
"""x = x_0 + x_1 + x_2; party i holds x_i and x_{i+1}."""
