"""Keys of JAX's default random numbers, and what is drawn from them: Threefry-2x32 in NumPy.

A public key makes public numbers: initial weights, orders of batches, masks. JAX would compile a
function for each shape first; here they are the same bits without it [Salmon et al. 2011].
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

__all__ = ["Keys", "drawn", "folded", "is_threefry", "seeded", "split", "threefry"]

_ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
_PARITY = np.uint32(0x1BD11BDA)


@dataclass(frozen=True, slots=True, eq=False)
class Keys:
    """Keys as words.

    Attributes
    ----------
    words : ndarray of uint32, (*shape, 2)
    """

    words: NDArray[np.uint32]

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the array of keys."""
        return self.words.shape[:-1]

    def at(self, places: Any) -> Keys:
        """The keys at places of the flattened array."""
        return Keys(self.words.reshape(-1, 2)[places])


def is_threefry(dtype: Any) -> bool:
    """Whether a type of JAX is that of keys that are known here."""
    name = getattr(getattr(dtype, "_impl", None), "name", "")
    return name == "threefry2x32" and bool(jax.config.jax_threefry_partitionable)


def threefry(
    first: Any, second: Any, high: Any, low: Any
) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """The block function: 20 rounds on two words under a key of two words."""
    with np.errstate(over="ignore"):
        keys = (first, second, first ^ second ^ _PARITY)
        x, y = high + keys[0], low + keys[1]
        for turn in range(5):
            for rotation in _ROTATIONS[turn % 2]:
                x = x + y
                y = (y << np.uint32(rotation)) | (y >> np.uint32(32 - rotation))
                y = x ^ y
            x = x + keys[(turn + 1) % 3]
            y = y + keys[(turn + 2) % 3] + np.uint32(turn + 1)
    return x, y


def _counted(keys: Keys, shape: Sequence[int]) -> tuple[Any, Any]:
    """The block function of every key on 0, 1, 2, … in a shape."""
    count = np.arange(int(np.prod(shape, dtype=np.int64)), dtype=np.uint64).reshape(tuple(shape))
    high, low = (count >> np.uint64(32)).astype(np.uint32), count.astype(np.uint32)
    spread = (*keys.shape, *(1,) * len(shape))
    first, second = (keys.words[..., place].reshape(spread) for place in (0, 1))
    x, y = threefry(first, second, high, low)
    return np.asarray(x), np.asarray(y)


def drawn(keys: Keys, bits: int, shape: Sequence[int]) -> NDArray[Any]:
    """Uniform bits: (*keys, *shape) integers of 8, 16, 32 or 64 bits."""
    high, low = _counted(keys, shape)
    if bits == 64:
        return np.asarray((high.astype(np.uint64) << np.uint64(32)) | low.astype(np.uint64))
    return np.asarray((high ^ low).astype(f"uint{bits}"))


def split(keys: Keys, shape: Sequence[int]) -> Keys:
    """New keys: (*keys, *shape)."""
    return Keys(np.stack(_counted(keys, shape), -1))


def seeded(seed: Any) -> Keys:
    """The keys of integers."""
    number = np.asarray(seed)
    wide = number.astype(np.int64).astype(np.uint64)
    high = wide >> np.uint64(32) if number.dtype.itemsize > 4 else np.zeros_like(wide)
    return Keys(np.stack([high.astype(np.uint32), wide.astype(np.uint32)], -1))


def folded(keys: Keys, data: Any) -> Keys:
    """Keys with an integer mixed into each."""
    number = np.asarray(data).astype(np.uint32)
    zero = np.zeros_like(number)
    words = threefry(keys.words[..., 0], keys.words[..., 1], zero, number)
    return Keys(np.stack([np.asarray(word) for word in words], -1))
