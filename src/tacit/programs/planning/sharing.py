"""Sharings without shares: their shapes, and the bytes that a party would hold.

Nothing is known of their elements, not even of public ones: they are zeros that take no room.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tacit.encoding.ring import Ring
from tacit.sharing.bits import word_count

__all__ = ["CACHED", "Bits", "Held", "Numbers"]


CACHED: Final = 1 << 17
"""Bytes up to which an array is found in a cache when it is read next."""


class Held:
    """How many bytes of shares a party holds now, and held at most.

    Attributes
    ----------
    now, peak : int
    parts : int
        How many additive parts a party has of a sharing.
    touched, streamed : int
        Bytes that local steps wrote so far: in small arrays, and in such as no cache holds.
    """

    __slots__ = ("now", "parts", "peak", "streamed", "touched")

    def __init__(self, parts: int) -> None:
        self.now = 0
        self.peak = 0
        self.parts = parts
        self.touched = 0
        self.streamed = 0

    def add(self, count: int) -> None:
        """More bytes, or fewer."""
        self.now += count
        if self.now > self.peak:
            self.peak = self.now

    def wrote(self, count: int) -> None:
        """A local step wrote an array of so many bytes."""
        if count > CACHED:
            self.streamed += count
        else:
            self.touched += count


class _Room:
    """The memory of one sharing, which its views have in common."""

    __slots__ = ("held", "size")

    def __init__(self, held: Held, size: int) -> None:
        self.held = held
        self.size = size * held.parts
        held.add(self.size)

    def __del__(self) -> None:
        self.held.now -= self.size


def _is_view(array: NDArray[Any]) -> bool:
    return not any(array.strides)


class Numbers:
    """An arithmetic sharing: its shape."""

    __slots__ = ("held", "ring", "room", "shape")

    def __init__(
        self, ring: Ring, held: Held, shape: tuple[int, ...], room: _Room | None = None
    ) -> None:
        self.ring = ring
        self.held = held
        self.shape = shape
        self.room = _Room(held, prod(shape) * ring.element_bytes) if room is None else room

    def __repr__(self) -> str:
        return f"Numbers(shape={self.shape})"

    @property
    def size(self) -> int:
        """The number of elements."""
        return prod(self.shape)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def elements(self) -> NDArray[Any]:
        """Zeros, not to be written to."""
        return np.broadcast_to(self.ring.zeros(()), self.shape)

    def map(self, f: Callable[[NDArray[Any]], NDArray[Any]]) -> Numbers:
        """As a sharing's."""
        found = np.asarray(f(self.elements))
        if _is_view(found):
            return Numbers(self.ring, self.held, found.shape, self.room)
        self.held.wrote(found.nbytes * self.held.parts)
        return Numbers(self.ring, self.held, found.shape)

    def reshape(self, *shape: int) -> Numbers:
        """As a sharing's."""
        if -1 in shape or prod(shape) != self.size:
            shape = self.elements.reshape(shape).shape
        return Numbers(self.ring, self.held, tuple(map(int, shape)), self.room)

    def __getitem__(self, index: Any) -> Numbers:
        return self.map(lambda share: np.asarray(share[index]))

    def section(self, start: int, stop: int) -> Numbers:
        """As a sharing's."""
        return Numbers(self.ring, self.held, (stop - start,), self.room)

    def blank(self, size: int) -> Numbers:
        """As a sharing's."""
        return Numbers(self.ring, self.held, (size,))

    def write(self, start: int, part: Numbers) -> None:
        """As a sharing's; what is written stays unknown."""


class Bits:
    """A Boolean sharing: its shape and planes."""

    __slots__ = ("held", "planes", "room", "shape")

    def __init__(
        self,
        held: Held,
        shape: tuple[int, ...],
        planes: tuple[int, ...] = (),
        room: _Room | None = None,
    ) -> None:
        self.held = held
        self.shape = shape
        self.planes = planes
        size = 8 * word_count(prod(shape)) * prod(planes)
        self.room = _Room(held, size) if room is None else room

    def __repr__(self) -> str:
        return f"Bits(shape={self.shape}, planes={self.planes})"

    @property
    def size(self) -> int:
        """Bits in one plane."""
        return prod(self.shape)

    @property
    def words(self) -> NDArray[np.uint64]:
        """Zeros, not to be written to."""
        return np.broadcast_to(np.uint64(0), (*self.planes, word_count(self.size)))

    def of_words(self, words: NDArray[Any], shape: tuple[int, ...] | None = None) -> Bits:
        """Other words."""
        return Bits(self.held, self.shape if shape is None else shape, words.shape[:-1])

    def plane(self, index: Any) -> Bits:
        """As a sharing's."""
        return self.of_words(self.words[index])

    def joined(self, others: Sequence[Bits]) -> Bits:
        """As a sharing's."""
        words = np.concatenate([one.words for one in [self, *others]])
        return self.of_words(words)

    def map_words(self, f: Callable[[NDArray[Any]], NDArray[Any]]) -> Bits:
        """As a sharing's."""
        return self.of_words(f(self.words))

    def map(self, f: Callable[[NDArray[np.uint8]], NDArray[np.uint8]]) -> Bits:
        """As a sharing's."""
        return Bits(self.held, f(np.broadcast_to(np.uint8(0), self.shape)).shape)

    def reshape(self, *shape: int) -> Bits:
        """As a sharing's."""
        new = np.broadcast_to(np.uint8(0), self.shape).reshape(shape).shape
        return Bits(self.held, new, self.planes, self.room)

    def rows_as_planes(self) -> Bits:
        """As a sharing's."""
        rows, columns = self.shape
        return self.of_words(self.words.reshape(rows, columns // 64), (columns,))

    def planes_as_rows(self) -> Bits:
        """As a sharing's."""
        return Bits(self.held, (*self.planes, self.size))

    def section(self, start: int, stop: int) -> Bits:
        """As a sharing's."""
        return Bits(self.held, (stop - start,), (), self.room)

    def blank(self, size: int) -> Bits:
        """As a sharing's."""
        return Bits(self.held, (size,))

    def write(self, start: int, part: Bits) -> None:
        """As a sharing's; what is written stays unknown."""
