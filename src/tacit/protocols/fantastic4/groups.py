"""What a message of joint message passing is made of: elements of a group, and its masks.

A mask hides a value of the same group: ring elements under subtraction, packed bits under XOR,
small unsigned integers modulo a power of two where a few bits are enough.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tacit import kernels
from tacit.encoding.ring import Ring

__all__ = ["BITS", "Array", "Group", "elements_of", "small_field"]

Array: TypeAlias = NDArray[Any]


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Group:
    """An abelian group whose elements NumPy arrays hold, with a product.

    Attributes
    ----------
    dtype : numpy.dtype
        Of arrays of elements.
    add, subtract, multiply : callable
        Element by element; new arrays, but for ``add`` and ``subtract`` with ``out=``.
    fill : callable
        ``fill(key, nonce, lane, out)`` overwrites `out` with uniform elements from a stream.
    joint : callable or None
        The kernel ``joint_terms`` over this group, where there is one.
    """

    dtype: np.dtype[Any]
    add: Callable[..., Array]
    subtract: Callable[..., Array]
    multiply: Callable[[Array, Array], Array]
    fill: Callable[[kernels.StreamKey, int, int, Array], None]
    joint: Callable[..., None] | None = None

    def empty(self, shape: tuple[int, ...]) -> Array:
        """An array whose elements are yet to be written."""
        return np.empty(shape, self.dtype)

    def zeros(self, shape: tuple[int, ...]) -> Array:
        """An array of zeros."""
        return np.zeros(shape, self.dtype)


@lru_cache(maxsize=8)
def elements_of(ring: Ring) -> Group:
    """The elements of a ring under addition."""

    def fill(key: kernels.StreamKey, nonce: int, lane: int, out: Array) -> None:
        ring.kernels.fill(key, nonce, lane, out)

    def joint(*arguments: Any) -> None:
        ring.kernels.joint_terms(*arguments)

    return Group(ring.dtype, ring.add, ring.subtract, ring.multiply, fill, joint)


def _fill_words(key: kernels.StreamKey, nonce: int, lane: int, out: Array) -> None:
    kernels.fill(key, nonce, lane, out)


def _joint_bits(*arguments: Any) -> None:
    kernels.joint_bits(*arguments)


BITS = Group(
    np.dtype(np.uint64),
    np.bitwise_xor,
    np.bitwise_xor,
    np.bitwise_and,
    _fill_words,
    _joint_bits,
)
"""Packed bits, 64 a word, under XOR."""


@lru_cache(maxsize=8)
def small_field(dtype: type[np.unsignedinteger[Any]]) -> Group:
    """Unsigned integers modulo 2^8, 2^16, 2^32 or 2^64 under addition."""
    add, subtract, multiply = map(_wrapped, (np.add, np.subtract, np.multiply))
    return Group(np.dtype(dtype), add, subtract, multiply, _fill_words)


def _wrapped(operation: np.ufunc) -> Callable[..., Array]:
    def apply(a: Array, b: Array, out: Array | None = None) -> Array:
        # Into an array: NumPy warns of overflow only where a result has no axes.
        if out is None:
            out = np.empty(np.broadcast_shapes(a.shape, b.shape), a.dtype)
        operation(a, b, out=out)
        return out

    return apply
